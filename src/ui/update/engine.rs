//! Another engine, while the app runs.

use crate::segment::BUILT_IN;
use crate::ui::mode::Notice;
use crate::ui::state::State;

impl State {
    /// Lets another engine answer: its name, or a model's file or folder. The draft is asked anew.
    pub(super) fn choose_engine(&mut self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            let told = format!("name an engine: {}, a file, a folder", BUILT_IN.join(", "));
            self.notice = Some(Notice::Info(told));
            return;
        }
        let count = self.chosen_engine.as_ref().map_or(0, |c| c.1);
        self.chosen_engine = Some((name.into(), count + 1));
        self.engine = None;
        self.notice = Some(Notice::Info(format!("opening {name}")));
        self.ask_anew();
    }

    /// Has the draft answered again by what answers from now on.
    pub(super) fn ask_anew(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.document().draft.prompt.is_answerable() {
            open.unanswered = false;
            open.stand_in = None;
            open.history.amend(|d| d.draft.answered = false);
        }
        // Whatever was asked of the one before is asked again.
        self.attempt += 1;
    }
}
