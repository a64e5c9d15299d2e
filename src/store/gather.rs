//! From a folder to what is exported, and from what another tool had to sidecars.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::core::document::{Millis, Object, Origin, Verdict};
use crate::store::decode;
use crate::store::error::{Error, Result};
use crate::store::folder;
use crate::store::formats::{self, FoundImage, Labelled, Part, Set};
use crate::store::pages;
use crate::store::settings;
use crate::store::sidecar::{self, Access, Sidecar};

/// What is exported of a folder.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Objects of this verdict alone; without one all but the rejected.
    pub only: Option<Verdict>,
    /// These classes alone, in this order; without any all.
    pub classes: Vec<String>,
    /// Shares of train, val and test, and the seed.
    pub split: Option<([f64; 3], u64)>,
}

/// What was gathered, and the images that had to be left out, with the reason.
#[derive(Debug, Default)]
pub struct Gathered {
    pub set: Set,
    pub left_out: Vec<String>,
}

/// All images under a folder that have a sidecar, with their objects.
pub fn gather(root: &Path, choice: &Choice) -> Result<Gathered> {
    let mut paths: Vec<PathBuf> = Vec::new();
    folder::walk(&[root.to_path_buf()], &mut |batch| {
        paths.extend(batch);
        true
    })?;
    let mut gathered = Gathered::default();
    let read = paths.par_iter().map(|path| labelled(root, path, choice));
    for image in read.collect::<Vec<_>>() {
        // One bad file does not stop the folder.
        match image {
            Ok(image) => gathered.set.images.extend(image),
            Err(why) => gathered.left_out.push(why.to_string()),
        }
    }
    make_unique(&mut gathered.set.images);
    gathered.set.classes = classes(root, choice, &gathered.set.images)?;
    gathered.set.is_split = choice.split.is_some();
    Ok(gathered)
}

fn labelled(root: &Path, path: &Path, choice: &Choice) -> Result<Option<Labelled>> {
    let Some(read) = sidecar::read(path)? else {
        return Ok(None);
    };
    let below = path
        .strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned();
    // A part of a list of lines, and of a path on any system.
    let name = below.replace(|c: char| c.is_control() || "/\\".contains(c), "_");
    // A page goes out as a file of its own.
    let name = match pages::split(path).1 {
        0 => name,
        _ => format!("{}.png", pages::stem(Path::new(&name))),
    };
    let objects = read.history.now().objects.iter();
    let wanted = |o: &&Arc<Object>| formats::is_wanted(o, choice.only, &choice.classes);
    Ok(Some(Labelled {
        source: path.to_path_buf(),
        stem: stem(&name),
        size: read.image.size(),
        is_turned: read.image.orientation != 1,
        objects: objects.filter(wanted).cloned().collect(),
        part: match choice.split {
            Some((shares, seed)) => formats::part_of(&name, shares, seed),
            None => Part::Train,
        },
        name,
    }))
}

fn stem(name: &str) -> String {
    let stem = Path::new(name).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// `a.jpg` and `a.png` would have one label file: the later one is called `a_png.png`.
fn make_unique(images: &mut [Labelled]) {
    let mut taken = BTreeSet::new();
    for image in images {
        let ending = Path::new(&image.name).extension().unwrap_or_default();
        let ending = ending.to_string_lossy().into_owned();
        let mut stem = image.stem.clone();
        while !taken.insert(stem.to_lowercase()) {
            stem = format!("{stem}_{ending}");
        }
        if stem != image.stem {
            image.name = format!("{stem}.{ending}");
            image.stem = stem;
        }
    }
}

fn classes(root: &Path, choice: &Choice, images: &[Labelled]) -> Result<Vec<String>> {
    if !choice.classes.is_empty() {
        return Ok(choice.classes.clone());
    }
    let known = settings::load(root)?.classes.into_iter().map(|c| c.name);
    let mut names: Vec<String> = known.collect();
    let used = images
        .iter()
        .flat_map(|i| &i.objects)
        .map(|o| o.class.to_string());
    let used: BTreeSet<String> = used.collect();
    names.extend(
        used.into_iter()
            .filter(|c| !names.contains(c))
            .collect::<Vec<_>>(),
    );
    Ok(names)
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    pub images: usize,
    pub objects: usize,
    pub left_out: Vec<String>,
}

/// Adds what another tool had to the sidecars of the images in a folder.
pub fn adopt(found: Vec<FoundImage>, images: &Path, now: Millis) -> Result<Imported> {
    let mut places: HashMap<String, PathBuf> = HashMap::new();
    folder::walk(&[images.to_path_buf()], &mut |batch| {
        for path in batch {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // Mask files are named after the image without its ending.
            places.entry(stem(&name)).or_insert_with(|| path.clone());
            places.insert(name, path);
        }
        true
    })?;
    let mut imported = Imported::default();
    for image in found {
        // Cityscapes' masks are called as their images without this end.
        let other = format!("{}_leftImg8bit", image.name);
        let Some(path) = places.get(&image.name).or_else(|| places.get(&other)) else {
            let name = crate::core::printable::printable_text(&image.name);
            let place = crate::core::printable::printable(images);
            imported
                .left_out
                .push(format!("{name} is not under {place}: name its folder"));
            continue;
        };
        match add(&image, path, now) {
            Ok(count) => {
                imported.images += 1;
                imported.objects += count;
            }
            Err(why) => imported.left_out.push(why.to_string()),
        }
    }
    Ok(imported)
}

fn add(image: &FoundImage, path: &Path, now: Millis) -> Result<usize> {
    let decoded = decode::decode(path)?;
    let size = decoded.image.size();
    if image.size != size {
        return Err(Error::Image {
            path: path.to_path_buf(),
            why: format!(
                "the annotations are for {}x{}, the upright image is {}x{}",
                image.size.width, image.size.height, size.width, size.height
            ),
            remedy: "bring the image they were made for",
        });
    }
    let opened = Sidecar::open(path, &decoded)?;
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    if let Access::ReadOnly { why } = &sidecar.access {
        return Err(Error::ReadOnly {
            path: path.to_path_buf(),
            why: why.clone(),
        });
    }
    let known: Vec<Arc<Object>> = history.now().objects.clone();
    // What is there already, from an import before, does not come twice.
    let is_new = |f: &&formats::Found| {
        !f.mask.is_empty()
            && !known
                .iter()
                .any(|o| *o.class == f.class && *o.mask == f.mask)
    };
    let new: Vec<&formats::Found> = image.objects.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(0);
    }
    history.step(|document| {
        for found in &new {
            let id = document.take_id();
            document.objects.push(Arc::new(Object {
                origin: Origin {
                    engine: "import".into(),
                    model: String::new(),
                    who: Origin::IMPORT.into(),
                },
                confidence: found.confidence,
                ..Object::new(id, found.class.as_str(), found.mask.clone(), now)
            }));
        }
    });
    sidecar.save(&history)?;
    Ok(new.len())
}
