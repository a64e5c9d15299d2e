//! The part of a picture that an engine looks at, at a bounded resolution.

use fast_image_resize::images::ImageRef;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::{Mask, Run};
use crate::segment::{Error, Result};

/// A rectangle of the picture, scaled down so that its longest side is bounded.
#[derive(Debug, Clone)]
pub struct Window {
    /// In image pixels; not empty.
    pub rect: ImageRect,
    /// In window pixels.
    pub size: Size,
    /// RGB, row by row.
    pub pixels: Vec<[u8; 3]>,
}

impl Window {
    /// Cuts `rect` out of the picture with at most `longest` pixels on its longest side. What it
    /// costs depends on the window's size alone: large pictures are sampled, not read.
    pub fn cut(image: &Image, rect: ImageRect, longest: u32) -> Result<Self> {
        let rect = rect.intersection(image.size().bounds());
        if rect.is_empty() {
            return Err(Error::Prompt(
                "the prompt lies outside the picture: draw it again".into(),
            ));
        }
        let shrink = (f64::from(longest) / f64::from(rect.size().longest())).min(1.0);
        let side = |n: u32| ((f64::from(n) * shrink).round() as u32).max(1);
        let size = Size::new(side(rect.width()), side(rect.height()));
        let pixels = if size == rect.size() {
            (rect.y0..rect.y1)
                .flat_map(|y| {
                    let row = image.row(y).as_chunks::<3>().0;
                    row[rect.x0 as usize..rect.x1 as usize].iter().copied()
                })
                .collect()
        } else {
            shrunk(image, rect, size)?
        };
        Ok(Self { rect, size, pixels })
    }

    /// Image pixels a window pixel, across and down.
    pub fn scale(&self) -> (f64, f64) {
        (
            f64::from(self.rect.width()) / f64::from(self.size.width),
            f64::from(self.rect.height()) / f64::from(self.size.height),
        )
    }

    /// The window pixel under an image pixel; the nearest one for a point beside the window.
    pub fn window_from_image(&self, at: ImagePoint) -> ImagePoint {
        let (sx, sy) = self.scale();
        let place =
            |v: u32, start: u32, s: f64| ((f64::from(v) + 0.5 - f64::from(start)) / s) as i64;
        self.size
            .clamp(place(at.x, self.rect.x0, sx), place(at.y, self.rect.y0, sy))
    }

    /// The image pixel in the middle of a window pixel.
    pub fn image_from_window(&self, x: u32, y: u32) -> ImagePoint {
        let (sx, sy) = self.scale();
        let place = |v: u32, start: u32, s: f64| start + ((f64::from(v) + 0.5) * s) as u32;
        ImagePoint::new(
            place(x, self.rect.x0, sx).min(self.rect.x1 - 1),
            place(y, self.rect.y0, sy).min(self.rect.y1 - 1),
        )
    }

    /// Which window pixels' middles lie in the mask.
    pub fn sample(&self, mask: &Mask) -> Vec<bool> {
        let mut inside = vec![false; self.pixels.len()];
        if self.size == self.rect.size() {
            for (i, byte) in inside.iter_mut().zip(mask.to_bytes(self.rect)) {
                *i = byte != 0;
            }
            return inside;
        }
        let width = self.size.width as usize;
        for (y, row) in inside.chunks_mut(width).enumerate() {
            let at = |x: usize| self.image_from_window(x as u32, y as u32);
            let image_row = at(0).y;
            let mut runs = mask
                .runs_in_rows(image_row, image_row + 1)
                .iter()
                .peekable();
            for (x, i) in row.iter_mut().enumerate() {
                let column = at(x).x;
                while runs.next_if(|run| run.x1 <= column).is_some() {}
                *i = runs.peek().is_some_and(|run| run.x0 <= column);
            }
        }
        inside
    }

    /// The mask of the whole picture that these window pixels stand for, its edge interpolated.
    ///
    /// Between the middles of two window pixels the value runs linearly from 0 to 1 and the edge is
    /// where it crosses one half, so a row costs as much as the window is wide.
    pub fn mask(&self, image: Size, inside: &[bool]) -> Mask {
        let (sx, sy) = self.scale();
        let width = self.size.width as usize;
        let last = self.size.height as usize - 1;
        let mut runs = Vec::new();
        let mut row = vec![0.0f64; width];
        for y in self.rect.y0..self.rect.y1 {
            let v = ((f64::from(y - self.rect.y0) + 0.5) / sy - 0.5).clamp(0.0, last as f64);
            let (v0, part) = (v as usize, v.fract());
            let (above, below) = (
                &inside[v0 * width..][..width],
                &inside[(v0 + 1).min(last) * width..][..width],
            );
            for (value, (a, b)) in row.iter_mut().zip(above.iter().zip(below)) {
                *value = f64::from(u8::from(*a)) * (1.0 - part) + f64::from(u8::from(*b)) * part;
            }
            push_runs(&row, y, self.rect, sx, &mut runs);
        }
        Mask::from_runs(image, runs)
    }
}

/// The runs of one image row where the interpolated window row is at least one half.
fn push_runs(row: &[f64], y: u32, rect: ImageRect, scale: f64, runs: &mut Vec<Run>) {
    let edge = |column: f64| {
        let x = f64::from(rect.x0) + (column + 0.5) * scale - 0.5;
        (x.ceil().max(0.0) as u32).clamp(rect.x0, rect.x1)
    };
    let mut start = (row[0] >= 0.5).then_some(rect.x0);
    for (u, pair) in row.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        if (a >= 0.5) == (b >= 0.5) {
            continue;
        }
        let x = edge(u as f64 + (0.5 - a) / (b - a));
        match start.take() {
            Some(x0) => runs.push(Run { y, x0, x1: x }),
            None => start = Some(x),
        }
    }
    if let Some(x0) = start {
        runs.push(Run { y, x0, x1: rect.x1 });
    }
}

fn shrunk(image: &Image, rect: ImageRect, size: Size) -> Result<Vec<[u8; 3]>> {
    let failed = |why: &dyn std::fmt::Display| {
        Error::Prompt(format!("the picture cannot be scaled to {size:?}: {why}"))
    };
    let full = image.size();
    let source = ImageRef::new(full.width, full.height, image.pixels(), PixelType::U8x3)
        .map_err(|e| failed(&e))?;
    let mut target =
        fast_image_resize::images::Image::new(size.width, size.height, PixelType::U8x3);
    let options = ResizeOptions::new()
        .crop(
            f64::from(rect.x0),
            f64::from(rect.y0),
            f64::from(rect.width()),
            f64::from(rect.height()),
        )
        .resize_alg(ResizeAlg::SuperSampling(FilterType::Bilinear, 2));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|e| failed(&e))?;
    Ok(target.buffer().as_chunks::<3>().0.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(size: Size) -> Image {
        let pixels = (0..size.height)
            .flat_map(|y| (0..size.width).flat_map(move |x| [x as u8, y as u8, 0]))
            .collect();
        Image::from_rgb(size, pixels)
    }

    #[test]
    fn at_full_resolution_a_mask_survives_the_way_there_and_back() {
        let size = Size::new(40, 30);
        let window = Window::cut(&ramp(size), ImageRect::new(5, 3, 33, 28), 100).expect("fits");
        assert_eq!(window.pixels[0], [5, 3, 0]);
        let disk = Mask::from_disk(size, ImagePoint::new(18, 15), 9.0);
        assert_eq!(window.mask(size, &window.sample(&disk)), disk);
    }

    #[test]
    fn a_scaled_down_window_keeps_a_disk_within_one_window_pixel() {
        let size = Size::new(1000, 800);
        let window = Window::cut(&ramp(size), size.bounds(), 200).expect("fits");
        assert_eq!(window.size, Size::new(200, 160));
        let disk = Mask::from_disk(size, ImagePoint::new(480, 390), 200.0);
        let back = window.mask(size, &window.sample(&disk));
        assert!(back.iou(&disk) > 0.985, "{}", back.iou(&disk));
    }

    #[test]
    fn a_rectangle_beside_the_picture_is_refused() {
        let image = ramp(Size::new(10, 10));
        assert!(Window::cut(&image, ImageRect::new(20, 20, 30, 30), 100).is_err());
    }
}
