//! What the program adds to a SAM's own time: to a click, to the encoding of a folder, to a jump.
//!
//! `cargo bench --bench sam -- MODEL` with a model's folder; `tests/parity/make.sh` makes some.
//! A model with random weights gives masks of nothing but specks, of hundreds of thousands of runs;
//! `tests/data/sam/sam` finds the ellipse that it is shown.
//! Each figure stands beside ONNX Runtime's own, taken in turns with it: a plain loop over ready
//! tensors with the same threads.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Tensor as Value};
use termask::core::geometry::Size;
use termask::core::image::Image;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::header::{Element, Header, Port};
use termask::segment::runtime::{Compute, Model, session, threads};
use termask::segment::sam::{Sam, files};
use termask::segment::{Cancel, Engine, Question};

const SIZE: Size = Size::new(1024, 768);
/// What a camera gives: 12 megapixels.
const LARGE: Size = Size::new(4000, 3000);
/// Pictures in the folder that is encoded, and rounds of everything.
const PICTURES: u32 = 8;
const ROUNDS: usize = 5;

fn main() {
    let Some(model) = std::env::args().skip(1).find(|a| !a.starts_with('-')) else {
        println!("usage: cargo bench --bench sam -- MODEL (a folder with encoder and decoder)");
        return;
    };
    let model = PathBuf::from(model);
    let pair = files::find(&model).expect("a model");
    println!("{}, {} threads", pair.encoder.1.name, threads());
    clicks(&model, &pair.decoder.0);
    together(&model);
    jumps(&model);
    folder(&model, &pair.encoder.0);
}

fn picture(size: Size, seed: u32) -> image::RgbImage {
    image::RgbImage::from_fn(size.width, size.height, |x, y| {
        let blob = |n: u32| ((x / 60 * 37 + y / 60 * 61 + seed * n) % 200) as u8;
        image::Rgb([blob(3), blob(5), blob(7)])
    })
}

/// An ellipse on an even ground, as smooth as what people click on.
fn ellipse(size: Size) -> Image {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let rgb = image::RgbImage::from_fn(size.width, size.height, |x, y| {
        let across = (f64::from(x) - 0.5 * w) / (0.2 * w);
        let down = (f64::from(y) - 0.5 * h) / (0.25 * h);
        image::Rgb(if across * across + down * down < 1.0 {
            [190, 120, 40]
        } else {
            [130, 120, 40]
        })
    });
    Image::from_rgb(size, rgb.into_raw())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(job: impl FnOnce()) -> f64 {
    let start = Instant::now();
    job();
    start.elapsed().as_secs_f64() * 1000.0
}

/// From a click to its masks with the embedding ready, beside the decoder alone.
fn clicks(model: &Path, decoder: &Header) {
    let mut sam = Sam::open(model).expect("opened");
    let mut plain = plain(decoder);
    run(&mut plain, decoder);
    for (key, size) in [SIZE, LARGE].into_iter().enumerate() {
        let image = Arc::new(ellipse(size));
        let prompt = Prompt {
            rect: None,
            clicks: vec![Click {
                at: size.bounds().centre(),
                side: Side::Inside,
            }],
        };
        let question = Question::new(&image, key as u64, prompt);
        let found = sam.propose(&question).expect("an answer");
        let runs: usize = found.iter().map(|p| p.mask.runs().len()).sum();
        let (mut ours, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..8 * ROUNDS {
            alone.push(milliseconds(|| run(&mut plain, decoder)));
            ours.push(milliseconds(|| drop(sam.propose(&question))));
        }
        let (ours, alone) = (median(ours), median(alone));
        let over = ours - alone;
        let megapixels = size.area() as f64 / 1e6;
        println!(
            "{megapixels:.1} megapixels: a click's {} masks ({runs} runs) after {ours:.1} ms, the \
             decoder alone {alone:.1} ms: {over:+.1} ms",
            found.len()
        );
    }
}

/// What a prompt of a grid takes alone and with others.
fn together(model: &Path) {
    let image = Arc::new(Image::from_rgb(SIZE, picture(SIZE, 1).into_raw()));
    let question = |i: u32| {
        let at = SIZE.clamp(i64::from(60 * i + 40), i64::from(40 * i + 60));
        let side = Side::Inside;
        let clicks = vec![Click { at, side }];
        Question::new(&image, 0, Prompt { rect: None, clicks })
    };
    let questions: Vec<Question> = (0..16).map(question).collect();
    let mut sam = Sam::open(model).expect("opened");
    sam.prepare(&image, 0, &Cancel::default()).expect("encoded");
    for batch in [1, 2, 4, 8, 16] {
        sam = sam.with_batch(batch);
        let mut all = || {
            let batches = questions.chunks(batch);
            batches.for_each(|batch| drop(sam.propose_all(batch)));
        };
        all();
        let each = median((0..ROUNDS).map(|_| milliseconds(&mut all) / 16.0).collect());
        if sam.batch() < batch {
            println!("its decoder takes one prompt at a time: {each:.1} ms each");
            return;
        }
        println!("{batch} prompts at once: {each:.1} ms each");
    }
}

/// How soon a cancelled encoding is done with, and how much later the next picture is encoded for
/// what of it goes on.
fn jumps(model: &Path) {
    let mut sam = Sam::open(model).expect("opened");
    let image = Image::from_rgb(SIZE, picture(SIZE, 2).into_raw());
    let mut encode = |key, cancel: &Cancel| milliseconds(|| drop(sam.prepare(&image, key, cancel)));
    encode(0, &Cancel::default());
    let whole = median((1..4).map(|key| encode(key, &Cancel::default())).collect());
    let (mut done, mut later) = (Vec::new(), Vec::new());
    for part in 1..10u32 {
        let cancel = Cancel::default();
        let handle = cancel.clone();
        let wait = Duration::from_secs_f64(whole / 1000.0 * f64::from(part) / 10.0);
        let jump = thread::spawn(move || {
            thread::sleep(wait);
            let start = Instant::now();
            handle.cancel();
            start
        });
        encode(u64::from(10 * part), &cancel);
        let end = Instant::now();
        done.push((end - jump.join().expect("joined")).as_secs_f64() * 1000.0);
        later.push(encode(u64::from(10 * part + 1), &Cancel::default()) - whole);
    }
    let most = |values: &[f64]| values.iter().copied().fold(f64::MIN, f64::max);
    println!(
        "an encoding takes {whole:.0} ms; cancelled, it is done with after {:.1} ms at most, and \
         the next one takes {:+.0} ms, {:+.0} at most",
        most(&done),
        median(later.clone()),
        most(&later)
    );
}

/// `termask encode` over a folder of photos, beside the encoder over ready tensors.
fn folder(model: &Path, encoder: &Header) {
    let photos = tempfile::tempdir().expect("a folder");
    for i in 0..PICTURES {
        let file = photos.path().join(format!("{i}.jpg"));
        picture(SIZE, i).save(file).expect("saved");
    }
    let mut plain = plain(encoder);
    run(&mut plain, encoder);
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let seconds = milliseconds(|| (0..PICTURES).for_each(|_| run(&mut plain, encoder)));
        alone.push(seconds / 1000.0);
        ours.push(encode(model, photos.path()));
    }
    let (ours, alone) = (median(ours), median(alone));
    println!(
        "{PICTURES} photos encoded in {ours:.2} s, ONNX Runtime alone {alone:.2} s: {:.3} times as long",
        ours / alone
    );
}

/// Seconds that the program needs once the model is loaded.
fn encode(model: &Path, photos: &Path) -> f64 {
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_termask"))
        .env("XDG_CACHE_HOME", home.path())
        .args(["encode", "--json", "--engine"])
        .args([model, photos])
        .output()
        .expect("it runs");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["encoded"], PICTURES, "{told}");
    told["seconds"].as_f64().expect("a number")
}

fn plain(header: &Header) -> Session {
    let model = Model::File(&header.path);
    let (session, _) = session(Compute::Best, &model, "the graph", threads()).expect("loaded");
    session
}

fn run(session: &mut Session, header: &Header) {
    let feeds: Vec<(Cow<str>, SessionInputValue)> = header
        .inputs
        .iter()
        .map(|port| (Cow::from(port.name.clone()), feed(port).into()))
        .collect();
    let options = RunOptions::new().expect("made");
    session.run_with_options(feeds, &options).expect("it runs");
}

/// What an input may be given: two points, the picture's size, else zeros.
fn feed(port: &Port) -> DynValue {
    let name = &*port.name;
    let is_picture = port.shape.len() == 3 && port.shape[2] == Some(3);
    let free = |at: usize| match name {
        _ if is_picture => [SIZE.height, SIZE.width][at] as usize,
        "point_coords" | "point_labels" if at == 1 => 2,
        "input_points" | "input_labels" | "batched_point_coords" | "batched_point_labels"
            if at == 2 =>
        {
            2
        }
        _ => 1,
    };
    let dims = port.shape.iter().enumerate();
    let shape: Vec<usize> = dims.map(|(at, d)| d.unwrap_or_else(|| free(at))).collect();
    let count = shape.iter().product();
    let values = if name.ends_with("size") {
        vec![SIZE.height as f32, SIZE.width as f32]
    } else if name.contains("label") {
        vec![1.0; count]
    } else {
        vec![0.0; count]
    };
    let value = match port.element {
        Element::I64 => {
            let numbers: Vec<i64> = values.iter().map(|v| *v as i64).collect();
            Value::from_array((shape, numbers)).map(Value::into_dyn)
        }
        Element::I32 => {
            let numbers: Vec<i32> = values.iter().map(|v| *v as i32).collect();
            Value::from_array((shape, numbers)).map(Value::into_dyn)
        }
        Element::U8 => Value::from_array((shape, vec![0u8; count])).map(Value::into_dyn),
        _ => Value::from_array((shape, values)).map(Value::into_dyn),
    };
    value.expect("a tensor")
}
