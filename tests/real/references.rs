//! What the screen looks like in kitty, compared with pictures that a person has looked at.
//!
//! `TERMASK_REFERENCES=40 cargo test --test real references -- --ignored` takes the pictures anew,
//! each when the screen has not changed for so many seconds: the search for hints shows nothing for
//! a while. Look at each before it is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageReader, RgbImage};
use termask::core::document::Object;
use termask::core::mask::Mask;
use termask::store::decode::decode;
use termask::store::sidecar::Sidecar;

use crate::desk::Desk;
use crate::glass::Glass;
use crate::terminals::{Row, Terminal, Way};

/// How a size is called, its cells, and pixels of the screen along one of the picture.
type Size = (&'static str, (u16, u16), u32);
const SIZES: [Size; 2] = [("80x24", (80, 24), 2), ("200x60", (200, 60), 4)];

/// What is pressed for each picture, from the one before.
const SCENES: [(&str, &[&str]); 7] = [
    ("grid", &["g", "q", "c"]),
    ("hints", &["Escape", "f"]),
    ("help", &["Escape", "question"]),
    ("list", &["Escape", "A"]),
    ("review", &["A", "r"]),
    ("sheet", &["G"]),
    ("class", &["Escape", "Escape", "c"]),
];

/// Mean difference of a cell's channels from which on it counts as another.
const APART: f64 = 14.0;
/// The share of the cells that may be others: numbers of milliseconds and minutes, a mask's edge.
const OTHERS: f64 = 0.006;
/// Few bytes for a picture, and far fewer changes of its pixels than a palette would make.
const QUALITY: u8 = 85;

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_screen_of_80x24_looks_as_it_did() {
    looks_as_it_did(SIZES[0]);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_screen_of_200x60_looks_as_it_did() {
    looks_as_it_did(SIZES[1]);
}

#[test]
fn a_layout_that_moved_by_a_cell_is_not_taken_for_the_same() {
    for (size, cells, _) in SIZES {
        let all: Vec<RgbImage> = SCENES.iter().map(|(scene, _)| kept(scene, size)).collect();
        for (i, picture) in all.iter().enumerate() {
            assert!(others(picture, picture, cells) < f64::EPSILON);
            let (width, height) = picture.dimensions();
            let (right, down) = (width / u32::from(cells.0), height / u32::from(cells.1));
            for (x, y) in [(right, 0), (0, down)] {
                let moved = RgbImage::from_fn(width, height, |u, v| {
                    *picture.get_pixel(u.saturating_sub(x), v.saturating_sub(y))
                });
                let others = others(&moved, picture, cells);
                assert!(others > OTHERS, "{} {size}: {others}", SCENES[i].0);
            }
            for (j, other) in all.iter().enumerate().filter(|(j, _)| *j != i) {
                let others = others(other, picture, cells);
                let names = (SCENES[j].0, SCENES[i].0);
                assert!(others > OTHERS, "{names:?} {size}: {others}");
            }
        }
    }
}

fn looks_as_it_did((size, cells, reduction): Size) {
    let folder = tempfile::tempdir().expect("a folder");
    // A small one first, so that hints are found soon, and the same everywhere.
    let astronaut = image::open("assets/astronaut.png").expect("a photo");
    let small = astronaut.resize(128, 128, FilterType::Triangle);
    let saved = small.save(folder.path().join("astronaut.png"));
    saved.expect("the photo is written");
    for photo in ["chelsea.png", "coffee.png", "rocket.jpg"] {
        let copied = fs::copy(Path::new("assets").join(photo), folder.path().join(photo));
        copied.expect("the photo can be copied");
    }
    let settings = "engine = \"superpixels\"\nclasses = [\"person\", \"cat\", \"cup\"]";
    fs::write(folder.path().join("termask.toml"), settings).expect("the settings are written");
    save_objects(&folder.path().join("coffee.png"));
    let row = Row {
        name: if cells.0 < 100 { "small" } else { "large" },
        terminal: Terminal::Kitty,
        way: Way::Direct,
        graphics: None,
    };
    // The program starts in a window that has its size already.
    let line = format!(
        "until [ \"$(stty size)\" = '{} {}' ]; do sleep 0.1; done; '{}' .",
        cells.1,
        cells.0,
        env!("CARGO_BIN_EXE_termask")
    );
    let desk = Desk::open_on((2048, 1280), row, &line, folder.path());
    let glass = desk.glass().sized(cells.0, cells.1);
    let (width, height) = glass.pixels();
    desk.resize(width, height);
    for (scene, keys) in SCENES {
        let before = desk.look();
        desk.press(keys);
        if let Some(seconds) = rest() {
            let screen = at_rest(&desk, &before, seconds);
            write(&seen(&screen, glass, reduction), scene, size);
            continue;
        }
        let reference = kept(scene, size);
        desk.wait(scene, |desk| {
            let others = others(&seen(&desk.look(), glass, reduction), &reference, cells);
            let told = || format!("{others} of the cells differ");
            (others <= OTHERS).then_some(()).ok_or_else(told)
        });
    }
    desk.press(&["Escape", "q"]);
    desk.wait_for_end();
}

/// Six disks, each of them an object that nobody has seen.
fn save_objects(image: &Path) {
    let decoded = decode(image).expect("it was copied");
    let size = decoded.image.size();
    let opened = Sidecar::open(image, &decoded).expect("nothing is there yet");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|document| {
        for i in 0..6_u32 {
            let centre = (
                100.0 + f64::from(i % 3) * 180.0,
                110.0 + f64::from(i / 3) * 180.0,
            );
            let mask = Mask::from_fn(size, size.bounds(), |at| {
                (f64::from(at.x) - centre.0).hypot(f64::from(at.y) - centre.1) < 50.0
            });
            let object = Object {
                confidence: Some(0.9),
                ..Object::new(document.take_id(), "cup", mask, 0)
            };
            document.objects.push(Arc::new(object));
        }
    });
    sidecar.save(&history).expect("it is written");
}

/// How long a picture that is taken anew waits.
fn rest() -> Option<Duration> {
    let seconds = std::env::var("TERMASK_REFERENCES").ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The screen once it has changed and then stayed the same for a while.
fn at_rest(desk: &Desk, before: &RgbImage, rest: Duration) -> RgbImage {
    let mut last = before.clone();
    let mut since = Instant::now();
    desk.wait("a screen at rest", |desk| {
        let now = desk.look();
        if now != last {
            last.clone_from(&now);
            since = Instant::now();
        }
        let rests = now != *before && since.elapsed() > rest;
        rests.then_some(now).ok_or_else(|| "it changes".into())
    })
}

/// The terminal's part of the screen, made smaller.
fn seen(screen: &RgbImage, glass: Glass, reduction: u32) -> RgbImage {
    let (width, height) = glass.pixels();
    let part = imageops::crop_imm(screen, 0, 0, width, height).to_image();
    let (width, height) = (width / reduction, height / reduction);
    imageops::resize(&part, width, height, FilterType::Triangle)
}

/// The share of the cells in which two pictures differ.
fn others(a: &RgbImage, b: &RgbImage, (cols, rows): (u16, u16)) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let (width, height) = a.dimensions();
    let edge = |i: u16, of: u16, length: u32| u32::from(i) * length / u32::from(of);
    let is_other = |col: u16, row: u16| {
        let across = edge(col, cols, width)..edge(col + 1, cols, width);
        let down = edge(row, rows, height)..edge(row + 1, rows, height);
        let pixels = down.flat_map(|y| across.clone().map(move |x| (x, y)));
        let (mut sum, mut count) = (0_u32, 0_u32);
        for (x, y) in pixels {
            for (a, b) in a.get_pixel(x, y).0.iter().zip(b.get_pixel(x, y).0) {
                sum += u32::from(a.abs_diff(b));
                count += 1;
            }
        }
        f64::from(sum) / f64::from(count.max(1)) > APART
    };
    let cells = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
    let others = cells.filter(|(col, row)| is_other(*col, *row)).count();
    others as f64 / (f64::from(cols) * f64::from(rows))
}

fn place(scene: &str, size: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/references");
    folder.join(format!("{scene}-{size}.jpg"))
}

fn kept(scene: &str, size: &str) -> RgbImage {
    let path = place(scene, size);
    let read = ImageReader::open(&path).map_err(image::ImageError::from);
    let read = read.and_then(ImageReader::decode);
    read.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .into_rgb8()
}

fn write(picture: &RgbImage, scene: &str, size: &str) {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(picture)
        .expect("RGB is encoded");
    fs::write(place(scene, size), bytes).expect("the picture is written");
}
