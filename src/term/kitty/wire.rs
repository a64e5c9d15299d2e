//! Kitty's escape sequences: pictures in chunks, parts of pictures, placements, and how they get
//! through tmux.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::characters::character;
use super::tally::{self, Tally};
use super::thumbnails::LAST;
use crate::core::geometry::CellRect;
use crate::term::line::Command;
use crate::term::{Way, tmux};

/// Bytes of base64 in one escape sequence.
const CHUNK: usize = 4096;
/// The image, one clear pixel, that everything is placed relative to inside tmux: the first pane's.
/// A character names it by one of 256 colours.
const ANCHOR: u32 = 200;
/// Inside tmux each pane has so many numbers, after these.
const PANE: u32 = 100;
const FIRST_PANE: u32 = 1000;
/// Pictures that characters can name, a pane's.
const TILES: u32 = 256;
/// Bytes that go through tmux in one piece, whole or not at all: it takes a million.
const PIECE: usize = 512 << 10;
/// Bytes around such a piece, with its count and the doubled escapes of some chunks.
const SEAL: usize = 80;

/// Where a picture is placed: a cell of the screen, and the rest of the placement's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub row: u16,
    pub col: u16,
    pub keys: String,
}

/// A placement's name: the image's number and its own.
pub type Name = (u32, u32);

/// Writes sequences, and knows what is placed.
#[derive(Debug, Default)]
pub struct Wire {
    way: Way,
    placed: BTreeMap<Name, Spot>,
    /// The canvas whose first cell the anchor is in.
    anchored: Option<CellRect>,
    tally: Tally,
    /// Whether nothing is known of what the terminal has.
    is_lost: bool,
}

impl Wire {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            ..Self::default()
        }
    }

    /// Whether parts of a picture can be replaced.
    pub fn edits(&self) -> bool {
        matches!(self.way, Way::Edits | Way::Relative(_) | Way::Grid(_))
    }

    /// Begins to count what gets through tmux; to be sent before anything else of a scene.
    pub fn begin(&mut self) -> Option<Command> {
        let pane = self.way.pane()?;
        // The terminals that know frames are those that take parts of a picture.
        if !self.edits() {
            return None;
        }
        let begun = self.tally.begin(|id| number(Way::Relative(pane), id))?;
        let mut out = Vec::new();
        if std::mem::take(&mut self.is_lost) && matches!(self.way, Way::Relative(_)) {
            // Placements whose end was dropped would stay for ever.
            out = farewell(self.way);
        }
        out.extend(self.piece(&begun));
        Some(out)
    }

    /// Bytes that come or go as one.
    fn piece(&self, bytes: &[u8]) -> Command {
        match self.way.pane() {
            Some(_) => tmux::wrap(bytes),
            None => bytes.to_vec(),
        }
    }

    /// Sends a picture under a number. What had the number is gone, its placements too.
    pub fn transmit(&mut self, id: u32, png: &[u8]) -> Command {
        self.placed.retain(|(i, _), _| *i != id);
        let id = number(self.way, id);
        self.seal(&chunks(&format!("a=t,f=100,i={id},q=2"), "q=2", png))
    }

    /// Sends a picture that characters show, so many columns and rows of them.
    pub fn spread(&self, id: u32, (cols, rows): (u16, u16), png: &[u8]) -> Command {
        let id = number(self.way, id);
        let keys = format!("a=T,U=1,f=100,i={id},p=1,c={cols},r={rows},q=2");
        self.seal(&chunks(&keys, "q=2", png))
    }

    /// Lets characters show pictures that were sent, as they do. The terminal says where one is
    /// missing, and at last that all is there.
    pub fn check(&self, ids: std::ops::Range<u32>, cells: impl Fn(u32) -> (u16, u16)) -> Command {
        let count = self.tally.question();
        let mut out = Vec::new();
        for id in ids.clone() {
            let (cols, rows) = cells(id);
            let quiet = u8::from(id + 1 < ids.end || count.is_some());
            let name = number(self.way, id);
            let body = format!("a=p,U=1,i={name},p=1,c={cols},r={rows},q={quiet}");
            out.extend(self.piece(&sequence(body.as_bytes())));
        }
        out.extend(count.map(|words| self.piece(&words)).unwrap_or_default());
        out
    }

    /// Deletes a picture.
    pub fn delete(&self, id: u32) -> Command {
        let id = number(self.way, id);
        self.piece(&sequence(format!("a=d,d=I,i={id},q=2").as_bytes()))
    }

    /// Replaces a part of a picture, `x` and `y` from its corner.
    pub fn edit(&self, id: u32, corner: (u32, u32), size: (u32, u32), png: &[u8]) -> Command {
        self.seal(&self.patch(id, corner, size, png))
    }

    /// What an edit says, to be sealed if it is to be sent.
    pub fn patch(&self, id: u32, (x, y): (u32, u32), (w, h): (u32, u32), png: &[u8]) -> Vec<u8> {
        let id = number(self.way, id);
        // Kitty 0.26 puts the data where the last chunk says, so that all of them say it.
        let keys = format!("a=f,f=100,i={id},r=1,x={x},y={y},s={w},v={h},X=1,q=2");
        chunks(&keys, &keys, png)
    }

    /// Makes sequences a command that comes or goes as one, as far as tmux takes so much, and counts
    /// it.
    pub fn seal(&self, words: &[u8]) -> Command {
        let mut out = Vec::new();
        let mut rest = words;
        while rest.len() > PIECE
            && let Some(end) = rest[PIECE..].windows(2).position(|w| w == b"\x1b\\")
        {
            let (piece, after) = rest.split_at(PIECE + end + 2);
            // Where one between the first and the last is dropped, no picture comes about.
            let count = if out.is_empty() {
                self.tally.count()
            } else {
                Vec::new()
            };
            out.extend(self.piece(&[&count, piece].concat()));
            rest = after;
        }
        out.extend(self.piece(&[rest, &self.tally.count()].concat()));
        out
    }

    /// Bytes that sealing adds to a few chunks.
    pub const fn seal_size(&self) -> usize {
        match self.way.pane() {
            Some(_) => SEAL,
            None => 0,
        }
    }

    /// Brings the screen to what is wanted, as one command: what is not wanted any more goes,
    /// what is new or has moved is placed; the same name replaces in place.
    pub fn settle(&mut self, wanted: BTreeMap<Name, Spot>, canvas: CellRect) -> Option<Command> {
        let mut out = Vec::new();
        self.remove(|name| !wanted.contains_key(name), &mut out);
        self.anchor(canvas, &mut out);
        let is_new = |(name, spot): &(Name, Spot)| self.placed.get(name) != Some(spot);
        let moved: Vec<(Name, Spot)> = wanted.into_iter().filter(is_new).collect();
        let mut cursor = None;
        for (i, (name, spot)) in moved.iter().enumerate() {
            if let Way::Relative(pane) = self.way {
                let body = relative(pane, *name, spot, canvas);
                out.extend(self.piece(&sequence(format!("{body}q=2").as_bytes())));
                continue;
            }
            let (id, placement) = (number(self.way, name.0), name.1);
            let keys = &spot.keys;
            let cell = (spot.row, spot.col);
            if cursor != Some(cell) {
                // The first column need not be said.
                let at = match spot.col {
                    0 => format!("\x1b[{}H", spot.row + 1),
                    col => format!("\x1b[{};{}H", spot.row + 1, col + 1),
                };
                out.extend_from_slice(at.as_bytes());
            }
            // Without this word the cursor moves behind the picture.
            let is_shared = moved.get(i + 1).map(|(_, s)| (s.row, s.col)) == Some(cell);
            let stay = if is_shared { "C=1," } else { "" };
            let body = format!("a=p,i={id},p={placement},{keys}{stay}q=2");
            out.extend(sequence(body.as_bytes()));
            cursor = is_shared.then_some(cell);
        }
        self.placed.extend(moved);
        (!out.is_empty()).then_some(out)
    }

    /// Deletes placements, all of an image's by one sequence where none of its stays.
    fn remove(&mut self, goes: impl Fn(&Name) -> bool, out: &mut Command) {
        let gone: Vec<Name> = self.placed.keys().copied().filter(goes).collect();
        self.placed.retain(|name, _| !gone.contains(name));
        if gone.is_empty() {
            return;
        }
        let (mut all, mut last) = (Vec::new(), None);
        for (id, placement) in gone {
            let stays = self.placed.keys().any(|(i, _)| *i == id);
            let mut body = format!("a=d,d=i,i={},", number(self.way, id));
            if stays {
                let _ = write!(body, "p={placement},");
            } else if last == Some(id) {
                continue;
            }
            last = Some(id);
            body.push_str("q=2");
            all.extend(sequence(body.as_bytes()));
        }
        out.extend(self.seal(&all));
    }

    /// Places everything once more where it is. The terminal says what it cannot place, and at last
    /// whether all that was sent came.
    pub fn prove(&self) -> Option<Command> {
        let (Way::Relative(pane), Some(canvas)) = (self.way, self.anchored) else {
            return None;
        };
        let count = self.tally.question()?;
        let mut out = Vec::new();
        for (name, spot) in &self.placed {
            let body = relative(pane, *name, spot, canvas);
            out.extend(self.piece(&sequence(format!("{body}q=1").as_bytes())));
        }
        out.extend(self.piece(&count));
        Some(out)
    }

    /// Takes everything off the screen.
    pub fn hide(&mut self) -> Command {
        let mut out = Vec::new();
        self.remove(|_| true, &mut out);
        self.anchored = None;
        out
    }

    /// The terminal has lost all.
    pub fn forget(&mut self) {
        self.placed.clear();
        self.anchored = None;
        self.tally.forget();
        self.is_lost = true;
    }

    /// One character that stands for the anchor: tmux moves, hides and redraws it like any other.
    fn anchor(&mut self, canvas: CellRect, out: &mut Command) {
        let Way::Relative(pane) = self.way else {
            return;
        };
        if self.anchored == Some(canvas) {
            return;
        }
        let id = anchor(pane);
        let body = format!("a=T,U=1,f=32,s=1,v=1,i={id},p=1,c=1,r=1,q=2;AAAAAA==");
        out.extend(self.piece(&sequence(body.as_bytes())));
        let cell = format!(
            "\x1b[{};{}H\x1b[38;5;{id};58;5;1m{}\x1b[0m",
            canvas.row + 1,
            canvas.col + 1,
            character(0, 0, 0)
        );
        out.extend_from_slice(cell.as_bytes());
        self.placed.clear();
        self.anchored = Some(canvas);
    }
}

/// A picture's data in sequences of as many bytes as one may have.
fn chunks(first: &str, others: &str, data: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(data);
    let chunks: Vec<&[u8]> = text.as_bytes().chunks(CHUNK).collect();
    let mut out = Vec::with_capacity(text.len() + 128 * chunks.len());
    for (i, chunk) in chunks.iter().enumerate() {
        let head = if i == 0 { first } else { others };
        let more = match (i + 1 < chunks.len(), chunks.len()) {
            (_, 1) => "",
            (true, _) => ",m=1",
            (false, _) => ",m=0",
        };
        let body = [head.as_bytes(), more.as_bytes(), b";", chunk].concat();
        out.extend(sequence(&body));
    }
    out
}

fn sequence(body: &[u8]) -> Vec<u8> {
    [b"\x1b_G", body, b"\x1b\\"].concat()
}

/// Places a picture relative to the pane's anchor.
fn relative(pane: u8, (id, placement): Name, spot: &Spot, canvas: CellRect) -> String {
    let id = number(Way::Relative(pane), id);
    let (col, row) = (spot.col - canvas.col, spot.row - canvas.row);
    let (anchor, keys) = (anchor(pane), &spot.keys);
    format!("a=p,i={id},p={placement},P={anchor},Q=1,H={col},V={row},{keys}")
}

/// A picture's number in the terminal. Characters name theirs by one of 256 colours and the highest
/// byte.
pub fn number(way: Way, id: u32) -> u32 {
    match way {
        Way::Relative(pane) => FIRST_PANE + PANE * u32::from(pane) + id,
        Way::Grid(pane) | Way::Tiles(pane) => id << 24 | anchor(pane),
        _ => id,
    }
}

fn anchor(pane: u8) -> u32 {
    ANCHOR + u32::from(pane)
}

/// What deletes all pictures on leaving; inside tmux those of the pane.
pub fn farewell(way: Way) -> Command {
    let counts = |pane| tally::NUMBERS.map(move |id| number(Way::Relative(pane), id));
    let all: Vec<u32> = match way {
        Way::Relative(pane) => {
            let numbers = (1..=LAST).map(|id| number(way, id));
            numbers.chain(counts(pane)).chain([anchor(pane)]).collect()
        }
        Way::Grid(pane) => counts(pane).chain([number(way, 0)]).collect(),
        Way::Tiles(_) => (0..TILES).map(|id| number(way, id)).collect(),
        _ => return b"\x1b_Ga=d,d=A,q=2\x1b\\".to_vec(),
    };
    let each = all.iter().map(|id| format!("a=d,d=I,i={id},q=2"));
    let words: Vec<u8> = each.flat_map(|body| sequence(body.as_bytes())).collect();
    tmux::wrap(&words)
}

#[cfg(test)]
mod tests;
