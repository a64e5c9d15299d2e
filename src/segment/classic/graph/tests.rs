//! A cut against every labelling of a small grid.

use super::*;
use proptest::prelude::*;

const WIDTH: usize = 3;
const HEIGHT: usize = 4;
const NODES: usize = WIDTH * HEIGHT;

/// Links to the right, to the lower left, down and to the lower right: (from, to, direction).
fn links() -> Vec<(usize, usize, usize)> {
    let mut links = Vec::new();
    for i in 0..NODES {
        let (x, y) = ((i % WIDTH) as i32, (i / WIDTH) as i32);
        for (direction, (dx, dy)) in DIRECTIONS.into_iter().enumerate().skip(4) {
            let (x, y) = (x + dx, y + dy);
            if (0..WIDTH as i32).contains(&x) && (0..HEIGHT as i32).contains(&y) {
                links.push((i, y as usize * WIDTH + x as usize, direction));
            }
        }
    }
    links
}

fn cost(terminals: &[i32], weights: &[i32], side: impl Fn(usize) -> bool) -> i32 {
    let alone = (0..NODES).map(|i| match (side(i), terminals[i]) {
        (false, t) if t > 0 => t,
        (true, t) if t < 0 => -t,
        _ => 0,
    });
    let pairs = links()
        .into_iter()
        .zip(weights)
        .filter(|((a, b, _), _)| side(*a) != side(*b))
        .map(|(_, w)| *w);
    alone.sum::<i32>() + pairs.sum::<i32>()
}

proptest! {
    #[test]
    fn no_labelling_is_cheaper_than_the_cut(
        terminals in proptest::collection::vec(-30..30i32, NODES),
        weights in proptest::collection::vec(0..20i32, 29),
    ) {
        let mut graph = Graph::new(NODES);
        for (i, t) in terminals.iter().enumerate() {
            graph.pull(i as u32, *t);
        }
        prop_assert_eq!(links().len(), weights.len());
        for ((a, b, direction), weight) in links().into_iter().zip(&weights) {
            graph.link(a as u32, b as u32, direction, *weight);
        }
        let cut = graph.cut(&Cancel::default()).expect("a cut");
        let found = cost(&terminals, &weights, |i| cut[i]);
        let best = (0..1u32 << NODES)
            .map(|bits| cost(&terminals, &weights, |i| bits >> i & 1 == 1))
            .min();
        prop_assert_eq!(Some(found), best);
    }
}
