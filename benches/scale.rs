//! How the real program, in a pseudo-terminal, bears what is large: a JPEG of 400 megapixels beside
//! a plain decoding of it at an eighth of its size, and a folder of a million images.
//!
//! `cargo bench --bench scale`; `TERMASK_BENCH_SIDE` and `TERMASK_BENCH_NAMES` make it smaller.

#[path = "../tests/harness/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod harness;

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::Terminal;
use image::codecs::jpeg::JpegEncoder;
use image::{GenericImageView, Rgb, RgbImage};

const SIZE: (u16, u16) = (100, 40);

fn main() {
    jpeg(number("TERMASK_BENCH_SIDE", 20_000));
    folder(number("TERMASK_BENCH_NAMES", 1_000_000));
}

fn number(name: &str, otherwise: u32) -> u32 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |t| t.parse().expect("a number"))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The most memory that the program ever had, in mebibytes.
fn peak(terminal: &Terminal) -> f64 {
    let path = format!("/proc/{}/status", terminal.pid().as_raw_nonzero());
    let status = fs::read_to_string(path).expect("the program runs");
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.expect("Linux tells it") / 1024.0
}

/// Starts the app; returns the time to the first picture as well.
fn start(path: &Path) -> (Terminal, Duration) {
    let path = path.to_str().expect("a plain name");
    let started = Instant::now();
    let mut terminal = Terminal::termask(&["--graphics", "kitty", path], SIZE);
    terminal.wait_both("a picture", |_, bytes| {
        let shows = |keys: &[u8]| bytes.windows(keys.len()).any(|w| w == keys);
        shows(b"\x1b_Ga=p") || shows(b"\x1b_Ga=T")
    });
    (terminal, started.elapsed())
}

/// A photo repeated over a square, never in memory as a whole.
struct Tiles {
    photo: RgbImage,
    side: u32,
}

impl GenericImageView for Tiles {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        (self.side, self.side)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        let (width, height) = self.photo.dimensions();
        *self.photo.get_pixel(x % width, y % height)
    }
}

fn jpeg(side: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.jpg");
    let photo = image::open("assets/astronaut.png").expect("a photo");
    let tiles = Tiles {
        photo: photo.to_rgb8(),
        side,
    };
    let file = BufWriter::new(File::create(&path).expect("created"));
    JpegEncoder::new_with_quality(file, 88)
        .encode_image(&tiles)
        .expect("encoded");
    let plain = Instant::now();
    let file = BufReader::new(File::open(&path).expect("there"));
    let mut decoder = jpeg_decoder::Decoder::new(file);
    let eighth = (side / 8) as u16;
    decoder.scale(eighth, eighth).expect("scaled");
    decoder.decode().expect("decoded");
    let plain = plain.elapsed();

    let begun = Instant::now();
    let (mut terminal, first) = start(&path);
    terminal.wait_for("saved  ? help");
    let (whole, read) = (begun.elapsed(), peak(&terminal));
    println!("JPEG of {side}x{side} pixels, kitty images");
    println!(
        "start to first picture {:>8.0} ms  {:.2} times decoding an eighth of it ({:.0} ms)",
        ms(first),
        first.as_secs_f64() / plain.as_secs_f64(),
        ms(plain)
    );
    let rgb = 3.0 * f64::from(side).powi(2) / f64::from(1 << 20);
    println!(
        "all of it read         {:>8.0} ms  peak {read:.0} MiB, {:.2} times its RGB",
        ms(whole),
        read / rgb
    );
    terminal.settle();
    let (asked, _) = terminal.measure("i", |screen, _| screen.contents().contains("  draft "));
    println!("a click to its mask    {:>8.0} ms", ms(asked));
    let (kept, _) = terminal.measure("\r", |screen, _| {
        let text = screen.contents();
        text.contains("1 object") && text.contains("saved  ? help")
    });
    println!("kept and saved         {:>8.0} ms", ms(kept));
    let (step, _) = terminal.measure("L", |_, bytes| !bytes.is_empty());
    println!("a cursor step          {:>8.1} ms", ms(step));
    let (zoom, _) = terminal.measure("+", |_, bytes| !bytes.is_empty());
    println!("a zoom step            {:>8.1} ms", ms(zoom));
    let end = peak(&terminal);
    println!(
        "peak in the end        {end:>8.0} MiB, {:.2} times its RGB",
        end / rgb
    );
    terminal.press("\x03");
    terminal.end();
}

fn folder(names: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut photo = PathBuf::new();
    for i in 0..names {
        // Scattered, as a file system gives them.
        let name = format!("frame_{}.jpg", u64::from(i) * 7919 % u64::from(names));
        let path = folder.path().join(name);
        // File systems limit how many names a file may have.
        if i % 30_000 == 0 {
            fs::copy("assets/rocket.jpg", &path).expect("copied");
            photo = path;
        } else {
            fs::hard_link(&photo, path).expect("linked");
        }
    }
    let begun = Instant::now();
    let (mut terminal, shown) = start(folder.path());
    println!("folder of {names} images, kitty images");
    println!("start to first picture {:>8.0} ms", ms(shown));
    let all = format!("1/{names} ");
    terminal.wait_for(&all);
    println!(
        "all listed, sorted     {:>8.0} ms  peak {:.0} MiB",
        ms(begun.elapsed()),
        peak(&terminal)
    );
    terminal.settle();
    let (search, _) = terminal.measure("/999", |screen, _| screen.contents().contains("frame_999"));
    println!("search by name         {:>8.0} ms", ms(search));
    terminal.press("\x1b");
    terminal.settle();
    let (next, _) = terminal.measure("N", |screen, _| screen.contents().contains("2/"));
    println!("next unfinished        {:>8.0} ms", ms(next));
    println!("peak in the end        {:>8.0} MiB", peak(&terminal));
    terminal.press("\x03");
    terminal.end();
}
