//! What a step costs on a slow line: at 256 kbit/s it is to be there within 50 ms, which are 1600
//! bytes.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};

use super::Way;
use super::backend::Frame;
use super::blocks::{Blocks, Depth};
use super::iterm::Iterm;
use super::kitty::{Grid, Kitty};
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::sixel::Sixel;
use crate::core::geometry::{CellRect, CellSize, ImagePoint};
use crate::core::image::Image;
use crate::core::scene::{Mark, Photo, Scene};
use crate::core::view::View;

const MOMENT: usize = 1600;

/// A photo in 100x40 cells of 10x20 pixels.
fn scene(at: ImagePoint) -> Scene {
    let photo = image::load_from_memory(include_bytes!("../../assets/coffee.png"));
    let photo = photo.expect("a photo").into_rgb8();
    let (width, height) = photo.dimensions();
    let size = crate::core::geometry::Size::new(width, height);
    let canvas = CellRect {
        col: 0,
        row: 1,
        cols: 100,
        rows: 37,
    };
    Scene {
        view: View::fit(size, canvas, CellSize::default()),
        photo: Photo {
            key: 1,
            image: Arc::new(Image::from_rgb(size, photo.into_raw())),
        },
        layers: Vec::new(),
        marks: vec![Mark::Crosshair(at)],
        next: Vec::new(),
        thumbnails: Vec::new(),
    }
}

/// A cell to the right and one down, by turns.
fn way() -> impl Iterator<Item = ImagePoint> {
    (0..12).map(|i| ImagePoint::new(200 + 6 * (i / 2), 150 + 12 * i.div_ceil(2)))
}

/// Row and column that a patch is drawn at: `ESC 7 ESC [ row ; column H`.
fn place(patch: &[u8]) -> Option<(u16, u16)> {
    let text = String::from_utf8_lossy(patch);
    let (row, rest) = text.strip_prefix("\x1b7\x1b[")?.split_once(';')?;
    let (col, _) = rest.split_once('H')?;
    Some((row.parse().ok()?, col.parse().ok()?))
}

#[test]
fn a_step_on_a_slow_line_shows_within_a_moment_s_bytes_in_every_protocol() {
    let painters: [(&str, Box<dyn Painter>); 5] = [
        ("kitty", Box::new(Kitty::new(Way::Edits))),
        ("relative", Box::new(Kitty::new(Way::Relative(1)))),
        ("characters", Box::new(Grid::new(Way::Grid(1)))),
        ("sixel", Box::new(Sixel::new(Way::Direct))),
        ("iterm", Box::new(Iterm::new(Way::Direct))),
    ];
    for (name, mut painter) in painters {
        painter.pace(Speed::Slow);
        let start = scene(ImagePoint::new(200, 150));
        painter.paint(&start);
        while let Refined::Step(_) = painter.refine(&start, 1 << 16) {}
        for at in way() {
            let next = Scene {
                marks: vec![Mark::Crosshair(at)],
                ..start.clone()
            };
            let step = painter.paint(&next);
            let first = step.first().map_or(0, Vec::len);
            assert!(first <= MOMENT, "{name}: {first} bytes to {at:?}");
            // What is drawn by cells begins with the crosshair's.
            if let Some((row, col)) = step.first().and_then(|first| place(first)) {
                let cell = next.view.cell_from_image(at).expect("in the view");
                let rows = row..row + 3;
                let is_there = rows.contains(&(cell.row + 1)) && col <= cell.col + 1;
                assert!(is_there, "{name}: {row};{col} for {cell:?}");
            }
        }
    }
}

#[test]
fn a_step_on_a_slow_line_changes_few_blocks() {
    let frame = Frame::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, 100, 40));
    let options = TerminalOptions { viewport };
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(frame.clone()), options).expect("memory");
    let mut blocks = Blocks::default();
    let mut start = scene(ImagePoint::new(200, 150));
    for (i, at) in way().enumerate() {
        start.marks = vec![Mark::Crosshair(at)];
        terminal
            .draw(|f| blocks.draw(&start, Depth::True, Speed::Slow, f.buffer_mut()))
            .expect("memory");
        let step = frame.take().len();
        assert!(i == 0 || step <= MOMENT, "{step} bytes to {at:?}");
    }
}
