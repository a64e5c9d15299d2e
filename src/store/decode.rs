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
const MOST_PIXELS: u64 = 1_000_000_000;

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
    let pairs = || histogram.iter().copied().enumerate();
    let low = reach(pairs(), cut);
    let high = reach(pairs().rev(), cut).max(low + 1);
    grey.iter()
        .map(|v| (usize::from(*v).clamp(low, high) - low) * 255 / (high - low))
        .map(|v| v as u8)
        .collect()
}

/// The first value beyond which more than `cut` pixels lie behind.
fn reach(values: impl Iterator<Item = (usize, u64)>, cut: u64) -> usize {
    let mut seen = 0;
    for (value, count) in values {
        seen += count;
        if seen > cut {
            return value;
        }
    }
    0
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
