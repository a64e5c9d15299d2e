//! Pictures of numbers: a grey or palette PNG whose values name objects or classes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Cursor;
use std::path::Path;

use super::unreadable;
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::{Mask, Run};
use crate::store::decode::is_image_size;
use crate::store::error::{Error, Result};

/// A number a pixel, row by row; of a palette PNG the places in the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    pub size: Size,
    pub values: Vec<u16>,
}

impl Values {
    /// Paints masks in order, each with its number; a later one covers an earlier one.
    pub fn paint<'a>(size: Size, masks: impl IntoIterator<Item = (&'a Mask, u16)>) -> Self {
        let mut values = vec![0_u16; size.area() as usize];
        let width = size.width as usize;
        for (mask, value) in masks {
            for run in mask.runs() {
                let row = run.y as usize * width;
                values[row + run.x0 as usize..row + run.x1 as usize].fill(value);
            }
        }
        Self { size, values }
    }

    /// Reads a PNG file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::from_png(&bytes).map_err(|why| unreadable(path, &why))
    }

    /// Reads a palette or grey PNG of 1 to 16 bits; an error says why it is none.
    pub fn from_png(bytes: &[u8]) -> std::result::Result<Self, String> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
        let size = Size::new(reader.info().width, reader.info().height);
        let too_large = || format!("{}x{} is too large", size.width, size.height);
        if !is_image_size(size) {
            return Err(too_large());
        }
        let (colour, depth) = reader.output_color_type();
        if !matches!(colour, png::ColorType::Grayscale | png::ColorType::Indexed) {
            return Err("it is a colour picture, not a mask of numbers".into());
        }
        let bytes = reader.output_buffer_size().ok_or_else(too_large)?;
        let line = reader.output_line_size(size.width).ok_or_else(too_large)?;
        let mut buffer = vec![0; bytes];
        reader.next_frame(&mut buffer).map_err(|e| e.to_string())?;
        let mut values = Vec::with_capacity(size.area() as usize);
        for row in buffer.chunks_exact(line.max(1)) {
            unpack(row, depth, size.width as usize, &mut values);
        }
        Ok(Self { size, values })
    }

    /// 1 where a PNG is not transparent; an error where it cannot be.
    pub fn from_alpha(bytes: &[u8]) -> std::result::Result<Self, String> {
        let format = image::ImageFormat::Png;
        let picture = image::load_from_memory_with_format(bytes, format);
        let picture = picture.map_err(|e| e.to_string())?;
        if !picture.color().has_alpha() {
            return Err("it is neither a mask of numbers nor transparent".into());
        }
        let rgba = picture.into_rgba8();
        Ok(Self {
            size: Size::new(rgba.width(), rgba.height()),
            values: rgba.pixels().map(|p| u16::from(p[3] > 0)).collect(),
        })
    }

    /// An 8-bit grey PNG, or a 16-bit one where a number needs it.
    pub fn to_png(&self) -> Vec<u8> {
        if self.values.iter().all(|v| *v < 256) {
            let bytes: Vec<u8> = self.values.iter().map(|v| *v as u8).collect();
            return self.encoded(&bytes, png::BitDepth::Eight, None);
        }
        let bytes: Vec<u8> = self.values.iter().flat_map(|v| v.to_be_bytes()).collect();
        self.encoded(&bytes, png::BitDepth::Sixteen, None)
    }

    /// An 8-bit palette PNG; the numbers must be below 256.
    pub fn to_palette_png(&self, palette: Vec<u8>) -> Vec<u8> {
        let bytes: Vec<u8> = self.values.iter().map(|v| *v as u8).collect();
        self.encoded(&bytes, png::BitDepth::Eight, Some(palette))
    }

    fn encoded(&self, bytes: &[u8], depth: png::BitDepth, palette: Option<Vec<u8>>) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(depth);
        if let Some(palette) = palette {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette);
        }
        let written = encoder
            .write_header()
            .and_then(|mut w| w.write_image_data(bytes));
        written.expect("memory takes any PNG");
        file
    }

    /// One mask for each number but `ignored`.
    pub fn masks(&self, ignored: &[u16]) -> BTreeMap<u16, Mask> {
        let mut runs: BTreeMap<u16, Vec<Run>> = BTreeMap::new();
        let width = self.size.width as usize;
        for (y, row) in (0..).zip(self.values.chunks_exact(width.max(1))) {
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
            .map(|(value, runs)| (value, Mask::from_runs(self.size, runs)))
            .collect()
    }

    /// All pixels whose number is not 0, at a place in a picture of another size.
    pub fn mask_at(&self, size: Size, x: u32, y: u32) -> Mask {
        let bounds = ImageRect::new(
            x,
            y,
            x.saturating_add(self.size.width),
            y.saturating_add(self.size.height),
        );
        let width = self.size.width as usize;
        Mask::from_fn(size, bounds, |p| {
            self.values[(p.y - y) as usize * width + (p.x - x) as usize] != 0
        })
    }

    /// The number that most pixels of a mask have; the smallest where several do.
    pub fn most_frequent(&self, mask: &Mask) -> u16 {
        let width = self.size.width as usize;
        let mut counts: HashMap<u16, usize> = HashMap::new();
        for run in mask.runs() {
            let row = run.y as usize * width;
            for value in &self.values[row + run.x0 as usize..row + run.x1 as usize] {
                *counts.entry(*value).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        let best = counts.max_by_key(|(value, n)| (*n, u16::MAX - value));
        best.map_or(0, |(value, _)| value)
    }
}

/// The numbers of one row of a PNG.
fn unpack(row: &[u8], depth: png::BitDepth, width: usize, values: &mut Vec<u16>) {
    match depth {
        png::BitDepth::Sixteen => {
            let pairs = row.as_chunks::<2>().0.iter();
            values.extend(pairs.map(|b| u16::from_be_bytes(*b)));
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
