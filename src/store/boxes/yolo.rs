//! YOLO: a text file an image, a line a box or polygon, in shares of the image.

use std::path::{Path, PathBuf};

use super::{Boxed, Detected, Frame, name_below, wrong};
use crate::store::error::{Error, Result};
use crate::store::formats::yolo_names;

/// Files of YOLO's that hold no boxes.
const NO_LABELS: [&str; 4] = ["classes.txt", "train.txt", "val.txt", "test.txt"];

/// Class names come from `data.yaml` or `classes.txt` in the folder, if there is one.
pub fn read(folder: &Path, labels: &Path, files: &[PathBuf]) -> Result<Vec<Boxed>> {
    let classes = classes(folder)?;
    let is_label = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !NO_LABELS.contains(&&*name)
    };
    let image = |path: &PathBuf| {
        Ok(Boxed {
            name: name_below(labels, path),
            size: None,
            boxes: parse(path, &text_of(path)?, &classes)?,
        })
    };
    files.iter().filter(is_label).map(image).collect()
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io(path, e))
}

fn classes(folder: &Path) -> Result<Vec<String>> {
    let yaml = folder.join("data.yaml");
    if yaml.is_file() {
        return Ok(yolo_names(&text_of(&yaml)?));
    }
    let list = folder.join("classes.txt");
    if list.is_file() {
        return Ok(text_of(&list)?.lines().map(str::to_owned).collect());
    }
    Ok(Vec::new())
}

fn parse(path: &Path, text: &str, classes: &[String]) -> Result<Vec<Detected>> {
    let mut boxes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(class) = words.next() else { continue };
        let told = |why: &str| wrong(path, &format!("line {number}: {why}"));
        let class: usize = class
            .parse()
            .map_err(|_| told("it begins with no class number"))?;
        let values: Option<Vec<f64>> = words
            .map(|w| w.parse().ok().filter(|v: &f64| v.is_finite()))
            .collect();
        let values = values.ok_or_else(|| told("a coordinate is no number"))?;
        let (corners, score) = corners(&values).ok_or_else(|| told("it is no box"))?;
        boxes.push(Detected {
            frame: Frame::Shares(corners),
            class: classes.get(class).cloned(),
            score,
        });
    }
    Ok(boxes)
}

/// Of a centre with width and height, perhaps with a score, or of a polygon's corners.
fn corners(values: &[f64]) -> Option<([f64; 4], Option<f32>)> {
    let around = |x, y, w, h| [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
    match *values {
        [x, y, w, h] => Some((around(x, y, w, h), None)),
        [x, y, w, h, score] => Some((around(x, y, w, h), Some(score as f32))),
        _ if values.len() < 6 => None,
        _ => {
            let (points, _) = values.as_chunks::<2>();
            let first = [points[0][0], points[0][1], points[0][0], points[0][1]];
            let hull = points.iter().fold(first, |[x0, y0, x1, y1], [x, y]| {
                [x0.min(*x), y0.min(*y), x1.max(*x), y1.max(*y)]
            });
            Some((hull, None))
        }
    }
}
