//! Pictures that are read in parts: they are those that come from one piece, and large ones are
//! seen early.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use ::tiff::encoder::TiffEncoder;
use ::tiff::encoder::colortype::{ColorType, Gray8, Gray16, Gray32Float, RGB8, RGB16, RGBA8};
use ::tiff::tags::Tag;
use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::core::geometry::ImagePoint;

const SIDE: u32 = 64;

fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

/// Each pixel tells its place.
fn places() -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        image::Rgb([100 + x as u8, 100 + y as u8, 7])
    })
}

/// What an onlooker sees to whom pictures of 100 pixels are large, and 16 pixels fill a screen.
fn seen(path: &Path) -> (Decoded, Vec<Look>) {
    let mut looks = Vec::new();
    let mut tell = |look| looks.push(look);
    let mut onlooker = Onlooker::new(path, &mut tell);
    (onlooker.least, onlooker.longest) = (100, 16);
    let decoded = decode_for(path, Window::default(), &mut onlooker);
    (decoded.expect("decoded"), looks)
}

fn pixel(look: &Look, x: u32, y: u32) -> [u8; 3] {
    look.photo.image.pixel(ImagePoint::new(x, y))
}

#[test]
fn a_large_png_is_seen_from_above_while_it_is_read() {
    let mut bytes = Cursor::new(Vec::new());
    let encoded = places().write_to(&mut bytes, ImageFormat::Png);
    encoded.expect("encoded");
    let (_folder, path) = written("a.png", &bytes.into_inner());
    let (decoded, looks) = seen(&path);
    assert_eq!(decoded.image.pixels(), places().as_raw());
    assert_eq!(looks.len(), 4);
    for (look, rows) in looks.iter().zip([1, 2, 4, 8]) {
        assert_eq!(look.photo.image.size(), Size::new(16, 16));
        assert_eq!(look.whole, Size::new(SIDE, SIDE));
        for y in 0..16 {
            let there = [132, 100 + 4 * y as u8, 7];
            let wanted = if y < rows { there } else { [0; 3] };
            assert_eq!(pixel(look, 8, y), wanted, "{y} of {rows}");
        }
    }
}

/// A TIFF of one page in strips of so many rows.
fn tiff<C: ColorType>(rows: u32, values: &[C::Inner]) -> Vec<u8>
where
    [C::Inner]: ::tiff::encoder::TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("begun");
    let mut page = encoder.new_image::<C>(SIDE, SIDE).expect("begun");
    page.rows_per_strip(rows).expect("begun");
    page.write_data(values).expect("written");
    bytes.into_inner()
}

#[test]
fn of_a_large_tiff_in_thin_strips_the_whole_is_seen_first() {
    let (_folder, path) = written("a.tif", &tiff::<RGB8>(1, places().as_raw()));
    let (decoded, looks) = seen(&path);
    assert_eq!(decoded.image.pixels(), places().as_raw());
    let [look] = looks.as_slice() else {
        panic!("{} looks", looks.len());
    };
    for y in 0..16 {
        assert_eq!(pixel(look, 8, y), [132, 100 + 4 * y as u8, 7]);
    }
}

#[test]
fn a_smaller_copy_in_a_large_tiff_is_seen_first() {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("begun");
    let written_whole = encoder.write_image::<RGB8>(SIDE, SIDE, places().as_raw());
    written_whole.expect("written");
    for (side, value) in [(32, 1), (20, 2), (8, 3)] {
        let mut copy = encoder.new_image::<Gray8>(side, side).expect("begun");
        let kind = copy.encoder().write_tag(Tag::NewSubfileType, 1_u32);
        kind.expect("written");
        let values = vec![value; (side * side) as usize];
        copy.write_data(&values).expect("written");
    }
    let (_folder, path) = written("a.tif", &bytes.into_inner());
    let (decoded, looks) = seen(&path);
    assert_eq!(decoded.image.pixels(), places().as_raw());
    assert_eq!(looks.len(), 1);
    assert_eq!(looks[0].photo.image.size(), Size::new(20, 20));
    assert_eq!(pixel(&looks[0], 3, 3), [2; 3]);
}

#[test]
fn a_tiff_in_tiles_is_put_together() {
    const TILE: u32 = 16;
    let (width, height) = (20_u32, 35_u32);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("begun");
    let mut page = encoder.image_directory().expect("begun");
    let value = |x: u32, y: u32| (7 * x + y) as u8;
    let mut offsets = Vec::new();
    for tile in 0..6 {
        let (left, top) = (tile % 2 * TILE, tile / 2 * TILE);
        let pixels = (0..TILE * TILE).map(|i| value(left + i % TILE, top + i / TILE));
        let pixels: Vec<u8> = pixels.collect();
        offsets.push(page.write_data(pixels.as_slice()).expect("written") as u32);
    }
    for (tag, number) in [
        (Tag::ImageWidth, width),
        (Tag::ImageLength, height),
        (Tag::BitsPerSample, 8),
        (Tag::PhotometricInterpretation, 1),
        (Tag::TileWidth, TILE),
        (Tag::TileLength, TILE),
    ] {
        page.write_tag(tag, number).expect("written");
    }
    let counts = vec![TILE * TILE; 6];
    for (tag, numbers) in [(Tag::TileOffsets, offsets), (Tag::TileByteCounts, counts)] {
        page.write_tag(tag, numbers.as_slice()).expect("written");
    }
    page.finish().expect("written");
    let (_folder, path) = written("a.tif", &bytes.into_inner());
    let image = decode(&path).expect("decoded").image;
    for (x, y) in [(0, 0), (15, 15), (16, 15), (19, 34), (3, 32)] {
        assert_eq!(
            image.pixel(ImagePoint::new(x, y)),
            [value(x, y); 3],
            "{x} {y}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn strips_of_any_height_give_the_same_pixels(rows in 1..SIDE, seed in any::<u32>()) {
        let noise = |i: u32| i.wrapping_mul(2_654_435_761).wrapping_add(seed).rotate_left(i % 31);
        let bytes: Vec<u8> = (0..4 * SIDE * SIDE).map(|i| noise(i) as u8).collect();
        let words: Vec<u16> = bytes.iter().map(|v| u16::from(*v) * 99).collect();
        let floats: Vec<f32> = bytes.iter().map(|v| f32::from(*v) / -7.0).collect();
        let count = (SIDE * SIDE) as usize;
        let of = |rows: u32| [
            tiff::<Gray8>(rows, &bytes[..count]),
            tiff::<RGB8>(rows, &bytes[..3 * count]),
            tiff::<RGBA8>(rows, &bytes),
            tiff::<Gray16>(rows, &words[..count]),
            tiff::<RGB16>(rows, &words[..3 * count]),
            tiff::<Gray32Float>(rows, &floats[..count]),
        ];
        for (strips, whole) in of(rows).iter().zip(of(SIDE)) {
            let whole = decode_bytes(&whole).expect("decoded");
            prop_assert_eq!(decode_bytes(strips).expect("decoded"), whole);
        }
    }

    #[test]
    fn the_rows_of_a_png_are_those_of_the_whole(seed in any::<u32>()) {
        let noise = |i: u32| i.wrapping_mul(2_654_435_761).wrapping_add(seed).rotate_left(i % 31);
        let deep = image::Rgba32FImage::from_fn(SIDE, 9, |x, y| {
            image::Rgba([0, 1, 2, 3].map(|k| noise(4 * (x + y * SIDE) + k) as f32 / u32::MAX as f32))
        });
        let deep = DynamicImage::ImageRgba32F(deep);
        for picture in [
            DynamicImage::ImageLuma8(deep.to_luma8()),
            DynamicImage::ImageLumaA8(deep.to_luma_alpha8()),
            DynamicImage::ImageRgb8(deep.to_rgb8()),
            DynamicImage::ImageRgba8(deep.to_rgba8()),
            DynamicImage::ImageLuma16(deep.to_luma16()),
            DynamicImage::ImageLumaA16(deep.to_luma_alpha16()),
            DynamicImage::ImageRgb16(deep.to_rgb16()),
            DynamicImage::ImageRgba16(deep.to_rgba16()),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, ImageFormat::Png).expect("encoded");
            let rows = decode_bytes(&bytes.into_inner()).expect("decoded");
            let whole = tone::rgb(picture, Window::default());
            prop_assert_eq!(rows.pixels(), whole.as_raw());
        }
    }

    #[test]
    fn broken_pictures_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        static SAMPLES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        for bytes in SAMPLES.get_or_init(samples) {
            let mut broken = bytes.clone();
            for (at, byte) in &changes {
                let at = at.index(broken.len());
                broken[at] = *byte;
            }
            if let Some(cut) = cut {
                broken.truncate(cut.index(broken.len()));
            }
            // A larger picture takes longer and tries nothing else.
            if size_of_bytes(&broken).is_ok_and(|size| size.area() < 1 << 18) {
                let _ = decode_bytes(&broken);
            }
        }
    }
}

/// A small picture of every kind.
fn samples() -> Vec<Vec<u8>> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let picture = DynamicImage::ImageRgb8(places());
    let picture = picture.crop_imm(0, 0, 19, 13);
    let bytes: Vec<u8> = (0..4 * SIDE * SIDE).map(|i| (i * i) as u8).collect();
    let count = (SIDE * SIDE) as usize;
    let words: Vec<u16> = bytes.iter().map(|v| u16::from(*v) * 99).collect();
    let floats: Vec<f32> = bytes.iter().map(|v| f32::from(*v) / -7.0).collect();
    let mut samples = vec![
        tiff::<Gray8>(9, &bytes[..count]),
        tiff::<RGBA8>(64, &bytes),
        tiff::<RGB16>(7, &words[..3 * count]),
        tiff::<Gray32Float>(20, &floats[..count]),
        super::tests::pages(),
        std::fs::read("tests/data/inks.jpg").expect("there"),
    ];
    let grey = DynamicImage::ImageLumaA16(picture.to_luma_alpha16());
    let pictures = [Bmp, Gif, Jpeg, Png, Tiff, WebP].map(|format| (&picture, format));
    for (picture, format) in pictures.into_iter().chain([(&grey, Png)]) {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("encoded");
        samples.push(bytes.into_inner());
    }
    samples
}
