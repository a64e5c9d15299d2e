//! `termask segment` and `termask show`, as a script runs them.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{stderr, stdout, termask};
use termask::core::geometry::Size;
use termask::core::rle;
use termask::store::sidecar;

const BOX: &str = "172,16,412,312";

/// A demo photo, copied into a folder.
fn photo(name: &str, folder: &Path) -> PathBuf {
    let to = folder.join(name);
    fs::copy(Path::new("assets").join(name), &to).expect("the photo can be copied");
    to
}

fn grey(path: &Path) -> (u32, u32, Vec<u8>) {
    let picture = image::open(path).expect("a PNG");
    assert_eq!(picture.color(), image::ColorType::L8);
    let grey = picture.into_luma8();
    (grey.width(), grey.height(), grey.into_raw())
}

#[test]
fn the_mask_file_and_the_json_tell_of_the_same_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = photo("coffee.png", folder.path());
    let mask = folder.path().join("cup.png");
    let output = termask(folder.path())
        .args(["segment", "--json", "--box", BOX, "--out", "366,270", "-o"])
        .args([&mask, &image])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (width, height, pixels) = grey(&mask);
    assert_eq!((width, height), (600, 400));
    assert!(pixels.iter().all(|p| [0, 255].contains(p)));
    let area: u64 = pixels.iter().map(|p| u64::from(p / 255)).sum();
    assert!(area > 30_000, "the cup has more than {area} pixels");
    assert_eq!(told["area"], area);
    assert_eq!(told["engine"], "click");
    assert_eq!(told["rle"]["size"], serde_json::json!([400, 600]));
    assert!(told["confidence"].as_f64().is_some_and(|c| c > 0.3));
    assert!(told["milliseconds"].as_f64().is_some_and(|m| m > 0.0));
    let counts = told["rle"]["counts"].as_str().expect("a string");
    let decoded = rle::mask_from_string(Size::new(600, 400), counts).expect("COCO's");
    let bytes: Vec<u8> = pixels.iter().map(|p| p / 255).collect();
    assert_eq!(decoded.to_bytes(decoded.size().bounds()), bytes);
    let bounds = decoded.bounds().expect("not empty");
    assert_eq!(
        told["bbox"],
        serde_json::json!([bounds.x0, bounds.y0, bounds.width(), bounds.height()])
    );
    assert!(
        sidecar::read(&image).expect("readable").is_none(),
        "nothing lies beside the image without --save"
    );
}

#[test]
fn saved_masks_are_added_to_what_lies_beside_the_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = photo("astronaut.png", folder.path());
    for (class, rect) in [("person", "18,12,372,512"), ("rocket", "352,0,472,286")] {
        let output = termask(folder.path())
            .args(["segment", "--save", "--class", class, "--box", rect])
            .arg(&image)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let read = sidecar::read(&image)
        .expect("readable")
        .expect("a sidecar is there");
    let objects = &read.history.now().objects;
    let classes: Vec<&str> = objects.iter().map(|o| &*o.class).collect();
    assert_eq!(classes, ["person", "rocket"]);
    assert!(folder.path().join("astronaut.mask.png").is_file());

    let output = termask(folder.path())
        .arg("show")
        .arg(&image)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains('▄'), "half blocks in a pipe");
}

#[test]
fn wrong_prompts_are_told_with_the_images_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = photo("coffee.png", folder.path());
    for (words, part) in [
        (&["--box", "1,2,3"][..], "4 whole numbers"),
        (&["--box", "5,5,5,9"], "holds no pixel"),
        (&["--box", "0,0,601,400"], "600x400"),
        (&["--in", "600,0"], "600x400"),
        (&["--in", "-1,0"], "whole numbers"),
        (&["--out", "1,1"], "--box or --in"),
        (&[], "--box or --in"),
        (
            &["--in", "9,9", "--engine", "nosuch"],
            "no engine is called",
        ),
        (&["--in", "9,9", "--class", "cup"], "--save"),
    ] {
        let output = termask(folder.path())
            .arg("segment")
            .arg(&image)
            .args(words)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let told = stderr(&output);
        assert!(told.contains(part), "{words:?}: {told}");
    }
}

#[test]
fn files_that_are_no_images_are_told_by_name_and_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = fs::read("assets/coffee.png").expect("there");
    let cases: [(&str, &[u8]); 4] = [
        ("empty.png", b""),
        ("text.jpg", b"hello"),
        ("cut.png", &photo[..5000]),
        ("e\x1b[31m.png", b"no"),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        for command in [&["segment", "--in", "0,0"][..], &["show"]] {
            let output = termask(folder.path())
                .args(command)
                .arg(&path)
                .output()
                .expect("it runs");
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{name}: {told}");
            assert!(!told.contains('\x1b'), "{told:?}");
            assert!(told.contains(&name[..1]), "{told}");
            assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        }
    }
    let output = termask(folder.path())
        .args(["show", "/nowhere/photo.jpg"])
        .output()
        .expect("it runs");
    assert!(stderr(&output).contains("/nowhere/photo.jpg"));
}

#[test]
fn the_mask_never_replaces_the_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = photo("coffee.png", folder.path());
    let before = fs::read(&image).expect("there");
    let output = termask(folder.path())
        .args(["segment", "--in", "300,300", "-o"])
        .args([&image, &image])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read(&image).expect("there"), before);
}
