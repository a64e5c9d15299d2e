//! What is done around the network, step by step.

use std::collections::BTreeSet;

use super::part;
use super::pass::Pass;
use crate::segment::Question;

/// A step that can be left out, to see what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A first click's first look at the whole picture is a coarse one.
    Glance,
    /// Of many things that a first look finds the next look is shown the one under the click; where
    /// it finds nearly all of the picture, it is taken again near the click.
    Single,
    /// A box or a correction is looked at twice, coarsely first, then with that answer.
    Twice,
    /// The first of those is mirrored: a network errs otherwise there, and the mean of both is what
    /// the last look makes of it.
    Mirrored,
    /// The last of several looks is a closer one.
    Close,
    /// An outside click deep in the last answer counts for places alike around it, too.
    Spread,
    /// A click after a detail is looked at in a part of the object, instead of the first of two looks
    /// at all of it.
    Part,
    /// Probabilities are drawn to the edges of the picture.
    Edges,
    /// Around each click what was said is so.
    Obeyed,
}

impl Step {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 9] = [
        ("glance", Self::Glance),
        ("single", Self::Single),
        ("twice", Self::Twice),
        ("mirrored", Self::Mirrored),
        ("close", Self::Close),
        ("spread", Self::Spread),
        ("part", Self::Part),
        ("edges", Self::Edges),
        ("obeyed", Self::Obeyed),
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, step)| *step)
    }
}

/// What a prompt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A first click without a box.
    Click,
    Rect,
    /// A click that refines an answer.
    Correction,
    /// A click that refines an answer after some others did.
    Detail,
}

impl Kind {
    pub fn of(question: &Question) -> Self {
        let prompt = &question.prompt;
        match (&question.previous, prompt.rect) {
            (Some(previous), _) if part::is_detail(prompt, previous) => Self::Detail,
            (Some(_), _) => Self::Correction,
            (None, Some(_)) => Self::Rect,
            (None, None) => Self::Click,
        }
    }
}

/// How an answer is come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(BTreeSet<Step>);

impl Default for Method {
    /// What the program does.
    fn default() -> Self {
        Self(Step::ALL.iter().map(|(_, step)| *step).collect())
    }
}

impl Method {
    /// One pass (two for a first click without a box) as in `models/train/noc.py`.
    pub fn plain() -> Self {
        Self(BTreeSet::from([Step::Obeyed]))
    }

    #[must_use]
    pub fn without(mut self, steps: &[Step]) -> Self {
        self.0.retain(|step| !steps.contains(step));
        self
    }

    pub fn has(&self, step: Step) -> bool {
        self.0.contains(&step)
    }

    /// Whether an outside click may count for places around it.
    pub(super) fn spreads(&self, kind: Kind) -> bool {
        kind == Kind::Correction && self.has(Step::Spread)
    }

    /// Whether a look at a part follows those at the object.
    pub(super) fn looks_at_part(&self, kind: Kind) -> bool {
        kind == Kind::Detail && self.has(Step::Part)
    }

    /// The looks for a prompt: each is shown the answer of the one before.
    pub(super) fn passes(&self, kind: Kind) -> Vec<Pass> {
        let either = |step, with, without| if self.has(step) { with } else { without };
        let last = either(Step::Close, Pass::CLOSE, Pass::LOOK);
        let first = either(Step::Mirrored, Pass::GLANCE.mirrored(), Pass::GLANCE);
        let twice = self.has(Step::Twice);
        match kind {
            Kind::Click => vec![either(Step::Glance, Pass::GLANCE, Pass::LOOK), last],
            Kind::Rect if twice => vec![first, last],
            Kind::Rect => vec![Pass::LOOK],
            Kind::Correction | Kind::Detail if twice && !self.looks_at_part(kind) => {
                vec![first, last]
            }
            Kind::Correction | Kind::Detail => vec![last],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_left_out_changes_the_looks_that_it_is_for_and_no_others() {
        let full = Method::default();
        let once = full.clone().without(&[Step::Twice]);
        assert_eq!(once.passes(Kind::Click), full.passes(Kind::Click));
        assert_eq!(once.passes(Kind::Rect), [Pass::LOOK]);
        assert_eq!(once.passes(Kind::Correction), [Pass::CLOSE]);
        let plain = Method::plain();
        assert_eq!(plain.passes(Kind::Click), [Pass::LOOK, Pass::LOOK]);
        assert_eq!(plain.passes(Kind::Correction), [Pass::LOOK]);
        let whole = full.clone().without(&[Step::Part]);
        assert_eq!(whole.passes(Kind::Detail), full.passes(Kind::Correction));
        assert_eq!(full.passes(Kind::Detail), [Pass::CLOSE]);
    }
}
