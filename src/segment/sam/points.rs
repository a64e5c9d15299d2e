//! A prompt as the points, labels and boxes of a decoder.

use crate::core::prompt::{Prompt, Side};
use crate::segment::sam::family::{Boxes, Decoder};
use crate::segment::sam::input::Place;
use crate::segment::sam::net::Tensor;

/// The tensors of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub coordinates: Tensor,
    pub labels: Tensor,
    /// [1, boxes, 4] where the decoder has an input for them.
    pub boxes: Option<Tensor>,
}

impl Points {
    /// Lays a prompt into the decoder's frame: clicks, corners of the box, padding.
    pub fn of(prompt: &Prompt, decoder: &Decoder, place: &Place) -> Self {
        let (sx, sy) = place.scale;
        let laid = |x: u32, y: u32| [(f64::from(x) * sx) as f32, (f64::from(y) * sy) as f32];
        let mut points: Vec<([f32; 2], f32)> = prompt
            .clicks
            .iter()
            .map(|click| {
                let label = match click.side {
                    Side::Inside => 1.0,
                    Side::Outside => 0.0,
                };
                (laid(click.at.x, click.at.y), label)
            })
            .collect();
        let mut boxes = None;
        if let Boxes::Input(_) = decoder.boxes {
            boxes = Some(Tensor::new([1, 0, 4], Vec::new()));
        }
        let mut corners = Vec::new();
        if let Some(rect) = prompt.rect {
            let (from, to) = (laid(rect.x0, rect.y0), laid(rect.x1, rect.y1));
            let centre = rect.centre();
            match decoder.boxes {
                Boxes::Corners => corners.extend([(from, 2.0), (to, 3.0)]),
                Boxes::Input(_) => {
                    boxes = Some(Tensor::new([1, 1, 4], [from, to].concat()));
                }
                // The middle of the box stands for it; the caller prefers what fills the box.
                Boxes::Never if prompt.points(Side::Inside).next().is_none() => {
                    points.push((laid(centre.x, centre.y), 1.0));
                }
                Boxes::Never => {}
            }
        }
        let room = decoder.most.saturating_sub(corners.len());
        if decoder.most > 0 && points.len() > room {
            // The first click names the object, the newest ones correct it.
            points.drain(1..=points.len() - room);
        }
        points.append(&mut corners);
        if decoder.pads && prompt.rect.is_none() {
            points.push(([0.0, 0.0], -1.0));
        }
        let lead = vec![1; decoder.rank - 2];
        let n = points.len();
        Self {
            coordinates: Tensor::new(
                [&lead[..], &[n, 2]].concat(),
                points.iter().flat_map(|p| p.0).collect(),
            ),
            labels: Tensor::new(
                [&lead[..], &[n]].concat(),
                points.iter().map(|p| p.1).collect(),
            ),
            boxes,
        }
    }

    /// Prompts of as many points each, for one run.
    ///
    /// # Panics
    /// When there is none.
    pub fn together(all: impl Iterator<Item = Self>, decoder: &Decoder) -> Self {
        let grown = all.reduce(|mut all, next| {
            let axis = decoder.rank - 3;
            for (tensor, more) in [
                (&mut all.coordinates, next.coordinates),
                (&mut all.labels, next.labels),
            ] {
                tensor.shape[axis] += more.shape[axis];
                tensor.values.extend(more.values);
            }
            all
        });
        grown.expect("a prompt")
    }
}
