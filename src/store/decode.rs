//! Image files to upright RGB8 pictures.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use sha2::{Digest, Sha256};

use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::store::error::{Error, Result};

/// Endings of the files that are taken for images.
pub const ENDINGS: [&str; 9] = [
    "jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "jfif",
];

/// More pixels than this are refused: a file of a few bytes can claim any number.
pub const MOST_PIXELS: u64 = 1_000_000_000;

/// A picture with what the sidecar wants to know of its file.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub image: Arc<Image>,
    /// The EXIF orientation that was applied, 1 to 8.
    pub orientation: u8,
    /// sha256 of the file's bytes, hexadecimal.
    pub sha256: String,
    /// The first 8 bytes of the sha256: names the pixels in caches and in the terminal.
    pub key: u64,
}

/// Reads a file of any supported format; of an animation the first frame.
pub fn decode(path: &Path) -> Result<Decoded> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    let refuse = |why: String, remedy| Error::Image {
        path: path.to_path_buf(),
        why,
        remedy,
    };
    if bytes.is_empty() {
        return Err(refuse("the file is empty".into(), "copy it again"));
    }
    // The hash takes as long as the decoding of a small JPEG: both at once.
    let (digest, decoded) = rayon::join(|| Sha256::digest(&bytes), || upright(&bytes));
    let (image, orientation) = decoded.map_err(|why| {
        let remedy = match why {
            image::ImageError::Unsupported(_) => {
                "it is no JPEG, PNG, WebP, BMP, TIFF or GIF that can be read: convert it"
            }
            image::ImageError::Limits(_) => "it is too large: cut it into parts",
            _ => "the file is damaged or cut short: copy it again",
        };
        refuse(why.to_string(), remedy)
    })?;
    let first: [u8; 8] = digest[..8].try_into().expect("a sha256 has 32 bytes");
    Ok(Decoded {
        image: Arc::new(image),
        orientation: orientation.to_exif(),
        sha256: hex::encode(digest),
        key: u64::from_be_bytes(first),
    })
}

/// The size of an upright image, without decoding it.
pub fn size(path: &Path) -> Result<Size> {
    let told = |why: &dyn std::fmt::Display| Error::Image {
        path: path.to_path_buf(),
        why: why.to_string(),
        remedy: "copy it again, or convert it",
    };
    let reader = ImageReader::open(path).map_err(|e| Error::io(path, e))?;
    let reader = reader
        .with_guessed_format()
        .map_err(|e| Error::io(path, e))?;
    let mut decoder = reader.into_decoder().map_err(|e| told(&e))?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(if orientation.to_exif() < 5 {
        Size::new(width, height)
    } else {
        Size::new(height, width)
    })
}

fn upright(bytes: &[u8]) -> image::ImageResult<(Image, Orientation)> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(8 << 30);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || width == 0 || height == 0 {
        let kind = image::error::LimitErrorKind::DimensionError;
        let limit = image::error::LimitError::from_kind(kind);
        return Err(image::ImageError::Limits(limit));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let size = Size::new(picture.width(), picture.height());
    Ok((Image::from_rgb(size, to_rgb(picture)), orientation))
}

/// RGB8; 16-bit grey by its 0.5 to 99.5 percent window, transparency over grey.
fn to_rgb(picture: DynamicImage) -> Vec<u8> {
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb.into_raw(),
        DynamicImage::ImageLuma16(grey) => windowed(&grey)
            .into_iter()
            .flat_map(|v| [v, v, v])
            .collect(),
        DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageRgba8(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgba16(_)
        | DynamicImage::ImageRgba32F(_) => over_grey(&picture.into_rgba8()),
        other => other.into_rgb8().into_raw(),
    }
}

/// Scientific images use a part of the 16 bits only; a plain division would show black.
fn windowed(grey: &image::ImageBuffer<image::Luma<u16>, Vec<u16>>) -> Vec<u8> {
    let mut histogram = vec![0_u64; 1 << 16];
    for v in grey.iter() {
        histogram[usize::from(*v)] += 1;
    }
    let cut = grey.len() as u64 / 200;
    let low = reached(0..=u16::MAX, &histogram, cut);
    let high = reached((0..=u16::MAX).rev(), &histogram, cut).max(low + 1);
    grey.iter()
        .map(|v| (usize::from(*v).clamp(low, high) - low) * 255 / (high - low))
        .map(|v| v as u8)
        .collect()
}

/// The first value with which more than `cut` pixels are passed.
fn reached(values: impl Iterator<Item = u16>, histogram: &[u64], cut: u64) -> usize {
    let mut seen = 0;
    let mut values = values.map(usize::from);
    let found = values.find(|v| {
        seen += histogram[*v];
        seen > cut
    });
    found.unwrap_or(0)
}

fn over_grey(rgba: &image::RgbaImage) -> Vec<u8> {
    const GREY: u32 = 128;
    rgba.pixels()
        .flat_map(|p| {
            let alpha = u32::from(p[3]);
            let mix = |c: u8| ((u32::from(c) * alpha + GREY * (255 - alpha) + 127) / 255) as u8;
            [mix(p[0]), mix(p[1]), mix(p[2])]
        })
        .collect()
}

#[cfg(test)]
mod tests {
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
}
