//! Sixel: no layers and no memory, so only the cells that changed are drawn, each with the photo,
//! the masks and the marks in it. The photo gets one fixed palette a view; masks tint by a fine
//! weave of their colour, so that nothing is ever quantised again.

use std::io::Write;

use crate::core::raster::{Marks, Overlay, screen_size};
use crate::core::scene::{Rgb, Scene};
use crate::core::view::View;
use crate::term::line::Command;
use crate::term::painter::{Painter, Refined};
use crate::term::{palette, photo};

/// Colours for the photo; the registers after them are for masks and marks.
const PHOTO_COLOURS: u16 = 200;
const REGISTERS: usize = 256;

/// What the terminal shows.
#[derive(Debug, Default)]
pub struct Sixel {
    photo: Option<PhotoAtView>,
    /// The registers on the screen, pixel by pixel of the picture.
    shown: Option<Vec<u8>>,
}

#[derive(Debug)]
struct PhotoAtView {
    key: u64,
    view: View,
    palette: Vec<Rgb>,
    indices: Vec<u8>,
}

impl Painter for Sixel {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let is_same = |p: &PhotoAtView| p.key == scene.photo.key && p.view == *view;
        if !self.photo.as_ref().is_some_and(is_same) {
            // Another canvas was cleared as a whole, and in a smaller terminal the old cells may
            // be those of the text.
            let moved = self
                .photo
                .as_ref()
                .is_some_and(|p| p.view.cells != view.cells && p.view.canvas == view.canvas);
            let out = if moved {
                erase(self.photo.as_ref())
            } else {
                Vec::new()
            };
            self.photo = Some(photo_at_view(scene));
            self.shown = None;
            let mut all = out;
            all.extend(self.draw(scene));
            return all;
        }
        self.draw(scene)
    }

    fn refine(&mut self, _scene: &Scene, _room: usize) -> Refined {
        Refined::Done
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    fn hide(&mut self) -> Vec<Command> {
        self.shown = None;
        erase(self.photo.take().as_ref())
    }
}

impl Sixel {
    fn draw(&mut self, scene: &Scene) -> Vec<Command> {
        let Some(photo) = &self.photo else {
            return Vec::new();
        };
        let view = &scene.view;
        let (width, height) = screen_size(view);
        let overlay = Overlay::draw(view, &scene.layers, &scene.marks, Marks::All);
        let mut colours = photo.palette.clone();
        let mut next = photo.indices.clone();
        // Registers of the overlay's colours, and how much of the weave each covers.
        let inks: Vec<(u8, u8)> = overlay
            .palette
            .iter()
            .map(|[r, g, b, alpha]| (register(&mut colours, [*r, *g, *b]), *alpha))
            .collect();
        for (i, index) in overlay.indices.iter().enumerate().filter(|(_, v)| **v != 0) {
            let (ink, alpha) = inks[usize::from(*index)];
            let (x, y) = (i % width as usize, i / width as usize);
            // Every third pixel in a diagonal weave; marks and outlines cover all.
            if alpha >= 150 || (x + y) % 3 == 0 {
                next[i] = ink;
            }
        }
        let out = patches(
            view,
            (width, height),
            self.shown.as_deref(),
            &next,
            &colours,
        );
        self.shown = Some(next);
        out
    }
}

fn photo_at_view(scene: &Scene) -> PhotoAtView {
    let (width, height) = screen_size(&scene.view);
    let rgb = photo::at_view(&scene.photo.image, &scene.view);
    let (palette, indices) = palette::quantise(&rgb, width, height, PHOTO_COLOURS);
    PhotoAtView {
        key: scene.photo.key,
        view: scene.view,
        palette,
        indices,
    }
}

/// The register of a colour, taken anew where there is room.
fn register(colours: &mut Vec<Rgb>, colour: Rgb) -> u8 {
    if let Some(i) = colours.iter().position(|c| *c == colour) {
        return i as u8;
    }
    if colours.len() < REGISTERS {
        colours.push(colour);
    }
    (colours.len() - 1) as u8
}

/// Blanks the cells where the picture was.
fn erase(photo: Option<&PhotoAtView>) -> Vec<Command> {
    let Some(cells) = photo.map(|p| p.view.cells) else {
        return Vec::new();
    };
    let mut out = b"\x1b7\x1b[0m".to_vec();
    for row in cells.row..cells.row + cells.rows {
        write!(
            out,
            "\x1b[{};{}H\x1b[{}X",
            row + 1,
            cells.col + 1,
            cells.cols
        )
        .expect("memory takes all");
    }
    out.extend_from_slice(b"\x1b8");
    vec![out]
}

/// Dirty cells, row by row of cells, joined where they are neighbours.
fn patches(
    view: &View,
    (width, height): (u32, u32),
    before: Option<&[u8]>,
    next: &[u8],
    colours: &[Rgb],
) -> Vec<Command> {
    let edge = |cell: u16, size: f64, most: u32| {
        ((f64::from(cell) * size).round() as u32).min(most) as usize
    };
    let stride = width as usize;
    let mut out = Vec::new();
    for row in 0..view.cells.rows {
        let (y0, y1) = (
            edge(row, view.cell.height, height),
            edge(row + 1, view.cell.height, height),
        );
        let is_dirty = |col: u16| {
            let (x0, x1) = (
                edge(col, view.cell.width, width),
                edge(col + 1, view.cell.width, width),
            );
            let Some(before) = before else { return true };
            (y0..y1).any(|y| {
                before[y * stride + x0..y * stride + x1] != next[y * stride + x0..y * stride + x1]
            })
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
            let (x0, x1) = (
                edge(from, view.cell.width, width),
                edge(col, view.cell.width, width),
            );
            let mut patch = format!(
                "\x1b7\x1b[{};{}H",
                view.cells.row + row + 1,
                view.cells.col + from + 1
            )
            .into_bytes();
            encode(next, stride, [x0, y0, x1, y1], colours, &mut patch);
            patch.extend_from_slice(b"\x1b8");
            out.push(patch);
        }
    }
    out
}

/// One sixel picture of a part of the registers; pixels beside it stay as they are.
fn encode(registers: &[u8], stride: usize, part: [usize; 4], colours: &[Rgb], out: &mut Vec<u8>) {
    let [x0, y0, x1, y1] = part;
    let (width, height) = (x1 - x0, y1 - y0);
    write!(out, "\x1bP0;1;0q\"1;1;{width};{height}").expect("memory takes all");
    let mut used = [false; REGISTERS];
    for y in y0..y1 {
        for r in &registers[y * stride + x0..y * stride + x1] {
            used[usize::from(*r)] = true;
        }
    }
    for (i, [r, g, b]) in colours.iter().enumerate().filter(|(i, _)| used[*i]) {
        let percent = |v: u8| (u32::from(v) * 100 + 127) / 255;
        write!(
            out,
            "#{i};2;{};{};{}",
            percent(*r),
            percent(*g),
            percent(*b)
        )
        .expect("memory takes all");
    }
    for band in (y0..y1).step_by(6) {
        let rows = band..(band + 6).min(y1);
        let mut in_band = [false; REGISTERS];
        for y in rows.clone() {
            for r in &registers[y * stride + x0..y * stride + x1] {
                in_band[usize::from(*r)] = true;
            }
        }
        let mut is_first = true;
        for register in (0..REGISTERS).filter(|r| in_band[*r]) {
            if !is_first {
                out.push(b'$');
            }
            is_first = false;
            write!(out, "#{register}").expect("memory takes all");
            let bits = (x0..x1).map(|x| {
                rows.clone().enumerate().fold(0, |bits, (i, y)| {
                    bits | u8::from(usize::from(registers[y * stride + x]) == register) << i
                })
            });
            run_lengths(bits, out);
        }
        out.push(b'-');
    }
    out.extend_from_slice(b"\x1b\\");
}

/// Sixels with repeats counted; what is empty at the end is left out.
fn run_lengths(bits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let mut run: Option<(u8, usize)> = None;
    let mut write_run = |run: Option<(u8, usize)>| {
        let Some((bits, count)) = run else { return };
        let sixel = char::from(bits + 63);
        if count > 3 {
            write!(out, "!{count}{sixel}").expect("memory takes all");
        } else {
            out.extend(std::iter::repeat_n(sixel as u8, count));
        }
    };
    for b in bits {
        match &mut run {
            Some((same, count)) if *same == b => *count += 1,
            _ => write_run(run.replace((b, 1))),
        }
    }
    if run.is_some_and(|(bits, _)| bits != 0) {
        write_run(run);
    }
}
