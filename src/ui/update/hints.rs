//! Hints: letters on what the engine finds by itself; a letter takes that object.

use std::sync::Arc;

use crate::core::document::{Draft, Proposal};
use crate::core::geometry::ImagePoint;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side};
use crate::ui::action::{Hint, Hints};
use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

/// As many as there are letters.
const MOST: usize = 26;
/// Share of a proposal that an object may cover before the proposal counts as masked already.
const COVERED: f64 = 0.5;

impl State {
    /// Shows the letters, or asks the engine what there is.
    pub(super) fn start_hints(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.hinting = true;
        if open.found.is_some() {
            self.show_hints();
        } else {
            let told = "looking for objects …; esc stops";
            self.notice = Some(Notice::Info(told.into()));
        }
    }

    pub(super) fn end_hints(&mut self) {
        if let Some(open) = &mut self.open {
            open.hinting = false;
            open.hints.clear();
        }
        self.mode = Mode::Aim;
    }

    /// What the engine found, if it is for the open image.
    pub(super) fn hinted(&mut self, asked: &Hints, found: Vec<Hint>) {
        let Some(open) = self.open.as_mut().filter(|o| o.path == asked.path) else {
            return;
        };
        open.found = Some(found);
        if open.hinting && self.mode == Mode::Aim {
            self.notice = None;
            self.show_hints();
        }
    }

    fn show_hints(&mut self) {
        let Some(open) = &mut self.open else { return };
        let objects = &open.history.now().objects;
        let is_masked = |mask: &Mask| {
            let covered: u64 = objects
                .iter()
                .map(|o| mask.intersection(&o.mask).area())
                .sum();
            covered as f64 > COVERED * mask.area() as f64
        };
        let found = open.found.iter().flatten();
        let free = found.filter(|h| !is_masked(&h.proposal.mask));
        open.hints = free.take(MOST).cloned().collect();
        if open.hints.is_empty() {
            open.hinting = false;
            self.notice = Some(Notice::Info(
                "the engine finds nothing more here: give a box (b) or a click (i)".into(),
            ));
            return;
        }
        self.mode = Mode::Hints;
    }

    /// Takes the object with this letter as the draft; a capital accepts it at once and goes on.
    pub(in crate::ui) fn take_hint(&mut self, letter: char) {
        let index = (letter.to_ascii_lowercase() as usize).wrapping_sub('a' as usize);
        let Some(open) = &mut self.open else { return };
        if index >= open.hints.len() {
            return;
        }
        let hint = open.hints.swap_remove(index);
        open.hints.clear();
        self.mode = Mode::Aim;
        self.draft_of(hint.proposal, hint.at);
        if letter.is_ascii_uppercase() {
            self.accept();
            self.start_hints();
        }
    }

    fn draft_of(&mut self, proposal: Proposal, at: ImagePoint) {
        if !self.may_write() {
            return;
        }
        self.jump_to(at);
        let Some(open) = &mut self.open else { return };
        open.alternatives = vec![proposal.clone()];
        open.milliseconds = None;
        open.history.step(|d| {
            if let Some((place, object)) = d.draft.replaces.take() {
                d.objects
                    .insert(place.min(d.objects.len()), Arc::clone(&object));
            }
            // The click stands for what the person meant: corrections build on it.
            d.draft = Draft {
                prompt: Prompt {
                    rect: None,
                    clicks: vec![Click {
                        at,
                        side: Side::Inside,
                    }],
                },
                proposal: Some(proposal),
                answered: true,
                ..Draft::default()
            };
        });
    }
}
