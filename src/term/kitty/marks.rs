//! Crosshair, boxes, grid, clicks and brush as placements of small pictures that are sent once: a
//! step of any of them costs a few dozen bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::lines::{Axis, Corner, RIM, Rim, corner, line};
use super::wire::{Name, Spot, Wire};
use crate::core::geometry::ImagePoint;
use crate::core::prompt::{Click, Side};
use crate::core::raster::{DARK, GRID, Ground, LIGHT, Overlay, screen_size};
use crate::core::scene::Mark;
use crate::core::view::View;
use crate::term::line::Command;
use crate::term::png::palette_png;

/// Numbers of the pictures: lines across and down, a box's two corners, then sprites.
const CROSS: u32 = 1;
const BOX: u32 = 5;
const THIRDS: u32 = 10;
const INSIDE: u32 = 7;
const OUTSIDE: u32 = 8;
const BRUSH: u32 = 9;

/// Length of the lines that a grid's are cut from.
const STRIP: u32 = 4096;
/// Pixels from the middle of a click's sprite to its edge.
const CLICK: u32 = 8;
/// A rim beyond this is not drawn: it lies outside of any screen.
const WIDEST: f64 = 2000.0;

/// The small pictures in the terminal's memory.
#[derive(Debug, Default)]
pub struct Marks {
    /// Length of the crosshair's lines across and down: the canvas's.
    cross: Option<(u32, u32)>,
    /// Size of the boxes' corners: the canvas's, and a side that may be cut off.
    corners: Option<(u32, u32)>,
    has_thirds: bool,
    has_clicks: bool,
    /// Radius of the rim that was sent, in screen pixels.
    rim: Option<f64>,
}

/// Whether a mark is drawn into the masks' picture.
pub const fn is_line(mark: &Mark) -> bool {
    matches!(mark, Mark::Path { .. } | Mark::Label { .. })
}

/// Where marks go: placements by name, and pictures that they need first.
struct Placing<'a> {
    view: &'a View,
    screen: (u32, u32),
    corners: (u32, u32),
    wanted: &'a mut BTreeMap<Name, Spot>,
}

impl Marks {
    /// Adds the marks' placements to what is wanted, and sends the pictures that are missing.
    pub fn place(
        &mut self,
        marks: &[Mark],
        view: &View,
        wire: &mut Wire,
        wanted: &mut BTreeMap<Name, Spot>,
        out: &mut Vec<Command>,
    ) {
        let canvas = screen_size(&View {
            cells: view.canvas,
            ..*view
        });
        let mut placing = Placing {
            view,
            screen: screen_size(view),
            corners: (canvas.0 + RIM as u32, canvas.1 + RIM as u32),
            wanted,
        };
        let (mut boxes, mut clicks) = (0, 0);
        for mark in marks {
            match mark {
                Mark::Crosshair(at) if view.source.contains(*at) => {
                    self.send_cross(canvas, wire, out);
                    placing.cross(*at, canvas);
                }
                Mark::Box(rect) => {
                    self.send_corners(placing.corners, wire, out);
                    boxes += 1;
                    placing.frame(Ground::of(view).sides(*rect), boxes);
                }
                Mark::Grid(rect) => {
                    self.send_thirds(wire, out);
                    let (x0, y0) = view.screen_from_image(rect.x0.into(), rect.y0.into());
                    let (x1, y1) = view.screen_from_image(rect.x1.into(), rect.y1.into());
                    placing.thirds([x0, y0, x1, y1]);
                }
                Mark::Click(click) => {
                    self.send_clicks(wire, out);
                    clicks += 1;
                    let id = match click.side {
                        Side::Inside => INSIDE,
                        Side::Outside => OUTSIDE,
                    };
                    placing.sprite((id, clicks), click.at, CLICK);
                }
                Mark::Brush { at, radius } => {
                    let rim = (radius * view.scale()).max(1.0);
                    if rim < WIDEST {
                        let half = self.send_rim(rim, wire, out);
                        placing.sprite((BRUSH, 1), *at, half);
                    }
                }
                Mark::Crosshair(_) | Mark::Path { .. } | Mark::Label { .. } => {}
            }
        }
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Lines as long as the canvas is wide and high: where the picture fills it, placing them needs
    /// no words for that.
    fn send_cross(&mut self, canvas: (u32, u32), wire: &mut Wire, out: &mut Vec<Command>) {
        if self.cross.replace(canvas) == Some(canvas) {
            return;
        }
        let rim = [DARK, LIGHT, DARK];
        out.push(wire.transmit(CROSS, &line(&rim, canvas.0, Axis::Across)));
        out.push(wire.transmit(CROSS + 1, &line(&rim, canvas.1, Axis::Down)));
    }

    fn send_corners(&mut self, size: (u32, u32), wire: &mut Wire, out: &mut Vec<Command>) {
        if self.corners.replace(size) == Some(size) {
            return;
        }
        out.push(wire.transmit(BOX, &corner(size, Corner::UpperLeft)));
        out.push(wire.transmit(BOX + 1, &corner(size, Corner::LowerRight)));
    }

    fn send_thirds(&mut self, wire: &mut Wire, out: &mut Vec<Command>) {
        if std::mem::replace(&mut self.has_thirds, true) {
            return;
        }
        out.push(wire.transmit(THIRDS, &line(&[GRID], STRIP, Axis::Across)));
        out.push(wire.transmit(THIRDS + 1, &line(&[GRID], STRIP, Axis::Down)));
    }

    fn send_clicks(&mut self, wire: &mut Wire, out: &mut Vec<Command>) {
        if std::mem::replace(&mut self.has_clicks, true) {
            return;
        }
        for (id, side) in [(INSIDE, Side::Inside), (OUTSIDE, Side::Outside)] {
            let at = ImagePoint::new(0, 0);
            let mark = Mark::Click(Click { at, side });
            out.push(wire.transmit(id, &sprite(mark, at, CLICK, 1.0)));
        }
    }

    /// Sends the brush's rim where its size has changed; pixels from its middle to its edge.
    fn send_rim(&mut self, rim: f64, wire: &mut Wire, out: &mut Vec<Command>) -> u32 {
        let half = rim.ceil() as u32 + 3;
        if self.rim != Some(rim) {
            self.rim = Some(rim);
            let at = ImagePoint::new(0, 0);
            let mark = Mark::Brush { at, radius: rim };
            out.push(wire.transmit(BRUSH, &sprite(mark, at, half, 1.0)));
        }
        half
    }
}

impl Placing<'_> {
    /// Wants a placement with its corner at a pixel of the picture.
    fn want(&mut self, name: Name, (x, y): (i64, i64), keys: &str) {
        let view = self.view;
        let cell = |v: i64, size: f64, most: u16| {
            let cell = (v as f64 / size).floor().clamp(0.0, f64::from(most) - 1.0);
            (cell as u16, v - (cell * size).floor() as i64)
        };
        let (col, right) = cell(x, view.cell.width, view.cells.cols);
        let (row, down) = cell(y, view.cell.height, view.cells.rows);
        let mut keys = keys.to_string();
        if right > 0 {
            let _ = write!(keys, "X={right},");
        }
        if down > 0 {
            let _ = write!(keys, "Y={down},");
        }
        keys.push_str("z=2,");
        let spot = Spot {
            row: view.cells.row + row,
            col: view.cells.col + col,
            keys,
        };
        self.wanted.insert(name, spot);
    }

    fn cross(&mut self, at: ImagePoint, canvas: (u32, u32)) {
        let (x, y) = self
            .view
            .screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
        let (width, height) = self.screen;
        let (column, row) = (Rim::of(x, width), Rim::of(y, height));
        let cut = |key: &str, length: u32, whole: u32| {
            if length == whole {
                String::new()
            } else {
                format!("{key}={length},")
            }
        };
        let across = row.keys("y", "h") + &cut("w", width, canvas.0);
        self.want((CROSS, 1), (0, row.from), &across);
        let down = column.keys("x", "w") + &cut("h", height, canvas.1);
        self.want((CROSS + 1, 1), (column.from, 0), &down);
    }

    /// A box, as far as it lies in the picture: its upper left corner with the two sides from there,
    /// and the same of the lower right one.
    fn frame(&mut self, [x0, y0, x1, y1]: [f64; 4], number: u32) {
        let (width, height) = self.screen;
        if x1 < 0.0 || x0 >= width.into() || y1 < 0.0 || y0 >= height.into() {
            return;
        }
        let (left, right) = Rim::sides(x0, x1, width);
        let (top, bottom) = Rim::sides(y0, y1, height);
        let corner = (left.from, top.from);
        let across = right.to - left.from;
        let down = bottom.to - top.from;
        if left.is_seen() || top.is_seen() {
            let mut keys = String::new();
            for (key, skipped) in [("x", left.before), ("y", top.before)] {
                if skipped > 0 {
                    let _ = write!(keys, "{key}={skipped},");
                }
            }
            let _ = write!(keys, "w={across},h={down},");
            self.want((BOX, number), corner, &keys);
        }
        if right.is_seen() || bottom.is_seen() {
            let x = i64::from(self.corners.0) - across - right.after;
            let y = i64::from(self.corners.1) - down - bottom.after;
            let mut keys = format!("x={x},y={y},");
            if right.after + bottom.after > 0 {
                let _ = write!(keys, "w={across},h={down},");
            }
            self.want((BOX + 1, number), corner, &keys);
        }
    }

    /// The lines of three by three parts.
    fn thirds(&mut self, [x0, y0, x1, y1]: [f64; 4]) {
        let (width, height) = (i64::from(self.screen.0), i64::from(self.screen.1));
        let clamp = |v: f64, most: i64| (v.floor() as i64).clamp(0, most - 1);
        let (left, right) = (clamp(x0, width), clamp(x1, width));
        let (top, bottom) = (clamp(y0, height), clamp(y1, height));
        for i in 0..=3 {
            let t = f64::from(i) / 3.0;
            let (x, y) = (x0 + t * (x1 - x0), y0 + t * (y1 - y0));
            if (0.0..=height as f64).contains(&y) {
                let keys = format!("w={},", right - left + 1);
                self.want((THIRDS, i + 1), (left, clamp(y, height)), &keys);
            }
            if (0.0..=width as f64).contains(&x) {
                let keys = format!("h={},", bottom - top + 1);
                self.want((THIRDS + 1, i + 1), (clamp(x, width), top), &keys);
            }
        }
    }

    /// A sprite with its middle at an image pixel, cut to the picture.
    fn sprite(&mut self, name: Name, at: ImagePoint, half: u32) {
        let (x, y) = self
            .view
            .screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
        let cut = |v: f64, most: u32| {
            let from = v.floor() as i64 - i64::from(half);
            let to = (from + 2 * i64::from(half) + 1).min(most.into());
            let skipped = (-from).max(0);
            (from + skipped, skipped, to - from - skipped)
        };
        let (left, skip_x, width) = cut(x, self.screen.0);
        let (top, skip_y, height) = cut(y, self.screen.1);
        if width <= 0 || height <= 0 {
            return;
        }
        let all = 2 * i64::from(half) + 1;
        let keys = if (width, height) == (all, all) {
            String::new()
        } else {
            format!("x={skip_x},y={skip_y},w={width},h={height},")
        };
        self.want(name, (left, top), &keys);
    }
}

/// A mark by itself as PNG.
fn sprite(mark: Mark, at: ImagePoint, half: u32, scale: f64) -> Vec<u8> {
    let ground = Ground::centred(at, half, scale);
    let overlay = Overlay::on(&ground, &[], &[mark]);
    palette_png(&overlay, [0, 0, overlay.width, overlay.height])
}
