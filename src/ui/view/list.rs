//! The list of images with their states, beside the picture: names, and thumbnails where the
//! terminal shows them.

use std::path::Path;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::DIM;
use super::status::printable;
use crate::ui::state::State;

pub fn draw(state: &State, frame: &mut Frame) {
    let Some(listing) = state.listing() else {
        return;
    };
    let place = listing.cells;
    let area = Rect::new(place.col, place.row, place.cols, place.rows);
    let area = area.intersection(frame.area());
    let lines: Vec<Line> = state
        .listed(listing)
        .flat_map(|at| {
            let path = &state.images[at];
            let sign = sign(state, path);
            let most = usize::from(area.width).saturating_sub(4);
            let name = shortened(&printable(path), most);
            let line = Line::from(format!(" {sign} {name:<most$} "));
            let line = line.style(if at == state.at {
                Style::new().add_modifier(Modifier::REVERSED)
            } else {
                DIM
            });
            // The thumbnail lies above the name.
            let above = std::iter::repeat_n(Line::default(), usize::from(listing.picture));
            above.chain([line])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// One character that tells how far an image is.
pub fn sign(state: &State, path: &Path) -> char {
    if state.broken.contains_key(path) {
        return '!';
    }
    state.standings.of(path).sign()
}

/// The end of a name tells more than its middle: numbers stand there.
fn shortened(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.into();
    }
    let tail = most.saturating_sub(1) * 2 / 3;
    let head: String = name.chars().take(most.saturating_sub(1 + tail)).collect();
    let tail: String = name.chars().skip(count - tail).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(shortened("cat.png", 12), "cat.png");
        assert_eq!(shortened("holiday_000123.jpg", 12), "holi…123.jpg");
    }
}
