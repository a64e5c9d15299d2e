//! Each kind of fault, found and mended.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::core::document::{Document, Object};
use crate::core::history::History;
use crate::store::merge::tests::object;
use crate::store::sidecar::Sidecar;
use crate::store::{decode, lock, sidecar};

fn saved(folder: &Path, name: &str, ids: &[u64]) -> PathBuf {
    let path = folder.join(name);
    image::RgbImage::new(30, 20).save(&path).expect("saved");
    let decoded = decode::decode(&path).expect("decoded");
    let mut sidecar = Sidecar::open(&path, &decoded).expect("opened").sidecar;
    let objects = ids.iter().map(|id| object(*id, *id as u32)).collect();
    let document = Document {
        objects,
        ..Document::default()
    };
    sidecar.save(&History::new(document)).expect("saved");
    path
}

fn kinds(folder: &Path, mode: Mode) -> Vec<Kind> {
    check(folder, mode)
        .expect("checked")
        .iter()
        .map(|f| f.kind)
        .collect()
}

#[test]
fn a_sound_folder_has_no_faults() {
    let folder = tempfile::tempdir().expect("a folder");
    saved(folder.path(), "a.png", &[1, 2]);
    saved(folder.path(), "a.bmp", &[3]);
    assert_eq!(kinds(folder.path(), Mode::Look), []);
}

#[test]
fn each_fault_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("termask.toml"), "classes = [\"dog\"]").expect("written");
    saved(folder.path(), "class.png", &[1]);
    saved(folder.path(), "damaged.png", &[]);
    fs::write(at("damaged.termask.json"), "{").expect("written");
    let orphan = saved(folder.path(), "orphan.png", &[]);
    fs::remove_file(orphan).expect("removed");
    saved(folder.path(), "size.png", &[]);
    image::RgbImage::new(31, 20)
        .save(at("size.png"))
        .expect("saved");
    saved(folder.path(), "unsaid.png", &[3]);
    fs::remove_file(at("unsaid.termask.json")).expect("removed");
    let away = saved(folder.path(), "zaway.png", &[4]);
    fs::remove_file(away).expect("removed");
    fs::remove_file(at("zaway.termask.json")).expect("removed");
    let found = check(folder.path(), Mode::Look).expect("checked");
    let found: Vec<_> = found
        .iter()
        .map(|f| {
            (
                f.kind,
                f.path.file_name().expect("a name").to_str().expect("text"),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Kind::UnknownClass, "class.termask.json"),
            (Kind::Damaged, "damaged.png"),
            (Kind::Size, "size.termask.json"),
            (Kind::Orphan, "unsaid.mask.png"),
            (Kind::Orphan, "orphan.mask.png"),
            (Kind::Orphan, "orphan.termask.json"),
            (Kind::Orphan, "zaway.mask.png"),
        ]
    );
}

#[test]
fn masks_and_leftovers_are_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    saved(folder.path(), "a.png", &[1, 2]);
    fs::write(folder.path().join(".termask-x1.tmp"), "half").expect("written");
    let mask = folder.path().join("a.mask.png");
    let good = fs::read(&mask).expect("read");
    fs::remove_file(&mask).expect("removed");
    assert_eq!(
        kinds(folder.path(), Mode::Mend),
        [Kind::Mask, Kind::Leftover]
    );
    assert_eq!(fs::read(&mask).expect("read"), good);
    assert_eq!(kinds(folder.path(), Mode::Look), []);
}

#[test]
fn objects_that_say_nothing_are_taken_out_and_undo_brings_them_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.png");
    image::RgbImage::new(30, 20).save(&path).expect("saved");
    let decoded = decode::decode(&path).expect("decoded");
    let opened = Sidecar::open(&path, &decoded).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    let with = |id: u64, x: u32, change: &dyn Fn(&mut Object)| {
        let mut object = Object::clone(&object(id, x));
        change(&mut object);
        std::sync::Arc::new(object)
    };
    let empty = crate::core::mask::Mask::empty(decoded.image.size());
    history.step(|d| {
        d.objects = vec![
            with(1, 1, &|_| {}),
            with(2, 1, &|_| {}),
            with(3, 1, &|o| o.class = "dog".into()),
            with(4, 9, &|o| o.mask = empty.clone().into()),
        ];
    });
    sidecar.save(&history).expect("saved");
    drop(sidecar);
    let ids = || {
        let read = sidecar::read(&path).expect("read").expect("there");
        let now = read.history.now().objects.clone();
        let mut history = read.history;
        history.undo();
        let before = history.now().objects.len();
        (now.iter().map(|o| o.id).collect::<Vec<_>>(), before)
    };
    let three = [Kind::Duplicate, Kind::Duplicate, Kind::Empty];
    assert_eq!(kinds(folder.path(), Mode::Look), three);
    let mended = check(folder.path(), Mode::Mend).expect("checked");
    let mended: Vec<bool> = mended.iter().map(|f| f.mended).collect();
    // Nobody but a person knows whether it is a cat or a dog.
    assert_eq!(mended, [true, false, true]);
    assert_eq!(ids(), (vec![1, 3], 4));
    assert_eq!(kinds(folder.path(), Mode::Look), [Kind::Duplicate]);
}

#[test]
fn the_lock_of_a_program_that_ended_is_left_over_and_that_of_a_living_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path(), "a.png", &[1]);
    let held = lock::ask(&path).expect("asked");
    assert_eq!(kinds(folder.path(), Mode::Look), []);
    let file = lock::path_of(&path);
    let text = fs::read_to_string(&file).expect("there");
    drop(held);
    let mut child = std::process::Command::new("true").spawn().expect("started");
    child.wait().expect("ended");
    let (mine, gone) = (std::process::id().to_string(), child.id().to_string());
    fs::write(&file, text.replace(&mine, &gone)).expect("written");
    assert_eq!(kinds(folder.path(), Mode::Mend), [Kind::Leftover]);
    assert_eq!(kinds(folder.path(), Mode::Look), []);
}
