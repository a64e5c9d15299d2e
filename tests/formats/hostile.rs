//! Files that mean harm: each is refused with a message, quickly and in little memory.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use termask::core::geometry::Size;
use termask::core::rle;
use termask::store::formats::{self, Format};

/// What an import of this text says.
fn refused(name: &str, text: &str, format: Format) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("written");
    let why = formats::import(&path, format)
        .expect_err("refused")
        .to_string();
    assert!(why.contains(name), "{why}");
    assert!(why.chars().all(|c| !c.is_control()), "{why:?}");
    why
}

#[test]
fn sizes_that_no_image_has_are_refused() {
    for side in [
        "0",
        "-4",
        "2000000",
        "4294967296",
        "1e99",
        "99999999999999999999",
    ] {
        let coco = format!(
            r#"{{"images":[{{"id":1,"file_name":"a","width":{side},"height":9}}],"annotations":[]}}"#
        );
        refused("a.json", &coco, Format::Coco);
        let labelme =
            format!(r#"{{"shapes":[],"imagePath":"a","imageHeight":9,"imageWidth":{side}}}"#);
        refused("a.json", &labelme, Format::Labelme);
        let cvat =
            format!(r#"<annotations><image name="a" width="{side}" height="9"/></annotations>"#);
        refused("a.xml", &cvat, Format::Cvat);
    }
}

#[test]
fn a_short_text_that_makes_a_mask_of_gigabytes_is_refused() {
    let side = 30_000_u64;
    let stripes = rle::to_string(&vec![side; side as usize]);
    let stripes = serde_json::to_string(&stripes).expect("text");
    let coco = format!(
        r#"{{"images":[{{"id":1,"file_name":"a","width":{side},"height":{side}}}],"categories":[{{"id":1,"name":"c"}}],
        "annotations":[{{"image_id":1,"category_id":1,"segmentation":{{"size":[{side},{side}],"counts":{stripes}}}}}]}}"#
    );
    let why = refused("a.json", &coco, Format::Coco);
    assert!(why.contains("pieces"), "{why}");
}

#[test]
fn an_outline_that_would_take_for_ever_to_fill_is_refused() {
    let zigzag: Vec<String> = (0..20_000)
        .map(|i| format!("{i},{}", i % 2 * 900_000))
        .collect();
    let cvat = format!(
        r#"<annotations><image name="a" width="900" height="900000"><polygon label="x" points="{}"/></image></annotations>"#,
        zigzag.join(";")
    );
    let why = refused("a.xml", &cvat, Format::Cvat);
    assert!(why.contains("too long"), "{why}");
}

#[test]
fn a_packed_bitmap_that_unpacks_without_end_is_refused() {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![0; 1 << 20]).expect("written");
    }
    let data = STANDARD.encode(packed.finish().expect("packed"));
    let text = format!(
        r#"{{"size":{{"width":9,"height":9}},"objects":[{{"classTitle":"c","geometryType":"bitmap",
        "bitmap":{{"data":"{data}","origin":[0,0]}}}}]}}"#
    );
    let why = refused("a.png.json", &text, Format::Supervisely);
    assert!(why.contains("larger than the image"), "{why}");
}

#[test]
fn deep_nesting_and_numbers_that_are_none_are_refused() {
    let deep = format!("{{\"images\":{}", "[".repeat(200_000));
    refused("a.json", &deep, Format::Coco);
    refused("a.json", &deep, Format::Labelme);
    for number in ["NaN", "Infinity", "1e999"] {
        let shape = format!(
            r#"{{"shapes":[{{"label":"x","points":[[{number},1],[5,5],[1,5]]}}],"imagePath":"a","imageHeight":9,"imageWidth":9}}"#
        );
        refused("a.json", &shape, Format::Labelme);
    }
    let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
        <annotations><image name="&b;" width="9" height="9"/></annotations>"#;
    refused("a.xml", entities, Format::Cvat);
}

#[test]
fn broken_xml_behind_a_byte_order_mark_is_refused_with_its_line() {
    let why = refused("a.xml", "\u{feff}m&l<meta>\n<image", Format::Cvat);
    assert!(why.contains("line 1"), "{why}");
}

#[test]
fn control_characters_in_a_file_are_not_repeated_to_the_terminal() {
    let text = "{\"shapes\":[],\"imagePath\":\"\\u001b[2J/..\",\"imageHeight\":4,\"imageWidth\":4}";
    refused("a.json", text, Format::Labelme);
    refused("a.json", "{\"shapes\": \"\u{9b}31m\"}", Format::Labelme);
}

#[test]
fn names_in_a_file_lead_to_no_other_folder() {
    for name in [
        "../../x.png",
        "/etc/x.png",
        "..\\..\\x.png",
        "a/../../x.png",
    ] {
        let name = serde_json::to_string(name).expect("text");
        let text = format!(r#"{{"shapes":[],"imagePath":{name},"imageHeight":4,"imageWidth":4}}"#);
        let found = formats::parse(Path::new("a.json"), text.as_bytes(), Format::Labelme);
        assert_eq!(found.expect("read")[0].name, "x.png");
    }
}

#[test]
fn the_widest_and_the_tallest_image_are_still_read() {
    for (w, h) in [(1_000_000, 1000), (1000, 1_000_000)] {
        let size = Size::new(w, h);
        let whole = rle::to_string(&[0, size.area()]);
        let mask = rle::mask_from_string(size, &whole).expect("it has a thousand rows");
        assert_eq!(mask.area(), size.area());
    }
}
