//! PNG, row by row: neither the file nor its values beyond 8 bits are in memory as a whole.

use std::io::{BufRead, Seek};

use image::error::{DecodingError, LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ImageError, ImageFormat, ImageResult};
use png::{BitDepth, ColorType, Decoder, DecodingError as PngError, Reader, Transformations};

use super::canvas::Canvas;
use super::look::Onlooker;
use super::range::{Range, Values, Window};
use super::tone::over_grey;
use super::{Depth, Picture, check, colour};
use crate::core::geometry::{ImageRect, Size};

/// Reads the picture; one that is interlaced or an animation comes at once, not in rows.
pub fn read<R: BufRead + Seek>(
    mut file: R,
    window: Window,
    onlooker: &mut Onlooker<'_>,
) -> ImageResult<Picture> {
    let reader = open(&mut file)?;
    let info = reader.info();
    let size = Size::new(info.width, info.height);
    check(size)?;
    if info.interlaced || info.animation_control.is_some() {
        drop(reader);
        file.rewind()?;
        return super::read(file, ImageFormat::Png, window);
    }
    let exif = info.exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let profile = info.icc_profile.as_deref().map(<[u8]>::to_vec);
    let (colours, bits) = reader.output_color_type();
    let is_wide = bits == BitDepth::Sixteen;
    let is_deep = is_wide && matches!(colours, ColorType::Grayscale | ColorType::Rgb);
    drop(reader);
    let mut canvas = Canvas::new(size, orientation, onlooker);
    if is_deep {
        let mut pass = |take: &mut dyn FnMut(u32, &Values)| {
            each_row(&mut file, size, |y, row| {
                take(y, &Values::Words(words(row).collect()));
            })
        };
        let range = Range::find(window, |take| pass(&mut |_, values| take(values)))?;
        let shown = colours.samples();
        pass(&mut |y, values| canvas.fill(row(size, y), range.pixels(values, shown)))?;
    } else {
        each_row(&mut file, size, |y, bytes| {
            let narrowed: Vec<u8>;
            let mut bytes = bytes;
            if is_wide {
                narrowed = words(bytes).map(narrow).collect();
                bytes = &narrowed;
            }
            let row = row(size, y);
            match colours {
                ColorType::Rgb => canvas.rows(y, 1, |to| to.copy_from_slice(bytes)),
                ColorType::GrayscaleAlpha => {
                    let pixels = bytes.as_chunks().0.iter();
                    canvas.fill(row, pixels.map(|[l, a]| over_grey([*l; 3], *a)));
                }
                ColorType::Rgba => {
                    let pixels = bytes.as_chunks().0.iter();
                    let mixed = pixels.map(|[r, g, b, a]| over_grey([*r, *g, *b], *a));
                    canvas.fill(row, mixed);
                }
                // The reader makes colours of a palette's places.
                ColorType::Grayscale | ColorType::Indexed => {
                    canvas.fill(row, bytes.iter().map(|l| [*l; 3]));
                }
            }
        })?;
    }
    let mut pixels = canvas.finish();
    let notes = profile.and_then(|p| colour::to_srgb(&mut pixels, &p));
    Ok(Picture {
        pixels,
        orientation,
        depth: if is_deep { Depth::More } else { Depth::Bytes },
        notes: notes.into_iter().collect(),
    })
}

fn open<R: BufRead + Seek>(file: &mut R) -> ImageResult<Reader<&mut R>> {
    file.rewind()?;
    let limits = png::Limits {
        bytes: super::MOST_BYTES as usize,
    };
    let mut decoder = Decoder::new_with_limits(file, limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.read_info().map_err(told)
}

/// Reads all rows, from above; a file without its end is refused.
fn each_row<R: BufRead + Seek>(
    file: &mut R,
    size: Size,
    mut take: impl FnMut(u32, &[u8]),
) -> ImageResult<()> {
    let mut reader = open(file)?;
    for y in 0..size.height {
        let row = reader.next_row().map_err(told)?;
        take(
            y,
            row.ok_or_else(|| damaged("it has fewer rows than it says"))?
                .data(),
        );
    }
    reader.finish().map_err(told)
}

const fn row(size: Size, y: u32) -> ImageRect {
    ImageRect::new(0, y, size.width, y + 1)
}

fn words(row: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = row.as_chunks().0.iter();
    pairs.map(|pair| u16::from_be_bytes(*pair))
}

/// The nearest byte.
fn narrow(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

fn told(why: PngError) -> ImageError {
    match why {
        PngError::IoError(why) => ImageError::IoError(why),
        PngError::LimitsExceeded => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
        other => damaged(other),
    }
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Png.into(), why))
}
