//! Half-blocks: each cell shows two pixels, in any terminal.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};

use crate::core::geometry::CellSize;
use crate::core::raster::{Marks, Overlay};
use crate::core::scene::{Mark, Rgb, Scene};
use crate::core::view::View;
use crate::term::photo;

/// The view's photo, kept while only masks and marks change.
#[derive(Debug, Default)]
pub struct Blocks {
    photo: Option<(u64, View, Vec<u8>)>,
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    True,
    Indexed,
    None,
}

impl Depth {
    /// From `COLORTERM`, `TERM` and `NO_COLOR`; over ssh the first is often lost, so that only a
    /// terminal known for 256 colours gets those.
    pub fn of_environment() -> Self {
        let var = |name| std::env::var(name).unwrap_or_default();
        if !var("NO_COLOR").is_empty() {
            return Self::None;
        }
        let colorterm = var("COLORTERM");
        if colorterm == "truecolor" || colorterm == "24bit" {
            return Self::True;
        }
        match var("TERM").as_str() {
            "linux" | "screen-256color" | "xterm-256color" | "tmux-256color" => Self::Indexed,
            _ => Self::True,
        }
    }
}

impl Blocks {
    /// Draws the scene into the cells of its view.
    pub fn draw(&mut self, scene: &Scene, depth: Depth, buffer: &mut Buffer) {
        let view = View {
            cell: CellSize {
                width: 1.0,
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
        Overlay::draw(&view, &scene.layers, &scene.marks, Marks::All).blend(&mut pixels);
        let cells = view.cells;
        let width = usize::from(cells.cols);
        let pixel = |x: usize, y: usize| -> Rgb {
            let i = 3 * (y * width + x);
            [pixels[i], pixels[i + 1], pixels[i + 2]]
        };
        for row in 0..cells.rows {
            for col in 0..cells.cols {
                let (x, y) = (usize::from(col), 2 * usize::from(row));
                let at = (cells.col + col, cells.row + row);
                let Some(cell) = buffer.cell_mut(at) else {
                    continue;
                };
                let (upper, lower) = (pixel(x, y), pixel(x, y + 1));
                if depth == Depth::None {
                    cell.set_symbol(shade(upper, lower));
                } else {
                    cell.set_symbol("▀")
                        .set_fg(colour(upper, depth))
                        .set_bg(colour(lower, depth));
                }
            }
        }
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

fn colour(rgb: Rgb, depth: Depth) -> Color {
    let [r, g, b] = rgb;
    if depth == Depth::True {
        return Color::Rgb(r, g, b);
    }
    // The 6x6x6 cube of the 256 colours, or the nearest of their 24 greys.
    let steps = rgb.map(nearest_step);
    let cube = steps.map(|i| CUBE[i]);
    let mean = (u32::from(r) + u32::from(g) + u32::from(b)) / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance(rgb, [8 + 10 * grey; 3]) < distance(rgb, cube) {
        return Color::Indexed(232 + grey);
    }
    let [r, g, b] = steps.map(|i| i as u8);
    Color::Indexed(16 + 36 * r + 6 * g + b)
}

/// How light each step of the 256 colours' cube is, as xterm has it and all others after it.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_step(value: u8) -> usize {
    let apart = |i: &usize| CUBE[*i].abs_diff(value);
    (0..CUBE.len()).min_by_key(apart).expect("there are six")
}

fn distance(a: Rgb, b: Rgb) -> u32 {
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
    squares.sum()
}

/// Without colours: how light the two pixels are together.
fn shade(upper: Rgb, lower: Rgb) -> &'static str {
    let light: u32 = upper.iter().chain(&lower).map(|v| u32::from(*v)).sum();
    [" ", "░", "▒", "▓", "█"][(light * 5 / (6 * 256)) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_256_colours_each_is_the_nearest() {
        let of = |rgb| colour(rgb, Depth::Indexed);
        assert_eq!(of([0, 0, 0]), Color::Indexed(16));
        assert_eq!(of([255, 255, 255]), Color::Indexed(231));
        assert_eq!(of([95, 135, 175]), Color::Indexed(67));
        // A dark brown is nearer to a dark grey than to the cube's first step.
        assert_eq!(of([40, 10, 5]), Color::Indexed(233));
        assert_eq!(of([60, 62, 58]), Color::Indexed(237));
    }
}
