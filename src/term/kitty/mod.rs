//! Kitty's graphics protocol: pixels are sent once, then moved about by placements. What is to be
//! seen is a set of placements; what differs from the last set is sent.

mod characters;
mod grid;
mod lines;
mod marks;
mod masks;
mod photos;
mod tally;
#[cfg(test)]
mod tests;
mod thumbnails;
mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use self::grid::Grid;
use self::marks::{Marks, is_line};
use self::masks::{Look, Masks};
use self::photos::{Photos, Stage, scaled};
use self::thumbnails::Thumbnails;
pub use self::wire::farewell;
use self::wire::{Name, Spot, Wire};
use crate::core::raster::screen_size;
use crate::core::scene::{Mark, Scene};
use crate::core::view::View;
use crate::term::Way;
use crate::term::line::Command;
use crate::term::pace::Speed;
use crate::term::painter::{Painter, Refined};
use crate::term::photo;
use crate::term::png::{Colours, rgb_png};

/// Number of the view's part of a photo that is larger than what is sent of it.
const DETAIL: u32 = 18;
/// How many photos are sent ahead.
const AHEAD: usize = 2;

/// Brings kitty from one scene to the next.
#[derive(Debug)]
pub struct Kitty {
    wire: Wire,
    photos: Photos,
    masks: Masks,
    marks: Marks,
    thumbnails: Thumbnails,
    speed: Speed,
    /// The photo and view that a detail was sent for.
    detail: Option<(u64, View)>,
}

impl Default for Kitty {
    fn default() -> Self {
        Self::new(Way::Edits)
    }
}

impl Kitty {
    pub fn new(way: Way) -> Self {
        Self {
            wire: Wire::new(way),
            photos: Photos::default(),
            masks: Masks::default(),
            marks: Marks::default(),
            thumbnails: Thumbnails::default(),
            speed: Speed::Fast,
            detail: None,
        }
    }

    /// Sends what the scene needs, and places it.
    fn show(&mut self, scene: &Scene, out: &mut Vec<Command>) {
        let view = &scene.view;
        let key = scene.photo.key;
        let mut wanted = BTreeMap::new();
        let shown = self.photos.slot(key).map(photos::Slot::shown);
        for (id, size) in shown.unwrap_or_default() {
            let part = scaled(view.source, (view.image.width, view.image.height), size);
            let part = [part.x0, part.y0, part.width(), part.height()];
            wanted.insert((id, 1), cover(view, part, ""));
        }
        if self.detail == Some((key, *view)) {
            let (width, height) = screen_size(view);
            wanted.insert((DETAIL, 1), cover(view, [0, 0, width, height], ""));
        }
        let look = look(scene);
        if let Some((id, part)) = self
            .masks
            .show(&look, view, self.speed, &mut self.wire, out)
        {
            wanted.insert((id, 1), cover(view, part, "z=1,"));
        }
        self.marks
            .place(&scene.marks, view, &mut self.wire, &mut wanted, out);
        self.thumbnails
            .place(&scene.thumbnails, view.cell, &mut wanted);
        out.extend(self.settle(wanted, view));
    }

    fn settle(&mut self, wanted: BTreeMap<Name, Spot>, view: &View) -> Option<Command> {
        self.wire.settle(wanted, view.canvas)
    }

    /// A photo larger than what is sent of it: its part at the resolution of the screen.
    fn detail(&mut self, scene: &Scene) -> Option<Command> {
        let view = &scene.view;
        let key = scene.photo.key;
        let sent = self.photos.slot(key)?.sharp;
        let part = scaled(view.source, (view.image.width, view.image.height), sent);
        let size = scene.photo.image.size();
        let shrinks = sent.0 < size.width || sent.1 < size.height;
        let (width, height) = screen_size(view);
        let is_coarse = shrinks && f64::from(part.width()) < 0.9 * f64::from(width);
        if !is_coarse || self.detail == Some((key, *view)) {
            return None;
        }
        self.detail = Some((key, *view));
        let rgb = photo::at_view(&scene.photo.image, view);
        let png = rgb_png(&rgb, width, height, Colours::Palette);
        Some(self.wire.transmit(DETAIL, &png))
    }

    /// The next step to a sharper picture, the nearest first.
    fn sharpen(&mut self, scene: &Scene, room: usize) -> Option<Command> {
        let photo = &scene.photo;
        let look = look(scene);
        if let Some(step) = self.photos.send(photo, Stage::Sharp, room, &mut self.wire) {
            return Some(step);
        }
        let thumbnails = &scene.thumbnails;
        if let Some(step) = self
            .thumbnails
            .send(thumbnails, scene.view.cell, &mut self.wire)
        {
            return Some(step);
        }
        if let Some(step) = self.masks.refine(&look, &scene.view, &mut self.wire) {
            return Some(step);
        }
        // A whole sharp photo would hold a slow line up for many seconds.
        if self.speed == Speed::Slow && !self.wire.edits() {
            return None;
        }
        if let Some(step) = self.photos.send(photo, Stage::Full, room, &mut self.wire) {
            return Some(step);
        }
        if self.speed == Speed::Slow {
            return None;
        }
        if let Some(step) = self.detail(scene) {
            return Some(step);
        }
        for next in scene.next.iter().take(AHEAD) {
            self.photos.claim(next);
            self.photos.claim(photo);
            if let Some(step) = self.photos.send(next, Stage::Full, room, &mut self.wire) {
                return Some(step);
            }
        }
        self.photos.send(photo, Stage::Whole, room, &mut self.wire)
    }
}

impl Painter for Kitty {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let mut out = Vec::new();
        out.extend(self.wire.begin());
        self.photos.claim(&scene.photo);
        if self.speed == Speed::Fast {
            // All of the coarse picture, at once.
            let photo = &scene.photo;
            while let Some(part) = self
                .photos
                .send(photo, Stage::Sharp, usize::MAX, &mut self.wire)
            {
                out.push(part);
            }
        }
        self.show(scene, &mut out);
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        let Some(mut step) = self.sharpen(scene, room) else {
            return Refined::Done;
        };
        let mut placed = Vec::new();
        self.show(scene, &mut placed);
        step.extend(placed.concat());
        Refined::Step(step)
    }

    fn hide(&mut self) -> Vec<Command> {
        vec![self.wire.hide()]
    }

    fn forget(&mut self) {
        self.wire.forget();
        self.photos.forget();
        self.masks.forget();
        self.marks.forget();
        self.thumbnails.forget();
        self.detail = None;
    }

    fn prove(&mut self) -> Option<Command> {
        self.wire.prove()
    }

    fn pace(&mut self, speed: Speed) {
        self.speed = speed;
    }
}

fn look(scene: &Scene) -> Look {
    let lines = scene.marks.iter().filter(|m: &&Mark| is_line(m));
    Look {
        layers: scene.layers.clone(),
        lines: lines.cloned().collect(),
    }
}

/// A part of a picture over all of the view's cells, in a plane. None lies below the cells: there
/// kitty 0.26 adds red to the whole screen.
fn cover(view: &View, [x, y, width, height]: [u32; 4], plane: &str) -> Spot {
    let mut keys = String::new();
    for (key, value) in [("x", x), ("y", y)] {
        if value > 0 {
            let _ = write!(keys, "{key}={value},");
        }
    }
    let (cols, rows) = (view.cells.cols, view.cells.rows);
    let _ = write!(keys, "w={width},h={height},c={cols},r={rows},{plane}");
    Spot {
        row: view.cells.row,
        col: view.cells.col,
        keys,
    }
}
