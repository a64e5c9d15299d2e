//! TIFF: what microscopes, satellites and depth cameras write, besides plain pictures.

use std::io::{BufRead, Seek, SeekFrom};

use image::error::{DecodingError, UnsupportedError, UnsupportedErrorKind};
use image::metadata::Orientation;
use image::{ImageError, ImageFormat, ImageResult, RgbImage};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{IfdPointer, Tag};
use tiff::{ColorType, TiffError};

use super::canvas::Canvas;
use super::look::Onlooker;
use super::patched::Patched;
use super::range::Window;
use super::strips::{self, Kind};
use super::{Depth, Picture, check, colour, turned};
use crate::core::geometry::Size;

/// Further pages are not listed.
const MOST_PAGES: usize = 65_536;

/// Tags and values that the reading crate has no names for.
const REDUCED_OR_MASK: u32 = 0b101;
const PALETTE: u16 = 3;
const BLACK_IS_ZERO: u64 = 1;
const PLANAR: u16 = 2;

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

/// Goes to a page, and tells its directory; the first one rarely needs a search.
fn turn_to<R: BufRead + Seek>(decoder: &mut Decoder<R>, page: usize) -> ImageResult<usize> {
    if page == 0 && is_page(decoder) {
        return Ok(0);
    }
    let Some(directory) = pages(decoder).get(page).copied() else {
        return Err(damaged("it has fewer pages"));
    };
    decoder.seek_to_image(directory).map_err(told)?;
    Ok(directory)
}

/// The upright size of a page, without decoding.
pub fn size<R: BufRead + Seek>(file: &mut R, page: usize) -> ImageResult<Size> {
    file.rewind()?;
    let mut decoder = open(file)?;
    turn_to(&mut decoder, page)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    Ok(turned(Size::new(width, height), orientation(&mut decoder)))
}

/// Reads a page. Strips and tiles are turned into pixels one by one.
pub fn read<R: BufRead + Seek>(
    mut file: R,
    page: usize,
    window: Window,
    onlooker: &mut Onlooker<'_>,
) -> ImageResult<Picture> {
    let mut decoder = open(Patched::new(&mut file)?)?;
    let directory = turn_to(&mut decoder, page)?;
    let (width, height) = decoder.dimensions().map_err(told)?;
    let size = Size::new(width, height);
    check(size)?;
    let orientation = orientation(&mut decoder);
    let profile = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    let at = decoder.ifd_pointer();
    let IfdPointer(at) = at.ok_or_else(|| damaged("it has no pages"))?;
    let photometric = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation);
    if photometric.ok().flatten() == Some(PALETTE) {
        let table = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(told)?;
        let bits = decoder.find_tag_unsigned::<u16>(Tag::BitsPerSample);
        let bits = usize::from(bits.map_err(told)?.unwrap_or(1));
        drop(decoder);
        return Ok(Picture {
            pixels: indexed(&mut file, at, size, &table, bits)?,
            orientation,
            depth: Depth::Bytes,
            notes: Vec::new(),
        });
    }
    let Some(kind) = kind(&mut decoder)? else {
        drop(decoder);
        let picture = super::read(first_page(&mut file, at)?, ImageFormat::Tiff, window)?;
        return Ok(Picture {
            orientation,
            ..picture
        });
    };
    let mut nobody = Onlooker::nobody();
    let mut onlooker = onlooker;
    if onlooker.waits_for(size)
        && let Some(smaller) = smaller(&mut decoder, directory, window, onlooker.longest)?
    {
        onlooker.show(smaller, size, orientation);
        onlooker = &mut nobody;
    }
    let canvas = Canvas::new(size, orientation, onlooker);
    let mut pixels = strips::paint(&mut decoder, kind, size, window, canvas)?;
    let mut notes = Vec::new();
    if let Kind::Deep { bands, shown } = kind
        && bands != shown
    {
        notes.push("it has several bands and the first is shown: convert it to see others");
    }
    notes.extend(profile.and_then(|p| colour::to_srgb(&mut pixels, &p)));
    Ok(Picture {
        pixels,
        orientation,
        depth: match kind {
            Kind::Deep { .. } => Depth::More,
            Kind::Bytes { .. } => Depth::Bytes,
        },
        notes,
    })
}

/// How the values of the page become pixels; `None` of what the other reader knows alone.
fn kind<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> ImageResult<Option<Kind>> {
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat);
    let is_plain = formats
        .ok()
        .flatten()
        .is_none_or(|f| f.iter().all(|f| *f == 1));
    let planes = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration);
    let is_planar = planes.ok().flatten() == Some(PLANAR);
    Ok(match decoder.colortype().map_err(told)? {
        ColorType::Gray(8) if is_plain => Some(Kind::Bytes { bands: 1 }),
        ColorType::RGB(8) if is_plain && !is_planar => Some(Kind::Bytes { bands: 3 }),
        ColorType::RGBA(8) if is_plain && !is_planar => Some(Kind::Bytes { bands: 4 }),
        ColorType::Gray(bits) if bits >= 16 || !is_plain => Some(Kind::Deep { bands: 1, shown: 1 }),
        ColorType::RGB(16 | 32 | 64) if !is_planar => Some(Kind::Deep { bands: 3, shown: 3 }),
        // Of planes only the first is read.
        ColorType::Multiband { num_samples, .. } => Some(Kind::Deep {
            bands: if is_planar {
                1
            } else {
                usize::from(num_samples.max(1))
            },
            shown: 1,
        }),
        _ => None,
    })
}

/// The smallest of the copies behind a page that has a side of `longest`: it fills a screen.
fn smaller<R: BufRead + Seek>(
    decoder: &mut Decoder<R>,
    directory: usize,
    window: Window,
    longest: u32,
) -> ImageResult<Option<RgbImage>> {
    let (width, height) = decoder.dimensions().map_err(told)?;
    let most = Size::new(width, height).area() / 4;
    let mut best: Option<(usize, Size, Kind)> = None;
    for at in directory + 1..MOST_PAGES {
        if !decoder.more_images() || decoder.next_image().is_err() || is_page(decoder) {
            break;
        }
        let Ok((width, height)) = decoder.dimensions() else {
            continue;
        };
        let size = Size::new(width, height);
        let fits = size.longest() >= longest && size.area() <= most;
        let is_less = best.is_none_or(|(_, least, _)| size.area() < least.area());
        if let Ok(Some(kind)) = kind(decoder)
            && fits
            && is_less
        {
            best = Some((at, size, kind));
        }
    }
    let mut copy = None;
    if let Some((at, size, kind)) = best {
        let mut nobody = Onlooker::nobody();
        let canvas = Canvas::new(size, Orientation::NoTransforms, &mut nobody);
        // A copy that is damaged is none.
        if decoder.seek_to_image(at).is_ok() {
            copy = strips::paint(decoder, kind, size, window, canvas).ok();
        }
    }
    decoder.seek_to_image(directory).map_err(told)?;
    Ok(copy)
}

/// The file as if the page at `at` were its first: other readers know no others.
fn first_page<R: BufRead + Seek>(file: &mut R, at: u64) -> ImageResult<Patched<&mut R>> {
    let format = Format::of(file)?;
    let length = if format.is_big { 8 } else { 4 };
    let first = format.number(at, length);
    Ok(Patched::new(file)?.with(length as u64, first))
}

/// How a file writes its numbers.
#[derive(Debug, Clone, Copy)]
struct Format {
    is_big_endian: bool,
    /// `BigTIFF` has wider numbers and says so after the byte order.
    is_big: bool,
}

impl Format {
    fn of<R: BufRead + Seek>(file: &mut R) -> ImageResult<Self> {
        let mut head = [0; 4];
        file.rewind()?;
        file.read_exact(&mut head)?;
        Ok(Self {
            is_big_endian: head[0] == b'M',
            is_big: head.contains(&43),
        })
    }

    /// Where the value of a tag lies, of the directory at `at`.
    fn value_of<R: BufRead + Seek>(self, file: &mut R, at: u64, tag: u16) -> ImageResult<u64> {
        let (head, length, value) = if self.is_big { (8, 20, 12) } else { (2, 12, 8) };
        file.seek(SeekFrom::Start(at.saturating_add(head)))?;
        let mut entry = vec![0; length];
        for number in 0..MOST_PAGES as u64 {
            file.read_exact(&mut entry)?;
            if entry[..2] == self.number(tag.into(), 2) {
                return Ok(at + head + number * length as u64 + value);
            }
        }
        Err(damaged("its directory cannot be read"))
    }

    /// The last bytes of a number in the file's order.
    fn number(self, value: u64, length: usize) -> Vec<u8> {
        if self.is_big_endian {
            value.to_be_bytes()[8 - length..].to_vec()
        } else {
            value.to_le_bytes()[..length].to_vec()
        }
    }
}

/// A page whose values are places in a table of colours. The reading crate refuses those, so it is
/// told that they are grey.
fn indexed<R: BufRead + Seek>(
    file: &mut R,
    at: u64,
    size: Size,
    table: &[u16],
    bits: usize,
) -> ImageResult<RgbImage> {
    if !matches!(bits, 1 | 2 | 4 | 8) || table.len() != 3 << bits {
        return Err(damaged("its table of colours does not fit its values"));
    }
    let format = Format::of(file)?;
    let value = format.value_of(file, at, Tag::PhotometricInterpretation.to_u16())?;
    let grey = format.number(BLACK_IS_ZERO, 2);
    let mut page = open(first_page(file, at)?.with(value, grey))?;
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

fn orientation<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> Orientation {
    let tag = decoder.find_tag_unsigned::<u8>(Tag::Orientation);
    let known = tag.ok().flatten().and_then(Orientation::from_exif);
    known.unwrap_or(Orientation::NoTransforms)
}

pub(super) fn told(why: TiffError) -> ImageError {
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

pub(super) fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Tiff.into(), why))
}
