//! YOLO segmentation: a text file an image, a line an object, coordinates from 0 to 1.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{Found, FoundImage, Out, Set, checked_size, files, filled, read_text, unreadable};
use crate::core::contour::{self, Ring};
use crate::core::geometry::Size;
use crate::store::decode::{self, ENDINGS};
use crate::store::error::{Error, Result};

/// `data.yaml`, `images/train/…`, `labels/train/…`.
pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let part = image.part.name();
        out.copy(image, &format!("images/{part}/{}", image.name))?;
        let mut text = String::new();
        for object in &image.objects {
            if object.mask.is_empty() {
                continue;
            }
            let polygons = out.polygons(image, object);
            let rings: Vec<Ring> = polygons.parts.into_iter().flatten().collect();
            write!(text, "{}", set.number(object)).expect("a string takes any text");
            for [x, y] in contour::joined(&rings) {
                let (x, y) = (
                    x / f64::from(image.size.width),
                    y / f64::from(image.size.height),
                );
                write!(text, " {x:.8} {y:.8}").expect("a string takes any text");
            }
            text.push('\n');
        }
        // The label's name is the image's up to its last dot: that is how YOLO looks for it.
        let stem = Path::new(&image.name).with_extension("txt");
        out.write(
            &format!("labels/{part}/{}", stem.display()),
            text.as_bytes(),
        )?;
    }
    // Without a `path` the folders are looked for beside the file, wherever a training starts.
    let mut yaml = String::new();
    for part in super::Part::ALL {
        // YOLO insists on train and val: without a split they are the same images.
        let held = set.parts().any(|p| p == part);
        let folder = match (held, part) {
            (true, _) => part.name(),
            (false, super::Part::Val) => "train",
            (false, _) => continue,
        };
        writeln!(yaml, "{}: images/{folder}", part.name()).expect("a string takes any text");
    }
    yaml.push_str("names:\n");
    for (number, name) in set.classes.iter().enumerate() {
        let name = serde_json::to_string(name).expect("text");
        writeln!(yaml, "  {number}: {name}").expect("a string takes any text");
    }
    out.write("data.yaml", yaml.as_bytes())
}

/// A folder with `data.yaml`, `images` and `labels`; the sizes are the images' own.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let root = if from.is_file() {
        from.parent().unwrap_or(Path::new("."))
    } else {
        from
    };
    let yaml = root.join("data.yaml");
    let classes = names(&read_text(&yaml)?);
    let mut found = Vec::new();
    for folder in label_folders(root)? {
        for path in files(&folder, ".txt")? {
            let image = image_of(root, &folder, &path)?;
            let size = decode::size(&image)?;
            let size = checked_size(&image, size.width.into(), size.height.into())?;
            let name = image
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let objects = parse(&path, &read_text(&path)?, size, &classes)?;
            found.push(FoundImage {
                name,
                size,
                objects,
            });
        }
    }
    Ok(found)
}

fn label_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let labels = root.join("labels");
    let entries = std::fs::read_dir(&labels).map_err(|e| Error::io(&labels, e))?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    folders.push(labels);
    folders.sort();
    Ok(folders)
}

fn image_of(root: &Path, folder: &Path, label: &Path) -> Result<PathBuf> {
    let below = folder
        .strip_prefix(root.join("labels"))
        .unwrap_or(Path::new(""));
    let stem = label.file_stem().unwrap_or_default();
    let place = root.join("images").join(below).join(stem);
    let named = |ending: &str| {
        let mut name = place.clone().into_os_string();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    };
    let upper = ENDINGS.iter().map(|e| e.to_uppercase());
    let endings = ENDINGS.iter().map(|e| (*e).to_owned()).chain(upper);
    let mut places = endings.map(|e| named(&e));
    places
        .find(|p| p.is_file())
        .ok_or_else(|| unreadable(label, &"the image it is for is not in images"))
}

/// The names of `data.yaml`: a list in brackets, lines with dashes, or lines with numbers.
pub(in crate::store) fn names(yaml: &str) -> Vec<String> {
    let mut lines = yaml.lines().skip_while(|l| !l.starts_with("names:"));
    let first = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches("names:");
    let unquoted = |text: &str| {
        let text = text.trim();
        serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('\'').to_owned())
    };
    if let Some(list) = first.trim().strip_prefix('[') {
        return list
            .trim_end_matches(']')
            .split(',')
            .map(unquoted)
            .collect();
    }
    lines
        .take_while(|l| l.starts_with([' ', '-', '\t']))
        .map(|l| {
            let l = l.trim();
            let name = l
                .strip_prefix('-')
                .or_else(|| l.split_once(':').map(|(_, name)| name));
            unquoted(name.unwrap_or(l))
        })
        .collect()
}

/// The objects of a label file's text.
pub fn parse(path: &Path, text: &str, size: Size, classes: &[String]) -> Result<Vec<Found>> {
    let mut objects = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(class) = words.next() else { continue };
        let told = |why: &str| unreadable(path, &format!("line {number}: {why}"));
        let class = class.parse().ok().and_then(|i: usize| classes.get(i));
        let class = class
            .ok_or_else(|| told("its class is not in data.yaml"))?
            .clone();
        let values: Option<Vec<f64>> = words
            .map(|w| w.parse().ok().filter(|v: &f64| v.is_finite()))
            .collect();
        let values = values.ok_or_else(|| told("a coordinate is no number"))?;
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        let ring: Ring = match values[..] {
            // A box: centre, width and height.
            [x, y, bw, bh] => [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]
                .map(|[u, v]| [(x + u * bw) * w, (y + v * bh) * h])
                .to_vec(),
            _ => values
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[x, y]| [x * w, y * h])
                .collect(),
        };
        let mask = filled(size, &[ring]).map_err(|why| told(&why))?;
        objects.push(Found::new(class, mask));
    }
    Ok(objects)
}
