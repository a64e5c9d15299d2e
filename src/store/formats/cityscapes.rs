//! Cityscapes: `labelIds` and `instanceIds` PNGs and `polygons` JSON, in its tree of folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::png_masks::painted;
use super::values::Values;
use super::{
    Found, FoundImage, Labelled, Out, Set, checked_size, files_below, filled, read_text, unreadable,
};
use crate::core::contour::{self, Ring};
use crate::store::error::Result;

/// Cityscapes' own labels in the order of their numbers; those from `FIRST_THING` on are counted.
const LABELS: [&str; 34] = [
    "unlabeled",
    "ego vehicle",
    "rectification border",
    "out of roi",
    "static",
    "dynamic",
    "ground",
    "road",
    "sidewalk",
    "parking",
    "rail track",
    "building",
    "wall",
    "fence",
    "guard rail",
    "bridge",
    "tunnel",
    "pole",
    "polegroup",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "caravan",
    "trailer",
    "train",
    "motorcycle",
    "bicycle",
];
const FIRST_THING: u16 = 24;

/// An instance's number is its label's times this, and its place among them.
const PER_LABEL: u16 = 1000;

/// The file that names the numbers of labels that Cityscapes has not.
const NAMES: &str = "labels.txt";

/// The folder that Cityscapes has for each city.
const CITY: &str = "termask";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    img_height: u64,
    img_width: u64,
    objects: Vec<Shape>,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    label: String,
    polygon: Ring,
    /// Labels that somebody took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted: Option<serde_json::Value>,
}

/// The number of each class: Cityscapes' own, or the next that is free.
fn numbers(set: &Set) -> BTreeMap<&str, u16> {
    let own = |name: &str| LABELS.iter().position(|l| *l == name);
    let mut free = LABELS.len() as u16..;
    let number = |name: &String| own(name).map(|i| i as u16).or_else(|| free.next());
    let numbers: Vec<u16> = set.classes.iter().filter_map(number).collect();
    let names = set.classes.iter().map(String::as_str);
    names.zip(numbers).collect()
}

pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    let numbers = numbers(set);
    for image in &set.images {
        let part = image.part.name();
        let instances = instances(image, &numbers)?;
        let ending = Path::new(&image.name).extension().unwrap_or_default();
        let picture = format!("{}_leftImg8bit.{}", image.stem, ending.display());
        out.copy(image, &format!("leftImg8bit/{part}/{CITY}/{picture}"))?;
        let place = format!("gtFine/{part}/{CITY}/{}_gtFine", image.stem);
        let label = |i: usize| numbers[&*image.objects[i].class];
        let labels = painted(image, label).to_png();
        out.write(&format!("{place}_labelIds.png"), &labels)?;
        let ids = painted(image, |i| instances[i]).to_png();
        out.write(&format!("{place}_instanceIds.png"), &ids)?;
        let shape = |object: &std::sync::Arc<_>| -> Shape {
            let rings = out.polygons(image, object).parts.concat();
            Shape {
                label: object.class.to_string(),
                polygon: contour::joined(&rings),
                deleted: None,
            }
        };
        let file = File {
            img_height: image.size.height.into(),
            img_width: image.size.width.into(),
            objects: image.objects.iter().map(shape).collect(),
        };
        let text = serde_json::to_vec_pretty(&file).expect("numbers, text and lists");
        out.write(&format!("{place}_polygons.json"), &text)?;
    }
    let lines = numbers.iter().map(|(name, number)| {
        let name = name.replace('\n', " ");
        format!("{number} {name}\n")
    });
    out.write(NAMES, lines.collect::<Vec<_>>().concat().as_bytes())
}

/// The number in the instance PNG of each of an image's objects.
fn instances(image: &Labelled, numbers: &BTreeMap<&str, u16>) -> Result<Vec<u16>> {
    let mut next: HashMap<u16, u16> = HashMap::new();
    let mut number = |class: &str| -> Option<u16> {
        let label = numbers[class];
        if label < FIRST_THING {
            return Some(label);
        }
        let place = next.entry(label).or_default();
        let number = label.checked_mul(PER_LABEL)?.checked_add(*place)?;
        *place += 1;
        (*place <= PER_LABEL).then_some(number)
    };
    let all = image.objects.iter().map(|o| number(&o.class));
    let all: Option<Vec<u16>> = all.collect();
    all.ok_or_else(|| {
        let why = "Cityscapes has room for 31 classes of your own and 1,000 objects of each";
        unreadable(&image.source, &why)
    })
}

/// A tree with instance PNGs, or with polygons alone.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let root = if from.is_file() {
        from.parent().unwrap_or(from)
    } else {
        from
    };
    let names = names(&root.join(NAMES))?;
    let mut found: BTreeMap<PathBuf, FoundImage> = BTreeMap::new();
    for path in files_below(from, "_instanceids.png")? {
        let (place, name) = place_of(&path);
        found.insert(place, painted_image(&path, name, &names)?);
    }
    for path in files_below(from, "_polygons.json")? {
        let (place, name) = place_of(&path);
        if let std::collections::btree_map::Entry::Vacant(free) = found.entry(place) {
            free.insert(parse(&path, &read_text(&path)?, name)?);
        }
    }
    Ok(found.into_values().collect())
}

/// Where a file's image would lie, and its name: both without `_gtFine_…`.
fn place_of(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = ["_gtFine_", "_gtCoarse_"]
        .iter()
        .find_map(|mark| name.split_once(mark))
        .map_or_else(|| name.to_string(), |(name, _)| name.to_owned());
    (path.with_file_name(&name), name)
}

/// The labels' names by their numbers.
fn names(list: &Path) -> Result<HashMap<u16, String>> {
    let own = LABELS.iter().map(|l| (*l).to_owned());
    let mut names: HashMap<u16, String> = (0..).zip(own).collect();
    if list.is_file() {
        let text = read_text(list)?;
        let line = |line: &str| {
            let (number, name) = line.split_once(' ')?;
            Some((number.parse().ok()?, name.to_owned()))
        };
        names.extend(text.lines().filter_map(line));
    }
    Ok(names)
}

fn painted_image(path: &Path, name: String, names: &HashMap<u16, String>) -> Result<FoundImage> {
    let values = Values::read(path)?;
    // Nothing, and licence plates, whose number is -1.
    let masks = values.masks(&[0, u16::MAX]).into_iter();
    let objects = masks.map(|(value, mask)| {
        let label = if value < PER_LABEL {
            value
        } else {
            value / PER_LABEL
        };
        let known = names.get(&label).cloned();
        Found {
            class: known.unwrap_or_else(|| format!("label {label}")),
            mask,
            confidence: None,
        }
    });
    Ok(FoundImage {
        name,
        size: values.size,
        objects: objects.collect(),
    })
}

/// The image of a polygon file's text.
pub fn parse(path: &Path, text: &str, name: String) -> Result<FoundImage> {
    let file: File = serde_json::from_str(text).map_err(|e| unreadable(path, &e))?;
    let size = checked_size(path, file.img_width, file.img_height)?;
    let mut objects = Vec::new();
    for (number, shape) in (1..).zip(file.objects) {
        let is_deleted = shape.deleted.is_some_and(|d| d != 0 && d != false);
        if is_deleted {
            continue;
        }
        let mask = filled(size, &[shape.polygon])
            .map_err(|why| unreadable(path, &format!("object {number}: {why}")))?;
        objects.push(Found::new(shape.label, mask));
    }
    Ok(FoundImage {
        name,
        size,
        objects,
    })
}
