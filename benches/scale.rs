//! How the real program, in a pseudo-terminal, bears what is large: a JPEG of 400 megapixels beside
//! a plain decoding of it at an eighth of its size, PNG and TIFF beside a plain decoding, and a
//! folder of a million images, without and with sidecars (beside a cache folder of its own where
//! `XDG_CACHE_HOME` names one).
//!
//! `cargo bench --bench scale`; `TERMASK_BENCH_SIDE` and `TERMASK_BENCH_NAMES` make it smaller, and
//! words behind `--` (`jpeg`, `png`, `tiff`, `folder`) choose a part. `TERMASK_BENCH_FILE` names a
//! picture to be tried instead.

#[path = "../tests/harness/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod harness;

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::Terminal;
use image::codecs::jpeg::JpegEncoder;
use image::{GenericImageView, Rgb, RgbImage};
use termask::core::document::Document;
use termask::core::history::History;
use termask::store::decode::decode;
use termask::store::sidecar::Sidecar;

const SIZE: (u16, u16) = (100, 40);

fn main() {
    let side = number("TERMASK_BENCH_SIDE", 20_000);
    if let Some(file) = std::env::var_os("TERMASK_BENCH_FILE") {
        return large("this file", Path::new(&file), |path| {
            plain(path);
        });
    }
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| {
        let named = parts.iter().filter(|p| !p.starts_with('-'));
        named.clone().count() == 0 || named.clone().any(|p| p == part)
    };
    if is_wanted("jpeg") {
        jpeg(side);
    }
    // As large, and as long as no JPEG can be.
    for (width, height) in [(side, side), (5 * side, side / 20)] {
        if is_wanted("png") {
            png(width, height);
        }
        if is_wanted("tiff") {
            tiff(width, height);
        }
    }
    if is_wanted("folder") {
        folder(number("TERMASK_BENCH_NAMES", 1_000_000));
    }
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

/// A photo repeated over a large picture, never in memory as a whole.
struct Tiles {
    photo: RgbImage,
    size: (u32, u32),
}

impl Tiles {
    fn new(width: u32, height: u32) -> Self {
        let photo = image::open("assets/astronaut.png").expect("a photo");
        Self {
            photo: photo.to_rgb8(),
            size: (width, height),
        }
    }

    /// The RGB bytes of each row.
    fn rows(&self) -> impl Iterator<Item = Vec<u8>> {
        let (photo, (width, height)) = (&self.photo, self.size);
        (0..height).map(move |y| {
            let row = 3 * photo.width() as usize;
            let from = (y % photo.height()) as usize * row;
            let pixels = photo.as_raw()[from..from + row].iter().cycle();
            pixels.take(3 * width as usize).copied().collect()
        })
    }
}

impl GenericImageView for Tiles {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.size
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        let (width, height) = self.photo.dimensions();
        *self.photo.get_pixel(x % width, y % height)
    }
}

fn create(path: &Path) -> BufWriter<File> {
    BufWriter::new(File::create(path).expect("created"))
}

fn jpeg(side: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.jpg");
    JpegEncoder::new_with_quality(create(&path), 88)
        .encode_image(&Tiles::new(side, side))
        .expect("encoded");
    large("decoding an eighth of it", &path, |path| {
        let file = BufReader::new(File::open(path).expect("there"));
        let mut decoder = jpeg_decoder::Decoder::new(file);
        let eighth = (side / 8) as u16;
        decoder.scale(eighth, eighth).expect("scaled");
        decoder.decode().expect("decoded");
    });
}

fn png(width: u32, height: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.png");
    let mut encoder = png::Encoder::new(create(&path), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().expect("written");
    let mut stream = writer.stream_writer().expect("begun");
    for row in Tiles::new(width, height).rows() {
        stream.write_all(&row).expect("written");
    }
    stream.finish().expect("written");
    drop(writer);
    large("decoding it plainly", &path, plain);
}

/// In strips of one row, as libtiff writes wide pictures, but not packed: given a strip at a time,
/// this encoder writes it as it is, even where it has written that the page is packed.
fn tiff(width: u32, height: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.tif");
    let mut file = create(&path);
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).expect("begun");
    let page = encoder.new_image::<tiff::encoder::colortype::RGB8>(width, height);
    let mut page = page.expect("begun");
    page.rows_per_strip(1).expect("begun");
    for row in Tiles::new(width, height).rows() {
        page.write_strip(&row).expect("written");
    }
    page.finish().expect("written");
    drop(file);
    large("decoding it plainly", &path, plain);
}

fn plain(path: &Path) {
    let mut reader = image::ImageReader::open(path).expect("there");
    reader.no_limits();
    reader.decode().expect("decoded");
}

/// Opens a large picture, clicks, keeps, and moves about.
fn large(beside: &str, path: &Path, plainly: impl FnOnce(&Path)) {
    let (width, height) = image::image_dimensions(path).expect("a picture");
    let begun = Instant::now();
    plainly(path);
    let plain = begun.elapsed();

    let begun = Instant::now();
    let (mut terminal, first) = start(path);
    terminal.wait_for("saved  ? help");
    let (whole, read) = (begun.elapsed(), peak(&terminal));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println!("{name} of {width}x{height} pixels, kitty images");
    println!(
        "start to first picture {:>8.0} ms  {:.2} times {beside} ({:.0} ms)",
        ms(first),
        first.as_secs_f64() / plain.as_secs_f64(),
        ms(plain)
    );
    let rgb = 3.0 * f64::from(width) * f64::from(height) / f64::from(1 << 20);
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
    println!("folder of {names} images, kitty images");
    open_folder(folder.path(), names);
    annotate(folder.path(), names);
    for known in ["nothing known", "the index there"] {
        println!("the same with as many sidecars, {known}");
        open_folder(folder.path(), names);
    }
}

/// A sidecar for each image but the last of the list: all of those are finished.
fn annotate(folder: &Path, names: u32) {
    let first = folder.join("frame_0.jpg");
    let decoded = decode(&first).expect("decoded");
    let mut sidecar = Sidecar::open(&first, &decoded).expect("opened").sidecar;
    let document = Document {
        finished: true,
        ..Document::default()
    };
    sidecar.save(&History::new(document)).expect("saved");
    let text = fs::read_to_string(&sidecar.path).expect("read");
    for i in 0..names - 1 {
        let text = text.replace("frame_0.jpg", &format!("frame_{i}.jpg"));
        let path = folder.join(format!("frame_{i}.termask.json"));
        fs::write(path, text).expect("written");
    }
}

fn open_folder(folder: &Path, names: u32) {
    let begun = Instant::now();
    let (mut terminal, shown) = start(folder);
    println!("start to first picture {:>8.0} ms", ms(shown));
    // A search while the list grows.
    terminal.press("/frame_1");
    terminal.wait_for("> frame_1 ");
    println!(
        "search while it grows  {:>8.0} ms after the start",
        ms(begun.elapsed())
    );
    terminal.press("\x1b");
    terminal.wait_for(&format!("1/{names} "));
    println!(
        "all listed, sorted     {:>8.0} ms  peak {:.0} MiB",
        ms(begun.elapsed()),
        peak(&terminal)
    );
    let last = format!("frame_{}.jpg", names - 1);
    let count = usize::from(folder.join("frame_0.termask.json").is_file());
    terminal.press("/is:untouched");
    // Once the sidecars are known only the last image is left.
    terminal.wait_for(if count == 0 { "frame_0.jpg" } else { &last });
    println!(
        "searched by standing   {:>8.0} ms after the start",
        ms(begun.elapsed())
    );
    terminal.press("\x1b");
    terminal.settle();
    let (search, _) = terminal.measure(&format!("/{last}"), |screen, _| {
        screen.contents().matches(&last).count() > 1
    });
    println!("search by name         {:>8.0} ms", ms(search));
    terminal.press("\x1b");
    terminal.settle();
    let next = if count == 0 { 2 } else { names };
    let (next, _) = terminal.measure("N", |screen, _| {
        screen.contents().contains(&format!("{next}/"))
    });
    println!("next unfinished        {:>8.0} ms", ms(next));
    println!("peak in the end        {:>8.0} MiB", peak(&terminal));
    terminal.press("\x03");
    terminal.end();
}
