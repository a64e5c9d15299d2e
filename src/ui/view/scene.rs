//! What the canvas shows, from the state.

use std::sync::Arc;

use crate::core::scene::{Layer, Mark, Photo, Scene, Style};
use crate::ui::state::{Mode, Open, Overlay, State};

/// The scene of the open image; `None` while there is none or a window covers it.
pub fn scene(state: &State) -> Option<Scene> {
    let open = state.shown()?;
    if super::hides_picture(state) {
        return None;
    }
    Some(Scene {
        photo: Photo {
            key: open.decoded.key,
            image: Arc::clone(&open.decoded.image),
        },
        view: open.view,
        layers: layers(state, open),
        marks: marks(state, open),
        next: Vec::new(),
    })
}

fn layers(state: &State, open: &Open) -> Vec<Layer> {
    let document = open.document();
    let style = match state.overlay {
        Overlay::Fill => Style::Fill,
        Overlay::Outline | Overlay::Blink => Style::Outline,
        Overlay::Off => Style::Hint,
    };
    let seen = match state.overlay {
        Overlay::Fill | Overlay::Outline => true,
        Overlay::Blink => state.lit,
        Overlay::Off => false,
    };
    let reviewed = |i: usize| state.mode != Mode::Review || open.selected == Some(i);
    let mut layers: Vec<Layer> = document
        .objects
        .iter()
        .enumerate()
        .filter(|(i, _)| seen && reviewed(*i))
        .map(|(i, object)| Layer {
            mask: Arc::clone(&object.mask),
            colour: state.colour(&object.class),
            style: match (open.selected == Some(i), style) {
                (true, Style::Fill) => Style::Strong,
                (_, style) => style,
            },
        })
        .collect();
    let draft = document.draft.mask().filter(|_| seen);
    layers.extend(draft.map(|mask| Layer {
        mask,
        colour: state.colour(&state.draft_class()),
        style: if style == Style::Fill {
            Style::Strong
        } else {
            style
        },
    }));
    layers
}

fn marks(state: &State, open: &Open) -> Vec<Mark> {
    let prompt = &open.document().draft.prompt;
    let mut marks = Vec::new();
    if let Mode::Grid { region } = state.mode {
        marks.push(Mark::Grid(region));
    }
    if let Some(corner) = open.corner {
        let rect = crate::core::geometry::ImageRect::from_corners(corner, open.cursor);
        marks.push(Mark::Box(rect));
    }
    if let Some(from) = state.pressed.filter(|from| *from != open.cursor)
        && !matches!(state.mode, Mode::Brush(_))
    {
        let rect = crate::core::geometry::ImageRect::from_corners(from, open.cursor);
        marks.push(Mark::Box(rect));
    }
    marks.extend(prompt.rect.map(Mark::Box));
    marks.extend(prompt.clicks.iter().copied().map(Mark::Click));
    match state.mode {
        Mode::Brush(_) => marks.push(Mark::Brush {
            at: open.cursor,
            radius: state.brush,
        }),
        Mode::Review => {}
        _ => marks.push(Mark::Crosshair(open.cursor)),
    }
    marks
}
