//! What the world shall do, read from the state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::action::{Ask, Hints, Save, Snap, Survey, Wants};
use super::mode::Mode;
use super::state::State;
use crate::segment::Question;
use crate::store::sidecar::Access;

impl State {
    /// What the world shall do.
    pub fn wants(&self) -> Wants {
        Wants {
            open: self
                .path()
                .filter(|p| !self.broken.contains_key(*p))
                .map(Path::to_path_buf),
            window: self.window,
            ahead: self.ahead(),
            answer: self.question(),
            hints: self.wanted_hints(),
            aside: self.sought(),
            tracks: self.tracks.clone(),
            preview: self.previewable(),
            snap: self.wanted_snap(),
            switches: self.settings.personal.clone().zip(self.switched),
            save: self.save(),
            class: self.new_class.clone(),
            survey: self.survey(),
            sheet: self.undrawn(),
            thumbnails: self.without_thumbnail(),
            verdicts: self.review.lines.iter().cloned().collect(),
            log: self.review.plan.log.clone(),
            engine: self.chosen_engine.clone(),
            adapt: self.adapt.clone(),
        }
    }

    /// The images that are likely to be next.
    pub fn ahead(&self) -> Vec<PathBuf> {
        let image = |at: usize| self.images.get(at).cloned();
        if !matches!(self.mode, Mode::Review | Mode::Sheet) {
            let beside = [1, -1, 2].into_iter();
            return beside
                .filter_map(|by| image(self.at.checked_add_signed(by)?))
                .collect();
        }
        let mut next: Vec<usize> = Vec::new();
        let queue = self.review.queue.get(self.review.at..).unwrap_or_default();
        for item in queue.iter().take(64) {
            if item.image != self.at && !next.contains(&item.image) && next.len() < 3 {
                next.push(item.image);
            }
        }
        next.into_iter().filter_map(image).collect()
    }

    fn survey(&self) -> Option<Survey> {
        let due = self.review.serial > 0 && !self.review.surveyed && self.walked;
        due.then(|| Survey {
            serial: self.review.serial,
            images: Arc::clone(&self.images),
            from: self.review.from,
            filter: self.review.plan.filter.clone(),
        })
    }

    fn question(&self) -> Option<Ask> {
        let open = self.shown()?;
        let draft = &open.document().draft;
        let reading = open.reading.as_ref();
        let reading = reading.filter(|(prompt, _)| *prompt == draft.prompt);
        // Another reading begins afresh.
        let previous = draft.proposal.as_ref().filter(|_| reading.is_none());
        (!draft.answered && !open.unanswered && draft.prompt.is_answerable()).then(|| Ask {
            path: open.path.clone(),
            question: Question {
                previous: previous.cloned(),
                reading: reading.map_or(0, |(_, reading)| *reading),
                adaptation: self.settings.adapted.get(&*self.draft_class()).cloned(),
                ..Question::new(&open.decoded.image, open.decoded.key, draft.prompt.clone())
            },
            attempt: self.attempt,
        })
    }

    fn wanted_hints(&self) -> Option<Hints> {
        let open = self.shown()?;
        (open.hinting && open.found.is_none()).then(|| Hints {
            path: open.path.clone(),
            image: Arc::clone(&open.decoded.image),
            key: open.decoded.key,
        })
    }

    fn wanted_snap(&self) -> Option<Snap> {
        let open = self.shown()?;
        let mask = open.snapping.clone()?;
        Some(Snap {
            path: open.path.clone(),
            image: Arc::clone(&open.decoded.image),
            mask,
        })
    }

    fn save(&self) -> Option<Save> {
        let open = self.open.as_ref()?;
        let due = !open.is_saved()
            && open.unsaved != Some(open.history.revision())
            && open.access == Access::Writable;
        due.then(|| Save {
            path: open.path.clone(),
            history: open.history.clone(),
        })
    }
}
