//! Pascal VOC: an XML file an image, `bndbox` counted from 1 with the last pixel in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Boxed, Detected, Frame, name_below, wrong};
use crate::core::geometry::Size;
use crate::store::error::{Error, Result};

#[derive(Deserialize)]
struct Annotation {
    size: Option<SizeIn>,
    #[serde(default, rename = "object")]
    objects: Vec<ObjectIn>,
}

#[derive(Deserialize)]
struct SizeIn {
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct ObjectIn {
    name: String,
    bndbox: BoxIn,
}

#[derive(Deserialize)]
struct BoxIn {
    xmin: f64,
    ymin: f64,
    xmax: f64,
    ymax: f64,
}

/// An image is named after its XML file: the name within is often another one.
pub fn read(folder: &Path, files: &[PathBuf]) -> Result<Vec<Boxed>> {
    files.iter().map(|path| one(folder, path)).collect()
}

fn one(folder: &Path, path: &Path) -> Result<Boxed> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let annotation: Annotation = quick_xml::de::from_str(&text).map_err(|e| wrong(path, &e))?;
    // Some tools write a size of 0.
    let size = annotation.size.filter(|s| s.width > 0 && s.height > 0);
    let detected = |object: ObjectIn| {
        let BoxIn {
            xmin,
            ymin,
            xmax,
            ymax,
        } = object.bndbox;
        Detected {
            frame: Frame::Pixels([xmin - 1.0, ymin - 1.0, xmax, ymax]),
            class: Some(object.name),
            score: None,
        }
    };
    Ok(Boxed {
        name: name_below(folder, path),
        size: size.map(|s| Size::new(s.width, s.height)),
        boxes: annotation.objects.into_iter().map(detected).collect(),
    })
}
