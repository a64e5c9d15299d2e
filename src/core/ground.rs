//! Where image positions fall on a raster: the screen, a part of it, or more than it shows.

use super::geometry::ImagePoint;
use super::view::View;

/// The picture's size on the screen, in pixels.
pub fn screen_size(view: &View) -> (u32, u32) {
    (
        (f64::from(view.cells.cols) * view.cell.width)
            .round()
            .max(1.0) as u32,
        (f64::from(view.cells.rows) * view.cell.height)
            .round()
            .max(1.0) as u32,
    )
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
        let (scale_x, scale_y) = (view.scale_x(), view.scale_y());
        let margin =
            |pixels: u32, scale: f64, most: u32| ((f64::from(pixels) * scale) as u32).min(most);
        let source = view.source;
        let left = margin(source.x0, scale_x, across);
        let right = margin(view.image.width - source.x1, scale_x, across);
        let top = margin(source.y0, scale_y, down);
        let bottom = margin(view.image.height - source.y1, scale_y, down);
        let (width, height) = screen_size(view);
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

    pub fn centre(&self, at: ImagePoint) -> (f64, f64) {
        self.from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5)
    }
}
