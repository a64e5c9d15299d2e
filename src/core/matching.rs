//! Which masks of two lists are the same object: the pairs whose `IoU`s add up to the most.

use std::collections::{HashMap, HashSet};

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use pathfinding::undirected::connected_components::components;

use super::mask::Mask;

/// A mask of either list, by their places, and how much of their union they share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub a: usize,
    pub b: usize,
    pub iou: f64,
}

/// Each mask of two lists once: in a pair, or alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matching {
    /// Sorted by `a`.
    pub pairs: Vec<Pair>,
    pub only_a: Vec<usize>,
    pub only_b: Vec<usize>,
}

/// Pairs the masks of one image so that the sum of the pairs' `IoU`s is the largest that there is
/// (Kuhn 1955, Munkres 1957). Masks whose `IoU` is below `least`, and those that share no pixel,
/// are never a pair.
pub fn match_masks(a: &[&Mask], b: &[&Mask], least: f64) -> Matching {
    let overlaps = overlaps(a, b, least);
    let mut pairs = Vec::new();
    // Objects that have nothing to do with each other are paired apart: a thousand cells then cost
    // a thousand small problems instead of one whose cost grows with the cube of their number.
    let edges: Vec<Vec<usize>> = overlaps
        .keys()
        .map(|(i, j)| vec![*i, a.len() + j])
        .collect();
    for group in components(&edges) {
        let mut group: Vec<usize> = group.into_iter().collect();
        group.sort_unstable();
        let (rows, columns) = group.split_at(group.partition_point(|i| *i < a.len()));
        let columns: Vec<usize> = columns.iter().map(|j| j - a.len()).collect();
        pairs.extend(best(&overlaps, rows, &columns));
    }
    pairs.sort_by_key(|p| p.a);
    let taken_a: HashSet<usize> = pairs.iter().map(|p| p.a).collect();
    let taken_b: HashSet<usize> = pairs.iter().map(|p| p.b).collect();
    Matching {
        pairs,
        only_a: (0..a.len()).filter(|i| !taken_a.contains(i)).collect(),
        only_b: (0..b.len()).filter(|j| !taken_b.contains(j)).collect(),
    }
}

/// The `IoU` of each two masks that may be a pair.
fn overlaps(a: &[&Mask], b: &[&Mask], least: f64) -> HashMap<(usize, usize), f64> {
    let bounds: Vec<_> = b.iter().map(|m| m.bounds()).collect();
    let mut overlaps = HashMap::new();
    for (i, mask) in a.iter().enumerate() {
        let Some(here) = mask.bounds() else { continue };
        for (j, other) in b.iter().enumerate() {
            if bounds[j].is_none_or(|there| here.intersection(there).is_empty()) {
                continue;
            }
            let iou = mask.iou(other);
            if iou > 0.0 && iou >= least {
                overlaps.insert((i, j), iou);
            }
        }
    }
    overlaps
}

/// The best pairs among some rows and columns.
fn best(overlaps: &HashMap<(usize, usize), f64>, rows: &[usize], columns: &[usize]) -> Vec<Pair> {
    let turned = rows.len() > columns.len();
    let (short, long) = if turned {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let place = |i: usize, j: usize| {
        let (i, j) = (short[i], long[j]);
        if turned { (j, i) } else { (i, j) }
    };
    // The method needs whole numbers; a thousand millionth is less than a pixel of any image.
    let weights = Matrix::from_fn(short.len(), long.len(), |(i, j)| {
        let iou = overlaps.get(&place(i, j)).copied().unwrap_or(0.0);
        (iou * 1e9).round() as i64
    });
    let (_, taken) = kuhn_munkres(&weights);
    let places = taken.into_iter().enumerate().map(|(i, j)| place(i, j));
    places
        .filter_map(|(a, b)| {
            let iou = *overlaps.get(&(a, b))?;
            Some(Pair { a, b, iou })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImageRect, Size};
    use proptest::prelude::*;

    const SIZE: Size = Size::new(40, 4);

    fn bar(x0: u32, x1: u32) -> Mask {
        Mask::from_rect(SIZE, ImageRect::new(x0, 0, x1, 4))
    }

    fn matched(a: &[Mask], b: &[Mask], least: f64) -> Matching {
        let (a, b): (Vec<&Mask>, Vec<&Mask>) = (a.iter().collect(), b.iter().collect());
        match_masks(&a, &b, least)
    }

    /// Every way to pair them, tried.
    fn most(a: &[Mask], b: &[Mask]) -> f64 {
        let Some((first, rest)) = a.split_first() else {
            return 0.0;
        };
        let mut best = most(rest, b);
        for j in 0..b.len() {
            let mut left = b.to_vec();
            let other = left.remove(j);
            best = best.max(first.iou(&other) + most(rest, &left));
        }
        best
    }

    proptest! {
        #[test]
        fn no_other_pairing_shares_more(
            a in proptest::collection::vec((0..30u32, 1..10u32), 0..5),
            b in proptest::collection::vec((0..30u32, 1..10u32), 0..5),
        ) {
            let bars = |v: &[(u32, u32)]| v.iter().map(|(x, w)| bar(*x, x + w)).collect::<Vec<_>>();
            let (a, b) = (bars(&a), bars(&b));
            let found = matched(&a, &b, 0.0);
            let sum: f64 = found.pairs.iter().map(|p| p.iou).sum();
            prop_assert!((sum - most(&a, &b)).abs() < 1e-6);
            prop_assert_eq!(found.pairs.len() + found.only_a.len(), a.len());
            prop_assert_eq!(found.pairs.len() + found.only_b.len(), b.len());
        }
    }

    #[test]
    fn the_greedy_choice_is_given_up_where_it_costs_another_pair_more() {
        // The second of b is nearest to the first of a, but is all that the second of a has.
        let a = [bar(0, 10), bar(6, 16)];
        let b = [bar(0, 6), bar(3, 13)];
        let found = matched(&a, &b, 0.0);
        assert_eq!(
            found.pairs.iter().map(|p| (p.a, p.b)).collect::<Vec<_>>(),
            [(0, 0), (1, 1)]
        );
        assert!((found.pairs[0].iou - 0.6).abs() < 1e-12);
    }

    #[test]
    fn masks_that_hardly_touch_are_two_objects() {
        let found = matched(&[bar(0, 10)], &[bar(9, 19)], 0.1);
        assert_eq!((found.only_a, found.only_b), (vec![0], vec![0]));
    }
}
