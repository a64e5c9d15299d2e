//! JPEG: what is there of a file that is cut short, four inks, colour profiles.

use std::io::Read;

use image::error::{DecodingError, UnsupportedError, UnsupportedErrorKind};
use image::metadata::Orientation;
use image::{ImageError, ImageFormat, ImageResult, RgbImage};
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::look::{self, Onlooker};
use super::{Depth, Picture, check, colour, tone};
use crate::core::geometry::Size;

const CUT_SHORT: &str = "it is cut short and a part of it may be missing: copy it again";

/// Of pictures with more pixels the file's length is looked at, before there is room for them.
const LARGE: u64 = 64 << 20;

/// No JPEG holds more: a block of 8 x 8 pixels takes a bit at least, and one in four where colours
/// are coarser.
const PIXELS_A_BYTE: u64 = 2048;

type Decoder<'a> = zune_jpeg::JpegDecoder<ZCursor<&'a [u8]>>;

fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
}

/// Reads the picture. Its file is small beside its pixels, and at hand as a whole.
pub fn read(file: &mut impl Read, onlooker: &mut Onlooker<'_>) -> ImageResult<Picture> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let bytes = bytes.as_slice();
    let mut decoder = Decoder::new_with_options(ZCursor::new(bytes), options());
    decoder.decode_headers().map_err(told)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let size = Size::new(width as u32, height as u32);
    check(size)?;
    if size.area() > LARGE && size.area() / PIXELS_A_BYTE > bytes.len() as u64 {
        return Err(damaged("it claims far more pixels than it has bytes for"));
    }
    if onlooker.waits_for(size) {
        look::show_jpeg(bytes, onlooker);
    }
    let exif = decoder.exif();
    let orientation = exif.and_then(|e| Orientation::from_exif_chunk(e));
    let profile = decoder.icc_profile();
    let mut notes = Vec::new();
    // Half a picture can be looked at, but not without saying so.
    if !is_whole(bytes) {
        notes.push(CUT_SHORT);
    }
    let pixels = match decoder.input_colorspace() {
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => {
            let (rgb, note) = inks(bytes, size, profile.as_deref())?;
            notes.extend(note);
            rgb
        }
        Some(ColorSpace::Luma) => {
            decoder.set_options(options().jpeg_set_out_colorspace(ColorSpace::Luma));
            let grey = decoder.decode().map_err(told)?;
            if grey.len() as u64 != size.area() {
                return Err(short());
            }
            tone::grey_to_rgb(size.width, size.height, &grey)
        }
        _ => {
            decoder.set_options(options().jpeg_set_out_colorspace(ColorSpace::RGB));
            let rgb = decoder.decode().map_err(told)?;
            let rgb = RgbImage::from_raw(size.width, size.height, rgb);
            let mut rgb = rgb.ok_or_else(short)?;
            if let Some(profile) = profile {
                notes.extend(colour::to_srgb(&mut rgb, &profile));
            }
            rgb
        }
    };
    Ok(Picture {
        depth: Depth::Bytes,
        pixels,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        notes,
    })
}

/// A picture of four inks: this decoder gives them as they are, for their profile.
fn inks(
    bytes: &[u8],
    size: Size,
    profile: Option<&[u8]>,
) -> ImageResult<(RgbImage, Option<&'static str>)> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let cmyk = decoder.decode().map_err(damaged)?;
    let (rgb, note) = colour::from_cmyk(cmyk, profile);
    let rgb = RgbImage::from_raw(size.width, size.height, rgb);
    Ok((rgb.ok_or_else(short)?, note))
}

fn told(why: DecodeErrors) -> ImageError {
    match why {
        DecodeErrors::Unsupported(what) => {
            let kind = UnsupportedErrorKind::GenericFeature(format!("{what:?}"));
            let format = ImageFormat::Jpeg.into();
            ImageError::Unsupported(UnsupportedError::from_format_and_kind(format, kind))
        }
        other => damaged(other),
    }
}

pub(super) fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Jpeg.into(), why))
}

pub(super) fn short() -> ImageError {
    damaged(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
}

/// Whether the markers lead to the end of the image; what comes behind it does not matter.
fn is_whole(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(pair) = bytes.get(at..at + 2) {
        let (mark, kind) = (pair[0], pair[1]);
        if mark != 0xff || kind == 0xff || kind == 0 || kind == 1 || (0xd0..0xd9).contains(&kind) {
            // Pixels, filling, restarts: none of them has a length.
            let next = bytes[at + 1..].iter().position(|b| *b == 0xff);
            let Some(next) = next else { return false };
            at += 1 + next;
            continue;
        }
        if kind == END {
            return true;
        }
        let Some(length) = bytes.get(at + 2..at + 4) else {
            return false;
        };
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        if kind == SCAN && at >= bytes.len() {
            return false;
        }
    }
    false
}
