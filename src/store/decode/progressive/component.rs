//! The coefficients of one colour, read from one scan after the other and written in one.

use std::collections::HashMap;

use super::super::bits::{Codes, Huffman, Reader, Writer};

/// A colour's coefficients in the order of their frequencies, a byte each where that is enough.
#[derive(Debug, Default)]
pub struct Component {
    pub id: u8,
    /// Blocks in a unit, across and down.
    pub across: usize,
    pub down: usize,
    pub quantisation: u8,
    /// Blocks of the picture, without those that only fill the last units.
    pub size: (usize, usize),
    /// Blocks in a row, with those.
    pub row: usize,
    pub(super) averages: Vec<i16>,
    pub(super) rest: Vec<[i8; 63]>,
    /// Those that a byte does not hold, by block and place.
    pub(super) wide: HashMap<(usize, usize), i16>,
    pub is_begun: bool,
}

/// In the place of a coefficient that is wide.
const WIDE: i8 = i8::MIN;

impl Component {
    /// With so many blocks, all of them empty.
    pub fn of(blocks: usize) -> Self {
        Self {
            averages: vec![0; blocks],
            rest: vec![[0; 63]; blocks],
            ..Self::default()
        }
    }

    fn at(&self, block: usize, place: usize) -> i16 {
        match self.rest[block][place - 1] {
            WIDE => self.wide.get(&(block, place)).copied().unwrap_or_default(),
            value => value.into(),
        }
    }

    fn set(&mut self, block: usize, place: usize, value: i16) {
        let short = i8::try_from(value).ok().filter(|v| *v != WIDE);
        self.rest[block][place - 1] = short.unwrap_or(WIDE);
        if short.is_none() {
            self.wide.insert((block, place), value);
        }
    }

    /// The blocks of the picture.
    pub fn blocks(&self) -> impl Iterator<Item = usize> + use<> {
        let (row, (across, down)) = (self.row, self.size);
        (0..down).flat_map(move |y| (0..across).map(move |x| y * row + x))
    }

    /// The blocks of a unit.
    pub fn blocks_of(&self, (x, y): (usize, usize)) -> impl Iterator<Item = usize> + use<> {
        let (row, across, down) = (self.row, self.across, self.down);
        let first = y * down * row + x * across;
        (0..down).flat_map(move |v| (0..across).map(move |h| first + v * row + h))
    }

    /// G.1.2.1
    pub fn average(
        &mut self,
        block: usize,
        before: &mut i16,
        scan: &Averages<'_>,
        bits: &mut Reader<'_>,
    ) -> Option<()> {
        let Some(codes) = scan.codes else {
            self.averages[block] |= (bits.take(1) as i16) << scan.low;
            return Some(());
        };
        let size = codes.next(bits)?;
        *before = before.wrapping_add(bits.number(size.into())?);
        self.averages[block] = *before << scan.low;
        self.is_begun = true;
        Some(())
    }

    /// The other coefficients of all blocks.
    pub fn band(
        &mut self,
        band: Band,
        codes: &Huffman,
        restarts: usize,
        bits: &mut Reader<'_>,
    ) -> Option<()> {
        // Blocks without further coefficients, the present one counted.
        let mut empty = 0_u32;
        for (number, block) in self.blocks().enumerate() {
            if restarts > 0 && number > 0 && number.is_multiple_of(restarts) {
                bits.restart()?;
                empty = 0;
            }
            if band.refines {
                self.refine(block, band, codes, &mut empty, bits)?;
            } else if empty > 0 {
                empty -= 1;
            } else {
                empty = self.begin(block, band, codes, bits)?;
            }
        }
        Some(())
    }

    /// G.1.2.2; how many blocks behind this one are empty.
    fn begin(
        &mut self,
        block: usize,
        band: Band,
        codes: &Huffman,
        bits: &mut Reader<'_>,
    ) -> Option<u32> {
        let mut place = band.first;
        while place <= band.last {
            let symbol = codes.next(bits)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            match (zeros, size) {
                (15, 0) => place += 16,
                (_, 0) => return Some((1 << zeros) - 1 + bits.take(zeros.into())),
                _ => {
                    place += usize::from(zeros);
                    let value = bits.number(size.into())? << band.low;
                    if place > band.last {
                        return None;
                    }
                    self.set(block, place, value);
                    place += 1;
                }
            }
        }
        Some(0)
    }

    /// G.1.2.3
    fn refine(
        &mut self,
        block: usize,
        band: Band,
        codes: &Huffman,
        empty: &mut u32,
        bits: &mut Reader<'_>,
    ) -> Option<()> {
        let bit = 1_i16 << band.low;
        let mut place = band.first;
        while *empty == 0 && place <= band.last {
            let symbol = codes.next(bits)?;
            let (mut zeros, size) = (symbol >> 4, symbol & 15);
            let new = match size {
                0 if zeros < 15 => {
                    *empty = (1 << zeros) + bits.take(zeros.into());
                    break;
                }
                0 => 0,
                1 if bits.take(1) == 1 => bit,
                1 => -bit,
                _ => return None,
            };
            while place <= band.last {
                if self.at(block, place) != 0 {
                    self.sharpen(block, place, bit, bits);
                } else if zeros > 0 {
                    zeros -= 1;
                } else {
                    self.set(block, place, new);
                    place += 1;
                    break;
                }
                place += 1;
            }
        }
        if *empty > 0 {
            for place in place..=band.last {
                if self.at(block, place) != 0 {
                    self.sharpen(block, place, bit, bits);
                }
            }
            *empty -= 1;
        }
        Some(())
    }

    /// One more bit of a coefficient that is not zero.
    fn sharpen(&mut self, block: usize, place: usize, bit: i16, bits: &mut Reader<'_>) {
        let value = self.at(block, place);
        if bits.take(1) == 1 && value & bit == 0 {
            self.set(block, place, value.saturating_add(bit * value.signum()));
        }
    }

    /// F.1.2
    pub fn write(
        &self,
        block: usize,
        before: &mut i16,
        out: &mut Writer,
        codes: &[Codes; 2],
    ) -> Option<()> {
        let average = self.averages[block];
        out.number(&codes[0], 0, average.checked_sub(*before)?)?;
        *before = average;
        let mut zeros = 0;
        for (place, value) in (1..).zip(&self.rest[block]) {
            if *value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 {
                out.symbol(&codes[1], 0xf0)?;
                zeros -= 16;
            }
            out.number(&codes[1], zeros, self.at(block, place))?;
            zeros = 0;
        }
        if zeros > 0 {
            out.symbol(&codes[1], 0)?;
        }
        Some(())
    }
}

/// A scan's part of the coefficients (B.2.3).
#[derive(Debug, Clone, Copy)]
pub struct Band {
    pub first: usize,
    pub last: usize,
    /// Whether the coefficients have been begun, and get a further bit.
    pub refines: bool,
    pub low: u8,
}

/// How a scan says averages: by codes, or a further bit without any.
#[derive(Debug)]
pub struct Averages<'a> {
    pub codes: Option<&'a Huffman>,
    pub low: u8,
}
