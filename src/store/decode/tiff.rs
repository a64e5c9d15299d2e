//! TIFF: what microscopes, satellites and depth cameras write, besides plain pictures.

use std::io::{BufRead, Cursor, Seek};

use image::error::{DecodingError, UnsupportedError, UnsupportedErrorKind};
use image::metadata::Orientation;
use image::{ImageError, ImageFormat, ImageResult, RgbImage};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::tone::{self, Window};
use super::{Picture, check, turned};
use crate::core::geometry::Size;

const PAGES: &str = "it has several pages and the first is shown: split it to annotate the others";

/// The upright size, without decoding.
pub fn size<R: BufRead + Seek>(file: &mut R) -> ImageResult<Size> {
    file.rewind()?;
    let mut decoder = Decoder::new(file).map_err(told)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    Ok(turned(Size::new(width, height), orientation(&mut decoder)))
}

pub fn read(bytes: &[u8], window: Window) -> ImageResult<Picture> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(told)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    check(Size::new(width, height))?;
    let orientation = orientation(&mut decoder);
    let mut notes = Vec::new();
    if decoder.more_images() {
        notes.push(PAGES);
    }
    let colours = decoder.colortype().map_err(told)?;
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat);
    let is_plain = formats
        .ok()
        .flatten()
        .is_none_or(|f| f.iter().all(|f| *f == 1));
    let pixels = match colours {
        ColorType::Gray(bits) if bits > 16 || !is_plain => {
            let grey = tone::floats(&values(&mut decoder)?, window);
            grey_of(width, height, &grey)?
        }
        ColorType::Multiband { num_samples, .. } => {
            let all = values(&mut decoder)?;
            let first = all.iter().step_by(usize::from(num_samples.max(1)));
            let first: Vec<f32> = first.copied().collect();
            notes.push("it has several bands and the first is shown: convert it to see others");
            grey_of(width, height, &tone::floats(&first, window))?
        }
        _ => {
            let picture = super::read(bytes, ImageFormat::Tiff, window)?;
            notes.extend(picture.notes);
            picture.pixels
        }
    };
    Ok(Picture {
        pixels,
        orientation,
        notes,
    })
}

fn grey_of(width: u32, height: u32, grey: &[u8]) -> ImageResult<RgbImage> {
    if grey.len() as u64 != Size::new(width, height).area() {
        return Err(damaged("it has fewer values than pixels"));
    }
    Ok(tone::grey_to_rgb(width, height, grey))
}

fn orientation<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> Orientation {
    let tag = decoder.find_tag_unsigned::<u8>(Tag::Orientation);
    let known = tag.ok().flatten().and_then(Orientation::from_exif);
    known.unwrap_or(Orientation::NoTransforms)
}

/// All samples as floating point, whatever the file has.
fn values<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> ImageResult<Vec<f32>> {
    Ok(match decoder.read_image().map_err(told)? {
        DecodingResult::U8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::U64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::F16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::F32(v) => v,
        DecodingResult::F64(v) => v.into_iter().map(|v| v as f32).collect(),
    })
}

fn told(why: TiffError) -> ImageError {
    match why {
        TiffError::IoError(why) => ImageError::IoError(why),
        TiffError::UnsupportedError(what) => {
            let kind = UnsupportedErrorKind::GenericFeature(what.to_string());
            let format = ImageFormat::Tiff.into();
            ImageError::Unsupported(UnsupportedError::from_format_and_kind(format, kind))
        }
        TiffError::LimitsExceeded => {
            let kind = image::error::LimitErrorKind::InsufficientMemory;
            ImageError::Limits(image::error::LimitError::from_kind(kind))
        }
        other => damaged(other),
    }
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Tiff.into(), why))
}
