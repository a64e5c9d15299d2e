//! COCO: the `bbox` of each annotation, ground truth or a detector's.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;

use super::{Boxed, Detected, Frame, wrong};
use crate::core::geometry::Size;
use crate::store::error::{Error, Result};

#[derive(Deserialize)]
struct FileIn {
    images: Vec<ImageIn>,
    annotations: Vec<ObjectIn>,
    #[serde(default)]
    categories: Vec<CategoryIn>,
}

#[derive(Deserialize)]
struct ImageIn {
    id: i64,
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct CategoryIn {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct ObjectIn {
    image_id: i64,
    category_id: Option<i64>,
    bbox: Option<[f64; 4]>,
    score: Option<f32>,
    #[serde(default)]
    iscrowd: u8,
}

pub fn read(path: &Path) -> Result<Vec<Boxed>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let file: FileIn =
        serde_json::from_reader(BufReader::new(file)).map_err(|e| wrong(path, &e))?;
    let categories = file.categories.into_iter();
    let classes: HashMap<i64, String> = categories.map(|c| (c.id, c.name)).collect();
    let mut places = HashMap::new();
    let mut images = Vec::new();
    for image in file.images {
        places.insert(image.id, images.len());
        let size = image.width.zip(image.height);
        images.push(Boxed {
            name: image.file_name,
            size: size.map(|(w, h)| Size::new(w, h)),
            boxes: Vec::new(),
        });
    }
    for (number, object) in file.annotations.into_iter().enumerate() {
        let Some(at) = places.get(&object.image_id) else {
            let why = format!("annotation {number}: its image is not in the file");
            return Err(wrong(path, &why));
        };
        let Some([x, y, w, h]) = object.bbox.filter(|_| object.iscrowd == 0) else {
            continue;
        };
        images[*at].boxes.push(Detected {
            frame: Frame::Pixels([x, y, x + w, y + h]),
            class: object.category_id.and_then(|id| classes.get(&id).cloned()),
            score: object.score,
        });
    }
    Ok(images)
}
