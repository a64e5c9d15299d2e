//! `termask prelabel`.

mod processes;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use termask::core::document::{Document, Object, Verdict};
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::mask::Mask;
use termask::store::decode::decode;
use termask::store::sidecar::{self, Sidecar};

use super::support::{stderr, termask};
use super::{object, photo, save};

const SIZE: Size = Size::new(220, 160);
/// Around the disk of `disk`.
const BOX: [u32; 4] = [40, 30, 120, 110];

fn disk() -> Mask {
    Mask::from_disk(SIZE, ImagePoint::new(80, 70), 34.0)
}

/// An orange disk on a green ground with some noise, so that no two pixels are quite the same.
fn picture(path: &Path, seed: u32) {
    let inside = disk();
    let image = image::RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        let noise = (x * 31 + y * 17 + seed * 7).wrapping_mul(2_654_435_761) >> 28;
        let noise = noise as u8;
        if inside.contains(ImagePoint::new(x, y)) {
            image::Rgb([220 + noise, 120 + noise, 30 + noise])
        } else {
            image::Rgb([20 + noise, 90 + noise, 40 + noise])
        }
    });
    image.save(path).expect("saved");
}

/// So many images in `images`, each with a box in `boxes.json`.
fn folder(home: &Path, count: u32) {
    let images = home.join("images");
    fs::create_dir_all(&images).expect("made");
    let name = |i: u32| format!("{i:03}.png");
    for i in 0..count {
        picture(&images.join(name(i)), i);
    }
    boxes(home, &(0..count).map(name).collect::<Vec<_>>());
}

fn boxes(home: &Path, names: &[String]) {
    let [x0, y0, x1, y1] = BOX;
    let image = |(id, name): (usize, &String)| json!({ "id": id, "file_name": name, "width": SIZE.width, "height": SIZE.height });
    let images: Vec<Value> = names.iter().enumerate().map(image).collect();
    let annotation = |id| json!({ "image_id": id, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": 0.8 });
    let annotations: Vec<Value> = (0..names.len()).map(annotation).collect();
    let file = json!({
        "images": images, "annotations": annotations,
        "categories": [{ "id": 1, "name": "orange" }],
    });
    fs::write(home.join("boxes.json"), file.to_string()).expect("written");
}

fn prelabel(home: &Path, words: &[&str]) -> Command {
    let mut command = termask(home);
    command
        .current_dir(home)
        .args([
            "prelabel",
            "images",
            "--boxes",
            "boxes.json",
            "--engine",
            "grabcut",
            "--json",
        ])
        .args(words);
    for name in ["ID", "COUNT", "MIN", "STEP"] {
        command.env_remove(["SLURM_ARRAY_TASK_", name].concat());
    }
    command
}

/// The summary and the exit code.
fn ran(command: &mut Command) -> (Value, Option<i32>) {
    let output = command.output().expect("it runs");
    let told = serde_json::from_slice(&output.stdout);
    (
        told.unwrap_or_else(|_| panic!("{}", stderr(&output))),
        output.status.code(),
    )
}

fn document(home: &Path, name: &str) -> Document {
    let read = sidecar::read(&home.join("images").join(name)).expect("readable");
    read.expect("a sidecar is there").history.now().clone()
}

#[test]
fn what_a_person_made_deleted_or_finished_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 5);
    let path = |i: u32| home.path().join(format!("images/{i:03}.png"));
    let made = |mask: Mask, verdict| {
        let object = Object {
            mask: Arc::new(mask),
            verdict,
            ..object(4, "cat", 0, 9)
        };
        Arc::new(object)
    };
    let elsewhere = Mask::from_rect(SIZE, ImageRect::new(150, 0, 200, 100));
    let mine = made(disk(), Verdict::Unseen);
    let other = made(elsewhere, Verdict::Accepted);
    let rejected = made(disk(), Verdict::Rejected);
    let with = |objects: &[&Arc<Object>]| Document {
        objects: objects.iter().map(|o| Arc::clone(o)).collect(),
        ..Document::default()
    };
    save(&path(0), with(&[&mine]));
    save(&path(1), with(&[&rejected]));
    save(
        &path(2),
        Document {
            finished: true,
            ..Document::default()
        },
    );
    // Deleted: it is in the history alone.
    let opened = Sidecar::open(&path(3), &decode(&path(3)).expect("decoded")).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.push(Arc::clone(&mine)));
    history.step(|d| d.objects.clear());
    sidecar.save(&history).expect("saved");
    drop(sidecar);
    save(&path(4), with(&[&other]));

    let (told, code) = ran(&mut prelabel(home.path(), &["--class", "fruit"]));
    assert_eq!(
        (&told["objects"], &told["finished"], code),
        (&1.into(), &1.into(), Some(0))
    );
    assert_eq!(document(home.path(), "000.png").objects, [mine]);
    assert_eq!(document(home.path(), "001.png").objects, [rejected]);
    assert!(document(home.path(), "002.png").objects.is_empty());
    assert!(document(home.path(), "003.png").objects.is_empty());
    let objects = document(home.path(), "004.png").objects;
    assert_eq!(objects[0], other);
    let added = &objects[1];
    assert_eq!(
        (added.id, &*added.class, &*added.origin.who),
        (5, "fruit", "prelabel")
    );
    assert_eq!(
        (added.verdict, &*added.origin.engine),
        (Verdict::Unseen, "grabcut")
    );
    assert!(
        added.mask.iou(&disk()) > 0.95,
        "{}",
        added.mask.iou(&disk())
    );
    let [x0, y0, x1, y1] = BOX;
    assert_eq!(added.prompt.rect, Some(ImageRect::new(x0, y0, x1, y1)));
    // Once more: nothing is new.
    let (told, _) = ran(&mut prelabel(home.path(), &[]));
    assert_eq!(told["objects"], 0);
}

#[test]
fn an_array_job_of_slurm_takes_its_share_and_classes_come_from_the_boxes() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 4);
    let mut command = prelabel(home.path(), &[]);
    command
        .env("SLURM_ARRAY_TASK_ID", "11")
        .env("SLURM_ARRAY_TASK_COUNT", "2")
        .env("SLURM_ARRAY_TASK_MIN", "10");
    let (told, code) = ran(&mut command);
    assert_eq!(
        (&told["shard"], &told["objects"], code),
        (&"2/2".into(), &2.into(), Some(0))
    );
    assert_eq!(
        &*document(home.path(), "001.png").objects[0].class,
        "orange"
    );
    let untouched = sidecar::read(&home.path().join("images/000.png"));
    assert!(untouched.expect("readable").is_none());
}

#[test]
fn images_that_are_open_or_broken_are_named_and_the_others_done() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 3);
    let images = home.path().join("images");
    let names: Vec<String> = ["000.png", "001.png", "002.png", "small.png", "gone.png"]
        .map(str::to_owned)
        .to_vec();
    boxes(home.path(), &names);
    photo(&images, "small.png");
    fs::write(images.join("001.png"), "no image").expect("written");
    let first = images.join("000.png");
    let open = Sidecar::open(&first, &decode(&first).expect("decoded")).expect("opened");
    let (told, code) = ran(&mut prelabel(home.path(), &[]));
    drop(open);
    assert_eq!((&told["objects"], code), (&1.into(), Some(1)), "{told}");
    let text = |key: &str| told[key].to_string();
    assert!(text("closed").contains("000.png") && !text("closed").contains("002.png"));
    assert!(text("left_out").contains("001.png"), "{told}");
    assert!(
        text("left_out").contains("220x160"),
        "the small one: {told}"
    );
}

#[test]
fn points_find_things_without_boxes_each_once() {
    let home = tempfile::tempdir().expect("a folder");
    let images = home.path().join("images");
    fs::create_dir_all(&images).expect("made");
    fs::copy("assets/coffee.png", images.join("coffee.png")).expect("copied");
    let start = |words: &[&str]| {
        let mut command = termask(home.path());
        let words = [&["prelabel", "images", "--json"], words].concat();
        ran(command.current_dir(home.path()).args(words))
    };
    let (told, code) = start(&["--points", "6", "--class", "thing"]);
    let objects = document(home.path(), "coffee.png").objects;
    assert_eq!((&told["objects"], code), (&objects.len().into(), Some(0)));
    assert!(!objects.is_empty(), "the cup at least");
    for (i, object) in objects.iter().enumerate() {
        assert!(object.is_untouched() && &*object.class == "thing");
        assert!(object.confidence.is_some_and(|c| c >= 0.7));
        let again = objects[..i].iter().any(|o| o.mask.iou(&object.mask) > 0.7);
        assert!(!again, "object {} is there once", object.id);
    }
    assert_eq!(start(&["--points", "6"]).0["objects"], 0);
    assert_eq!(start(&["--points", "6", "--resume"]).0["earlier"], 1);
    let (asked, code) = {
        let output = termask(home.path())
            .current_dir(home.path())
            .args(["prelabel", "images"])
            .output()
            .expect("it runs");
        (stderr(&output), output.status.code())
    };
    assert!(code == Some(2) && asked.contains("--points"), "{asked}");
}
