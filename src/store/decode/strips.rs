//! The strips or tiles of a TIFF, each turned into pixels before the next one is read.

use std::io::{BufRead, Seek};

use image::{ImageResult, RgbImage};
use tiff::decoder::{Decoder, DecodingResult};

use super::canvas::Canvas;
use super::range::{Range, Values, Window};
use super::tiff::{damaged, told};
use super::tone;
use crate::core::geometry::{ImageRect, Size};

/// How a page's values become pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A byte a value: grey, colours, or colours and how opaque they are.
    Bytes { bands: usize },
    /// More: the first values of each pixel are shown through the window.
    Deep { bands: usize, shown: usize },
}

/// Fills the canvas with the page that the decoder is at.
pub fn paint<R: BufRead + Seek>(
    decoder: &mut Decoder<R>,
    kind: Kind,
    size: Size,
    window: Window,
    mut canvas: Canvas<'_, '_>,
) -> ImageResult<RgbImage> {
    let strips = Strips::of(decoder, size)?;
    let order = strips.order(&mut canvas);
    match kind {
        Kind::Bytes { bands } => {
            for strip in order {
                strips.paint(decoder, strip, bands, &mut canvas)?;
            }
        }
        Kind::Deep { bands, shown } => {
            let mut pass = |take: &mut dyn FnMut(ImageRect, &Values)| {
                for strip in order.clone() {
                    let values = decoder.read_chunk(strip).map_err(told)?;
                    let values = picked(values, bands, shown);
                    let rect = strips.rect(strip);
                    if values.len() < rect_area(rect) * shown {
                        return Err(damaged("it has fewer values than pixels"));
                    }
                    take(rect, &values);
                }
                Ok(())
            };
            let range = Range::find(window, |take| pass(&mut |_, values| take(values)))?;
            pass(&mut |rect, values| canvas.fill(rect, range.pixels(values, shown)))?;
        }
    }
    Ok(canvas.finish())
}

/// How a page is divided.
#[derive(Debug, Clone, Copy)]
struct Strips {
    page: Size,
    /// The size of one; those at the right and lower border may be smaller.
    one: Size,
}

impl Strips {
    fn of<R: BufRead + Seek>(decoder: &Decoder<R>, page: Size) -> ImageResult<Self> {
        let (width, height) = decoder.chunk_dimensions();
        let one = Size::new(width, height);
        if one.area() == 0 {
            return Err(damaged("its strips have no size"));
        }
        Ok(Self { page, one })
    }

    fn across(self) -> u32 {
        self.page.width.div_ceil(self.one.width)
    }

    /// All of them: of thin strips so many first that a copy of the whole can be shown.
    fn order(self, canvas: &mut Canvas<'_, '_>) -> impl Iterator<Item = u32> + Clone + use<> {
        let across = self.across();
        let every = match across {
            1 => canvas.every(self.one.height),
            _ => 1,
        };
        let count = across * self.page.height.div_ceil(self.one.height);
        let first = (0..count).step_by(every as usize);
        first.chain((0..count).filter(move |i| !i.is_multiple_of(every)))
    }

    fn rect(self, strip: u32) -> ImageRect {
        let (x, y) = (
            strip % self.across() * self.one.width,
            strip / self.across() * self.one.height,
        );
        let x1 = x.saturating_add(self.one.width).min(self.page.width);
        let y1 = y.saturating_add(self.one.height).min(self.page.height);
        ImageRect::new(x, y, x1, y1)
    }

    /// One whose values are bytes.
    fn paint<R: BufRead + Seek>(
        self,
        decoder: &mut Decoder<R>,
        strip: u32,
        bands: usize,
        canvas: &mut Canvas<'_, '_>,
    ) -> ImageResult<()> {
        let rect = self.rect(strip);
        if bands == 3 && self.across() == 1 && self.one.width == self.page.width {
            // It may be the whole picture: no copy of it.
            let read = |to: &mut [u8]| decoder.read_chunk_bytes(strip, to);
            return canvas.rows(rect.y0, rect.height(), read).map_err(told);
        }
        let DecodingResult::U8(bytes) = decoder.read_chunk(strip).map_err(told)? else {
            return Err(damaged("its values are no bytes"));
        };
        if bytes.len() < rect_area(rect) * bands {
            return Err(damaged("it has fewer values than pixels"));
        }
        match bands {
            1 => canvas.fill(rect, bytes.iter().map(|l| [*l; 3])),
            3 => canvas.fill(rect, bytes.as_chunks().0.iter().copied()),
            _ => {
                let pixels = bytes.as_chunks().0.iter();
                let pixels = pixels.map(|[r, g, b, a]| tone::over_grey([*r, *g, *b], *a));
                canvas.fill(rect, pixels);
            }
        }
        Ok(())
    }
}

fn rect_area(rect: ImageRect) -> usize {
    rect.width() as usize * rect.height() as usize
}

/// The values that are shown of each pixel, whatever type the file has.
fn picked(values: DecodingResult, bands: usize, shown: usize) -> Values {
    fn pick<T: Copy>(values: Vec<T>, bands: usize, shown: usize) -> Vec<T> {
        if bands == shown {
            return values;
        }
        let pixels = values.chunks_exact(bands);
        pixels.flat_map(|p| &p[..shown]).copied().collect()
    }
    fn floats<T: Copy>(
        values: Vec<T>,
        (bands, shown): (usize, usize),
        float: impl Fn(T) -> f32,
    ) -> Values {
        let picked = pick(values, bands, shown);
        Values::Floats(picked.into_iter().map(float).collect())
    }
    let of = (bands, shown);
    match values {
        DecodingResult::U16(v) => Values::Words(pick(v, bands, shown)),
        DecodingResult::U8(v) => floats(v, of, f32::from),
        DecodingResult::U32(v) => floats(v, of, |v| v as f32),
        DecodingResult::U64(v) => floats(v, of, |v| v as f32),
        DecodingResult::I8(v) => floats(v, of, f32::from),
        DecodingResult::I16(v) => floats(v, of, f32::from),
        DecodingResult::I32(v) => floats(v, of, |v| v as f32),
        DecodingResult::I64(v) => floats(v, of, |v| v as f32),
        DecodingResult::F16(v) => floats(v, of, f32::from),
        DecodingResult::F32(v) => Values::Floats(pick(v, bands, shown)),
        DecodingResult::F64(v) => floats(v, of, |v| v as f32),
    }
}
