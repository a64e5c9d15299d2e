//! What storage costs: a save of 500 objects, an export of 10,000 images beside the same work in
//! pycocotools' Python. What a folder of a million images costs, `cargo bench --bench scale` tells.
//!
//! `cargo bench --bench store`; `TERMASK_BENCH_IMAGES` makes it smaller.
//! The Python is the one that `cargo test --test formats` installs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use termask::core::document::{Document, Object};
use termask::core::geometry::{ImagePoint, Size};
use termask::core::history::History;
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::store::decode::{Decoded, Depth};
use termask::store::formats::{self, Format};
use termask::store::gather::{self, Choice};
use termask::store::sidecar::Sidecar;

fn main() {
    save();
    export(number("TERMASK_BENCH_IMAGES", 10_000));
}

fn number(name: &str, otherwise: usize) -> usize {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |t| t.parse().expect("a number"))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn object(id: u64, size: Size, radius: f64) -> Arc<Object> {
    let (x, y) = (
        id * 397 % u64::from(size.width),
        id * 281 % u64::from(size.height),
    );
    let centre = ImagePoint::new(x as u32, y as u32);
    Arc::new(Object {
        confidence: Some(0.9),
        ..Object::new(
            id,
            ["cat", "dog", "cup"][id as usize % 3],
            Mask::from_disk(size, centre, radius),
            0,
        )
    })
}

fn decoded(size: Size) -> Decoded {
    Decoded {
        image: Arc::new(Image::from_rgb(size, vec![0; 3 * size.area() as usize])),
        orientation: 1,
        sha256: String::new(),
        key: 0,
        depth: Depth::Bytes,
        notes: Vec::new(),
    }
}

fn save() {
    const SIZE: Size = Size::new(4000, 3000);
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.jpg");
    let mut sidecar = Sidecar::open(&image, &decoded(SIZE))
        .expect("opened")
        .sidecar;
    let mut history = History::new(Document {
        objects: (1..=500).map(|id| object(id, SIZE, 80.0)).collect(),
        ..Document::default()
    });
    sidecar.save(&history).expect("saved");
    let mut median = |what: &str, change: &dyn Fn(&mut Document, u64)| {
        let mut times: Vec<Duration> = (1000..1021)
            .map(|turn| {
                history.step(|d| change(d, turn));
                let start = Instant::now();
                sidecar.save(&history).expect("saved");
                start.elapsed()
            })
            .collect();
        times.sort();
        println!(
            "save of 500 objects after {what}: {:.1} ms",
            milliseconds(times[10])
        );
    };
    median("a verdict", &|d, turn| d.comment = turn.to_string());
    median("a new object", &|d, turn| {
        d.objects.pop();
        d.objects.push(object(turn, SIZE, 80.0));
    });
    // What the disk itself takes for two files of this size.
    let bytes = fs::read(&sidecar.path).expect("read");
    let start = Instant::now();
    for name in ["b", "c"] {
        let file = fs::File::create(folder.path().join(name)).expect("created");
        std::io::Write::write_all(&mut &file, &bytes).expect("written");
        file.sync_all().expect("flushed");
    }
    println!(
        "two plain files, written and flushed: {:.1} ms",
        milliseconds(start.elapsed())
    );
}

fn export(images: usize) {
    const SIZE: Size = Size::new(640, 480);
    let folder = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("0.jpg");
    let opened = Sidecar::open(&first, &decoded(SIZE)).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|d| d.objects = (1..=3).map(|id| object(id, SIZE, 60.0)).collect());
    sidecar.save(&history).expect("saved");
    let text = fs::read_to_string(&sidecar.path).expect("read");
    for i in 0..images {
        let name = format!("{i}.jpg");
        fs::File::create(folder.path().join(&name)).expect("created");
        let text = text.replace("\"0.jpg\"", &format!("\"{name}\""));
        fs::write(folder.path().join(format!("{i}.termask.json")), text).expect("written");
    }
    let out = tempfile::tempdir().expect("a folder");
    let start = Instant::now();
    let gathered = gather::gather(folder.path(), &Choice::default()).expect("gathered");
    assert_eq!(
        (gathered.set.images.len(), gathered.left_out.len()),
        (images, 0)
    );
    formats::export(&gathered.set, Format::Coco, out.path()).expect("exported");
    let ours = start.elapsed();
    println!(
        "export of {images} images to COCO: {:.0} ms",
        milliseconds(ours)
    );
    let python = Path::new("target/tmp/readers/bin/python");
    let Ok(told) = Command::new(python)
        .arg("benches/store.py")
        .args([folder.path(), &out.path().join("theirs.json")])
        .output()
    else {
        println!(
            "the same in Python: not measured, {} is not there",
            python.display()
        );
        return;
    };
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    let theirs: f64 = String::from_utf8_lossy(&told.stdout)
        .trim()
        .parse()
        .expect("seconds");
    let count = |name: &str| {
        let text = fs::read_to_string(out.path().join(name)).expect("read");
        text.matches("\"segmentation\"").count()
    };
    assert_eq!(count("instances.json"), count("theirs.json"));
    println!(
        "the same with pycocotools' Python: {:.0} ms, {:.1} times as long",
        theirs * 1000.0,
        theirs / ours.as_secs_f64()
    );
}
