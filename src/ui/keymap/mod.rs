//! What each key does: a preset, with the person's own keys on top.

mod key;
mod presets;
mod table;

use std::collections::{BTreeMap, HashMap};

use crossterm::event::{KeyCode, KeyModifiers};

use super::action::Action;
use crate::store::settings::OwnKey;

pub use key::Key;
pub use presets::PRESETS;
pub use table::{COMMANDS, Command, Group, REVIEW};

/// The keys of a session.
#[derive(Debug, Clone)]
pub struct Keymap {
    keys: HashMap<Key, &'static Command>,
    /// As they are written, by the command's name.
    written: HashMap<&'static str, Vec<String>>,
    /// Keys that the person chose: they count in the review pass too.
    own: HashMap<Key, &'static Command>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(None, &BTreeMap::new()).expect("the tables are tested")
    }
}

impl Keymap {
    /// The keys of `preset` (`termask` where none is named), changed by the person's own.
    ///
    /// # Errors
    /// An unknown preset or command, a key that cannot be read, or one that is bound twice, with
    /// the file and line of the culprit.
    pub fn new(preset: Option<&str>, own: &BTreeMap<String, OwnKey>) -> Result<Self, String> {
        let mut map = Self {
            keys: HashMap::new(),
            written: HashMap::new(),
            own: HashMap::new(),
        };
        for command in COMMANDS {
            for text in command.keys.split(' ').filter(|k| !k.is_empty()) {
                map.bind(text, Key::parse(text).expect("tested"), command);
            }
        }
        let preset = preset.unwrap_or("termask");
        let Some(found) = PRESETS.iter().find(|p| p.name == preset) else {
            let known: Vec<_> = PRESETS.iter().map(|p| p.name).collect();
            return Err(format!(
                "keymap {preset:?} is unknown; there are {}",
                known.join(", ")
            ));
        };
        for (text, name) in found.keys {
            let command = named(name).expect("tested");
            map.bind(text, Key::parse(text).expect("tested"), command);
        }
        let mut places: HashMap<Key, &OwnKey> = HashMap::new();
        for (text, chosen) in own {
            let place = &chosen.place;
            let key = Key::parse(text).ok_or_else(|| {
                format!("{place}: {text:?} is no key; write a, A, C-a, A-left, f1, space, …")
            })?;
            if is_fixed(key) {
                return Err(format!(
                    "{place}: {text:?} is fixed: digits give classes and counts, C-c ends"
                ));
            }
            let command = named(&chosen.command).ok_or_else(|| {
                format!(
                    "{place}: {:?} is no command; `:` in the app lists them",
                    chosen.command
                )
            })?;
            if let Some(other) = places.insert(key, chosen) {
                return Err(format!(
                    "{place}: {text:?} is bound to {} there and to {} in {}: keep one",
                    chosen.command, other.command, other.place
                ));
            }
            map.bind(text, key, command);
            map.own.insert(key, command);
        }
        Ok(map)
    }

    fn bind(&mut self, text: &str, key: Key, command: &'static Command) {
        if let Some(before) = self.keys.insert(key, command)
            && let Some(written) = self.written.get_mut(before.name)
        {
            written.retain(|k| Key::parse(k) != Some(key));
        }
        let written = self.written.entry(command.name).or_default();
        written.push(text.into());
    }

    /// The action of a key on the annotating screen.
    pub fn lookup(&self, key: Key) -> Option<Action> {
        if let (KeyCode::Char(c @ '0'..='9'), KeyModifiers::NONE) = (key.code, key.modifiers) {
            return Some(Action::Digit(c as u8 - b'0'));
        }
        self.keys.get(&key).map(|c| c.action)
    }

    /// The action of a key in the review pass: its own keys first.
    pub fn lookup_review(&self, key: Key) -> Option<Action> {
        if let Some(own) = self.own.get(&key) {
            return Some(own.action);
        }
        let special = REVIEW.iter().find(|(k, ..)| Key::parse(k) == Some(key));
        special
            .map(|(_, action, _)| *action)
            .or_else(|| self.lookup(key))
    }

    /// All keys of a command, as they are written.
    pub fn keys_of(&self, name: &str) -> String {
        self.written
            .get(name)
            .map_or(String::new(), |k| k.join(" "))
    }

    /// The first key of a command, or its name for the palette where it has none.
    pub fn first(&self, name: &str) -> String {
        let first = self.written.get(name).and_then(|keys| keys.first());
        first.cloned().unwrap_or_else(|| format!(":{name}"))
    }
}

fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.name == name)
}

fn is_fixed(key: Key) -> bool {
    match (key.code, key.modifiers) {
        (KeyCode::Char('0'..='9'), KeyModifiers::NONE) => true,
        (KeyCode::Char('c'), modifiers) => modifiers == KeyModifiers::CONTROL,
        _ => false,
    }
}

/// The key table as the README shows it.
pub fn markdown() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        let title = group.title();
        out += &["\n**", title, "**\n\n| key | does |\n|---|---|\n"].concat();
        for command in COMMANDS.iter().filter(|c| c.group == group) {
            let keys: Vec<String> = command
                .keys
                .split(' ')
                .filter(|k| !k.is_empty())
                .map(|k| format!("`{k}`"))
                .collect();
            let keys = if keys.is_empty() {
                format!("`:{}`", command.name)
            } else {
                keys.join(" ")
            };
            out += &["| ", &keys, " | ", command.help, " |\n"].concat();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Verdict;
    use crate::core::prompt::Side;
    use crate::ui::action::{Direction, Step};
    use crossterm::event::KeyEvent;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap_or_else(|| panic!("{text} is no key"))
    }

    fn own(keys: &[(&str, &str)]) -> BTreeMap<String, OwnKey> {
        let entry = |(i, (key, command)): (usize, &(&str, &str))| {
            let chosen = OwnKey {
                command: (*command).into(),
                place: format!("termask.toml, line {}", i + 3),
            };
            ((*key).to_string(), chosen)
        };
        keys.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn every_key_of_the_table_is_readable_and_bound_once() {
        let mut seen = HashMap::new();
        for command in COMMANDS {
            for text in command.keys.split(' ').filter(|k| !k.is_empty()) {
                let other = seen.insert(key(text), command.name);
                assert!(other.is_none(), "{text}: {} and {other:?}", command.name);
            }
        }
        for (text, ..) in REVIEW {
            key(text);
        }
    }

    #[test]
    fn every_preset_leaves_a_key_to_every_command_that_has_one() {
        for preset in PRESETS {
            let map = Keymap::new(Some(preset.name), &BTreeMap::new()).expect("good");
            for (text, name) in preset.keys {
                assert_eq!(
                    map.lookup(key(text)),
                    named(name).map(|c| c.action),
                    "{text}"
                );
            }
            for command in COMMANDS.iter().filter(|c| !c.keys.is_empty()) {
                let keys = map.keys_of(command.name);
                assert!(!keys.is_empty(), "{}: {}", preset.name, command.name);
            }
        }
    }

    #[test]
    fn own_keys_win_and_are_shown() {
        let map = Keymap::new(None, &own(&[("w", "accept"), ("b", "drop")])).expect("good");
        assert_eq!(map.lookup(key("w")), Some(Action::Accept));
        assert_eq!(map.lookup(key("b")), Some(Action::Drop));
        assert_eq!(map.keys_of("corner"), "");
        assert_eq!(map.first("corner"), ":corner");
        assert_eq!(map.lookup_review(key("w")), Some(Action::Accept));
    }

    #[test]
    fn bad_keys_are_told_with_their_line() {
        for (keys, says) in [
            (own(&[("qq", "accept")]), "line 3: \"qq\" is no key"),
            (own(&[("w", "acept")]), "line 3: \"acept\" is no command"),
            (own(&[("3", "accept")]), "is fixed"),
            (own(&[("H", "accept"), ("S-H", "drop")]), "keep one"),
        ] {
            let why = Keymap::new(None, &keys).expect_err("bad");
            assert!(why.contains(says), "{why}");
        }
        let why = Keymap::new(Some("emacs"), &BTreeMap::new()).expect_err("unknown");
        assert!(why.contains("labelme"), "{why}");
    }

    #[test]
    fn shift_is_part_of_a_character() {
        let map = Keymap::default();
        let event = |code, modifiers| Key::from_event(KeyEvent::new(code, modifiers));
        assert_eq!(
            map.lookup(event(KeyCode::Char('h'), KeyModifiers::SHIFT)),
            Some(Action::Move(Direction::Left, Step::EightCells))
        );
        assert_eq!(
            map.lookup(event(KeyCode::BackTab, KeyModifiers::SHIFT)),
            Some(Action::PreviousObject)
        );
        assert_eq!(
            map.lookup(event(KeyCode::Char('-'), KeyModifiers::NONE)),
            Some(Action::ZoomOut)
        );
        assert_eq!(
            map.lookup_review(key("a")),
            Some(Action::Judge(Verdict::Accepted))
        );
        assert_eq!(map.lookup(key("i")), Some(Action::Click(Side::Inside)));
    }
}
