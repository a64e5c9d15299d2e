//! Making an object: box, clicks, brush, accept.

use std::sync::Arc;

use crate::core::document::{Document, Draft, Object, Origin, PROPOSAL_IOU, Verdict};
use crate::core::edges;
use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Side};
use crate::ui::action::{Correction, Snap};
use crate::ui::mode::{Brush, Mode, Notice, Snapping};
use crate::ui::state::State;

impl State {
    pub(super) fn put_corner(&mut self) {
        let by_grid = matches!(self.mode, Mode::Grid { .. });
        self.leave_grid();
        let Some(open) = &mut self.open else { return };
        match open.corner.take() {
            None => {
                open.corner = Some(open.cursor);
                // Who aims one corner so aims the other so too; the cursor stays until then.
                if by_grid {
                    let region = open.view.source;
                    self.mode = Mode::Grid { region };
                }
            }
            Some(corner) if corner == open.cursor => open.corner = Some(corner),
            Some(corner) => {
                let mut rect = ImageRect::from_corners(corner, open.cursor);
                if self.snapping == Snapping::On {
                    // A cell is as exact as the keyboard aims.
                    let reach = (open.view.cell.width / open.view.scale()).ceil() as u32;
                    rect = edges::snap(&open.decoded.image, rect, reach.max(1));
                }
                self.put_box(rect);
            }
        }
    }

    pub(super) fn put_box(&mut self, rect: ImageRect) {
        self.change_draft(|draft| {
            // A new box is a new question; the clicks given so far still hold.
            draft.prompt.rect = Some(rect);
            draft.proposal = None;
            draft.answered = false;
        });
    }

    pub(super) fn click(&mut self, side: Side) {
        self.leave_grid();
        let Some(at) = self.shown().map(|o| o.cursor) else {
            return;
        };
        self.change_draft(|draft| {
            draft.prompt.clicks.retain(|c| c.at != at);
            draft.prompt.clicks.push(Click { at, side });
            draft.answered = false;
        });
        self.answer_from_preview();
        let waits = self.shown().is_some_and(|o| {
            let prompt = &o.document().draft.prompt;
            !prompt.is_empty() && !prompt.is_answerable()
        });
        if waits {
            self.notice = Some(Notice::Info(
                "an outside click needs a box or an inside click first".into(),
            ));
        }
    }

    /// One undoable change of the draft.
    fn change_draft(&mut self, change: impl FnOnce(&mut Draft)) {
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        open.selected = None;
        open.corner = None;
        open.extremes.clear();
        let spent = std::mem::take(&mut open.spent);
        open.history.step(|d| {
            d.draft.spent += spent;
            change(&mut d.draft);
        });
    }

    /// Keeps the draft as an object; where its mask is still on its way, as soon as it comes.
    pub(in crate::ui) fn accept(&mut self) {
        self.leave_grid();
        if matches!(self.mode, Mode::Brush(_)) {
            self.mode = Mode::Aim;
        }
        if !self.may_write() {
            return;
        }
        let class = self.draft_class();
        let (person, now) = (Arc::clone(&self.person), self.now);
        let Some(open) = &mut self.open else { return };
        let draft = &open.document().draft;
        // The click net's mask is on the screen already: the person means that one.
        let stands_in = open.stand_in.as_ref() == Some(&draft.prompt);
        if draft.prompt.is_answerable() && !draft.answered && !open.unanswered && !stands_in {
            open.accepting = true;
            return;
        }
        let Some(mask) = draft.mask() else {
            let told = "nothing to accept: give a box (b) or a click (i) first";
            self.notice = Some(Notice::Info(told.into()));
            return;
        };
        let spent = std::mem::take(&mut open.spent);
        open.history
            .step(|d| keep(d, mask, Arc::clone(&class), &person, now, spent));
        open.alternatives.clear();
        open.milliseconds = None;
        open.corner = None;
        if let Some(wide) = open.wide.take() {
            open.view = wide;
        }
        self.count_mask(&class);
        self.fixed();
    }

    /// Drops one thing after the other: grid, brush, a search, box corner, draft, selection.
    pub(super) fn drop_draft(&mut self) {
        if self.mode == Mode::Hints {
            return self.end_hints();
        }
        if self.mode == Mode::Sheet {
            return self.toggle_sheet();
        }
        if self.mode != Mode::Aim {
            self.mode = Mode::Aim;
            return;
        }
        let Some(open) = &mut self.open else { return };
        let searches = open.refinding.take().is_some() | std::mem::take(&mut open.hinting);
        if searches {
            self.notice = Some(Notice::Info("no longer looked for".into()));
            return;
        }
        if open.corner.take().is_some() || !std::mem::take(&mut open.extremes).is_empty() {
            return;
        }
        if open.document().draft.is_empty() {
            open.selected = None;
            return;
        }
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        open.history.step(|d| {
            // An object that was taken up for editing goes back to its place.
            if let Some((at, object)) = d.draft.replaces.take() {
                d.objects.insert(at.min(d.objects.len()), object);
            }
            d.draft = Draft::default();
        });
        open.alternatives.clear();
        self.zoom_back();
        self.give_up_fixing();
    }

    pub(super) fn undo(&mut self) {
        self.travel_in_time(crate::core::history::History::undo, "nothing to undo");
    }

    pub(super) fn redo(&mut self) {
        self.travel_in_time(crate::core::history::History::redo, "nothing to redo");
    }

    fn travel_in_time(
        &mut self,
        go: impl FnOnce(&mut crate::core::history::History<Document>) -> bool,
        nothing: &str,
    ) {
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        open.alternatives.clear();
        if !go(&mut open.history) {
            self.notice = Some(Notice::Info(nothing.into()));
            return;
        }
        let count = open.document().objects.len();
        open.selected = open.selected.filter(|i| *i < count);
        if open.document().draft.is_empty() {
            self.zoom_back();
        }
    }

    /// Paints or erases from `from` to the cursor, where the brush is down. One stroke, from brush
    /// down to brush up, is one step of undo.
    pub(super) fn dab(&mut self, from: Option<ImagePoint>) {
        let Mode::Brush(brush) = self.mode else {
            return;
        };
        if !self.may_write() {
            return;
        }
        let radius = self.brush;
        let Some(open) = &mut self.open else { return };
        let size = open.decoded.image.size();
        let stroke = Mask::from_stroke(size, from.unwrap_or(open.cursor), open.cursor, radius);
        let change = |d: &mut Document| {
            let (onto, off) = match brush {
                Brush::Paint => (&mut d.draft.painted, &mut d.draft.erased),
                Brush::Erase => (&mut d.draft.erased, &mut d.draft.painted),
            };
            *onto = Some(Arc::new(
                onto.as_ref()
                    .map_or_else(|| stroke.clone(), |m| m.union(&stroke)),
            ));
            *off = off.as_ref().map(|m| Arc::new(m.difference(&stroke)));
        };
        if from.is_some() {
            open.history.amend(change);
        } else {
            open.history.step(change);
        }
    }

    /// Changes the draft's mask without an engine. An object that is selected is taken up first.
    pub(super) fn correct(&mut self, correction: Correction) {
        let is_selected = self
            .shown()
            .is_some_and(|o| o.selected.is_some() && o.document().draft.is_empty());
        if is_selected {
            self.edit_object();
        }
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        let size = open.decoded.image.size();
        let pixel = (1.0 / open.view.scale()).round().max(1.0) as u32;
        let Some(mask) = open.document().draft.mask() else {
            self.notice = Some(Notice::Info("no mask to correct".into()));
            return;
        };
        let clicks = open.document().draft.prompt.clicks.clone();
        let by = match correction {
            Correction::LowerThreshold => -0.05,
            Correction::RaiseThreshold => 0.05,
            Correction::FillHoles => return self.replace_mask(mask.holes_filled()),
            Correction::DropIslands => return self.replace_mask(main_parts(&mask, &clicks)),
            Correction::Grow => return self.replace_mask(mask.grown(pixel)),
            Correction::Shrink => return self.replace_mask(mask.shrunk(pixel)),
            Correction::Clear => {
                let others = open.document().objects.iter();
                let clear = others.fold((*mask).clone(), |m, o| m.difference(&o.mask));
                return self.replace_mask(clear);
            }
            Correction::Smooth => return self.replace_mask(mask.smoothed(2 * pixel)),
            Correction::SnapToEdges => {
                open.snapping = Some(mask);
                return;
            }
        };
        let proposal = open.document().draft.proposal.as_ref();
        let Some((soft, old)) = proposal.and_then(|p| Some((p.soft.clone()?, p.threshold))) else {
            self.notice = Some(Notice::Info("this mask has no threshold".into()));
            return;
        };
        let threshold = (old + by).clamp(0.02, 0.98);
        let mask = soft.mask(size, threshold);
        open.history.step(|d| {
            if let Some(p) = &mut d.draft.proposal {
                p.mask = mask;
                p.threshold = threshold;
            }
        });
        self.notice = Some(Notice::Info(format!("threshold {threshold:.2}")));
    }

    /// Takes the snapped mask, unless the draft has changed meanwhile.
    pub(super) fn snapped(&mut self, asked: &Snap, snapped: Result<Mask, String>) {
        let Some(open) = self.open.as_mut().filter(|o| o.path == asked.path) else {
            return;
        };
        if open.snapping.take_if(|mask| *mask == asked.mask).is_none() {
            return;
        }
        let is_same = open.document().draft.mask().as_ref() == Some(&asked.mask);
        match snapped {
            Ok(mask) if is_same && mask == *asked.mask => {
                self.notice = Some(Notice::Info("the outline lies at the edges".into()));
            }
            Ok(mask) if is_same => self.replace_mask(mask),
            Ok(_) => {}
            Err(why) => self.notice = Some(Notice::Problem(why)),
        }
    }

    pub(super) fn replace_mask(&mut self, mask: Mask) {
        let Some(open) = &mut self.open else { return };
        let mask = Arc::new(mask);
        open.history.step(|d| {
            if let Some(p) = &mut d.draft.proposal {
                p.mask = mask;
                (d.draft.painted, d.draft.erased) = (None, None);
            } else {
                d.draft.painted = Some(mask);
                d.draft.erased = None;
            }
        });
    }

    fn leave_grid(&mut self) {
        if matches!(self.mode, Mode::Grid { .. }) {
            self.mode = Mode::Aim;
        }
    }
}

/// The largest part, and the parts that hold an inside click.
fn main_parts(mask: &Mask, clicks: &[Click]) -> Mask {
    let parts = mask.parts();
    let largest = parts.iter().map(Mask::area).max().unwrap_or(0);
    let holds = |part: &Mask| {
        clicks
            .iter()
            .any(|c| c.side == Side::Inside && part.contains(c.at))
    };
    parts
        .iter()
        .filter(|p| p.area() == largest || holds(p))
        .fold(Mask::empty(mask.size()), |all, part| all.union(part))
}

/// Turns the draft into an object.
fn keep(d: &mut Document, mask: Arc<Mask>, class: Arc<str>, who: &str, now: i64, spent: u64) {
    let draft = std::mem::take(&mut d.draft);
    let mut origin = draft.proposal.as_ref().map_or_else(
        || Origin {
            engine: "brush".into(),
            ..Origin::default()
        },
        |p| p.origin.clone(),
    );
    origin.who = who.into();
    let confidence = draft.proposal.as_ref().map(|p| p.confidence);
    let at = draft.replaces.as_ref().map_or(d.objects.len(), |r| r.0);
    let before = draft.replaces.map(|r| r.1);
    let mut extra = before.as_ref().map(|o| o.extra.clone()).unwrap_or_default();
    extra.remove(PROPOSAL_IOU);
    // How much was left to correct by hand: `termask stats` tells it.
    let agreement = draft.proposal.as_ref().map(|p| mask.iou(&p.mask));
    extra.extend(agreement.map(|iou| (PROPOSAL_IOU.into(), iou.into())));
    let object = Object {
        id: before.as_ref().map_or_else(|| d.take_id(), |o| o.id),
        track: before.as_ref().and_then(|o| o.track),
        class,
        mask,
        prompt: draft.prompt,
        origin,
        confidence,
        verdict: Verdict::Unseen,
        comment: before
            .as_ref()
            .map(|o| o.comment.clone())
            .unwrap_or_default(),
        created: before.as_ref().map_or(now, |o| o.created),
        changed: now,
        spent: before.as_ref().map_or(0, |o| o.spent) + draft.spent + spent,
        extra,
    };
    d.objects.insert(at.min(d.objects.len()), Arc::new(object));
}
