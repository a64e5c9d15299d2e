//! What a picture of the screen shows, compared with what the program's own drawing says it should.

use std::sync::Arc;

use image::{Rgb, RgbImage};
use termask::core::geometry::{CellSize, ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::raster::{Overlay, screen_size};
use termask::core::scene::{Layer, Mark, Rgb as Colour, Style};
use termask::core::view::View;
use termask::term::photo;
use termask::ui::layout::{self, List};

use crate::drawing;

/// The background of all terminals, and the screen beside them.
const DARK: [Colour; 2] = [[0x10, 0x14, 0x18], [0, 0, 0]];

/// Pixels from the middle of a crosshair along its lines.
const ARM: f64 = 18.0;

/// A terminal's size.
#[derive(Debug, Clone, Copy)]
pub struct Glass {
    pub cols: u16,
    pub rows: u16,
    pub cell: CellSize,
}

impl Glass {
    pub fn new((cols, rows): (u16, u16), (width, height): (u16, u16)) -> Self {
        let cell = CellSize {
            width: f64::from(width) / f64::from(cols),
            height: f64::from(height) / f64::from(rows),
        };
        Self { cols, rows, cell }
    }

    /// The same terminal in another size.
    pub const fn sized(self, cols: u16, rows: u16) -> Self {
        Self { cols, rows, ..self }
    }

    /// Its size in pixels.
    pub fn pixels(self) -> (u32, u32) {
        let side = |cells: u16, cell: f64| (f64::from(cells) * cell).ceil() as u32;
        (
            side(self.cols, self.cell.width),
            side(self.rows, self.cell.height),
        )
    }

    /// The whole of an image in it.
    pub fn fit(self, image: Size) -> View {
        View::fit(
            image,
            layout::canvas((self.cols, self.rows), List::Hidden),
            self.cell,
        )
    }

    /// The same part of the image as in another size of the terminal.
    pub fn keep(self, view: &View) -> View {
        view.on_canvas(
            layout::canvas((self.cols, self.rows), List::Hidden),
            self.cell,
        )
    }

    /// Pixels of a row of cells that are not background.
    pub fn text_in_row(self, screen: &RgbImage, row: u16) -> u64 {
        count(screen, self.row(row), |p| !is_dark(p))
    }

    /// Pixels of a row of cells that have a colour.
    pub fn colour_in_row(self, screen: &RgbImage, row: u16, colour: Colour) -> u64 {
        count(screen, self.row(row), |p| is_near(p, colour, 12))
    }

    fn row(self, row: u16) -> [f64; 4] {
        let (top, height) = (f64::from(row) * self.cell.height, self.cell.height);
        [0.0, top, f64::from(self.cols) * self.cell.width, height]
    }
}

/// What a view should look like: the photo's mean colour in each cell, and what lies above it.
pub struct Expected {
    view: View,
    photo: RgbImage,
    overlay: Overlay,
    /// How far a cell's mean colour may be from the photo's.
    tolerance: f64,
}

impl Expected {
    pub fn new(image: &Image, view: View, tolerance: f64) -> Self {
        let (width, height) = screen_size(&view);
        let rgb = photo::at_view(image, &view);
        Self {
            view,
            photo: RgbImage::from_raw(width, height, rgb).expect("RGB bytes of that size"),
            overlay: drawing::overlay(&view, &[], &[]),
            tolerance,
        }
    }

    /// With a mask and a crosshair above the photo.
    pub fn with(mut self, mask: &Arc<Mask>, cursor: ImagePoint) -> Self {
        let layer = Layer {
            mask: Arc::clone(mask),
            colour: [0; 3],
            style: Style::Fill,
        };
        let marks = [Mark::Crosshair(cursor)];
        self.overlay = drawing::overlay(&self.view, &[layer], &marks);
        self
    }

    /// The share of the cells without anything above the photo that show the photo.
    pub fn photo_share(&self, screen: &RgbImage) -> f64 {
        let bare = self.cells(|i| i == 0);
        let near = bare.iter().filter(|cell| {
            let (seen, photo) = self.means(screen, **cell);
            let apart: f64 = (0..3).map(|k| (seen[k] - photo[k]).abs()).sum();
            apart / 3.0 <= self.tolerance
        });
        near.count() as f64 / bare.len().max(1) as f64
    }

    /// How far the cells inside the mask are from the photo to a colour: 0 is the photo, 1 the
    /// colour. With it the number of such cells.
    pub fn tint(&self, screen: &RgbImage, colour: Colour) -> (f64, usize) {
        // Fill is the first colour that the overlay's only layer uses.
        let inside = self.cells(|i| i == 1);
        let (mut way, mut whole) = (0.0, 0.0);
        for cell in &inside {
            let (seen, photo) = self.means(screen, *cell);
            for k in 0..3 {
                let to = f64::from(colour[k]) - photo[k];
                way += (seen[k] - photo[k]) * to;
                whole += to * to;
            }
        }
        (way / f64::max(whole, 1.0), inside.len())
    }

    /// How much of the light lines through a pixel is there, across the picture and down it, as far
    /// as they reach in all terminals.
    pub fn crosshair_shares(&self, screen: &RgbImage, at: ImagePoint) -> [f64; 2] {
        let is_light = |p: Rgb<u8>| p.0.iter().all(|v| *v >= 225);
        let (x, y) = self
            .view
            .screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
        [
            self.line_share(screen, (y, Axis::Across), (x - ARM, x + ARM), is_light),
            self.line_share(screen, (x, Axis::Down), (y - ARM, y + ARM), is_light),
        ]
    }

    /// How much of the four sides of a box is there.
    pub fn box_shares(&self, screen: &RgbImage, rect: ImageRect) -> [f64; 4] {
        let is_gold = |p: Rgb<u8>| is_near(p, [255, 214, 0], 45);
        let corner = |x: u32, y: u32| self.view.screen_from_image(f64::from(x), f64::from(y));
        let ((x0, y0), (x1, y1)) = (corner(rect.x0, rect.y0), corner(rect.x1, rect.y1));
        [
            (y0, Axis::Across, (x0, x1)),
            (y1, Axis::Across, (x0, x1)),
            (x0, Axis::Down, (y0, y1)),
            (x1, Axis::Down, (y0, y1)),
        ]
        .map(|(at, axis, part)| self.line_share(screen, (at, axis), part, is_gold))
    }

    /// The largest share of a part of a row or column of pixels, within a cell of a place, that is
    /// so.
    fn line_share(
        &self,
        screen: &RgbImage,
        (at, axis): (f64, Axis),
        (from, to): (f64, f64),
        is: impl Fn(Rgb<u8>) -> bool,
    ) -> f64 {
        let (left, top) = self.corner();
        let (width, height) = screen_size(&self.view);
        let (reach, most, length) = match axis {
            Axis::Across => (self.view.cell.height, height, width),
            Axis::Down => (self.view.cell.width, width, height),
        };
        let (from, to) = (from.max(0.0).round(), to.min(f64::from(length)).round());
        let places = (at - reach).max(0.0) as u32..((at + reach) as u32).min(most);
        let shares = places.map(|place| {
            let place = f64::from(place);
            let part = match axis {
                Axis::Across => [left + from, top + place, to - from, 1.0],
                Axis::Down => [left + place, top + from, 1.0, to - from],
            };
            count(screen, part, &is) as f64 / (to - from)
        });
        shares.fold(0.0, f64::max)
    }

    fn corner(&self) -> (f64, f64) {
        let (cells, cell) = (self.view.cells, self.view.cell);
        (
            f64::from(cells.col) * cell.width,
            f64::from(cells.row) * cell.height,
        )
    }

    /// The cells of the picture whose overlay is as asked, around them too, as pixels of the
    /// picture: a line is as wide as three half-blocks where there is nothing finer.
    fn cells(&self, is: impl Fn(u8) -> bool) -> Vec<[u32; 4]> {
        let (width, height) = screen_size(&self.view);
        let (cells, cell) = (self.view.cells, self.view.cell);
        let edge = |i: u16, size: f64, most: u32| ((f64::from(i) * size) as u32).min(most);
        let part = |x0: u16, x1: u16, y0: u16, y1: u16| {
            let across = edge(x0, cell.width, width)..edge(x1, cell.width, width);
            let down = edge(y0, cell.height, height)..edge(y1, cell.height, height);
            (across, down)
        };
        let mut found = Vec::new();
        for row in 0..cells.rows {
            for col in 0..cells.cols {
                let (across, down) = part(
                    col.saturating_sub(1),
                    col + 2,
                    row.saturating_sub(1),
                    row + 2,
                );
                let all = down.into_iter().all(|y| {
                    let row = (y * width) as usize;
                    let range = row + across.start as usize..row + across.end as usize;
                    self.overlay.indices[range].iter().all(|i| is(*i))
                });
                if all {
                    let (across, down) = part(col, col + 1, row, row + 1);
                    let (w, h) = (across.end - across.start, down.end - down.start);
                    found.push([across.start, down.start, w, h]);
                }
            }
        }
        found
    }

    /// A cell's mean colour on the screen and in the photo.
    fn means(&self, screen: &RgbImage, [x, y, w, h]: [u32; 4]) -> ([f64; 3], [f64; 3]) {
        let (left, top) = self.corner();
        let seen = [f64::from(x) + left, f64::from(y) + top].map(|v| v.round() as u32);
        (
            mean(screen, [seen[0], seen[1], w, h]),
            mean(&self.photo, [x, y, w, h]),
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Across,
    Down,
}

/// Pixels that are neither the terminal's background nor the bare screen.
pub fn bright(screen: &RgbImage) -> u64 {
    let whole = [
        0.0,
        0.0,
        f64::from(screen.width()),
        f64::from(screen.height()),
    ];
    count(screen, whole, |p| !is_dark(p))
}

fn is_dark(pixel: Rgb<u8>) -> bool {
    DARK.iter().any(|dark| is_near(pixel, *dark, 10))
}

pub fn is_near(pixel: Rgb<u8>, colour: Colour, most: u8) -> bool {
    let mut pairs = pixel.0.iter().zip(colour);
    pairs.all(|(a, b)| a.abs_diff(b) <= most)
}

fn mean(pixels: &RgbImage, [x, y, w, h]: [u32; 4]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (x, y) in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (x, y))) {
        let Some(pixel) = pixels.get_pixel_checked(x, y) else {
            continue;
        };
        for k in 0..3 {
            sums[k] += f64::from(pixel[k]);
        }
    }
    sums.map(|sum| sum / f64::from(w * h))
}

/// Pixels of a part of the screen (left, top, width, height) that are so.
fn count(screen: &RgbImage, part: [f64; 4], is: impl Fn(Rgb<u8>) -> bool) -> u64 {
    let [x, y, w, h] = part.map(|v| v.round() as u32);
    let rows = y..(y + h).min(screen.height());
    let pixels = rows.flat_map(|y| (x..(x + w).min(screen.width())).map(move |x| (x, y)));
    pixels
        .map(|(x, y)| u64::from(is(*screen.get_pixel(x, y))))
        .sum()
}
