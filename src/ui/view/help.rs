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
    let lines = lines(keymap, search, usize::from(inner.width));
    let last = (lines.len() as u16).saturating_sub(inner.height);
    frame.render_widget(Paragraph::new(lines).scroll((scroll.min(last), 0)), inner);
}

/// Columns of the keys, and of the commands' names.
const KEYS: usize = 16;
const NAMES: usize = 18;

fn lines(keymap: &Keymap, search: &str, width: usize) -> Vec<Line<'static>> {
    // The names serve the palette and own keys: a narrow screen leaves them out.
    let has_names = width > 80;
    let names = if has_names { NAMES } else { 0 };
    let helps = width.saturating_sub(KEYS + names).max(20);
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
            let mut rows = wrapped(command.help, helps - 1).into_iter();
            let first = rows.next().unwrap_or_default();
            let name = if has_names { command.name } else { "" };
            lines.push(Line::from(vec![
                Span::raw(format!("  {:<13} ", keymap.keys_of(command.name))),
                Span::raw(format!("{first:<helps$}")),
                Span::styled(name, DIM),
            ]));
            lines.extend(rows.map(|row| Line::raw(format!("{:KEYS$}{row}", ""))));
        }
        lines.push(Line::default());
    }
    lines
}

/// Rows of whole words, each at most so many columns.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.len() + 1 + word.len() <= most => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.into()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_screen_cuts_no_help_off() {
        for width in [60, 78, 96] {
            let lines = lines(&Keymap::default(), "", width);
            assert!(lines.iter().all(|l| l.width() <= width), "{width}");
            let text: Vec<String> = lines.iter().map(Line::to_string).collect();
            let words: Vec<&str> = text.iter().flat_map(|l| l.split_whitespace()).collect();
            let all = words.join(" ");
            assert!(all.contains("a capital clicks or puts"), "{width}: {all}");
        }
    }

    #[test]
    fn the_search_finds_a_command_by_what_it_does() {
        let found = lines(&Keymap::default(), "HOLES", 96);
        let text: Vec<String> = found.iter().map(Line::to_string).collect();
        assert!(text[1].contains("fill holes"), "{text:?}");
        assert_eq!(text.len(), 3, "its group, itself, a gap: {text:?}");
    }
}
