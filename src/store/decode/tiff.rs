//! TIFF: what microscopes, satellites and depth cameras write, besides plain pictures.

use std::io::{BufRead, Seek};

use image::error::{DecodingError, UnsupportedError, UnsupportedErrorKind};
use image::metadata::Orientation;
use image::{ImageError, ImageFormat, ImageResult, RgbImage};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{ByteOrder, IfdPointer, Tag};
use tiff::{ColorType, TiffError};

use super::patched::Patched;
use super::tone::{self, Window};
use super::{Depth, Picture, check, colour, turned};
use crate::core::geometry::Size;

/// Further pages are not listed.
const MOST_PAGES: usize = 65_536;

/// Tags and values that the reading crate has no names for.
const REDUCED_OR_MASK: u32 = 0b101;
const PALETTE: u16 = 3;
const BLACK_IS_ZERO: u64 = 1;
const PLANAR: u16 = 2;

type Tiff<'a> = Decoder<Patched<'a>>;

/// Opens a TIFF with room for large images.
fn open<R: BufRead + Seek>(file: R) -> ImageResult<Decoder<R>> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = super::MOST_BYTES as usize;
    limits.intermediate_buffer_size = super::MOST_BYTES as usize;
    limits.ifd_value_size = 64 << 20;
    Ok(Decoder::new(file).map_err(told)?.with_limits(limits))
}

/// How many pages a file has: smaller copies of a page and masks are none. What cannot be read has
/// one.
pub fn page_count<R: BufRead + Seek>(file: R) -> usize {
    open(file).map_or(1, |mut decoder| pages(&mut decoder).len())
}

/// Which directories are pages; the first one where none says so.
fn pages<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> Vec<usize> {
    let mut pages = Vec::new();
    for directory in 0..MOST_PAGES {
        if is_page(decoder) {
            pages.push(directory);
        }
        // A chain that is damaged ends there.
        if !decoder.more_images() || decoder.next_image().is_err() {
            break;
        }
    }
    if pages.is_empty() {
        pages.push(0);
    }
    pages
}

fn is_page<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> bool {
    let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType);
    kind.ok().flatten().unwrap_or(0) & REDUCED_OR_MASK == 0
}

/// Goes to a page; the first one rarely needs a search.
fn turn_to<R: BufRead + Seek>(decoder: &mut Decoder<R>, page: usize) -> ImageResult<()> {
    if page == 0 && is_page(decoder) {
        return Ok(());
    }
    let Some(directory) = pages(decoder).get(page).copied() else {
        return Err(damaged("it has fewer pages"));
    };
    decoder.seek_to_image(directory).map_err(told)
}

/// The upright size of a page, without decoding.
pub fn size<R: BufRead + Seek>(file: &mut R, page: usize) -> ImageResult<Size> {
    file.rewind()?;
    let mut decoder = open(file)?;
    turn_to(&mut decoder, page)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    Ok(turned(Size::new(width, height), orientation(&mut decoder)))
}

pub fn read(bytes: &[u8], page: usize, window: Window) -> ImageResult<Picture> {
    let mut decoder = open(Patched::new(bytes))?;
    turn_to(&mut decoder, page)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    check(Size::new(width, height))?;
    let orientation = orientation(&mut decoder);
    let mut notes = Vec::new();
    let photometric = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation);
    if photometric.ok().flatten() == Some(PALETTE) {
        return Ok(Picture {
            pixels: indexed(bytes, &mut decoder, Size::new(width, height))?,
            orientation,
            depth: Depth::Bytes,
            notes,
        });
    }
    let colours = decoder.colortype().map_err(told)?;
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat);
    let is_plain = formats
        .ok()
        .flatten()
        .is_none_or(|f| f.iter().all(|f| *f == 1));
    let planes = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration);
    let is_planar = planes.ok().flatten() == Some(PLANAR);
    let (pixels, depth) = match colours {
        ColorType::Gray(bits) if bits > 16 || !is_plain => {
            let grey = tone::floats(&values(&mut decoder)?, window);
            (grey_of(width, height, &grey)?, Depth::More)
        }
        ColorType::Multiband { num_samples, .. } => {
            let all = values(&mut decoder)?;
            let first = all.iter().step_by(usize::from(num_samples.max(1)));
            let first: Vec<f32> = first.copied().collect();
            notes.push("it has several bands and the first is shown: convert it to see others");
            let grey = tone::floats(&first, window);
            (grey_of(width, height, &grey)?, Depth::More)
        }
        // The other reader would hold these twice.
        ColorType::RGB(8) if is_plain && !is_planar => {
            let profile = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
            let DecodingResult::U8(rgb) = decoder.read_image().map_err(told)? else {
                return Err(damaged("its values are no bytes"));
            };
            let rgb = RgbImage::from_raw(width, height, rgb);
            let mut rgb = rgb.ok_or_else(|| damaged("it has fewer values than pixels"))?;
            notes.extend(profile.and_then(|p| colour::to_srgb(&mut rgb, &p)));
            (rgb, Depth::Bytes)
        }
        _ => {
            let page = first_page(bytes, &mut decoder)?;
            let picture = super::read(page, ImageFormat::Tiff, window)?;
            notes.extend(picture.notes);
            (picture.pixels, picture.depth)
        }
    };
    Ok(Picture {
        pixels,
        orientation,
        depth,
        notes,
    })
}

/// The file as if the page that the decoder is at were its first: other readers know no others.
fn first_page<'a>(bytes: &'a [u8], decoder: &mut Tiff) -> ImageResult<Patched<'a>> {
    let Some(IfdPointer(at)) = decoder.ifd_pointer() else {
        return Err(damaged("it has no pages"));
    };
    let length = if is_big(bytes, decoder) { 8 } else { 4 };
    Ok(Patched::new(bytes).with(length, number(at, length, decoder)))
}

/// `BigTIFF` has wider numbers and says so after the byte order.
fn is_big(bytes: &[u8], decoder: &mut Tiff) -> bool {
    bytes.get(2..4) == Some(&number(43, 2, decoder))
}

/// The last bytes of a number in the file's order.
fn number(value: u64, length: usize, decoder: &Tiff) -> Vec<u8> {
    match decoder.byte_order() {
        ByteOrder::LittleEndian => value.to_le_bytes()[..length].to_vec(),
        ByteOrder::BigEndian => value.to_be_bytes()[8 - length..].to_vec(),
    }
}

/// A page whose values are places in a table of colours. The reading crate refuses those, so it is
/// told that they are grey.
fn indexed(bytes: &[u8], decoder: &mut Tiff, size: Size) -> ImageResult<RgbImage> {
    let table = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(told)?;
    let bits = decoder.find_tag_unsigned::<u16>(Tag::BitsPerSample);
    let bits = usize::from(bits.map_err(told)?.unwrap_or(1));
    if !matches!(bits, 1 | 2 | 4 | 8) || table.len() != 3 << bits {
        return Err(damaged("its table of colours does not fit its values"));
    }
    let at = entry(bytes, decoder, Tag::PhotometricInterpretation.to_u16())
        .ok_or_else(|| damaged("its directory cannot be read"))?;
    let value = at + if is_big(bytes, decoder) { 12 } else { 8 };
    let grey = number(BLACK_IS_ZERO, 2, decoder);
    let mut page = open(first_page(bytes, decoder)?.with(value, grey))?;
    let DecodingResult::U8(packed) = page.read_image().map_err(told)? else {
        return Err(damaged("its values are no bytes"));
    };
    let count = table.len() / 3;
    // Colours have 16 bits; some writers fill the lower half only.
    let shift = if table.iter().any(|v| *v > 255) { 8 } else { 0 };
    let colour = |i: usize| [0, 1, 2].map(|k| (table[k * count + i] >> shift) as u8);
    let width = size.width as usize;
    let row_bytes = (width * bits).div_ceil(8);
    if packed.len() < row_bytes * size.height as usize {
        return Err(damaged("it has fewer values than pixels"));
    }
    let mut rgb = RgbImage::new(size.width, size.height);
    let rows = rgb
        .chunks_exact_mut(3 * width)
        .zip(packed.chunks_exact(row_bytes));
    for (to, from) in rows {
        for (x, pixel) in to.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let bit = x * bits;
            let byte = usize::from(from[bit / 8]);
            let index = byte >> (8 - bits - bit % 8) & ((1 << bits) - 1);
            *pixel = colour(index);
        }
    }
    Ok(rgb)
}

/// Where the entry of a tag lies in the directory that the decoder is at.
fn entry(bytes: &[u8], decoder: &mut Tiff, tag: u16) -> Option<usize> {
    let at = usize::try_from(decoder.ifd_pointer()?.0).ok()?;
    let (head, length) = if is_big(bytes, decoder) {
        (8, 20)
    } else {
        (2, 12)
    };
    let wanted = number(tag.into(), 2, decoder);
    let entries = bytes.get(at.checked_add(head)?..)?.chunks_exact(length);
    let place = entries.take(MOST_PAGES).position(|e| e[..2] == wanted)?;
    Some(at + head + place * length)
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
