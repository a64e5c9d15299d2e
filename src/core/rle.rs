//! COCO's run lengths: column by column, beginning with background; counts or a short string.
//!
//! The string is pycocotools' `rleToString`: each count, from the third on as the difference to the
//! one two before it, in groups of five bits with a sign.

use super::geometry::Size;
use super::mask::{Mask, Run};

/// A short text can describe stripes without end: more runs than this are refused.
const MOST_RUNS: u64 = 10_000_000;

/// Why run lengths do not describe a mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the run lengths add up to {sum} pixels, the image has {area}")]
    Sum { sum: u64, area: u64 },
    #[error("the run lengths make more pieces than any drawn mask has")]
    Pieces,
    #[error("character {at} of the run lengths is none of COCO's")]
    Character { at: usize },
}

/// The run lengths of a mask, background first.
pub fn counts(mask: &Mask) -> Vec<u64> {
    if mask.is_empty() {
        return vec![mask.size().area()];
    }
    let height = u64::from(mask.size().height);
    let mut counts = vec![0];
    let mut end = 0;
    for column in mask.transposed().runs() {
        let start = u64::from(column.y) * height;
        let (from, to) = (start + u64::from(column.x0), start + u64::from(column.x1));
        match counts.last_mut() {
            // It goes on from the foot of the column before.
            Some(last) if from == end && end > 0 => *last += to - from,
            _ => counts.extend([from - end, to - from]),
        }
        end = to;
    }
    // The leading background was counted as a pair with the leading 0.
    counts.remove(0);
    if end < mask.size().area() {
        counts.push(mask.size().area() - end);
    }
    counts
}

/// The mask with these run lengths.
pub fn mask(size: Size, counts: &[u64]) -> Result<Mask, Error> {
    let area = size.area();
    let sum = counts.iter().fold(0_u64, |a, b| a.saturating_add(*b));
    if sum != area {
        return Err(Error::Sum { sum, area });
    }
    let height = u64::from(size.height);
    let mut columns: Vec<Run> = Vec::new();
    let mut position = 0;
    for (i, count) in counts.iter().enumerate() {
        let (mut from, to) = (position, position + count);
        position = to;
        while i % 2 == 1 && from < to {
            let x = from / height;
            let end = to.min((x + 1) * height);
            // A column's run, as a row's run of the mask on its side.
            columns.push(Run {
                y: x as u32,
                x0: (from - x * height) as u32,
                x1: (end - x * height) as u32,
            });
            from = end;
        }
    }
    if row_runs(&columns) > MOST_RUNS {
        return Err(Error::Pieces);
    }
    let aside = Mask::from_runs(Size::new(size.height, size.width), columns);
    Ok(aside.transposed())
}

/// How many runs a mask has row by row, of its sorted runs column by column: where a pixel is inside
/// and its left neighbour is not, a run begins.
fn row_runs(columns: &[Run]) -> u64 {
    let mut total = 0;
    let mut left: &[Run] = &[];
    for column in columns.chunk_by(|a, b| a.y == b.y) {
        let is_next = left.first().is_some_and(|l| l.y + 1 == column[0].y);
        let beside = if is_next { left } else { &[] };
        let length = |runs: &[Run]| -> u64 { runs.iter().map(|r| u64::from(r.x1 - r.x0)).sum() };
        total += length(column) - overlap(column, beside);
        left = column;
    }
    total
}

/// How many pixels two columns have in common.
fn overlap(mut a: &[Run], mut b: &[Run]) -> u64 {
    let mut common = 0;
    while let (Some(run), Some(other)) = (a.first(), b.first()) {
        let (from, to) = (run.x0.max(other.x0), run.x1.min(other.x1));
        common += u64::from(to.saturating_sub(from));
        if run.x1 < other.x1 {
            a = &a[1..];
        } else {
            b = &b[1..];
        }
    }
    common
}

/// COCO's compressed string.
pub fn to_string(counts: &[u64]) -> String {
    let mut text = String::new();
    for (i, count) in counts.iter().enumerate() {
        let before = if i > 2 { counts[i - 2] as i64 } else { 0 };
        let mut rest = *count as i64 - before;
        loop {
            let bits = rest & 0x1f;
            rest >>= 5;
            let ends = if bits & 0x10 == 0 {
                rest == 0
            } else {
                rest == -1
            };
            let code = bits | if ends { 0 } else { 0x20 };
            text.push((code as u8 + 48) as char);
            if ends {
                break;
            }
        }
    }
    text
}

/// The counts in COCO's compressed string.
pub fn from_string(text: &str) -> Result<Vec<u64>, Error> {
    let mut counts: Vec<u64> = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        let code = i64::from(byte) - 48;
        if !(0..64).contains(&code) || shift > 55 {
            return Err(Error::Character { at });
        }
        value |= (code & 0x1f) << shift;
        shift += 5;
        if code & 0x20 != 0 {
            continue;
        }
        if code & 0x10 != 0 {
            value |= -1_i64 << shift;
        }
        let before = match counts.len() {
            n if n > 2 => counts[n - 2] as i64,
            _ => 0,
        };
        let count = value.checked_add(before).filter(|c| *c >= 0);
        counts.push(count.ok_or(Error::Character { at })? as u64);
        (value, shift) = (0, 0);
    }
    if shift > 0 {
        return Err(Error::Character { at: text.len() });
    }
    Ok(counts)
}

/// A mask from COCO's compressed string.
pub fn mask_from_string(size: Size, text: &str) -> Result<Mask, Error> {
    mask(size, &from_string(text)?)
}

/// COCO's compressed string of a mask.
pub fn string_from_mask(mask: &Mask) -> String {
    to_string(&counts(mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect};
    use proptest::prelude::*;

    const SIZE: Size = Size::new(11, 7);

    /// Column by column, the slow and sure way.
    fn plain(mask: &Mask) -> Vec<u64> {
        let (mut counts, mut value, mut run) = (Vec::new(), false, 0);
        for x in 0..SIZE.width {
            for y in 0..SIZE.height {
                let here = mask.contains(ImagePoint::new(x, y));
                if here != value {
                    counts.push(run);
                    (run, value) = (0, here);
                }
                run += 1;
            }
        }
        counts.push(run);
        counts
    }

    proptest! {
        #[test]
        fn counts_and_string_lead_back_to_the_mask(bits in proptest::collection::vec(0..2u8, SIZE.area() as usize)) {
            let one = Mask::from_bytes(SIZE, SIZE.bounds(), &bits);
            prop_assert_eq!(counts(&one), plain(&one));
            prop_assert_eq!(mask(SIZE, &counts(&one)).expect("our own"), one.clone());
            prop_assert_eq!(mask_from_string(SIZE, &string_from_mask(&one)).expect("our own"), one);
        }

        #[test]
        fn the_runs_are_counted_before_they_are_made(bits in proptest::collection::vec(0..2u8, SIZE.area() as usize)) {
            let one = Mask::from_bytes(SIZE, SIZE.bounds(), &bits);
            prop_assert_eq!(row_runs(one.transposed().runs()), one.runs().len() as u64);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            if let Ok(counts) = from_string(&text) {
                let _ = mask(SIZE, &counts);
            }
        }

        #[test]
        fn large_counts_survive_the_string(counts in proptest::collection::vec(0..1_000_000_000u64, 1..9)) {
            prop_assert_eq!(from_string(&to_string(&counts)).expect("our own"), counts);
        }
    }

    #[test]
    fn the_string_is_pycocotools() {
        // pycocotools.mask.encode of an 11x7 mask with rows 2..5 of columns 3..9 set.
        let block = Mask::from_rect(SIZE, ImageRect::new(3, 2, 9, 5));
        assert_eq!(counts(&block), [23, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 16]);
    }

    #[test]
    fn a_short_text_that_makes_stripes_without_end_is_refused() {
        let size = Size::new(30_000, 30_000);
        let stripes = vec![30_000; 30_000];
        assert_eq!(mask(size, &stripes), Err(Error::Pieces));
    }

    #[test]
    fn nothing_and_everything_come_back_as_they_were() {
        let (none, all) = (Mask::empty(SIZE), Mask::from_rect(SIZE, SIZE.bounds()));
        assert_eq!((counts(&none), counts(&all)), (vec![77], vec![0, 77]));
        for one in [none, all] {
            assert_eq!(mask_from_string(SIZE, &string_from_mask(&one)), Ok(one));
        }
    }
}
