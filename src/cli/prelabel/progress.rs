//! How far it is: a bar in a terminal, a line at each tenth in a log.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub struct Progress {
    bar: ProgressBar,
    /// Tenths that the log tells of already.
    told: Cell<u64>,
}

impl Progress {
    pub fn new(images: usize) -> Self {
        let bar = ProgressBar::new(images as u64);
        let style = "{wide_bar} {pos}/{len} images, {per_sec}, {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is right");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self {
            bar,
            told: Cell::new(0),
        }
    }

    /// One image more is done.
    pub fn step(&self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0).max(1));
        let tenths = done * 10 / all;
        if !self.bar.is_hidden() || tenths <= self.told.get() {
            return;
        }
        self.told.set(tenths);
        eprintln!(
            "termask: {done} of {all} images, {:.2} a second, {} s left",
            self.bar.per_sec(),
            self.bar.eta().as_secs()
        );
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("termask: {line}"));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
