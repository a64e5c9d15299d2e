//! What the present sitting brought: time at work, objects made, images finished.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::core::document::{Document, Millis};

/// From the program's start to its end.
#[derive(Debug, Default)]
pub struct Sitting {
    /// Milliseconds at work; pauses are left out.
    pub worked: u64,
    /// Objects that the person made and that are still there.
    pub made: usize,
    /// Images that were not finished before.
    pub finished: usize,
    /// When its first image was opened.
    began: Option<Millis>,
    images: HashMap<PathBuf, Share>,
}

/// What one image has of it.
#[derive(Debug, Clone, Copy)]
struct Share {
    made: usize,
    finished: usize,
    was_finished: bool,
}

impl Sitting {
    /// Counts an image as it stands on the disk now; `person` is at the keyboard.
    pub fn note(&mut self, path: &Path, document: &Document, person: &str, now: Millis) {
        let began = *self.began.get_or_insert(now);
        let before = self.images.get(path).copied().unwrap_or(Share {
            made: 0,
            finished: 0,
            was_finished: document.finished,
        });
        let is_new = |created: Millis, who: &str| created >= began && who == person;
        let objects = document.objects.iter();
        let share = Share {
            made: objects.filter(|o| is_new(o.created, &o.origin.who)).count(),
            finished: usize::from(document.finished && !before.was_finished),
            ..before
        };
        self.made = self.made - before.made + share.made;
        self.finished = self.finished - before.finished + share.finished;
        self.images.insert(path.to_path_buf(), share);
    }

    /// In words, the longest first: the status line takes what it has room for.
    pub fn told(&self) -> [String; 2] {
        let minutes = self.worked / 60_000;
        let time = match minutes / 60 {
            0 => format!("{minutes} min"),
            hours => format!("{hours} h {:02} min", minutes % 60),
        };
        let Self { made, finished, .. } = self;
        [
            format!("this sitting: {made} made  {finished} finished  {time} "),
            format!("{made} made  {time} "),
        ]
    }
}
