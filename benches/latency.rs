//! From a key to what it shows, through a pseudo-terminal: the real program with 12-megapixel JPEGs
//! and kitty's images. `cargo bench --bench latency` prints a table.

#[path = "../tests/harness/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod harness;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::Terminal;
use image::imageops::FilterType;
use termask::core::document::Object;
use termask::core::mask::Mask;
use termask::store::sidecar::Sidecar;

const ROUNDS: usize = 15;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = photo(folder.path());
    let decode = median((0..5).map(|_| {
        let start = Instant::now();
        termask::store::decode::decode(&photo).expect("decoded");
        start.elapsed()
    }));
    let path = photo.to_str().expect("a plain name");
    let (mut terminal, first) = start(path);
    terminal.settle();

    println!("12-megapixel JPEG, kitty images, 100x40 cells, median of {ROUNDS}");
    println!(
        "start to first picture {:>8.1} ms  {:.2} times decoding it ({:.1} ms)",
        ms(first),
        first.as_secs_f64() / decode.as_secs_f64(),
        ms(decode)
    );
    let steps: Vec<_> = (0..ROUNDS)
        .map(|i| {
            let key = if i % 2 == 0 { "L" } else { "H" };
            terminal.measure(key, |_, bytes| !bytes.is_empty())
        })
        .collect();
    print("cursor step", &steps);
    // A box, so that each click's mask is a part of it.
    terminal.press("HHHKKb");
    terminal.settle();
    terminal.press("LLLLLLJJJJ");
    terminal.settle();
    let boxed = terminal.measure("b", |screen, bytes| {
        draft(screen).is_some() && has_mask(bytes)
    });
    print("box to mask", &[boxed]);
    let clicks: Vec<_> = (0..ROUNDS)
        .map(|i| {
            terminal.press(if i % 2 == 0 { "hk" } else { "lj" });
            terminal.settle();
            let key = if i % 3 == 2 { "o" } else { "i" };
            let before = draft(terminal.screen());
            terminal.measure(key, |screen, bytes| {
                draft(screen) != before && has_mask(bytes)
            })
        })
        .collect();
    print("click to mask", &clicks);
    terminal.press("\x03");
    terminal.end();
    review();
}

/// Objects on each photo of the review.
const OBJECTS: u32 = 6;

/// From a verdict to the next object, on the same photo and on the next one.
fn review() {
    let folder = tempfile::tempdir().expect("a folder");
    let assets = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"];
    for (i, asset) in assets.iter().enumerate() {
        let path = folder.path().join(format!("{i}.jpg"));
        enlarge(asset, &path);
        with_objects(&path);
    }
    let path = folder.path().to_str().expect("a plain name");
    let mut terminal = Terminal::termask_in_kitty(&["review", path], (100, 40));
    terminal.wait_for(&selected(0));
    terminal.settle();
    let (mut same, mut next) = (Vec::new(), Vec::new());
    for verdict in 1..assets.len() as u32 * OBJECTS {
        let shown = selected(verdict % OBJECTS);
        let answer = terminal.measure("a", |screen, bytes| {
            screen.contents().contains(&shown) && has_mask(bytes)
        });
        if verdict % OBJECTS == 0 {
            next.push(answer);
        } else {
            same.push(answer);
        }
    }
    print("verdict to next object", &same);
    print("the same, next photo", &next);
    let slowest = same.iter().chain(&next).map(|a| a.0).max();
    println!(
        "the slowest of all     {:>8.1} ms",
        ms(slowest.expect("many"))
    );
    terminal.press("\x03");
    terminal.end();
}

/// What the status says of the object that is shown.
fn selected(at: u32) -> String {
    format!("selected {}/{OBJECTS} · unseen", at + 1)
}

/// Writes disks that nobody has judged beside a photo.
fn with_objects(image: &Path) {
    let decoded = termask::store::decode::decode(image).expect("it was just written");
    let size = decoded.image.size();
    let opened = Sidecar::open(image, &decoded).expect("nothing is there yet");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|document| {
        for i in 0..OBJECTS {
            let (x, y) = (600.0 + 600.0 * f64::from(i), 900.0 + 250.0 * f64::from(i));
            let disk = Mask::from_fn(size, size.bounds(), |at| {
                (f64::from(at.x) - x).hypot(f64::from(at.y) - y) < 400.0
            });
            let object = Object::new(document.take_id(), "disk", disk, 0);
            document.objects.push(Arc::new(object));
        }
    });
    sidecar.save(&history).expect("written");
}

/// Starts the app; returns the time to the first picture as well.
fn start(path: &str) -> (Terminal, Duration) {
    let started = Instant::now();
    let mut terminal = Terminal::termask(&["--graphics", "kitty", path], (100, 40));
    terminal.wait_both("a picture", |_, bytes| {
        windows(bytes, b"\x1b_G").any(|tail| tail.starts_with(b"\x1b_Ga=p") || placed(tail))
    });
    (terminal, started.elapsed())
}

/// Whether a graphics command shows what it sends.
fn placed(command: &[u8]) -> bool {
    let keys = command.split(|b| *b == b';').next().unwrap_or_default();
    windows(keys, b"a=T").next().is_some() || windows(keys, b"a=p").next().is_some()
}

/// How many pixels the status says the draft has.
fn draft(screen: &vt100::Screen) -> Option<String> {
    let text = screen.contents();
    let (_, rest) = text.split_once("  draft ")?;
    Some(rest.split_once(" px")?.0.into())
}

/// Whether a picture came that is larger than a mark.
fn has_mask(bytes: &[u8]) -> bool {
    let mut commands = windows(bytes, b"\x1b_G");
    commands.any(|command| {
        let end = windows(command, b"\x1b\\").next();
        end.is_some_and(|end| command.len() - end.len() > 400)
    })
}

/// The rest of the bytes from each place where `part` begins.
fn windows<'a>(bytes: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    (0..bytes.len())
        .map(|i| &bytes[i..])
        .filter(move |tail| tail.starts_with(part))
}

/// Time to the answer, and all bytes of it.
type Answer = (Duration, usize);

fn print(what: &str, answers: &[Answer]) {
    let time = median(answers.iter().map(|a| a.0));
    let mut bytes: Vec<_> = answers.iter().map(|a| a.1).collect();
    bytes.sort_unstable();
    println!(
        "{what:<22} {:>8.1} ms  {:>6} bytes, at most {}",
        ms(time),
        bytes[bytes.len() / 2],
        bytes[bytes.len() - 1]
    );
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The repository's cat, enlarged to twelve megapixels.
fn photo(folder: &Path) -> PathBuf {
    let path = folder.join("photo.jpg");
    enlarge("chelsea.png", &path);
    path
}

fn enlarge(asset: &str, path: &Path) {
    image::open(Path::new("assets").join(asset))
        .expect("a photo")
        .resize_exact(4000, 3000, FilterType::CatmullRom)
        .to_rgb8()
        .save(path)
        .expect("written");
}
