//! A terminal's memory of kitty's pictures: data, placements, frame edits, deletions. It is stricter
//! than terminals are: what the protocol leaves open is a failure, unless something was dropped.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use image::{ImageFormat, Rgba, RgbaImage};

use crate::cells::Cells;

/// All pictures of one terminal.
#[derive(Debug, Default)]
pub struct Kitty {
    images: BTreeMap<u32, RgbaImage>,
    /// By image and placement.
    placements: BTreeMap<(u32, u32), Placement>,
    /// How many frames each picture has beyond its first.
    frames: BTreeMap<u32, u32>,
    /// A transmission whose last chunk has not come.
    pending: Option<(Control, Vec<u8>)>,
    /// Whether all that was written came; if not, what cannot be done is answered, as terminals do.
    pub line: Line,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// The way from the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    #[default]
    Whole,
    Broken,
}

/// Whether a command could be obeyed, or why not.
pub type Answer = Result<(), String>;

/// What a command does to the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    Stays,
    Moves,
}

/// A picture on the screen.
#[derive(Debug, Clone)]
pub struct Placement {
    pub image: u32,
    /// The cell of its top left corner, from 0, and pixels into it.
    pub at: At,
    pub offset: (u32, u32),
    /// The part of the picture: x, y, width, height.
    pub part: [u32; 4],
    /// Columns and rows it is stretched to; none where it has its own size.
    pub cells: Option<(u32, u32)>,
    pub z: i32,
}

/// Where a picture is.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// Column and row on the screen.
    Cell(u16, u16),
    /// So many columns and rows from another placement.
    Beside((u32, u32), i32, i32),
    /// Where characters say.
    Characters,
}

/// The keys of one command.
#[derive(Debug, Clone)]
struct Control(BTreeMap<char, String>);

impl Control {
    fn parse(text: &str) -> Self {
        let pairs = text.split(',').map(|pair| {
            let (key, value) = pair.split_once('=').expect("a key has a value");
            let key = key.chars().next().expect("a key has a letter");
            (key, value.to_string())
        });
        Self(pairs.collect())
    }

    fn letter(&self, key: char, usual: char) -> char {
        let value = self.0.get(&key).and_then(|v| v.chars().next());
        value.unwrap_or(usual)
    }

    fn number(&self, key: char) -> Option<u32> {
        let value = self.0.get(&key)?;
        Some(value.parse().unwrap_or_else(|_| panic!("{key}={value}")))
    }

    fn signed(&self, key: char) -> i32 {
        let value = self.0.get(&key).map_or("0", String::as_str);
        value.parse().unwrap_or_else(|_| panic!("{key}={value}"))
    }
}

impl Kitty {
    /// Obeys the body of one `ESC _ … ESC \`, with the cursor at a cell.
    pub fn obey(&mut self, body: &[u8], cursor: Option<(u16, u16)>) -> Cursor {
        let body = std::str::from_utf8(body).expect("commands are ASCII");
        let body = body
            .strip_prefix('G')
            .expect("only pictures are sent this way");
        let (control, data) = body.split_once(';').unwrap_or((body, ""));
        assert!(
            data.len() <= 4096,
            "{} bytes in a chunk: 4096 are allowed",
            data.len()
        );
        let control = Control::parse(control);
        let data = STANDARD.decode(data).expect("base64, padded in each chunk");
        let is_last = control.number('m').unwrap_or(0) == 0;
        let (control, data) = match self.pending.take() {
            None => (control, data),
            Some((first, mut before)) => {
                let is_same =
                    |(k, v): (&char, &String)| "mq".contains(*k) || first.0.get(k) == Some(v);
                assert!(
                    control.0.iter().all(is_same),
                    "{control:?} came between the chunks of {first:?}"
                );
                before.extend(data);
                (first, before)
            }
        };
        if !is_last {
            self.pending = Some((control, data));
            return Cursor::Stays;
        }
        let done = match control.letter('a', 't') {
            't' => {
                self.transmit(&control, &data);
                Ok(())
            }
            'T' => {
                self.transmit(&control, &data);
                self.place(&control, cursor)
            }
            'p' => self.place(&control, cursor),
            'd' => {
                self.delete(&control);
                Ok(())
            }
            'f' => self.edit(&control, &data),
            'c' => self.compose(&control),
            other => panic!("a={other} is not understood"),
        };
        self.answer(&control, done);
        // Those in characters may be as many as these can name, of a few cells each.
        let placed = self.placements.values();
        let in_cells = placed.filter(|p| matches!(p.at, At::Characters)).count();
        let count = self.images.len() - in_cells;
        assert!(
            count <= 24 && in_cells <= 256,
            "the terminal keeps {count} pictures, and {in_cells} in characters"
        );
        let places = matches!(control.letter('a', 't'), 'T' | 'p')
            && control.number('U').or(control.number('P')).is_none();
        if places && control.number('C') != Some(1) {
            Cursor::Moves
        } else {
            Cursor::Stays
        }
    }

    fn answer(&mut self, control: &Control, done: Answer) {
        if let (Line::Whole, Err(why)) = (self.line, &done) {
            panic!("{control:?}: {why}");
        }
        let quiet = control.number('q').unwrap_or(0);
        if quiet == 0 || quiet == 1 && done.is_err() {
            self.answers.push(done);
        }
    }

    /// The pictures on the screen with the cells they begin in, the lowest first.
    pub fn placed(&self, cells: &Cells) -> Vec<(&Placement, (u16, u16), &RgbaImage)> {
        assert!(self.pending.is_none(), "a picture ends with its last chunk");
        let mut all: Vec<_> = self
            .placements
            .values()
            .filter_map(|p| Some((p, self.cell(p.at, cells)?, &self.images[&p.image])))
            .collect();
        all.sort_by_key(|(p, _, _)| (p.z, p.image));
        all
    }

    /// None where the characters are not on the screen.
    fn cell(&self, at: At, cells: &Cells) -> Option<(u16, u16)> {
        match at {
            At::Cell(col, row) => Some((col, row)),
            At::Characters => None,
            At::Beside(parent, right, down) => {
                let is_parent = |s: &crate::cells::Shown| {
                    s.image == parent.0 && s.placement.is_none_or(|p| p == parent.1)
                };
                let found = cells.shown().find(|(_, s)| is_parent(s));
                let (col, row) = match (self.placements[&parent].at, found) {
                    (At::Characters, found) => found?.0,
                    (other, _) => self.cell(other, cells)?,
                };
                let moved = |v: u16, by: i32| u16::try_from(i32::from(v) + by).ok();
                Some((moved(col, right)?, moved(row, down)?))
            }
        }
    }

    /// The pieces of pictures that characters show, each with its cell and its place among so many
    /// columns and rows.
    pub fn pieces<'a>(
        &'a self,
        cells: &'a Cells,
    ) -> impl Iterator<Item = ((u16, u16), &'a RgbaImage, [u32; 4])> {
        assert!(self.pending.is_none(), "a picture ends with its last chunk");
        cells.shown().filter_map(|(at, shown)| {
            let is_its = |(name, p): &(&(u32, u32), &Placement)| {
                name.0 == shown.image
                    && shown.placement.is_none_or(|number| number == name.1)
                    && matches!(p.at, At::Characters)
            };
            // Characters without a picture show nothing.
            let (_, placement) = self.placements.iter().find(is_its)?;
            let (columns, rows) = placement.cells.expect("cells are told for characters");
            assert!(shown.col < columns && shown.row < rows, "{shown:?}");
            let piece = [shown.col, shown.row, columns, rows];
            Some((at, &self.images[&shown.image], piece))
        })
    }

    fn transmit(&mut self, control: &Control, data: &[u8]) {
        let id = control.number('i').expect("pictures have numbers");
        // New data under a used number: the old placements are gone.
        self.placements.retain(|(image, _), _| *image != id);
        self.images.insert(id, pixels(control, data));
        self.frames.remove(&id);
    }

    fn place(&mut self, control: &Control, cursor: Option<(u16, u16)>) -> Answer {
        let id = control.number('i').expect("pictures have numbers");
        let image = self.images.get(&id);
        let (width, height) = image
            .ok_or_else(|| format!("picture {id} is placed and was not sent"))?
            .dimensions();
        let (x, y) = (
            control.number('x').unwrap_or(0),
            control.number('y').unwrap_or(0),
        );
        let part = [
            x,
            y,
            control.number('w').unwrap_or(width - x),
            control.number('h').unwrap_or(height - y),
        ];
        if part[0] + part[2] > width || part[1] + part[3] > height {
            return Err(format!("{part:?} is not in a picture of {width}x{height}"));
        }
        let offset = (
            control.number('X').unwrap_or(0),
            control.number('Y').unwrap_or(0),
        );
        let parent = control.number('P').zip(control.number('Q'));
        let at = match (control.number('U'), parent) {
            (Some(1), None) => At::Characters,
            (None, Some(parent)) => {
                if !self.placements.contains_key(&parent) {
                    return Err(format!("ENOPARENT {parent:?}"));
                }
                At::Beside(parent, control.signed('H'), control.signed('V'))
            }
            (None, None) => {
                let (col, row) = cursor.expect("the cursor was placed");
                At::Cell(col, row)
            }
            both => panic!("{both:?} at once"),
        };
        let placement = Placement {
            image: id,
            at,
            offset,
            part,
            cells: control.number('c').zip(control.number('r')),
            z: control.signed('z'),
        };
        let number = control.number('p').unwrap_or(0);
        self.placements.insert((id, number), placement);
        Ok(())
    }

    fn delete(&mut self, control: &Control) {
        let id = control.number('i');
        let placement = control.number('p');
        match control.letter('d', 'a') {
            'a' => self.placements.clear(),
            'A' => {
                self.placements.clear();
                self.images.clear();
                self.frames.clear();
            }
            'i' | 'I' => {
                let id = id.expect("deleted by number");
                self.placements.retain(|(image, number), _| {
                    *image != id || placement.is_some_and(|p| p != *number)
                });
                if control.letter('d', 'a') == 'I' {
                    self.images.remove(&id);
                    self.frames.remove(&id);
                }
            }
            other => panic!("d={other} is not understood"),
        }
    }

    /// Replaces a part of a picture's first frame, or blends over it; or adds a frame, which is not
    /// shown.
    fn edit(&mut self, control: &Control, data: &[u8]) -> Answer {
        let id = control.number('i').expect("pictures have numbers");
        let patch = pixels(control, data);
        let (x, y) = (
            control.number('x').unwrap_or(0),
            control.number('y').unwrap_or(0),
        );
        let image = self.images.get_mut(&id);
        let image = image.ok_or_else(|| format!("picture {id} is edited and was not sent"))?;
        match control.number('r') {
            Some(1) => {}
            None => {
                *self.frames.entry(id).or_default() += 1;
                return Ok(());
            }
            Some(other) => panic!("only the first frame is shown, not {other}"),
        }
        if x + patch.width() > image.width() || y + patch.height() > image.height() {
            return Err(format!("a part of picture {id} is outside of it"));
        }
        let replaces = control.number('X') == Some(1);
        for (dx, dy, pixel) in patch.enumerate_pixels() {
            let old = image.get_pixel_mut(x + dx, y + dy);
            *old = if replaces { *pixel } else { over(*pixel, *old) };
        }
        Ok(())
    }

    /// Copies a frame onto the first; the pictures that this is done with are not seen.
    fn compose(&self, control: &Control) -> Answer {
        let id = control.number('i').expect("pictures have numbers");
        let from = control.number('r').expect("a frame to copy");
        assert_eq!(control.number('c'), Some(1), "onto the first");
        assert!(from > 1, "a frame is not copied onto itself");
        let frames = self.images.get(&id).map(|_| self.frames.get(&id));
        let last = frames.ok_or_else(|| format!("no picture {id}"))?;
        let last = last.map_or(1, |added| added + 1);
        (from <= last)
            .then_some(())
            .ok_or_else(|| format!("no frame {from} of {last}"))
    }
}

/// A half-transparent colour above another.
pub fn over(above: Rgba<u8>, below: Rgba<u8>) -> Rgba<u8> {
    let alpha = u32::from(above[3]);
    let mix = |k: usize| (u32::from(above[k]) * alpha + u32::from(below[k]) * (255 - alpha)) / 255;
    let left = u32::from(below[3]) * (255 - alpha) / 255;
    Rgba([
        mix(0) as u8,
        mix(1) as u8,
        mix(2) as u8,
        (alpha + left) as u8,
    ])
}

fn pixels(control: &Control, data: &[u8]) -> RgbaImage {
    let mut raw = data.to_vec();
    if control.letter('o', '-') == 'z' {
        raw.clear();
        ZlibDecoder::new(data)
            .read_to_end(&mut raw)
            .expect("compressed data are whole");
    }
    let (width, height) = (control.number('s'), control.number('v'));
    let size = || (width.expect("raw data tell s"), height.expect("and v"));
    match control.number('f').unwrap_or(32) {
        100 => image::load_from_memory_with_format(&raw, ImageFormat::Png)
            .expect("a PNG")
            .into_rgba8(),
        32 => RgbaImage::from_raw(size().0, size().1, raw).expect("as many bytes as told"),
        24 => {
            let rgba = raw.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]);
            RgbaImage::from_raw(size().0, size().1, rgba.collect()).expect("as many bytes as told")
        }
        other => panic!("f={other} is not understood"),
    }
}
