//! The second pass: one object at a time, one key a verdict.

use std::sync::Arc;

use crate::core::document::Verdict;
use crate::ui::state::{Mode, Notice, State};

impl State {
    pub(super) fn toggle_review(&mut self) {
        if self.mode == Mode::Review {
            self.mode = Mode::Aim;
            self.zoom_fit();
            return;
        }
        self.mode = Mode::Review;
        self.advance(None);
    }

    /// Gives the object on the screen its verdict and brings the next one.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        if self.mode != Mode::Review || !self.may_write() {
            return;
        }
        let now = self.now;
        let Some(open) = &mut self.open else { return };
        let Some(at) = open.selected else {
            self.advance(None);
            return;
        };
        open.history.step(|d| {
            let object = Arc::make_mut(&mut d.objects[at]);
            object.verdict = verdict;
            object.changed = now;
        });
        self.review.judged += 1;
        self.notice = Some(Notice::Info(verdict.name().into()));
        self.advance(Some(at));
    }

    pub(super) fn put_off(&mut self) {
        let Some(open) = self.shown() else { return };
        let Some(at) = open.selected else { return };
        let Some(object) = open.document().objects.get(at) else {
            return;
        };
        let key = (open.path.clone(), object.id);
        self.review.later.insert(key);
        self.advance(Some(at));
    }

    /// On a new image the review goes on with its first object.
    pub(super) fn arrive_in_review(&mut self) {
        if self.mode == Mode::Review {
            self.advance(None);
        }
    }

    /// The next object without a verdict: after `from`, else from the start, else on the next image.
    fn advance(&mut self, from: Option<usize>) {
        let open: Vec<usize> = self.unseen().collect();
        let after = open.iter().find(|i| Some(**i) > from).or(open.first());
        if let Some(at) = after.copied() {
            self.show_object(at);
            return;
        }
        if let Some(open) = &mut self.open {
            open.selected = None;
        }
        if self.at + 1 < self.images.len() {
            self.go_to(self.at + 1);
            return;
        }
        self.zoom_fit();
        self.notice = Some(Notice::Info(format!(
            "every object has its verdict; {} given in this pass",
            self.review.judged
        )));
    }

    fn show_object(&mut self, at: usize) {
        let Some(open) = &mut self.open else { return };
        open.selected = Some(at);
        let Some(bounds) = open.document().objects[at].mask.bounds() else {
            return;
        };
        open.cursor = bounds.centre();
        open.view = open.view.around(bounds);
    }
}
