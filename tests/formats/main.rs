//! What goes out to other tools comes back with the same pixels, and their own readers agree.

mod hostile;
mod pixels;
mod readers;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use termask::core::document::{Document, Object, Verdict};
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::history::History;
use termask::core::mask::Mask;
use termask::store::decode::decode;
use termask::store::formats::{self, Format};
use termask::store::gather::{self, Choice};
use termask::store::sidecar::{self, Sidecar};

const SIZE: Size = Size::new(120, 90);

fn object(id: u64, class: &str, mask: Mask) -> Arc<Object> {
    Arc::new(Object {
        verdict: Verdict::Accepted,
        ..Object::new(id, class, mask, 0)
    })
}

/// A ring with a hole, a disk cut by the border, and one of two parts; none covers another.
fn objects() -> Vec<Arc<Object>> {
    let disk = |x, y, r| Mask::from_disk(SIZE, ImagePoint::new(x, y), r);
    let rect = |x0, y0, x1, y1| Mask::from_rect(SIZE, ImageRect::new(x0, y0, x1, y1));
    vec![
        object(1, "car", disk(30, 30, 25.0).difference(&disk(32, 28, 10.0))),
        object(2, "traffic light", disk(119, 60, 22.0)),
        object(3, "car", rect(60, 5, 90, 30).union(&rect(62, 40, 85, 80))),
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

fn labelled(folder: &Path, objects: &[Arc<Object>]) -> Vec<PathBuf> {
    let paths = images(folder);
    for path in &paths {
        let opened = Sidecar::open(path, &decode(path).expect("decoded")).expect("opened");
        let mut sidecar = opened.sidecar;
        let document = Document {
            objects: objects.to_vec(),
            ..Document::default()
        };
        sidecar.save(&History::new(document)).expect("saved");
    }
    paths
}

fn exported(format: Format) -> (tempfile::TempDir, tempfile::TempDir) {
    exported_with(format, &objects())
}

fn exported_with(
    format: Format,
    objects: &[Arc<Object>],
) -> (tempfile::TempDir, tempfile::TempDir) {
    let (from, out) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    labelled(from.path(), objects);
    let set = gather::gather(from.path(), &Choice::default())
        .expect("gathered")
        .set;
    formats::export(&set, format, out.path()).expect("exported");
    (from, out)
}

/// What an import makes of an export, in a folder that has nothing but the images.
fn there_and_back(format: Format, objects: &[Arc<Object>]) -> Vec<Arc<Object>> {
    let (_from, out) = exported_with(format, objects);
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

/// Those that keep each pixel.
const OF_PIXELS: [Format; 9] = [
    Format::Coco,
    Format::CocoCounts,
    Format::Cvat,
    Format::Instances,
    Format::Labelme,
    Format::Objects,
    Format::Supervisely,
    Format::Voc,
    Format::Cityscapes,
];

/// Whether an export holds these objects, in their order.
fn comes_back(format: Format, objects: &[Arc<Object>]) -> bool {
    let back = there_and_back(format, objects);
    let same =
        |is: &Arc<Object>, was: &Arc<Object>| (&is.mask, &is.class) == (&was.mask, &was.class);
    back.len() == objects.len()
        && objects.iter().zip(&back).all(|(was, is)| {
            // Cityscapes alone has no drawing order: its objects lie by their labels.
            same(is, was) || format == Format::Cityscapes && back.iter().any(|is| same(is, was))
        })
}

#[test]
fn formats_of_pixels_bring_back_the_same_pixels() {
    for format in OF_PIXELS {
        assert!(comes_back(format, &objects()), "{format:?}");
    }
}

#[test]
fn polygons_keep_98_percent_with_holes_and_parts() {
    for format in [Format::CocoPolygons, Format::Yolo, Format::LabelmePolygons] {
        for (was, is) in objects().iter().zip(there_and_back(format, &objects())) {
            let iou = was.mask.iou(&is.mask);
            assert!(iou >= 0.98, "{format:?} {}: {iou}", was.id);
        }
    }
}

#[test]
fn a_semantic_mask_has_one_mask_a_class() {
    let back = there_and_back(Format::Semantic, &objects());
    let of = objects();
    let both = of[0].mask.union(&of[2].mask);
    let light = (&*back[1].mask, &*back[1].class);
    assert_eq!((&*back[0].mask, &*back[0].class), (&both, "car"));
    assert_eq!(light, (&*of[1].mask, "traffic light"));
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

/// A photo that its EXIF turns by a quarter.
fn turned(folder: &Path) -> PathBuf {
    let photo = image::RgbImage::from_fn(90, 120, |x, y| image::Rgb([(x * 2) as u8, y as u8, 9]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = photo.write_to(&mut bytes, image::ImageFormat::Jpeg);
    written.expect("encoded");
    let mut bytes = bytes.into_inner();
    let exif =
        b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.splice(2..2, exif.iter().copied());
    let path = folder.join("turned.jpg");
    fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn pictures_go_out_upright_as_their_masks_are_and_to_voc_as_jpeg() {
    let from = tempfile::tempdir().expect("a folder");
    let turned = turned(from.path());
    for path in [turned.clone(), images(from.path())[0].clone()] {
        let opened = Sidecar::open(&path, &decode(&path).expect("decoded")).expect("opened");
        let mut sidecar = opened.sidecar;
        sidecar
            .save(&History::new(Document {
                objects: objects(),
                ..Document::default()
            }))
            .expect("saved");
    }
    let set = gather::gather(from.path(), &Choice::default())
        .expect("gathered")
        .set;
    for (format, folder, names) in [
        (Format::Voc, "JPEGImages", ["one.jpg", "turned.jpg"]),
        (Format::Yolo, "images/train", ["one.png", "turned.jpg"]),
    ] {
        let out = tempfile::tempdir().expect("a folder");
        formats::export(&set, format, out.path()).expect("exported");
        for name in names {
            // This reader does not look for EXIF.
            let picture = image::open(out.path().join(folder).join(name)).expect(name);
            assert_eq!(
                (picture.width(), picture.height()),
                (SIZE.width, SIZE.height)
            );
        }
        let picture = image::open(out.path().join(folder).join("turned.jpg")).expect("read");
        let upright = decode(&turned).expect("decoded").image;
        let pixels = picture.to_rgb8().into_raw();
        let differ = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 12;
        assert!(
            !pixels.iter().zip(upright.pixels()).any(differ),
            "{format:?}"
        );
    }
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

#[test]
fn shapes_that_other_tools_draw_become_the_pixels_inside() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let cvat = write(
        "cvat.xml",
        r#"<annotations><image id="0" name="a/one.png" width="120" height="90">
        <polygon label="b" points="10,10;20,10;20,20;10,20" z_order="1"/>
        <box label="a &amp; b" xtl="30" ytl="30" xbr="40" ybr="50" z_order="0"></box>
        <box label="turned" xtl="60" ytl="30" xbr="80" ybr="40" rotation="90"/>
        <ellipse label="e" cx="50" cy="70" rx="10" ry="5"/><points label="p" points="1,1"/>
        </image></annotations>"#,
    );
    let found = &formats::import(&cvat, Format::Cvat).expect("read")[0];
    let told: Vec<_> = found
        .objects
        .iter()
        .map(|o| (&*o.class, o.mask.area()))
        .collect();
    let (ellipse, rest) = (told[2], [told[0], told[1], told[3]]);
    assert_eq!(found.name, "one.png");
    assert_eq!(rest, [("a & b", 200), ("turned", 200), ("b", 100)]);
    assert!(
        ellipse.0 == "e" && ellipse.1.abs_diff(157) < 6,
        "{ellipse:?}"
    );
    let turned = found.objects[1].mask.bounds();
    assert_eq!(turned, Some(ImageRect::new(65, 25, 75, 45)));

    let polygon = r#"{"size":{"width":120,"height":90},"objects":[
        {"classTitle":"b","geometryType":"polygon","points":{"exterior":[[9,9],[20,9],[20,20],[9,20]],
         "interior":[[[12,12],[15,12],[15,15],[12,15]]]}},
        {"classTitle":"r","geometryType":"rectangle","points":{"exterior":[[3,4],[5,9]]}}]}"#;
    let ann = write("one.png.json", polygon);
    let found = &formats::import(&ann, Format::Supervisely).expect("read")[0];
    let areas: Vec<u64> = found.objects.iter().map(|o| o.mask.area()).collect();
    assert_eq!((&*found.name, &areas[..]), ("one.png", &[121 - 9, 18][..]));

    let polygons = r#"{"imgHeight":90,"imgWidth":120,"objects":[
        {"label":"car","polygon":[[10,10],[20,10],[20,20],[10,20]]},
        {"label":"bus","polygon":[[10,10],[20,10],[20,20]],"deleted":1}]}"#;
    let gt = write("x_gtFine_polygons.json", polygons);
    let found = &formats::import(&gt, Format::Cityscapes).expect("read")[0];
    assert_eq!((&*found.name, found.objects.len()), ("x", 1));
    assert_eq!(found.objects[0].mask.area(), 100);
}

/// The valid files of each format, for tests that break them.
fn samples() -> Vec<(Format, String, Vec<u8>)> {
    let mut samples = Vec::new();
    for (format, name) in [
        (Format::Coco, "instances.json"),
        (Format::CocoCounts, "instances.json"),
        (Format::CocoPolygons, "instances.json"),
        (Format::Labelme, "one.json"),
        (Format::Cvat, "annotations.xml"),
        (Format::Supervisely, "dataset/ann/one.png.json"),
        (
            Format::Cityscapes,
            "gtFine/train/termask/one_gtFine_instanceIds.png",
        ),
        (
            Format::Cityscapes,
            "gtFine/train/termask/one_gtFine_polygons.json",
        ),
        (Format::Instances, "one.png"),
    ] {
        let (_from, out) = exported(format);
        let bytes = fs::read(out.path().join(name)).expect("read");
        let name = Path::new(name).file_name().expect("a file");
        samples.push((format, name.to_string_lossy().into_owned(), bytes));
    }
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn broken_sidecars_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        static SIDECAR: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut broken = SIDECAR.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let paths = labelled(folder.path(), &objects());
            let read = sidecar::read(&paths[0]).expect("read").expect("there");
            fs::read(read.path).expect("read")
        }).clone();
        for (at, byte) in &changes {
            let at = at.index(broken.len());
            broken[at] = *byte;
        }
        if let Err(why) = sidecar::parse(Path::new("a.termask.json"), &broken) {
            prop_assert!(why.to_string().contains("a.termask.json"));
        }
    }

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
