//! Keys and mouse to actions: what they mean depends on the mode alone.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::action::{Action, Direction};
use super::keymap::Key;
use super::mode::Mode;
use super::state::State;
use crate::core::geometry::{CellPoint, ImagePoint};
use crate::core::prompt::Side;

/// The keys of the grid, row by row.
const GRID: [char; 9] = ['q', 'w', 'e', 'a', 's', 'd', 'z', 'x', 'c'];

impl State {
    /// Takes one event of the terminal.
    pub fn input(&mut self, event: &Event, now: i64) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.key_in_order(*key, now);
            }
            Event::Mouse(mouse) => self.mouse(*mouse, now),
            Event::Paste(text) => {
                for c in text.chars().filter(|c| !c.is_control()) {
                    self.act(Action::Type(c), now);
                }
            }
            _ => {}
        }
    }

    /// Typing ahead is safe: a key meant for an image or a mask that is on its way waits for it.
    /// Esc drops what waits; Ctrl-C ends at once.
    fn key_in_order(&mut self, event: KeyEvent, now: i64) {
        let key = Key::from_event(event);
        let ends = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
        if key.code == KeyCode::Esc {
            self.held.clear();
            if let Some(open) = &mut self.open {
                open.accepting = false;
            }
        }
        let waits = self.is_waiting() && !(self.held.is_empty() && self.needs_no_image(key));
        if waits && !ends {
            self.held.push_back(event);
        } else {
            self.key(event, now);
        }
    }

    /// Does what was typed ahead, as far as what it waits for is there.
    pub(super) fn release_held(&mut self) {
        while !self.is_waiting()
            && let Some(event) = self.held.pop_front()
        {
            self.key(event, self.now);
        }
    }

    /// Whether a key does its work without an image on the screen.
    fn needs_no_image(&self, key: Key) -> bool {
        let free = |action| {
            matches!(
                action,
                Action::NextImage
                    | Action::PreviousImage
                    | Action::NextUnfinished
                    | Action::Overlay
                    | Action::Commands
                    | Action::Help
                    | Action::Quit
                    | Action::Suspend
                    | Action::Drop
            )
        };
        let is_free = self.shown().is_none() && self.keymap.lookup(key).is_some_and(free);
        is_free || matches!(self.mode, Mode::Typing { .. } | Mode::Help { .. })
    }

    fn key(&mut self, event: KeyEvent, now: i64) {
        let key = Key::from_event(event);
        let ends = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
        if ends {
            return self.act(Action::Quit, now);
        }
        let action = match &self.mode {
            Mode::Typing { .. } | Mode::Help { .. } => return self.text_key(key, now),
            Mode::Grid { .. } => {
                if let KeyCode::Char(c) = key.code
                    && key.modifiers.is_empty()
                    && let Some(part) = GRID.iter().position(|g| *g == c.to_ascii_lowercase())
                {
                    self.narrow(part as u32);
                    if c.is_ascii_uppercase() {
                        self.act(self.at_once(), now);
                    }
                    return;
                }
                let action = self.keymap.lookup(key);
                let keeps = matches!(action, Some(Action::Drop | Action::Accept));
                // A corner ends the grid itself, and begins it anew for the other one.
                if action != Some(Action::Corner) {
                    self.mode = Mode::Aim;
                }
                // Enter and Esc end the grid; any other key ends it and does its work there.
                action.filter(|_| !keeps)
            }
            Mode::Sheet => match key.code {
                KeyCode::Char(c @ 'a'..='x') if key.modifiers.is_empty() => {
                    return self.mark_tile(c);
                }
                KeyCode::Char('G') => Some(Action::Sheet),
                _ => self.keymap.lookup(key).filter(serves_window),
            },
            Mode::Mark(_) => return self.mark_key(key),
            Mode::Hints => {
                if let KeyCode::Char(c) = key.code
                    && c.is_ascii_alphabetic()
                    && !key.modifiers.contains(KeyModifiers::CONTROL)
                {
                    return self.take_hint(c);
                }
                self.keymap.lookup(key).filter(serves_window)
            }
            Mode::Review => self.keymap.lookup_review(key),
            Mode::Aim | Mode::Brush(_) | Mode::Polygon { .. } | Mode::Contour(_) => {
                self.keymap.lookup(key)
            }
        };
        if let Some(action) = action {
            self.act(action, now);
        }
    }

    /// What a capital of the grid does where it has led.
    fn at_once(&self) -> Action {
        match self.shown().and_then(|o| o.corner) {
            Some(_) => Action::Corner,
            None => Action::Click(Side::Inside),
        }
    }

    fn mark_key(&mut self, key: Key) {
        let Mode::Mark(marking) = std::mem::take(&mut self.mode) else {
            return;
        };
        self.mode = std::mem::take(&mut self.behind);
        if let KeyCode::Char(letter) = key.code
            && letter.is_alphabetic()
        {
            self.mark(marking, letter);
        }
    }

    fn text_key(&mut self, key: Key, now: i64) {
        let in_help = matches!(self.mode, Mode::Help { .. });
        match key.code {
            KeyCode::Esc => self.act(Action::Cancel, now),
            KeyCode::Enter | KeyCode::Char('?') if in_help => self.act(Action::Cancel, now),
            KeyCode::Enter => self.act(Action::Confirm, now),
            KeyCode::Backspace => self.act(Action::Backspace, now),
            KeyCode::Up => self.choose(-1),
            KeyCode::Down => self.choose(1),
            KeyCode::PageUp => self.choose(-10),
            KeyCode::PageDown => self.choose(10),
            KeyCode::Char(c) => self.act(Action::Type(c), now),
            _ => {}
        }
    }

    fn mouse(&mut self, event: MouseEvent, now: i64) {
        let cell = CellPoint {
            col: event.column,
            row: event.row,
        };
        let is_press = event.kind == MouseEventKind::Down(MouseButton::Left);
        if let Some(at) = self
            .listed_at(cell)
            .filter(|_| is_press && self.mode == Mode::Aim)
        {
            return self.go_to(at);
        }
        let Some(at) = self.pixel_under(cell) else {
            return;
        };
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.pressed = Some(at);
                self.act(Action::Point(at), now);
            }
            MouseEventKind::Drag(MouseButton::Left) => self.act(Action::Drag(at), now),
            MouseEventKind::Up(MouseButton::Left) => self.act(Action::Release(at), now),
            MouseEventKind::Down(MouseButton::Right) => {
                self.act(Action::Point(at), now);
                self.act(Action::Click(Side::Outside), now);
            }
            MouseEventKind::ScrollUp => self.act(Action::Wheel(at, Direction::Up), now),
            MouseEventKind::ScrollDown => self.act(Action::Wheel(at, Direction::Down), now),
            _ => {}
        }
    }

    fn pixel_under(&self, cell: CellPoint) -> Option<ImagePoint> {
        self.shown()?.view.image_from_cell(cell)
    }
}

/// Actions that mean something where letters name things.
fn serves_window(action: &Action) -> bool {
    matches!(
        action,
        Action::Accept | Action::Drop | Action::Help | Action::Quit | Action::Suspend
    )
}
