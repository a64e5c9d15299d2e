//! How far it is: a bar in a terminal, a line at each tenth in a log.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::cli::report::tell;

/// Whether an image cost time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Worked,
    /// Done by an earlier run, or finished by a person.
    Passed,
}

pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    worked: u32,
    /// Tenths that the log tells of already.
    told: u64,
}

impl Progress {
    pub fn new(images: usize) -> Self {
        let bar = ProgressBar::new(images as u64);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} images{msg}");
        bar.set_style(style.expect("the template is right"));
        Self {
            bar,
            start: Instant::now(),
            worked: 0,
            told: 0,
        }
    }

    /// One image more is done.
    pub fn step(&mut self, step: Step) {
        self.worked += u32::from(step == Step::Worked);
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0).max(1));
        let speed = speed(self.start.elapsed(), self.worked, all.saturating_sub(done));
        let tenths = done * 10 / all;
        if self.bar.is_hidden() && tenths > self.told {
            self.told = tenths;
            tell(&format!("{done} of {all} images{speed}"));
        }
        self.bar.set_message(speed);
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| tell(line));
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Rate and time left, from the images that cost time: those passed over say nothing of the rest.
fn speed(elapsed: Duration, worked: u32, left: u64) -> String {
    let Some(each) = elapsed.checked_div(worked) else {
        return String::new();
    };
    let seconds = each.as_secs_f64();
    let rate = if seconds > 0.5 {
        format!("{seconds:.1} s each")
    } else {
        format!("{:.1} a second", 1.0 / seconds.max(1e-6))
    };
    let left = Duration::from_secs_f64((seconds * left as f64).min(1e15));
    format!(", {rate}, {} left", HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_come_from_the_images_that_cost_time() {
        let minute = Duration::from_mins(1);
        assert_eq!(speed(minute, 0, 90), "");
        assert_eq!(speed(minute, 600, 6000), ", 10.0 a second, 10 minutes left");
        assert_eq!(speed(minute, 30, 60), ", 2.0 s each, 2 minutes left");
    }
}
