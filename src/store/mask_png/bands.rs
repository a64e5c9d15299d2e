//! A mask file's pixels, packed in bands of rows that do not depend on each other: those that have
//! not changed since the last save are not packed again, the others are on all cores.

use std::ops::Range;
use std::sync::Arc;

use flate2::{Compress, Compression, FlushCompress};
use rayon::prelude::*;
use zlib_rs::adler32::{adler32, adler32_combine};

use crate::core::geometry::Size;
use crate::core::mask::{Mask, Run};

/// How many bytes of pixels a band has, about.
const BAND: usize = 1 << 18;

/// What a zlib stream begins with: deflate, a window of 32 KiB, packed fast (RFC 1950).
const HEAD: [u8; 2] = [0x78, 0x01];

/// The checksum of nothing.
const ADLER: u32 = 1;

/// An empty last block of deflate, which closes the stream (RFC 1951).
const LAST: [u8; 2] = [0x03, 0x00];

/// What was packed last, and what it was packed from.
#[derive(Debug, Default)]
pub struct Bands {
    size: Size,
    /// Bytes a pixel.
    depth: usize,
    masks: Vec<Arc<Mask>>,
    parts: Vec<Band>,
    /// The stream's head, and its end with the checksum.
    ends: [Vec<u8>; 2],
}

/// Packed rows that end at a whole byte.
#[derive(Debug, Clone, Default)]
struct Band {
    packed: Vec<u8>,
    /// Of the bytes before they were packed, of which there are `length`.
    adler: u32,
    length: u64,
}

impl Bands {
    /// The parts of the zlib stream of a PNG's pixels: each mask's are its place, counted from 1, in
    /// `depth` bytes; a later one covers an earlier one.
    pub fn pack(
        &mut self,
        size: Size,
        masks: &[Arc<Mask>],
        depth: usize,
    ) -> impl Iterator<Item = &[u8]> {
        let rows = (BAND / (size.width as usize * depth).max(1)).max(1) as u32;
        let count = size.height.div_ceil(rows) as usize;
        let mut stale = vec![false; count];
        if (self.size, self.depth) == (size, depth) {
            for changed in changes(&self.masks, masks) {
                stale[(changed.start / rows) as usize..changed.end.div_ceil(rows) as usize]
                    .fill(true);
            }
        } else {
            stale.fill(true);
            self.parts = vec![Band::default(); count];
        }
        (self.size, self.depth, self.masks) = (size, depth, masks.to_vec());
        let bands = self.parts.par_iter_mut().zip(stale).enumerate();
        bands
            .filter(|(_, (_, stale))| *stale)
            .for_each(|(i, (band, _))| {
                let from = i as u32 * rows;
                let rows = from..(from + rows).min(size.height);
                *band = Band::pack(&paint(size.width, rows, masks, depth));
            });
        let adler = self.parts.iter().fold(ADLER, |adler, band| {
            adler32_combine(adler, band.adler, band.length)
        });
        self.ends = [HEAD.to_vec(), [&LAST[..], &adler.to_be_bytes()].concat()];
        let packed = self.parts.iter().map(|band| &band.packed);
        let [head, end] = &self.ends;
        let stream = std::iter::once(head).chain(packed).chain([end]);
        stream.map(Vec::as_slice)
    }
}

/// The rows in which two lists of masks differ.
fn changes<'a>(
    old: &'a [Arc<Mask>],
    new: &'a [Arc<Mask>],
) -> impl Iterator<Item = Range<u32>> + 'a {
    let pairs = (0..old.len().max(new.len())).map(|i| (old.get(i), new.get(i)));
    let differs = |(a, b): &(Option<&Arc<Mask>>, Option<&Arc<Mask>>)| match (a, b) {
        (Some(a), Some(b)) => !Arc::ptr_eq(a, b),
        _ => true,
    };
    let masks = pairs.filter(differs).flat_map(|(a, b)| [a, b]).flatten();
    masks.filter_map(|mask| {
        let (first, last) = (mask.runs().first()?, mask.runs().last()?);
        Some(first.y..last.y + 1)
    })
}

/// The rows' pixels as PNG takes them, each behind the number of its filter.
fn paint(width: u32, rows: Range<u32>, masks: &[Arc<Mask>], depth: usize) -> Vec<u8> {
    /// Each byte is the difference to the one above.
    const UP: u8 = 2;
    let length = 1 + width as usize * depth;
    let mut bytes = vec![0; rows.len() * length];
    for (number, mask) in (1_u16..).zip(masks) {
        for Run { y, x0, x1 } in mask.runs_in_rows(rows.start, rows.end) {
            let line = &mut bytes[(y - rows.start) as usize * length + 1..];
            let run = &mut line[*x0 as usize * depth..*x1 as usize * depth];
            if depth == 1 {
                run.fill(number as u8);
            } else {
                run.as_chunks_mut().0.fill(number.to_be_bytes());
            }
        }
    }
    // Most rows equal the one above: that leaves zeros, which cost least time and room. A band's
    // first row stands for itself, so that the band may stay when the one above changes.
    for y in (1..rows.len()).rev() {
        let (above, line) = bytes[(y - 1) * length..][..2 * length].split_at_mut(length);
        let pairs = line.iter_mut().zip(above);
        pairs.for_each(|(below, above)| *below = below.wrapping_sub(*above));
        line[0] = UP;
    }
    bytes
}

impl Band {
    fn pack(bytes: &[u8]) -> Self {
        let mut packed = Vec::with_capacity(bytes.len() / 16 + 64);
        let mut deflate = Compress::new(Compression::fast(), false);
        loop {
            let rest = &bytes[deflate.total_in() as usize..];
            deflate
                .compress_vec(rest, &mut packed, FlushCompress::Sync)
                .expect("a buffer with room");
            // Room that is left says that all of it, the flush included, is there.
            if packed.len() < packed.capacity() {
                break;
            }
            packed.reserve(packed.len());
        }
        Self {
            packed,
            adler: adler32(ADLER, bytes),
            length: bytes.len() as u64,
        }
    }
}
