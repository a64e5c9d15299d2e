//! What goes out to other tools comes back with the same pixels, and their own readers agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;
use termask::core::document::{Document, Extra, Object, Origin, Verdict};
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::history::History;
use termask::core::mask::Mask;
use termask::core::prompt::Prompt;
use termask::store::decode::decode;
use termask::store::formats::{self, Format};
use termask::store::gather::{self, Choice};
use termask::store::sidecar::{self, Sidecar};

const SIZE: Size = Size::new(120, 90);

fn object(id: u64, class: &str, mask: Mask) -> Arc<Object> {
    Arc::new(Object {
        id,
        track: None,
        class: class.into(),
        mask: Arc::new(mask),
        prompt: Prompt::default(),
        origin: Origin::default(),
        confidence: None,
        verdict: Verdict::Accepted,
        comment: String::new(),
        created: 0,
        changed: 0,
        spent: 0,
        extra: Extra::new(),
    })
}

/// A ring with a hole, a disk cut by the border, and one of two parts; none covers another.
fn objects() -> Vec<Arc<Object>> {
    let disk = |x, y, r| Mask::from_disk(SIZE, ImagePoint::new(x, y), r);
    let rect = |x0, y0, x1, y1| Mask::from_rect(SIZE, ImageRect::new(x0, y0, x1, y1));
    vec![
        object(
            1,
            "ring",
            disk(30, 30, 25.0).difference(&disk(32, 28, 10.0)),
        ),
        object(2, "a cat", disk(119, 60, 22.0)),
        object(3, "ring", rect(60, 5, 90, 30).union(&rect(62, 40, 85, 80))),
    ]
}

fn images(folder: &Path) -> Vec<PathBuf> {
    let (w, h) = (SIZE.width, SIZE.height);
    let names = ["one.png", "two.png"];
    let paths = names.map(|n| folder.join(n));
    for path in &paths {
        image::RgbImage::new(w, h).save(path).expect("saved");
    }
    paths.to_vec()
}

fn labelled(folder: &Path) -> Vec<PathBuf> {
    let paths = images(folder);
    for path in &paths {
        let opened = Sidecar::open(path, &decode(path).expect("decoded")).expect("opened");
        let mut sidecar = opened.sidecar;
        let document = Document {
            objects: objects(),
            ..Document::default()
        };
        sidecar.save(&History::new(document)).expect("saved");
    }
    paths
}

fn exported(format: Format) -> (tempfile::TempDir, tempfile::TempDir) {
    let (from, out) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    labelled(from.path());
    let set = gather::gather(from.path(), &Choice::default())
        .expect("gathered")
        .set;
    assert_eq!(set.classes, ["a cat", "ring"]);
    formats::export(&set, format, out.path()).expect("exported");
    (from, out)
}

/// What an import makes of an export, in a folder that has nothing but the images.
fn there_and_back(format: Format) -> Vec<Arc<Object>> {
    let (_from, out) = exported(format);
    let source = match format {
        Format::Coco | Format::CocoCounts | Format::CocoPolygons => {
            out.path().join("instances.json")
        }
        _ => out.path().to_path_buf(),
    };
    let found = formats::import(&source, format).expect("imported");
    let to = tempfile::tempdir().expect("a folder");
    let paths = images(to.path());
    let imported = gather::adopt(found, to.path(), 7).expect("adopted");
    assert_eq!(
        (imported.images, imported.left_out.len()),
        (2, 0),
        "{format:?}: {imported:?}"
    );
    let read = sidecar::read(&paths[1]).expect("read").expect("there");
    read.history.now().objects.clone()
}

#[test]
fn formats_of_pixels_bring_back_the_same_pixels() {
    use Format::{Coco, CocoCounts, Instances, Labelme, Objects, Voc};
    for format in [Coco, CocoCounts, Instances, Labelme, Objects, Voc] {
        let back = there_and_back(format);
        assert_eq!(back.len(), 3, "{format:?}");
        for (was, is) in objects().iter().zip(&back) {
            assert_eq!((&was.mask, &was.class), (&is.mask, &is.class), "{format:?}");
        }
    }
}

#[test]
fn polygons_keep_98_percent_with_holes_and_parts() {
    for format in [Format::CocoPolygons, Format::Yolo] {
        for (was, is) in objects().iter().zip(there_and_back(format)) {
            let iou = was.mask.iou(&is.mask);
            assert!(iou >= 0.98, "{format:?} {}: {iou}", was.id);
        }
    }
}

#[test]
fn a_semantic_mask_has_one_mask_a_class() {
    let back = there_and_back(Format::Semantic);
    let of = objects();
    let both = of[0].mask.union(&of[2].mask);
    assert_eq!((&*back[0].mask, &*back[0].class), (&*of[1].mask, "a cat"));
    assert_eq!((&*back[1].mask, &*back[1].class), (&both, "ring"));
}

#[test]
fn importing_twice_adds_nothing() {
    let (from, out) = exported(Format::Coco);
    let found = formats::import(&out.path().join("instances.json"), Format::Coco).expect("read");
    let imported = gather::adopt(found, from.path(), 7).expect("adopted");
    assert_eq!(imported.objects, 0);
}

#[test]
fn files_of_others_are_never_replaced() {
    let (from, out) = exported(Format::Voc);
    let set = gather::gather(from.path(), &Choice::default())
        .expect("gathered")
        .set;
    formats::export(&set, Format::Voc, out.path()).expect("our own files are replaced");
    let theirs = out.path().join("instances.json");
    fs::write(&theirs, "theirs").expect("written");
    let why = formats::export(&set, Format::Coco, out.path())
        .expect_err("foreign")
        .to_string();
    assert!(why.contains("instances.json"), "{why}");
    assert_eq!(fs::read(&theirs).expect("read"), b"theirs");
}

#[test]
fn a_split_is_the_same_for_one_seed_and_has_its_shares() {
    let names: Vec<String> = (0..2000).map(|i| format!("{i}.jpg")).collect();
    let count = |seed, part| {
        let of = names
            .iter()
            .map(|n| formats::part_of(n, [0.8, 0.1, 0.1], seed));
        of.filter(|p| *p == part).count()
    };
    let train = count(1, formats::Part::Train);
    assert!((1540..1660).contains(&train), "{train}");
    assert_eq!(train, count(1, formats::Part::Train));
    let differs = names.iter().any(|n| {
        formats::part_of(n, [0.8, 0.1, 0.1], 1) != formats::part_of(n, [0.8, 0.1, 0.1], 2)
    });
    assert!(differs);
}

#[test]
fn a_path_in_somebody_elses_file_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.json");
    let text = r#"{"shapes":[],"imagePath":"../../etc/passwd","imageHeight":4,"imageWidth":4}"#;
    fs::write(&file, text).expect("written");
    let found = formats::import(&file, Format::Labelme).expect("read");
    assert_eq!(found[0].name, "passwd");
    fs::write(&file, text.replace("passwd", "..")).expect("written");
    assert!(formats::import(&file, Format::Labelme).is_err());
}

/// The valid files of each format, for tests that break them.
fn samples() -> Vec<(Format, String, Vec<u8>)> {
    let mut samples = Vec::new();
    for (format, name) in [
        (Format::Coco, "instances.json"),
        (Format::CocoCounts, "instances.json"),
        (Format::CocoPolygons, "instances.json"),
        (Format::Labelme, "one.json"),
        (Format::Instances, "one.png"),
    ] {
        let (_from, out) = exported(format);
        let bytes = fs::read(out.path().join(name)).expect("read");
        samples.push((format, name.to_owned(), bytes));
    }
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn broken_files_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        static SAMPLES: std::sync::OnceLock<Vec<(Format, String, Vec<u8>)>> = std::sync::OnceLock::new();
        let folder = tempfile::tempdir().expect("a folder");
        for (format, name, bytes) in SAMPLES.get_or_init(samples) {
            let mut broken = bytes.clone();
            for (at, byte) in &changes {
                let at = at.index(broken.len());
                broken[at] = *byte;
            }
            let path = folder.path().join(name);
            fs::write(&path, &broken).expect("written");
            if let Err(why) = formats::import(&path, *format) {
                prop_assert!(why.to_string().contains(name));
            }
        }
    }
}

/// A Python with the readers, made once in `target`; `None`, with the reason printed, where they
/// cannot be installed.
fn python() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
    let python = place.join("bin/python");
    let works = |python: &Path| {
        let ask = Command::new(python)
            .args(["-c", "import pycocotools.mask, PIL, numpy"])
            .output();
        ask.is_ok_and(|o| o.status.success())
    };
    if works(&python) {
        return Some(python);
    }
    let steps: [&[&str]; 2] = [
        &["python3", "-m", "venv", place.to_str()?],
        &[
            python.to_str()?,
            "-m",
            "pip",
            "install",
            "-q",
            "pycocotools",
            "numpy",
            "pillow",
        ],
    ];
    for step in steps {
        let made = Command::new(step[0]).args(&step[1..]).output();
        match made {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                eprintln!("other tools' readers are not checked: {step:?}: {why}");
                return None;
            }
            Err(why) => {
                eprintln!("other tools' readers are not checked: {step:?}: {why}");
                return None;
            }
        }
    }
    works(&python).then_some(python)
}

#[test]
fn other_tools_readers_see_the_same_pixels() {
    let Some(python) = python() else { return };
    for (format, reader) in [
        (Format::Coco, "coco"),
        (Format::CocoCounts, "coco"),
        (Format::CocoPolygons, "coco"),
        (Format::Labelme, "labelme"),
        (Format::Voc, "voc"),
        (Format::Yolo, "yolo"),
    ] {
        let (from, out) = exported(format);
        let set = gather::gather(from.path(), &Choice::default())
            .expect("gathered")
            .set;
        let truth = tempfile::tempdir().expect("a folder");
        formats::export(&set, Format::Objects, truth.path()).expect("exported");
        let output = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read.py"))
            .args([Path::new(reader), out.path(), truth.path()])
            .output()
            .expect("started");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{format:?}: {told}");
        let ious: Vec<f64> = serde_json::from_slice(&output.stdout).expect("a list of IoUs");
        let least = match format {
            Format::Yolo | Format::CocoPolygons => 0.97,
            _ => 1.0,
        };
        assert_eq!(ious.len(), 6, "{format:?}");
        assert!(ious.iter().all(|iou| *iou >= least), "{format:?}: {ious:?}");
    }
}
