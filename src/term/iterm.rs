//! iTerm2's inline images: no layers, so strips of the rows that changed, blended here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::raster::{Marks, Overlay, screen_size};
use crate::core::scene::Scene;
use crate::core::view::View;
use crate::term::line::Command;
use crate::term::painter::{Painter, Refined};
use crate::term::photo;
use crate::term::png::{Colours, rgb_png};

/// What the terminal shows.
#[derive(Debug, Default)]
pub struct Iterm {
    photo: Option<(u64, View, Vec<u8>)>,
    shown: Option<Vec<u8>>,
}

impl Painter for Iterm {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let is_same = |(key, at, _): &(u64, View, Vec<u8>)| *key == scene.photo.key && at == view;
        let mut out = Vec::new();
        if !self.photo.as_ref().is_some_and(is_same) {
            // Another canvas was cleared as a whole, and in a smaller terminal the old cells may
            // be those of the text.
            let old = self.photo.as_ref().map(|(_, at, _)| *at);
            if old.is_some_and(|at| at.cells != view.cells && at.canvas == view.canvas) {
                out = self.hide();
            }
            self.shown = None;
            let rgb = photo::at_view(&scene.photo.image, view);
            self.photo = Some((scene.photo.key, *view, rgb));
        }
        let Some((_, _, rgb)) = &self.photo else {
            return out;
        };
        let mut next = rgb.clone();
        Overlay::draw(view, &scene.layers, &scene.marks, Marks::All).blend(&mut next);
        out.extend(strips(view, self.shown.as_deref(), &next));
        self.shown = Some(next);
        out
    }

    fn refine(&mut self, _scene: &Scene, _room: usize) -> Refined {
        Refined::Done
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    fn hide(&mut self) -> Vec<Command> {
        self.shown = None;
        let Some((_, view, _)) = self.photo.take() else {
            return Vec::new();
        };
        let rows = view.cells.row..view.cells.row + view.cells.rows;
        let blank = |row| {
            format!(
                "\x1b[{};{}H\x1b[{}X",
                row + 1,
                view.cells.col + 1,
                view.cells.cols
            )
        };
        let all: String = rows.map(blank).collect();
        vec![format!("\x1b7\x1b[0m{all}\x1b8").into_bytes()]
    }
}

/// The changed cells of each row of cells, from the first to the last.
fn strips(view: &View, before: Option<&[u8]>, next: &[u8]) -> Vec<Command> {
    let (width, height) = screen_size(view);
    let stride = 3 * width as usize;
    let edge = |cell: u16, size: f64, most: u32| ((f64::from(cell) * size) as u32).min(most);
    let mut out = Vec::new();
    for row in 0..view.cells.rows {
        let y0 = edge(row, view.cell.height, height) as usize;
        let y1 = edge(row + 1, view.cell.height, height) as usize;
        let is_dirty = |col: u16| {
            let x0 = 3 * edge(col, view.cell.width, width) as usize;
            let x1 = 3 * edge(col + 1, view.cell.width, width) as usize;
            let part = |pixels: &[u8], y: usize| pixels[y * stride + x0..y * stride + x1].to_vec();
            before.is_none_or(|b| (y0..y1).any(|y| part(b, y) != part(next, y)))
        };
        let Some(from) = (0..view.cells.cols).find(|c| is_dirty(*c)) else {
            continue;
        };
        let to = (from..view.cells.cols)
            .rev()
            .find(|c| is_dirty(*c))
            .unwrap_or(from)
            + 1;
        let (x0, x1) = (
            edge(from, view.cell.width, width),
            edge(to, view.cell.width, width),
        );
        let mut pixels = Vec::new();
        for y in y0..y1 {
            pixels.extend_from_slice(
                &next[y * stride + 3 * x0 as usize..y * stride + 3 * x1 as usize],
            );
        }
        let png = rgb_png(&pixels, x1 - x0, (y1 - y0) as u32, Colours::All);
        let place = format!(
            "\x1b7\x1b[{};{}H",
            view.cells.row + row + 1,
            view.cells.col + from + 1
        );
        let head = format!(
            "\x1b]1337;File=inline=1;size={};width={};height=1;preserveAspectRatio=0:",
            png.len(),
            to - from
        );
        out.push(
            [place.as_str(), &head, &STANDARD.encode(&png), "\x07\x1b8"]
                .concat()
                .into_bytes(),
        );
    }
    out
}
