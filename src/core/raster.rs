//! The scene as pixels: the overlay of masks and marks, and the whole picture.
//!
//! Everything is drawn at the resolution of the screen, so that lines stay thin at any zoom. All
//! protocols show these pixels; only how they get to the terminal differs.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::cover::Cover;
use super::geometry::ImagePoint;
use super::prompt::Side;
use super::scene::{Layer, Mark, Rgb, Style};
use super::view::View;

pub use super::ground::{Ground, pixels_of, screen_size};

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

pub const DARK: Rgba = [0, 0, 0, 200];
pub const LIGHT: Rgba = [255, 255, 255, 255];
pub const INSIDE: Rgba = [0, 230, 118, 255];
pub const OUTSIDE: Rgba = [255, 64, 64, 255];
pub const FRAME: Rgba = [255, 214, 0, 255];
const PLATE: Rgba = [0, 0, 0, 255];
pub const GRID: Rgba = [255, 255, 255, 150];

/// How marks are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// A crosshair's lines go to the edges of the picture.
    All,
    /// A crosshair's lines are so many pixels long, for terminals where every changed cell costs.
    Near(u32),
}

impl Overlay {
    /// Draws the layers, then the marks, as the view shows them.
    pub fn draw(view: &View, layers: &[Layer], marks: &[Mark], which: Marks) -> Self {
        let ground = Ground::of(view);
        let mut overlay = Self::on(&ground, layers, &[]);
        for mark in marks {
            overlay.mark(&ground, mark, which);
        }
        overlay
    }

    /// Draws the layers, then the marks, on any part of the image.
    pub fn on(ground: &Ground, layers: &[Layer], marks: &[Mark]) -> Self {
        let (width, height) = (ground.width, ground.height);
        let mut overlay = Self {
            width,
            height,
            indices: vec![0; width as usize * height as usize],
            palette: vec![[0; 4]],
        };
        for layer in layers {
            overlay.layer(ground, layer);
        }
        for mark in marks {
            overlay.mark(ground, mark, Marks::All);
        }
        overlay
    }

    pub fn is_empty(&self) -> bool {
        self.palette.len() == 1
    }

    /// The photo's pixels with the overlay blended in; `photo` is RGB of the same size.
    pub fn blend(&self, photo: &mut [u8]) {
        for (rgb, index) in photo.chunks_exact_mut(3).zip(&self.indices) {
            if *index != 0 {
                let under = [rgb[0], rgb[1], rgb[2]];
                rgb.copy_from_slice(&blended(under, self.palette[usize::from(*index)]));
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

    fn layer(&mut self, ground: &Ground, layer: &Layer) {
        let [r, g, b] = layer.colour;
        let (fill, line) = match layer.style {
            Style::Fill => ([r, g, b, 90], [r, g, b, 255]),
            Style::Outline | Style::Hint => ([0; 4], [r, g, b, 255]),
            Style::Strong => ([r, g, b, 120], LIGHT),
        };
        let fill = (fill[3] > 0).then(|| self.index(fill));
        let line = self.index(line);
        let Some(cover) = Cover::of(ground, &layer.mask) else {
            return;
        };
        let inner = cover.inner();
        let (rows, columns) = cover.seen(self.width, self.height);
        for y in rows {
            let row = cover.row(&cover.bytes, y);
            let inner = cover.row(&inner, y);
            let start = y as usize * self.width as usize;
            for x in columns.clone() {
                let i = (x - cover.x0) as usize;
                if row[i] == 0 {
                    continue;
                }
                let dashed = layer.style == Style::Hint && (x + y) / 4 % 2 == 1;
                let index = if inner[i] == 0 && !dashed {
                    Some(line)
                } else {
                    fill
                };
                if let Some(index) = index {
                    self.indices[start + x as usize] = index;
                }
            }
        }
    }

    fn mark(&mut self, ground: &Ground, mark: &Mark, which: Marks) {
        match mark {
            Mark::Crosshair(at) => self.crosshair(ground, *at, which),
            Mark::Box(rect) => self.frame(ground.sides(*rect), FRAME),
            Mark::Click(click) => {
                let (x, y) = ground.centre(click.at);
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
                let (x0, y0) = ground.from_image(f64::from(rect.x0), f64::from(rect.y0));
                let (x1, y1) = ground.from_image(f64::from(rect.x1), f64::from(rect.y1));
                for i in 0..=3 {
                    let t = f64::from(i) / 3.0;
                    let (x, y) = (x0 + t * (x1 - x0), y0 + t * (y1 - y0));
                    self.line((x, y0), (x, y1), GRID);
                    self.line((x0, y), (x1, y), GRID);
                }
            }
            Mark::Path { points, closed } => {
                let points: Vec<_> = points.iter().map(|p| ground.centre(*p)).collect();
                for pair in points.windows(2) {
                    self.line(pair[0], pair[1], FRAME);
                }
                if let (true, Some(first), Some(last)) = (*closed, points.first(), points.last()) {
                    self.line(*last, *first, FRAME);
                }
            }
            Mark::Brush { at, radius } => {
                let (x, y) = ground.centre(*at);
                let rim = (radius * ground.scale_x.min(ground.scale_y)).max(1.0);
                self.disk(x, y, rim - 1.0, rim + 2.0, DARK);
                self.disk(x, y, rim - 0.5, rim + 1.0, LIGHT);
            }
            Mark::Label { at, text } => self.label(ground.centre(*at), text),
        }
    }

    /// Two lines with a dark rim, so that they show on any photo.
    fn crosshair(&mut self, ground: &Ground, at: ImagePoint, which: Marks) {
        let (x, y) = ground.centre(at);
        let reach = match which {
            Marks::All => f64::from(self.width.max(self.height)),
            Marks::Near(pixels) => f64::from(pixels),
        };
        let (left, right) = ((x - reach).max(0.0), (x + reach).min(f64::from(self.width)));
        let (top, bottom) = (
            (y - reach).max(0.0),
            (y + reach).min(f64::from(self.height)),
        );
        for (offset, colour) in [(-1.0, DARK), (1.0, DARK), (0.0, LIGHT)] {
            self.line((left, y + offset), (right, y + offset), colour);
            self.line((x + offset, top), (x + offset, bottom), colour);
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
        // Each is less than a pixel: whole ones would skip some by what rounding leaves.
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil() + 1.0;
        let steps = steps.min(20_000.0);
        for i in 0..=steps as u32 {
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

/// A pixel of the photo under a colour.
pub fn blended(photo: Rgb, colour: Rgba) -> Rgb {
    let alpha = u32::from(colour[3]);
    std::array::from_fn(|k| {
        let mixed = u32::from(colour[k]) * alpha + u32::from(photo[k]) * (255 - alpha);
        (mixed / 255) as u8
    })
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
    use crate::core::mask::Mask;

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
    fn more_of_the_image_around_the_view_falls_on_the_same_pixels() {
        let mask = Mask::from_disk(Size::new(800, 600), ImagePoint::new(430, 310), 150.0);
        let layers = [Layer {
            mask: Arc::new(mask),
            colour: [10, 20, 30],
            style: Style::Strong,
        }];
        let view = view().zoomed(3.0, ImagePoint::new(400, 300));
        let own = Overlay::draw(&view, &layers, &[], Marks::All);
        let wide = Overlay::on(&Ground::around(&view, 50, 40), &layers, &[]);
        let part: Vec<u8> = (40..40 + own.height)
            .flat_map(|y| {
                let start = (y * wide.width + 50) as usize;
                &wide.indices[start..start + own.width as usize]
            })
            .copied()
            .collect();
        assert!(part == own.indices);
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
