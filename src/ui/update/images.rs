//! From one image to another.

use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

impl State {
    pub(super) fn travel(&mut self, by: i64) {
        if self.images.is_empty() {
            return;
        }
        let last = self.images.len() as i64 - 1;
        let to = (self.at as i64 + by).clamp(0, last) as usize;
        if to == self.at {
            let end = if by > 0 { "last" } else { "first" };
            self.notice = Some(Notice::Info(format!("this is the {end} image")));
        }
        self.go_to(to);
    }

    pub(super) fn go_to(&mut self, at: usize) {
        if at == self.at {
            return;
        }
        self.at = at;
        if !matches!(self.mode, Mode::Review | Mode::Sheet) {
            self.mode = Mode::Aim;
            self.review.fixing = false;
        }
        // A damaged file may have been mended meanwhile.
        let path = self.images[at].clone();
        self.broken.remove(&path);
    }

    pub(super) fn next_unfinished(&mut self) {
        let count = self.images.len();
        let next = (1..count)
            .map(|by| (self.at + by) % count)
            .find(|i| !self.standings.of(&self.images[*i]).finished);
        match next {
            Some(at) => self.go_to(at),
            None => self.notice = Some(Notice::Info("every other image is finished".into())),
        }
    }

    /// Calls the image finished and goes on, or takes that back.
    pub(super) fn finish(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        let finished = !open.document().finished;
        open.history.step(|d| d.finished = finished);
        if finished {
            self.notice = Some(Notice::Info("finished; N goes to the next".into()));
        }
    }
}
