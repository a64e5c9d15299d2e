//! Counts the commands that got through tmux, which drops what is for its terminal while it is about
//! to redraw all, and says nothing. The terminal keeps a picture of one pixel that each command adds
//! a frame to, and is asked for the last of them: a part that never came shows nowhere else.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// Numbers of such pictures, of a pane's own. They take turns: where a new one was dropped, too, the
/// frames of the one before would be taken for its.
pub const NUMBERS: std::ops::RangeInclusive<u32> = 90..=97;
/// So many frames, and another picture is begun.
const FULL: u32 = 2000;

/// How many were begun by this program.
static BEGUN: AtomicU32 = AtomicU32::new(0);

/// The picture and how many frames were added to it.
#[derive(Debug, Default)]
pub struct Tally {
    /// None where nothing is counted yet.
    now: Option<Frames>,
    /// The one before, which is full.
    before: Option<Frames>,
}

#[derive(Debug)]
struct Frames {
    id: u32,
    /// Parts of a picture are written side by side.
    added: AtomicU32,
}

impl Tally {
    /// Begins where nothing is counted yet, or the picture is full. `number` makes it the pane's.
    pub fn begin(&mut self, number: impl Fn(u32) -> u32) -> Option<Vec<u8>> {
        let is_going = |f: &Frames| f.added.load(Ordering::Relaxed) < FULL;
        if self.now.as_ref().is_some_and(is_going) {
            return None;
        }
        let turn = BEGUN.fetch_add(1, Ordering::Relaxed);
        let count = NUMBERS.end() - NUMBERS.start() + 1;
        let frames = Frames {
            id: number(NUMBERS.start() + turn % count),
            added: AtomicU32::new(1),
        };
        let id = frames.id;
        let mut out = format!("\x1b_Ga=t,f=24,s=1,v=1,i={id},q=2;AAAA\x1b\\") + &frame(id);
        let full = self.now.replace(frames);
        if let Some(gone) = std::mem::replace(&mut self.before, full) {
            let _ = write!(out, "\x1b_Ga=d,d=I,i={},q=2\x1b\\", gone.id);
        }
        Some(out.into_bytes())
    }

    /// What is sent with a command, and comes or goes with it; nothing where nothing is counted. A
    /// command that is not sent must not be counted.
    pub fn count(&self) -> Vec<u8> {
        let Some(now) = &self.now else {
            return Vec::new();
        };
        now.added.fetch_add(1, Ordering::Relaxed);
        frame(now.id).into_bytes()
    }

    /// Asks for the last frame: the terminal says that it is there, or that it is not.
    pub fn question(&self) -> Option<Vec<u8>> {
        let now = self.now.as_ref()?;
        let mut out = String::new();
        for (frames, quiet) in self.before.iter().map(|f| (f, 1)).chain([(now, 0)]) {
            // The first frame is the picture itself.
            let last = frames.added.load(Ordering::Relaxed) + 1;
            let id = frames.id;
            let _ = write!(out, "\x1b_Ga=c,i={id},r={last},c=1,q={quiet}\x1b\\");
        }
        Some(out.into_bytes())
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

fn frame(id: u32) -> String {
    format!("\x1b_Ga=f,f=24,s=1,v=1,i={id},q=2;AAAA\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_picture_is_asked_for_until_the_next_one_is_full() {
        let mut tally = Tally::default();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("ASCII");
        assert!(tally.count().is_empty() && tally.question().is_none());
        tally.begin(|id| id).expect("begun");
        assert!(tally.begin(|id| id).is_none());
        tally.count();
        let asked = text(tally.question().expect("it counts"));
        assert!(asked.contains(",r=3,c=1,q=0"), "{asked:?}");
        for _ in 0..FULL {
            tally.count();
        }
        let begun = text(tally.begin(|id| id).expect("it was full"));
        assert!(!begun.contains("a=d"), "{begun:?}");
        let asked = text(tally.question().expect("it counts"));
        let last = format!(",r={},c=1,q=1", FULL + 3);
        assert!(asked.contains(&last) && asked.ends_with(",r=2,c=1,q=0\x1b\\"));
        for _ in 0..FULL {
            tally.count();
        }
        let begun = text(tally.begin(|id| id).expect("it was full"));
        assert_eq!(begun.matches("a=d").count(), 1);
    }
}
