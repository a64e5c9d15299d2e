//! One key, as it is written in tables and settings and as the terminal sends it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
        Some(Self { code, modifiers }.normalised())
    }

    /// The key of an event.
    pub fn from_event(event: KeyEvent) -> Self {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        Self {
            code: event.code,
            modifiers: event.modifiers & known,
        }
        .normalised()
    }

    /// One spelling for one key: shift is part of a character, and `BackTab` is shift with tab.
    fn normalised(self) -> Self {
        let Self {
            mut code,
            mut modifiers,
        } = self;
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
