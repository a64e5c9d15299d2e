//! Two sets of masks, object by object: what is the same, changed, missing, extra; and how far two
//! annotators agree.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use crate::core::mask::Mask;
use crate::core::matching::{Matching, match_masks};
use crate::store::masks::{Instance, Masked, Masks};
use crate::store::names;

/// Masks that share less are two objects, not one that changed.
pub const LEAST_SHARED: f64 = 0.1;

/// An object as one of the sets has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub id: u64,
    pub class: Option<Arc<str>>,
}

/// What became of an object from the first set to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only the first has it.
    Missing,
    /// Only the second has it.
    Extra,
    /// Other pixels.
    Changed,
    /// The same pixels, another class.
    OtherClass,
    Same,
}

/// One object of either set, or of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The image's name in the set that has the object.
    pub image: String,
    /// The image, where it lies beside the masks of one of the sets.
    pub path: Option<PathBuf>,
    pub change: Change,
    /// 0 where only one of the sets has the object.
    pub iou: f64,
    pub a: Option<Seen>,
    pub b: Option<Seen>,
}

/// All objects of two sets, worst first.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Images that one of the sets has at least.
    pub images: usize,
    pub rows: Vec<Row>,
    /// Images that cannot be compared, with the reason.
    pub left_out: Vec<String>,
}

impl Comparison {
    pub fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|r| r.change == change).count()
    }

    /// Over the objects that both have; `None` where there are none.
    pub fn mean_iou_of_pairs(&self) -> Option<f64> {
        mean(
            self.rows
                .iter()
                .filter(|r| r.a.is_some() && r.b.is_some())
                .map(|r| r.iou),
        )
    }

    /// Missing and extra objects count as 0; `None` where there are no objects.
    pub fn mean_iou(&self) -> Option<f64> {
        mean(self.rows.iter().map(|r| r.iou))
    }

    /// The images with a difference, each once, the one with the worst object first.
    pub fn worst_images(&self) -> Vec<&Row> {
        let mut seen = HashSet::new();
        let differing = self.rows.iter().filter(|r| r.change != Change::Same);
        differing
            .filter(|r| seen.insert((&r.path, &r.image)))
            .collect()
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Compares two sets; objects that share `same` of their union or more count as the same.
pub fn compare(a: &Masks, b: &Masks, same: f64) -> Comparison {
    let pairs = image_pairs(a, b);
    let (in_a, in_b): (HashSet<usize>, HashSet<usize>) = pairs.iter().copied().unzip();
    let left: Vec<String> = a.left_out.iter().chain(&b.left_out).cloned().collect();
    let mut comparison = Comparison {
        images: a.images.len() + b.images.len() - pairs.len(),
        rows: Vec::new(),
        left_out: left,
    };
    let compared = pairs.par_iter().map(|(i, j)| {
        let (a, b) = (&a.images[*i], &b.images[*j]);
        check_sizes(a, b).map(|()| rows(a, b, same))
    });
    for image in compared.collect::<Vec<_>>() {
        match image {
            Ok(rows) => comparison.rows.extend(rows),
            Err(why) => comparison.left_out.push(why),
        }
    }
    let alone = unpaired(a, &in_a).map(|(image, o)| row(image, None, Some(o), None, 0.0, same));
    comparison.rows.extend(alone);
    let alone = unpaired(b, &in_b).map(|(image, o)| row(image, None, None, Some(o), 0.0, same));
    comparison.rows.extend(alone);
    comparison.rows.sort_by(|a, b| {
        a.iou.total_cmp(&b.iou).then_with(|| {
            let by_name = natord::compare(&a.image, &b.image);
            a.change.cmp(&b.change).then(by_name)
        })
    });
    comparison
}

/// The objects of the images that the other set does not have.
fn unpaired<'a>(
    set: &'a Masks,
    paired: &'a HashSet<usize>,
) -> impl Iterator<Item = (&'a Masked, &'a Instance)> {
    let images = set.images.iter().enumerate();
    images
        .filter(|(i, _)| !paired.contains(i))
        .flat_map(|(_, image)| image.objects.iter().map(move |o| (image, o)))
}

fn image_pairs(a: &Masks, b: &Masks) -> Vec<(usize, usize)> {
    let names = |set: &Masks| {
        set.images
            .iter()
            .map(|i| i.name.clone())
            .collect::<Vec<_>>()
    };
    names::pair(&names(a), &names(b))
}

fn check_sizes(a: &Masked, b: &Masked) -> Result<(), String> {
    if a.size == b.size {
        return Ok(());
    }
    Err(format!(
        "{}: the masks are of {}x{} and of {}x{} pixels; they are not of one image",
        a.name, a.size.width, a.size.height, b.size.width, b.size.height
    ))
}

/// The objects of an image that both sets have; its sizes must be the same.
pub fn matching(a: &[Instance], b: &[Instance], least: f64) -> Matching {
    let masks = |objects: &'_ [Instance]| -> Vec<Arc<Mask>> {
        objects.iter().map(|o| Arc::clone(&o.mask)).collect()
    };
    let (a, b) = (masks(a), masks(b));
    let (a, b): (Vec<&Mask>, Vec<&Mask>) = (
        a.iter().map(|m| &**m).collect(),
        b.iter().map(|m| &**m).collect(),
    );
    match_masks(&a, &b, least)
}

fn rows(a: &Masked, b: &Masked, same: f64) -> Vec<Row> {
    let matching = matching(&a.objects, &b.objects, LEAST_SHARED);
    let pairs = matching.pairs.iter().map(|pair| {
        let (first, second) = (&a.objects[pair.a], &b.objects[pair.b]);
        row(a, Some(b), Some(first), Some(second), pair.iou, same)
    });
    let missing = matching.only_a.iter().map(|i| &a.objects[*i]);
    let missing = missing.map(|o| row(a, Some(b), Some(o), None, 0.0, same));
    let extra = matching.only_b.iter().map(|j| &b.objects[*j]);
    let extra = extra.map(|o| row(a, Some(b), None, Some(o), 0.0, same));
    pairs.chain(missing).chain(extra).collect()
}

fn row(
    image: &Masked,
    other: Option<&Masked>,
    a: Option<&Instance>,
    b: Option<&Instance>,
    iou: f64,
    same: f64,
) -> Row {
    let change = match (a, b) {
        (_, None) => Change::Missing,
        (None, _) => Change::Extra,
        _ if iou < same => Change::Changed,
        (Some(a), Some(b)) if has_other_class(a, b) => Change::OtherClass,
        _ => Change::Same,
    };
    let seen = |o: &Instance| Seen {
        id: o.id,
        class: o.class.clone(),
    };
    Row {
        image: image.name.clone(),
        path: image
            .source
            .clone()
            .or_else(|| other.and_then(|o| o.source.clone())),
        change,
        iou,
        a: a.map(seen),
        b: b.map(seen),
    }
}

/// Whether both classes are known and differ.
pub fn has_other_class(a: &Instance, b: &Instance) -> bool {
    matches!((&a.class, &b.class), (Some(a), Some(b)) if a != b)
}

/// How far two annotators agree on the images that both annotated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub images: usize,
    /// Of the first and of the second, on these images.
    pub objects: [usize; 2],
    /// Over the objects that both have; `None` where there are none.
    pub mean_iou: Option<f64>,
    /// 2 TP / (objects of both), where TP are the pairs of `IoU` 0.5 and more.
    pub f1: Option<f64>,
    /// Cohen's kappa of the classes of these pairs; `None` where there are none, and where both
    /// use one class alone.
    pub kappa: Option<f64>,
    /// Images that cannot be compared, with the reason.
    pub left_out: Vec<String>,
}

/// A pair of this `IoU` is one object, as in COCO and PASCAL VOC.
const SAME_OBJECT: f64 = 0.5;

pub fn agree(a: &Masks, b: &Masks) -> Agreement {
    let left: Vec<String> = a.left_out.iter().chain(&b.left_out).cloned().collect();
    let mut agreement = Agreement {
        images: 0,
        objects: [0, 0],
        mean_iou: None,
        f1: None,
        kappa: None,
        left_out: left,
    };
    let (mut ious, mut classes) = (Vec::new(), Vec::new());
    for (i, j) in image_pairs(a, b) {
        let (a, b) = (&a.images[i], &b.images[j]);
        if let Err(why) = check_sizes(a, b) {
            agreement.left_out.push(why);
            continue;
        }
        agreement.images += 1;
        agreement.objects[0] += a.objects.len();
        agreement.objects[1] += b.objects.len();
        for pair in matching(&a.objects, &b.objects, LEAST_SHARED).pairs {
            ious.push(pair.iou);
            let both = (&a.objects[pair.a].class, &b.objects[pair.b].class);
            if let (true, (Some(a), Some(b))) = (pair.iou >= SAME_OBJECT, both) {
                classes.push((&**a, &**b));
            }
        }
    }
    let hits = ious.iter().filter(|iou| **iou >= SAME_OBJECT).count();
    let all: usize = agreement.objects.iter().sum();
    agreement.f1 = (all > 0).then(|| 2.0 * hits as f64 / all as f64);
    agreement.mean_iou = mean(ious.into_iter());
    agreement.kappa = kappa(&classes);
    agreement
}

/// Cohen's kappa (1960): how much more two persons' words agree than by chance.
fn kappa(words: &[(&str, &str)]) -> Option<f64> {
    let n = words.len() as f64;
    let mut counts: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for (a, b) in words {
        counts.entry(a).or_default()[0] += 1.0;
        counts.entry(b).or_default()[1] += 1.0;
    }
    let observed = words.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let chance: f64 = counts.values().map(|[a, b]| a * b).sum::<f64>() / (n * n);
    (!words.is_empty() && chance < 1.0).then(|| (observed - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImageRect, Size};

    const SIZE: Size = Size::new(40, 10);

    fn image(name: &str, objects: &[(&str, u32, u32)]) -> Masked {
        let instance = |(id, (class, x0, x1)): (u64, &(&str, u32, u32))| Instance {
            id,
            class: Some((*class).into()),
            mask: Arc::new(Mask::from_rect(SIZE, ImageRect::new(*x0, 0, *x1, 10))),
            confidence: None,
        };
        Masked {
            name: name.into(),
            source: Some(name.into()),
            size: SIZE,
            objects: (1..).zip(objects).map(instance).collect(),
        }
    }

    fn set(images: Vec<Masked>) -> Masks {
        Masks {
            images,
            left_out: Vec::new(),
        }
    }

    #[test]
    fn each_object_is_told_once_the_worst_first() {
        let a = set(vec![
            image("a.png", &[("cat", 0, 10), ("cat", 20, 30), ("cat", 32, 40)]),
            image("b.png", &[("dog", 0, 5)]),
        ]);
        let b = set(vec![
            image("a.png", &[("cat", 0, 8), ("dog", 20, 30), ("cat", 12, 18)]),
            image("c.png", &[("dog", 0, 5)]),
        ]);
        let found = compare(&a, &b, 1.0);
        let told: Vec<(&str, Change)> = found.rows.iter().map(|r| (&*r.image, r.change)).collect();
        assert_eq!(
            told,
            [
                ("a.png", Change::Missing),
                ("b.png", Change::Missing),
                ("a.png", Change::Extra),
                ("c.png", Change::Extra),
                ("a.png", Change::Changed),
                ("a.png", Change::OtherClass),
            ]
        );
        assert!((found.mean_iou_of_pairs().expect("pairs") - 0.9).abs() < 1e-12);
        assert!((found.mean_iou().expect("objects") - 0.3).abs() < 1e-12);
        let worst: Vec<&str> = found.worst_images().iter().map(|r| &*r.image).collect();
        assert_eq!(worst, ["a.png", "b.png", "c.png"]);
        assert_eq!(compare(&a, &b, 0.8).count(Change::Changed), 0);
        assert_eq!(compare(&a, &a, 1.0).count(Change::Same), 4);
    }

    #[test]
    fn images_of_two_sizes_are_left_out_by_name() {
        let mut other = image("a.png", &[("cat", 0, 10)]);
        other.size = Size::new(40, 11);
        let found = compare(&set(vec![image("a.png", &[])]), &set(vec![other]), 1.0);
        assert!(found.rows.is_empty());
        assert!(found.left_out[0].contains("a.png"), "{:?}", found.left_out);
    }

    #[test]
    fn agreement_is_that_of_the_textbook() {
        // Cohen's example in Wikipedia: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: kappa 0.4.
        let words = [
            ("y", "y", 20),
            ("y", "n", 5),
            ("n", "y", 10),
            ("n", "n", 15),
        ];
        let words: Vec<(&str, &str)> = words
            .iter()
            .flat_map(|(a, b, n)| std::iter::repeat_n((*a, *b), *n))
            .collect();
        assert!((kappa(&words).expect("two classes") - 0.4).abs() < 1e-12);
        assert_eq!(kappa(&[("y", "y")]), None);
        assert_eq!(kappa(&[]), None);
    }

    #[test]
    fn only_images_that_both_annotated_count_for_agreement() {
        let a = set(vec![
            image("a.png", &[("cat", 0, 10), ("dog", 20, 30)]),
            image("b.png", &[("cat", 0, 10)]),
        ]);
        let b = set(vec![image("a.png", &[("cat", 0, 9), ("dog", 26, 36)])]);
        let found = agree(&a, &b);
        assert_eq!((found.images, found.objects), (1, [2, 2]));
        assert_eq!(
            found.f1,
            Some(0.5),
            "the second pair shares a quarter alone"
        );
        assert!((found.mean_iou.expect("pairs") - 0.575).abs() < 1e-12);
        assert_eq!(found.kappa, None, "one pair of one class");
    }
}
