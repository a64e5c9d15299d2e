//! COCO instances: one JSON for all images of a part, read by pycocotools.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Found, FoundImage, Out, Set, checked_size, filled, plain_name, read_text, unreadable};
use crate::core::contour::{self, Ring};
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::core::rle;
use crate::store::error::Result;

/// How a mask is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// Run lengths as COCO's short text.
    Text,
    /// Run lengths as a list of numbers.
    Counts,
    Polygons,
}

#[derive(Serialize)]
struct FileOut<'a> {
    info: Info,
    images: Vec<ImageOut<'a>>,
    annotations: Vec<ObjectOut>,
    categories: Vec<CategoryOut<'a>>,
}

#[derive(Serialize)]
struct Info {
    description: &'static str,
}

#[derive(Serialize)]
struct ImageOut<'a> {
    id: u64,
    file_name: &'a str,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct CategoryOut<'a> {
    id: usize,
    name: &'a str,
}

#[derive(Serialize)]
struct ObjectOut {
    id: u64,
    image_id: u64,
    category_id: usize,
    segmentation: Segmentation,
    area: u64,
    bbox: [u32; 4],
    iscrowd: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Text { size: [u64; 2], counts: String },
    Counts { size: [u64; 2], counts: Vec<u64> },
    Polygons(Vec<Vec<f64>>),
}

/// `instances.json`, or `instances_train.json` and so on.
pub fn export(set: &Set, outline: Outline, out: &mut Out) -> Result<()> {
    for part in set.parts() {
        let mut file = FileOut {
            info: Info {
                description: "exported by termask",
            },
            images: Vec::new(),
            annotations: Vec::new(),
            categories: (1..)
                .zip(&set.classes)
                .map(|(id, name)| CategoryOut { id, name })
                .collect(),
        };
        for (image_id, image) in (1..).zip(set.of(part)) {
            file.images.push(ImageOut {
                id: image_id,
                file_name: &image.name,
                width: image.size.width,
                height: image.size.height,
            });
            for object in &image.objects {
                let Some(bounds) = object.mask.bounds() else {
                    continue;
                };
                let size = [u64::from(image.size.height), u64::from(image.size.width)];
                let segmentation = match outline {
                    Outline::Text => Segmentation::Text {
                        size,
                        counts: rle::string_from_mask(&object.mask),
                    },
                    Outline::Counts => Segmentation::Counts {
                        size,
                        counts: rle::counts(&object.mask),
                    },
                    Outline::Polygons => {
                        let parts = out.polygons(image, object).parts;
                        // COCO knows no holes: they are joined to the outer ring.
                        let flat = |rings: &Vec<Ring>| contour::joined(rings).concat();
                        Segmentation::Polygons(parts.iter().map(flat).collect())
                    }
                };
                file.annotations.push(ObjectOut {
                    id: file.annotations.len() as u64 + 1,
                    image_id,
                    category_id: set.number(object) + 1,
                    segmentation,
                    area: object.mask.area(),
                    bbox: [bounds.x0, bounds.y0, bounds.width(), bounds.height()],
                    iscrowd: 0,
                });
            }
        }
        let text = serde_json::to_vec(&file).expect("numbers, text and lists");
        let name = if set.is_split {
            format!("instances_{}.json", part.name())
        } else {
            "instances.json".into()
        };
        out.write(&name, &text)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct FileIn<'a> {
    images: Vec<ImageIn>,
    #[serde(borrow)]
    annotations: Vec<ObjectIn<'a>>,
    #[serde(default)]
    categories: Vec<CategoryIn>,
}

#[derive(Deserialize)]
struct ImageIn {
    id: i64,
    file_name: String,
    width: u64,
    height: u64,
}

#[derive(Deserialize)]
struct CategoryIn {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct ObjectIn<'a> {
    image_id: i64,
    category_id: i64,
    #[serde(borrow)]
    segmentation: Option<&'a RawValue>,
    /// Of predictions.
    score: Option<f32>,
}

pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let text = read_text(from)?;
    parse(from, &text)
}

/// The images of a file's text.
pub fn parse(from: &Path, text: &str) -> Result<Vec<FoundImage>> {
    let file: FileIn<'_> = serde_json::from_str(text).map_err(|e| unreadable(from, &e))?;
    let classes: HashMap<i64, String> = file
        .categories
        .into_iter()
        .map(|c| (c.id, c.name))
        .collect();
    let mut images = Vec::new();
    let mut places = HashMap::new();
    for image in file.images {
        let name = plain_name(&image.file_name)
            .ok_or_else(|| unreadable(from, &format!("{:?} is no file name", image.file_name)))?;
        places.insert(image.id, images.len());
        images.push(FoundImage {
            name,
            size: checked_size(from, image.width, image.height)?,
            objects: Vec::new(),
        });
    }
    for (number, object) in file.annotations.iter().enumerate() {
        let told = |why: &str| unreadable(from, &format!("annotation {number}: {why}"));
        let at = places.get(&object.image_id);
        let image = &mut images[*at.ok_or_else(|| told("its image is not in the file"))?];
        let class = classes.get(&object.category_id);
        let class = class
            .ok_or_else(|| told("its category is not in the file"))?
            .clone();
        let Some(raw) = object.segmentation else {
            continue;
        };
        let segmentation = serde_json::from_str(raw.get())
            .map_err(|_| told("its segmentation is neither run lengths nor polygons"))?;
        let mask = mask_of(segmentation, image.size).map_err(|why| told(&why))?;
        image.objects.push(Found {
            class,
            mask,
            confidence: object.score.map(|s| s.clamp(0.0, 1.0)),
        });
    }
    Ok(images)
}

fn mask_of(segmentation: Segmentation, image: Size) -> std::result::Result<Mask, String> {
    let fits = |size: [u64; 2]| {
        if size == [u64::from(image.height), u64::from(image.width)] {
            return Ok(());
        }
        Err(format!(
            "its mask is {}x{}, the image is not",
            size[1], size[0]
        ))
    };
    match segmentation {
        Segmentation::Text { size, counts } => {
            fits(size)?;
            rle::mask_from_string(image, &counts).map_err(|e| e.to_string())
        }
        Segmentation::Counts { size, counts } => {
            fits(size)?;
            rle::mask(image, &counts).map_err(|e| e.to_string())
        }
        Segmentation::Polygons(flat) => {
            let ring = |flat: &Vec<f64>| -> Ring { flat.as_chunks::<2>().0.to_vec() };
            let mut parts = flat.iter().map(|f| filled(image, &[ring(f)]));
            parts.try_fold(Mask::empty(image), |all, part| Ok(all.union(&part?)))
        }
    }
}
