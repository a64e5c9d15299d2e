//! The characters in a terminal's cells that stand for pictures.

use std::collections::BTreeMap;

/// What stands for a cell of a picture.
const CELL: char = '\u{10eeee}';
/// The marks that number rows, columns, and the highest byte of a picture's number.
const MARKS: [u32; 256] = [
    0x305, 0x30d, 0x30e, 0x310, 0x312, 0x33d, 0x33e, 0x33f, 0x346, 0x34a, 0x34b, 0x34c, 0x350,
    0x351, 0x352, 0x357, 0x35b, 0x363, 0x364, 0x365, 0x366, 0x367, 0x368, 0x369, 0x36a, 0x36b,
    0x36c, 0x36d, 0x36e, 0x36f, 0x483, 0x484, 0x485, 0x486, 0x487, 0x592, 0x593, 0x594, 0x595,
    0x597, 0x598, 0x599, 0x59c, 0x59d, 0x59e, 0x59f, 0x5a0, 0x5a1, 0x5a8, 0x5a9, 0x5ab, 0x5ac,
    0x5af, 0x5c4, 0x610, 0x611, 0x612, 0x613, 0x614, 0x615, 0x616, 0x617, 0x657, 0x658, 0x659,
    0x65a, 0x65b, 0x65d, 0x65e, 0x6d6, 0x6d7, 0x6d8, 0x6d9, 0x6da, 0x6db, 0x6dc, 0x6df, 0x6e0,
    0x6e1, 0x6e2, 0x6e4, 0x6e7, 0x6e8, 0x6eb, 0x6ec, 0x730, 0x732, 0x733, 0x735, 0x736, 0x73a,
    0x73d, 0x73f, 0x740, 0x741, 0x743, 0x745, 0x747, 0x749, 0x74a, 0x7eb, 0x7ec, 0x7ed, 0x7ee,
    0x7ef, 0x7f0, 0x7f1, 0x7f3, 0x816, 0x817, 0x818, 0x819, 0x81b, 0x81c, 0x81d, 0x81e, 0x81f,
    0x820, 0x821, 0x822, 0x823, 0x825, 0x826, 0x827, 0x829, 0x82a, 0x82b, 0x82c, 0x82d, 0x951,
    0x953, 0x954, 0xf82, 0xf83, 0xf86, 0xf87, 0x135d, 0x135e, 0x135f, 0x17dd, 0x193a, 0x1a17,
    0x1a75, 0x1a76, 0x1a77, 0x1a78, 0x1a79, 0x1a7a, 0x1a7b, 0x1a7c, 0x1b6b, 0x1b6d, 0x1b6e, 0x1b6f,
    0x1b70, 0x1b71, 0x1b72, 0x1b73, 0x1cd0, 0x1cd1, 0x1cd2, 0x1cda, 0x1cdb, 0x1ce0, 0x1dc0, 0x1dc1,
    0x1dc3, 0x1dc4, 0x1dc5, 0x1dc6, 0x1dc7, 0x1dc8, 0x1dc9, 0x1dcb, 0x1dcc, 0x1dd1, 0x1dd2, 0x1dd3,
    0x1dd4, 0x1dd5, 0x1dd6, 0x1dd7, 0x1dd8, 0x1dd9, 0x1dda, 0x1ddb, 0x1ddc, 0x1ddd, 0x1dde, 0x1ddf,
    0x1de0, 0x1de1, 0x1de2, 0x1de3, 0x1de4, 0x1de5, 0x1de6, 0x1dfe, 0x20d0, 0x20d1, 0x20d4, 0x20d5,
    0x20d6, 0x20d7, 0x20db, 0x20dc, 0x20e1, 0x20e7, 0x20e9, 0x20f0, 0x2cef, 0x2cf0, 0x2cf1, 0x2de0,
    0x2de1, 0x2de2, 0x2de3, 0x2de4, 0x2de5, 0x2de6, 0x2de7, 0x2de8, 0x2de9, 0x2dea, 0x2deb, 0x2dec,
    0x2ded, 0x2dee, 0x2def, 0x2df0, 0x2df1, 0x2df2, 0x2df3, 0x2df4, 0x2df5, 0x2df6, 0x2df7, 0x2df8,
    0x2df9, 0x2dfa, 0x2dfb, 0x2dfc, 0x2dfd, 0x2dfe, 0x2dff, 0xa66f, 0xa67c, 0xa67d, 0xa6f0, 0xa6f1,
    0xa8e0, 0xa8e1, 0xa8e2, 0xa8e3, 0xa8e4, 0xa8e5,
];

/// A cell that shows a part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub image: u32,
    /// None where any placement of the picture will do.
    pub placement: Option<u32>,
    /// Column and row in the picture.
    pub col: u32,
    pub row: u32,
}

/// The cells of a screen, by row and column, and the colours that text has from now on.
#[derive(Debug, Default)]
pub struct Cells {
    shown: BTreeMap<(u16, u16), Shown>,
    ink: Option<u32>,
    line: Option<u32>,
}

impl Cells {
    /// Obeys `ESC [ … m`, as far as painters use it.
    pub fn colour(&mut self, parameters: &str) {
        let numbers: Vec<u32> = parameters.split(';').flat_map(str::parse).collect();
        let mut rest = &numbers[..];
        loop {
            rest = match rest {
                [] => return,
                [0, rest @ ..] => {
                    (self.ink, self.line) = (None, None);
                    rest
                }
                [38, 5, colour, rest @ ..] => {
                    self.ink = Some(*colour);
                    rest
                }
                [58, 5, colour, rest @ ..] => {
                    self.line = Some(*colour);
                    rest
                }
                _ => panic!("ESC [ {parameters} m is not understood"),
            };
        }
    }

    /// Writes text into a row. The column after it.
    pub fn write(&mut self, (mut col, row): (u16, u16), text: &str) -> u16 {
        let ink = self.ink.expect("the colour names the picture");
        let mut all = text.chars().peekable();
        while let Some(character) = all.next() {
            assert_eq!(character, CELL, "a painter writes no other text");
            let mut marks = Vec::new();
            while let Some(mark) = all.next_if(|c| *c != CELL) {
                let number = MARKS.iter().position(|m| *m == u32::from(mark));
                marks.push(number.unwrap_or_else(|| panic!("{mark:?} is no mark")) as u32);
            }
            let before = col.checked_sub(1).and_then(|c| self.shown.get(&(row, c)));
            let shown = match marks[..] {
                // In the same colour it goes on where the cell before it ends.
                [] => {
                    let before = before.expect("a cell without marks follows another");
                    assert_eq!(before.image & 255, ink, "of the same picture");
                    Shown {
                        col: before.col + 1,
                        ..*before
                    }
                }
                [y, x] => self.named(ink, x, y),
                [y, x, high] => self.named(high << 24 | ink, x, y),
                _ => panic!("{} marks", marks.len()),
            };
            self.shown.insert((row, col), shown);
            col += 1;
        }
        col
    }

    fn named(&self, image: u32, col: u32, row: u32) -> Shown {
        Shown {
            image,
            placement: self.line,
            col,
            row,
        }
    }

    pub fn erase(&mut self, col: u16, row: u16) {
        self.shown.remove(&(row, col));
    }

    pub fn clear(&mut self) {
        self.shown.clear();
    }

    /// All that show a picture, with their columns and rows.
    pub fn shown(&self) -> impl Iterator<Item = ((u16, u16), &Shown)> {
        self.shown.iter().map(|((row, col), s)| ((*col, *row), s))
    }
}
