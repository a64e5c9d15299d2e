//! Places that a person named by a letter.

use crate::ui::mode::{Marking, Notice};
use crate::ui::state::State;

impl State {
    /// Names the cursor's place, or goes to the one with this letter.
    pub(in crate::ui) fn mark(&mut self, marking: Marking, letter: char) {
        match marking {
            Marking::Set => {
                let Some(open) = self.shown() else { return };
                let place = (open.path.clone(), open.cursor);
                self.marks.insert(letter, place);
                let back = self.keymap.first("go-to-mark");
                let told = format!("this place is {letter}: {back} {letter} comes back to it");
                self.notice = Some(Notice::Info(told));
            }
            Marking::Go => self.go_to_mark(letter),
        }
    }

    fn go_to_mark(&mut self, letter: char) {
        let Some((path, place)) = self.marks.get(&letter).cloned() else {
            let known: Vec<String> = self.marks.keys().map(char::to_string).collect();
            let told = match known.join(" ") {
                none if none.is_empty() => "no place has a letter yet".to_string(),
                all => format!("no place is {letter}; there are {all}"),
            };
            self.notice = Some(Notice::Info(told));
            return;
        };
        if self.path() == Some(&path) {
            return self.jump_to(place);
        }
        if let Some(at) = self.images.iter().position(|p| *p == path) {
            self.arriving = Some((path, place));
            self.go_to(at);
        }
    }

    /// Puts the cursor where a mark on the image that has just been opened says.
    pub(super) fn arrive(&mut self) {
        let arriving = self.arriving.take();
        if let Some((path, place)) = arriving
            && self.path() == Some(&path)
        {
            self.jump_to(place);
        }
    }
}
