//! Outlines by hand: a polygon point by point, a lasso with the mouse, extreme points for a box.

use std::sync::Arc;

use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::mask::Mask;
use crate::ui::mode::{Brush, Mode, Notice};
use crate::ui::state::State;

impl State {
    /// Begins a polygon at the cursor, or adds the cursor to it.
    pub(super) fn add_vertex(&mut self) {
        let Some(at) = self.shown().map(|o| o.cursor) else {
            return;
        };
        match &mut self.mode {
            Mode::Polygon { points } => {
                if points.last() != Some(&at) {
                    points.push(at);
                }
            }
            _ => self.mode = Mode::Polygon { points: vec![at] },
        }
    }

    /// Takes the polygon's last point away; the polygon goes with its first.
    pub(super) fn drop_vertex(&mut self) {
        if let Mode::Polygon { points } = &mut self.mode {
            points.pop();
            if points.is_empty() {
                self.mode = Mode::Aim;
            }
        }
    }

    /// Closes the polygon: its inside is painted onto the draft, or erased.
    pub(super) fn close_polygon(&mut self, brush: Brush) {
        let Mode::Polygon { points } = std::mem::replace(&mut self.mode, Mode::Aim) else {
            return;
        };
        if points.len() < 3 {
            self.notice = Some(Notice::Info("a polygon needs three points".into()));
            self.mode = Mode::Polygon { points };
            return;
        }
        let Some(size) = self.shown().map(|o| o.decoded.image.size()) else {
            return;
        };
        // The outline runs through the middle of the pixels that were pointed at.
        let middle = |p: &ImagePoint| [f64::from(p.x) + 0.5, f64::from(p.y) + 0.5];
        let ring = points.iter().map(middle).collect();
        let inside = Mask::from_rings(size, &[ring]);
        self.put_by_hand(brush, &inside);
    }

    /// One undoable step that paints onto the draft or erases from it.
    pub(super) fn put_by_hand(&mut self, brush: Brush, mask: &Mask) {
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        open.history.step(|d| {
            let (onto, off) = match brush {
                Brush::Paint => (&mut d.draft.painted, &mut d.draft.erased),
                Brush::Erase => (&mut d.draft.erased, &mut d.draft.painted),
            };
            let all = onto
                .as_ref()
                .map_or_else(|| mask.clone(), |m| m.union(mask));
            *onto = Some(Arc::new(all));
            *off = off.as_ref().map(|m| Arc::new(m.difference(mask)));
        });
    }

    /// One of the object's four outermost points; the fourth makes the box (extreme clicking,
    /// Papadopoulos and others 2017).
    pub(super) fn put_extreme(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.extremes.push(open.cursor);
        let count = open.extremes.len();
        if count < 4 {
            self.notice = Some(Notice::Info(format!(
                "extreme point {count} of 4: the object's left, top, right and bottom, in any order"
            )));
            return;
        }
        let points = std::mem::take(&mut open.extremes);
        let rect = points
            .iter()
            .map(|p| ImageRect::from_corners(*p, *p))
            .reduce(|a, b| {
                ImageRect::new(
                    a.x0.min(b.x0),
                    a.y0.min(b.y0),
                    a.x1.max(b.x1),
                    a.y1.max(b.y1),
                )
            });
        if let Some(rect) = rect {
            self.put_box(rect);
        }
    }
}
