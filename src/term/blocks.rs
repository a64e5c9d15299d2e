//! Blocks: characters that show two or four pixels a cell, in any terminal. Not six: nothing tells
//! whether a terminal's font has the sextants of Unicode 13, and where it has not, the picture would
//! be boxes; quadrants are as old as Unicode 3.2.

mod colour;
mod pen;

pub use colour::Depth;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};

use self::colour::{mean, shade, squares};
use self::pen::Pen;
use crate::core::geometry::CellSize;
use crate::core::raster::{Marks, Overlay};
use crate::core::scene::{Mark, Rgb, Scene};
use crate::core::view::View;
use crate::term::pace::Speed;
use crate::term::photo;

/// Characters for the pixels that have the first of two colours: upper left, upper right, lower
/// left, lower right are 1, 2, 4, 8.
const QUADRANTS: [&str; 16] = [
    " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
];

/// Four black pixels.
const BLACK: Quadrant = ("▀", [0; 3], [0; 3]);

/// The view's photo, kept while only masks and marks change.
#[derive(Debug, Default)]
pub struct Blocks {
    photo: Option<(u64, View, Vec<u8>)>,
    /// What was found for each cell's pixels: most stay as they are.
    cells: Vec<([Rgb; 4], Quadrant)>,
}

/// A character with the colours of what it fills and of the rest.
type Quadrant = (&'static str, Rgb, Rgb);

impl Blocks {
    /// Draws the scene into the cells of its view.
    pub fn draw(&mut self, scene: &Scene, depth: Depth, speed: Speed, buffer: &mut Buffer) {
        let view = View {
            cell: CellSize {
                width: 2.0,
                height: 2.0,
            },
            ..scene.view
        };
        let is_same = |(key, at, _): &(u64, View, Vec<u8>)| *key == scene.photo.key && *at == view;
        if !self.photo.as_ref().is_some_and(is_same) {
            let rgb = photo::at_view(&scene.photo.image, &view);
            self.photo = Some((scene.photo.key, view, rgb));
        }
        let Some((_, _, rgb)) = &self.photo else {
            return;
        };
        let mut pixels = rgb.clone();
        Overlay::draw(&view, &scene.layers, &[], Marks::All).blend(&mut pixels);
        let width = 2 * usize::from(view.cells.cols);
        Pen::new(&view, speed, &mut pixels).draw(&scene.marks);
        let count = usize::from(view.cells.cols) * usize::from(view.cells.rows);
        self.cells.resize(count, ([[0; 3]; 4], BLACK));
        for row in 0..view.cells.rows {
            for col in 0..view.cells.cols {
                let Some(cell) = buffer.cell_mut((view.cells.col + col, view.cells.row + row))
                else {
                    continue;
                };
                let first = 2 * usize::from(row) * width + 2 * usize::from(col);
                let pixel = |i: usize| -> Rgb { [0, 1, 2].map(|k| pixels[3 * i + k]) };
                let four = [first, first + 1, first + width, first + width + 1].map(pixel);
                let (symbol, ink, ground) = if depth.has_quadrants() {
                    let own = usize::from(row) * width / 2 + usize::from(col);
                    let (before, found) = &mut self.cells[own];
                    if *before != four {
                        (*before, *found) = (four, quadrant(four));
                    }
                    *found
                } else {
                    let half = |a, b| mean(&[four[a], four[b]]);
                    ("▀", half(0, 1), half(2, 3))
                };
                if depth == Depth::None {
                    cell.set_symbol(shade(&four));
                    continue;
                }
                cell.set_symbol(symbol)
                    .set_fg(depth.colour(ink))
                    .set_bg(depth.colour(ground));
            }
        }
        // There are no pixels for letters: they are characters.
        for mark in &scene.marks {
            let Mark::Label { at, text } = mark else {
                continue;
            };
            if let Some(cell) = view.cell_from_image(*at) {
                let style = Style::new().fg(Color::White).bg(Color::Black).bold();
                buffer.set_stringn(cell.col, cell.row, text, text.len(), style);
            }
        }
    }
}

/// The character and the two colours that are nearest to four pixels.
fn quadrant(four: [Rgb; 4]) -> Quadrant {
    let split = |pattern: usize| {
        let part = |has: usize| -> Vec<Rgb> {
            let of = four.iter().enumerate();
            of.filter(|(i, _)| pattern >> i & 1 == has)
                .map(|(_, c)| *c)
                .collect()
        };
        (part(1), part(0))
    };
    // The other eight are these with their colours changed about; halves first, where equal.
    let best = [3, 5, 1, 2, 4, 7, 6, 15].into_iter().min_by_key(|pattern| {
        let (ink, ground) = split(*pattern);
        squares(&ink) + squares(&ground)
    });
    let pattern = best.unwrap_or(3);
    let (ink, ground) = split(pattern);
    let ink = mean(&ink);
    let ground = if ground.is_empty() {
        ink
    } else {
        mean(&ground)
    };
    (QUADRANTS[pattern], ink, ground)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [200, 0, 0];
    const BLUE: Rgb = [0, 0, 200];

    #[test]
    fn four_pixels_of_two_colours_are_shown_as_they_are() {
        assert_eq!(quadrant([RED, RED, BLUE, BLUE]), ("▀", RED, BLUE));
        assert_eq!(quadrant([RED, BLUE, RED, BLUE]), ("▌", RED, BLUE));
        assert_eq!(quadrant([BLUE, RED, BLUE, BLUE]), ("▝", RED, BLUE));
        assert_eq!(quadrant([RED, BLUE, BLUE, RED]), ("▞", BLUE, RED));
        assert_eq!(quadrant([RED; 4]).1, RED);
    }

    #[test]
    fn four_black_pixels_are_what_cells_begin_with() {
        assert_eq!(quadrant([[0; 3]; 4]), BLACK);
    }
}
