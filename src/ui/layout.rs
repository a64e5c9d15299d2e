//! Which cells show what. It fits 80x24 and anything larger; below 20x5 the picture goes first.

use ratatui::layout::Rect;

use crate::core::geometry::{CellPoint, CellRect, CellSize};

/// Whether the list of images has a place beside the picture, and what it shows of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum List {
    #[default]
    Hidden,
    Names,
    Thumbnails,
}

/// The list of images, at the right of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    pub cells: CellRect,
    /// Rows of each image's thumbnail; its name has one more, below.
    pub picture: u16,
}

impl Listing {
    /// How many images it has room for.
    pub fn room(self) -> usize {
        usize::from(self.cells.rows / (self.picture + 1)).max(1)
    }

    /// Which of its images is in a cell, counted from the first shown.
    pub fn at(self, cell: CellPoint) -> Option<usize> {
        let is_inside = self.cells.contains(cell);
        is_inside.then(|| usize::from((cell.row - self.cells.row) / (self.picture + 1)))
    }

    /// The cells of an image's thumbnail.
    pub fn thumbnail(self, nth: usize) -> CellRect {
        CellRect {
            col: self.cells.col + 1,
            row: self.cells.row + nth as u16 * (self.picture + 1),
            cols: self.cells.cols - 2,
            rows: self.picture,
        }
    }
}

/// A narrower screen leaves the list out.
const NARROWEST: u16 = 60;

/// The picture: all but the title row, the two status rows and the list.
pub fn canvas(screen: (u16, u16), list: List) -> CellRect {
    let (cols, rows) = screen;
    CellRect {
        col: 0,
        row: u16::from(rows > 4),
        cols: (cols - list_cols(screen, list)).max(1),
        // The last row stays free of pictures: sixel would scroll there.
        rows: rows.saturating_sub(if rows > 4 { 3 } else { 1 }).max(1),
    }
}

/// The list of images; `None` where it has no place.
pub fn list(screen: (u16, u16), cell: CellSize, list: List) -> Option<Listing> {
    let cols = list_cols(screen, list);
    let canvas = canvas(screen, list);
    let cells = CellRect {
        col: canvas.cols,
        cols,
        ..canvas
    };
    let picture = match list {
        List::Hidden | List::Names => 0,
        // Three by two, as most photos are; at least two images side by side with it.
        List::Thumbnails => {
            let width = f64::from(cols.saturating_sub(2)) * cell.width;
            let rows = (width / 1.5 / cell.height).round() as u16;
            rows.clamp(2, (cells.rows / 2).saturating_sub(1).max(2))
        }
    };
    (cols > 0).then_some(Listing { cells, picture })
}

fn list_cols((cols, rows): (u16, u16), list: List) -> u16 {
    match list {
        List::Names | List::Thumbnails if cols >= NARROWEST && rows > 4 => (cols / 5).clamp(16, 32),
        List::Hidden | List::Names | List::Thumbnails => 0,
    }
}

/// A window in the middle, as large as asked where there is room.
pub fn window(screen: Rect, cols: u16, rows: u16) -> Rect {
    let (width, height) = (cols.min(screen.width), rows.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}
