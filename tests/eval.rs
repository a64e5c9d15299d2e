//! `termask eval`: figures that can be counted by hand, and what mask files mean.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use support::{stderr, stdout, termask};
use termask::core::document::{Origin, Proposal};
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::Side;
use termask::segment::evaluate::{Protocol, Report, Sample, evaluate};
use termask::segment::{Engine, Question, Result};

const SIZE: Size = Size::new(100, 60);
const KEYS: [&str; 12] = [
    "n",
    "noc80",
    "noc85",
    "noc90",
    "failures",
    "iou1",
    "iou3",
    "iou5",
    "box_iou",
    "box_jitter_iou",
    "boundary_iou",
    "ms_median",
];

/// Answers with a disk of radius 9 at each inside click, or in the middle of the box.
struct Disks;

impl Engine for Disks {
    fn name(&self) -> &'static str {
        "disks"
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        let clicks = question.prompt.points(Side::Inside);
        let boxed = question.prompt.rect.map(ImageRect::centre);
        let mask = clicks.chain(boxed).fold(Mask::empty(SIZE), |all, at| {
            all.union(&Mask::from_disk(SIZE, at, 9.0))
        });
        Ok(vec![Proposal {
            mask: Arc::new(mask),
            confidence: 0.5,
            soft: None,
            threshold: 0.5,
            origin: Origin::default(),
        }])
    }
}

/// Disks of radius 9 in a row.
fn row_of(count: u32) -> Sample {
    let disks = (0..count).map(|i| Mask::from_disk(SIZE, ImagePoint::new(12 + 25 * i, 30), 9.0));
    Sample {
        image: Arc::new(Image::from_rgb(SIZE, vec![0; 3 * SIZE.area() as usize])),
        image_key: u64::from(count),
        truth: disks.fold(Mask::empty(SIZE), |all, disk| all.union(&disk)),
        ignored: Mask::empty(SIZE),
    }
}

#[test]
fn each_disk_takes_a_click_and_a_box_finds_the_middle_one() {
    let protocol = Protocol {
        clicks: 3,
        threshold: None,
        jitter: 0.0,
        adaptation: None,
    };
    // One disk, three of them, and four, of which three clicks get three.
    let trials: Vec<_> = [1, 3, 4]
        .map(row_of)
        .iter()
        .map(|sample| evaluate(&mut Disks, sample, &protocol).expect("an answer"))
        .collect();
    let report = Report::of(&trials, &protocol).expect("three trials");
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    assert_eq!((report.n, report.failures), (3, 1));
    close(report.noc80, (1.0 + 3.0 + 3.0) / 3.0);
    close(report.noc90, (1.0 + 3.0 + 3.0) / 3.0);
    close(report.iou1, (1.0 + 1.0 / 3.0 + 0.25) / 3.0);
    close(report.iou3, (1.0 + 1.0 + 0.75) / 3.0);
    // Of four disks the middle lies between two: none of its pixels is right.
    close(
        report.box_iou,
        (1.0 + 1.0 / 3.0) / 3.0 + trials[2].box_iou / 3.0,
    );
    assert!(trials[2].box_iou < 0.1);
    assert_eq!(report.box_jitter_iou, None);
}

fn write(path: &Path, colour: image::ColorType, value: &dyn Fn(u32, u32) -> u8) {
    let channels = usize::from(colour.channel_count());
    let bytes: Vec<u8> = (0..SIZE.height)
        .flat_map(|y| (0..SIZE.width).map(move |x| (x, y)))
        .flat_map(|(x, y)| vec![value(x, y); channels])
        .collect();
    image::save_buffer(path, &bytes, SIZE.width, SIZE.height, colour).expect("a PNG");
}

#[test]
fn masks_of_0_and_255_of_0_128_and_255_and_of_ids_are_told_apart() {
    let root = tempfile::tempdir().expect("a folder");
    let [images, masks] = ["images", "masks"].map(|name| root.path().join(name));
    fs::create_dir(&images).expect("made");
    fs::create_dir(&masks).expect("made");
    let left = |x: u32, y: u32| (15..40).contains(&x) && (15..45).contains(&y);
    let right = |x: u32, y: u32| (60..85).contains(&x) && (15..45).contains(&y);
    let rim = |x: u32, y: u32| (10..45).contains(&x) && (10..50).contains(&y) && !left(x, y);
    for name in ["one", "rim", "ids"] {
        write(
            &images.join(format!("{name}.png")),
            image::ColorType::Rgb8,
            &|x, y| match name {
                "rim" if left(x, y) || rim(x, y) => 230,
                "one" | "ids" if left(x, y) => 230,
                "ids" if right(x, y) => 230,
                _ => 20,
            },
        );
    }
    let grey = image::ColorType::L8;
    write(&masks.join("one.png"), grey, &|x, y| {
        255 * u8::from(left(x, y))
    });
    write(&masks.join("rim.png"), grey, &|x, y| {
        if rim(x, y) {
            128
        } else {
            255 * u8::from(left(x, y))
        }
    });
    write(&masks.join("ids.png"), grey, &|x, y| {
        if x == 0 {
            255
        } else {
            u8::from(left(x, y)) + 7 * u8::from(right(x, y))
        }
    });
    let csv = root.path().join("objects.csv");
    let output = termask(root.path())
        .args(["eval", "--json", "--jitter", "--images"])
        .args([&images, Path::new("--masks"), &masks])
        .args([Path::new("--csv"), &csv])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let told: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    for key in KEYS {
        assert!(told[key].is_number(), "{key} in {told}");
    }
    assert_eq!(told["n"], 4);
    let text = fs::read_to_string(&csv).expect("written");
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    let names: Vec<&str> = rows[1..].iter().map(|r| r[0]).collect();
    assert_eq!(names, ["\"ids#1\"", "\"ids#7\"", "\"one\"", "\"rim\""]);
    // The rim is as bright as the square and not counted: with it the IoU would stay below 0.55.
    let column = rows[0].iter().position(|c| *c == "iou1").expect("a column");
    let of_rim: f64 = rows[4][column].parse().expect("a number");
    assert!(of_rim > 0.8, "{text}");
}

#[test]
fn what_cannot_be_tried_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |options: &[&str]| {
        let output = termask(folder.path())
            .args(["eval", "--images", ".", "--masks", "."])
            .args(options)
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    assert!(told(&[]).contains("no mask there has an image of the same name"));
    assert!(
        told(&["--plain", "--engine", "grabcut"])
            .contains("--plain and --without are for the click net")
    );
    assert!(told(&["--adapted", "cell"]).contains("termask adapt"));
}
