//! A progressive JPEG as one with a single scan: that one is decoded a row of blocks at a time,
//! where the decoder would hold all coefficients, in two bytes each, beside all pixels.
//!
//! Sections and figures are those of ITU-T T.81.

mod component;

use self::component::{Averages, Band, Component};
use super::bits::{Codes, Huffman, Reader, Writer};

/// A file with more scans means harm: each takes as long as the picture is large.
const MOST_SCANS: usize = 100;

/// Markers, without the 0xff before them.
mod marker {
    pub const BASELINE: u8 = 0xc0;
    pub const PROGRESSIVE: u8 = 0xc2;
    pub const HUFFMAN: u8 = 0xc4;
    pub const RESTART: std::ops::Range<u8> = 0xd0..0xd8;
    pub const START: u8 = 0xd8;
    pub const END: u8 = 0xd9;
    pub const SCAN: u8 = 0xda;
    pub const QUANTISATION: u8 = 0xdb;
    pub const RESTARTS: u8 = 0xdd;
}

/// Gets the bytes of a JPEG to be shown.
type Show<'a> = &'a mut dyn FnMut(&[u8]);

/// The same picture with one scan; `None` of a file that is not progressive, or that is damaged.
/// `coarse` gets a picture of the blocks' averages as soon as those are there.
pub fn in_one_scan(bytes: &[u8], mut coarse: Option<Show<'_>>) -> Option<Vec<u8>> {
    let mut at = 2;
    let mut head = vec![0xff, marker::START];
    let mut frame: Option<Frame> = None;
    let mut tables = Tables::default();
    let mut scans = 0;
    loop {
        while *bytes.get(at)? != 0xff || *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let kind = bytes[at + 1];
        if kind == marker::END {
            break;
        }
        if marker::RESTART.contains(&kind) {
            at += 2;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([
            *bytes.get(at + 2)?,
            *bytes.get(at + 3)?,
        ]));
        let segment = bytes.get(at + 4..at + 2 + length)?;
        let whole = at..at + 2 + length;
        at = whole.end;
        match kind {
            marker::PROGRESSIVE if frame.is_none() => frame = Some(Frame::read(segment)?),
            marker::HUFFMAN => tables.read(segment)?,
            marker::RESTARTS => {
                tables.restarts =
                    usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?]));
            }
            marker::SCAN => {
                let frame = frame.as_mut()?;
                at += frame.scan(segment, &tables, &bytes[at..])?;
                scans += 1;
                let has_averages = frame.components.iter().all(|c| c.is_begun);
                if let Some(coarse) = coarse.take_if(|_| has_averages) {
                    coarse(&frame.written(&head)?);
                }
                if scans == MOST_SCANS {
                    return None;
                }
            }
            // Another quantisation between the scans is allowed, and nobody writes that.
            marker::QUANTISATION if scans > 0 => return None,
            0xc0..=0xcf => return None,
            _ => head.extend_from_slice(&bytes[whole]),
        }
    }
    frame?.written(&head)
}

/// What the file said last of its codes.
#[derive(Debug, Default)]
struct Tables {
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    /// Units between two restarts; 0 for none.
    restarts: usize,
}

impl Tables {
    /// B.2.4.2
    fn read(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((class, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|c| usize::from(*c)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let kind = if class >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            *kind.get_mut(usize::from(class & 15))? = Some(Huffman::new(*counts, symbols)?);
            segment = rest;
        }
        Some(())
    }
}

#[derive(Debug)]
struct Frame {
    width: u16,
    height: u16,
    /// Units across and down.
    units: (usize, usize),
    components: Vec<Component>,
}

impl Frame {
    /// B.2.2
    fn read(segment: &[u8]) -> Option<Self> {
        let [8, h1, h2, w1, w2, count, rest @ ..] = segment else {
            return None;
        };
        let (height, width) = (
            u16::from_be_bytes([*h1, *h2]),
            u16::from_be_bytes([*w1, *w2]),
        );
        let described: Vec<[u8; 3]> = rest.as_chunks().0.to_vec();
        let is_sound = described.len() == usize::from(*count) && width.min(height) > 0;
        if !is_sound || !(1..=4).contains(&described.len()) {
            return None;
        }
        let alone = described.len() == 1;
        let factors =
            |[_, both, _]: &[u8; 3]| match (usize::from(both >> 4), usize::from(both & 15)) {
                // Of one component blocks come one by one.
                _ if alone => Some((1, 1)),
                (across @ 1..=4, down @ 1..=4) => Some((across, down)),
                _ => None,
            };
        let all: Vec<(usize, usize)> = described.iter().map(factors).collect::<Option<_>>()?;
        let most = (
            all.iter().map(|f| f.0).max()?,
            all.iter().map(|f| f.1).max()?,
        );
        if all.iter().map(|f| f.0 * f.1).sum::<usize>() > 10 {
            return None;
        }
        let (w, h) = (usize::from(width), usize::from(height));
        let units = (w.div_ceil(8 * most.0), h.div_ceil(8 * most.1));
        let component = |([id, _, quantisation], (across, down)): (&[u8; 3], &(usize, usize))| {
            let row = units.0 * across;
            let blocks = row * units.1 * down;
            Component {
                id: *id,
                across: *across,
                down: *down,
                quantisation: *quantisation,
                size: (
                    (w * across).div_ceil(most.0).div_ceil(8),
                    (h * down).div_ceil(most.1).div_ceil(8),
                ),
                row,
                ..Component::of(blocks)
            }
        };
        Some(Self {
            width,
            height,
            units,
            components: described.iter().zip(&all).map(component).collect(),
        })
    }

    /// Reads a scan; how many bytes its codes take.
    fn scan(&mut self, segment: &[u8], tables: &Tables, bytes: &[u8]) -> Option<usize> {
        let (count, rest) = segment.split_first()?;
        let (chosen, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, bits, ..] = rest else {
            return None;
        };
        let band = Band {
            first: usize::from(*first),
            last: usize::from(*last),
            refines: bits >> 4 > 0,
            low: bits & 15,
        };
        if band.last > 63 || band.first > band.last || band.low > 13 {
            return None;
        }
        let mut parts = Vec::new();
        for [id, table] in chosen.as_chunks().0 {
            let index = self.components.iter().position(|c| c.id == *id)?;
            parts.push((index, usize::from(table >> 4), usize::from(table & 15)));
        }
        let mut bits = Reader::new(bytes);
        match parts.as_slice() {
            [(index, _, table)] if band.first > 0 => {
                let codes = tables.ac.get(*table)?.as_ref()?;
                let component = &mut self.components[*index];
                component.band(band, codes, tables.restarts, &mut bits)?;
            }
            [_, ..] if band.last == 0 => self.averages(band, &parts, tables, &mut bits)?,
            _ => return None,
        }
        Some(bits.end())
    }

    fn averages(
        &mut self,
        band: Band,
        parts: &[(usize, usize, usize)],
        tables: &Tables,
        bits: &mut Reader<'_>,
    ) -> Option<()> {
        let mut scans = Vec::new();
        for (index, table, _) in parts {
            let codes = if band.refines {
                None
            } else {
                Some(tables.dc.get(*table)?.as_ref()?)
            };
            scans.push((
                *index,
                Averages {
                    codes,
                    low: band.low,
                },
            ));
        }
        let is_due = |number: usize| {
            tables.restarts > 0 && number > 0 && number.is_multiple_of(tables.restarts)
        };
        let mut before = vec![0; scans.len()];
        if let [(index, scan)] = scans.as_slice() {
            let component = &mut self.components[*index];
            for (number, block) in component.blocks().enumerate() {
                if is_due(number) {
                    bits.restart()?;
                    before.fill(0);
                }
                component.average(block, &mut before[0], scan, bits)?;
            }
            return Some(());
        }
        for number in 0..self.units.0 * self.units.1 {
            if is_due(number) {
                bits.restart()?;
                before.fill(0);
            }
            let unit = (number % self.units.0, number / self.units.0);
            for ((index, scan), before) in scans.iter().zip(&mut before) {
                let component = &mut self.components[*index];
                for block in component.blocks_of(unit) {
                    component.average(block, before, scan, bits)?;
                }
            }
        }
        Some(())
    }

    /// The file with one scan, behind what the other had at its head.
    fn written(&self, head: &[u8]) -> Option<Vec<u8>> {
        let codes = [Codes::averages(), Codes::rest()];
        let count = self.components.len() as u8;
        let mut out = head.to_vec();
        let mut segment = |kind: u8, content: &[u8]| {
            out.extend([0xff, kind]);
            out.extend((content.len() as u16 + 2).to_be_bytes());
            out.extend(content);
        };
        let [h1, h2] = self.height.to_be_bytes();
        let [w1, w2] = self.width.to_be_bytes();
        let mut frame = vec![8, h1, h2, w1, w2, count];
        let mut scan = vec![count];
        for component in &self.components {
            let factors = (component.across << 4 | component.down) as u8;
            frame.extend([component.id, factors, component.quantisation]);
            scan.extend([component.id, 0]);
        }
        scan.extend([0, 63, 0]);
        segment(marker::BASELINE, &frame);
        segment(marker::HUFFMAN, &codes[0].table(0));
        segment(marker::HUFFMAN, &codes[1].table(0x10));
        segment(marker::SCAN, &scan);
        let mut bits = Writer::behind(out);
        let mut before = vec![0; self.components.len()];
        // A component that is alone has units of one block.
        for number in 0..self.units.0 * self.units.1 {
            let unit = (number % self.units.0, number / self.units.0);
            for (component, before) in self.components.iter().zip(&mut before) {
                for block in component.blocks_of(unit) {
                    component.write(block, before, &mut bits, &codes)?;
                }
            }
        }
        let mut out = bits.finish();
        out.extend([0xff, marker::END]);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by libjpeg: in three sampling ratios, with restarts, with sharp edges, grey, four inks.
    fn files() -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir("tests/data/progressive").expect("there");
        let files = entries.map(|e| e.expect("an entry").path());
        files
            .map(|path| {
                (
                    path.display().to_string(),
                    std::fs::read(&path).expect("read"),
                )
            })
            .collect()
    }

    fn pixels(bytes: &[u8]) -> Vec<u8> {
        jpeg_decoder::Decoder::new(bytes).decode().expect("decoded")
    }

    #[test]
    fn in_one_scan_it_is_the_same_picture() {
        for (name, bytes) in files() {
            let mut coarse = Vec::new();
            let one = in_one_scan(&bytes, Some(&mut |early| coarse = early.to_vec()));
            let one = one.unwrap_or_else(|| panic!("{name} is sound"));
            assert_eq!(pixels(&one), pixels(&bytes), "{name}");
            // The blocks' averages: about as bright on the whole.
            let mean = |pixels: Vec<u8>| {
                pixels.iter().map(|v| u64::from(*v)).sum::<u64>() / pixels.len() as u64
            };
            let (early, whole) = (mean(pixels(&coarse)), mean(pixels(&bytes)));
            assert!(early.abs_diff(whole) < 4, "{name}: {early} {whole}");
        }
    }

    #[test]
    fn what_is_not_progressive_is_left_alone() {
        for name in ["assets/rocket.jpg", "assets/coffee.png"] {
            let bytes = std::fs::read(name).expect("a demo photo");
            assert_eq!(in_one_scan(&bytes, None), None);
        }
    }

    proptest! {
        #[test]
        fn damaged_files_give_a_picture_or_none(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            static FILES: std::sync::OnceLock<Vec<(String, Vec<u8>)>> = std::sync::OnceLock::new();
            for (_, bytes) in FILES.get_or_init(files) {
                let mut broken = bytes.clone();
                for (at, byte) in &changes {
                    let at = at.index(broken.len());
                    broken[at] = *byte;
                }
                let size = |bytes: &[u8]| bytes.windows(2).position(|w| w == [0xff, 0xc2]);
                // A larger picture would try nothing else.
                if size(&broken).is_some_and(|at| {
                    at + 9 <= broken.len() && (broken[at + 5] > 0 || broken[at + 7] > 0)
                }) {
                    continue;
                }
                let _ = in_one_scan(&broken, None);
                let _ = in_one_scan(&broken[..cut.index(broken.len())], None);
            }
        }
    }
}
