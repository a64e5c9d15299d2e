//! Image files of all kinds, whole and broken, as pictures.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use image::{ImageFormat, Rgb, RgbImage};

use super::*;
use crate::core::geometry::ImagePoint;

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("written");
    (folder, path)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// Left half red, the rest blue; the top left quarter is green.
fn quarters() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(32, 16, |x, y| match (x < 16, y < 8) {
        (true, true) => Rgb([0, 200, 0]),
        (true, false) => Rgb([200, 0, 0]),
        (false, _) => Rgb([0, 0, 200]),
    }))
}

#[test]
fn every_format_gives_the_picture() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    for format in [Jpeg, Png, WebP, Bmp, Tiff, Gif] {
        let (_folder, path) = file("a", &encoded(&quarters(), format));
        let decoded = decode(&path).expect("decoded");
        let [r, g, b] = decoded.image.pixel(ImagePoint::new(4, 4));
        assert!(r < 30 && g > 170 && b < 30, "{format:?}: {r} {g} {b}");
        assert_eq!(decoded.image.size(), Size::new(32, 16));
    }
}

#[test]
fn every_exif_orientation_is_turned_upright() {
    // Where the green quarter, top left in the file, has to come to lie.
    let corners = [
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
    ];
    for (orientation, (right, low)) in (1_u8..).zip(corners) {
        let mut bytes = encoded(&quarters(), ImageFormat::Jpeg);
        let mut exif =
            b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        bytes.splice(2..2, exif);
        let (_folder, path) = file("a.jpg", &bytes);
        let decoded = decode(&path).expect("decoded");
        assert_eq!(decoded.orientation, orientation);
        let size = decoded.image.size();
        let (w, h) = if orientation < 5 { (32, 16) } else { (16, 32) };
        assert_eq!(size, Size::new(w, h));
        let at = ImagePoint::new(3 + right * (w - 7), 3 + low * (h - 7));
        let [r, g, b] = decoded.image.pixel(at);
        assert!(g > 150 && r < 50 && b < 50, "{orientation}: {r} {g} {b}");
    }
}

#[test]
fn sixteen_bit_grey_is_spread_over_its_own_range() {
    let grey = image::ImageBuffer::from_fn(20, 10, |x, _| image::Luma([1000 + x as u16 * 10]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let (_folder, path) = file(
            "a",
            &encoded(&DynamicImage::ImageLuma16(grey.clone()), format),
        );
        let image = decode(&path).expect("decoded").image;
        assert_eq!(image.pixel(ImagePoint::new(0, 0)), [0; 3]);
        assert_eq!(image.pixel(ImagePoint::new(19, 9)), [255; 3]);
    }
}

#[test]
fn what_is_transparent_becomes_grey() {
    let clear = image::RgbaImage::from_pixel(3, 3, image::Rgba([255, 0, 0, 0]));
    let bytes = encoded(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
    let (_folder, path) = file("a.png", &bytes);
    assert_eq!(
        decode(&path)
            .expect("decoded")
            .image
            .pixel(ImagePoint::new(1, 1)),
        [128; 3]
    );
}

#[test]
fn one_pixel_and_a_thin_strip_are_images() {
    for (w, h) in [(1, 1), (30_000, 2)] {
        let bytes = encoded(&DynamicImage::new_rgb8(w, h), ImageFormat::Png);
        let (_folder, path) = file("a.png", &bytes);
        assert_eq!(
            decode(&path).expect("decoded").image.size(),
            Size::new(w, h)
        );
    }
}

#[test]
fn floating_point_is_spread_over_its_own_range_and_no_number_is_black() {
    let mut values: Vec<f32> = (0..300).map(|i| i as f32 * 1e-6 - 7.0).collect();
    values[7] = f32::NAN;
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = ::tiff::encoder::TiffEncoder::new(&mut bytes).expect("begun");
    for _ in 0..2 {
        encoder
            .write_image::<::tiff::encoder::colortype::Gray32Float>(30, 10, &values)
            .expect("written");
    }
    let (_folder, path) = file("depth.tif", &bytes.into_inner());
    let decoded = decode(&path).expect("decoded");
    let at = |x, y| decoded.image.pixel(ImagePoint::new(x, y))[0];
    assert_eq!((at(0, 0), at(7, 0), at(29, 9)), (0, 0, 255));
    assert!(at(0, 5) > 110 && at(0, 5) < 140, "{}", at(0, 5));
    assert_eq!(decoded.depth, Depth::More);
    let wide = Window {
        low: 0.0,
        high: 50.0,
    };
    let decoded = decode_for(&path, wide, &mut Onlooker::nobody()).expect("decoded");
    let half = decoded.image.pixel(ImagePoint::new(0, 6));
    assert_eq!(half, [255; 3], "the upper half is white in this window");
    assert_eq!(size(&path).expect("read"), Size::new(30, 10));
}

#[test]
fn a_palette_gives_its_colours() {
    let mut png = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut png, 2, 2);
    encoder.set_color(::png::ColorType::Indexed);
    encoder.set_depth(::png::BitDepth::One);
    encoder.set_palette(vec![0, 128, 0, 255, 0, 0]);
    let mut writer = encoder.write_header().expect("begun");
    writer.write_image_data(&[0x40, 0x80]).expect("written");
    writer.finish().expect("written");
    let (_folder, path) = file("a", &png);
    let image = decode(&path).expect("decoded").image;
    let pixels: [u8; 12] = [0, 128, 0, 255, 0, 0, 255, 0, 0, 0, 128, 0];
    assert_eq!(image.pixels(), pixels);
}

#[test]
fn four_inks_and_colour_profiles_look_as_they_were_meant() {
    let image = decode(Path::new("tests/data/inks.jpg"))
        .expect("decoded")
        .image;
    let near = |at: ImagePoint, colour: [u8; 3]| {
        let pixel = image.pixel(at);
        let differs = pixel.iter().zip(colour).any(|(a, b)| a.abs_diff(b) > 12);
        assert!(!differs, "{pixel:?} is not {colour:?}");
    };
    near(ImagePoint::new(4, 3), [0, 200, 0]);
    near(ImagePoint::new(4, 13), [200, 0, 0]);
    near(ImagePoint::new(24, 13), [0, 0, 200]);
    let profile = moxcms::ColorProfile::new_display_p3()
        .encode()
        .expect("a profile");
    let orange = DynamicImage::ImageRgb8(RgbImage::from_pixel(8, 8, Rgb([200, 100, 50])));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::set_icc_profile(&mut encoder, profile).expect("taken");
    orange.write_with_encoder(encoder).expect("encoded");
    let (_folder, path) = file("p3.png", &bytes);
    let [r, g, b] = decode(&path)
        .expect("decoded")
        .image
        .pixel(ImagePoint::new(4, 4));
    // By the matrices of Display P3 and sRGB: (214.9, 92.6, 30.9).
    let is = r.abs_diff(215) < 3 && g.abs_diff(93) < 3 && b.abs_diff(31) < 3;
    assert!(is, "{r} {g} {b}");
}

#[test]
fn a_file_that_is_cut_short_is_never_shown_in_silence() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let photo = DynamicImage::ImageRgb8(RgbImage::from_fn(90, 70, |x, y| {
        Rgb([(x * 7 + y) as u8, (x * y) as u8, (y * 3) as u8])
    }));
    for format in [Jpeg, Png, WebP, Bmp, Tiff, Gif] {
        let whole = encoded(&photo, format);
        for percent in (0..100).step_by(3) {
            let cut = &whole[..whole.len() * percent / 100];
            let (_folder, path) = file("half.img", cut);
            let said = match decode(&path) {
                Ok(decoded) => decoded.notes.concat(),
                Err(why) => why.to_string(),
            };
            assert!(said.contains("half.img"), "{format:?} {percent} %: {said}");
        }
        let (_folder, path) = file("half.img", &[&whole[..], b"and more"].concat());
        assert!(
            decode(&path).expect("decoded").notes.is_empty(),
            "{format:?}"
        );
    }
}

#[test]
fn the_upper_part_of_a_jpeg_that_is_cut_short_can_be_looked_at() {
    let bytes = fs::read("assets/rocket.jpg").expect("a demo photo");
    let (_folder, path) = file("rocket.jpg", &bytes[..bytes.len() / 2]);
    let (half, whole) = (decode(&path), decode(Path::new("assets/rocket.jpg")));
    let (half, whole) = (half.expect("decoded"), whole.expect("decoded"));
    assert!(half.notes[0].contains("rocket.jpg") && half.notes[0].contains("cut short"));
    assert!(half.notes[0].contains("copy it again"), "{:?}", half.notes);
    assert!(whole.notes.is_empty());
    assert_eq!(half.image.row(5), whole.image.row(5));
    assert_eq!(half.image.size(), whole.image.size());
}

#[test]
fn what_cannot_be_read_is_told_with_its_name_and_a_remedy() {
    let png = encoded(&quarters(), ImageFormat::Png);
    let bomb = {
        let mut bomb = encoded(&quarters(), ImageFormat::Bmp);
        bomb[18..22].copy_from_slice(&60_000_i32.to_le_bytes());
        bomb[22..26].copy_from_slice(&60_000_i32.to_le_bytes());
        bomb
    };
    let cases: [(&[u8], &str); 4] = [
        (b"", "empty"),
        (b"no picture at all", "convert it"),
        (&png[..png.len() / 2], "copy it again"),
        (&bomb, "too large"),
    ];
    for (bytes, says) in cases {
        let (_folder, path) = file("broken.png", bytes);
        let why = decode(&path).expect_err("no image").to_string();
        assert!(why.contains("broken.png") && why.contains(says), "{why}");
    }
    let why = decode(Path::new("/gone/a.png"))
        .expect_err("gone")
        .to_string();
    assert!(
        why.contains("/gone/a.png") && why.contains("check the name"),
        "{why}"
    );
}

/// Three pages of 30x10, one of them a smaller copy of the first that does not count.
pub(in crate::store) fn pages() -> Vec<u8> {
    use ::tiff::encoder::colortype::{Gray16, RGB8};
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = ::tiff::encoder::TiffEncoder::new(&mut bytes).expect("begun");
    let red: Vec<u8> = [200, 10, 10].repeat(300);
    encoder.write_image::<RGB8>(30, 10, &red).expect("written");
    let mut small = encoder.new_image::<RGB8>(3, 1).expect("begun");
    let kind = ::tiff::tags::Tag::NewSubfileType;
    small.encoder().write_tag(kind, 1_u32).expect("written");
    small.write_data(&red[..9]).expect("written");
    let green: Vec<u8> = [10, 200, 10].repeat(200);
    encoder
        .write_image::<RGB8>(20, 10, &green)
        .expect("written");
    let ramp: Vec<u16> = (0..50).map(|v| 1000 + 10 * v).collect();
    encoder
        .write_image::<Gray16>(10, 5, &ramp)
        .expect("written");
    bytes.into_inner()
}

#[test]
fn each_page_of_a_tiff_is_an_image_with_its_own_pixels_size_and_key() {
    let (_folder, path) = file("scan.tif", &pages());
    let images = pages::all(path.clone());
    let names: Vec<_> = images
        .iter()
        .map(|p| p.file_name().expect("a name"))
        .collect();
    assert_eq!(names, ["scan.tif", "scan.tif#2", "scan.tif#3"]);
    let sizes = [Size::new(30, 10), Size::new(20, 10), Size::new(10, 5)];
    let firsts = [[200, 10, 10], [10, 200, 10], [0; 3]];
    let mut keys = Vec::new();
    for ((image, wanted), first) in images.iter().zip(sizes).zip(firsts) {
        let decoded = decode(image).expect("decoded");
        assert_eq!(decoded.image.size(), wanted);
        assert_eq!(size(image).expect("read"), wanted);
        assert_eq!(decoded.image.pixel(ImagePoint::new(0, 0)), first);
        keys.push(decoded.key);
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2], "{keys:?}");
    let why = decode(&path.with_file_name("scan.tif#4")).expect_err("no page");
    assert!(why.to_string().contains("fewer pages"), "{why}");
}

#[test]
fn another_window_has_another_key_where_there_is_more_to_see_than_bytes() {
    let wide = Window {
        low: 0.0,
        high: 100.0,
    };
    let (_folder, path) = file("scan.tif", &pages());
    let key = |name: &str, window| {
        let decoded = decode_for(&path.with_file_name(name), window, &mut Onlooker::nobody());
        decoded.expect("decoded").key
    };
    let (usual, deep) = (Window::default(), "scan.tif#3");
    assert_eq!(key("scan.tif", usual), key("scan.tif", wide));
    assert_ne!(key(deep, usual), key(deep, wide));
}

#[test]
fn a_tiff_with_a_table_of_colours_gives_its_colours() {
    use ::tiff::tags::Tag;
    for (bits, packed) in [
        (8_u16, vec![1_u8, 0, 3, 2, 2, 1]),
        (4, vec![0x10, 0x30, 0x22, 0x10]),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = ::tiff::encoder::TiffEncoder::new(&mut bytes).expect("begun");
        let mut page = encoder.image_directory().expect("begun");
        let at = page.write_data(packed.as_slice()).expect("written") as u32;
        let mut table = vec![0_u16; 3 << bits];
        for (k, values) in [[0, 200, 0, 9], [0, 0, 100, 8], [50, 0, 0, 7]]
            .iter()
            .enumerate()
        {
            for (i, value) in values.iter().enumerate() {
                table[(k << bits) + i] = value * 257;
            }
        }
        let length = packed.len() as u32;
        let numbers = [
            (Tag::ImageWidth, 3),
            (Tag::ImageLength, 2),
            (Tag::BitsPerSample, u32::from(bits)),
            (Tag::PhotometricInterpretation, 3),
            (Tag::StripOffsets, at),
            (Tag::RowsPerStrip, 2),
            (Tag::StripByteCounts, length),
        ];
        for (tag, value) in numbers {
            page.write_tag(tag, value).expect("written");
        }
        page.write_tag(Tag::ColorMap, table.as_slice())
            .expect("written");
        page.finish().expect("written");
        let (_folder, path) = file("map.tif", &bytes.into_inner());
        let image = decode(&path).expect("decoded").image;
        let colours = [[0, 0, 50], [200, 0, 0], [0, 100, 0], [9, 8, 7]];
        let wanted = [1, 0, 3, 2, 2, 1].map(|i: usize| colours[i]).concat();
        assert_eq!(image.pixels(), wanted, "{bits} bits");
    }
}
