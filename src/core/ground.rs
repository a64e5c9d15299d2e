//! Where image positions fall on a raster: the screen, a part of it, or more than it shows.

use super::geometry::{ImagePoint, ImageRect};
use super::view::View;

/// The picture's size on the screen, in pixels. Where cells are no whole pixels, the terminal's begin
/// at the whole pixel before: the size then depends on where the picture lies.
pub fn screen_size(view: &View) -> (u32, u32) {
    let cells = view.cells;
    (
        pixels_of(cells.col, cells.cols, view.cell.width).max(1),
        pixels_of(cells.row, cells.rows, view.cell.height).max(1),
    )
}

/// Whole pixels of `count` cells from the `first` on.
pub fn pixels_of(first: u16, count: u16, size: f64) -> u32 {
    let edge = |cell: u32| (f64::from(cell) * size) as u32;
    edge(u32::from(first) + u32::from(count)) - edge(first.into())
}

/// Where image positions fall on a raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    pub width: u32,
    pub height: u32,
    /// The image position of the top left corner.
    pub x: f64,
    pub y: f64,
    /// The raster's pixels an image pixel.
    pub scale_x: f64,
    pub scale_y: f64,
}

impl Ground {
    /// What the view shows, at the resolution of the screen.
    pub fn of(view: &View) -> Self {
        Self::around(view, 0, 0)
    }

    /// The view with so many screen pixels of the image around it, as far as the image reaches.
    /// Pixels of the screen stay whole pixels.
    pub fn around(view: &View, across: u32, down: u32) -> Self {
        let (width, height) = screen_size(view);
        let scale = |pixels: u32, image: u32| f64::from(pixels) / f64::from(image.max(1));
        let scale_x = scale(width, view.source.width());
        let scale_y = scale(height, view.source.height());
        let margin =
            |pixels: u32, scale: f64, most: u32| ((f64::from(pixels) * scale) as u32).min(most);
        let source = view.source;
        let left = margin(source.x0, scale_x, across);
        let right = margin(view.image.width - source.x1, scale_x, across);
        let top = margin(source.y0, scale_y, down);
        let bottom = margin(view.image.height - source.y1, scale_y, down);
        Self {
            width: left + width + right,
            height: top + height + bottom,
            x: f64::from(source.x0) - f64::from(left) / scale_x,
            y: f64::from(source.y0) - f64::from(top) / scale_y,
            scale_x,
            scale_y,
        }
    }

    /// `half` pixels on each side of the middle of an image pixel.
    pub fn centred(at: ImagePoint, half: u32, scale: f64) -> Self {
        let side = 2 * half + 1;
        let corner = |at: u32| f64::from(at) + 0.5 - f64::from(side) / 2.0 / scale;
        Self {
            width: side,
            height: side,
            x: corner(at.x),
            y: corner(at.y),
            scale_x: scale,
            scale_y: scale,
        }
    }

    /// The same part of the image in half as many pixels each way.
    #[must_use]
    pub fn halved(self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        Self {
            width,
            height,
            scale_x: self.scale_x * f64::from(width) / f64::from(self.width),
            scale_y: self.scale_y * f64::from(height) / f64::from(self.height),
            ..self
        }
    }

    pub fn from_image(&self, x: f64, y: f64) -> (f64, f64) {
        ((x - self.x) * self.scale_x, (y - self.y) * self.scale_y)
    }

    /// Where the sides of a box lie: left, top, right, bottom. One on the raster's far edge lies on
    /// its last pixel, to be seen.
    pub fn sides(&self, rect: ImageRect) -> [f64; 4] {
        let (x0, y0) = self.from_image(rect.x0.into(), rect.y0.into());
        let (x1, y1) = self.from_image(rect.x1.into(), rect.y1.into());
        let seen = |at: f64, most: u32| {
            let edge = f64::from(most);
            if (at - edge).abs() < 1e-6 {
                edge - 1.0
            } else {
                at
            }
        };
        [
            seen(x0, self.width),
            seen(y0, self.height),
            seen(x1, self.width),
            seen(y1, self.height),
        ]
    }

    pub fn centre(&self, at: ImagePoint) -> (f64, f64) {
        self.from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5)
    }
}
