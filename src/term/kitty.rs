//! Kitty's graphics protocol: the photo is sent once, then moved about by placements; masks are a
//! small palette picture of their own, crosshair and box are stretched strips.

use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::geometry::ImageRect;
use crate::core::raster::{Marks, Overlay, screen_size};
use crate::core::scene::{Layer, Mark, Photo, Scene};
use crate::core::view::View;
use crate::term::line::Command;
use crate::term::painter::{Painter, Refined};
use crate::term::photo;
use crate::term::png::{Colours, palette_png, rgb_png};

/// Image numbers. Photos take those from `PHOTOS` on.
const OVERLAY: u32 = 12;
const ACROSS: u32 = 13;
const DOWN: u32 = 14;
const BOX_ACROSS: u32 = 15;
const BOX_DOWN: u32 = 16;
const DETAIL: u32 = 17;
const PHOTOS: u32 = 20;

/// Bytes of base64 in one escape sequence.
const CHUNK: usize = 4096;
/// Longest side of the first picture, and of the sharp one.
const PREVIEW: u32 = 320;
const SHARP: u32 = 1600;
/// How many photos the terminal keeps.
const KEPT: usize = 4;
/// Length of the strips that lines are cut from.
const STRIP: u32 = 4096;

/// A photo in the terminal's memory.
#[derive(Debug)]
struct Sent {
    key: u64,
    id: u32,
    width: u32,
    height: u32,
    is_sharp: bool,
}

/// Knows what the terminal shows, and sends the difference.
#[derive(Debug)]
pub struct Kitty {
    sent: Vec<Sent>,
    strips_sent: Strips,
    view: Option<View>,
    photo: Option<u32>,
    layers: Vec<Layer>,
    fixed: Vec<Mark>,
    moving: Vec<Mark>,
    overlay_shown: Shown,
    /// The view a detail was sent for.
    detail: Option<View>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strips {
    Missing,
    Sent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    No,
    Yes,
}

impl Default for Kitty {
    fn default() -> Self {
        Self {
            sent: Vec::new(),
            strips_sent: Strips::Missing,
            view: None,
            photo: None,
            layers: Vec::new(),
            fixed: Vec::new(),
            moving: Vec::new(),
            overlay_shown: Shown::No,
            detail: None,
        }
    }
}

impl Kitty {
    fn photo(&mut self, scene: &Scene, out: &mut Vec<Command>) -> u32 {
        let key = scene.photo.key;
        if let Some(i) = self.sent.iter().position(|s| s.key == key) {
            let sent = self.sent.remove(i);
            let id = sent.id;
            self.sent.push(sent);
            return id;
        }
        // A new photo under the number of the oldest replaces its pixels. Deleting would not do:
        // kitty 0.26 frees every picture that has no placement at that moment along with it.
        let id = if self.sent.len() < KEPT {
            PHOTOS + self.sent.len() as u32
        } else {
            self.sent.remove(0).id
        };
        let (width, height, png) = encode(&scene.photo, PREVIEW, Colours::All);
        out.push(transmit(&format!("a=t,f=100,i={id},q=2"), &png));
        self.sent.push(Sent {
            key,
            id,
            width,
            height,
            is_sharp: width == scene.photo.image.size().width,
        });
        id
    }

    /// Shows the view's part of a photo. The same numbers replace the last placement in place.
    fn place_photo(&self, id: u32, view: &View) -> Option<Command> {
        let sent = self.sent.iter().find(|s| s.id == id)?;
        let part = scaled(view, sent.width, sent.height);
        let body = format!(
            "a=p,i={id},p=1,x={},y={},w={},h={},c={},r={},z=1,C=1,q=2",
            part.x0,
            part.y0,
            part.width(),
            part.height(),
            view.cells.cols,
            view.cells.rows
        );
        Some(place(view.cells.row, view.cells.col, &body))
    }

    fn strips(&mut self, out: &mut Vec<Command>) {
        if self.strips_sent == Strips::Sent {
            return;
        }
        self.strips_sent = Strips::Sent;
        let (dark, light, gold) = ([0, 0, 0, 190], [255, 255, 255, 255], [255, 214, 0, 255]);
        for (id, middle, across) in [
            (ACROSS, light, true),
            (DOWN, light, false),
            (BOX_ACROSS, gold, true),
            (BOX_DOWN, gold, false),
        ] {
            let palette = vec![dark, middle];
            let (width, height) = if across { (STRIP, 3) } else { (3, STRIP) };
            let index = |i: u32| u8::from(if across { i / STRIP == 1 } else { i % 3 == 1 });
            let indices = (0..width * height).map(index).collect();
            let strip = Overlay {
                width,
                height,
                indices,
                palette,
            };
            let png = palette_png(&strip, [0, 0, width, height]);
            out.push(transmit(&format!("a=t,f=100,i={id},q=2"), &png));
        }
    }

    /// The moving marks: each is a number of strips, placed at pixels of the screen.
    fn moving(&mut self, scene: &Scene, out: &mut Vec<Command>) {
        let moving: Vec<Mark> = scene
            .marks
            .iter()
            .filter(|m| is_moving(m))
            .cloned()
            .collect();
        let view = &scene.view;
        if self.moving == moving && self.view == Some(*view) {
            return;
        }
        let had_box = self.moving.iter().any(|m| matches!(m, Mark::Box(_)));
        let had_cross = self.moving.iter().any(|m| matches!(m, Mark::Crosshair(_)));
        let (mut has_box, mut has_cross) = (false, false);
        let (width, height) = screen_size(view);
        let (width, height) = (f64::from(width), f64::from(height));
        // A mark that stays where it is costs nothing.
        let stays = |m: &Mark| self.view == Some(*view) && self.moving.contains(m);
        for mark in &moving {
            match mark {
                Mark::Crosshair(_) if stays(mark) => has_cross = true,
                Mark::Box(_) if !has_box && stays(mark) => has_box = true,
                Mark::Crosshair(at) if view.source.contains(*at) => {
                    let (x, y) =
                        view.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
                    has_cross = true;
                    out.push(Self::strip(view, ACROSS, 1, (0.0, y), width));
                    out.push(Self::strip(view, DOWN, 1, (x, 0.0), height));
                }
                Mark::Box(rect) if !has_box => {
                    let (x0, y0) = view.screen_from_image(f64::from(rect.x0), f64::from(rect.y0));
                    let (x1, y1) = view.screen_from_image(f64::from(rect.x1), f64::from(rect.y1));
                    has_box = true;
                    out.extend(Self::frame(view, [x0, y0, x1, y1], (width, height)));
                }
                _ => {}
            }
        }
        if had_cross && !has_cross {
            out.push(escape(&format!("a=d,d=i,i={ACROSS},q=2")));
            out.push(escape(&format!("a=d,d=i,i={DOWN},q=2")));
        }
        if had_box && !has_box {
            out.push(escape(&format!("a=d,d=i,i={BOX_ACROSS},q=2")));
            out.push(escape(&format!("a=d,d=i,i={BOX_DOWN},q=2")));
        }
        self.moving = moving;
    }

    /// The four sides of a box, as far as they lie in the picture.
    fn frame(view: &View, [x0, y0, x1, y1]: [f64; 4], size: (f64, f64)) -> Vec<Command> {
        let (left, right) = (x0.clamp(0.0, size.0), x1.clamp(0.0, size.0));
        let (top, bottom) = (y0.clamp(0.0, size.1), y1.clamp(0.0, size.1));
        let mut out = Vec::new();
        for (placement, y) in [(1, y0), (2, y1)] {
            if (0.0..=size.1).contains(&y) {
                out.push(Self::strip(
                    view,
                    BOX_ACROSS,
                    placement,
                    (left, y),
                    right - left,
                ));
            } else {
                out.push(escape(&format!("a=d,d=i,i={BOX_ACROSS},p={placement},q=2")));
            }
        }
        for (placement, x) in [(1, x0), (2, x1)] {
            if (0.0..=size.0).contains(&x) {
                out.push(Self::strip(
                    view,
                    BOX_DOWN,
                    placement,
                    (x, top),
                    bottom - top,
                ));
            } else {
                out.push(escape(&format!("a=d,d=i,i={BOX_DOWN},p={placement},q=2")));
            }
        }
        out
    }

    /// A strip whose middle line runs through the point.
    fn strip(view: &View, id: u32, placement: u32, from: (f64, f64), length: f64) -> Command {
        let across = id == ACROSS || id == BOX_ACROSS;
        let (cw, ch) = (view.cell.width, view.cell.height);
        let (w, h) = screen_size(view);
        let at = |v: f64, most: u32, thin: bool| {
            let v = if thin { v - 1.5 } else { v };
            v.clamp(0.0, (f64::from(most) - 3.0).max(0.0)).round()
        };
        let (x, y) = (at(from.0, w, !across), at(from.1, h, across));
        let (col, row) = ((x / cw).floor(), (y / ch).floor());
        let length = length.round().clamp(1.0, f64::from(STRIP)) as u32;
        let (sw, sh) = if across { (length, 3) } else { (3, length) };
        let body = format!(
            "a=p,i={id},p={placement},w={sw},h={sh},X={},Y={},z=4,C=1,q=2",
            (x - col * cw) as u32,
            (y - row * ch) as u32
        );
        place(
            view.cells.row + row as u16,
            view.cells.col + col as u16,
            &body,
        )
    }

    fn overlay(&mut self, scene: &Scene, out: &mut Vec<Command>) {
        let fixed: Vec<Mark> = scene
            .marks
            .iter()
            .filter(|m| !is_moving(m))
            .cloned()
            .collect();
        let view = &scene.view;
        if self.layers == scene.layers && self.fixed == fixed && self.view == Some(*view) {
            return;
        }
        let was_empty = self.layers.is_empty() && self.fixed.is_empty();
        self.layers.clone_from(&scene.layers);
        self.fixed = fixed;
        if was_empty && self.layers.is_empty() && self.fixed.is_empty() {
            return;
        }
        let overlay = Overlay::draw(view, &self.layers, &self.fixed, Marks::Fixed);
        let Some([col, row, cols, rows]) = used_cells(&overlay, view) else {
            if self.overlay_shown == Shown::Yes {
                self.overlay_shown = Shown::No;
                out.push(escape(&format!("a=d,d=i,i={OVERLAY},q=2")));
            }
            return;
        };
        self.overlay_shown = Shown::Yes;
        let px =
            |cells: u16, cell: f64, most: u32| ((f64::from(cells) * cell).round() as u32).min(most);
        let part = [
            px(col, view.cell.width, overlay.width),
            px(row, view.cell.height, overlay.height),
            px(col + cols, view.cell.width, overlay.width),
            px(row + rows, view.cell.height, overlay.height),
        ];
        let png = palette_png(&overlay, part);
        let control = format!("a=T,f=100,i={OVERLAY},p=1,c={cols},r={rows},z=3,C=1,q=2");
        let (top, left) = (view.cells.row + row, view.cells.col + col);
        out.push(show(top, left, &control, &png));
    }
}

impl Painter for Kitty {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let mut out = Vec::new();
        self.strips(&mut out);
        let id = self.photo(scene, &mut out);
        if self.photo != Some(id) || self.view != Some(scene.view) {
            if let Some(old) = self.photo.filter(|old| *old != id) {
                out.push(escape(&format!("a=d,d=i,i={old},q=2")));
            }
            if self.detail.take().is_some() {
                out.push(escape(&format!("a=d,d=i,i={DETAIL},q=2")));
            }
            self.photo = Some(id);
            out.extend(self.place_photo(id, &scene.view));
        }
        self.overlay(scene, &mut out);
        self.moving(scene, &mut out);
        self.view = Some(scene.view);
        out
    }

    fn refine(&mut self, scene: &Scene, _room: usize) -> Refined {
        let Some(sent) = self.sent.iter().position(|s| s.key == scene.photo.key) else {
            return Refined::Done;
        };
        if !self.sent[sent].is_sharp {
            let (width, height, png) = encode(&scene.photo, SHARP, Colours::Palette);
            let id = self.sent[sent].id;
            let sent = &mut self.sent[sent];
            (sent.width, sent.height, sent.is_sharp) = (width, height, true);
            let mut command = transmit(&format!("a=t,f=100,i={id},q=2"), &png);
            command.extend(self.place_photo(id, &scene.view).unwrap_or_default());
            return Refined::Step(command);
        }
        let sent = &self.sent[sent];
        let view = &scene.view;
        let part = scaled(view, sent.width, sent.height);
        let size = scene.photo.image.size();
        let shrinks = sent.width < size.width || sent.height < size.height;
        let is_coarse = shrinks && f64::from(part.width()) < 0.9 * f64::from(screen_size(view).0);
        if !is_coarse || self.detail == Some(*view) {
            return Refined::Done;
        }
        self.detail = Some(*view);
        let (width, height) = screen_size(view);
        let rgb = photo::at_view(&scene.photo.image, view);
        let png = rgb_png(&rgb, width, height, Colours::Palette);
        let (c, r) = (view.cells.cols, view.cells.rows);
        let control = format!("a=T,f=100,i={DETAIL},p=1,c={c},r={r},z=2,C=1,q=2");
        let command = show(view.cells.row, view.cells.col, &control, &png);
        Refined::Step(command)
    }

    fn hide(&mut self) -> Vec<Command> {
        let ids = [OVERLAY, ACROSS, DOWN, BOX_ACROSS, BOX_DOWN, DETAIL];
        let out = ids
            .iter()
            .chain(self.photo.iter())
            .map(|id| escape(&format!("a=d,d=i,i={id},q=2")))
            .collect::<Vec<_>>();
        (self.view, self.photo, self.detail) = (None, None, None);
        self.overlay_shown = Shown::No;
        (self.layers, self.fixed, self.moving) = (Vec::new(), Vec::new(), Vec::new());
        out
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// A control sequence with data, cut into chunks.
fn transmit(control: &str, data: &[u8]) -> Command {
    let text = STANDARD.encode(data);
    let mut out = Vec::with_capacity(text.len() + 256);
    let chunks: Vec<&[u8]> = text.as_bytes().chunks(CHUNK).collect();
    for (i, chunk) in chunks.iter().enumerate() {
        let more = u8::from(i + 1 < chunks.len());
        let head = if i == 0 { control } else { "q=2" };
        write!(out, "\x1b_G{head},m={more};").expect("memory takes all");
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\x1b\\");
    }
    out
}

fn escape(body: &str) -> Command {
    format!("\x1b_G{body}\x1b\\").into_bytes()
}

/// A placement with the cursor's position in the same command, so that nothing comes between.
fn place(row: u16, col: u16, body: &str) -> Command {
    format!("\x1b7\x1b[{};{}H\x1b_G{body}\x1b\\\x1b8", row + 1, col + 1).into_bytes()
}

/// A new picture, transmitted and placed at once.
fn show(row: u16, col: u16, control: &str, png: &[u8]) -> Command {
    let mut out = format!("\x1b7\x1b[{};{}H", row + 1, col + 1).into_bytes();
    out.extend(transmit(control, png));
    out.extend_from_slice(b"\x1b8");
    out
}

const fn is_moving(mark: &Mark) -> bool {
    matches!(mark, Mark::Crosshair(_) | Mark::Box(_))
}

/// The view's part of a photo that was sent at another size.
fn scaled(view: &View, width: u32, height: u32) -> ImageRect {
    let axis = |low: u32, high: u32, sent: u32, whole: u32| {
        let k = f64::from(sent) / f64::from(whole.max(1));
        let from = ((f64::from(low) * k).round() as u32).min(sent - 1);
        let to = (f64::from(high) * k).round() as u32;
        (from, to.clamp(from + 1, sent))
    };
    let (x0, x1) = axis(view.source.x0, view.source.x1, width, view.image.width);
    let (y0, y1) = axis(view.source.y0, view.source.y1, height, view.image.height);
    ImageRect::new(x0, y0, x1, y1)
}

/// The block of cells that holds everything drawn: column, row, columns, rows in the picture.
fn used_cells(overlay: &Overlay, view: &View) -> Option<[u16; 4]> {
    let width = overlay.width as usize;
    let (mut x0, mut x1, mut y0, mut y1) = (usize::MAX, 0, usize::MAX, 0);
    for (y, row) in overlay.indices.chunks_exact(width).enumerate() {
        let Some(first) = row.iter().position(|i| *i != 0) else {
            continue;
        };
        let last = row.iter().rposition(|i| *i != 0).unwrap_or(first);
        (x0, x1) = (x0.min(first), x1.max(last));
        (y0, y1) = (y0.min(y), y);
    }
    if x0 == usize::MAX {
        return None;
    }
    let cell = |v: usize, size: f64, most: u16| ((v as f64 / size) as u16).min(most - 1);
    let (c0, c1) = (
        cell(x0, view.cell.width, view.cells.cols),
        cell(x1, view.cell.width, view.cells.cols),
    );
    let (r0, r1) = (
        cell(y0, view.cell.height, view.cells.rows),
        cell(y1, view.cell.height, view.cells.rows),
    );
    Some([c0, r0, c1 - c0 + 1, r1 - r0 + 1])
}

/// A photo as PNG, no longer than `longest`: width, height, bytes.
fn encode(photo: &Photo, longest: u32, colours: Colours) -> (u32, u32, Vec<u8>) {
    let image = Arc::clone(&photo.image);
    let size = image.size();
    let k = (f64::from(longest) / f64::from(size.longest())).min(1.0);
    let side = |length: u32| ((f64::from(length) * k).round() as u32).max(1);
    let (width, height) = (side(size.width), side(size.height));
    let rgb = if k < 1.0 {
        photo::averaged(&image, size.bounds(), width, height)
    } else {
        image.pixels().to_vec()
    };
    (width, height, rgb_png(&rgb, width, height, colours))
}
