//! Which cells show what. It fits 80x24 and anything larger; below 20x5 the picture goes first.

use ratatui::layout::Rect;

use crate::core::geometry::CellRect;

/// Whether the list of images has a place beside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum List {
    #[default]
    Hidden,
    Shown,
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

/// The list of images, at the right of the picture; `None` where it has no place.
pub fn list(screen: (u16, u16), list: List) -> Option<CellRect> {
    let cols = list_cols(screen, list);
    let canvas = canvas(screen, list);
    (cols > 0).then_some(CellRect {
        col: canvas.cols,
        cols,
        ..canvas
    })
}

fn list_cols((cols, rows): (u16, u16), list: List) -> u16 {
    match list {
        List::Shown if cols >= NARROWEST && rows > 4 => (cols / 5).clamp(16, 32),
        List::Shown | List::Hidden => 0,
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
