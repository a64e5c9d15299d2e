//! What the app does by itself while an object is made: outlines what a click would give, and goes
//! near what is small.

use crate::core::geometry::ImageRect;
use crate::core::prompt::{Click, Prompt, Side};
use crate::segment::Question;
use crate::store::settings::Switches;
use crate::term::Layers;
use crate::term::pace::Speed;
use crate::ui::action::{Answer, Ask};
use crate::ui::layout::List;
use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

/// An object is small where both its sides are less than this share of the view's.
const SMALL: f64 = 0.25;

impl State {
    pub(super) fn toggle_preview(&mut self) {
        let preview = !self.settings.switches.preview;
        let told = match (preview, self.speed) {
            (true, Speed::Fast) => "where the cursor rests, what a click gives is outlined",
            (true, Speed::Slow) => "previews come once the line is faster",
            (false, _) => "no previews",
        };
        let switches = self.settings.switches;
        self.switch(
            Switches {
                preview,
                ..switches
            },
            told,
        );
    }

    pub(super) fn toggle_auto_zoom(&mut self) {
        let auto_zoom = !self.settings.switches.auto_zoom;
        let told = if auto_zoom {
            "the view goes near a small object while it is being made"
        } else {
            "the view stays where it is"
        };
        let switches = self.settings.switches;
        self.switch(
            Switches {
                auto_zoom,
                ..switches
            },
            told,
        );
    }

    pub(super) fn toggle_list(&mut self) {
        let list = !self.settings.switches.list;
        let switches = self.settings.switches;
        self.switch(Switches { list, ..switches }, "");
        self.resize(self.screen, self.cell);
        self.notice = match (self.list(), self.listing()) {
            (List::Names | List::Thumbnails, None) => {
                Some(Notice::Info("the terminal is too small for it".into()))
            }
            _ => None,
        };
    }

    /// Whether the list of images is asked for, and with what.
    pub fn list(&self) -> List {
        match (self.settings.switches.list, self.layers) {
            (false, _) => List::Hidden,
            (true, Layers::Many) => List::Thumbnails,
            (true, Layers::None) => List::Names,
        }
    }

    fn switch(&mut self, switches: Switches, told: &str) {
        self.settings.switches = switches;
        self.switched = Some(switches);
        self.notice = Some(Notice::Info(told.into()));
    }

    /// Whether a moment of rest would bring a preview.
    pub fn may_preview(&self) -> bool {
        let Some(open) = self.shown() else {
            return false;
        };
        let document = open.document();
        let is_masked = || {
            document
                .objects
                .iter()
                .any(|o| o.mask.contains(open.cursor))
        };
        self.settings.switches.preview
            && self.speed == Speed::Fast
            && self.mode == Mode::Aim
            && open.corner.is_none()
            && self.pressed.is_none()
            && open.refinding.is_none()
            && document.draft.is_empty()
            && !is_masked()
    }

    /// Whether the cursor has moved since it last rested.
    pub fn is_restless(&self) -> bool {
        self.shown().is_some_and(|o| o.resting != Some(o.cursor))
    }

    /// The cursor has not moved for a moment.
    pub fn rest(&mut self) {
        if let Some(open) = &mut self.open {
            open.resting = Some(open.cursor);
        }
    }

    /// The question whose answer is outlined where the cursor rests.
    pub(in crate::ui) fn previewable(&self) -> Option<Ask> {
        let open = self.shown()?;
        let rests = open.resting.filter(|at| *at == open.cursor);
        let at = rests.filter(|_| self.may_preview())?;
        let click = Click {
            at,
            side: Side::Inside,
        };
        let prompt = Prompt {
            rect: None,
            clicks: vec![click],
        };
        Some(Ask {
            path: open.path.clone(),
            question: Question {
                adaptation: self.settings.adapted.get(&*self.draft_class()).cloned(),
                ..Question::new(&open.decoded.image, open.decoded.key, prompt)
            },
            attempt: 0,
        })
    }

    /// The preview, if it is of the place where the cursor rests.
    pub fn preview(&self) -> Option<&Answer> {
        let asked = self.previewable()?;
        let shown = self.shown()?.preview.as_ref();
        shown.filter(|answer| answer.ask == asked)
    }

    pub(super) fn previewed(&mut self, answer: Answer) {
        if self.previewable().as_ref() == Some(&answer.ask)
            && let Some(open) = &mut self.open
        {
            open.preview = Some(answer);
        }
    }

    /// A click on what is outlined already needs no engine, where the click net is the engine.
    pub(super) fn answer_from_preview(&mut self) {
        let is_click_net = self.engine.as_deref() == Some("click");
        let Some(open) = self.open.as_mut().filter(|_| is_click_net) else {
            return;
        };
        let draft = &open.history.now().draft;
        let is_first = draft.proposal.is_none();
        let answers = |a: &mut Answer| is_first && a.ask.question.prompt == draft.prompt;
        if let Some(answer) = open.preview.take_if(answers) {
            self.proposed(answer);
        }
    }

    /// Goes near the draft where it is small and its first prompt has just been answered: a later
    /// one would pull the view from under the person.
    pub(in crate::ui) fn zoom_near(&mut self) {
        let is_on = self.settings.switches.auto_zoom && self.mode == Mode::Aim;
        let Some(open) = self.open.as_mut().filter(|o| is_on && o.wide.is_none()) else {
            return;
        };
        let draft = &open.history.now().draft;
        let prompts = draft.prompt.clicks.len() + usize::from(draft.prompt.rect.is_some());
        let bounds = draft.mask().and_then(|m| m.bounds());
        let Some(bounds) = bounds.filter(|_| prompts == 1 && draft.replaces.is_none()) else {
            return;
        };
        let bounds = draft.prompt.rect.map_or(bounds, |rect| rect.union(bounds));
        let source = open.view.source;
        let is_small = |part: u32, whole: u32| f64::from(part) < SMALL * f64::from(whole);
        if is_small(bounds.width(), source.width()) && is_small(bounds.height(), source.height()) {
            let near = open.view.around(widened(bounds)).showing(open.cursor);
            if near.scale() > open.view.scale() {
                open.wide = Some(std::mem::replace(&mut open.view, near));
            }
        }
    }

    /// Goes back to the view before the app went near an object.
    pub(super) fn zoom_back(&mut self) {
        let is_on = self.settings.switches.auto_zoom;
        if let Some(open) = self.open.as_mut().filter(|_| is_on)
            && let Some(wide) = open.wide.take()
        {
            open.view = wide.showing(open.cursor);
        }
    }
}

/// With half its size around it: what lies beside an object tells where it ends.
fn widened(rect: ImageRect) -> ImageRect {
    let (x, y) = (rect.width() / 2, rect.height() / 2);
    ImageRect::new(
        rect.x0.saturating_sub(x),
        rect.y0.saturating_sub(y),
        rect.x1 + x,
        rect.y1 + y,
    )
}
