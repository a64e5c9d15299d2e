//! What an outside click deep in an answer says of the places alike around it: the net alone takes it
//! for a hole in what it saw before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::probability::probabilities;
use crate::core::geometry::ImagePoint;
use crate::core::image::Image;
use crate::core::prompt::{Prompt, Side, Soft};
use crate::segment::crop::{Square, crop, nearest_byte};

/// Cells across what was looked at, of which each is nearer to one click or to another.
const CELLS: usize = 96;
/// How far from the object's border a click lies, as a share of the square root of its area, that says
/// so much: nearer ones are after a detail.
const DEEP: f64 = 0.15;
/// What colour counts in a path's length, of which the way across all cells alone is 1.
const COLOUR: f32 = 4.0;
/// How much farther than to an inside click a place may be from the outside one, which the answer did
/// not know.
const NEWER: f32 = 1.4;
/// Paths that differ by this are about as long.
const ALIKE: f32 = 0.05;
/// The logit that places alike are brought nearer to, and how much nearer: the net decides.
const SURE: f32 = -3.0;
const NEARER: f32 = 0.65;

/// The answer as the next look is shown it; `None` where the newest click says nothing new of places
/// around it.
pub fn spread(image: &Image, prompt: &Prompt, known: &Soft, threshold: f32) -> Option<Soft> {
    let newest = prompt.clicks.last().filter(|c| c.side == Side::Outside)?;
    let seen = Grid::over(known);
    let at = seen.cell(newest.at)?;
    let object: Vec<bool> = seen
        .centres()
        .map(|(x, y)| known.at(x, y) > threshold)
        .collect();
    if !object[at] || depth(&object, at) < DEEP {
        return None;
    }
    let inside = prompt.points(Side::Inside);
    let inside: Vec<usize> = inside.filter_map(|at| seen.cell(at)).collect();
    // Without one nothing would be left of the object.
    if inside.is_empty() {
        return None;
    }
    let costs = costs(&crop(image, seen.square, CELLS));
    let (from_outside, from_inside) = (paths(&costs, &[at]), paths(&costs, &inside));
    let weights: Vec<f32> = from_outside
        .iter()
        .zip(&from_inside)
        .map(|(out, inside)| NEARER / (1.0 + ((out - inside * NEWER) / ALIKE).exp()))
        .collect();
    Some(brought_nearer(known, &weights))
}

/// Square cells over what was looked at.
struct Grid {
    square: Square,
}

impl Grid {
    fn over(known: &Soft) -> Self {
        let square = Square {
            x: known.x,
            y: known.y,
            side: known.across(),
        };
        Self { square }
    }

    /// The cell that a pixel lies in, if it was looked at.
    fn cell(&self, at: ImagePoint) -> Option<usize> {
        let place = |at: u32, start: f64| {
            let cell = (f64::from(at) + 0.5 - start) / self.square.side * CELLS as f64;
            (0.0..CELLS as f64).contains(&cell).then_some(cell as usize)
        };
        let (col, row) = (place(at.x, self.square.x)?, place(at.y, self.square.y)?);
        Some(row * CELLS + col)
    }

    /// The middles of all cells in image pixels, row by row.
    fn centres(&self) -> impl Iterator<Item = (f64, f64)> {
        let Square { x, y, side } = self.square;
        let middle = move |cell: usize| (cell as f64 + 0.5) * side / CELLS as f64;
        (0..CELLS * CELLS).map(move |i| (x + middle(i % CELLS), y + middle(i / CELLS)))
    }
}

/// How far a cell of the object lies from its border, as a share of the square root of its area. It
/// ends where what was looked at does.
fn depth(object: &[bool], at: usize) -> f64 {
    let place = |i: usize| ((i % CELLS) as f64, (i / CELLS) as f64);
    let (col, row) = place(at);
    let last = (CELLS - 1) as f64;
    let to_end = 1.0 + col.min(row).min(last - col).min(last - row);
    let beyond = (0..object.len()).filter(|i| !object[*i]).map(place);
    let nearest = beyond
        .map(|(x, y)| (x - col).hypot(y - row))
        .fold(to_end, f64::min);
    let area = object.iter().filter(|is| **is).count();
    nearest / (area as f64).sqrt()
}

/// What a step from a cell costs, by how its colour differs from those to its right and below.
fn costs(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let smooth = smoothed(pixels);
    let differ = |a: &[f32; 3], b: &[f32; 3]| -> f32 {
        let each = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        each.sum::<f32>() / (3.0 * 255.0)
    };
    let cost = |i: usize| {
        let right = if i % CELLS + 1 < CELLS { i + 1 } else { i };
        let below = if i + CELLS < smooth.len() {
            i + CELLS
        } else {
            i
        };
        let edge = differ(&smooth[i], &smooth[right]) + differ(&smooth[i], &smooth[below]);
        1.0 / CELLS as f32 + COLOUR * edge
    };
    (0..smooth.len()).map(cost).collect()
}

/// Each colour with a little of its neighbours', by 1 2 1 across and down.
fn smoothed(pixels: &[[u8; 3]]) -> Vec<[f32; 3]> {
    let part = |a: [f32; 3], b: [f32; 3], c: [f32; 3]| -> [f32; 3] {
        std::array::from_fn(|k| 0.25 * (a[k] + 2.0 * b[k] + c[k]))
    };
    let pixels: Vec<[f32; 3]> = pixels.iter().map(|p| p.map(f32::from)).collect();
    let across = |i: usize| {
        let (first, last) = (i - i % CELLS, i - i % CELLS + CELLS - 1);
        part(
            pixels[i.max(first + 1) - 1],
            pixels[i],
            pixels[(i + 1).min(last)],
        )
    };
    let rows: Vec<[f32; 3]> = (0..pixels.len()).map(across).collect();
    let down = |i: usize| {
        let above = i.checked_sub(CELLS).unwrap_or(i);
        let below = if i + CELLS < rows.len() { i + CELLS } else { i };
        part(rows[above], rows[i], rows[below])
    };
    (0..rows.len()).map(down).collect()
}

/// The length of the shortest path from any of some cells to each (Dijkstra).
fn paths(costs: &[f32], from: &[usize]) -> Vec<f32> {
    let mut lengths = vec![f32::INFINITY; costs.len()];
    let mut next = BinaryHeap::new();
    for start in from {
        lengths[*start] = 0.0;
        next.push(Reverse((0, *start)));
    }
    // The bits of numbers that are not negative are in their order.
    while let Some(Reverse((bits, at))) = next.pop() {
        let length = f32::from_bits(bits);
        if length > lengths[at] {
            continue;
        }
        let (col, row) = (at % CELLS, at / CELLS);
        for y in row.saturating_sub(1)..(row + 2).min(CELLS) {
            for x in col.saturating_sub(1)..(col + 2).min(CELLS) {
                let to = y * CELLS + x;
                let step: f32 = if x != col && y != row {
                    std::f32::consts::SQRT_2
                } else {
                    1.0
                };
                let reached = length + 0.5 * step * (costs[at] + costs[to]);
                if reached < lengths[to] {
                    lengths[to] = reached;
                    next.push(Reverse((reached.to_bits(), to)));
                }
            }
        }
    }
    lengths
}

/// The answer with its logits brought nearer to what the click says, by weights of cells.
fn brought_nearer(known: &Soft, weights: &[f32]) -> Soft {
    let lines = |length: u32| -> Vec<(usize, f32)> {
        let most = (CELLS - 1) as f32;
        (0..length)
            .map(|i| (i as f32 + 0.5) * CELLS as f32 / length as f32 - 0.5)
            .map(|at| at.clamp(0.0, most))
            .map(|at| ((at as usize).min(CELLS - 2), at))
            .map(|(cell, at)| (cell, at - cell as f32))
            .collect()
    };
    let (columns, rows) = (lines(known.width), lines(known.height));
    let logits: [f32; 256] = std::array::from_fn(|value| {
        let share = (value as f32 + 0.5) / 256.0;
        (share / (1.0 - share)).ln()
    });
    let mut nearer = Vec::with_capacity(known.values.len());
    for (row, (j, down)) in known.values.chunks_exact(columns.len()).zip(rows) {
        let line: Vec<f32> = weights[j * CELLS..][..CELLS]
            .iter()
            .zip(&weights[(j + 1) * CELLS..][..CELLS])
            .map(|(above, below)| above + down * (below - above))
            .collect();
        for (value, (i, across)) in row.iter().zip(&columns) {
            let weight = line[*i] + across * (line[i + 1] - line[*i]);
            let logit = logits[usize::from(*value)];
            nearer.push(logit + weight * (SURE - logit));
        }
    }
    let mut values = known.values.clone();
    for (value, nearer) in values.iter_mut().zip(probabilities(nearer)) {
        // What is surer already stays.
        if logits[usize::from(*value)] > SURE {
            *value = nearest_byte(255.0 * nearer);
        }
    }
    Soft {
        values,
        ..known.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Size;
    use crate::core::prompt::Click;

    /// A red half beside a green one, an answer that holds both but for a border, a click in each.
    fn spread_by(outside: ImagePoint) -> Option<Soft> {
        let size = Size::new(192, 192);
        let colour = |i: u32| {
            if i % 192 < 96 {
                [200, 20, 20]
            } else {
                [20, 200, 20]
            }
        };
        let pixels = (0..192 * 192).flat_map(colour).collect();
        let image = Image::from_rgb(size, pixels);
        let at = |i: u32| (8..184).contains(&(i % 192)) && (8..184).contains(&(i / 192));
        let known = Soft {
            x: 0.0,
            y: 0.0,
            scale: 1.0,
            width: 192,
            height: 192,
            values: (0..192 * 192)
                .map(|i| if at(i) { 250 } else { 2 })
                .collect(),
        };
        let click = |at, side| Click { at, side };
        let inside = click(ImagePoint::new(48, 96), Side::Inside);
        let prompt = Prompt {
            rect: None,
            clicks: vec![inside, click(outside, Side::Outside)],
        };
        spread(&image, &prompt, &known, 0.49)
    }

    #[test]
    fn a_click_deep_in_the_answer_counts_up_to_the_next_colour() {
        let spread = spread_by(ImagePoint::new(140, 60)).expect("it lies deep");
        let at = |x: usize, y: usize| spread.values[y * 192 + x];
        assert!(
            [at(100, 20), at(180, 180), at(140, 100)]
                .iter()
                .all(|v| *v < 125)
        );
        assert!(
            [at(90, 20), at(12, 180), at(48, 90)]
                .iter()
                .all(|v| *v > 245)
        );
        assert_eq!(at(188, 60), 2, "what was surer stays");
    }

    #[test]
    fn a_click_near_the_border_is_after_a_detail() {
        assert!(spread_by(ImagePoint::new(178, 60)).is_none());
        assert!(
            spread_by(ImagePoint::new(188, 60)).is_none(),
            "outside already"
        );
    }
}
