//! Registers as sixel.

use std::io::Write;

use crate::term::registers::{REGISTERS, Sheet};

/// One sixel picture of a part of the sheet; pixels beside it stay as they are.
pub fn encode([x0, y0, x1, y1]: [usize; 4], sheet: Sheet<'_>, out: &mut Vec<u8>) {
    let Sheet {
        pixels: registers,
        width: stride,
        colours,
    } = sheet;
    let (width, height) = (x1 - x0, y1 - y0);
    write!(out, "\x1bP0;1q\"1;1;{width};{height}").expect("memory takes all");
    let mut used = [false; REGISTERS];
    for y in y0..y1 {
        for r in &registers[y * stride + x0..y * stride + x1] {
            used[usize::from(*r)] = true;
        }
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
    for band in (y0..y1).step_by(6) {
        if band > y0 {
            out.push(b'-');
        }
        let rows = band..(band + 6).min(y1);
        let mut in_band = [false; REGISTERS];
        for y in rows.clone() {
            for r in &registers[y * stride + x0..y * stride + x1] {
                in_band[usize::from(*r)] = true;
            }
        }
        let mut is_first = true;
        for register in (0..REGISTERS).filter(|r| in_band[*r]) {
            if !is_first {
                out.push(b'$');
            }
            is_first = false;
            write!(out, "#{register}").expect("memory takes all");
            let bits = (x0..x1).map(|x| {
                rows.clone().enumerate().fold(0, |bits, (i, y)| {
                    bits | u8::from(usize::from(registers[y * stride + x]) == register) << i
                })
            });
            run_lengths(bits, out);
        }
    }
    out.extend_from_slice(b"\x1b\\");
}

/// Sixels with repeats counted; what is empty at the end is left out.
fn run_lengths(bits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let mut run: Option<(u8, usize)> = None;
    let mut write_run = |run: Option<(u8, usize)>| {
        let Some((bits, count)) = run else { return };
        let sixel = char::from(bits + 63);
        if count > 3 {
            write!(out, "!{count}{sixel}").expect("memory takes all");
        } else {
            out.extend(std::iter::repeat_n(sixel as u8, count));
        }
    };
    for b in bits {
        match &mut run {
            Some((same, count)) if *same == b => *count += 1,
            _ => write_run(run.replace((b, 1))),
        }
    }
    if run.is_some_and(|(bits, _)| bits != 0) {
        write_run(run);
    }
}
