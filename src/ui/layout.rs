//! Which cells show what. It fits 80x24 and anything larger; below 20x5 the picture goes first.

use ratatui::layout::Rect;

use crate::core::geometry::CellRect;

/// The picture: all but the title row and the two status rows.
pub fn canvas(screen: (u16, u16)) -> CellRect {
    let (cols, rows) = screen;
    CellRect {
        col: 0,
        row: u16::from(rows > 4),
        cols: cols.max(1),
        // The last row stays free of pictures: sixel would scroll there.
        rows: rows.saturating_sub(if rows > 4 { 3 } else { 1 }).max(1),
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
