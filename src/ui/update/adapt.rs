//! Fits the click net to the folder's masks, when the person says so; and says when that may pay.

use std::sync::Arc;

use crate::ui::action::{Adapt, Adapted, Lesson};
use crate::ui::mode::Notice;
use crate::ui::state::State;

/// Masks of one class that are enough for an adaptation to be offered.
const OFFERED_FROM: usize = 20;

impl State {
    pub(super) fn adapt(&mut self, lesson: Lesson) {
        if self.adapt.is_some() {
            self.notice = Some(Notice::Info("still at it; go on meanwhile".into()));
            return;
        }
        let file = self.settings.file.clone();
        self.adapt = Some(Adapt { file, lesson });
        let told = match lesson {
            Lesson::Learn => "learning from the folder's accepted masks; go on meanwhile",
            Lesson::Forget => "taking out what was learnt",
        };
        self.notice = Some(Notice::Info(told.into()));
    }

    pub(super) fn adapted(&mut self, adapted: Result<Adapted, String>) {
        self.adapt = None;
        match adapted {
            Ok(adapted) => {
                self.settings.adapted = adapted.known;
                self.notice = Some(Notice::Info(adapted.told));
                self.ask_anew();
            }
            Err(why) => self.notice = Some(Notice::Problem(why)),
        }
    }

    /// Counts a mask that was made, and offers to learn once there are enough.
    pub(super) fn count_mask(&mut self, class: &Arc<str>) {
        let made = self.made.entry(Arc::clone(class)).or_default();
        *made += 1;
        let is_click_net = self.engine.as_deref() == Some("click");
        let is_known = self.settings.adapted.contains_key(&**class);
        if *made == OFFERED_FROM && is_click_net && !is_known && self.adapt.is_none() {
            self.notice = Some(Notice::Info(format!(
                "{made} masks of {class}: `:adapt` fits the click net to them"
            )));
        }
    }
}
