//! The folder that an export writes to.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use serde::{Deserialize, Serialize};

use super::found::unreadable;
use super::set::Labelled;
use crate::core::contour::{self, Polygons};
use crate::core::document::Object;
use crate::core::geometry::Size;
use crate::store::decode;
use crate::store::error::{Error, Result};
use crate::store::pages;
use crate::store::replace;

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

/// Of JPEGs that are made anew.
const QUALITY: u8 = 95;

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
    pub fn place(&mut self, name: &str) -> Result<PathBuf> {
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
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.place(name)?;
        fs::write(&path, bytes).map_err(|e| Error::io(&path, e))
    }

    /// Copies the image itself, where it is of the format that the name says, and upright as its
    /// masks are: many readers know no EXIF. Of a page, and of others, the upright pixels.
    pub fn copy(&mut self, image: &Labelled, name: &str) -> Result<()> {
        let path = self.place(name)?;
        let (file, page) = pages::split(&image.source);
        let format = format_of(&path);
        if page == 0 && format == format_of(&file) && !image.is_turned {
            fs::copy(&file, &path).map_err(|e| Error::io(&image.source, e))?;
            return Ok(());
        }
        let decoded = decode::decode(&image.source)?;
        let (pixels, Size { width, height }) = (decoded.image.pixels(), decoded.image.size());
        let colour = ExtendedColorType::Rgb8;
        let written = if format == Some(ImageFormat::Jpeg) {
            let file = fs::File::create(&path).map_err(|e| Error::io(&path, e))?;
            let encoder = JpegEncoder::new_with_quality(BufWriter::new(file), QUALITY);
            encoder.write_image(pixels, width, height, colour)
        } else {
            image::save_buffer(&path, pixels, width, height, colour)
        };
        written.map_err(|e| Error::io(&path, std::io::Error::other(e)))
    }

    /// An object's polygons; how much they lose is told.
    pub fn polygons(&mut self, image: &Labelled, object: &Object) -> Polygons {
        let polygons = contour::polygons(&object.mask, LEAST_IOU);
        self.losses.push(Loss {
            image: image.name.clone(),
            object: object.id,
            iou: polygons.iou,
        });
        polygons
    }

    pub fn finish(&mut self) -> Result<()> {
        let list = serde_json::to_vec(&self.ours).expect("a list of names");
        replace::write(&self.root.join(LIST), &list)
    }
}

/// By its ending, as the name of the copy says it.
fn format_of(file: &Path) -> Option<ImageFormat> {
    let ending = file.extension()?;
    if ending.eq_ignore_ascii_case("jfif") {
        return Some(ImageFormat::Jpeg);
    }
    ImageFormat::from_extension(ending)
}
