//! A simulated person before one picture.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{Event, KeyEvent};
use termask::core::distance::Depths;
use termask::core::geometry::{CellSize, ImagePoint, ImageRect};
use termask::core::mask::Mask;
use termask::segment::Engine;
use termask::store::decode::Decoded;
use termask::store::settings::Settings;
use termask::ui::action::{Action, Answer, OpenedImage, Outcome};
use termask::ui::keymap::Key;
use termask::ui::state::State;

use crate::aim;

/// Clicks after which the person gives up.
const MOST_CLICKS: usize = 20;
/// How exactly a person gives a box: each side within this share of the object's own. At the worst
/// such a box has an `IoU` of 0.81 with the exact one.
const CARE: f64 = 0.05;

/// What a person begins an object with.
#[derive(Debug, Clone, Copy)]
pub enum First {
    Box,
    Click,
}

pub struct Person<'a> {
    pub state: State,
    engine: &'a mut dyn Engine,
    truth: Mask,
    now: i64,
    pub keys: usize,
    pub engine_ms: f64,
}

impl<'a> Person<'a> {
    pub fn sit_down(
        path: &Path,
        decoded: Decoded,
        truth: Mask,
        engine: &'a mut dyn Engine,
        from: ImagePoint,
    ) -> Self {
        let mut state = State::new(Settings::default(), Arc::from("keys@bench"));
        let cell = CellSize {
            width: 10.0,
            height: 20.0,
        };
        state.resize((100, 40), cell);
        state.learn(Outcome::Found(0, vec![path.to_path_buf()]));
        state.learn(Outcome::Opened(Box::new(OpenedImage {
            path: path.to_path_buf(),
            decoded,
            history: termask::core::history::History::default(),
            access: termask::store::sidecar::Access::Writable,
            notes: Vec::new(),
        })));
        state.act(Action::Point(from), 1);
        Self {
            state,
            engine,
            truth,
            now: 1,
            keys: 0,
            engine_ms: 0.0,
        }
    }

    /// Keys until each IoU is reached, in hundredths.
    pub fn label(&mut self, first: First) -> HashMap<u32, usize> {
        let mut reached = HashMap::new();
        match first {
            First::Box => self.give_box(),
            First::Click => self.click(),
        }
        for _ in 0..MOST_CLICKS {
            let iou = self.state.focus().map_or(0.0, |m| m.iou(&self.truth));
            for percent in [85, 90] {
                if iou * 100.0 >= f64::from(percent) {
                    reached.entry(percent).or_insert(self.keys);
                }
            }
            if reached.len() == 2 {
                break;
            }
            self.click();
        }
        reached
    }

    /// Two corners.
    fn give_box(&mut self) {
        let bounds = self.truth.bounds().expect("an object");
        let corners = [
            ImagePoint::new(bounds.x0, bounds.y0),
            ImagePoint::new(bounds.x1 - 1, bounds.y1 - 1),
        ];
        let view = self.state.shown().expect("open").view;
        // Nobody aims by eye at less than half a cell.
        let reach = |side: u32, half: f64| (CARE * f64::from(side)).max(half) as u32 + 1;
        let dx = reach(bounds.width(), 0.75 * view.cell.width / view.scale_x());
        let dy = reach(bounds.height(), 0.5 * view.cell.height / view.scale_y());
        for corner in corners {
            let near = ImageRect::new(
                corner.x.saturating_sub(dx),
                corner.y.saturating_sub(dy),
                (corner.x + dx + 1).min(view.image.width),
                (corner.y + dy + 1).min(view.image.height),
            );
            self.aim_and(&Mask::from_rect(view.image, near), corner, "b");
        }
    }

    /// A click in the deep of the largest error, as the number-of-clicks protocol does; anywhere at least
    /// half as deep as its deepest pixel will do.
    fn click(&mut self) {
        let size = self.truth.size();
        let mask = self.state.focus();
        let mask = mask.map_or_else(|| Mask::empty(size), |m| (*m).clone());
        let missing = largest(&self.truth.difference(&mask));
        let extra = largest(&mask.difference(&self.truth));
        let depth = |m: &Option<Mask>| {
            let m = m.as_ref()?;
            Depths::of(m).deepest(&[])
        };
        let (inside, outside) = (depth(&missing), depth(&extra));
        let key = match (inside, outside) {
            (None, None) => return,
            (Some(i), Some(o)) if o.0 > i.0 => "o",
            (None, Some(_)) => "o",
            (Some(_), _) => "i",
        };
        let (region, (squared, at)) = if key == "i" {
            (missing.expect("seen"), inside.expect("seen"))
        } else {
            (extra.expect("seen"), outside.expect("seen"))
        };
        let half = (squared as f64).sqrt() / 2.0;
        let rim = Depths::of(&region).shallow(&region, half);
        let deep = region.difference(&rim);
        let target = if deep.is_empty() { region } else { deep };
        self.aim_and(&target, at, key);
    }

    /// The cheapest keys that bring the cursor onto the target and act there.
    fn aim_and(&mut self, target: &Mask, exact: ImagePoint, act: &str) {
        for key in aim::cheapest(&self.state, target, exact, act) {
            self.press(&key);
        }
    }

    /// One key, and the answer of the engine if it is asked.
    fn press(&mut self, key: &str) {
        self.now += 300;
        self.keys += 1;
        let Key { code, modifiers } = Key::parse(key).expect("a key");
        self.state
            .input(&Event::Key(KeyEvent::new(code, modifiers)), self.now);
        let Some(ask) = self.state.wants().answer else {
            return;
        };
        let start = Instant::now();
        let proposals = self.engine.propose(&ask.question).expect("an answer");
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        self.engine_ms += milliseconds;
        self.state.learn(Outcome::Proposed(Box::new(Answer {
            ask,
            proposals,
            milliseconds,
            is_final: true,
        })));
    }
}

/// The part with the most pixels.
fn largest(mask: &Mask) -> Option<Mask> {
    mask.parts().into_iter().max_by_key(Mask::area)
}
