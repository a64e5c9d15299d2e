//! Masks wherever they lie: beside their images, in a folder of mask PNGs, in another tool's file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::core::document::{Object, Verdict};
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::error::{Error, Result};
use crate::store::folder;
use crate::store::formats::{self, Format, Found, FoundImage};
use crate::store::mask_png;
use crate::store::sidecar::{self, SIDECAR};

/// One object of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The object's id; its number from 1 where it has none.
    pub id: u64,
    /// `None` where the place knows no classes, as a mask PNG alone.
    pub class: Option<Arc<str>>,
    pub mask: Arc<Mask>,
    /// Predicted `IoU` or a detector's score, 0 to 1.
    pub confidence: Option<f32>,
}

/// An image of which somebody says what is on it; it may be nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Masked {
    /// The name below its folder, as [`super::names::pair`] takes it.
    pub name: String,
    /// The image itself, where the masks lie beside it.
    pub source: Option<PathBuf>,
    pub size: Size,
    pub objects: Vec<Instance>,
}

/// All masks of a place, and what had to be left out, with the reason.
#[derive(Debug, Clone, Default)]
pub struct Masks {
    pub images: Vec<Masked>,
    pub left_out: Vec<String>,
}

/// Reads all masks of a place: a folder of annotated images (or one of them), a folder of mask
/// PNGs, or what an importer reads. Without a format it is judged by what lies there. Rejected
/// objects, and images that nobody called finished and that have no objects, are no part of it.
pub fn load(place: &Path, format: Option<Format>) -> Result<Masks> {
    if !place.exists() {
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Error::io(place, gone));
    }
    if let Some(format) = format {
        return imported(place, format);
    }
    if place.is_file() {
        return match guess_file(place)? {
            Some(format) => imported(place, format),
            None => beside_images(place, &[place.to_path_buf()]),
        };
    }
    if let Some(format) = guess_folder(place) {
        return imported(place, format);
    }
    let paths = images_under(place)?;
    let has_masks = |path: &PathBuf| {
        sidecar::mask_paths(path).iter().any(|p| p.is_file())
            || !matches!(sidecar::raw(path), Ok(None))
    };
    if paths.par_iter().any(has_masks) {
        return beside_images(place, &paths);
    }
    if paths.first().is_some_and(|p| is_of_numbers(p)) {
        return imported(place, Format::Instances);
    }
    Err(unknown(place))
}

/// A name as [`super::names::pair`] takes it.
pub fn name_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).ok();
    let below = below.filter(|b| !b.as_os_str().is_empty());
    let file = || Path::new(path.file_name().unwrap_or_default());
    below.unwrap_or_else(file).to_string_lossy().into_owned()
}

/// The images under a folder, in natural order.
pub fn images_under(root: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    folder::walk(&[root.to_path_buf()], &mut |batch| {
        paths.extend(batch);
        true
    })?;
    Ok(paths)
}

fn unknown(place: &Path) -> Error {
    Error::Image {
        path: place.to_path_buf(),
        why: "no masks are found there".into(),
        remedy: "name a folder of annotated images, a folder of mask PNGs, or another tool's file with --format",
    }
}

/// Of a JSON file, what tells whose it is.
#[derive(Deserialize)]
struct Keys {
    annotations: Option<IgnoredAny>,
    shapes: Option<IgnoredAny>,
}

/// `None` for an image that has a document of its own.
fn guess_file(path: &Path) -> Result<Option<Format>> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    match ending.to_lowercase().as_str() {
        "json" => match keys(path)? {
            Keys {
                shapes: Some(_), ..
            } => Ok(Some(Format::Labelme)),
            Keys {
                annotations: Some(_),
                ..
            } => Ok(Some(Format::Coco)),
            _ => Err(unknown(path)),
        },
        "yaml" | "yml" => Ok(Some(Format::Yolo)),
        _ if matches!(sidecar::read(path), Ok(None)) && is_of_numbers(path) => {
            Ok(Some(Format::Instances))
        }
        _ => Ok(None),
    }
}

fn keys(path: &Path) -> Result<Keys> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|e| Error::Image {
        path: path.to_path_buf(),
        why: e.to_string(),
        remedy: "it must be COCO's JSON with images and annotations, or labelme's",
    })
}

fn guess_folder(folder: &Path) -> Option<Format> {
    if folder.join("data.yaml").is_file() {
        return Some(Format::Yolo);
    }
    if folder.join("SegmentationClass").is_dir() {
        return Some(Format::Voc);
    }
    let entries = folder.read_dir().ok()?.flatten().map(|e| e.path());
    let is_labelme = |path: PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".json")
            && !name.ends_with(SIDECAR)
            && keys(&path).is_ok_and(|k| k.shapes.is_some())
    };
    entries
        .into_iter()
        .any(is_labelme)
        .then_some(Format::Labelme)
}

/// Whether a PNG holds numbers: grey values or places in a palette.
fn is_of_numbers(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let Ok(reader) = png::Decoder::new(BufReader::new(file)).read_info() else {
        return false;
    };
    let kind = reader.info().color_type;
    matches!(kind, png::ColorType::Grayscale | png::ColorType::Indexed)
}

fn imported(place: &Path, format: Format) -> Result<Masks> {
    let folder = if place.is_file() {
        place.parent().unwrap_or(place)
    } else {
        place
    };
    let found = formats::import(place, format)?;
    let images = found.into_iter().map(|image| {
        let classes = match format {
            Format::Instances => folder.join(format!("{}.txt", image.name)),
            Format::Semantic | Format::Objects => folder.join("classes.txt"),
            _ => place.to_path_buf(),
        };
        let objects = instances(&image, classes.exists());
        Masked {
            name: image.name,
            source: None,
            size: image.size,
            objects,
        }
    });
    Ok(Masks {
        images: images.collect(),
        left_out: Vec::new(),
    })
}

fn instances(image: &FoundImage, has_classes: bool) -> Vec<Instance> {
    let numbered = (1..).zip(&image.objects);
    let instance = |(id, found): (u64, &Found)| Instance {
        id,
        class: has_classes.then(|| found.class.as_str().into()),
        mask: Arc::new(found.mask.clone()),
        confidence: found.confidence,
    };
    numbered
        .filter(|(_, found)| !found.mask.is_empty())
        .map(instance)
        .collect()
}

fn beside_images(root: &Path, paths: &[PathBuf]) -> Result<Masks> {
    let read: Vec<Result<Option<Masked>>> = paths.par_iter().map(|p| beside(root, p)).collect();
    let mut masks = Masks::default();
    for image in read {
        // One bad file does not stop the folder.
        match image {
            Ok(image) => masks.images.extend(image),
            Err(why) => masks.left_out.push(why.to_string()),
        }
    }
    if masks.images.is_empty() && masks.left_out.is_empty() {
        return Err(unknown(root));
    }
    Ok(masks)
}

/// What is known of one image; `None` where nobody said anything.
fn beside(root: &Path, path: &Path) -> Result<Option<Masked>> {
    let masked = |size, objects| Masked {
        name: name_below(root, path),
        source: Some(path.to_path_buf()),
        size,
        objects,
    };
    if let Some(read) = sidecar::read(path)? {
        let document = read.history.now();
        let kept = |o: &&Arc<Object>| o.verdict != Verdict::Rejected && !o.mask.is_empty();
        let objects: Vec<Instance> = document.objects.iter().filter(kept).map(instance).collect();
        let is_said = document.finished || !objects.is_empty();
        return Ok(is_said.then(|| masked(read.image.size(), objects)));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_its = |p: &PathBuf| p.is_file() && mask_png::note(p).is_none_or(|n| n.image == name);
    let Some(mask) = sidecar::mask_paths(path).into_iter().find(is_its) else {
        return Ok(None);
    };
    let found = formats::import(&mask, Format::Instances)?;
    let image = found.first();
    Ok(image.map(|image| masked(image.size, instances(image, has_names(&mask)))))
}

/// Whether the classes of a mask PNG are listed beside it.
fn has_names(mask: &Path) -> bool {
    mask.with_extension("txt").is_file()
}

/// An object of a document, as one of a set.
pub fn instance(object: &Arc<Object>) -> Instance {
    Instance {
        id: object.id,
        class: Some(Arc::clone(&object.class)),
        mask: Arc::clone(&object.mask),
        confidence: object.confidence,
    }
}
