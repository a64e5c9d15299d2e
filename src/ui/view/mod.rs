//! The screen, drawn from the state alone.

mod help;
mod list;
mod scene;
mod status;
mod windows;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

pub use scene::scene;

use super::mode::Mode;
use super::state::State;

/// Fainter than the text on a light and on a dark ground alike.
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// Draws all that is text. The picture's cells are left alone where there is a picture.
pub fn draw(state: &State, frame: &mut Frame) {
    let screen = frame.area();
    if screen.height > 4 {
        status::title(
            state,
            frame,
            Rect {
                height: 1,
                ..screen
            },
        );
        let bottom = Rect {
            y: screen.y + screen.height - 2,
            height: 2,
            ..screen
        };
        status::status(state, frame, bottom);
    } else {
        let last = Rect {
            y: screen.y + screen.height.saturating_sub(1),
            height: 1.min(screen.height),
            ..screen
        };
        status::status(state, frame, last);
    }
    list::draw(state, frame);
    if state.shown().is_none() && state.first_look().is_none() {
        waiting(state, frame);
    }
    match &state.mode {
        Mode::Help { search, scroll } => help::draw(&state.keymap, search, *scroll, frame),
        Mode::Typing { what, text, choice } => windows::typing(state, *what, text, *choice, frame),
        _ => {}
    }
}

/// Whether a window covers the picture, which then has to go.
pub fn hides_picture(state: &State) -> bool {
    matches!(state.mode, Mode::Help { .. } | Mode::Typing { .. })
}

/// In place of the picture: why there is none.
fn waiting(state: &State, frame: &mut Frame) {
    let told = match state.path() {
        None if state.walked => "no images here".to_string(),
        None => "looking for images …".to_string(),
        Some(path) => match state.broken.get(path) {
            Some(why) => format!("{why}\n\nn goes to the next image"),
            None => String::new(),
        },
    };
    let canvas = state.canvas;
    let area = Rect::new(
        canvas.col,
        canvas.row + canvas.rows / 3,
        canvas.cols,
        canvas.rows - canvas.rows / 3,
    );
    let area = area.intersection(frame.area());
    let text = Paragraph::new(told)
        .centered()
        .wrap(ratatui::widgets::Wrap { trim: true });
    frame.render_widget(text, area);
}

/// A cleared window with a frame and a title.
fn window(frame: &mut Frame, area: Rect, title: &str) -> Rect {
    let block = ratatui::widgets::Block::bordered()
        .title(Line::from(format!(" {title} ")).style(STRONG))
        .border_style(DIM);
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    inner
}
