//! Images with their known masks: 0 and 255, 128 not counted, or ids of objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::core::geometry::Size;
use crate::core::mask::{Mask, Run};
use crate::segment::evaluate::Sample;
use crate::store::decode;

/// Fewer pixels than this are no object to be clicked.
const LEAST_PIXELS: u64 = 21;
/// More values than these, of 256, are no ids.
const MOST_IDS: usize = 200;

/// An image and the file with its masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub image: PathBuf,
    pub mask: PathBuf,
}

/// The masks of a folder, in the order of their names, that have an image of the same name.
pub fn pairs(images: &Path, masks: &Path) -> anyhow::Result<Vec<Pair>> {
    let by_stem: BTreeMap<String, PathBuf> = files(images)?
        .into_iter()
        .map(|path| (stem(&path), path))
        .collect();
    let pairs = files(masks)?
        .into_iter()
        .filter(|mask| mask.extension().is_some_and(|e| e == "png"))
        .filter_map(|mask| {
            let image = by_stem.get(&stem(&mask))?.clone();
            Some(Pair { image, mask })
        });
    Ok(pairs.collect())
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let told = || format!("{}: cannot be listed", folder.display());
    for entry in fs::read_dir(folder).with_context(told)? {
        paths.push(entry.with_context(told)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The name without its ending, and without the `.mask` of termask's own mask files.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_suffix(".mask").unwrap_or(&stem).to_owned()
}

/// The objects of an image with their names; none where the mask has another size than the image.
pub fn samples(pair: &Pair) -> anyhow::Result<Vec<(String, Sample)>> {
    let decoded = decode::decode(&pair.image)?;
    let (size, values) = read(&pair.mask)
        .with_context(|| format!("{}: no mask that can be read", pair.mask.display()))?;
    if size != decoded.image.size() {
        return Ok(Vec::new());
    }
    let codes = meaning(&values);
    let pick = |keep: &dyn Fn(u16) -> bool| pixels(size, &values, keep);
    let ignored = pick(&|v| codes.ignored == Some(v));
    let name = stem(&pair.image);
    let objects: Vec<(String, Mask)> = match &codes.objects {
        Objects::One => {
            let truth = pick(&|v| v > 127 && codes.ignored != Some(v));
            vec![(name, truth)]
        }
        Objects::Ids(ids) => ids
            .iter()
            .map(|id| (format!("{name}#{id}"), pick(&|v| v == *id)))
            .collect(),
    };
    Ok(objects
        .into_iter()
        .filter(|(_, truth)| truth.area() >= LEAST_PIXELS)
        .map(|(name, truth)| {
            let sample = Sample {
                image: decoded.image.clone(),
                image_key: decoded.key,
                truth,
                ignored: ignored.clone(),
            };
            (name, sample)
        })
        .collect())
}

/// What a mask file's values say.
#[derive(Debug, PartialEq, Eq)]
struct Codes {
    objects: Objects,
    ignored: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Objects {
    /// Whatever is above 127.
    One,
    Ids(BTreeSet<u16>),
}

fn meaning(values: &[u16]) -> Codes {
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(*value).or_default() += 1;
    }
    let among = |known: &[u16]| counts.keys().all(|v| known.contains(v));
    let one = |ignored| Codes {
        objects: Objects::One,
        ignored,
    };
    if among(&[0, 255]) {
        return one(None);
    }
    if among(&[0, 128, 255]) {
        return one(Some(128));
    }
    // Edges smoothed by resizing: many values, but few pixels of them. JPEG leaves traces all over,
    // of nearly every value; nobody counts so many objects in eight bits.
    let count = |v: u16| counts.get(&v).copied().unwrap_or(0);
    let between = values.len() - count(0) - count(255);
    let brightest = counts.keys().next_back().copied().unwrap_or(0);
    let is_smooth = counts.len() > 16 && between * 5 < values.len();
    let is_grey = brightest == 255 && (is_smooth || counts.len() > MOST_IDS);
    if is_grey {
        return one(None);
    }
    let ignored = (brightest == 255).then_some(255);
    let ids = counts
        .into_keys()
        .filter(|v| *v != 0 && Some(*v) != ignored)
        .collect();
    Codes {
        objects: Objects::Ids(ids),
        ignored,
    }
}

fn pixels(size: Size, values: &[u16], keep: &dyn Fn(u16) -> bool) -> Mask {
    let mut runs = Vec::new();
    for (y, row) in values.chunks_exact(size.width.max(1) as usize).enumerate() {
        let mut x = 0;
        for same in row.chunk_by(|a, b| keep(*a) == keep(*b)) {
            let x1 = x + same.len() as u32;
            if keep(same[0]) {
                let y = y as u32;
                runs.push(Run { y, x0: x, x1 });
            }
            x = x1;
        }
    }
    Mask::from_runs(size, runs)
}

/// A PNG's values as they are stored: palette indices are not turned into colours.
fn read(path: &Path) -> anyhow::Result<(Size, Vec<u16>)> {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path)?));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info()?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let (bits, channels) = (info.bit_depth as usize, info.color_type.samples());
    let grey = info.color_type == png::ColorType::Grayscale;
    let bytes_of_row = reader.output_line_size(width);
    let bytes_of_row = bytes_of_row.context("the rows are too long")?;
    let total = reader.output_buffer_size().context("it is too large")?;
    let mut bytes = vec![0; total];
    reader.next_frame(&mut bytes)?;
    if bits == 16 && channels > 1 {
        bail!("it has 16-bit colours: save it in grey");
    }
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for row in bytes.chunks_exact(bytes_of_row.max(1)) {
        values.extend((0..width as usize).map(|x| match bits {
            16 => u16::from_be_bytes([row[2 * x], row[2 * x + 1]]),
            8 => u16::from(row[x * channels]),
            _ => {
                let at = x * bits;
                let most = (1_u16 << bits) - 1;
                let value = u16::from(row[at / 8]) >> (8 - bits - at % 8) & most;
                // One bit of grey is black and white.
                if grey && bits == 1 {
                    255 * value
                } else {
                    value
                }
            }
        }));
    }
    Ok((Size::new(width, height), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(values: &[u16]) -> Objects {
        Objects::Ids(values.iter().copied().collect())
    }

    #[test]
    fn the_values_tell_objects_from_ids_and_what_is_not_counted() {
        let told = |objects, ignored| Codes { objects, ignored };
        assert_eq!(meaning(&[0, 255]), told(Objects::One, None));
        assert_eq!(meaning(&[0, 128, 255]), told(Objects::One, Some(128)));
        assert_eq!(meaning(&[0, 1, 2, 2]), told(ids(&[1, 2]), None));
        assert_eq!(meaning(&[0, 1, 2, 255]), told(ids(&[1, 2]), Some(255)));
        assert_eq!(meaning(&[0, 700]), told(ids(&[700]), None));
    }

    #[test]
    fn smoothed_edges_are_one_object() {
        let mut values = vec![0; 400];
        values.extend(vec![255; 400]);
        values.extend(100..130);
        assert_eq!(meaning(&values).objects, Objects::One);
    }

    #[test]
    fn traces_of_jpeg_all_over_are_one_object() {
        let values: Vec<u16> = (0..=255).chain([1, 2, 3].repeat(500)).collect();
        assert_eq!(meaning(&values).objects, Objects::One);
        let crowd: Vec<u16> = (0..150).chain([255, 255]).collect();
        assert_ne!(meaning(&crowd).objects, Objects::One);
    }
}
