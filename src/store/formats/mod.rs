//! Annotations in and out, as trainers and other tools have them: one file a format.

mod cityscapes;
mod coco;
mod cvat;
mod found;
mod labelme;
mod out;
mod png_masks;
mod set;
mod supervisely;
mod values;
mod voc;
mod yolo;

use std::path::Path;

pub use self::found::{Found, FoundImage};
use self::found::{
    checked_size, file_stem, files, files_below, filled, known_classes, plain_name, read_text,
    unreadable,
};
pub use self::out::{LEAST_IOU, Loss, Out};
pub use self::set::{Labelled, Part, Set, is_wanted, part_of};
use self::values::Values;
pub(in crate::store) use self::yolo::names as yolo_names;
use crate::core::geometry::Size;
use crate::store::error::Result;

/// What `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Coco,
    CocoCounts,
    CocoPolygons,
    Yolo,
    Voc,
    Labelme,
    LabelmePolygons,
    Cityscapes,
    Cvat,
    Supervisely,
    Instances,
    Semantic,
    Objects,
}

impl Format {
    pub const ALL: [Self; 13] = [
        Self::Coco,
        Self::CocoCounts,
        Self::CocoPolygons,
        Self::Yolo,
        Self::Voc,
        Self::Labelme,
        Self::LabelmePolygons,
        Self::Cityscapes,
        Self::Cvat,
        Self::Supervisely,
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
            Self::LabelmePolygons => "labelme-polygons",
            Self::Cityscapes => "cityscapes",
            Self::Cvat => "cvat",
            Self::Supervisely => "supervisely",
            Self::Instances => "png",
            Self::Semantic => "png-semantic",
            Self::Objects => "png-objects",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
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
        Format::Labelme => labelme::export(set, labelme::Shapes::Masks, &mut out),
        Format::LabelmePolygons => labelme::export(set, labelme::Shapes::Polygons, &mut out),
        Format::Cityscapes => cityscapes::export(set, &mut out),
        Format::Cvat => cvat::export(set, &mut out),
        Format::Supervisely => supervisely::export(set, &mut out),
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
        Format::Labelme | Format::LabelmePolygons => labelme::import(from),
        Format::Cityscapes => cityscapes::import(from),
        Format::Cvat => cvat::import(from),
        Format::Supervisely => supervisely::import(from),
        Format::Instances => png_masks::import_instances(from),
        Format::Semantic => png_masks::import_semantic(from),
        Format::Objects => png_masks::import_objects(from),
    }
}

/// The images in the bytes of one file that [`import`] would read; `name` is only for messages.
/// Formats of PNG masks give their numbers' masks, without names of classes.
pub fn parse(name: &Path, bytes: &[u8], format: Format) -> Result<Vec<FoundImage>> {
    let text = || std::str::from_utf8(bytes).map_err(|e| unreadable(name, &e));
    match format {
        Format::Coco | Format::CocoCounts | Format::CocoPolygons => coco::parse(name, text()?),
        Format::Cvat => cvat::parse(name, text()?),
        Format::Labelme | Format::LabelmePolygons => Ok(vec![labelme::parse(name, text()?)?]),
        Format::Supervisely => Ok(vec![supervisely::parse(name, text()?)?]),
        Format::Cityscapes => {
            let image = cityscapes::parse(name, text()?, file_stem(name))?;
            Ok(vec![image])
        }
        Format::Yolo => {
            let classes: Vec<String> = (0..80).map(|i| i.to_string()).collect();
            let size = Size::new(640, 480);
            Ok(vec![FoundImage {
                name: file_stem(name),
                size,
                objects: yolo::parse(name, text()?, size, &classes)?,
            }])
        }
        Format::Voc | Format::Instances | Format::Semantic | Format::Objects => {
            let values = Values::from_png(bytes).map_err(|why| unreadable(name, &why))?;
            let masks = values.masks(&[0]).into_iter();
            let objects = masks.map(|(value, mask)| Found::new(value.to_string(), mask));
            Ok(vec![FoundImage {
                name: file_stem(name),
                size: values.size,
                objects: objects.collect(),
            }])
        }
    }
}
