//! `termask adapt` on drawn pictures unlike what the net was trained on.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use support::{stderr, stdout, termask};
use termask::core::document::Object;
use termask::core::geometry::{ImagePoint, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::click::ClickNet;
use termask::segment::evaluate::{Sample, first_click, iou};
use termask::segment::{Engine, Question};
use termask::store::decode::decode;
use termask::store::settings;
use termask::store::sidecar::Sidecar;

const SIZE: Size = Size::new(320, 240);

/// `SplitMix64` (Steele et al. 2014): the same pictures everywhere.
struct Dice(u64);

impl Dice {
    /// Evenly between two numbers.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }
}

/// A thin dark crack that wanders over rough concrete.
fn crack(seed: u64) -> (Image, Mask) {
    let mut dice = Dice(seed);
    let (mut x, mut y) = (dice.between(10.0, 40.0), dice.between(80.0, 160.0));
    let mut angle = dice.between(-0.4, 0.4);
    let width = dice.between(1.2, 2.6);
    let mut mask = Mask::empty(SIZE);
    for _ in 0..26 {
        angle += dice.between(-0.45, 0.45);
        let (nx, ny) = (x + 9.0 * angle.cos(), y + 9.0 * angle.sin());
        let at = |x: f64, y: f64| SIZE.clamp(x as i64, y as i64);
        mask = mask.union(&Mask::from_stroke(SIZE, at(x, y), at(nx, ny), width));
        (x, y) = (nx, ny);
    }
    let dark = dice.between(30.0, 50.0);
    let mut pixels = Vec::new();
    for py in 0..SIZE.height {
        for px in 0..SIZE.width {
            let wave = 12.0 * (f64::from(px) / 37.0).sin() * (f64::from(py) / 29.0).cos();
            let grain = dice.between(-22.0, 22.0);
            let depth = if mask.contains(ImagePoint::new(px, py)) {
                dark
            } else {
                0.0
            };
            let grey = (140.0 + wave + grain - depth).clamp(0.0, 255.0) as u8;
            pixels.extend([grey; 3]);
        }
    }
    (Image::from_rgb(SIZE, pixels), mask)
}

/// Writes an image with one accepted object.
fn accept(folder: &Path, name: &str, image: &Image, mask: Mask) {
    let path = folder.join(name);
    image::save_buffer(
        &path,
        image.pixels(),
        SIZE.width,
        SIZE.height,
        image::ColorType::Rgb8,
    )
    .expect("a PNG");
    let decoded = decode(&path).expect("it was just written");
    let mut opened = Sidecar::open(&path, &decoded).expect("a new sidecar");
    opened.history.step(|document| {
        let id = document.take_id();
        document
            .objects
            .push(Arc::new(Object::new(id, "crack", mask, 0)));
    });
    opened.sidecar.save(&opened.history).expect("saved");
}

fn told(folder: &Path, options: &[&str]) -> Value {
    let output = termask(folder)
        .arg("adapt")
        .arg(folder)
        .arg("--json")
        .args(options)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn question(sample: &Sample, prompt: Prompt) -> Question {
    Question::new(&sample.image, sample.image_key, prompt)
}

#[test]
fn twenty_cracks_make_the_answers_to_unseen_ones_better_and_revert_takes_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 0..20 {
        let (image, mask) = crack(seed);
        accept(folder.path(), &format!("{seed}.png"), &image, mask);
    }
    let file = folder.path().join("termask.toml");
    let text = "# cracks in concrete\nclasses = [\"crack\"]\n";
    fs::write(&file, text).expect("written");
    let report = told(folder.path(), &[]);
    let class = &report["classes"][0];
    assert_eq!(
        (&class["class"], &class["masks"]),
        (&"crack".into(), &20.into())
    );
    assert_eq!(class["kept"], true);
    let [before, after] = ["before", "after"].map(|k| class[k].as_f64().expect("a number"));
    assert!(after >= before + 0.05, "held out: {before} {after}");

    let settings = settings::load(folder.path()).expect("read");
    let adaptation = settings.adapted.get("crack").expect("kept");
    let mut net = ClickNet::open().expect("the built-in net runs");
    let (mut shipped, mut adapted) = (0.0, 0.0);
    for seed in 100..108 {
        let (image, truth) = crack(seed);
        let sample = Sample {
            image: Arc::new(image),
            image_key: seed,
            ignored: Mask::empty(SIZE),
            truth,
        };
        let boxed = Prompt {
            rect: sample.truth.bounds(),
            clicks: Vec::new(),
        };
        let clicked = Prompt {
            rect: None,
            clicks: Vec::from_iter(first_click(&sample)),
        };
        for prompt in [boxed, clicked] {
            let mut question = question(&sample, prompt);
            let mut ask = |question: &Question| {
                let proposal = net.propose(question).expect("an answer").remove(0);
                iou(&proposal.mask, &sample) / 16.0
            };
            shipped += ask(&question);
            question.adaptation = Some(Arc::clone(adaptation));
            adapted += ask(&question);
        }
    }
    assert!(adapted >= shipped + 0.05, "unseen: {shipped} {adapted}");

    assert_eq!(told(folder.path(), &["--revert"])["reverted"][0], "crack");
    assert_eq!(fs::read_to_string(&file).expect("read"), text);
}

#[test]
fn masks_that_the_net_gets_right_anyway_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut net = ClickNet::open().expect("the built-in net runs");
    for seed in 0..8 {
        let (image, truth) = crack(seed);
        let sample = Sample {
            image: Arc::new(image),
            image_key: seed,
            ignored: Mask::empty(SIZE),
            truth,
        };
        // A disk is what any net finds.
        let disk = Mask::from_disk(SIZE, ImagePoint::new(90 + 20 * seed as u32, 120), 45.0);
        let pixels = sample.image.pixels().to_vec();
        let mut drawn = pixels;
        for run in disk.runs() {
            for x in run.x0..run.x1 {
                let at = 3 * (run.y * SIZE.width + x) as usize;
                drawn[at..at + 3].copy_from_slice(&[200, 60, 40]);
            }
        }
        let image = Image::from_rgb(SIZE, drawn);
        let shown = Sample {
            image: Arc::new(image.clone()),
            ..sample
        };
        let click = Click {
            at: disk.bounds().expect("a disk").centre(),
            side: Side::Inside,
        };
        let prompt = Prompt {
            rect: disk.bounds(),
            clicks: vec![click],
        };
        let answer = net.propose(&question(&shown, prompt)).expect("an answer");
        accept(
            folder.path(),
            &format!("{seed}.png"),
            &image,
            Mask::clone(&answer[0].mask),
        );
    }
    let class = &told(folder.path(), &[])["classes"][0];
    assert_eq!(class["kept"], false, "{class}");
    assert!(!folder.path().join("termask.toml").exists());
}

#[test]
fn too_few_masks_are_told_with_how_many_are_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, mask) = crack(1);
    accept(folder.path(), "one.png", &image, mask);
    let output = termask(folder.path())
        .arg("adapt")
        .arg(folder.path())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let told = stderr(&output);
    assert!(told.contains("no class has 8 accepted masks"), "{told}");
}
