//! Marks in few and large pixels: lines of one pixel, clicks of one cell.

use crate::core::geometry::ImagePoint;
use crate::core::prompt::Side;
use crate::core::raster::{FRAME, GRID, Ground, INSIDE, LIGHT, OUTSIDE, Rgba, screen_size};
use crate::core::scene::Mark;
use crate::core::view::View;
use crate::term::pace::Speed;

/// Pixels of the crosshair's arms on a slow line, where they reach over the whole picture otherwise:
/// each cell costs some dozen bytes.
const SHORT: f64 = 6.0;

/// Draws into RGB pixels of the view.
pub struct Pen<'a> {
    view: &'a View,
    speed: Speed,
    pixels: &'a mut [u8],
    width: u32,
    height: u32,
}

impl<'a> Pen<'a> {
    pub fn new(view: &'a View, speed: Speed, pixels: &'a mut [u8]) -> Self {
        let (width, height) = screen_size(view);
        Self {
            view,
            speed,
            pixels,
            width,
            height,
        }
    }

    pub fn draw(&mut self, marks: &[Mark]) {
        for mark in marks {
            self.mark(mark);
        }
    }

    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Crosshair(at) => {
                let (x, y) = self.centre(*at);
                let (right, bottom) = (f64::from(self.width), f64::from(self.height));
                let arms = |middle: f64, end: f64| match self.speed {
                    Speed::Fast => (0.0, end),
                    Speed::Slow => (middle - SHORT, middle + SHORT),
                };
                let ((x0, x1), (y0, y1)) = (arms(x, right), arms(y, bottom));
                self.line((x0, y), (x1, y), LIGHT);
                self.line((x, y0), (x, y1), LIGHT);
            }
            Mark::Box(rect) => {
                self.frame(Ground::of(self.view).sides(*rect), FRAME);
            }
            Mark::Grid(rect) => {
                let (x0, y0) = self.view.screen_from_image(rect.x0.into(), rect.y0.into());
                let (x1, y1) = self.view.screen_from_image(rect.x1.into(), rect.y1.into());
                let third = |low: f64, high: f64, i: f64| low + i * (high - low) / 3.0;
                for i in [0.0, 1.0, 2.0, 3.0] {
                    let (x, y) = (third(x0, x1, i), third(y0, y1, i));
                    self.line((x, y0), (x, y1), GRID);
                    self.line((x0, y), (x1, y), GRID);
                }
            }
            Mark::Click(click) => {
                let (x, y) = self.centre(click.at);
                let colour = match click.side {
                    Side::Inside => INSIDE,
                    Side::Outside => OUTSIDE,
                };
                self.dot(x, y, colour);
            }
            Mark::Brush { at, radius } => {
                let (x, y) = self.centre(*at);
                let (rx, ry) = (radius * self.view.scale_x(), radius * self.view.scale_y());
                for step in 0..64 {
                    let (sin, cos) = (f64::from(step) / 64.0 * std::f64::consts::TAU).sin_cos();
                    self.put(x + rx * cos, y + ry * sin, LIGHT);
                }
            }
            Mark::Path { points, closed } => {
                let mut points: Vec<_> = points.iter().map(|p| self.centre(*p)).collect();
                if *closed {
                    points.extend(points.first().copied());
                }
                for pair in points.windows(2) {
                    self.line(pair[0], pair[1], FRAME);
                }
            }
            Mark::Label { .. } => {}
        }
    }

    fn centre(&self, at: ImagePoint) -> (f64, f64) {
        self.view
            .screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5)
    }

    /// All of a cell.
    fn dot(&mut self, x: f64, y: f64, colour: Rgba) {
        let (x, y) = ((x / 2.0).floor() * 2.0, (y / 2.0).floor() * 2.0);
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            self.put(x + dx, y + dy, colour);
        }
    }

    fn frame(&mut self, [x0, y0, x1, y1]: [f64; 4], colour: Rgba) {
        self.line((x0, y0), (x1, y0), colour);
        self.line((x0, y1), (x1, y1), colour);
        self.line((x0, y0), (x0, y1), colour);
        self.line((x1, y0), (x1, y1), colour);
    }

    fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), colour: Rgba) {
        // Each is less than a pixel: whole ones would skip some by what rounding leaves.
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil() + 1.0;
        let steps = steps.clamp(1.0, 20_000.0);
        for i in 0..=steps as u32 {
            let t = f64::from(i) / steps;
            self.put(x0 + t * (x1 - x0), y0 + t * (y1 - y0), colour);
        }
    }

    fn put(&mut self, x: f64, y: f64, [r, g, b, _]: Rgba) {
        let (x, y) = (x.floor(), y.floor());
        if x < 0.0 || y < 0.0 || x >= self.width.into() || y >= self.height.into() {
            return;
        }
        let i = 3 * (y as usize * self.width as usize + x as usize);
        self.pixels[i..i + 3].copy_from_slice(&[r, g, b]);
    }
}
