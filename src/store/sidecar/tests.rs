//! What is beside an image after opening, saving, and what others do meanwhile.

use std::fs;

use super::*;
use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::store::merge::tests::object;

fn decoded() -> Decoded {
    Decoded {
        image: Arc::new(Image::from_rgb(Size::new(30, 20), vec![0; 1800])),
        orientation: 6,
        sha256: "ab".into(),
        key: 1,
        depth: crate::store::decode::Depth::Bytes,
        notes: Vec::new(),
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("read");
    let mut names: Vec<String> = entries
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|n| !n.contains(".lock"))
        .collect();
    names.sort();
    names
}

fn saved(image: &Path, objects: &[u64]) -> (Sidecar, History<Document>) {
    let opened = Sidecar::open(image, &decoded()).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    for id in objects {
        history.step(|d| d.objects.push(object(*id, *id as u32)));
    }
    sidecar.save(&history).expect("saved");
    (sidecar, history)
}

#[test]
fn everything_is_there_again_with_its_undo_and_redo() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("photo.jpg");
    let (mut sidecar, mut history) = saved(&image, &[1, 2, 3]);
    history.step(|d| {
        d.draft.painted = Some(Arc::clone(&d.objects[0].mask));
        d.draft.replaces = Some((1, d.objects.remove(1)));
        d.comment = "hm\u{1b}".into();
    });
    history.step(|d| d.finished = true);
    history.undo();
    sidecar.save(&history).expect("saved");
    drop(sidecar);
    let mut again = Sidecar::open(&image, &decoded()).expect("opened").history;
    assert_eq!(again.now(), history.now());
    assert!(again.redo() && again.now().finished);
    for length in [2, 3, 2, 1, 0] {
        again.undo();
        let undone = again.now().objects.len();
        assert_eq!(undone, length);
    }
    assert_eq!(
        names_in(folder.path()),
        ["photo.mask.png", "photo.termask.json"]
    );
}

#[test]
fn fields_of_others_survive() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("photo.jpg");
    let path = saved(&image, &[1]).0.path.clone();
    let text = fs::read_to_string(&path).expect("read");
    let text = text.replacen('{', "{\"weather\":{\"rain\":true},", 1);
    fs::write(
        &path,
        text.replacen("{\"id\"", "{\"colour\":\"red\",\"id\"", 1),
    )
    .expect("written");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|d| d.finished = true);
    sidecar.save(&history).expect("saved");
    let text = fs::read_to_string(&path).expect("read");
    assert!(text.contains("\"weather\":{\"rain\":true}") && text.contains("\"colour\":\"red\""));
}

#[test]
fn two_images_of_one_stem_keep_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (jpg, png) = (folder.path().join("a.jpg"), folder.path().join("a.png"));
    // Both are open before either is saved.
    let mut late = Sidecar::open(&png, &decoded()).expect("opened");
    saved(&jpg, &[1]);
    late.history.step(|d| d.objects.push(object(7, 3)));
    late.sidecar.save(&late.history).expect("saved");
    let files = [
        "a.mask.png",
        "a.png.mask.png",
        "a.png.termask.json",
        "a.termask.json",
    ];
    assert_eq!(names_in(folder.path()), files);
    let read = read(&jpg).expect("read").expect("there");
    assert_eq!(read.history.now().objects, [object(1, 1)]);
}

#[test]
fn a_foreign_mask_is_left_alone_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mask = folder.path().join("a.mask.png");
    fs::write(&mask, "theirs").expect("written");
    let opened = Sidecar::open(&folder.path().join("a.jpg"), &decoded()).expect("opened");
    assert!(opened.notes[0].contains("a.mask.png"), "{:?}", opened.notes);
    drop(opened);
    saved(&folder.path().join("a.jpg"), &[1]);
    assert_eq!(fs::read(&mask).expect("read"), b"theirs");
    assert!(folder.path().join("a.jpg.mask.png").exists());
}

#[test]
fn damaged_newer_and_foreign_sidecars_are_told_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.jpg");
    let path = saved(&image, &[1]).0.path.clone();
    let good = fs::read_to_string(&path).expect("read");
    for (bad, says) in [
        (good[..good.len() / 2].to_owned(), "line 1 column"),
        (
            good.replace("\"version\":1", "\"version\":2"),
            "update termask",
        ),
        (
            good.replace("\"width\":30", "\"width\":31"),
            "its mask is 30x20",
        ),
        (
            good.replacen("\"counts\":\"", "\"counts\":\"0", 1),
            "object 1",
        ),
        ("[".repeat(100_000), "move it away"),
        (String::new(), "move it away"),
    ] {
        fs::write(&path, &bad).expect("written");
        let why = Sidecar::open(&image, &decoded())
            .expect_err("bad")
            .to_string();
        assert!(
            why.contains("a.termask.json") && why.contains(says),
            "{why}"
        );
        assert_eq!(fs::read_to_string(&path).expect("read"), bad);
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.jpg");
    let (mut mine, mut history) = saved(&image, &[1, 2]);
    let other = tempfile::tempdir().expect("a folder");
    let (theirs, _) = saved(&other.path().join("a.jpg"), &[1, 2, 5]);
    fs::copy(&theirs.path, &mine.path).expect("written by another computer");
    history.step(|d| d.objects.push(object(3, 3)));
    mine.save(&history).expect("saved");
    let ids = |image: &Path| -> Vec<u64> {
        let read = read(image).expect("read").expect("there");
        read.history.now().objects.iter().map(|o| o.id).collect()
    };
    assert_eq!(ids(&image), [1, 2, 3, 5]);
    history.step(|d| d.objects.push(object(4, 4)));
    mine.save(&history).expect("saved");
    assert_eq!(
        ids(&image),
        [1, 2, 3, 4, 5],
        "the person's document never had 5"
    );
}

#[test]
fn the_second_person_reads_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.jpg");
    let (_first, history) = saved(&image, &[1]);
    let mut second = Sidecar::open(&image, &decoded()).expect("opened").sidecar;
    assert!(matches!(&second.access, Access::ReadOnly { why } if why.contains("has it open")));
    assert!(second.save(&history).is_err());
}
