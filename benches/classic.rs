//! Accuracy and time of the engines without a model, on a folder of `images/` and `masks/`.
//!
//! `cargo bench --bench classic -- FOLDER [NAME...]`; `benches/classic.py FOLDER [NAME...]` prints
//! the same figures of `OpenCV` and scikit-image, so that both can be run side by side on one
//! machine. Times are the processor's, over all threads: a busy machine does not change them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use termask::core::distance::Depths;
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::classic::slic;
use termask::segment::classic::snap::snap;
use termask::segment::{Cancel, Error, Question, Result, open};

struct Case {
    image: Arc<Image>,
    truth: Mask,
    /// Pixels that nobody has to get right.
    unsure: Mask,
}

fn main() {
    sizes();
    jumps();
    let mut words = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(folder) = words.next() else {
        println!(
            "cargo bench --bench classic -- FOLDER [NAME...] compares with images/ and masks/"
        );
        return;
    };
    let names: Vec<String> = words.collect();
    let cases = read_cases(Path::new(&folder));
    println!("{} pictures", cases.len());
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    for engine in ["grabcut", "watershed"]
        .into_iter()
        .filter(|e| is_wanted(e))
    {
        boxes(engine, &cases);
        clicks(engine, &cases);
    }
    if is_wanted("superpixels") {
        superpixels(&cases);
    }
    if is_wanted("snap") {
        snaps(&cases);
    }
}

/// Seconds that this program has used of the processor, counted in hundredths by the kernel.
fn spent() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(')').next().expect("a name in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|t| t.parse::<f64>().expect("a number"))
        .sum::<f64>()
        / 100.0
}

const NAMES: [&str; 4] = ["grabcut", "watershed", "superpixels", "snap"];

/// What an answer costs in pictures of 1, 12 and 100 megapixels that the object nearly fills.
fn sizes() {
    const SIZES: [Size; 3] = [
        Size::new(1200, 850),
        Size::new(4200, 2860),
        Size::new(12_000, 8400),
    ];
    println!("pictures of 1, 12 and 100 megapixels:");
    let columns = SIZES.map(|size| {
        let (image, disk) = disk_in_noise(size);
        NAMES.map(|name| {
            let start = spent();
            answer(name, &image, &disk, &Cancel::default()).expect("an answer");
            1000.0 * (spent() - start)
        })
    });
    for (row, name) in NAMES.iter().enumerate() {
        let [small, middle, huge] = columns.each_ref().map(|column| column[row]);
        println!("  {name}: {small:.0}, {middle:.0}, {huge:.0} ms");
    }
}

/// How soon an answer that was withdrawn anywhere on its way is done with, by the clock.
fn jumps() {
    let (image, disk) = disk_in_noise(Size::new(4200, 2860));
    for name in NAMES {
        let timed = |cancel: &Cancel| {
            let start = Instant::now();
            let answered = answer(name, &image, &disk, cancel);
            let is_fine = matches!(answered, Ok(()) | Err(Error::Cancelled));
            assert!(is_fine, "{name}: {answered:?}");
            start.elapsed()
        };
        let whole = timed(&Cancel::default());
        let most = (1..20).map(|part| {
            let cancel = Cancel::default();
            let handle = cancel.clone();
            let jump = thread::spawn(move || {
                thread::sleep(whole * part / 20);
                let start = Instant::now();
                handle.cancel();
                start
            });
            timed(&cancel);
            Instant::now().saturating_duration_since(jump.join().expect("joined"))
        });
        let most = most.max().expect("some");
        println!("  {name}: {whole:.0?}; withdrawn, it is done with after {most:.1?} at most");
    }
}

fn disk_in_noise(size: Size) -> (Arc<Image>, Mask) {
    let disk = Mask::from_disk(size, size.bounds().centre(), 0.4 * f64::from(size.height));
    let mut pixels = Vec::with_capacity(3 * size.area() as usize);
    let mut seed = 1u32;
    for byte in disk.to_bytes(size.bounds()) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 27) as u8;
        let [r, g, b] = [[60, 130, 70], [170, 60, 50]][usize::from(byte)];
        pixels.extend([r + noise, g + noise, b + noise]);
    }
    (Arc::new(Image::from_rgb(size, pixels)), disk)
}

fn answer(name: &str, image: &Arc<Image>, disk: &Mask, cancel: &Cancel) -> Result<()> {
    if name == "snap" {
        return snap(image, disk, cancel).map(|_| ());
    }
    let prompt = Prompt {
        rect: disk.bounds(),
        clicks: vec![Click {
            at: image.size().bounds().centre(),
            side: Side::Inside,
        }],
    };
    let question = Question {
        cancel: cancel.clone(),
        ..Question::new(image, 0, prompt)
    };
    let mut engine = open(name).expect("a known engine");
    engine.propose(&question).map(|_| ())
}

fn boxes(name: &str, cases: &[Case]) {
    let mut engine = open(name).expect("a known engine");
    let (mut sum, mut seconds) = (0.0, 0.0);
    let mut pairs = Vec::new();
    for case in cases {
        let question = question(
            case,
            Prompt {
                rect: case.truth.bounds(),
                clicks: Vec::new(),
            },
        );
        let start = spent();
        let answer = engine.propose(&question);
        seconds += spent() - start;
        let Ok(answer) = answer else { continue };
        let iou = iou(&answer[0].mask, case);
        pairs.push((f64::from(answer[0].confidence), iou));
        sum += iou;
    }
    let n = cases.len() as f64;
    println!(
        "{name}: box mean IoU {:.3}, {:.0} ms a box, confidence {:.2} on average, correlation with IoU {:.2}",
        sum / n,
        1000.0 * seconds / n,
        pairs.iter().map(|p| p.0).sum::<f64>() / n,
        correlation(&pairs),
    );
}

/// Box first, then up to 19 clicks, each in the middle of the largest error; 20 where it fails.
fn clicks(name: &str, cases: &[Case]) {
    let mut engine = open(name).expect("a known engine");
    let mut interactions = 0;
    for case in cases {
        let mut asked = question(
            case,
            Prompt {
                rect: case.truth.bounds(),
                clicks: Vec::new(),
            },
        );
        let mut used = 20;
        for i in 1..=20 {
            let Ok(answer) = engine.propose(&asked) else {
                break;
            };
            if iou(&answer[0].mask, case) >= 0.9 {
                used = i;
                break;
            }
            asked.prompt.clicks.push(next_click(&answer[0].mask, case));
            asked.previous = answer.into_iter().next();
        }
        interactions += used;
    }
    println!(
        "{name}: {:.2} interactions to IoU 0.90, box included",
        f64::from(interactions) / cases.len() as f64
    );
}

/// Boundary recall: how much of the true edge lies within two pixels of a superpixel's edge.
fn superpixels(cases: &[Case]) {
    let (mut recall, mut best, mut seconds, mut count) = (0.0, 0.0, 0.0, 0);
    for case in cases {
        let size = case.image.size();
        let pixels = case.image.pixels().as_chunks::<3>().0;
        let step = (size.area() as f32 / 400.0).sqrt();
        let start = spent();
        let tiles = slic(size, pixels, step, 10.0, &Cancel::default()).expect("tiled");
        seconds += spent() - start;
        count += tiles.centres.len();
        let truth: Vec<u32> = case
            .truth
            .to_bytes(size.bounds())
            .into_iter()
            .map(u32::from)
            .collect();
        recall += boundary_recall(size, &truth, &tiles.labels);
        let mut inside: HashMap<u32, (usize, usize)> = HashMap::new();
        for (label, t) in tiles.labels.iter().zip(&truth) {
            let (i, all) = inside.entry(*label).or_default();
            *i += *t as usize;
            *all += 1;
        }
        let right: usize = inside.values().map(|(i, all)| (*i).max(all - i)).sum();
        best += right as f64 / size.area() as f64;
    }
    let n = cases.len() as f64;
    println!(
        "superpixels: {:.0} of them, boundary recall {:.3}, achievable accuracy {:.4}, {:.0} ms",
        count as f64 / n,
        recall / n,
        best / n,
        1000.0 * seconds / n
    );
}

fn boundary_recall(size: Size, truth: &[u32], labels: &[u32]) -> f64 {
    let width = size.width as usize;
    let is_edge = |l: &[u32], i: usize| {
        (i % width + 1 < width && l[i] != l[i + 1]) || (i + width < l.len() && l[i] != l[i + width])
    };
    let (mut hit, mut all) = (0u32, 0u32);
    for i in (0..truth.len()).filter(|i| is_edge(truth, *i)) {
        all += 1;
        let (x, y) = ((i % width) as i64, (i / width) as i64);
        let near = (-2..=2).any(|dy| {
            (-2..=2).any(|dx| {
                let (u, v) = (x + dx, y + dy);
                u >= 0
                    && v >= 0
                    && u < width as i64
                    && v < i64::from(size.height)
                    && is_edge(labels, v as usize * width + u as usize)
            })
        });
        hit += u32::from(near);
    }
    f64::from(hit) / f64::from(all.max(1))
}

/// The true mask grown by four pixels, and what snapping makes of it.
fn snaps(cases: &[Case]) {
    let (mut before, mut after, mut seconds) = (0.0, 0.0, 0.0);
    for case in cases {
        let mut rough = case.truth.clone();
        for run in case.truth.runs() {
            for x in [run.x0, run.x1 - 1] {
                rough = rough.union(&Mask::from_disk(
                    case.truth.size(),
                    ImagePoint::new(x, run.y),
                    4.0,
                ));
            }
        }
        before += iou(&rough, case);
        let start = spent();
        let snapped = snap(&case.image, &rough, &Cancel::default()).expect("snapped");
        seconds += spent() - start;
        after += iou(&snapped, case);
    }
    let n = cases.len() as f64;
    println!(
        "snap: a mask 4 px too large goes from IoU {:.3} to {:.3}, {:.0} ms",
        before / n,
        after / n,
        1000.0 * seconds / n
    );
}

fn question(case: &Case, prompt: Prompt) -> Question {
    Question::new(&case.image, Arc::as_ptr(&case.image) as u64, prompt)
}

fn iou(mask: &Mask, case: &Case) -> f64 {
    mask.difference(&case.unsure).iou(&case.truth)
}

/// The pixel deepest inside the wrong pixels.
fn next_click(mask: &Mask, case: &Case) -> Click {
    let deepest = |error: &Mask| Depths::of(error).deepest(&[]);
    let missed = deepest(&case.truth.difference(mask));
    let extra = deepest(&mask.difference(&case.truth).difference(&case.unsure));
    let (side, found) = if missed.map(|m| m.0) > extra.map(|e| e.0) {
        (Side::Inside, missed)
    } else {
        (Side::Outside, extra)
    };
    let (_, at) = found.expect("a mask below IoU 0.9 is wrong somewhere");
    Click { at, side }
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
    let (ma, mb) = (mean(|p| p.0), mean(|p| p.1));
    let dot = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
    let both = dot(&|p| (p.0 - ma) * (p.1 - mb));
    both / (dot(&|p| (p.0 - ma).powi(2)) * dot(&|p| (p.1 - mb).powi(2))).sqrt()
}

fn read_cases(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder.join("images"))
        .expect("FOLDER/images")
        .map(|e| e.expect("readable").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| read_case(folder, path)).collect()
}

fn read_case(folder: &Path, path: &Path) -> Case {
    let rgb = image::open(path).expect("a picture").to_rgb8();
    let size = Size::new(rgb.width(), rgb.height());
    let stem = path.file_stem().expect("a name").to_string_lossy();
    let grey = image::open(folder.join(format!("masks/{stem}.png")))
        .expect("its mask")
        .to_luma8();
    let of = |keep: &dyn Fn(u8) -> bool| {
        Mask::from_fn(size, ImageRect::new(0, 0, size.width, size.height), |p| {
            keep(grey.get_pixel(p.x, p.y).0[0])
        })
    };
    Case {
        image: Arc::new(Image::from_rgb(size, rgb.into_raw())),
        truth: of(&|v| v > 200),
        unsure: of(&|v| v > 50 && v <= 200),
    }
}
