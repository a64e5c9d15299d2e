//! Annotations in and out, as trainers and other tools have them: one file a format.

mod coco;
mod labelme;
mod png_masks;
mod voc;
mod yolo;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::contour::{self, Polygons};
use crate::core::document::{Object, Verdict};
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::error::{Error, Result};
use crate::store::replace;

/// What `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Coco,
    CocoCounts,
    CocoPolygons,
    Yolo,
    Voc,
    Labelme,
    Instances,
    Semantic,
    Objects,
}

impl Format {
    pub const ALL: [Self; 9] = [
        Self::Coco,
        Self::CocoCounts,
        Self::CocoPolygons,
        Self::Yolo,
        Self::Voc,
        Self::Labelme,
        Self::Instances,
        Self::Semantic,
        Self::Objects,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::CocoCounts => "coco-counts",
            Self::CocoPolygons => "coco-polygons",
            Self::Yolo => "yolo",
            Self::Voc => "voc",
            Self::Labelme => "labelme",
            Self::Instances => "png",
            Self::Semantic => "png-semantic",
            Self::Objects => "png-objects",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// One image with what is known of it, on its way out.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub source: PathBuf,
    /// File name in the export; unique in it.
    pub name: String,
    /// Name without ending; unique in the export.
    pub stem: String,
    pub size: Size,
    /// In drawing order.
    pub objects: Vec<Arc<Object>>,
    pub part: Part,
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Part {
    #[default]
    Train,
    Val,
    Test,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// All that is exported.
#[derive(Debug, Clone, Default)]
pub struct Set {
    pub images: Vec<Labelled>,
    /// In the order of their numbers.
    pub classes: Vec<String>,
    /// Whether the person asked for parts.
    pub is_split: bool,
}

impl Set {
    /// The class's place in `classes`.
    fn number(&self, object: &Object) -> usize {
        let found = self.classes.iter().position(|c| **c == *object.class);
        found.expect("the set's classes are those of its objects")
    }

    /// The parts that have images.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let used: BTreeSet<Part> = self.images.iter().map(|i| i.part).collect();
        used.into_iter()
    }

    fn of(&self, part: Part) -> impl Iterator<Item = &Labelled> {
        self.images.iter().filter(move |i| i.part == part)
    }
}

/// An object as another tool had it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub class: String,
    pub mask: Mask,
}

/// An image's objects as another tool had them.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundImage {
    /// The image's file name.
    pub name: String,
    pub size: Size,
    pub objects: Vec<Found>,
}

/// How well a polygon keeps an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    pub image: String,
    pub object: u64,
    /// IoU of the polygon with the mask.
    pub iou: f64,
}

/// The least IoU of a polygon with its mask.
pub const LEAST_IOU: f64 = 0.98;

/// The file in an export that lists what we wrote there.
const LIST: &str = ".termask-export.json";

/// The folder that is written to. Files that an export of ours did not write are never replaced.
#[derive(Debug)]
pub struct Out {
    root: PathBuf,
    ours: Listed,
    pub losses: Vec<Loss>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Listed {
    files: BTreeSet<String>,
}

impl Out {
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|e| Error::io(root, e))?;
        let list = root.join(LIST);
        let ours = match fs::read(&list) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| unreadable(&list, &e))?,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Listed::default(),
            Err(why) => return Err(Error::io(&list, why)),
        };
        Ok(Self {
            root: root.to_path_buf(),
            ours,
            losses: Vec::new(),
        })
    }

    /// Where a file goes; an error where somebody else's lies.
    fn place(&mut self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        if fs::symlink_metadata(&path).is_ok() && !self.ours.files.contains(name) {
            return Err(Error::Foreign { path });
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        self.ours.files.insert(name.to_owned());
        Ok(path)
    }

    /// Writes a file below the folder; `name` has `/` between its parts.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.place(name)?;
        fs::write(&path, bytes).map_err(|e| Error::io(&path, e))
    }

    /// Copies the image itself.
    fn copy(&mut self, image: &Labelled, name: &str) -> Result<()> {
        let path = self.place(name)?;
        fs::copy(&image.source, &path).map_err(|e| Error::io(&image.source, e))?;
        Ok(())
    }

    /// An object's polygons; how much they lose is told.
    fn polygons(&mut self, image: &Labelled, object: &Object) -> Polygons {
        let polygons = contour::polygons(&object.mask, LEAST_IOU);
        self.losses.push(Loss {
            image: image.name.clone(),
            object: object.id,
            iou: polygons.iou,
        });
        polygons
    }

    fn finish(&mut self) -> Result<()> {
        let list = serde_json::to_vec(&self.ours).expect("a list of names");
        replace::write(&self.root.join(LIST), &list)
    }
}

/// Writes a set; says how much the polygons lose.
pub fn export(set: &Set, format: Format, root: &Path) -> Result<Vec<Loss>> {
    let mut out = Out::open(root)?;
    let written = match format {
        Format::Coco => coco::export(set, coco::Outline::Text, &mut out),
        Format::CocoCounts => coco::export(set, coco::Outline::Counts, &mut out),
        Format::CocoPolygons => coco::export(set, coco::Outline::Polygons, &mut out),
        Format::Yolo => yolo::export(set, &mut out),
        Format::Voc => voc::export(set, &mut out),
        Format::Labelme => labelme::export(set, &mut out),
        Format::Instances => png_masks::instances(set, &mut out),
        Format::Semantic => png_masks::semantic(set, &mut out),
        Format::Objects => png_masks::objects(set, &mut out),
    };
    // What was written before an error is ours, too.
    out.finish()?;
    written.map(|()| out.losses)
}

/// Reads what another tool wrote: a file, or a folder of them.
pub fn import(from: &Path, format: Format) -> Result<Vec<FoundImage>> {
    match format {
        Format::Coco | Format::CocoCounts | Format::CocoPolygons => coco::import(from),
        Format::Yolo => yolo::import(from),
        Format::Voc => voc::import(from),
        Format::Labelme => labelme::import(from),
        Format::Instances => png_masks::import_instances(from),
        Format::Semantic => png_masks::import_semantic(from),
        Format::Objects => png_masks::import_objects(from),
    }
}

/// Which part each of `count` images belongs to: the same for the same seed, whatever the order.
pub fn part_of(name: &str, shares: [f64; 3], seed: u64) -> Part {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(name)
        .finalize();
    let first: [u8; 8] = digest[..8].try_into().expect("a sha256 has 32 bytes");
    let at = u64::from_le_bytes(first) as f64 / u64::MAX as f64 * shares.iter().sum::<f64>();
    if at < shares[0] {
        Part::Train
    } else if at < shares[0] + shares[1] {
        Part::Val
    } else {
        Part::Test
    }
}

/// Whether an object is exported.
pub fn is_wanted(object: &Object, only: Option<Verdict>, classes: &[String]) -> bool {
    let judged = match only {
        Some(verdict) => object.verdict == verdict,
        None => object.verdict != Verdict::Rejected,
    };
    judged && (classes.is_empty() || classes.iter().any(|c| **c == *object.class))
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Image {
        path: path.to_path_buf(),
        why: why.to_string(),
        remedy: "mend the file, or name its format with --format",
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    String::from_utf8(bytes).map_err(|e| unreadable(path, &e))
}

/// The files of a folder (or the one file itself) whose names end so, sorted.
fn files(from: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if from.is_file() {
        return Ok(vec![from.to_path_buf()]);
    }
    let entries = fs::read_dir(from).map_err(|e| Error::io(from, e))?;
    let paths = entries.flatten().map(|e| e.path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|p| p.is_file() && p.to_string_lossy().to_lowercase().ends_with(ending))
        .collect();
    paths.sort();
    Ok(paths)
}

/// A name in a file of others may lead anywhere: only its last part is used.
fn plain_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next()?;
    let path = Path::new(last);
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Some(last.to_owned()),
        _ => None,
    }
}

/// A size that an image can have.
fn checked_size(path: &Path, width: u64, height: u64) -> Result<Size> {
    let most = crate::store::decode::MOST_PIXELS;
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(w), Ok(h)) if Size::new(w, h).area() > 0 && Size::new(w, h).area() <= most => {
            Ok(Size::new(w, h))
        }
        _ => Err(unreadable(
            path,
            &format!("{width}x{height} is no size of an image"),
        )),
    }
}
