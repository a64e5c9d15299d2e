//! What the engine makes of a prompt, and its other readings.

use crate::segment::NO_PIXEL;
use crate::segment::click::READINGS;
use crate::ui::action::Answer;
use crate::ui::mode::Notice;
use crate::ui::state::State;

impl State {
    pub(super) fn proposed(&mut self, answer: Answer) {
        let Some(open) = &mut self.open else { return };
        let draft = &open.history.now().draft;
        // The prompt moved on while the engine was thinking.
        if open.path != answer.ask.path || draft.prompt != answer.ask.question.prompt {
            return;
        }
        if draft.answered && !answer.is_final {
            return;
        }
        open.stand_in = (!answer.is_final).then(|| draft.prompt.clone());
        open.milliseconds = Some(answer.milliseconds);
        open.alternatives = answer.proposals;
        let best = open.alternatives.first().cloned();
        let is_nothing = best.as_ref().is_some_and(|best| best.mask.is_empty());
        open.history.amend(|d| {
            d.draft.proposal = best;
            d.draft.answered = answer.is_final;
        });
        if std::mem::take(&mut open.accepting) {
            self.accept();
        } else {
            self.zoom_near();
        }
        if is_nothing && answer.is_final {
            self.notice = Some(Notice::Info(NO_PIXEL.into()));
        }
    }

    pub(super) fn next_alternative(&mut self) {
        let is_click_net = self.engine.as_deref() == Some("click");
        let Some(open) = &mut self.open else { return };
        let draft = &open.document().draft;
        if !draft.answered {
            self.notice = Some(Notice::Info("nothing is answered yet".into()));
            return;
        }
        if open.alternatives.len() < 2 && is_click_net && draft.prompt.is_answerable() {
            return self.read_again();
        }
        if open.alternatives.len() < 2 {
            self.notice = Some(Notice::Info("the engine gave one reading only".into()));
            return;
        }
        open.alternatives.rotate_left(1);
        let next = open.alternatives[0].clone();
        open.history.step(|d| d.draft.proposal = Some(next));
    }

    /// Has the click net read the prompt once more, in a crop of another size.
    fn read_again(&mut self) {
        let Some(open) = &mut self.open else { return };
        let prompt = open.document().draft.prompt.clone();
        let before = open.reading.take().filter(|(of, _)| *of == prompt);
        let reading = (before.map_or(0, |(_, reading)| reading) + 1) % READINGS;
        open.reading = Some((prompt, reading));
        open.history.step(|d| d.draft.answered = false);
        self.attempt += 1;
        self.notice = Some(Notice::Info(format!(
            "reading {} of {READINGS}",
            reading + 1
        )));
    }
}
