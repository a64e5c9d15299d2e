//! Masks as pictures in image coordinates: they are sent when they change, and cut to the view by a
//! placement, as the photo is. One picture covers the whole image; another, finer, the view and what
//! lies around it, where that is closer.

use super::wire::Wire;
use crate::core::raster::{Ground, Overlay};
use crate::core::scene::{Layer, Mark};
use crate::core::view::View;
use crate::term::line::Command;
use crate::term::pace::Speed;
use crate::term::png::palette_png;

const WHOLE: u32 = 3;
const NEAR: u32 = 4;
/// Screen pixels around the view, as a part of its size.
const AROUND: u32 = 3;

/// What masks look like, without where they are seen from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    pub layers: Vec<Layer>,
    /// Lines along image pixels.
    pub lines: Vec<Mark>,
}

impl Look {
    const fn is_empty(&self) -> bool {
        self.layers.is_empty() && self.lines.is_empty()
    }
}

/// A picture of masks in the terminal's memory.
#[derive(Debug)]
struct Sent {
    id: u32,
    ground: Ground,
    overlay: Overlay,
    look: Look,
}

/// The part of a picture that shows the view: number, x, y, width, height.
pub type Part = (u32, [u32; 4]);

/// The masks in the terminal's memory.
#[derive(Debug, Default)]
pub struct Masks {
    whole: Option<Sent>,
    near: Option<Sent>,
}

impl Masks {
    /// Sends what is missing for this view, and says which part of which picture shows it; `None`
    /// where there is nothing to see.
    pub fn show(
        &mut self,
        look: &Look,
        view: &View,
        speed: Speed,
        wire: &mut Wire,
        out: &mut Vec<Command>,
    ) -> Option<Part> {
        if look.is_empty() {
            return None;
        }
        if let Some(part) = self.part(look, view) {
            return Some(part);
        }
        let ground = wanted(view, speed);
        let slot = if is_whole(view) {
            &mut self.whole
        } else {
            &mut self.near
        };
        let id = if is_whole(view) { WHOLE } else { NEAR };
        out.extend(send(slot, id, ground, look, wire));
        self.part(look, view)
    }

    /// The next step to masks as fine as the screen, and to a picture of the whole image for the
    /// next change of the view.
    pub fn refine(&mut self, look: &Look, view: &View, wire: &mut Wire) -> Option<Command> {
        if look.is_empty() {
            return None;
        }
        let fits = |sent: &Sent, ground: &Ground| sent.look == *look && sent.ground == *ground;
        let whole = Ground::of(&View::fit(view.image, view.canvas, view.cell));
        let near = wanted(view, Speed::Fast);
        if !is_whole(view) && !self.near.as_ref().is_some_and(|s| fits(s, &near)) {
            return send(&mut self.near, NEAR, near, look, wire);
        }
        if !self.whole.as_ref().is_some_and(|s| fits(s, &whole)) {
            return send(&mut self.whole, WHOLE, whole, look, wire);
        }
        None
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The finest picture with this look that holds the view.
    fn part(&self, look: &Look, view: &View) -> Option<Part> {
        [&self.near, &self.whole]
            .into_iter()
            .flatten()
            .filter(|sent| sent.look == *look)
            .find_map(|sent| Some((sent.id, cut(&sent.ground, view)?)))
    }
}

fn is_whole(view: &View) -> bool {
    view.is_whole()
}

/// What the view needs; half as fine where the line is slow.
fn wanted(view: &View, speed: Speed) -> Ground {
    let ground = if is_whole(view) {
        Ground::of(view)
    } else {
        let own = Ground::of(view);
        Ground::around(view, own.width / AROUND, own.height / AROUND)
    };
    match speed {
        Speed::Fast => ground,
        Speed::Slow => ground.halved(),
    }
}

/// The part of a ground that shows the view; `None` where the view reaches beyond it.
fn cut(ground: &Ground, view: &View) -> Option<[u32; 4]> {
    let axis = |low: u32, high: u32, corner: f64, scale: f64, most: u32| {
        let from = ((f64::from(low) - corner) * scale).round();
        let to = ((f64::from(high) - corner) * scale).round();
        let fits = from >= 0.0 && to <= f64::from(most) + 1.0;
        let (from, to) = (from as u32, (to as u32).min(most));
        (fits && from < to).then(|| (from, to - from))
    };
    let source = view.source;
    let (x, w) = axis(source.x0, source.x1, ground.x, ground.scale_x, ground.width)?;
    let (y, h) = axis(
        source.y0,
        source.y1,
        ground.y,
        ground.scale_y,
        ground.height,
    )?;
    Some([x, y, w, h])
}

/// Sends a picture, or only what has changed of it. `None` where nothing has.
fn send(
    slot: &mut Option<Sent>,
    id: u32,
    ground: Ground,
    look: &Look,
    wire: &mut Wire,
) -> Option<Command> {
    let overlay = Overlay::on(&ground, &look.layers, &look.lines);
    let before = slot.take().filter(|s| s.ground == ground && wire.edits());
    let all = [0, 0, overlay.width, overlay.height];
    let command = match before {
        None => Some(wire.transmit(id, &palette_png(&overlay, all))),
        Some(before) => changed(&before.overlay, &overlay).map(|[x0, y0, x1, y1]| {
            let png = palette_png(&overlay, [x0, y0, x1, y1]);
            wire.edit(id, (x0, y0), (x1 - x0, y1 - y0), &png)
        }),
    };
    *slot = Some(Sent {
        id,
        ground,
        overlay,
        look: look.clone(),
    });
    command
}

/// The smallest rectangle outside of which two overlays of one size are equal.
fn changed(before: &Overlay, after: &Overlay) -> Option<[u32; 4]> {
    let width = after.width as usize;
    let same = |a: &u8, b: &u8| before.palette[usize::from(*a)] == after.palette[usize::from(*b)];
    let is_same_palette = before.palette == after.palette;
    let mut bounds: Option<[u32; 4]> = None;
    let rows = before
        .indices
        .chunks_exact(width)
        .zip(after.indices.chunks_exact(width));
    for (y, (a, b)) in rows.enumerate() {
        if is_same_palette && a == b {
            continue;
        }
        let differs = |i: &usize| !same(&a[*i], &b[*i]);
        let Some(first) = (0..width).find(differs) else {
            continue;
        };
        let last = (0..width).rfind(differs).unwrap_or(first);
        let (x0, x1, y) = (first as u32, last as u32 + 1, y as u32);
        bounds = Some(match bounds {
            None => [x0, y, x1, y + 1],
            Some([l, t, r, _]) => [l.min(x0), t, r.max(x1), y + 1],
        });
    }
    bounds
}
