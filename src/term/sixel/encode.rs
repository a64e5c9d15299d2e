//! Registers as sixel.

use std::io::Write;
use std::ops::Range;

use crate::term::registers::{REGISTERS, Sheet};

/// Rows of pixels in a row of sixels.
const BAND: usize = 6;

/// One sixel picture of a part of the sheet; pixels beside it stay as they are.
pub fn encode([x0, y0, x1, y1]: [usize; 4], sheet: Sheet<'_>, out: &mut Vec<u8>) {
    let Sheet {
        pixels: registers,
        width: stride,
        colours,
    } = sheet;
    let (width, height) = (x1 - x0, y1 - y0);
    write!(out, "\x1bP0;1q\"1;1;{width};{height}").expect("memory takes all");
    let rows: Vec<&[u8]> = (y0..y1)
        .map(|y| &registers[y * stride + x0..y * stride + x1])
        .collect();
    let mut used = [false; REGISTERS];
    for r in rows.iter().copied().flatten() {
        used[usize::from(*r)] = true;
    }
    for (i, [r, g, b]) in colours.iter().enumerate().filter(|(i, _)| used[*i]) {
        let percent = |v: u8| (u32::from(v) * 100 + 127) / 255;
        write!(
            out,
            "#{i};2;{};{};{}",
            percent(*r),
            percent(*g),
            percent(*b)
        )
        .expect("memory takes all");
    }
    let mut sixels = Sixels::new(width);
    for (i, band) in rows.chunks(BAND).enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        sixels.fill(band);
        sixels.write(out);
    }
    out.extend_from_slice(b"\x1b\\");
}

/// The sixels of one band, register by register.
struct Sixels {
    width: usize,
    /// [REGISTERS, width]
    bits: Vec<u8>,
    /// Of each register in the band the columns from its first to its last.
    strands: Vec<(usize, Range<usize>)>,
}

impl Sixels {
    fn new(width: usize) -> Self {
        Self {
            width,
            bits: vec![0; REGISTERS * width],
            strands: Vec::new(),
        }
    }

    fn fill(&mut self, band: &[&[u8]]) {
        for (register, columns) in self.strands.drain(..) {
            self.bits[register * self.width..][columns].fill(0);
        }
        let mut found: [Option<Range<usize>>; REGISTERS] = [const { None }; REGISTERS];
        for (i, row) in band.iter().enumerate() {
            for (x, register) in row.iter().enumerate() {
                let register = usize::from(*register);
                self.bits[register * self.width + x] |= 1 << i;
                let columns = found[register].get_or_insert(x..x);
                *columns = columns.start.min(x)..columns.end.max(x + 1);
            }
        }
        let found = found.into_iter().enumerate();
        self.strands
            .extend(found.filter_map(|(register, columns)| Some((register, columns?))));
        self.strands.sort_by_key(|(_, columns)| columns.start);
    }

    /// Registers one behind the other as far as they do not overlap: each time the pen goes back to
    /// the first column costs a byte, and the way to where the next one begins some more.
    fn write(&self, out: &mut Vec<u8>) {
        let mut left: Vec<_> = self.strands.iter().collect();
        while !left.is_empty() {
            let mut pen = 0;
            left.retain(|(register, columns)| {
                let comes_later = columns.start < pen;
                if !comes_later {
                    write!(out, "#{register}").expect("memory takes all");
                    let row = &self.bits[register * self.width..];
                    run_lengths(&row[pen..columns.end], out);
                    pen = columns.end;
                }
                comes_later
            });
            if !left.is_empty() {
                out.push(b'$');
            }
        }
    }
}

/// Sixels with repeats counted.
fn run_lengths(bits: &[u8], out: &mut Vec<u8>) {
    for run in bits.chunk_by(|a, b| a == b) {
        let (sixel, count) = (run[0] + 63, run.len());
        if count > 3 {
            write!(out, "!{count}{}", char::from(sixel)).expect("memory takes all");
        } else {
            out.extend(std::iter::repeat_n(sixel, count));
        }
    }
}
