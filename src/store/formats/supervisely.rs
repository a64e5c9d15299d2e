//! Supervisely: a JSON file an image, masks as PNGs packed into it, which lose nothing.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::values::Values;
use super::{
    Found, FoundImage, Out, Set, checked_size, files_below, filled, plain_name, read_text,
    unreadable,
};
use crate::core::contour::Ring;
use crate::core::document::Object;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::error::Result;
use crate::store::settings::class_colour;

#[derive(Deserialize)]
struct File {
    size: FileSize,
    objects: Vec<Shape>,
}

#[derive(Deserialize)]
struct FileSize {
    width: u64,
    height: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    class_title: String,
    geometry_type: String,
    #[serde(default)]
    bitmap: Option<Bitmap>,
    #[serde(default)]
    points: Option<Points>,
}

#[derive(Serialize, Deserialize)]
struct Bitmap {
    /// A PNG, packed by zlib, in base64.
    data: String,
    /// x and y of its top left corner.
    origin: [i64; 2],
}

#[derive(Deserialize)]
struct Points {
    exterior: Ring,
    #[serde(default)]
    interior: Vec<Ring>,
}

/// `meta.json`, `dataset/img/…`, `dataset/ann/…`; a data set a part where the export is split.
pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let data_set = if set.is_split {
            image.part.name()
        } else {
            "dataset"
        };
        out.copy(image, &format!("{data_set}/img/{}", image.name))?;
        let objects: Vec<Value> = image.objects.iter().filter_map(|o| shape(o)).collect();
        let file = json!({
            "description": "",
            "tags": [],
            "size": { "width": image.size.width, "height": image.size.height },
            "objects": objects,
        });
        let name = format!("{data_set}/ann/{}.json", image.name);
        out.write(&name, file.to_string().as_bytes())?;
    }
    let classes = set.classes.iter().enumerate().map(|(i, name)| {
        let [r, g, b] = class_colour(i);
        let colour = format!("#{r:02X}{g:02X}{b:02X}");
        json!({ "title": name, "shape": "bitmap", "color": colour, "hotkey": "" })
    });
    let classes: Vec<Value> = classes.collect();
    let meta = json!({ "classes": classes, "tags": [], "projectType": "images" });
    out.write("meta.json", meta.to_string().as_bytes())
}

/// `None` for an object without pixels.
fn shape(object: &Object) -> Option<Value> {
    let bounds = object.mask.bounds()?;
    let pixels = object.mask.to_bytes(bounds);
    let crop = Values {
        size: bounds.size(),
        values: pixels.into_iter().map(u16::from).collect(),
    };
    let png = crop.to_palette_png(vec![0, 0, 0, 255, 255, 255]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&png).expect("memory takes all");
    let bitmap = Bitmap {
        data: STANDARD.encode(packed.finish().expect("memory takes all")),
        origin: [bounds.x0.into(), bounds.y0.into()],
    };
    Some(json!({
        "classTitle": &*object.class,
        "description": &object.comment,
        "geometryType": "bitmap",
        "tags": [],
        "bitmap": bitmap,
    }))
}

/// A project, a data set, or the `ann` folder of one.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let is_annotation = |path: &&PathBuf| {
        let folder = path.parent().and_then(Path::file_name);
        from.is_file() || folder.is_some_and(|f| f == "ann")
    };
    let paths = files_below(from, ".json")?;
    let ours = paths.iter().filter(is_annotation);
    ours.map(|path| parse(path, &read_text(path)?)).collect()
}

/// The image of a file's text; the file is called as the image, with `.json` behind.
pub fn parse(path: &Path, text: &str) -> Result<FoundImage> {
    let file: File = serde_json::from_str(text).map_err(|e| unreadable(path, &e))?;
    let size = checked_size(path, file.size.width, file.size.height)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = plain_name(&name).ok_or_else(|| unreadable(path, &"it names no image"))?;
    let mut objects = Vec::new();
    for (number, shape) in (1..).zip(file.objects) {
        let mask = mask_of(&shape, size)
            .map_err(|why| unreadable(path, &format!("object {number}: {why}")))?;
        objects.extend(mask.map(|mask| Found::new(shape.class_title, mask)));
    }
    Ok(FoundImage {
        name,
        size,
        objects,
    })
}

/// `None` for shapes without an inside.
fn mask_of(shape: &Shape, size: Size) -> std::result::Result<Option<Mask>, String> {
    let points = || shape.points.as_ref().ok_or("its points are missing");
    let mask = match shape.geometry_type.as_str() {
        "bitmap" => unpacked(shape.bitmap.as_ref().ok_or("its bitmap is missing")?, size)?,
        "polygon" => {
            let Points { exterior, interior } = points()?;
            // Points are pixels, and their outline belongs to the object.
            let centred = |ring: &Ring| ring.iter().map(|[x, y]| [x + 0.5, y + 0.5]).collect();
            let rings = std::iter::once(exterior).chain(interior);
            let rings: Vec<Ring> = rings.map(centred).collect();
            filled(size, &rings)?
        }
        "rectangle" => {
            let [[x0, y0], [x1, y1]] = points()?.exterior[..] else {
                return Err("it needs two points".into());
            };
            let (x1, y1) = (x1 + 1.0, y1 + 1.0);
            filled(size, &[vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]])?
        }
        "point" | "line" | "graph" | "any" => return Ok(None),
        other => return Err(format!("{other:?} is no shape we know")),
    };
    Ok(Some(mask))
}

fn unpacked(bitmap: &Bitmap, size: Size) -> std::result::Result<Mask, String> {
    let packed = STANDARD.decode(&bitmap.data).map_err(|e| e.to_string())?;
    // A packed file may claim to be of any size: no PNG of a mask is larger than its image.
    let most = size.area() * 4 + (1 << 20);
    let mut png = Vec::new();
    let mut stream = ZlibDecoder::new(&packed[..]).take(most + 1);
    stream.read_to_end(&mut png).map_err(|e| e.to_string())?;
    if png.len() as u64 > most {
        return Err("its bitmap is larger than the image".into());
    }
    let values = Values::from_png(&png).or_else(|_| Values::from_alpha(&png))?;
    let place = |at: i64, most: u32| u32::try_from(at).ok().filter(|at| *at < most);
    let [x, y] = bitmap.origin;
    match (place(x, size.width), place(y, size.height)) {
        (Some(x), Some(y)) => Ok(values.mask_at(size, x, y)),
        _ => Err("its bitmap lies outside the image".into()),
    }
}
