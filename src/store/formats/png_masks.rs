//! Plain PNG masks: the number of the object, or of the class, or one file an object.

use std::path::{Path, PathBuf};

use super::values::Values;
use super::{Found, FoundImage, Labelled, Out, Set};
use super::{file_stem, files, known_classes, read_text, unreadable};
use crate::core::geometry::Size;
use crate::store::error::{Error, Result};

/// The picture of an image's objects, each with its number.
pub fn painted(image: &Labelled, value: impl Fn(usize) -> u16) -> Values {
    let masks = image.objects.iter().enumerate();
    Values::paint(image.size, masks.map(|(i, o)| (&*o.mask, value(i))))
}

/// `photo.png` with 1.. in drawing order, and `photo.txt` with the classes, a line an object.
pub fn instances(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let place = format!("{}{}", set.folder(image), image.stem);
        let png = painted(image, |i| i as u16 + 1).to_png();
        out.write(&format!("{place}.png"), &png)?;
        let names = image.objects.iter().map(|o| o.class.replace('\n', " "));
        let lines: String = names.map(|n| n + "\n").collect();
        out.write(&format!("{place}.txt"), lines.as_bytes())?;
    }
    Ok(())
}

/// `photo.png` with the number of the class, from 1.
pub fn semantic(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let png = painted(image, |i| set.number(&image.objects[i]) as u16 + 1).to_png();
        let name = format!("{}{}.png", set.folder(image), image.stem);
        out.write(&name, &png)?;
    }
    out.write("classes.txt", set.class_lines().as_bytes())
}

/// `photo/1_2.png`: first the object, then its class; 0 and 255.
pub fn objects(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        for (number, object) in (1..).zip(&image.objects) {
            let png = Values::paint(image.size, [(&*object.mask, 255)]).to_png();
            let place = format!("{}{}", set.folder(image), image.stem);
            let name = format!("{place}/{number}_{}.png", set.number(object) + 1);
            out.write(&name, &png)?;
        }
    }
    out.write("classes.txt", set.class_lines().as_bytes())
}

fn class(names: &[String], number: usize) -> String {
    let name = number.checked_sub(1).and_then(|i| names.get(i));
    name.map_or_else(|| "object".into(), Clone::clone)
}

/// A mask file's objects, with the names that belong to its numbers.
fn numbered(path: &Path, names: &[String]) -> Result<FoundImage> {
    let values = Values::read(path)?;
    let masks = values.masks(&[0]).into_iter();
    let objects = masks.map(|(v, mask)| Found::new(class(names, v.into()), mask));
    Ok(FoundImage {
        name: file_stem(path),
        size: values.size,
        objects: objects.collect(),
    })
}

pub fn import_instances(from: &Path) -> Result<Vec<FoundImage>> {
    let one = |path: &PathBuf| {
        let text = path.with_extension("txt");
        let names: Vec<String> = if text.is_file() {
            read_text(&text)?.lines().map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        numbered(path, &names)
    };
    files(from, ".png")?.iter().map(one).collect()
}

pub fn import_semantic(from: &Path) -> Result<Vec<FoundImage>> {
    let folder = if from.is_file() {
        from.parent().unwrap_or(from)
    } else {
        from
    };
    let names = known_classes(folder)?;
    let paths = files(from, ".png")?;
    paths.iter().map(|path| numbered(path, &names)).collect()
}

pub fn import_objects(from: &Path) -> Result<Vec<FoundImage>> {
    let names = known_classes(from)?;
    let entries = std::fs::read_dir(from).map_err(|e| Error::io(from, e))?;
    let paths = entries.flatten().map(|e| e.path());
    let mut folders: Vec<_> = paths.filter(|p| p.is_dir()).collect();
    folders.sort();
    let images = folders.iter().map(|f| one_folder(f, &names));
    images.filter_map(Result::transpose).collect()
}

/// The objects of one image's folder, by their order; `None` where it has none.
fn one_folder(folder: &Path, names: &[String]) -> Result<Option<FoundImage>> {
    let mut parts: Vec<(usize, Found, Size)> = Vec::new();
    for path in files(folder, ".png")? {
        let values = Values::read(&path)?;
        let stem = file_stem(&path);
        let (order, kind) = stem.split_once('_').unwrap_or((&stem, ""));
        let found = Found::new(
            class(names, kind.parse().unwrap_or(0)),
            values.mask_at(values.size, 0, 0),
        );
        parts.push((order.parse().unwrap_or(usize::MAX), found, values.size));
    }
    parts.sort_by_key(|p| p.0);
    let Some(size) = parts.first().map(|p| p.2) else {
        return Ok(None);
    };
    if parts.iter().any(|p| p.2 != size) {
        return Err(unreadable(folder, &"its masks differ in size"));
    }
    let name = folder.file_name().unwrap_or_default();
    Ok(Some(FoundImage {
        name: name.to_string_lossy().into_owned(),
        size,
        objects: parts.into_iter().map(|p| p.1).collect(),
    }))
}
