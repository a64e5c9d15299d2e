//! A disk that is full, a folder that goes away, a name that is taken: nothing saved is lost, it is
//! told, and saving goes on when it can.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use termask::core::document::{Document, Object};
use termask::core::geometry::{ImagePoint, Size};
use termask::core::history::History;
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::store::decode::{Decoded, Depth};
use termask::store::replace::LEFTOVER;
use termask::store::sidecar::{self, Sidecar};

const SIZE: Size = Size::new(400, 300);

/// Names the small disk for the test that runs inside it.
const DISK: &str = "TERMASK_TEST_SMALL_DISK";

fn decoded() -> Decoded {
    Decoded {
        image: Arc::new(Image::from_rgb(SIZE, vec![0; 3 * SIZE.area() as usize])),
        orientation: 1,
        sha256: "ab".into(),
        key: 1,
        depth: Depth::Bytes,
        notes: Vec::new(),
    }
}

/// A mask whose run lengths take about 20 kilobytes.
fn large(id: u64) -> Arc<Object> {
    let mask = Mask::from_fn(SIZE, SIZE.bounds(), |p: ImagePoint| {
        (u64::from(p.x) * 7 + u64::from(p.y) * 13 + id).is_multiple_of(5)
    });
    Arc::new(Object::new(id, "cat", mask, 0))
}

fn ids(image: &Path) -> Vec<u64> {
    let read = sidecar::read(image).expect("whole").expect("there");
    read.history.now().objects.iter().map(|o| o.id).collect()
}

fn leftovers(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("readable").flatten();
    entries
        .filter(|e| e.file_name().to_string_lossy().starts_with(LEFTOVER.0))
        .count()
}

/// Takes all room but this many pages of the disk.
fn fill(folder: &Path, free: usize) -> PathBuf {
    let path = folder.join("filler");
    let mut file = fs::File::create(&path).expect("created");
    let mut written = 0;
    while file.write_all(&[0; 4096]).is_ok() {
        written += 1;
    }
    let keep = (written as u64).saturating_sub(free as u64) * 4096;
    file.set_len(keep).expect("cut");
    path
}

/// Saves with little more room each time, until there is enough for all.
#[test]
#[ignore = "the other test starts it on a disk of its own"]
fn on_a_small_disk() {
    let disk = PathBuf::from(std::env::var_os(DISK).expect("started by the other test"));
    let image = disk.join("a.png");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history): (_, History<Document>) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.push(large(1)));
    sidecar.save(&history).expect("there is room");
    history.step(|d| d.objects.push(large(2)));
    let mut refused = 0;
    for free in 0.. {
        let filler = fill(&disk, free);
        let saved = sidecar.save(&history);
        let there = ids(&image);
        match saved {
            Ok(()) => {
                assert_eq!(there, [1, 2]);
                break;
            }
            Err(why) => {
                let why = why.to_string();
                assert!(why.contains("free some space"), "{why}");
                assert!(there == [1] || there == [1, 2], "{there:?}");
                refused += 1;
            }
        }
        assert_eq!(leftovers(&disk), 0, "half a file would take room for ever");
        image::open(disk.join("a.mask.png")).expect("the old mask or the new one");
        fs::remove_file(filler).expect("room again");
    }
    assert!(refused > 3, "it was full {refused} times");
    let faults = termask::store::check::check(&disk, termask::store::check::Mode::Look);
    let faults = faults.expect("checked");
    let orphan = |f: &termask::store::check::Fault| f.kind.name() == "orphan";
    assert!(
        faults.iter().all(orphan),
        "the mask is that of both objects: {faults:?}"
    );
    println!("refused {refused} times, then saved");
}

/// The disk becomes read-only while an image is open, and writable again.
#[test]
#[ignore = "the other test starts it on a disk of its own"]
fn on_a_disk_that_turns_read_only() {
    let disk = PathBuf::from(std::env::var_os(DISK).expect("started by the other test"));
    let image = disk.join("a.png");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history): (_, History<Document>) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.push(large(1)));
    sidecar.save(&history).expect("it can be written");
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        let mut mount = Command::new("mount");
        mount.args(["-o", &options]).arg(&disk);
        assert!(mount.status().expect("started").success());
    };
    remount("ro");
    history.step(|d| d.objects.push(large(2)));
    let why = sidecar.save(&history).expect_err("read-only").to_string();
    assert!(why.contains("a.termask.json"), "{why}");
    assert_eq!(ids(&image), [1]);
    remount("rw");
    sidecar.save(&history).expect("it can be written again");
    assert_eq!(ids(&image), [1, 2]);
    println!("refused once: {why}; then saved");
}

#[test]
fn a_full_disk_is_told_and_saving_goes_on_when_there_is_room() {
    on_a_disk_of_its_own("on_a_small_disk", "times, then saved");
}

#[test]
fn a_disk_that_turns_read_only_is_told_and_saving_goes_on_when_it_can_be_written() {
    on_a_disk_of_its_own("on_a_disk_that_turns_read_only", "; then saved");
}

/// Runs another test of this file on a small disk. Where the system lets nobody mount one this says
/// so and ends.
fn on_a_disk_of_its_own(test: &str, says: &str) {
    let disk = tempfile::tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=384k none \"$0\" && exec \"$@\"";
    let small = |program: &Path, words: &[&str]| {
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .args([disk.path(), program])
            .args(words)
            .env(DISK, disk.path())
            .output()
    };
    if !small(Path::new("true"), &[]).is_ok_and(|o| o.status.success()) {
        eprintln!("NOT CHECKED {test}: this system lets nobody mount a small disk");
        return;
    }
    let program = std::env::current_exe().expect("a test has a program");
    let output = small(&program, &["--ignored", "--exact", "--nocapture", test]);
    let output = output.expect("started");
    let (out, err) = (output.stdout, output.stderr);
    let told = String::from_utf8_lossy(&[out, err].concat()).into_owned();
    assert!(output.status.success() && told.contains(says), "{told}");
}

#[test]
fn a_name_that_cannot_be_taken_is_told_and_saving_goes_on_when_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.png");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history): (_, History<Document>) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.push(large(1)));
    sidecar.save(&history).expect("saved");
    // The mask's name is a folder's now: the sidecar is saved, the mask is told.
    let mask = folder.path().join("a.mask.png");
    fs::remove_file(&mask).expect("removed");
    fs::create_dir(&mask).expect("made");
    history.step(|d| d.objects.push(large(2)));
    sidecar
        .save(&history)
        .expect("the mask has another name, too");
    assert_eq!(ids(&image), [1, 2]);
    assert!(mask.is_dir() && folder.path().join("a.png.mask.png").is_file());
}

#[test]
fn a_folder_in_the_place_of_the_sidecar_is_told_and_saving_goes_on_when_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.png");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history): (_, History<Document>) = (opened.sidecar, opened.history);
    let path = sidecar.path.clone();
    fs::create_dir_all(path.join("within")).expect("made");
    history.step(|d| d.objects.push(large(1)));
    let why = sidecar.save(&history).expect_err("taken").to_string();
    assert!(why.contains("a.termask.json"), "{why}");
    assert_eq!(leftovers(folder.path()), 0);
    fs::remove_dir_all(&path).expect("removed");
    history.step(|d| d.objects.push(large(2)));
    sidecar.save(&history).expect("saved");
    assert_eq!(ids(&image), [1, 2]);
}

#[test]
fn a_folder_that_was_away_for_a_while_gets_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, away) = (folder.path().join("here"), folder.path().join("away"));
    fs::create_dir(&here).expect("made");
    let image = here.join("a.png");
    let opened = Sidecar::open(&image, &decoded()).expect("opened");
    let (mut sidecar, mut history): (_, History<Document>) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.push(large(1)));
    sidecar.save(&history).expect("saved");
    fs::rename(&here, &away).expect("unplugged");
    history.step(|d| d.objects.push(large(2)));
    let why = sidecar.save(&history).expect_err("gone").to_string();
    assert!(why.contains("a.termask.json"), "{why}");
    fs::rename(&away, &here).expect("plugged in");
    history.step(|d| d.objects.push(large(3)));
    sidecar.save(&history).expect("saved");
    assert_eq!(ids(&image), [1, 2, 3]);
}
