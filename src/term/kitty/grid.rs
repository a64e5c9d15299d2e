//! Kitty's pictures in characters, with masks and marks in them: inside tmux, where the terminal
//! cannot place one picture relative to another. Only what has changed is sent: as parts of one
//! picture where the terminal takes parts, else as whole pictures of a few cells each.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::characters::row;
use super::wire::{Wire, number};
use crate::core::geometry::CellRect;
use crate::core::raster::{Rgba, screen_size};
use crate::core::scene::Scene;
use crate::core::view::View;
use crate::term::Way;
use crate::term::line::Command;
use crate::term::pace::Speed;
use crate::term::painter::{Painter, Refined};
use crate::term::patches::{Block, erase};
use crate::term::png::indexed_png;
use crate::term::registers::{Pen, Registers, Sheet};

/// Pictures across and down: all that characters can name.
const SIDE: u16 = 16;

/// Brings the characters' pictures from one scene to the next.
#[derive(Debug)]
pub struct Grid {
    way: Way,
    wire: Wire,
    registers: Registers,
    /// The canvas and its cells that characters stand in: another canvas was cleared.
    laid: Option<(CellRect, CellRect)>,
    /// Whether the terminal was asked for all pictures of these cells.
    is_proven: bool,
    /// The one picture that parts are replaced of: its size.
    sent: Option<(u32, u32)>,
}

impl Grid {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            wire: Wire::new(way),
            registers: Registers::default(),
            laid: None,
            is_proven: false,
            sent: None,
        }
    }

    /// Characters for the view's cells, and an empty picture to replace parts of.
    fn lay(&mut self, view: &View) -> Vec<Command> {
        let mut out = Vec::new();
        let size = screen_size(view);
        let cells = view.cells;
        if self.wire.edits() && self.sent.replace(size) != Some(size) {
            let clear = vec![0; size.0 as usize * size.1 as usize];
            let clear = indexed_png(&clear, size.0, size.1, &[[0; 4]]);
            out.push(self.wire.spread(0, (cells.cols, cells.rows), &clear));
        }
        let place = (view.canvas, cells);
        if self.laid.replace(place) != Some(place) {
            self.is_proven = false;
            out.push(Mosaic::of(cells, &self.wire).text(cells, self.way));
        }
        out
    }
}

impl Painter for Grid {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let mut out = Vec::new();
        out.extend(self.wire.begin());
        if let Some(before) = self.registers.turn_to(scene) {
            out.extend(erase(&before, view));
            if before.cells != view.cells && !self.wire.edits() {
                // Under the numbers of new cells they would show once more.
                let tiles = 0..Mosaic::of(before.cells, &self.wire).count();
                out.extend(tiles.map(|id| self.wire.delete(id)));
            }
        }
        out.extend(self.lay(view));
        out.extend(self.registers.paint(scene, &Brush::of(view, &self.wire)));
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        let brush = Brush::of(&scene.view, &self.wire);
        self.registers.refine(scene, room, &brush)
    }

    fn hide(&mut self) -> Vec<Command> {
        // The pictures stay in the terminal's memory; their characters go with the cells.
        self.laid = None;
        Vec::new()
    }

    fn prove(&mut self) -> Option<Command> {
        let (_, cells) = self.laid?;
        let mosaic = Mosaic::of(cells, &self.wire);
        // All of them once; then one stands for all.
        let all = 0..mosaic.count();
        let ids = if std::mem::replace(&mut self.is_proven, true) {
            all.end - 1..all.end
        } else {
            all
        };
        let size = |id| {
            let [left, top, right, bottom] = mosaic.part(id);
            (right - left, bottom - top)
        };
        Some(self.wire.check(ids, size))
    }

    fn forget(&mut self) {
        self.registers.forget();
        self.laid = None;
        self.sent = None;
        self.wire.forget();
    }

    fn pace(&mut self, speed: Speed) {
        self.registers.pace(speed);
    }
}

/// How a view's cells are shared out among pictures.
#[derive(Debug, Clone, Copy)]
struct Mosaic {
    cells: (u16, u16),
    /// Columns and rows of one picture; those at the end may be smaller.
    tile: (u16, u16),
}

impl Mosaic {
    fn of(cells: CellRect, wire: &Wire) -> Self {
        let side = |cells: u16| {
            if wire.edits() {
                cells
            } else {
                cells.div_ceil(SIDE)
            }
        };
        let (cols, rows) = (cells.cols, cells.rows);
        Self {
            cells: (cols, rows),
            tile: (side(cols), side(rows)),
        }
    }

    const fn count(self) -> u32 {
        let columns = self.cells.0.div_ceil(self.tile.0) as u32;
        columns * self.cells.1.div_ceil(self.tile.1) as u32
    }

    /// The number of the picture that a cell belongs to.
    fn number(self, col: u16, row: u16) -> u32 {
        let columns = self.cells.0.div_ceil(self.tile.0);
        u32::from(row / self.tile.1 * columns + col / self.tile.0)
    }

    /// From one column and row to before another.
    fn part(self, number: u32) -> [u16; 4] {
        let columns = u32::from(self.cells.0.div_ceil(self.tile.0));
        let (col, row) = (
            (number % columns) as u16 * self.tile.0,
            (number / columns) as u16 * self.tile.1,
        );
        [
            col,
            row,
            (col + self.tile.0).min(self.cells.0),
            (row + self.tile.1).min(self.cells.1),
        ]
    }

    fn text(self, at: CellRect, way: Way) -> Command {
        let mut text = String::from("\x1b7");
        for y in 0..self.cells.1 {
            let _ = write!(text, "\x1b[{};{}H", at.row + y + 1, at.col + 1);
            for x in (0..self.cells.0).step_by(usize::from(self.tile.0)) {
                let tile = self.number(x, y);
                let [from, top, to, _] = self.part(tile);
                text.push_str(&row(number(way, tile), y - top, to - from));
            }
        }
        text.push_str("\x1b[0m\x1b8");
        text.into_bytes()
    }
}

/// Sends blocks as parts of the one picture, or the pictures that they lie in.
struct Brush<'a> {
    wire: &'a Wire,
    mosaic: Mosaic,
    /// Column and row of the view's first cell.
    corner: (u16, u16),
}

impl<'a> Brush<'a> {
    fn of(view: &View, wire: &'a Wire) -> Self {
        Self {
            wire,
            mosaic: Mosaic::of(view.cells, wire),
            corner: (view.cells.col, view.cells.row),
        }
    }

    /// The numbers of the pictures that a block lies in.
    fn tiles(&self, block: &Block) -> impl Iterator<Item = u32> {
        let (col, row) = (block.col - self.corner.0, block.row - self.corner.1);
        let mosaic = self.mosaic;
        let cells =
            (row..row + block.rows).flat_map(move |y| (col..col + block.cols).map(move |x| (x, y)));
        cells.map(move |(x, y)| mosaic.number(x, y))
    }
}

impl Pen for Brush<'_> {
    fn snapped(&self, blocks: Vec<Block>, view: &View) -> Vec<Block> {
        if self.wire.edits() {
            return blocks;
        }
        let tiles: BTreeSet<u32> = blocks.iter().flat_map(|b| self.tiles(b)).collect();
        let block = |tile| Block::of(view, self.mosaic.part(tile));
        tiles.into_iter().map(block).collect()
    }

    fn write(&self, block: &Block, sheet: Sheet<'_>) -> Command {
        let [x0, y0, x1, y1] = block.pixels;
        let rows = (y0..y1).map(|y| y * sheet.width);
        let pixels: Vec<u8> = rows
            .flat_map(|start| &sheet.pixels[start + x0..start + x1])
            .copied()
            .collect();
        let opaque = |[r, g, b]: &[u8; 3]| [*r, *g, *b, 255];
        let colours: Vec<Rgba> = sheet.colours.iter().map(opaque).collect();
        let (width, height) = ((x1 - x0) as u32, (y1 - y0) as u32);
        let png = indexed_png(&pixels, width, height, &colours);
        if self.wire.edits() {
            let corner = (x0 as u32, y0 as u32);
            return self.wire.edit(0, corner, (width, height), &png);
        }
        let tile = self
            .mosaic
            .number(block.col - self.corner.0, block.row - self.corner.1);
        self.wire.spread(tile, (block.cols, block.rows), &png)
    }
}
