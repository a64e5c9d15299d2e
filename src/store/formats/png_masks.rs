//! Plain PNG masks: the number of the object, or of the class, or one file an object.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use super::{Found, FoundImage, Labelled, Out, Set, files, read_text, unreadable};
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::{Mask, Run};
use crate::store::error::Result;

/// A PNG's values, before any palette.
pub struct Grey {
    pub size: Size,
    pub values: Vec<u16>,
}

/// Reads a palette or grey PNG's values.
pub fn grey(bytes: &[u8]) -> std::result::Result<Grey, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let (width, height) = (reader.info().width, reader.info().height);
    let size = Size::new(width, height);
    if size.area() > crate::store::decode::MOST_PIXELS {
        return Err(format!("{width}x{height} is too large"));
    }
    let (colour, depth) = reader.output_color_type();
    if !matches!(colour, png::ColorType::Grayscale | png::ColorType::Indexed) {
        return Err("it is a colour picture, not a mask of numbers".into());
    }
    let bytes = reader.output_buffer_size().ok_or("it is too large")?;
    let mut buffer = vec![0; bytes];
    reader.next_frame(&mut buffer).map_err(|e| e.to_string())?;
    let width = width as usize;
    let line = reader
        .output_line_size(size.width)
        .ok_or("it is too large")?;
    let mut values = Vec::with_capacity(width * height as usize);
    for row in buffer.chunks_exact(line.max(1)) {
        match depth {
            png::BitDepth::Sixteen => {
                values.extend(
                    row.as_chunks::<2>()
                        .0
                        .iter()
                        .map(|b| u16::from_be_bytes(*b)),
                );
            }
            png::BitDepth::Eight => values.extend(row.iter().map(|b| u16::from(*b))),
            _ => {
                let bits = depth as usize;
                values.extend((0..width).map(|x| {
                    let shift = 8 - bits - x * bits % 8;
                    u16::from(row[x * bits / 8] >> shift) & ((1 << bits) - 1)
                }));
            }
        }
    }
    Ok(Grey { size, values })
}

/// One mask for each value but `ignored`.
pub fn by_value(grey: &Grey, ignored: &[u16]) -> BTreeMap<u16, Mask> {
    let mut runs: BTreeMap<u16, Vec<Run>> = BTreeMap::new();
    let width = grey.size.width as usize;
    for (y, row) in (0..).zip(grey.values.chunks_exact(width.max(1))) {
        let mut x0 = 0;
        for part in row.chunk_by(|a, b| a == b) {
            let x1 = x0 + part.len() as u32;
            if !ignored.contains(&part[0]) {
                runs.entry(part[0]).or_default().push(Run { y, x0, x1 });
            }
            x0 = x1;
        }
    }
    let masks = runs.into_iter();
    masks
        .map(|(value, runs)| (value, Mask::from_runs(grey.size, runs)))
        .collect()
}

/// Grey bytes of a PNG with one value an object; a later one covers an earlier one.
pub fn painted(image: &Labelled, value: impl Fn(usize) -> u16) -> Vec<u8> {
    let mut pixels = vec![0_u16; image.size.area() as usize];
    let width = image.size.width as usize;
    for (i, object) in image.objects.iter().enumerate() {
        for run in object.mask.runs() {
            let row = run.y as usize * width;
            pixels[row + run.x0 as usize..row + run.x1 as usize].fill(value(i));
        }
    }
    let most = pixels.iter().max().copied().unwrap_or(0);
    let Size { width, height } = image.size;
    let mut png = Cursor::new(Vec::new());
    let written = if most < 256 {
        let bytes: Vec<u8> = pixels.into_iter().map(|v| v as u8).collect();
        let grey = image::GrayImage::from_raw(width, height, bytes);
        grey.expect("a byte a pixel")
            .write_to(&mut png, image::ImageFormat::Png)
    } else {
        let grey: Option<image::ImageBuffer<image::Luma<u16>, _>> =
            image::ImageBuffer::from_raw(width, height, pixels);
        grey.expect("a number a pixel")
            .write_to(&mut png, image::ImageFormat::Png)
    };
    written.expect("memory takes any PNG");
    png.into_inner()
}

fn folder(set: &Set, image: &Labelled) -> String {
    if set.is_split {
        format!("{}/", image.part.name())
    } else {
        String::new()
    }
}

/// The numbers of classes are the lines of `classes.txt`, from 1.
fn classes(set: &Set, out: &mut Out) -> Result<()> {
    let lines: Vec<String> = set
        .classes
        .iter()
        .map(|c| c.replace('\n', " ") + "\n")
        .collect();
    out.write("classes.txt", lines.concat().as_bytes())
}

/// `photo.png` with 1.. in drawing order, and `photo.txt` with the classes, a line an object.
pub fn instances(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let place = format!("{}{}", folder(set, image), image.stem);
        out.write(&format!("{place}.png"), &painted(image, |i| i as u16 + 1))?;
        let names: Vec<String> = image
            .objects
            .iter()
            .map(|o| o.class.replace('\n', " ") + "\n")
            .collect();
        out.write(&format!("{place}.txt"), names.concat().as_bytes())?;
    }
    Ok(())
}

/// `photo.png` with the number of the class, from 1.
pub fn semantic(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        let png = painted(image, |i| set.number(&image.objects[i]) as u16 + 1);
        out.write(&format!("{}{}.png", folder(set, image), image.stem), &png)?;
    }
    classes(set, out)
}

/// `photo/1_2.png`: first the object, then its class; 0 and 255.
pub fn objects(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        for (number, object) in (1..).zip(&image.objects) {
            let mut alone = image.clone();
            alone.objects = vec![std::sync::Arc::clone(object)];
            let place = format!("{}{}", folder(set, image), image.stem);
            let name = format!("{place}/{number}_{}.png", set.number(object) + 1);
            out.write(&name, &painted(&alone, |_| 255))?;
        }
    }
    classes(set, out)
}

fn read(path: &Path) -> Result<Grey> {
    let bytes = std::fs::read(path).map_err(|e| crate::store::error::Error::io(path, e))?;
    grey(&bytes).map_err(|why| unreadable(path, &why))
}

fn found(path: &Path, size: Size, objects: Vec<Found>) -> FoundImage {
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    FoundImage {
        name,
        size,
        objects,
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    Ok(read_text(path)?.lines().map(str::to_owned).collect())
}

fn class(names: &[String], number: usize) -> String {
    let name = number.checked_sub(1).and_then(|i| names.get(i));
    name.map_or_else(|| "object".into(), Clone::clone)
}

pub fn import_instances(from: &Path) -> Result<Vec<FoundImage>> {
    let one = |path: &std::path::PathBuf| {
        let grey = read(path)?;
        let text = path.with_extension("txt");
        let names = if text.is_file() {
            lines(&text)?
        } else {
            Vec::new()
        };
        let masks = by_value(&grey, &[0]).into_iter();
        let objects = masks.map(|(v, mask)| Found {
            class: class(&names, v.into()),
            mask,
        });
        Ok(found(path, grey.size, objects.collect()))
    };
    files(from, ".png")?.iter().map(one).collect()
}

pub fn import_semantic(from: &Path) -> Result<Vec<FoundImage>> {
    let folder = if from.is_file() {
        from.parent().unwrap_or(from)
    } else {
        from
    };
    let text = folder.join("classes.txt");
    let names = if text.is_file() {
        lines(&text)?
    } else {
        Vec::new()
    };
    let one = |path: &std::path::PathBuf| {
        let grey = read(path)?;
        let masks = by_value(&grey, &[0]).into_iter();
        let objects = masks.map(|(v, mask)| Found {
            class: class(&names, v.into()),
            mask,
        });
        Ok(found(path, grey.size, objects.collect()))
    };
    files(from, ".png")?.iter().map(one).collect()
}

pub fn import_objects(from: &Path) -> Result<Vec<FoundImage>> {
    let text = from.join("classes.txt");
    let names = if text.is_file() {
        lines(&text)?
    } else {
        Vec::new()
    };
    let entries = std::fs::read_dir(from).map_err(|e| crate::store::error::Error::io(from, e))?;
    let mut folders: Vec<_> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    let mut images = Vec::new();
    for folder in folders {
        let mut parts: Vec<(usize, Found, Size)> = Vec::new();
        for path in files(&folder, ".png")? {
            let grey = read(&path)?;
            let stem = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let (order, kind) = stem.split_once('_').unwrap_or((&stem, ""));
            let bounds = ImageRect::new(0, 0, grey.size.width, grey.size.height);
            let width = grey.size.width as usize;
            let mask = Mask::from_fn(grey.size, bounds, |p| {
                grey.values[p.y as usize * width + p.x as usize] != 0
            });
            let class = class(&names, kind.parse().unwrap_or(0));
            parts.push((
                order.parse().unwrap_or(usize::MAX),
                Found { class, mask },
                grey.size,
            ));
        }
        parts.sort_by_key(|p| p.0);
        let Some(size) = parts.first().map(|p| p.2) else {
            continue;
        };
        if parts.iter().any(|p| p.2 != size) {
            return Err(unreadable(&folder, &"its masks differ in size"));
        }
        let name = folder.file_name().unwrap_or_default();
        images.push(FoundImage {
            name: name.to_string_lossy().into_owned(),
            size,
            objects: parts.into_iter().map(|p| p.1).collect(),
        });
    }
    Ok(images)
}
