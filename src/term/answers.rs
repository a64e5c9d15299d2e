//! What the terminal answered, read: its name, attributes, sizes.

use super::choice::Surroundings;
use crate::core::geometry::CellSize;

/// The answers, as bytes.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Of the terminal, or of tmux where it runs there.
    pub plain: Vec<u8>,
    /// Of the terminal behind tmux.
    pub through: Vec<u8>,
    /// Seconds until they came.
    pub round_trip: Option<f64>,
}

/// The name that a terminal told.
pub fn name(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\x1bP>|")?;
    Some(rest.split_once('\x1b')?.0)
}

/// Whether the kitty graphics query was answered.
pub fn has_kitty(text: &str) -> bool {
    text.contains("\x1b_Gi=31;OK")
}

/// Whether the terminal looked for the picture that another one was to be placed relative to.
pub fn has_relative(text: &str) -> bool {
    text.contains(";ENOPARENT")
}

/// Whether the terminal's attributes name sixel.
pub fn has_sixel(text: &str) -> bool {
    attributes(text).is_some_and(|a| a.contains(&4))
}

/// Whether the terminal told how many colours its sixel pictures have: `ESC [ ? 1 ; 0 ; n S`.
pub fn has_registers(text: &str) -> bool {
    text.contains("\x1b[?1;0;")
}

fn attributes(text: &str) -> Option<Vec<u32>> {
    let mut found = text.split("\x1b[?").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c != ';' && !c.is_ascii_digit())?;
        rest[end..].starts_with('c').then_some(&rest[..end])
    });
    let numbers = found.next()?;
    numbers.split(';').map(|n| n.parse().ok()).collect()
}

/// Major and minor version in a name such as `kitty(0.35.2)`.
pub fn version(name: &str, prefix: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix(prefix)?.split('.');
    let mut next = || {
        let digits = numbers.next()?;
        let end = digits.find(|c: char| !c.is_ascii_digit());
        digits[..end.unwrap_or(digits.len())].parse().ok()
    };
    Some((next()?, next()?))
}

/// From `ESC [ 6 ; height ; width t`, else from the window's pixels. xterm.js has cells of broken
/// pixels, which only the size of the whole text tells.
pub fn cell_size(plain: &str, through: &str, around: &Surroundings) -> (CellSize, bool) {
    let report = |text: &str, kind: &str| {
        let rest = text.split(kind).nth(1)?;
        let (height, width) = rest.split_once('t')?.0.split_once(';')?;
        Some((width.parse::<f64>().ok()?, height.parse::<f64>().ok()?))
    };
    let per_cell = |(w, h): (f64, f64)| {
        let (_, (cols, rows)) = around.window?;
        Some((w / f64::from(cols.max(1)), h / f64::from(rows.max(1))))
    };
    let told = |text: &str| {
        let cell = report(text, "\x1b[6;")?;
        let exact = report(text, "\x1b[4;").and_then(per_cell);
        let is_broken = |v: &(f64, f64)| {
            (v.0 - cell.0).abs() < 1.0 && (v.1 - cell.1).abs() < 1.0 && text.contains("xterm.js")
        };
        Some(exact.filter(is_broken).unwrap_or(cell))
    };
    let window = around
        .window
        .and_then(|((w, h), _)| per_cell((w.into(), h.into())));
    let found = told(plain).or_else(|| told(through)).or(window);
    match found.filter(|(w, h)| *w >= 2.0 && *h >= 2.0) {
        Some((width, height)) => (CellSize { width, height }, true),
        None => (CellSize::default(), false),
    }
}
