//! Pascal VOC: `SegmentationClass` and `SegmentationObject` PNGs with VOC's own palette.

use std::path::Path;

use super::png_masks::painted;
use super::values::Values;
use super::{Found, FoundImage, Out, Set, file_stem, files, known_classes, unreadable};
use crate::store::error::Result;

/// VOC's value for pixels that nobody judges.
const VOID: u16 = 255;

pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    let palette: Vec<u8> = (0..=255).flat_map(colour).collect();
    for image in &set.images {
        if set.classes.len() > 254 || image.objects.len() > 254 {
            return Err(unreadable(
                &image.source,
                &"VOC has room for 254 classes and objects",
            ));
        }
        // Readers put this ending behind the names in the lists.
        out.copy(image, &format!("JPEGImages/{}.jpg", image.stem))?;
        let classes = painted(image, |i| set.number(&image.objects[i]) as u16 + 1);
        let numbers = painted(image, |i| i as u16 + 1);
        for (folder, values) in [("Class", classes), ("Object", numbers)] {
            let name = format!("Segmentation{folder}/{}.png", image.stem);
            out.write(&name, &values.to_palette_png(palette.clone()))?;
        }
    }
    for part in set.parts() {
        let stems: String = set.of(part).map(|i| i.stem.clone() + "\n").collect();
        let name = format!("ImageSets/Segmentation/{}.txt", part.name());
        out.write(&name, stems.as_bytes())?;
    }
    out.write("classes.txt", set.class_lines().as_bytes())
}

/// VOC's colour map: the bits of the number, spread over the channels.
fn colour(number: u8) -> [u8; 3] {
    let bit = |i: u8, at: u8| (number >> (3 * i + at) & 1) << (7 - i);
    let channel = |at| {
        (0..3)
            .filter(|i| 3 * i + at < 8)
            .fold(0, |all, i| all | bit(i, at))
    };
    [channel(0), channel(1), channel(2)]
}

/// A folder with both kinds of masks; without `SegmentationObject` the connected parts of a class
/// are its objects.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let names = known_classes(from)?;
    let paths = files(&from.join("SegmentationClass"), ".png")?;
    paths.iter().map(|path| one(from, path, &names)).collect()
}

fn one(from: &Path, path: &Path, names: &[String]) -> Result<FoundImage> {
    let name = |number: u16| {
        let at = usize::from(number).checked_sub(1);
        let known = at.and_then(|i| names.get(i));
        known.map_or_else(|| format!("class {number}"), Clone::clone)
    };
    let classes = Values::read(path)?;
    let file = path.file_name().unwrap_or_default();
    let beside = from.join("SegmentationObject").join(file);
    let objects: Vec<Found> = if beside.is_file() {
        let numbers = Values::read(&beside)?;
        if numbers.size != classes.size {
            let why = "its size is not that of the class mask";
            return Err(unreadable(&beside, &why));
        }
        let masks = numbers.masks(&[0, VOID]).into_values();
        masks
            .map(|mask| Found::new(name(classes.most_frequent(&mask)), mask))
            .collect()
    } else {
        let masks = classes.masks(&[0, VOID]).into_iter();
        let parts = masks.flat_map(|(v, mask)| mask.parts().into_iter().map(move |p| (v, p)));
        parts.map(|(v, mask)| Found::new(name(v), mask)).collect()
    };
    Ok(FoundImage {
        name: file_stem(path),
        size: classes.size,
        objects,
    })
}
