//! The readers that people train with see the same pixels as we do.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use termask::store::formats::{self, Format};
use termask::store::gather::{self, Choice};

use crate::exported;

/// A Python with the readers, made once in `target`; an error says why there is none.
fn python() -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
    let (python, done) = (place.join("bin/python"), place.join("installed"));
    let locked = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/requirements.txt");
    let wanted = std::fs::read(&locked).map_err(|e| e.to_string())?;
    if std::fs::read(&done).is_ok_and(|had| had == wanted) {
        return Ok(python);
    }
    run(
        OsStr::new("python3"),
        &["-m".as_ref(), "venv".as_ref(), place.as_ref()],
    )?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "-r"].map(OsStr::new);
    run(
        python.as_ref(),
        &[&install[..], &[locked.as_ref()]].concat(),
    )?;
    std::fs::write(done, wanted).map_err(|e| e.to_string())?;
    Ok(python)
}

fn run(program: &OsStr, words: &[&OsStr]) -> Result<(), String> {
    let output = Command::new(program).args(words).output();
    let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} {words:?}: {told}", program.display()))
}

/// Without Python or network this says so and ends; where `CI` is set it fails then.
#[test]
fn other_tools_readers_see_the_same_pixels() {
    let python = match python() {
        Ok(python) => python,
        Err(why) if std::env::var_os("CI").is_none() => {
            eprintln!("NOT CHECKED by other tools' readers: {why}");
            return;
        }
        Err(why) => panic!("no readers: {why}"),
    };
    for (format, reader, least) in [
        (Format::Coco, "coco", 1.0),
        (Format::CocoCounts, "coco", 1.0),
        (Format::CocoPolygons, "coco", 0.97),
        (Format::Labelme, "labelme", 1.0),
        (Format::LabelmePolygons, "labelme_polygons", 0.9),
        (Format::Voc, "voc", 1.0),
        (Format::Yolo, "yolo", 0.97),
        (Format::Cityscapes, "cityscapes", 1.0),
        (Format::Cityscapes, "cityscapes_polygons", 0.9),
        (Format::Cvat, "cvat", 1.0),
        (Format::Supervisely, "supervisely", 1.0),
    ] {
        sees(&python, format, reader, least);
    }
}

/// torchvision and ultralytics bring gigabytes: `tests/python/trainers.sh` installs them, or
/// `TERMASK_TRAINERS` names a Python that has them.
#[test]
fn trainers_readers_see_the_same_pixels() {
    let named = std::env::var_os("TERMASK_TRAINERS").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = named.unwrap_or_else(|| root.join("target/trainers/bin/python"));
    if !python.is_file() {
        eprintln!(
            "NOT CHECKED by torchvision and ultralytics: tests/python/trainers.sh brings them"
        );
        return;
    }
    for (format, reader, least) in [
        (Format::Voc, "torchvision_voc", 1.0),
        (Format::Coco, "torchvision_coco", 1.0),
        (Format::CocoCounts, "torchvision_coco", 1.0),
        (Format::CocoPolygons, "torchvision_coco", 0.97),
        (Format::Yolo, "ultralytics", 0.97),
    ] {
        sees(&python, format, reader, least);
    }
}

/// Checks that a reader of `tests/python/read.py` gets each object with this IoU at least.
fn sees(python: &Path, format: Format, reader: &str, least: f64) {
    let (from, out) = exported(format);
    let set = gather::gather(from.path(), &Choice::default())
        .expect("gathered")
        .set;
    let (truth, notes) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    formats::export(&set, Format::Objects, truth.path()).expect("exported");
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read.py"))
        .args([Path::new(reader), out.path(), truth.path(), from.path()])
        .env("YOLO_CONFIG_DIR", notes.path())
        .output()
        .expect("started");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{format:?}: {told}");
    let ious: Vec<f64> = serde_json::from_slice(&output.stdout).expect("a list of IoUs");
    assert_eq!(ious.len(), 6, "{format:?}");
    assert!(ious.iter().all(|iou| *iou >= least), "{reader}: {ious:?}");
}
