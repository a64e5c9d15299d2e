//! Kitty's escape sequences: pictures in chunks, parts of pictures, placements, and how they get
//! through tmux.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::characters::character;
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

    fn sequence(&self, body: &[u8], out: &mut Command) {
        let whole = [b"\x1b_G", body, b"\x1b\\"].concat();
        match self.way.pane() {
            Some(_) => out.extend(tmux::wrap(&whole)),
            None => out.extend(whole),
        }
    }

    /// Sends a picture under a number. What had the number is gone, its placements too.
    pub fn transmit(&mut self, id: u32, png: &[u8]) -> Command {
        self.placed.retain(|(i, _), _| *i != id);
        let id = number(self.way, id);
        self.chunks(&format!("a=t,f=100,i={id},q=2"), "q=2", png)
    }

    /// Sends a picture that characters show, so many columns and rows of them.
    pub fn spread(&self, id: u32, (cols, rows): (u16, u16), png: &[u8]) -> Command {
        let id = number(self.way, id);
        let keys = format!("a=T,U=1,f=100,i={id},p=1,c={cols},r={rows},q=2");
        self.chunks(&keys, "q=2", png)
    }

    /// Lets characters show a picture that was sent, as they do. The terminal says where it is
    /// missing, and of the last one that it is there.
    pub fn check(&self, ids: std::ops::Range<u32>, cells: impl Fn(u32) -> (u16, u16)) -> Command {
        let mut out = Vec::new();
        for id in ids.clone() {
            let (cols, rows) = cells(id);
            let quiet = u8::from(id + 1 < ids.end);
            let name = number(self.way, id);
            let body = format!("a=p,U=1,i={name},p=1,c={cols},r={rows},q={quiet}");
            self.sequence(body.as_bytes(), &mut out);
        }
        out
    }

    /// Deletes a picture.
    pub fn delete(&self, id: u32) -> Command {
        let mut out = Vec::new();
        let id = number(self.way, id);
        self.sequence(format!("a=d,d=I,i={id},q=2").as_bytes(), &mut out);
        out
    }

    /// Replaces a part of a picture, `x` and `y` from its corner.
    pub fn edit(&self, id: u32, (x, y): (u32, u32), (w, h): (u32, u32), png: &[u8]) -> Command {
        let id = number(self.way, id);
        // Kitty 0.26 puts the data where the last chunk says, so that all of them say it.
        let keys = format!("a=f,f=100,i={id},r=1,x={x},y={y},s={w},v={h},X=1,q=2");
        self.chunks(&keys, &keys, png)
    }

    fn chunks(&self, first: &str, others: &str, data: &[u8]) -> Command {
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
            self.sequence(&body, &mut out);
        }
        out
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
                self.sequence(format!("{body}q=2").as_bytes(), &mut out);
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
            self.sequence(body.as_bytes(), &mut out);
            cursor = is_shared.then_some(cell);
        }
        self.placed.extend(moved);
        (!out.is_empty()).then_some(out)
    }

    /// Deletes placements, all of an image's by one sequence where none of its stays.
    fn remove(&mut self, goes: impl Fn(&Name) -> bool, out: &mut Command) {
        let gone: Vec<Name> = self.placed.keys().copied().filter(goes).collect();
        self.placed.retain(|name, _| !gone.contains(name));
        let mut last = None;
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
            self.sequence(body.as_bytes(), out);
        }
    }

    /// Places everything once more where it is. The terminal says what it cannot place, and of the
    /// last one that it could.
    pub fn prove(&self) -> Option<Command> {
        let (Way::Relative(pane), Some(canvas)) = (self.way, self.anchored) else {
            return None;
        };
        let (last, _) = self.placed.last_key_value()?;
        let mut out = Vec::new();
        for (name, spot) in &self.placed {
            let body = relative(pane, *name, spot, canvas);
            let quiet = if name == last { "q=0" } else { "q=1" };
            self.sequence(format!("{body}{quiet}").as_bytes(), &mut out);
        }
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
        self.sequence(body.as_bytes(), out);
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
    let all: Vec<u32> = match way {
        Way::Relative(pane) => {
            let numbers = (1..=LAST).map(|id| number(way, id));
            numbers.chain([anchor(pane)]).collect()
        }
        Way::Grid(_) => vec![number(way, 0)],
        Way::Tiles(_) => (0..TILES).map(|id| number(way, id)).collect(),
        _ => return b"\x1b_Ga=d,d=A,q=2\x1b\\".to_vec(),
    };
    all.iter()
        .flat_map(|id| tmux::wrap(format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\").as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: CellRect = CellRect {
        col: 0,
        row: 1,
        cols: 80,
        rows: 20,
    };

    fn wanted(row: u16) -> BTreeMap<Name, Spot> {
        let spot = Spot {
            row,
            col: 4,
            keys: "c=3,r=2,".into(),
        };
        BTreeMap::from([((5, 1), spot)])
    }

    #[test]
    fn only_what_has_moved_is_placed_again_and_what_is_not_wanted_goes() {
        let mut wire = Wire::new(Way::Edits);
        let first = wire.settle(wanted(7), CANVAS).expect("placed");
        assert_eq!(first, b"\x1b[8;5H\x1b_Ga=p,i=5,p=1,c=3,r=2,q=2\x1b\\");
        assert!(wire.settle(wanted(7), CANVAS).is_none());
        assert!(wire.settle(wanted(8), CANVAS).is_some());
        let last = wire.settle(BTreeMap::new(), CANVAS).expect("deleted");
        assert_eq!(last, b"\x1b_Ga=d,d=i,i=5,q=2\x1b\\");
    }

    #[test]
    fn inside_tmux_all_is_placed_relative_to_one_character() {
        let mut wire = Wire::new(Way::Relative(3));
        let first = wire.settle(wanted(7), CANVAS).expect("placed");
        let text = String::from_utf8_lossy(&first).into_owned();
        assert!(text.contains("\x1b[2;1H\x1b[38;5;203;58;5;1m\u{10eeee}"));
        let placed =
            "\x1bPtmux;\x1b\x1b_Ga=p,i=1305,p=1,P=203,Q=1,H=4,V=6,c=3,r=2,q=2\x1b\x1b\\\x1b\\";
        assert!(text.ends_with(placed), "{text:?}");
    }

    #[test]
    fn what_is_placed_is_placed_again_where_it_is_and_the_last_one_answers() {
        let mut wire = Wire::new(Way::Relative(3));
        assert!(wire.prove().is_none());
        let mut two = wanted(7);
        two.insert((6, 1), two[&(5, 1)].clone());
        wire.settle(two, CANVAS);
        let proof = wire.prove().expect("two are placed");
        let text = String::from_utf8(proof).expect("ASCII");
        let at = "P=203,Q=1,H=4,V=6,c=3,r=2";
        let [first, second] = [(1305, 1), (1306, 0)].map(|(id, quiet)| {
            format!("\x1bPtmux;\x1b\x1b_Ga=p,i={id},p=1,{at},q={quiet}\x1b\x1b\\\x1b\\")
        });
        assert_eq!(text, first + &second);
        assert!(Wire::new(Way::Edits).prove().is_none());
    }

    #[test]
    fn leaving_a_pane_deletes_its_pictures_and_no_others() {
        let all = String::from_utf8(farewell(Way::Relative(3))).expect("ASCII");
        assert!(all.contains("\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=1369,q=2\x1b\x1b\\\x1b\\"));
        assert!(all.contains("i=203,") && !all.contains("d=A") && !all.contains("i=14"));
        assert_eq!(farewell(Way::Edits), b"\x1b_Ga=d,d=A,q=2\x1b\\");
    }

    #[test]
    fn every_chunk_of_an_edit_says_where_it_goes() {
        let wire = Wire::new(Way::Edits);
        let command = wire.edit(20, (0, 8), (640, 4), &[7; 5000]);
        let text = String::from_utf8(command).expect("ASCII");
        let keys = "a=f,f=100,i=20,r=1,x=0,y=8,s=640,v=4,X=1,q=2";
        assert_eq!(text.matches(keys).count(), 2);
        assert!(text.contains(",m=1;") && text.contains(",m=0;"));
    }
}
