//! Windows for lines that are typed.

use ratatui::Frame;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::status::printable;
use super::{DIM, list, window};
use crate::segment::BUILT_IN;
use crate::ui::layout;
use crate::ui::mode::Typing;
use crate::ui::state::State;
use crate::ui::update::matching_commands;

pub fn typing(state: &State, what: Typing, text: &str, choice: usize, frame: &mut Frame) {
    let (title, rows) = match what {
        Typing::Class => ("class", classes(state, text)),
        Typing::Command => ("command", commands(state, text)),
        Typing::Image => (
            "image: a part of its name, is:begun, is:finished, is:untouched, is:flagged",
            images(state, text),
        ),
        Typing::Comment => ("comment", Vec::new()),
        Typing::Flag => ("flag: why?", Vec::new()),
        Typing::Engine => ("engine: a name, or a model's file or folder", engines(text)),
    };
    let height = (rows.len() as u16 + 3).min(18);
    let area = layout::window(frame.area(), 100, height);
    let inner = window(frame, area, title);
    let chosen = choice.min(rows.len().saturating_sub(1));
    let shown = usize::from(inner.height.saturating_sub(1));
    let from = (chosen + 1).saturating_sub(shown);
    let mut lines = vec![Line::from(vec![
        Span::raw(format!("> {text}")),
        Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
    ])];
    for (i, row) in rows.into_iter().enumerate().skip(from) {
        lines.push(if i == chosen {
            row.patch_style(Style::new().add_modifier(Modifier::REVERSED))
        } else {
            row
        });
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn classes(state: &State, text: &str) -> Vec<Line<'static>> {
    let row = |name: &str| {
        let class = state.settings.classes.iter().find(|c| c.name == name);
        let key = class.and_then(|c| c.hotkey);
        let key = key.map_or(" ".to_string(), |k| k.to_string());
        Line::from(vec![
            Span::raw(" "),
            Span::styled("■", state.theme.swatch(state.colour(name))),
            Span::styled(format!(" {key} "), DIM),
            Span::raw(name.to_string()),
        ])
    };
    let mut rows: Vec<_> = state.matching_classes(text).into_iter().map(row).collect();
    if rows.is_empty() && !text.trim().is_empty() {
        rows.push(Line::from(format!(" new class {}", text.trim())));
    }
    rows
}

fn images(state: &State, text: &str) -> Vec<Line<'static>> {
    let row = |at: usize| {
        let path = &state.images[at];
        let sign = list::sign(state, path);
        Line::from(vec![
            Span::styled(format!(" {:>6} ", at + 1), DIM),
            Span::raw(format!("{sign} ")),
            Span::raw(printable(path)),
        ])
    };
    state.matching_images(text).into_iter().map(row).collect()
}

fn engines(text: &str) -> Vec<Line<'static>> {
    let fitting = BUILT_IN.iter().filter(|name| name.contains(text.trim()));
    fitting.map(|name| Line::from(format!(" {name}"))).collect()
}

fn commands(state: &State, text: &str) -> Vec<Line<'static>> {
    matching_commands(text)
        .into_iter()
        .map(|c| {
            Line::from(vec![
                Span::raw(format!(" {:<18}", c.name)),
                Span::styled(format!("{:<13}", state.keymap.keys_of(c.name)), DIM),
                Span::raw(c.help),
            ])
        })
        .collect()
}
