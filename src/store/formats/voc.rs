//! Pascal VOC: `SegmentationClass` and `SegmentationObject` PNGs with VOC's own palette.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use super::png_masks::{by_value, grey};
use super::{Found, FoundImage, Labelled, Out, Set, files, read_text, unreadable};
use crate::core::mask::Mask;
use crate::store::error::{Error, Result};

/// VOC's value for pixels that nobody judges.
const VOID: u16 = 255;

pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        if set.classes.len() > 254 || image.objects.len() > 254 {
            return Err(unreadable(
                &image.source,
                &"VOC has room for 254 classes and objects",
            ));
        }
        out.copy(image, &format!("JPEGImages/{}", image.name))?;
        let class = |i: usize| set.number(&image.objects[i]) as u8 + 1;
        out.write(
            &format!("SegmentationClass/{}.png", image.stem),
            &palette_png(image, class),
        )?;
        let number = |i: usize| i as u8 + 1;
        out.write(
            &format!("SegmentationObject/{}.png", image.stem),
            &palette_png(image, number),
        )?;
    }
    for part in set.parts() {
        let stems: Vec<String> = set.of(part).map(|i| format!("{}\n", i.stem)).collect();
        let name = format!("ImageSets/Segmentation/{}.txt", part.name());
        out.write(&name, stems.concat().as_bytes())?;
    }
    let names: Vec<String> = set
        .classes
        .iter()
        .map(|c| c.replace('\n', " ") + "\n")
        .collect();
    out.write("classes.txt", names.concat().as_bytes())
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

fn palette_png(image: &Labelled, value: impl Fn(usize) -> u8) -> Vec<u8> {
    let mut pixels = vec![0_u8; image.size.area() as usize];
    let width = image.size.width as usize;
    for (i, object) in image.objects.iter().enumerate() {
        for run in object.mask.runs() {
            let row = run.y as usize * width;
            pixels[row + run.x0 as usize..row + run.x1 as usize].fill(value(i));
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut bytes, image.size.width, image.size.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette((0..=255).flat_map(colour).collect::<Vec<u8>>());
    let written = encoder
        .write_header()
        .and_then(|mut w| w.write_image_data(&pixels));
    written.expect("memory takes any PNG");
    bytes.into_inner()
}

/// A folder with both kinds of masks; without `SegmentationObject` the connected parts of a class
/// are its objects.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let text = from.join("classes.txt");
    let names: Vec<String> = if text.is_file() {
        read_text(&text)?.lines().map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    let read = |path: &Path| {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        grey(&bytes).map_err(|why| unreadable(path, &why))
    };
    let name = |number: u16| {
        let known = usize::from(number)
            .checked_sub(1)
            .and_then(|i| names.get(i));
        known.map_or_else(|| format!("class {number}"), Clone::clone)
    };
    let mut images = Vec::new();
    for path in files(&from.join("SegmentationClass"), ".png")? {
        let classes = read(&path)?;
        let file = path.file_name().unwrap_or_default();
        let beside = from.join("SegmentationObject").join(file);
        let objects: Vec<Found> = if beside.is_file() {
            let numbers = read(&beside)?;
            if numbers.size != classes.size {
                return Err(unreadable(
                    &beside,
                    &"its size is not that of the class mask",
                ));
            }
            by_value(&numbers, &[0, VOID])
                .into_values()
                .map(|mask| Found {
                    class: name(most_frequent(&mask, &classes.values)),
                    mask,
                })
                .collect()
        } else {
            let masks = by_value(&classes, &[0, VOID]).into_iter();
            let parts = masks.flat_map(|(v, mask)| mask.parts().into_iter().map(move |p| (v, p)));
            parts
                .map(|(v, mask)| Found {
                    class: name(v),
                    mask,
                })
                .collect()
        };
        images.push(FoundImage {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            size: classes.size,
            objects,
        });
    }
    Ok(images)
}

fn most_frequent(mask: &Mask, values: &[u16]) -> u16 {
    let width = mask.size().width as usize;
    let mut counts: HashMap<u16, usize> = HashMap::new();
    for run in mask.runs() {
        let row = run.y as usize * width;
        for value in &values[row + run.x0 as usize..row + run.x1 as usize] {
            *counts.entry(*value).or_default() += 1;
        }
    }
    let best = counts
        .into_iter()
        .max_by_key(|(value, n)| (*n, u16::MAX - value));
    best.map_or(0, |(value, _)| value)
}
