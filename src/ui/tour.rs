//! The tour of one minute: each step says one thing and goes on when the person has done it.

use super::keymap::Keymap;
use super::mode::Mode;
use super::state::State;
use crate::core::document::Verdict;

/// What a step says, and when it is done.
struct Step {
    says: fn(&Keymap) -> String,
    is_done: fn(&State) -> bool,
}

const STEPS: [Step; 6] = [
    Step {
        says: |k| {
            format!(
                "move onto the face: arrows or hjkl, HJKL by eight; {} aims faster",
                k.first("grid")
            )
        },
        is_done: |s| {
            let centre = |o: &crate::ui::state::Open| o.decoded.image.size().bounds().centre();
            s.shown().is_some_and(|o| o.cursor != centre(o)) && s.mode == Mode::Aim
        },
    },
    Step {
        says: |k| format!("{} says: this belongs to the object", k.first("inside")),
        is_done: |s| s.focus().is_some() || has_objects(s),
    },
    Step {
        says: |k| {
            format!(
                "{} on what does not belong, {} on what is missing; {} keeps the mask",
                k.first("outside"),
                k.first("inside"),
                k.first("accept")
            )
        },
        is_done: has_objects,
    },
    Step {
        says: |k| {
            format!(
                "a box: {} on one corner, {} on the other; {} keeps it. Or {}: letters on what is found",
                k.first("corner"),
                k.first("corner"),
                k.first("accept"),
                k.first("hints")
            )
        },
        is_done: |s| s.shown().is_some_and(|o| o.document().objects.len() > 1),
    },
    Step {
        says: |k| {
            format!(
                "{} reviews: a accepts, x rejects, f flags",
                k.first("review")
            )
        },
        is_done: |s| {
            s.shown().is_some_and(|o| {
                let mut objects = o.document().objects.iter();
                objects.any(|o| o.verdict != Verdict::Unseen)
            })
        },
    },
    Step {
        says: |k| {
            format!(
                "all is saved beside the photo. {} next photo, {} every key, {} leaves. That was it",
                k.first("next"),
                k.first("help"),
                k.first("quit")
            )
        },
        is_done: |s| s.at > 0 || matches!(s.mode, Mode::Help { .. }),
    },
];

/// Where the person is in the tour; past the last step it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tour(usize);

impl Tour {
    pub const START: Self = Self(0);

    /// The step's text, numbered.
    pub fn says(self, keymap: &Keymap) -> Option<String> {
        let step = STEPS.get(self.0)?;
        let says = (step.says)(keymap);
        Some(format!("{}/{} {says}", self.0 + 1, STEPS.len()))
    }

    /// The step that is due now: those already done are passed over.
    #[must_use]
    pub fn onward(self, state: &State) -> Self {
        let open = STEPS.iter().skip(self.0).take_while(|s| (s.is_done)(state));
        Self(self.0 + open.count())
    }

    pub const fn is_over(self) -> bool {
        self.0 >= STEPS.len()
    }
}

fn has_objects(state: &State) -> bool {
    let open = state.shown();
    open.is_some_and(|o| !o.document().objects.is_empty())
}
