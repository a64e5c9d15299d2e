//! Small pictures beside the canvas: each is sent once, at the size it is shown in.

use std::collections::BTreeMap;

use super::wire::{Name, Spot, Wire};
use crate::core::geometry::CellSize;
use crate::core::scene::Thumbnail;
use crate::term::line::Command;
use crate::term::palette::quantise;
use crate::term::photo::averaged;
use crate::term::png::indexed_png;

/// Numbers of the pictures.
const FIRST: u32 = 30;
/// How many the terminal keeps.
const KEPT: usize = 40;
/// The highest number.
pub const LAST: u32 = FIRST + KEPT as u32 - 1;
const COLOURS: u16 = 96;

/// The photo and its size on the screen.
type Look = (u64, (u32, u32));

/// Those that the terminal has, with their numbers, the last used at the end.
#[derive(Debug, Default)]
pub struct Thumbnails(Vec<(Look, u32)>);

impl Thumbnails {
    /// Puts those that were sent where they belong.
    pub fn place(&self, all: &[Thumbnail], cell: CellSize, wanted: &mut BTreeMap<Name, Spot>) {
        for thumbnail in all {
            let look = look(thumbnail, cell);
            let Some((_, id)) = self.0.iter().find(|(sent, _)| *sent == look) else {
                continue;
            };
            // In the middle of its cells.
            let (_, (width, height)) = look;
            let middle = |cells: u16, cell: f64, length: u32| {
                let free = (f64::from(cells) * cell - f64::from(length)).max(0.0) / 2.0;
                ((free / cell) as u16, (free % cell) as u32)
            };
            let (col, x) = middle(thumbnail.cells.cols, cell.width, width);
            let (row, y) = middle(thumbnail.cells.rows, cell.height, height);
            let spot = Spot {
                row: thumbnail.cells.row + row,
                col: thumbnail.cells.col + col,
                keys: format!("X={x},Y={y},"),
            };
            wanted.insert((*id, 1), spot);
        }
    }

    /// Sends one that the terminal has not got; `None` where it has all.
    pub fn send(&mut self, all: &[Thumbnail], cell: CellSize, wire: &mut Wire) -> Option<Command> {
        let mut missing = None;
        for thumbnail in all.iter().take(KEPT) {
            let look = look(thumbnail, cell);
            match self.0.iter().position(|(sent, _)| *sent == look) {
                Some(i) => {
                    let used = self.0.remove(i);
                    self.0.push(used);
                }
                None => missing = missing.or(Some((thumbnail, look))),
            }
        }
        let (thumbnail, look) = missing?;
        let id = if self.0.len() < KEPT {
            FIRST + self.0.len() as u32
        } else {
            self.0.remove(0).1
        };
        self.0.push((look, id));
        let image = &thumbnail.photo.image;
        let (_, (width, height)) = look;
        let rgb = averaged(image, image.size().bounds(), width, height);
        let (palette, indices) = quantise(&rgb, width, height, COLOURS);
        let opaque: Vec<_> = palette.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        Some(wire.transmit(id, &indexed_png(&indices, width, height, &opaque)))
    }

    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// As large as its cells allow.
fn look(thumbnail: &Thumbnail, cell: CellSize) -> Look {
    let size = thumbnail.photo.image.size();
    let fits = |cells: u16, cell: f64, length: u32| f64::from(cells) * cell / f64::from(length);
    let scale = fits(thumbnail.cells.cols, cell.width, size.width).min(fits(
        thumbnail.cells.rows,
        cell.height,
        size.height,
    ));
    let side = |length: u32| ((f64::from(length) * scale) as u32).max(1);
    (thumbnail.photo.key, (side(size.width), side(size.height)))
}
