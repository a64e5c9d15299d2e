//! The help, printed from the key table and searchable.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{DIM, STRONG, window};
use crate::ui::keymap::{COMMANDS, Group, Keymap};
use crate::ui::layout;

pub fn draw(keymap: &Keymap, search: &str, scroll: u16, frame: &mut Frame) {
    let area = layout::window(frame.area(), 98, frame.area().height.saturating_sub(2));
    let title = if search.is_empty() {
        "keys: type to search, arrows scroll, esc closes".to_string()
    } else {
        format!("keys: {search}")
    };
    let inner = window(frame, area, &title);
    let lines = lines(keymap, search);
    let last = (lines.len() as u16).saturating_sub(inner.height);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(last), 0)), inner);
}

fn lines(keymap: &Keymap, search: &str) -> Vec<Line<'static>> {
    let search = search.to_lowercase();
    let mut lines = Vec::new();
    for group in Group::ALL {
        let found: Vec<_> = COMMANDS
            .iter()
            .filter(|c| c.group == group)
            .filter(|c| {
                format!("{} {} {}", c.name, keymap.keys_of(c.name), c.help)
                    .to_lowercase()
                    .contains(&search)
            })
            .collect();
        if found.is_empty() {
            continue;
        }
        lines.push(Line::styled(group.title(), STRONG));
        for command in found {
            lines.push(Line::from(vec![
                Span::raw(format!("  {:<14}", keymap.keys_of(command.name))),
                Span::raw(format!("{:<64}", command.help)),
                Span::styled(command.name, DIM),
            ]));
        }
        lines.push(Line::default());
    }
    lines
}
