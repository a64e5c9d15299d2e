//! The only place where the state changes: by what the person asks for, and by what came of it.

mod adapt;
mod contour;
mod draft;
mod engine;
mod hints;
mod images;
mod marks;
mod motion;
mod objects;
mod outline;
mod preview;
mod readings;
mod review;
mod sheet;
mod tracks;
mod typing;

pub use typing::matching_commands;

use std::path::Path;

use super::action::{Action, Outcome};
use super::mode::{Brush, Marking, Mode, Notice, Overlay, Snapping};
use super::standings::Standing;
use super::state::State;
use super::tour::Tour;
use crate::core::document::Document;
use crate::core::mask::Mask;

impl State {
    /// Does what the person asks for, at `now` in milliseconds since 1970.
    pub fn act(&mut self, action: Action, now: i64) {
        self.account(now);
        if !matches!(action, Action::Drag(_) | Action::Point(_)) {
            self.notice = None;
            self.retry();
        }
        if matches!(
            action,
            Action::Click(_) | Action::Correct(_) | Action::ZoomIn | Action::ZoomOut
        ) {
            self.last = Some(action);
        }
        let count = match action {
            Action::Digit(_) => None,
            _ => self.count.take(),
        };
        if matches!(self.mode, Mode::Contour(_)) && self.edit_contour(action, count.clone()) {
            return;
        }
        match action {
            Action::Move(direction, step) => self.step_cursor(direction, step, count),
            Action::Point(at) => self.put_cursor(at),
            Action::Drag(at) => self.drag(at),
            Action::Release(at) => self.release(at),
            Action::Wheel(at, direction) => self.wheel(at, direction),
            Action::GridAim => self.start_grid(),
            Action::Hints => self.start_hints(),
            Action::Doubtful => self.go_to_doubt(),
            Action::Corner => self.put_corner(),
            Action::Click(side) => self.click(side),
            Action::Accept if self.mode == Mode::Sheet => self.judge_sheet(),
            Action::Accept if self.draws_polygon() => self.close_polygon(Brush::Paint),
            Action::Erase if self.draws_polygon() => self.close_polygon(Brush::Erase),
            Action::Undo if self.draws_polygon() => self.drop_vertex(),
            Action::Polygon => self.add_vertex(),
            Action::Contour => self.start_contour(),
            Action::Extreme => self.put_extreme(),
            Action::Snap => self.toggle_snapping(),
            Action::SetMark => self.open_window(Mode::Mark(Marking::Set)),
            Action::GoToMark => self.open_window(Mode::Mark(Marking::Go)),
            Action::AutoZoom => self.toggle_auto_zoom(),
            Action::Preview => self.toggle_preview(),
            Action::List => self.toggle_list(),
            Action::JumpBack => self.jump_back(),
            Action::Repeat => self.repeat(now),
            Action::Sheet => self.toggle_sheet(),
            Action::Accept => self.accept(),
            Action::Drop => self.drop_draft(),
            Action::Undo if self.mode == Mode::Review => self.take_back(),
            Action::Undo => self.undo(),
            Action::Redo => self.redo(),
            Action::NextAlternative => self.next_alternative(),
            Action::Paint => self.toggle_brush(Brush::Paint),
            Action::Erase => self.toggle_brush(Brush::Erase),
            Action::BrushLarger => self.brush = (self.brush * 1.3).min(2000.0),
            Action::BrushSmaller => self.brush = (self.brush / 1.3).max(0.5),
            Action::Correct(correction) => self.correct(correction),
            Action::NextObject => self.select(1),
            Action::PreviousObject => self.select(-1),
            Action::EditObject => self.edit_object(),
            Action::DeleteObject => self.delete_object(),
            Action::JoinObjects => self.combine(Mask::union, "join"),
            Action::SubtractObject => self.combine(Mask::difference, "subtract"),
            Action::IntersectObject => self.combine(Mask::intersection, "intersect"),
            Action::SplitObject => self.split_object(),
            Action::RaiseObject => self.reorder(1),
            Action::LowerObject => self.reorder(-1),
            Action::NextImage => self.travel(count.map_or(1, |c| i64::from(c.0))),
            Action::PreviousImage => self.travel(count.map_or(-1, |c| -i64::from(c.0))),
            Action::NextUnfinished => self.next_unfinished(),
            Action::CopyPrevious => self.copy_previous(),
            Action::RefindPrevious => self.refind_previous(),
            Action::Finish => self.finish(),
            Action::Digit(digit) => self.digit(digit),
            Action::ZoomIn => self.zoom(1.5),
            Action::ZoomOut => self.zoom(1.0 / 1.5),
            Action::ZoomFit => self.zoom_fit(),
            Action::ZoomObject => self.zoom_object(),
            Action::NarrowWindow => self.change_window(1),
            Action::WidenWindow => self.change_window(-1),
            Action::Overlay => *self.overlay_mut() = self.overlay().next(),
            Action::Review => self.toggle_review(),
            Action::Judge(verdict) => self.judge(verdict),
            Action::Later => self.put_off(),
            Action::ChooseClass
            | Action::ChooseEngine
            | Action::Comment
            | Action::FlagWithComment
            | Action::GoToImage
            | Action::Commands
            | Action::Type(_)
            | Action::Backspace
            | Action::Confirm
            | Action::Cancel => self.type_key(action, now),
            Action::Adapt(lesson) => self.adapt(lesson),
            Action::Help => self.toggle_help(),
            Action::Suspend => self.suspend = true,
            Action::Quit => self.quit = true,
            Action::Tour => self.tour = Some(Tour::START),
        }
        self.follow_tour();
    }

    /// Takes in what the world answered, if the question still stands.
    pub fn learn(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Found(place, images) => self.found(place, images),
            Outcome::Walked => self.walked = true,
            Outcome::Opened(image) => {
                // There and back again in a hurry: what is on the screen is newer than the file.
                let is_open = self.open.as_ref().is_some_and(|o| o.path == image.path);
                if Some(image.path.as_path()) == self.path() && !is_open {
                    self.opened(*image);
                    self.arrive();
                    self.arrive_in_review();
                }
            }
            Outcome::Windowed(path, window, decoded) => {
                let shown = self.open.as_mut().filter(|o| o.path == path);
                if let Some(open) = shown.filter(|_| window == self.window) {
                    open.decoded = *decoded;
                }
            }
            Outcome::Looked(path, look) => {
                if Some(path.as_path()) == self.path() {
                    self.look = Some((path, look));
                }
            }
            Outcome::OpenFailed(path, why) => {
                self.notice = Some(Notice::Problem(why.clone()));
                self.broken.insert(path, why);
                self.arrive_in_review();
            }
            Outcome::Ahead(path, photo) => {
                let ahead = self.ahead();
                self.neighbours
                    .retain(|(p, _)| *p != path && ahead.contains(p));
                if ahead.contains(&path) {
                    self.neighbours.push((path, photo));
                }
            }
            Outcome::Proposed(answer) => self.proposed(*answer),
            Outcome::Previewed(answer) => self.previewed(*answer),
            Outcome::Hinted(asked, found) => self.hinted(&asked, found),
            Outcome::Aside(asked, found) => self.refound(&asked, found),
            Outcome::Snapped(asked, snapped) => self.snapped(&asked, snapped),
            Outcome::Unanswered(path, why) => {
                self.notice = Some(Notice::Problem(why));
                if let Some(open) = self.open.as_mut().filter(|o| o.path == path) {
                    open.unanswered = true;
                    open.accepting = false;
                }
            }
            Outcome::Merged(path, revision, document, notes) => {
                self.merged(&path, revision, *document, &notes);
                if self.mode == Mode::Sheet {
                    self.fill_sheet();
                }
            }
            Outcome::Adapted(adapted) => self.adapted(adapted),
            Outcome::EngineReady(name) => self.engine = Some(name),
            Outcome::Standings(folder, images) => {
                for (name, progress) in images {
                    let standing = Standing::from(&progress);
                    self.standings.learn(&folder.join(name), standing);
                }
            }
            Outcome::Saved(path, revision) => {
                if let Some(open) = self.open.as_mut().filter(|o| o.path == path) {
                    let document = open.history.now();
                    self.standings.note(&path, Standing::from(document));
                    self.sitting.note(&path, document, &self.person, self.now);
                    open.saved = revision;
                    open.unsaved = None;
                }
            }
            Outcome::SaveFailed(path, revision, why) => {
                self.notice = Some(Notice::Problem(format!("not saved: {why}")));
                if let Some(open) = self.open.as_mut().filter(|o| o.path == path) {
                    open.unsaved = Some(revision);
                }
            }
            Outcome::ClassSaved(name) => {
                if self.new_class.as_ref().is_some_and(|c| c.name == name) {
                    self.new_class = None;
                }
            }
            Outcome::Surveyed(serial, found) => self.surveyed(serial, found),
            Outcome::Thumbnail(path, photo) => self.pictured(path, photo),
            Outcome::Drawn(key, image) => self.drawn(key, image),
            Outcome::SurveyEnded(serial, problems) => self.survey_ended(serial, &problems),
            Outcome::Logged(serial) => self.review.lines.retain(|l| l.serial > serial),
            Outcome::Failed(why) => self.notice = Some(Notice::Problem(why)),
        }
        self.release_held();
        self.follow_tour();
    }

    /// Takes over what somebody else changed in the same sidecar, unless the person went on
    /// meanwhile: then the next save tells again.
    fn merged(&mut self, path: &Path, revision: u64, document: Document, notes: &[String]) {
        let open = self.open.as_mut().filter(|o| o.path == path);
        let Some(open) = open.filter(|o| o.history.revision() == revision) else {
            return;
        };
        open.history.step(|d| *d = document);
        open.selected = None;
        let more = notes.first().map(|n| format!(": {n}")).unwrap_or_default();
        self.notice = Some(Notice::Info(format!(
            "somebody else changed this image; both are kept{more}"
        )));
    }

    fn follow_tour(&mut self) {
        let next = self.tour.map(|t| t.onward(self));
        self.tour = next.filter(|t| !t.is_over());
    }

    /// Adds the time since the last key to the draft, pauses left out.
    fn account(&mut self, now: i64) {
        const PAUSE: i64 = 20_000;
        let since = now - self.now;
        self.now = now;
        let working = (1..PAUSE).contains(&since);
        if working {
            self.sitting.worked += since as u64;
        }
        if working && self.mode == Mode::Review {
            self.review.worked += since as u64;
            self.review.since += since as u64;
        }
        let Some(open) = self.open.as_mut().filter(|_| working) else {
            return;
        };
        open.spent += since as u64;
    }

    /// A want that failed is tried again by the person's next action.
    fn retry(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.unanswered {
            open.unanswered = false;
            self.attempt += 1;
        }
        open.unsaved = None;
    }

    fn digit(&mut self, digit: u8) {
        let before = match self.count.take() {
            Some((count, before)) if count < 1000 => {
                self.count = Some((count * 10 + u32::from(digit), before));
                return;
            }
            Some((_, before)) => before,
            None => self.draft_class(),
        };
        self.count = Some((u32::from(digit), before));
        let class = self
            .settings
            .classes
            .iter()
            .find(|c| c.hotkey == Some(digit))
            .map(|c| c.name.clone());
        if let Some(name) = class {
            self.give_class(&name);
        }
    }

    fn draws_polygon(&self) -> bool {
        matches!(self.mode, Mode::Polygon { .. })
    }

    fn repeat(&mut self, now: i64) {
        match self.last {
            Some(action) => self.act(action, now),
            None => self.notice = Some(Notice::Info("nothing to repeat yet".into())),
        }
    }

    fn toggle_snapping(&mut self) {
        let (snapping, told) = match self.snapping {
            Snapping::Off => (Snapping::On, "box sides snap to strong edges"),
            Snapping::On => (Snapping::Off, "box sides stay where they are put"),
        };
        self.snapping = snapping;
        self.notice = Some(Notice::Info(told.into()));
    }

    fn toggle_brush(&mut self, brush: Brush) {
        if self.mode == Mode::Brush(brush) {
            self.mode = Mode::Aim;
            return;
        }
        self.mode = Mode::Brush(brush);
        if self.overlay == Overlay::Off {
            self.overlay = Overlay::Fill;
        }
        self.dab(None);
    }

    fn toggle_help(&mut self) {
        if matches!(self.mode, Mode::Help { .. }) {
            self.mode = std::mem::take(&mut self.behind);
            return;
        }
        self.open_window(Mode::Help {
            search: String::new(),
            scroll: 0,
        });
    }

    /// Whether the document may be changed; tells why not.
    fn may_write(&mut self) -> bool {
        use crate::store::sidecar::Access;
        let Some(open) = self.shown() else {
            return false;
        };
        let Access::ReadOnly { why } = &open.access else {
            return true;
        };
        self.notice = Some(Notice::Problem(why.clone()));
        false
    }
}
