//! The scene as pixels: the overlay of masks and marks, and the whole picture.
//!
//! Everything is drawn at the resolution of the screen, so that lines stay thin at any zoom. All
//! protocols show these pixels; only how they get to the terminal differs.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::geometry::ImagePoint;
use super::mask::Mask;
use super::prompt::Side;
use super::scene::{Layer, Mark, Rgb, Style};
use super::view::View;

/// A colour with what it leaves of the photo: 0 clear, 255 opaque.
pub type Rgba = [u8; 4];

/// Masks and marks as a palette raster over the picture's cells. Index 0 is clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    pub width: u32,
    pub height: u32,
    pub indices: Vec<u8>,
    pub palette: Vec<Rgba>,
}

const DARK: Rgba = [0, 0, 0, 200];
const LIGHT: Rgba = [255, 255, 255, 255];
const INSIDE: Rgba = [0, 230, 118, 255];
const OUTSIDE: Rgba = [255, 64, 64, 255];
const FRAME: Rgba = [255, 214, 0, 255];
const PLATE: Rgba = [0, 0, 0, 255];
const GRID: Rgba = [255, 255, 255, 150];

/// Which marks go into the raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    All,
    /// Without crosshair and box, for terminals that move those by themselves.
    Fixed,
}

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

impl Overlay {
    /// Draws the layers, then the marks.
    pub fn draw(view: &View, layers: &[Layer], marks: &[Mark], which: Marks) -> Self {
        let (width, height) = screen_size(view);
        let mut overlay = Self {
            width,
            height,
            indices: vec![0; width as usize * height as usize],
            palette: vec![[0; 4]],
        };
        for layer in layers {
            overlay.layer(view, layer);
        }
        for mark in marks {
            overlay.mark(view, mark, which);
        }
        overlay
    }

    pub fn is_empty(&self) -> bool {
        self.palette.len() == 1
    }

    /// The photo's pixels with the overlay blended in; `photo` is RGB of the same size.
    pub fn blend(&self, photo: &mut [u8]) {
        for (rgb, index) in photo.chunks_exact_mut(3).zip(&self.indices) {
            if *index == 0 {
                continue;
            }
            let colour = self.palette[usize::from(*index)];
            let alpha = u32::from(colour[3]);
            for k in 0..3 {
                let mixed = u32::from(colour[k]) * alpha + u32::from(rgb[k]) * (255 - alpha);
                rgb[k] = (mixed / 255) as u8;
            }
        }
    }

    /// The index of a colour; the last one where the palette is full.
    fn index(&mut self, colour: Rgba) -> u8 {
        if let Some(i) = self.palette.iter().position(|c| *c == colour) {
            return i as u8;
        }
        if self.palette.len() < 255 {
            self.palette.push(colour);
        }
        (self.palette.len() - 1) as u8
    }

    fn layer(&mut self, view: &View, layer: &Layer) {
        let [r, g, b] = layer.colour;
        let (fill, line) = match layer.style {
            Style::Fill => ([r, g, b, 90], [r, g, b, 255]),
            Style::Outline | Style::Hint => ([0; 4], [r, g, b, 255]),
            Style::Strong => ([r, g, b, 120], LIGHT),
        };
        let fill = (fill[3] > 0).then(|| self.index(fill));
        let line = self.index(line);
        let Some(cover) = Cover::of(view, &layer.mask, self.width, self.height) else {
            return;
        };
        for y in cover.y0..cover.y1 {
            for x in cover.x0..cover.x1 {
                if !cover.holds(x, y) {
                    continue;
                }
                let i = y as usize * self.width as usize + x as usize;
                let edge = cover.is_edge(x, y);
                let dashed = layer.style == Style::Hint && (x + y) / 4 % 2 == 1;
                if edge && !dashed {
                    self.indices[i] = line;
                } else if let Some(fill) = fill {
                    self.indices[i] = fill;
                }
            }
        }
    }

    fn mark(&mut self, view: &View, mark: &Mark, which: Marks) {
        match mark {
            Mark::Crosshair(at) if which == Marks::All => self.crosshair(view, *at),
            Mark::Box(rect) if which == Marks::All => {
                let (x0, y0) = view.screen_from_image(f64::from(rect.x0), f64::from(rect.y0));
                let (x1, y1) = view.screen_from_image(f64::from(rect.x1), f64::from(rect.y1));
                self.frame([x0, y0, x1, y1], FRAME);
            }
            Mark::Click(click) => {
                let (x, y) = centre(view, click.at);
                match click.side {
                    Side::Inside => {
                        self.disk(x, y, 0.0, 6.5, DARK);
                        self.disk(x, y, 0.0, 5.0, INSIDE);
                    }
                    Side::Outside => {
                        self.disk(x, y, 1.5, 7.5, DARK);
                        self.disk(x, y, 3.0, 6.0, OUTSIDE);
                    }
                }
            }
            Mark::Grid(rect) => {
                let (x0, y0) = view.screen_from_image(f64::from(rect.x0), f64::from(rect.y0));
                let (x1, y1) = view.screen_from_image(f64::from(rect.x1), f64::from(rect.y1));
                for i in 0..=3 {
                    let t = f64::from(i) / 3.0;
                    let (x, y) = (x0 + t * (x1 - x0), y0 + t * (y1 - y0));
                    self.line((x, y0), (x, y1), GRID);
                    self.line((x0, y), (x1, y), GRID);
                }
            }
            Mark::Path { points, closed } => {
                let points: Vec<_> = points.iter().map(|p| centre(view, *p)).collect();
                for pair in points.windows(2) {
                    self.line(pair[0], pair[1], FRAME);
                }
                if let (true, Some(first), Some(last)) = (*closed, points.first(), points.last()) {
                    self.line(*last, *first, FRAME);
                }
            }
            Mark::Brush { at, radius } => {
                let (x, y) = centre(view, *at);
                let rim = (radius * view.scale()).max(1.0);
                self.disk(x, y, rim - 1.0, rim + 2.0, DARK);
                self.disk(x, y, rim - 0.5, rim + 1.0, LIGHT);
            }
            Mark::Label { at, text } if view.cell.height >= 8.0 => {
                self.label(centre(view, *at), text);
            }
            // Half-blocks have no pixels for letters: there they are cells.
            Mark::Crosshair(_) | Mark::Box(_) | Mark::Label { .. } => {}
        }
    }

    /// Two lines with a dark rim, so that they show on any photo; open in the middle.
    fn crosshair(&mut self, view: &View, at: ImagePoint) {
        let (x, y) = centre(view, at);
        let (w, h) = (f64::from(self.width), f64::from(self.height));
        for (offset, colour) in [(-1.0, DARK), (1.0, DARK), (0.0, LIGHT)] {
            self.line((0.0, y + offset), (w, y + offset), colour);
            self.line((x + offset, 0.0), (x + offset, h), colour);
        }
    }

    /// Letters on a dark plate, its middle at (x, y).
    fn label(&mut self, (x, y): (f64, f64), text: &str) {
        const HEIGHT: RasterHeight = RasterHeight::Size20;
        let glyph = |c| get_raster(c, FontWeight::Bold, HEIGHT);
        let width = get_raster_width(FontWeight::Bold, HEIGHT);
        let glyphs: Vec<_> = text.chars().filter_map(glyph).collect();
        let (dark, light) = (self.index(PLATE), self.index(LIGHT));
        let across = (glyphs.len() * width + 6) as f64;
        let down = HEIGHT.val() as f64 + 2.0;
        let (left, top) = (x - across / 2.0, y - down / 2.0);
        for dy in 0..down as u32 {
            for dx in 0..across as u32 {
                self.put(left + f64::from(dx), top + f64::from(dy), dark);
            }
        }
        for (i, glyph) in glyphs.iter().enumerate() {
            for (dy, row) in glyph.rows().enumerate() {
                for (dx, _) in row.iter().enumerate().filter(|(_, v)| **v > 110) {
                    let (dx, dy) = ((i * width + dx + 3) as f64, dy as f64 + 1.0);
                    self.put(left + dx, top + dy, light);
                }
            }
        }
    }

    fn frame(&mut self, [x0, y0, x1, y1]: [f64; 4], colour: Rgba) {
        for (by, colour) in [(-1.0, DARK), (1.0, DARK), (0.0, colour)] {
            let (l, t, r, b) = (x0 - by, y0 - by, x1 + by, y1 + by);
            self.line((l, t), (r, t), colour);
            self.line((l, b), (r, b), colour);
            self.line((l, t), (l, b), colour);
            self.line((r, t), (r, b), colour);
        }
    }

    fn put(&mut self, x: f64, y: f64, index: u8) {
        let (x, y) = (x.floor(), y.floor());
        let inside =
            x >= 0.0 && y >= 0.0 && x < f64::from(self.width) && y < f64::from(self.height);
        if inside {
            self.indices[y as usize * self.width as usize + x as usize] = index;
        }
    }

    fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), colour: Rgba) {
        let index = self.index(colour);
        let steps = (x1 - x0)
            .abs()
            .max((y1 - y0).abs())
            .ceil()
            .clamp(1.0, 20_000.0);
        for i in 0..=steps as u32 {
            // Multiplied first: then whole steps stay whole, and no pixel is left out.
            let at = |from: f64, to: f64| from + f64::from(i) * (to - from) / steps;
            self.put(at(x0, x1), at(y0, y1), index);
        }
    }

    /// A disk, or a ring where `inner` is not 0.
    fn disk(&mut self, x: f64, y: f64, inner: f64, outer: f64, colour: Rgba) {
        let index = self.index(colour);
        let reach = outer.ceil() as i64;
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let distance = (dx as f64).hypot(dy as f64);
                if distance <= outer && distance >= inner {
                    self.put(x + dx as f64, y + dy as f64, index);
                }
            }
        }
    }
}

fn centre(view: &View, at: ImagePoint) -> (f64, f64) {
    view.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5)
}

/// The screen pixels that a mask covers.
struct Cover {
    x0: u32,
    y0: u32,
    x1: u32,
    y1: u32,
    bytes: Vec<u8>,
}

impl Cover {
    fn of(view: &View, mask: &Mask, width: u32, height: u32) -> Option<Self> {
        let bounds = mask.bounds()?.intersection(view.source);
        if bounds.is_empty() {
            return None;
        }
        let (sx, sy) = (view.scale_x(), view.scale_y());
        let across = |x: u32| (f64::from(x) - f64::from(view.source.x0)) * sx;
        let down = |y: u32| (f64::from(y) - f64::from(view.source.y0)) * sy;
        let (x0, x1) = (
            across(bounds.x0).floor() as u32,
            across(bounds.x1).ceil() as u32,
        );
        let (y0, y1) = (
            down(bounds.y0).floor() as u32,
            down(bounds.y1).ceil() as u32,
        );
        let (x1, y1) = (x1.min(width), y1.min(height));
        if x0 >= x1 || y0 >= y1 {
            return None;
        }
        let stride = (x1 - x0) as usize;
        let mut bytes = vec![0; stride * (y1 - y0) as usize];
        for (row, y) in bytes.chunks_exact_mut(stride).zip(y0..) {
            let image_y = view.source.y0 + ((f64::from(y) + 0.5) / sy) as u32;
            for run in mask.runs_in_rows(image_y, image_y + 1) {
                let from = across(run.x0).round().max(f64::from(x0)) as u32;
                // An object narrower than a screen pixel is still seen.
                let to = (across(run.x1).round().max(0.0) as u32)
                    .max(from + 1)
                    .min(x1);
                if from < to {
                    row[(from - x0) as usize..(to - x0) as usize].fill(1);
                }
            }
        }
        Some(Self {
            x0,
            y0,
            x1,
            y1,
            bytes,
        })
    }

    fn holds(&self, x: u32, y: u32) -> bool {
        let inside = x >= self.x0 && x < self.x1 && y >= self.y0 && y < self.y1;
        inside && self.bytes[((y - self.y0) * (self.x1 - self.x0) + x - self.x0) as usize] == 1
    }

    /// Whether the outline runs here: it is two pixels wide, inside the mask.
    fn is_edge(&self, x: u32, y: u32) -> bool {
        let out = |x: Option<u32>, y: Option<u32>| match (x, y) {
            (Some(x), Some(y)) => !self.holds(x, y),
            _ => true,
        };
        (1..=2).any(|d| {
            out(x.checked_sub(d), Some(y))
                || out(Some(x + d), Some(y))
                || out(Some(x), y.checked_sub(d))
                || out(Some(x), Some(y + d))
        })
    }
}

/// Which colour a pixel of the scene's overlay has, for tests and tools.
pub fn colour_at(overlay: &Overlay, x: u32, y: u32) -> (Rgb, u8) {
    let index = overlay.indices[(y * overlay.width + x) as usize];
    let [r, g, b, a] = overlay.palette[usize::from(index)];
    ([r, g, b], a)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::geometry::{CellRect, CellSize, ImageRect, Size};

    fn view() -> View {
        let canvas = CellRect {
            col: 0,
            row: 0,
            cols: 40,
            rows: 15,
        };
        View::fit(Size::new(800, 600), canvas, CellSize::default())
    }

    #[test]
    fn a_mask_is_tinted_inside_and_outlined_at_its_edge() {
        let mask = Mask::from_rect(Size::new(800, 600), ImageRect::new(200, 200, 600, 400));
        let layer = Layer {
            mask: Arc::new(mask),
            colour: [10, 20, 30],
            style: Style::Fill,
        };
        let overlay = Overlay::draw(&view(), &[layer], &[], Marks::All);
        assert_eq!((overlay.width, overlay.height), (400, 300));
        assert_eq!(colour_at(&overlay, 200, 150), ([10, 20, 30], 90));
        assert_eq!(colour_at(&overlay, 100, 150), ([10, 20, 30], 255));
        assert_eq!(colour_at(&overlay, 98, 150).1, 0);
    }

    #[test]
    fn a_line_has_no_holes() {
        let at = ImagePoint::new(300, 200);
        let overlay = Overlay::draw(&view(), &[], &[Mark::Crosshair(at)], Marks::All);
        let (x, y) = (150, 100);
        assert!((0..400).all(|x| colour_at(&overlay, x, y).1 > 0));
        assert!((0..300).all(|y| colour_at(&overlay, x, y).1 > 0));
    }

    #[test]
    fn marks_outside_the_view_do_no_harm() {
        let zoomed = view().zoomed(30.0, ImagePoint::new(0, 0));
        let far = ImagePoint::new(799, 599);
        let marks = [
            Mark::Crosshair(far),
            Mark::Box(ImageRect::new(0, 0, 800, 600)),
            Mark::Brush {
                at: far,
                radius: 50.0,
            },
        ];
        let overlay = Overlay::draw(&zoomed, &[], &marks, Marks::All);
        assert_eq!(colour_at(&overlay, 200, 150).1, 0);
    }
}
