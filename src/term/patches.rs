//! Which cells of a picture have changed, as blocks of neighbours, for terminals that keep no
//! pictures: there each changed cell is drawn again.

use std::ops::Range;

use rayon::prelude::*;

use super::line::Command;
use crate::core::geometry::CellPoint;
use crate::core::raster::{pixels_of, screen_size};
use crate::core::scene::{Mark, Scene};
use crate::core::view::View;

/// Rows that neighbouring blocks are joined over: sixty pixels are whole bands of sixel.
const JOINED: u16 = 3;
/// Pixels of the crosshair's arms: each cell costs a few hundred bytes.
pub const REACH: u32 = 20;
/// A step changes no more cells than these; pieces of them have so many columns.
const FEW: usize = 100;
const PIECE: u16 = 2;

/// A block of cells, and its pixels in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// First column and row on the screen.
    pub col: u16,
    pub row: u16,
    pub cols: u16,
    pub rows: u16,
    /// x0, y0, x1, y1; what a cell shows begins where its first whole pixel does.
    pub pixels: [usize; 4],
}

impl Block {
    /// A block of a picture's cells: from one column and row to before another, counted from the
    /// picture's first cell.
    pub fn of(view: &View, cells @ [col0, row0, col1, row1]: [u16; 4]) -> Self {
        Self {
            col: view.cells.col + col0,
            row: view.cells.row + row0,
            cols: col1 - col0,
            rows: row1 - row0,
            pixels: pixels(view, cells),
        }
    }
}

impl Block {
    /// Cells between it and another one.
    fn distance(&self, cell: CellPoint) -> u32 {
        let apart = |at: u16, from: u16, length: u16| {
            let before = from.saturating_sub(at);
            u32::from(before.max((at + 1).saturating_sub(from + length)))
        };
        apart(cell.col, self.col, self.cols) + apart(cell.row, self.row, self.rows)
    }
}

/// Cuts the few blocks that a step changes into pieces, which may come one after the other on a slow
/// line; more are left as they are.
pub fn in_pieces(blocks: Vec<Block>, view: &View) -> Vec<Block> {
    let cells = |b: &Block| usize::from(b.cols) * usize::from(b.rows);
    if blocks.iter().map(cells).sum::<usize>() > FEW {
        return blocks;
    }
    let cut = |block: &Block| {
        let (left, top) = (block.col - view.cells.col, block.row - view.cells.row);
        let (right, bottom) = (left + block.cols, top + block.rows);
        (top..bottom).flat_map(move |row| {
            (left..right)
                .step_by(PIECE.into())
                .map(move |col| [col, row, (col + PIECE).min(right), row + 1])
        })
    };
    let pieces = blocks.iter().flat_map(cut);
    pieces.map(|cells| Block::of(view, cells)).collect()
}

/// Puts the few blocks first that are nearest to the crosshair: a step shows at once, and what it
/// leaves behind goes a moment later.
pub fn nearest_first(mut blocks: Vec<Block>, scene: &Scene) -> Vec<Block> {
    let crosshair = scene.marks.iter().find_map(|mark| match mark {
        Mark::Crosshair(at) => scene.view.cell_from_image(*at),
        _ => None,
    });
    if let Some(cell) = crosshair.filter(|_| blocks.len() <= FEW) {
        blocks.sort_by_key(|block| block.distance(cell));
    }
    blocks
}

/// What the terminal shows of a picture: a number for each pixel's colour, row by row.
#[derive(Debug, Default)]
pub struct Shown {
    pixels: Vec<u8>,
    /// Which of its cells were drawn at all, row by row.
    drawn: Vec<bool>,
}

/// Which rows of cells may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    All,
    /// Those of which something was drawn before: the others are not waited for.
    Known,
}

impl Shown {
    /// Nothing is shown of a picture of this view.
    pub fn nothing(view: &View) -> Self {
        let (width, height) = screen_size(view);
        Self {
            pixels: vec![0; width as usize * height as usize],
            drawn: vec![false; usize::from(view.cells.cols) * usize::from(view.cells.rows)],
        }
    }

    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub fn is_whole(&self) -> bool {
        self.drawn.iter().all(|drawn| *drawn)
    }

    /// Pixels for which `gone` holds are to be drawn again.
    pub fn forget(&mut self, sentinel: u8, gone: impl Fn(u8) -> bool) {
        for pixel in self.pixels.iter_mut().filter(|p| gone(**p)) {
            *pixel = sentinel;
        }
    }

    /// The blocks in which `next` differs.
    pub fn dirty(&self, view: &View, next: &[u8], which: Rows) -> Vec<Block> {
        let width = screen_size(view).0 as usize;
        let mut blocks: Vec<Block> = Vec::new();
        for row in 0..view.cells.rows {
            let drawn = &self.drawn[cells(view, row, 0..view.cells.cols)];
            if which == Rows::Known && !drawn.contains(&true) {
                continue;
            }
            let is_dirty = |col: u16| {
                let [x0, y0, x1, y1] = pixels(view, [col, row, col + 1, row + 1]);
                let part = |y: usize| y * width + x0..y * width + x1;
                !drawn[usize::from(col)] || (y0..y1).any(|y| self.pixels[part(y)] != next[part(y)])
            };
            let mut col = 0;
            while col < view.cells.cols {
                if !is_dirty(col) {
                    col += 1;
                    continue;
                }
                let from = col;
                while col < view.cells.cols && is_dirty(col) {
                    col += 1;
                }
                join(&mut blocks, view, from, col, row);
            }
        }
        blocks
    }

    /// Writes blocks of what is to be shown until so many bytes are full: one after the other, or, where
    /// there is room for all, side by side.
    pub fn write(
        &mut self,
        (view, next): (&View, &[u8]),
        blocks: &[Block],
        room: usize,
        write: impl Fn(&Block) -> Command + Sync,
    ) -> Vec<Command> {
        let (mut out, mut full) = (Vec::new(), 0);
        let at_once = if room == usize::MAX { blocks.len() } else { 1 };
        for blocks in blocks.chunks(at_once.max(1)) {
            if full >= room {
                break;
            }
            let patches: Vec<Command> = blocks.par_iter().map(&write).collect();
            full += patches.iter().map(Vec::len).sum::<usize>();
            out.extend(patches);
            for block in blocks {
                self.draw(view, block, next);
            }
        }
        out
    }

    /// A block was drawn.
    fn draw(&mut self, view: &View, block: &Block, next: &[u8]) {
        let width = screen_size(view).0 as usize;
        let [x0, y0, x1, y1] = block.pixels;
        for y in y0..y1 {
            let part = y * width + x0..y * width + x1;
            self.pixels[part.clone()].copy_from_slice(&next[part]);
        }
        let (col, row) = (block.col - view.cells.col, block.row - view.cells.row);
        for row in row..row + block.rows {
            self.drawn[cells(view, row, col..col + block.cols)].fill(true);
        }
    }
}

/// Where some cells of a row are among all of a view's.
fn cells(view: &View, row: u16, cols: Range<u16>) -> Range<usize> {
    let first = usize::from(row) * usize::from(view.cells.cols);
    first + usize::from(cols.start)..first + usize::from(cols.end)
}

/// Adds cells of a row to the blocks: below a block of the same columns they become part of it.
fn join(blocks: &mut Vec<Block>, view: &View, from: u16, to: u16, row: u16) {
    let (col, cols) = (view.cells.col + from, to - from);
    let above = blocks.iter_mut().rev().take(8).find(|b| {
        (b.col, b.cols) == (col, cols) && b.row + b.rows == view.cells.row + row && b.rows < JOINED
    });
    if let Some(above) = above {
        above.rows += 1;
        above.pixels[3] = pixels(view, [from, row, to, row + 1])[3];
        return;
    }
    blocks.push(Block::of(view, [from, row, to, row + 1]));
}

/// The pixels of a block of cells, counted from the picture's first cell: a patch of any other size
/// would be stretched, and lose or double its lines.
fn pixels(view: &View, [col0, row0, col1, row1]: [u16; 4]) -> [usize; 4] {
    let (cells, cell) = (view.cells, view.cell);
    let across = |col| pixels_of(cells.col, col, cell.width) as usize;
    let down = |row| pixels_of(cells.row, row, cell.height) as usize;
    [across(col0), down(row0), across(col1), down(row1)]
}

/// Blanks the cells of the picture before this one, where they are others. Another canvas was
/// cleared as a whole, and in a smaller terminal the old cells may be those of the text.
pub fn erase(old: &View, new: &View) -> Option<Vec<u8>> {
    let cells = old.cells;
    if cells == new.cells || old.canvas != new.canvas {
        return None;
    }
    let blank = |row| format!("\x1b[{};{}H\x1b[{}X", row + 1, cells.col + 1, cells.cols);
    let all: String = (cells.row..cells.row + cells.rows).map(blank).collect();
    Some(format!("\x1b7\x1b[0m{all}\x1b8").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{CellRect, CellSize, Size};

    fn view() -> View {
        let canvas = CellRect {
            col: 0,
            row: 1,
            cols: 10,
            rows: 5,
        };
        View::fit(Size::new(100, 100), canvas, CellSize::default())
    }

    #[test]
    fn only_changed_cells_are_drawn_again_and_neighbours_together() {
        let view = view();
        let (width, height) = screen_size(&view);
        let mut next = vec![0; (width * height) as usize];
        let mut shown = Shown::nothing(&view);
        assert!(shown.dirty(&view, &next, Rows::Known).is_empty());
        for block in shown.dirty(&view, &next, Rows::All) {
            shown.draw(&view, &block, &next);
        }
        assert!(shown.is_whole());
        // A pixel in the second cell of the second row, and one below it.
        next[(25 * width + 15) as usize] = 1;
        next[(45 * width + 15) as usize] = 1;
        let blocks = shown.dirty(&view, &next, Rows::All);
        let [block] = blocks.as_slice() else {
            panic!("{blocks:?}");
        };
        assert_eq!(block.pixels, [10, 20, 20, 60]);
        assert_eq!((block.cols, block.rows, block.row), (1, 2, 2));
    }

    #[test]
    fn a_row_of_which_a_piece_was_drawn_is_not_known_beside_it() {
        let view = view();
        let (width, height) = screen_size(&view);
        let next = vec![0; (width * height) as usize];
        let mut shown = Shown::nothing(&view);
        let piece = Block::of(&view, [4, 0, 6, 1]);
        shown.draw(&view, &piece, &next);
        assert!(!shown.is_whole());
        let rest = shown.dirty(&view, &next, Rows::Known);
        let columns: Vec<(u16, u16)> = rest.iter().map(|b| (b.col, b.cols)).collect();
        let (left, end) = (view.cells.col, view.cells.cols);
        assert_eq!(columns, [(left, 4), (left + 6, end - 6)]);
    }

    #[test]
    fn cells_of_broken_pixels_leave_no_gap_and_do_not_overlap() {
        let cell = CellSize {
            width: 7.2,
            height: 14.4,
        };
        let canvas = CellRect {
            col: 0,
            row: 0,
            cols: 33,
            rows: 17,
        };
        let view = View::fit(Size::new(330, 340), canvas, cell);
        let (width, _) = screen_size(&view);
        let edges: Vec<[usize; 4]> = (0..view.cells.cols)
            .map(|col| pixels(&view, [col, 0, col + 1, 1]))
            .collect();
        assert!(
            edges
                .windows(2)
                .all(|e| e[0][2] == e[1][0] && e[0][0] < e[0][2])
        );
        assert_eq!(edges.last().expect("columns")[2], width as usize);
    }
}
