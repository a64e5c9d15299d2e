//! Every key, from one table: help, palette and the README's key table are printed from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{Action, Correction, Direction, Step};
use crate::core::document::Verdict;
use crate::core::prompt::Side;

/// Where a command belongs in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Aim,
    Prompt,
    Correct,
    Objects,
    Images,
    View,
    Review,
    Program,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Aim,
        Self::Prompt,
        Self::Correct,
        Self::Objects,
        Self::Images,
        Self::View,
        Self::Review,
        Self::Program,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Aim => "Aim",
            Self::Prompt => "Box and clicks",
            Self::Correct => "Correct",
            Self::Objects => "Objects and classes",
            Self::Images => "Images",
            Self::View => "View",
            Self::Review => "Review pass",
            Self::Program => "Program",
        }
    }
}

/// One command with its keys.
#[derive(Debug)]
pub struct Command {
    pub name: &'static str,
    /// Keys of the default preset, separated by blanks.
    pub keys: &'static str,
    pub action: Action,
    pub group: Group,
    pub help: &'static str,
}

const fn command(
    group: Group,
    name: &'static str,
    keys: &'static str,
    action: Action,
    help: &'static str,
) -> Command {
    Command {
        name,
        keys,
        action,
        group,
        help,
    }
}

#[rustfmt::skip]
mod table {
    use super::{Action as A, Command, Correction as C, Direction as D, Group as G, Side, Step as S, Verdict as V, command};

    /// Every command of the annotating screen.
    pub const COMMANDS: &[Command] = &[
        command(G::Aim, "left", "left h", A::Move(D::Left, S::Cell), "move a cell; a count may come before"),
        command(G::Aim, "down", "down j", A::Move(D::Down, S::Cell), "move a cell down"),
        command(G::Aim, "up", "up k", A::Move(D::Up, S::Cell), "move a cell up"),
        command(G::Aim, "right", "right l", A::Move(D::Right, S::Cell), "move a cell right"),
        command(G::Aim, "left-8", "S-left H", A::Move(D::Left, S::EightCells), "move eight cells"),
        command(G::Aim, "down-8", "S-down J", A::Move(D::Down, S::EightCells), "move eight cells down"),
        command(G::Aim, "up-8", "S-up K", A::Move(D::Up, S::EightCells), "move eight cells up"),
        command(G::Aim, "right-8", "S-right L", A::Move(D::Right, S::EightCells), "move eight cells right"),
        command(G::Aim, "left-pixel", "A-left A-h", A::Move(D::Left, S::Pixel), "move an image pixel"),
        command(G::Aim, "down-pixel", "A-down A-j", A::Move(D::Down, S::Pixel), "move a pixel down"),
        command(G::Aim, "up-pixel", "A-up A-k", A::Move(D::Up, S::Pixel), "move a pixel up"),
        command(G::Aim, "right-pixel", "A-right A-l", A::Move(D::Right, S::Pixel), "move a pixel right"),
        command(G::Aim, "grid", "g", A::GridAim, "grid aim: qwe/asd/zxc narrow it, any other key ends it there"),
        command(G::Aim, "doubtful", ";", A::Doubtful, "go to the most doubtful place of the mask"),

        command(G::Prompt, "corner", "b", A::Corner, "box: one corner, then the other"),
        command(G::Prompt, "inside", "i", A::Click(Side::Inside), "click: this belongs to the object"),
        command(G::Prompt, "outside", "o", A::Click(Side::Outside), "click: this does not"),
        command(G::Prompt, "accept", "enter space", A::Accept, "keep the mask as an object"),
        command(G::Prompt, "drop", "esc", A::Drop, "drop box, clicks and mask"),
        command(G::Prompt, "undo", "u", A::Undo, "undo"),
        command(G::Prompt, "redo", "C-r", A::Redo, "redo"),
        command(G::Prompt, "alternative", "t", A::NextAlternative, "the engine's next reading of the prompt"),

        command(G::Correct, "paint", "m", A::Paint, "brush: paint at the cursor and while moving; again to stop"),
        command(G::Correct, "erase", "M", A::Erase, "the same with the eraser"),
        command(G::Correct, "brush-smaller", "[", A::BrushSmaller, "smaller brush"),
        command(G::Correct, "brush-larger", "]", A::BrushLarger, "larger brush"),
        command(G::Correct, "lower-threshold", "<", A::Correct(C::LowerThreshold), "more: lower the threshold"),
        command(G::Correct, "raise-threshold", ">", A::Correct(C::RaiseThreshold), "less: raise the threshold"),
        command(G::Correct, "fill-holes", "F", A::Correct(C::FillHoles), "fill holes"),
        command(G::Correct, "drop-islands", "I", A::Correct(C::DropIslands), "keep the largest part and those with clicks"),
        command(G::Correct, "grow", ")", A::Correct(C::Grow), "grow by a screen pixel"),
        command(G::Correct, "shrink", "(", A::Correct(C::Shrink), "shrink by a screen pixel"),
        command(G::Correct, "smooth", "S", A::Correct(C::Smooth), "smooth the outline"),

        command(G::Objects, "next-object", "tab", A::NextObject, "select the next object"),
        command(G::Objects, "previous-object", "S-tab", A::PreviousObject, "select the previous object"),
        command(G::Objects, "edit", "e", A::EditObject, "edit the selected object again"),
        command(G::Objects, "delete", "d del", A::DeleteObject, "delete the selected object"),
        command(G::Objects, "join", "U", A::JoinObjects, "join the selected object with the one before it"),
        command(G::Objects, "split", "X", A::SplitObject, "split the selected object into its parts"),
        command(G::Objects, "raise", "pgup", A::RaiseObject, "draw the selected object later, above others"),
        command(G::Objects, "lower", "pgdn", A::LowerObject, "draw it earlier, below others"),
        command(G::Objects, "class", "c", A::ChooseClass, "class by name; a new name makes a class (1 to 9, 0: by digit)"),

        command(G::Images, "next", "n", A::NextImage, "next image"),
        command(G::Images, "previous", "p", A::PreviousImage, "previous image"),
        command(G::Images, "next-unfinished", "N", A::NextUnfinished, "next image that is not finished"),
        command(G::Images, "finish", "w", A::Finish, "call the image finished, or not"),
        command(G::Images, "copy-previous", "y", A::CopyPrevious, "copy the objects of the image before"),

        command(G::View, "zoom-in", "+ =", A::ZoomIn, "zoom in about the cursor"),
        command(G::View, "zoom-out", "-", A::ZoomOut, "zoom out"),
        command(G::View, "fit", "A-0 home", A::ZoomFit, "the whole image"),
        command(G::View, "zoom-object", "z", A::ZoomObject, "zoom to the draft or selected object, and back"),
        command(G::View, "overlay", "v", A::Overlay, "masks filled, outlined, blinking, off"),

        command(G::Review, "review", "r", A::Review, "start or end the review pass"),
        command(G::Review, "judge-accept", "", A::Judge(V::Accepted), "in review, a: accept"),
        command(G::Review, "judge-reject", "", A::Judge(V::Rejected), "in review, x: reject"),
        command(G::Review, "judge-flag", "", A::Judge(V::Flagged), "in review, f: flag"),

        command(G::Program, "commands", ":", A::Commands, "commands by name"),
        command(G::Program, "help", "? f1", A::Help, "this help; type to search"),
        command(G::Program, "suspend", "C-z", A::Suspend, "stop and go to the shell; fg comes back"),
        command(G::Program, "quit", "q C-c", A::Quit, "quit; everything is saved already"),
    ];

    /// Keys that mean something else while reviewing.
    pub const REVIEW: &[(&str, Action, &str)] = &[
        ("a", A::Judge(V::Accepted), "accept"),
        ("x", A::Judge(V::Rejected), "reject"),
        ("f", A::Judge(V::Flagged), "flag"),
        ("space", A::Later, "later"),
        ("F", A::FlagWithComment, "flag with a comment"),
        ("c", A::Comment, "comment"),
        ("s", A::Overlay, "show: filled, outlined, blinking, off"),
        ("esc", A::Review, "end"),
    ];
    use super::Action;
}
pub use table::{COMMANDS, REVIEW};

/// One key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

impl Key {
    /// Reads `a`, `S-tab`, `C-r`, `A-left`, `enter`, …
    pub fn parse(text: &str) -> Option<Self> {
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        while let Some((prefix, tail)) = rest.split_once('-').filter(|(_, t)| !t.is_empty()) {
            modifiers |= match prefix {
                "C" => KeyModifiers::CONTROL,
                "A" => KeyModifiers::ALT,
                "S" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = tail;
        }
        let code = match rest {
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "enter" => KeyCode::Enter,
            "space" => KeyCode::Char(' '),
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "del" => KeyCode::Delete,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "backspace" => KeyCode::Backspace,
            "f1" => KeyCode::F(1),
            _ => {
                let mut chars = rest.chars();
                let (Some(c), None) = (chars.next(), chars.next()) else {
                    return None;
                };
                KeyCode::Char(c)
            }
        };
        Some(Self { code, modifiers })
    }

    /// The key of an event, in one spelling: shift is part of a character, and `BackTab` is
    /// shift with tab.
    pub fn from_event(event: KeyEvent) -> Self {
        let (mut code, mut modifiers) = (event.code, event.modifiers);
        modifiers &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        if code == KeyCode::BackTab {
            code = KeyCode::Tab;
            modifiers |= KeyModifiers::SHIFT;
        }
        if let KeyCode::Char(c) = code {
            if modifiers.contains(KeyModifiers::SHIFT) && c.is_lowercase() {
                code = KeyCode::Char(c.to_ascii_uppercase());
            }
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }
}

/// The action of a key on the annotating screen.
pub fn lookup(key: Key) -> Option<Action> {
    if let (KeyCode::Char(c @ '0'..='9'), KeyModifiers::NONE) = (key.code, key.modifiers) {
        return Some(Action::Digit(c as u8 - b'0'));
    }
    COMMANDS
        .iter()
        .find(|c| c.keys.split(' ').filter_map(Key::parse).any(|k| k == key))
        .map(|c| c.action)
}

/// The action of a key in the review pass, before the annotating screen's keys.
pub fn lookup_review(key: Key) -> Option<Action> {
    REVIEW
        .iter()
        .find(|(k, ..)| Key::parse(k) == Some(key))
        .map(|(_, action, _)| *action)
        .or_else(|| lookup(key))
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

    #[test]
    fn every_key_is_readable_and_bound_once() {
        let mut seen = std::collections::HashMap::new();
        for command in COMMANDS {
            for text in command.keys.split(' ').filter(|k| !k.is_empty()) {
                let key = Key::parse(text).unwrap_or_else(|| panic!("{text} is no key"));
                let other = seen.insert(key, command.name);
                assert!(other.is_none(), "{text}: {} and {other:?}", command.name);
            }
        }
    }

    #[test]
    fn shift_is_part_of_a_character() {
        let event = KeyEvent::new(KeyCode::Char('h'), KeyModifiers::SHIFT);
        assert_eq!(
            lookup(Key::from_event(event)),
            Some(Action::Move(Direction::Left, Step::EightCells))
        );
        let event = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(lookup(Key::from_event(event)), Some(Action::PreviousObject));
        assert_eq!(
            lookup(Key::from_event(KeyEvent::new(
                KeyCode::Char('-'),
                KeyModifiers::NONE
            ))),
            Some(Action::ZoomOut)
        );
        let fill = Action::Correct(Correction::FillHoles);
        assert_eq!(lookup(Key::parse("F").expect("a key")), Some(fill));
        assert_eq!(
            lookup_review(Key::parse("a").expect("a key")),
            Some(Action::Judge(Verdict::Accepted))
        );
        assert_eq!(
            lookup(Key::parse("i").expect("a key")),
            Some(Action::Click(Side::Inside))
        );
    }
}
