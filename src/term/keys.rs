//! Bytes that were typed, as crossterm's events: parsed by termina, which leaves reading to us.

use crossterm::event as cross;
use termina::Parser;
use termina::event as seen;

/// Parses what a person types.
#[derive(Debug, Default)]
pub struct Keys(Parser);

/// Whether the rest of a sequence may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    MayFollow,
    Over,
}

impl Keys {
    pub fn read(&mut self, bytes: &[u8], rest: Rest) -> Vec<cross::Event> {
        self.0.parse(bytes, rest == Rest::MayFollow);
        let mut events = Vec::new();
        while let Some(event) = self.0.pop() {
            events.extend(translate(event));
        }
        events
    }
}

fn translate(event: seen::Event) -> Option<cross::Event> {
    Some(match event {
        seen::Event::Key(key) => cross::Event::Key(cross::KeyEvent::new_with_kind(
            key_code(key.code)?,
            modifiers(key.modifiers),
            match key.kind {
                seen::KeyEventKind::Press => cross::KeyEventKind::Press,
                seen::KeyEventKind::Repeat => cross::KeyEventKind::Repeat,
                seen::KeyEventKind::Release => cross::KeyEventKind::Release,
            },
        )),
        seen::Event::Mouse(mouse) => cross::Event::Mouse(cross::MouseEvent {
            kind: mouse_kind(mouse.kind),
            column: mouse.column,
            row: mouse.row,
            modifiers: modifiers(mouse.modifiers),
        }),
        seen::Event::FocusIn => cross::Event::FocusGained,
        seen::Event::FocusOut => cross::Event::FocusLost,
        seen::Event::Paste(text) => cross::Event::Paste(text),
        _ => return None,
    })
}

fn key_code(code: seen::KeyCode) -> Option<cross::KeyCode> {
    use cross::KeyCode as To;
    use seen::KeyCode as From;
    Some(match code {
        From::Char(c) => To::Char(c),
        From::Enter => To::Enter,
        From::Backspace => To::Backspace,
        From::Tab => To::Tab,
        From::Escape => To::Esc,
        From::Left => To::Left,
        From::Right => To::Right,
        From::Up => To::Up,
        From::Down => To::Down,
        From::Home => To::Home,
        From::End => To::End,
        From::BackTab => To::BackTab,
        From::PageUp => To::PageUp,
        From::PageDown => To::PageDown,
        From::Insert => To::Insert,
        From::Delete => To::Delete,
        From::Function(n) => To::F(n),
        From::Menu => To::Menu,
        _ => return None,
    })
}

fn modifiers(seen: seen::Modifiers) -> cross::KeyModifiers {
    [
        (seen::Modifiers::SHIFT, cross::KeyModifiers::SHIFT),
        (seen::Modifiers::ALT, cross::KeyModifiers::ALT),
        (seen::Modifiers::CONTROL, cross::KeyModifiers::CONTROL),
        (seen::Modifiers::SUPER, cross::KeyModifiers::SUPER),
    ]
    .into_iter()
    .filter(|(from, _)| seen.contains(*from))
    .fold(cross::KeyModifiers::NONE, |all, (_, to)| all | to)
}

fn mouse_kind(kind: seen::MouseEventKind) -> cross::MouseEventKind {
    use cross::MouseEventKind as To;
    use seen::MouseEventKind as From;
    let button = |b| match b {
        seen::MouseButton::Left => cross::MouseButton::Left,
        seen::MouseButton::Right => cross::MouseButton::Right,
        seen::MouseButton::Middle => cross::MouseButton::Middle,
    };
    match kind {
        From::Down(b) => To::Down(button(b)),
        From::Up(b) => To::Up(button(b)),
        From::Drag(b) => To::Drag(button(b)),
        From::Moved => To::Moved,
        From::ScrollDown => To::ScrollDown,
        From::ScrollUp => To::ScrollUp,
        From::ScrollLeft => To::ScrollLeft,
        From::ScrollRight => To::ScrollRight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cross::{KeyCode, KeyEvent, KeyModifiers};

    fn key(code: KeyCode, modifiers: KeyModifiers) -> cross::Event {
        cross::Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_of_old_and_new_terminals_mean_the_same() {
        let mut keys = Keys::default();
        let typed = b"aA\x1b[A\x1bOB\x1b[1;2C\x1b[27u\x1b[99;5u\x03\x7f\r\t\x1b[3~";
        let expected = [
            key(KeyCode::Char('a'), KeyModifiers::NONE),
            key(KeyCode::Char('A'), KeyModifiers::SHIFT),
            key(KeyCode::Up, KeyModifiers::NONE),
            key(KeyCode::Down, KeyModifiers::NONE),
            key(KeyCode::Right, KeyModifiers::SHIFT),
            key(KeyCode::Esc, KeyModifiers::NONE),
            key(KeyCode::Char('c'), KeyModifiers::CONTROL),
            key(KeyCode::Char('c'), KeyModifiers::CONTROL),
            key(KeyCode::Backspace, KeyModifiers::NONE),
            key(KeyCode::Enter, KeyModifiers::NONE),
            key(KeyCode::Tab, KeyModifiers::NONE),
            key(KeyCode::Delete, KeyModifiers::NONE),
        ];
        assert_eq!(keys.read(typed, Rest::MayFollow), expected);
    }

    #[test]
    fn a_click_names_the_cell_it_fell_into() {
        let events = Keys::default().read(b"\x1b[<0;12;7M", Rest::MayFollow);
        let [cross::Event::Mouse(mouse)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!((mouse.column, mouse.row), (11, 6));
    }

    #[test]
    fn a_paste_and_what_is_typed_in_utf8_come_whole() {
        let mut keys = Keys::default();
        assert!(keys.read(b"\x1b[200~kit", Rest::MayFollow).is_empty());
        let events = keys.read("ten\x1b[201~é".as_bytes(), Rest::MayFollow);
        let letter = key(KeyCode::Char('é'), KeyModifiers::NONE);
        assert_eq!(events, [cross::Event::Paste("kitten".into()), letter]);
    }
}
