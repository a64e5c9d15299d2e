//! labelme: a JSON file an image, with mask shapes or polygons.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::values::Values;
use super::{
    Found, FoundImage, Labelled, Out, Set, checked_size, files, filled, plain_name, read_text,
    unreadable,
};
use crate::core::contour::{self, Ring};
use crate::core::document::Object;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::error::Result;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    version: String,
    #[serde(default)]
    flags: serde_json::Map<String, serde_json::Value>,
    shapes: Vec<Shape>,
    image_path: String,
    image_data: Option<String>,
    image_height: u64,
    image_width: u64,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    label: String,
    points: Vec<[f64; 2]>,
    #[serde(default)]
    group_id: Option<u64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(rename = "shape_type", default = "polygon")]
    kind: String,
    #[serde(default)]
    flags: serde_json::Map<String, serde_json::Value>,
    /// A PNG in base64, for mask shapes.
    #[serde(default)]
    mask: Option<String>,
}

fn polygon() -> String {
    "polygon".into()
}

/// What an object becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// A mask shape, which loses nothing.
    Masks,
    /// A polygon for each part, for the many programs that know nothing else.
    Polygons,
}

pub fn export(set: &Set, kind: Shapes, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let mut shapes = Vec::new();
        for object in &image.objects {
            match kind {
                Shapes::Masks => shapes.extend(mask_shape(object)),
                Shapes::Polygons => shapes.extend(polygon_shapes(image, object, out)),
            }
        }
        let file = File {
            version: "5.2.0".into(),
            flags: serde_json::Map::new(),
            shapes,
            image_path: image.name.clone(),
            image_data: None,
            image_height: image.size.height.into(),
            image_width: image.size.width.into(),
        };
        let text = serde_json::to_vec_pretty(&file).expect("numbers, text and lists");
        let folder = set.folder(image);
        out.copy(image, &format!("{folder}{}", image.name))?;
        out.write(&format!("{folder}{}.json", image.stem), &text)?;
    }
    Ok(())
}

fn shape(object: &Object, kind: &str, points: Ring) -> Shape {
    Shape {
        label: object.class.to_string(),
        points,
        group_id: None,
        description: Some(object.comment.clone()),
        kind: kind.into(),
        flags: serde_json::Map::new(),
        mask: None,
    }
}

/// `None` for an object without pixels.
fn mask_shape(object: &Object) -> Option<Shape> {
    let bounds = object.mask.bounds()?;
    let pixels = object.mask.to_bytes(bounds);
    let crop = Values {
        size: bounds.size(),
        values: pixels.iter().map(|b| u16::from(*b) * 255).collect(),
    };
    // Both corners belong to the mask.
    let points = vec![
        [f64::from(bounds.x0), f64::from(bounds.y0)],
        [f64::from(bounds.x1 - 1), f64::from(bounds.y1 - 1)],
    ];
    Some(Shape {
        mask: Some(STANDARD.encode(crop.to_png())),
        ..shape(object, "mask", points)
    })
}

/// The parts of one object have its number as their group.
fn polygon_shapes(image: &Labelled, object: &Object, out: &mut Out) -> Vec<Shape> {
    let parts = out.polygons(image, object).parts;
    let group_id = (parts.len() > 1).then_some(object.id);
    let shapes = parts.iter().map(|rings| Shape {
        group_id,
        ..shape(object, "polygon", contour::joined(rings))
    });
    shapes.collect()
}

pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let paths = files(from, ".json")?;
    let ours = |p: &&std::path::PathBuf| {
        let name = p.file_name().unwrap_or_default().to_string_lossy();
        !name.ends_with(crate::store::sidecar::SIDECAR) && !name.starts_with('.')
    };
    paths
        .iter()
        .filter(ours)
        .map(|path| parse(path, &read_text(path)?))
        .collect()
}

/// The image of a file's text.
pub fn parse(path: &Path, text: &str) -> Result<FoundImage> {
    let file: File = serde_json::from_str(text).map_err(|e| unreadable(path, &e))?;
    let size = checked_size(path, file.image_width, file.image_height)?;
    let name = plain_name(&file.image_path)
        .ok_or_else(|| unreadable(path, &format!("{:?} is no file name", file.image_path)))?;
    let mut objects: Vec<Found> = Vec::new();
    // Shapes of one group are one object.
    let mut groups: HashMap<(String, u64), usize> = HashMap::new();
    for (number, shape) in (1..).zip(file.shapes) {
        let mask = mask_of(&shape, size)
            .map_err(|why| unreadable(path, &format!("shape {number}: {why}")))?;
        let Some(mask) = mask else { continue };
        let class = shape.label;
        let next = objects.len();
        let at = match shape.group_id {
            Some(group) => *groups.entry((class.clone(), group)).or_insert(next),
            None => next,
        };
        match objects.get_mut(at) {
            Some(begun) => begun.mask = begun.mask.union(&mask),
            None => objects.push(Found::new(class, mask)),
        }
    }
    Ok(FoundImage {
        name,
        size,
        objects,
    })
}

/// `None` for shapes without an inside: points and lines.
fn mask_of(shape: &Shape, size: Size) -> std::result::Result<Option<Mask>, String> {
    let two = || match shape.points[..] {
        [a, b] => Ok((a, b)),
        _ => Err(String::from("it needs two points")),
    };
    let mask = match shape.kind.as_str() {
        "polygon" => filled(size, std::slice::from_ref(&shape.points))?,
        "rectangle" => {
            let (a, b) = two()?;
            let ring: Ring = vec![a, [b[0], a[1]], b, [a[0], b[1]]];
            filled(size, &[ring])?
        }
        "circle" => {
            let (a, b) = two()?;
            let radius = (a[0] - b[0]).hypot(a[1] - b[1]);
            let angle = |i: u32| f64::from(i) / 360.0 * std::f64::consts::TAU;
            let at = |i| {
                [
                    a[0] + radius * angle(i).cos(),
                    a[1] + radius * angle(i).sin(),
                ]
            };
            filled(size, &[(0..360).map(at).collect()])?
        }
        "mask" => crop(shape, two()?.0, size)?,
        "point" | "line" | "linestrip" | "points" => return Ok(None),
        other => return Err(format!("{other:?} is no shape we know")),
    };
    Ok(Some(mask))
}

fn crop(shape: &Shape, corner: [f64; 2], size: Size) -> std::result::Result<Mask, String> {
    let text = shape.mask.as_ref().ok_or("its mask is missing")?;
    let bytes = STANDARD.decode(text).map_err(|e| e.to_string())?;
    let values = Values::from_png(&bytes)?;
    let (x, y) = (corner[0].round(), corner[1].round());
    let inside = x >= 0.0 && y >= 0.0 && x < f64::from(size.width) && y < f64::from(size.height);
    if !inside {
        return Err("its mask lies outside the image".into());
    }
    Ok(values.mask_at(size, x as u32, y as u32))
}
