//! Lines that are typed: a class, a command, a comment; and the search in the help.

use std::path::Path;
use std::sync::Arc;

use crate::core::document::Verdict;
use crate::ui::action::Action;
use crate::ui::keymap::{COMMANDS, Command};
use crate::ui::mode::{Marking, Mode, Typing};
use crate::ui::state::State;

impl State {
    pub(super) fn type_key(&mut self, action: Action, now: i64) {
        match action {
            Action::ChooseClass => self.begin(Typing::Class),
            Action::Commands => self.begin(Typing::Command),
            Action::GoToImage => self.begin(Typing::Image),
            Action::Comment if self.selected().is_some() => self.begin(Typing::Comment),
            Action::FlagWithComment if self.selected().is_some() => self.begin(Typing::Flag),
            Action::ChooseEngine => self.begin(Typing::Engine),
            Action::Cancel => self.mode = std::mem::take(&mut self.behind),
            Action::Confirm => self.confirm(now),
            Action::Type(c) => self.change_text(|text| text.push(c)),
            Action::Backspace => self.change_text(|text| {
                text.pop();
            }),
            _ => {}
        }
    }

    fn begin(&mut self, what: Typing) {
        self.open_window(Mode::Typing {
            what,
            text: String::new(),
            choice: 0,
        });
    }

    /// Lays a window over the present mode, which comes back when the window closes.
    pub(super) fn open_window(&mut self, window: Mode) {
        self.behind = std::mem::replace(&mut self.mode, window);
    }

    fn change_text(&mut self, change: impl FnOnce(&mut String)) {
        match &mut self.mode {
            Mode::Typing { text, choice, .. } => {
                change(text);
                *choice = 0;
            }
            Mode::Help { search, scroll } => {
                change(search);
                *scroll = 0;
            }
            _ => {}
        }
    }

    /// Moves the choice in a list, or scrolls the help.
    pub(in crate::ui) fn choose(&mut self, by: i64) {
        match &mut self.mode {
            Mode::Typing { choice, .. } => *choice = (*choice as i64 + by).max(0) as usize,
            Mode::Help { scroll, .. } => {
                *scroll = (i64::from(*scroll) + by).clamp(0, 500) as u16;
            }
            _ => {}
        }
    }

    /// Classes whose name holds the text.
    pub fn matching_classes(&self, text: &str) -> Vec<&str> {
        let text = text.to_lowercase();
        let names = self.settings.classes.iter().map(|c| c.name.as_str());
        names.filter(|n| n.to_lowercase().contains(&text)).collect()
    }

    /// Images whose name holds each word of the text and that stand as its words `is:…` say, by
    /// their place in the list; without a text those from the present one on. As many as a window
    /// shows.
    pub fn matching_images(&self, text: &str) -> Vec<usize> {
        const SHOWN: usize = 200;
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let from = if words.is_empty() { self.at } else { 0 };
        let fits = |path: &Path| {
            let standing = words.iter().any(|w| w.starts_with("is:"));
            let standing = standing.then(|| self.standings.of(path));
            words.iter().all(|word| {
                let stands = standing.and_then(|s| s.fits(word));
                stands.unwrap_or_else(|| holds(path, word))
            })
        };
        let images = self.images.iter().enumerate().skip(from);
        let found = images.filter(|(_, path)| fits(path));
        found.map(|(at, _)| at).take(SHOWN).collect()
    }

    fn confirm(&mut self, now: i64) {
        let Mode::Typing { what, text, choice } = std::mem::take(&mut self.mode) else {
            return;
        };
        self.mode = std::mem::take(&mut self.behind);
        match what {
            Typing::Class => {
                let matching = self.matching_classes(&text);
                let exact = matching.iter().any(|n| *n == text);
                let chosen = matching
                    .get(choice)
                    .filter(|_| !exact)
                    .map_or(text.clone(), |n| (*n).to_string());
                self.choose_class(&chosen);
            }
            Typing::Engine => self.choose_engine(&text),
            Typing::Command if text.starts_with("engine ") => {
                self.choose_engine(&text["engine ".len()..]);
            }
            Typing::Command if marking(&text).is_some() => {
                if let Some((marking, letter)) = marking(&text) {
                    self.mark(marking, letter);
                }
            }
            Typing::Command => {
                let found = matching_commands(&text);
                if let Some(command) = found.get(choice.min(found.len().saturating_sub(1))) {
                    self.act(command.action, now);
                }
            }
            Typing::Image => {
                let found = self.matching_images(&text);
                if let Some(at) = found.get(choice.min(found.len().saturating_sub(1))) {
                    self.go_to(*at);
                }
            }
            Typing::Comment => self.comment(&text),
            Typing::Flag => {
                self.comment(&text);
                self.judge(Verdict::Flagged);
            }
        }
    }

    fn comment(&mut self, text: &str) {
        let Some(open) = &mut self.open else { return };
        let Some(at) = open.selected else { return };
        open.history.step(|d| {
            Arc::make_mut(&mut d.objects[at]).comment = text.into();
        });
    }
}

/// Whether an image's name holds a word of small letters. A million names are looked through at
/// every key: plain ones are not copied for it.
fn holds(path: &Path, word: &str) -> bool {
    let name = path.file_name().unwrap_or_default();
    let bytes = name.as_encoded_bytes();
    if bytes.is_ascii() && word.is_ascii() {
        let mut windows = bytes.windows(word.len());
        return windows.any(|w| w.eq_ignore_ascii_case(word.as_bytes()));
    }
    name.to_string_lossy().to_lowercase().contains(word)
}

/// `mark a` and `go a`.
fn marking(text: &str) -> Option<(Marking, char)> {
    let (word, letter) = text.trim().split_once(' ')?;
    let marking = match word {
        "mark" => Marking::Set,
        "go" => Marking::Go,
        _ => return None,
    };
    let mut letters = letter.chars();
    let letter = letters.next().filter(|c| c.is_alphabetic())?;
    letters.next().is_none().then_some((marking, letter))
}

/// Commands whose name or help holds the text; names that begin with it first.
pub fn matching_commands(text: &str) -> Vec<&'static Command> {
    let text = text.to_lowercase();
    let holds = |c: &&Command| c.name.contains(&text) || c.help.to_lowercase().contains(&text);
    let mut found: Vec<_> = COMMANDS.iter().filter(holds).collect();
    found.sort_by_key(|c| !c.name.starts_with(&text));
    found
}
