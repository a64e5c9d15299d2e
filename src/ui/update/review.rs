//! The second pass: one object at a time, one key a verdict.

use std::sync::Arc;

use crate::core::document::Verdict;
use crate::core::review::Found;
use crate::store::verdicts::Line;
use crate::ui::mode::{Mode, Notice};
use crate::ui::review::{Given, Sight};
use crate::ui::state::State;

impl State {
    pub(super) fn toggle_review(&mut self) {
        if self.mode == Mode::Review {
            self.mode = Mode::Aim;
            self.zoom_fit();
            return;
        }
        self.start_review();
    }

    /// Begins a review with the image on the screen.
    pub fn start_review(&mut self) {
        self.mode = Mode::Review;
        self.review.start(self.at);
        if let Some(open) = &mut self.open {
            open.selected = None;
        }
    }

    /// Gives the object on the screen its verdict and brings the next one.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        if self.mode != Mode::Review || !self.may_write() {
            return;
        }
        let Some(at) = self.shown().and_then(|o| o.selected) else {
            return;
        };
        self.give(at, verdict);
        self.review.repeat();
        self.notice = Some(Notice::Info(verdict.name().into()));
        self.next_in_review();
    }

    /// Writes a verdict for the queue's present object, which is the document's `at`th.
    pub(super) fn give(&mut self, at: usize, verdict: Verdict) {
        let Some(item) = self.review.item() else {
            return;
        };
        let now = self.now;
        let Some(open) = &mut self.open else { return };
        let before = open.document().objects[at].verdict;
        if before != verdict {
            open.history.step(|d| {
                let object = Arc::make_mut(&mut d.objects[at]);
                object.verdict = verdict;
                object.changed = now;
            });
        }
        let object = &open.history.now().objects[at];
        let review = &mut self.review;
        if review.plan.log.is_some() {
            review.lines.push_back(Arc::new(Line {
                serial: review.next_line,
                image: open.path.clone(),
                id: object.id,
                class: Arc::clone(&object.class),
                verdict: verdict.name(),
                before: before.name(),
                comment: object.comment.clone(),
                again: item.sight == Sight::Again,
                milliseconds: review.since,
                who: Arc::clone(&self.person),
                time: now,
            }));
            review.next_line += 1;
        }
        review.given.push(Given {
            at: review.at,
            before,
            sight: item.sight,
            same: before == verdict,
        });
        review.since = 0;
    }

    pub(super) fn put_off(&mut self) {
        if self.mode == Mode::Review {
            self.review.put_off();
            self.next_in_review();
        }
    }

    /// Takes the last verdict back and shows its object again.
    pub(super) fn take_back(&mut self) {
        let Some(given) = self.review.given.pop() else {
            self.notice = Some(Notice::Info("no verdict to take back in this pass".into()));
            return;
        };
        self.review.at = given.at;
        self.review.taking_back = Some(given.before);
        self.show_in_review();
    }

    /// What the survey found, if it is the one that is waited for.
    pub(super) fn surveyed(&mut self, serial: u32, found: Vec<Found>) {
        if serial == self.review.serial {
            self.review.take(found);
            self.arrive_in_review();
        }
    }

    pub(super) fn survey_ended(&mut self, serial: u32, problems: &[String]) {
        if serial != self.review.serial {
            return;
        }
        self.review.end_survey();
        self.arrive_in_review();
        if let Some(why) = problems.first() {
            let more = match problems.len() {
                1 => String::new(),
                n => format!(" (and {} more; termask check lists them)", n - 1),
            };
            self.notice = Some(Notice::Problem(format!("{why}{more}")));
        }
    }

    /// Goes on where a review waited for an image or for the survey.
    pub(super) fn arrive_in_review(&mut self) {
        let waits = self.shown().is_none_or(|o| o.selected.is_none());
        match self.mode {
            Mode::Review if waits => self.show_in_review(),
            Mode::Sheet if self.sheet.is_none() => self.fill_sheet(),
            _ => {}
        }
    }

    pub(super) fn next_in_review(&mut self) {
        self.review.at += 1;
        self.show_in_review();
    }

    /// Brings the queue's present object on the screen; those that went or were judged meanwhile
    /// are passed over.
    pub(super) fn show_in_review(&mut self) {
        while let Some(item) = self.review.item() {
            let Some(path) = self.images.get(item.image) else {
                break;
            };
            if self.broken.contains_key(path) {
                self.review.at += 1;
                continue;
            }
            let is_shown = item.image == self.at && self.shown().is_some();
            if !is_shown {
                if let Some(open) = &mut self.open {
                    open.selected = None;
                }
                self.go_to(item.image);
                return;
            }
            let open = self.shown().expect("just seen");
            let objects = &open.document().objects;
            let at = objects.iter().position(|o| o.id == item.id);
            let counts = |i: &usize| {
                item.sight == Sight::Again
                    || self.review.taking_back.is_some()
                    || self.review.plan.filter.takes(&objects[*i])
            };
            match at.filter(counts) {
                Some(at) => return self.show_object(at),
                None => self.review.at += 1,
            }
        }
        if let Some(open) = &mut self.open {
            open.selected = None;
        }
        if !self.review.surveyed {
            return;
        }
        self.zoom_fit();
        let (same, again) = self.review.consistency();
        let consistency = match again {
            0 => String::new(),
            _ => format!("; {same} of {again} second looks said the same"),
        };
        self.notice = Some(Notice::Info(format!(
            "every object has its verdict; {} given in this pass{consistency}",
            self.review.given.len()
        )));
    }

    fn show_object(&mut self, at: usize) {
        let now = self.now;
        let before = self.review.taking_back.take();
        let Some(open) = &mut self.open else { return };
        if let Some(verdict) = before {
            open.history.step(|d| {
                let object = Arc::make_mut(&mut d.objects[at]);
                object.verdict = verdict;
                object.changed = now;
            });
        }
        open.selected = Some(at);
        let Some(bounds) = open.document().objects[at].mask.bounds() else {
            return;
        };
        open.cursor = bounds.centre();
        open.view = open.view.around(bounds);
    }

    /// Ends an editing that began in the review: the object as it is now counts as accepted.
    pub(super) fn fixed(&mut self) {
        if !std::mem::take(&mut self.review.fixing) {
            return;
        }
        self.mode = Mode::Review;
        let id = self.review.item().map(|i| i.id);
        let Some(open) = &mut self.open else { return };
        let objects = &open.history.now().objects;
        open.selected = objects.iter().position(|o| Some(o.id) == id);
        self.judge(Verdict::Accepted);
    }

    /// Goes back to the review without having changed the object.
    pub(super) fn give_up_fixing(&mut self) {
        if std::mem::take(&mut self.review.fixing) {
            self.mode = Mode::Review;
            self.show_in_review();
        }
    }
}
