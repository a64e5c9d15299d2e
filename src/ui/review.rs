//! The person's way through a review: what comes next, what was given, how fast it goes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::mode::Overlay;
use crate::core::document::Verdict;
use crate::core::review::{Filter, Found, Order, scatter};
use crate::store::verdicts::Line;

/// What a review is to look at, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub filter: Filter,
    pub order: Order,
    /// Share of the objects that come a second time, without their first verdict: 0 to 1.
    pub again: f64,
    pub seed: u64,
    /// Where each verdict is written as a line of JSON.
    pub log: Option<PathBuf>,
}

/// How often an object was looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    First,
    /// Shown blind, to see whether the person says the same again.
    Again,
}

/// One object to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Which image of the list.
    pub image: usize,
    pub id: u64,
    pub sight: Sight,
}

/// A verdict that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Place in the queue.
    pub at: usize,
    pub before: Verdict,
    pub sight: Sight,
    /// Whether a second look said the same.
    pub same: bool,
}

/// A review from its first object to its last.
#[derive(Debug, Default)]
pub struct ReviewPass {
    pub plan: Arc<Plan>,
    /// How the object is drawn.
    pub overlay: Overlay,
    /// Which survey of the folder the queue is from; 0 before the first.
    pub serial: u32,
    /// Image at which the survey begins.
    pub from: usize,
    pub surveyed: bool,
    pub queue: Vec<Item>,
    /// What was found and waits for being sorted.
    unsorted: Vec<Found>,
    pub at: usize,
    pub given: Vec<Given>,
    /// A verdict that is taken back as soon as its object is on the screen.
    pub taking_back: Option<Verdict>,
    /// The object was taken up for editing; its review goes on when it is accepted.
    pub fixing: bool,
    /// Milliseconds the person worked in this pass.
    pub worked: u64,
    /// Milliseconds since the last verdict.
    pub since: u64,
    /// Verdicts that are not in the log yet.
    pub lines: VecDeque<Arc<Line>>,
    pub next_line: u64,
}

impl ReviewPass {
    pub fn new() -> Self {
        Self {
            // An edge is judged by the photo beneath it.
            overlay: Overlay::Outline,
            ..Self::default()
        }
    }

    /// Begins anew with what nobody judged; the counts go on.
    pub fn start(&mut self, from: usize) {
        self.serial += 1;
        self.from = from;
        self.surveyed = false;
        self.queue.clear();
        self.unsorted.clear();
        self.given.clear();
        self.at = 0;
        self.taking_back = None;
        self.fixing = false;
    }

    pub fn take(&mut self, found: Vec<Found>) {
        if self.plan.order == Order::File {
            self.queue.extend(found.iter().map(item));
        } else {
            self.unsorted.extend(found);
        }
    }

    pub fn end_survey(&mut self) {
        self.surveyed = true;
        self.plan.order.sort(&mut self.unsorted);
        self.queue.extend(self.unsorted.drain(..).map(|f| item(&f)));
    }

    pub fn item(&self) -> Option<Item> {
        self.queue.get(self.at).copied()
    }

    /// Puts the present object to the end.
    pub fn put_off(&mut self) {
        if let Some(item) = self.item() {
            self.queue.push(item);
        }
    }

    /// Lets the present object come again, some objects later, if it is one of the share that does.
    pub fn repeat(&mut self) {
        let Some(item) = self.item().filter(|i| i.sight == Sight::First) else {
            return;
        };
        let chance = scatter(item.image, item.id, self.plan.seed);
        let part = (chance >> 11) as f64 / (1_u64 << 53) as f64;
        if part >= self.plan.again {
            return;
        }
        let again = Item {
            sight: Sight::Again,
            ..item
        };
        // After a verdict that was taken back it waits already.
        if self.queue[self.at..].contains(&again) {
            return;
        }
        let later = self.at + 8 + (chance % 16) as usize;
        self.queue.insert(later.min(self.queue.len()), again);
    }

    /// Second looks that said the same, and all of them.
    pub fn consistency(&self) -> (usize, usize) {
        let again = self.given.iter().filter(|g| g.sight == Sight::Again);
        (again.clone().filter(|g| g.same).count(), again.count())
    }

    /// Objects a minute, and minutes left, once there is something to reckon from.
    pub fn pace(&self) -> Option<(f64, f64)> {
        if self.given.len() < 3 || self.worked == 0 {
            return None;
        }
        let rate = self.given.len() as f64 / (self.worked as f64 / 60_000.0);
        let left = self.queue.len().saturating_sub(self.at) as f64 / rate;
        Some((rate, left))
    }
}

fn item(found: &Found) -> Item {
    Item {
        image: found.image,
        id: found.id,
        sight: Sight::First,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_taken_back_and_given_again_brings_one_second_look() {
        let item = Item {
            image: 0,
            id: 1,
            sight: Sight::First,
        };
        let plan = Plan {
            again: 1.0,
            ..Plan::default()
        };
        let mut pass = ReviewPass {
            plan: Arc::new(plan),
            queue: vec![item],
            ..ReviewPass::default()
        };
        pass.repeat();
        pass.repeat();
        let again = Item {
            sight: Sight::Again,
            ..item
        };
        assert_eq!(pass.queue, [item, again]);
    }
}
