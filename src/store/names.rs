//! Which images of two lists are the same, by names that tools change on the way.

use std::collections::{HashMap, HashSet};

use crate::store::decode::ENDINGS;
use crate::store::sidecar::MASK;

/// Pairs of places in `a` and `b` whose names mean one image. Both hold names below their folder,
/// with `/` between the parts. Tried in this order, each only where it is unambiguous: the name as
/// it is; its parts joined by `_` (as an export names it), with and without its ending; its last
/// part, with and without its ending.
pub fn pair(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let keys: [fn(&str) -> String; 5] = [
        |name| name.replace('\\', "/"),
        |name| flat(name),
        |name| stem(&flat(name)),
        |name| last(name),
        |name| stem(&last(name)),
    ];
    let mut rest_a: Vec<usize> = (0..a.len()).collect();
    let mut rest_b: Vec<usize> = (0..b.len()).collect();
    let mut pairs = Vec::new();
    for key in keys {
        let there = unique(&rest_b, b, key);
        let found: Vec<(usize, usize)> = unique(&rest_a, a, key)
            .into_iter()
            .filter_map(|(name, i)| Some((i, *there.get(&name)?)))
            .collect();
        let taken: (HashSet<usize>, HashSet<usize>) = found.iter().copied().unzip();
        rest_a.retain(|i| !taken.0.contains(i));
        rest_b.retain(|j| !taken.1.contains(j));
        pairs.extend(found);
    }
    pairs.sort_unstable();
    pairs
}

fn unique(places: &[usize], names: &[String], key: fn(&str) -> String) -> HashMap<String, usize> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for place in places {
        found.entry(key(&names[*place])).or_default().push(*place);
    }
    let single = found.into_iter().filter(|(_, places)| places.len() == 1);
    single.map(|(name, places)| (name, places[0])).collect()
}

fn flat(name: &str) -> String {
    name.replace(['/', '\\'], "_")
}

fn last(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned()
}

/// Without the ending of an image or mask; a dot of another meaning stays.
fn stem(name: &str) -> String {
    if let Some(stem) = name.strip_suffix(MASK) {
        return stem.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&ending.to_lowercase().as_str()) => {
            stem.to_owned()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let pairs = pair(&owned(a), &owned(b)).into_iter();
        pairs.map(|(i, j)| (a[i], b[j])).collect()
    }

    #[test]
    fn an_image_is_known_by_what_tools_make_of_its_name() {
        for other in [
            "x/a.v2.jpg",
            "x_a.v2.jpg",
            "x_a.v2",
            "a.v2.jpg",
            "a.v2",
            "y/a.v2.png",
        ] {
            assert_eq!(paired(&["x/a.v2.jpg"], &[other]), [("x/a.v2.jpg", other)]);
        }
        assert_eq!(
            paired(&["a.jpg"], &["a.mask.png"]),
            [("a.jpg", "a.mask.png")]
        );
    }

    #[test]
    fn a_name_that_may_mean_two_images_means_none() {
        assert_eq!(paired(&["x/a.jpg", "y/a.jpg"], &["a.jpg"]), []);
        assert_eq!(
            paired(&["x/a.jpg", "y/a.jpg"], &["y/a.jpg", "a.png"]),
            [("x/a.jpg", "a.png"), ("y/a.jpg", "y/a.jpg")],
            "once the other is taken it is clear"
        );
    }
}
