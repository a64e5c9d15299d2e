//! A sheet of small pictures: each object of an image in its surroundings, judged at a glance.

use std::sync::Arc;

use super::geometry::{CellRect, CellSize, ImageRect, Size};
use super::image::Image;
use super::mask::Mask;
use super::raster::{Marks, Overlay};
use super::scene::{Layer, Rgb, Style};
use super::view::View;

/// Objects on one sheet: as many as there are letters for.
pub const TILES: usize = 24;
const COLUMNS: u32 = 6;

/// Columns of a sheet of so many tiles: a little wider than high.
fn columns(count: usize) -> u32 {
    ((1.5 * count as f64).sqrt().ceil() as u32).clamp(1, COLUMNS)
}

/// Side of a tile, and the gap between tiles, in pixels.
const SIDE: u32 = 160;
const GAP: u32 = 6;

/// Where a tile lies on a sheet of `count` tiles.
pub fn tile(index: usize, count: usize) -> ImageRect {
    let columns = columns(count);
    let (col, row) = (index as u32 % columns, index as u32 / columns);
    let (x, y) = (col * (SIDE + GAP), row * (SIDE + GAP));
    ImageRect::new(x, y, x + SIDE, y + SIDE)
}

/// Draws the masks, each with a quarter of its size around it and its outline.
pub fn draw(image: &Image, masks: &[(Arc<Mask>, Rgb)]) -> Image {
    let columns = columns(masks.len());
    let rows = (masks.len() as u32).div_ceil(columns).max(1);
    let size = Size::new(columns * (SIDE + GAP) - GAP, rows * (SIDE + GAP) - GAP);
    let mut pixels = vec![24; size.width as usize * size.height as usize * 3];
    for (i, (mask, colour)) in masks.iter().enumerate() {
        let picture = one(image, mask, *colour);
        let at = tile(i, masks.len());
        for (y, row) in picture.chunks_exact(SIDE as usize * 3).enumerate() {
            let start = ((at.y0 as usize + y) * size.width as usize + at.x0 as usize) * 3;
            pixels[start..start + row.len()].copy_from_slice(row);
        }
    }
    Image::from_rgb(size, pixels)
}

/// One tile: a view of its own, a pixel a cell.
fn one(image: &Image, mask: &Arc<Mask>, colour: Rgb) -> Vec<u8> {
    let canvas = CellRect {
        col: 0,
        row: 0,
        cols: SIDE as u16,
        rows: SIDE as u16,
    };
    let cell = CellSize {
        width: 1.0,
        height: 1.0,
    };
    let bounds = mask.bounds().unwrap_or(image.size().bounds());
    let view = View::fit(image.size(), canvas, cell).around(bounds);
    let (width, height) = (u32::from(view.cells.cols), u32::from(view.cells.rows));
    let mut photo = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            photo.extend(sample(image, &view, x, y));
        }
    }
    let layer = Layer {
        mask: Arc::clone(mask),
        colour,
        style: Style::Outline,
    };
    Overlay::draw(&view, &[layer], &[], Marks::All).blend(&mut photo);
    let mut tile = vec![24; (SIDE * SIDE * 3) as usize];
    let (left, top) = ((SIDE - width) / 2, (SIDE - height) / 2);
    for (y, row) in photo.chunks_exact(width as usize * 3).enumerate() {
        let start = ((top as usize + y) * SIDE as usize + left as usize) * 3;
        tile[start..start + row.len()].copy_from_slice(row);
    }
    tile
}

/// The mean of four samples within a pixel of the tile.
fn sample(image: &Image, view: &View, x: u32, y: u32) -> [u8; 3] {
    let mut sum = [0_u32; 3];
    for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
        let at = view.image_from_screen(f64::from(x) + dx, f64::from(y) + dy);
        let colour = image.pixel(at);
        for (s, c) in sum.iter_mut().zip(colour) {
            *s += u32::from(c);
        }
    }
    sum.map(|s| (s / 4) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::ImagePoint;

    #[test]
    fn each_object_is_in_the_middle_of_its_tile_in_its_own_colours() {
        let size = Size::new(400, 300);
        let red = ImageRect::new(20, 30, 60, 70);
        let blue = ImageRect::new(300, 200, 310, 210);
        let mut pixels = vec![0; 400 * 300 * 3];
        for (rect, colour) in [(red, [200, 0, 0]), (blue, [0, 0, 200])] {
            for y in rect.y0..rect.y1 {
                for x in rect.x0..rect.x1 {
                    let at = (y as usize * 400 + x as usize) * 3;
                    pixels[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
        let image = Image::from_rgb(size, pixels);
        let whole = size.bounds();
        let masks = [red, blue, whole].map(|r| (Arc::new(Mask::from_rect(size, r)), [255, 255, 0]));
        let sheet = draw(&image, &masks);
        let middle = |i| sheet.pixel(tile(i, 3).centre());
        assert_eq!((middle(0), middle(1)), ([200, 0, 0], [0, 0, 200]));
        // The whole image, 160 wide, lies 20 pixels below the tile's top.
        let at = tile(2, 3);
        let blue = sheet.pixel(ImagePoint::new(at.x0 + 122, at.y0 + 20 + 82));
        assert_eq!(blue, [0, 0, 200]);
        assert_eq!(sheet.size(), Size::new(492, 160));
    }
}
