//! Editing the outline of a mask, point by point.

use std::sync::Arc;

use crate::core::geometry::ImagePoint;
use crate::core::mask::Mask;
use crate::core::outline::Outline;
use crate::core::prompt::Side;
use crate::ui::action::Action;
use crate::ui::mode::{Contour, Mode, Notice, Owner};
use crate::ui::state::State;

/// How far the few points may lie from the outline, in screen pixels.
const TOLERANCE: f64 = 4.0;
/// How near to a point the mouse takes it, in screen pixels.
const REACH: f64 = 14.0;

impl State {
    /// Takes up the outline of the draft or the selected object, at the point nearest to the
    /// cursor.
    pub(super) fn start_contour(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(open) = self.shown() else { return };
        let draft = &open.document().draft;
        if !draft.answered && draft.prompt.is_answerable() && !open.unanswered {
            self.notice = Some(Notice::Info("the mask is on its way".into()));
            return;
        }
        let owner = if draft.mask().is_some() {
            Owner::Draft
        } else {
            Owner::Object
        };
        if owner == Owner::Object {
            if !draft.is_empty() || self.target().is_none() {
                self.notice = Some(Notice::Info("no mask whose outline could be edited".into()));
                return;
            }
            self.edit_object();
        }
        let Some(open) = self.shown() else { return };
        let tolerance = (TOLERANCE / open.view.scale()).max(0.75);
        let cursor = (
            f64::from(open.cursor.x) + 0.5,
            f64::from(open.cursor.y) + 0.5,
        );
        let mask = open.document().draft.mask();
        let Some(mask) = mask else { return };
        let Some(outline) = Outline::of(&mask, tolerance, cursor) else {
            return;
        };
        self.mode = Mode::Contour(Contour {
            outline,
            mask,
            owner,
        });
        self.follow_point();
    }

    /// What an action means while an outline is edited; false where it means what it always does.
    pub(super) fn edit_contour(&mut self, action: Action, count: Option<(u32, Arc<str>)>) -> bool {
        match action {
            Action::Move(direction, step) => {
                if let Some((dx, dy)) = self.stride(direction, step, count) {
                    self.change_outline(|outline| {
                        outline.begin();
                        let [x, y] = outline.point();
                        outline.put(x + dx as f64, y + dy as f64);
                    });
                }
            }
            Action::NextObject => self.change_outline(|outline| outline.go(1)),
            Action::PreviousObject => self.change_outline(|outline| outline.go(-1)),
            Action::Click(Side::Inside) => self.change_outline(Outline::insert),
            Action::DeleteObject => {
                let mut is_gone = true;
                self.change_outline(|outline| is_gone = outline.remove());
                if !is_gone {
                    self.notice = Some(Notice::Info("an outline needs three points".into()));
                }
            }
            Action::Undo => {
                let mut is_back = true;
                self.change_outline(|outline| is_back = outline.undo());
                if !is_back {
                    self.notice = Some(Notice::Info("nothing of the outline to undo".into()));
                }
            }
            Action::Point(at) => self.pick_point(at),
            Action::Drag(at) => self.drag_point(at),
            Action::Release(at) => {
                self.drag_point(at);
                self.pressed = None;
            }
            Action::Accept => self.keep_contour(),
            Action::Drop | Action::Contour => self.leave_contour(),
            Action::ZoomIn
            | Action::ZoomOut
            | Action::ZoomFit
            | Action::ZoomObject
            | Action::Wheel(..)
            | Action::Overlay
            | Action::Digit(_)
            | Action::Commands
            | Action::Type(_)
            | Action::Backspace
            | Action::Confirm
            | Action::Cancel
            | Action::Help
            | Action::Suspend
            | Action::Quit => return false,
            // Anything else would change the document under the outline.
            _ => {
                let told = "first keep the outline (enter) or leave it (esc)";
                self.notice = Some(Notice::Info(told.into()));
            }
        }
        true
    }

    fn change_outline(&mut self, change: impl FnOnce(&mut Outline)) {
        let Mode::Contour(contour) = &mut self.mode else {
            return;
        };
        change(&mut contour.outline);
        contour.mask = Arc::new(contour.outline.mask());
        self.follow_point();
    }

    /// Puts the cursor, and with it the view, where the point is.
    fn follow_point(&mut self) {
        let Mode::Contour(contour) = &self.mode else {
            return;
        };
        let [x, y] = contour.outline.point();
        self.put_cursor(ImagePoint::new(x as u32, y as u32));
    }

    fn pick_point(&mut self, at: ImagePoint) {
        let Some(reach) = self.shown().map(|o| REACH / o.view.scale()) else {
            return;
        };
        let mut is_near = true;
        self.change_outline(|outline| {
            is_near = outline.pick(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5, reach);
            // All of a drag is one step of undo.
            outline.begin();
        });
        if !is_near {
            self.pressed = None;
        }
    }

    /// The point follows the mouse.
    fn drag_point(&mut self, at: ImagePoint) {
        if self.pressed.is_none_or(|from| from == at) {
            return;
        }
        self.change_outline(|outline| outline.put(f64::from(at.x), f64::from(at.y)));
    }

    fn keep_contour(&mut self) {
        let Mode::Contour(contour) = std::mem::take(&mut self.mode) else {
            return;
        };
        if contour.mask.is_empty() {
            self.notice = Some(Notice::Info("nothing would be left".into()));
            self.mode = Mode::Contour(contour);
            return;
        }
        if contour.outline.has_changed() {
            self.replace_mask(Mask::clone(&contour.mask));
        } else if contour.owner == Owner::Object {
            return self.put_back();
        }
        if contour.owner == Owner::Object {
            self.accept();
        }
    }

    fn leave_contour(&mut self) {
        let Mode::Contour(contour) = std::mem::take(&mut self.mode) else {
            return;
        };
        if contour.owner == Owner::Object {
            self.put_back();
        }
    }

    /// The object that was taken up goes back as it was.
    fn put_back(&mut self) {
        self.undo();
        self.give_up_fixing();
    }
}
