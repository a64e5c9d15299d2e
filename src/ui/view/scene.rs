//! What the canvas shows, from the state.

use std::sync::Arc;

use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::image::Image;
use crate::core::scene::{Layer, Mark, Photo, Scene, Style, Thumbnail};
use crate::core::sheet;
use crate::core::view::View;
use crate::store::settings::class_colour;
use crate::ui::mode::{Mode, Overlay, Sheet};
use crate::ui::state::{Open, State};

/// The scene of the open image; `None` while there is none or a window covers it.
pub fn scene(state: &State) -> Option<Scene> {
    if super::hides_picture(state) {
        return None;
    }
    if let Some(look) = state.first_look() {
        return Some(Scene {
            view: View::fit(look.photo.image.size(), state.canvas, state.cell),
            photo: look.photo.clone(),
            layers: Vec::new(),
            marks: Vec::new(),
            next: Vec::new(),
            thumbnails: thumbnails(state),
        });
    }
    let open = state.shown()?;
    if let Some(sheet) = state.sheet.as_ref().filter(|_| state.mode == Mode::Sheet)
        && let Some(image) = &sheet.image
    {
        return Some(sheet_scene(state, sheet, image));
    }
    Some(Scene {
        photo: Photo {
            key: open.decoded.key,
            image: Arc::clone(&open.decoded.image),
        },
        view: open.view,
        layers: layers(state, open),
        marks: marks(state, open),
        next: next(state),
        thumbnails: thumbnails(state),
    })
}

/// The sheet as a picture of its own: a letter on each tile, a cross over those to reject.
fn sheet_scene(state: &State, sheet: &Sheet, image: &Arc<Image>) -> Scene {
    let view = View::fit(image.size(), state.canvas, state.cell);
    let mut marks = Vec::new();
    for (i, tile) in sheet.tiles.iter().enumerate() {
        let rect = sheet::tile(i, sheet.tiles.len());
        let letter = char::from(b'a' + i as u8);
        marks.push(Mark::Label {
            at: ImagePoint::new(rect.x0 + 10, rect.y0 + 14),
            text: letter.to_string(),
        });
        if tile.rejected {
            let corner = |x, y| ImagePoint::new(x, y);
            for (from, to) in [
                (corner(rect.x0, rect.y0), corner(rect.x1 - 1, rect.y1 - 1)),
                (corner(rect.x1 - 1, rect.y0), corner(rect.x0, rect.y1 - 1)),
            ] {
                marks.push(Mark::Path {
                    points: vec![from, to],
                    closed: false,
                });
            }
        }
    }
    Scene {
        photo: Photo {
            key: sheet.key,
            image: Arc::clone(image),
        },
        view,
        layers: Vec::new(),
        marks,
        next: Vec::new(),
        thumbnails: thumbnails(state),
    }
}

/// Those of the list that are there.
fn thumbnails(state: &State) -> Vec<Thumbnail> {
    let Some(listing) = state.listing().filter(|l| l.picture > 0) else {
        return Vec::new();
    };
    let listed = state.listed(listing).enumerate();
    listed
        .filter_map(|(nth, at)| {
            let photo = state.thumbnails.get(&state.images[at])?.clone()?;
            Some(Thumbnail {
                photo,
                cells: listing.thumbnail(nth),
            })
        })
        .collect()
}

/// The neighbours that are decoded already, the likeliest to be next first.
fn next(state: &State) -> Vec<Photo> {
    let ahead = state.ahead();
    let decoded = |path| state.neighbours.iter().find(|(p, _)| p == path);
    let found = ahead.iter().filter_map(decoded);
    found.map(|(_, photo)| photo.clone()).collect()
}

fn layers(state: &State, open: &Open) -> Vec<Layer> {
    let document = open.document();
    let style = match state.overlay() {
        Overlay::Fill => Style::Fill,
        Overlay::Outline | Overlay::Blink | Overlay::Dark => Style::Outline,
        Overlay::Off => Style::Hint,
    };
    let seen = !matches!(state.overlay(), Overlay::Off | Overlay::Dark);
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
    let draft = match &state.mode {
        Mode::Contour(contour) => Some(Arc::clone(&contour.mask)),
        _ => document.draft.mask(),
    };
    let draft = draft.filter(|_| seen);
    layers.extend(draft.map(|mask| Layer {
        mask,
        colour: state.colour(&state.draft_class()),
        style: if style == Style::Fill {
            Style::Strong
        } else {
            style
        },
    }));
    let preview = state.preview().and_then(|answer| answer.proposals.first());
    layers.extend(preview.filter(|_| seen).map(|proposal| Layer {
        mask: Arc::clone(&proposal.mask),
        colour: state.colour(&state.draft_class()),
        style: Style::Hint,
    }));
    if state.mode == Mode::Hints {
        let hints = open.hints.iter().enumerate();
        layers.extend(hints.map(|(i, hint)| Layer {
            mask: Arc::clone(&hint.proposal.mask),
            colour: class_colour(i),
            style: Style::Outline,
        }));
    }
    layers
}

/// A small square around a point of an outline.
fn knob([x, y]: [f64; 2], half: u32) -> Mark {
    let (x, y) = (x as u32, y as u32);
    let (left, top) = (x.saturating_sub(half), y.saturating_sub(half));
    let corners = [
        (left, top),
        (x + half, top),
        (x + half, y + half),
        (left, y + half),
    ];
    Mark::Path {
        points: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        closed: true,
    }
}

fn marks(state: &State, open: &Open) -> Vec<Mark> {
    let prompt = &open.document().draft.prompt;
    let mut marks = Vec::new();
    if state.mode == Mode::Hints {
        let hints = open.hints.iter().zip('a'..);
        return hints
            .map(|(hint, letter)| Mark::Label {
                at: hint.at,
                text: letter.to_string(),
            })
            .collect();
    }
    if let Mode::Grid { region } = state.mode {
        marks.push(Mark::Grid(region));
    }
    if let Some(corner) = open.corner {
        let rect = ImageRect::from_corners(corner, open.cursor);
        marks.push(Mark::Box(rect));
    }
    if let Some(from) = state.pressed.filter(|from| *from != open.cursor)
        && !matches!(state.mode, Mode::Brush(_) | Mode::Contour(_))
    {
        let rect = ImageRect::from_corners(from, open.cursor);
        marks.push(Mark::Box(rect));
    }
    for at in &open.extremes {
        marks.push(Mark::Box(ImageRect::from_corners(*at, *at)));
    }
    marks.extend(prompt.rect.map(Mark::Box));
    marks.extend(prompt.clicks.iter().copied().map(Mark::Click));
    match state.mode {
        Mode::Brush(_) => marks.push(Mark::Brush {
            at: open.cursor,
            radius: state.brush,
        }),
        Mode::Review => {}
        Mode::Contour(ref contour) => {
            let half = (3.0 / open.view.scale()).round().max(1.0) as u32;
            let rings = contour.outline.rings();
            marks.extend(rings.iter().flatten().map(|point| knob(*point, half)));
            marks.push(Mark::Crosshair(open.cursor));
        }
        Mode::Polygon { ref points } => {
            let mut points = points.clone();
            points.push(open.cursor);
            marks.push(Mark::Path {
                points,
                closed: true,
            });
            marks.push(Mark::Crosshair(open.cursor));
        }
        _ => marks.push(Mark::Crosshair(open.cursor)),
    }
    marks
}
