//! A picture in the making: rows come in, and of a large one coarse copies go out meanwhile.

use image::RgbImage;
use image::metadata::Orientation;

use super::look::Onlooker;
use crate::core::geometry::{ImageRect, Size};

/// Of a large picture a copy is shown when this share of it is there, then twice as much, …
const FIRST_SHARE: u64 = 16;

/// The RGB bytes of a picture that is read in parts.
#[derive(Debug)]
pub struct Canvas<'a, 'b> {
    size: Size,
    rgb: Vec<u8>,
    orientation: Orientation,
    /// Pixels of the picture along one of its coarse copy.
    step: u32,
    filled: u64,
    /// A copy is shown when so many pixels are filled.
    next: u64,
    /// Whether another one may show more.
    grows: bool,
    onlooker: &'a mut Onlooker<'b>,
}

impl<'a, 'b> Canvas<'a, 'b> {
    pub fn new(size: Size, orientation: Orientation, onlooker: &'a mut Onlooker<'b>) -> Self {
        let is_shown = onlooker.waits_for(size);
        Self {
            size,
            // The system gives room for the rows as they come.
            rgb: vec![0; 3 * size.area() as usize],
            orientation,
            step: (size.longest() / onlooker.longest).max(1),
            filled: 0,
            next: if is_shown {
                size.area() / FIRST_SHARE
            } else {
                u64::MAX
            },
            grows: true,
            onlooker,
        }
    }

    /// Every how many strips of so many rows shall be filled first, so that a copy of the whole can
    /// be shown early; 1 where that is no help.
    pub fn every(&mut self, rows: u32) -> u32 {
        let every = (self.step / rows).max(1);
        if self.next == u64::MAX || every == 1 {
            return 1;
        }
        self.step = every * rows;
        self.grows = false;
        self.next = u64::from(self.size.height.div_ceil(self.step)) * u64::from(rows);
        self.next = (self.next * u64::from(self.size.width)).min(self.size.area());
        every
    }

    /// Fills whole rows from `y` on; `fill` gets their RGB bytes.
    pub fn rows<T>(&mut self, y: u32, rows: u32, fill: impl FnOnce(&mut [u8]) -> T) -> T {
        let width = 3 * self.size.width as usize;
        let from = y as usize * width;
        let filled = fill(&mut self.rgb[from..from + rows as usize * width]);
        self.note(u64::from(rows) * u64::from(self.size.width));
        filled
    }

    /// Fills a rectangle from one pixel, or three bytes, after the other.
    pub fn fill(&mut self, rect: ImageRect, pixels: impl IntoIterator<Item = [u8; 3]>) {
        let mut pixels = pixels.into_iter();
        for y in rect.y0..rect.y1 {
            let row = 3 * y as usize * self.size.width as usize;
            let place = row + 3 * rect.x0 as usize..row + 3 * rect.x1 as usize;
            let (row, _) = self.rgb[place].as_chunks_mut::<3>();
            // In this order no pixel is taken that has no place.
            row.iter_mut()
                .zip(&mut pixels)
                .for_each(|(to, from)| *to = from);
        }
        self.note(u64::from(rect.width()) * u64::from(rect.height()));
    }

    fn note(&mut self, pixels: u64) {
        self.filled += pixels;
        if self.filled < self.next || self.filled >= self.size.area() {
            return;
        }
        self.next = if self.grows {
            self.filled.saturating_mul(2)
        } else {
            u64::MAX
        };
        let coarse = self.coarse();
        self.onlooker.show(coarse, self.size, self.orientation);
    }

    fn coarse(&self) -> RgbImage {
        let (step, size) = (self.step, self.size);
        let small = Size::new(size.width.div_ceil(step), size.height.div_ceil(step));
        RgbImage::from_fn(small.width, small.height, |x, y| {
            let pixel = u64::from(y * step) * u64::from(size.width) + u64::from(x * step);
            let at = 3 * pixel as usize;
            image::Rgb([self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]])
        })
    }

    /// All of it.
    pub fn finish(self) -> RgbImage {
        let Size { width, height } = self.size;
        RgbImage::from_raw(width, height, self.rgb).expect("three bytes a pixel")
    }
}
