//! A terminal's screen as pixels: it obeys what painters write, and compares.

use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgba, RgbaImage};
use termask::core::geometry::{CellSize, ImagePoint, ImageRect};
use termask::core::scene::Scene;

use crate::cells::Cells;
use crate::drawing;
use crate::kitty::{Answer, Cursor, Kitty, Line, over};
use crate::stream::{Token, cut};
use crate::{iterm, sixel};

const BACKGROUND: Rgba<u8> = Rgba([16, 20, 24, 255]);

pub struct Glass {
    pub cols: u16,
    pub rows: u16,
    pub cell: CellSize,
    /// None after a placement that moves it.
    cursor: Option<(u16, u16)>,
    saved: Option<(u16, u16)>,
    /// What sixel and inline images left.
    painted: RgbaImage,
    cells: Cells,
    kitty: Kitty,
}

impl Glass {
    pub fn new(cols: u16, rows: u16, cell: CellSize) -> Self {
        let side = |cells: u16, cell: f64| (f64::from(cells) * cell).round() as u32;
        let (width, height) = (side(cols, cell.width), side(rows, cell.height));
        Self {
            cols,
            rows,
            cell,
            cursor: Some((0, 0)),
            saved: None,
            painted: RgbaImage::from_pixel(width, height, BACKGROUND),
            cells: Cells::default(),
            kitty: Kitty::default(),
        }
    }

    /// Obeys what a painter wrote.
    pub fn obey(&mut self, bytes: &[u8]) {
        for token in cut(bytes) {
            self.follow(token);
        }
    }

    fn follow(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => {
                let (_, row) = self.at();
                let col = self.cells.write(self.at(), text);
                self.cursor = Some((col, row)).filter(|_| col < self.cols);
            }
            Token::Passed(inner) => self.obey(&inner),
            Token::Escape(b'7') => self.saved = self.cursor,
            Token::Escape(b'8') => self.cursor = self.saved,
            Token::Escape(other) => panic!("ESC {} is not understood", char::from(other)),
            Token::Csi(parameters, last) => self.control(parameters, last),
            Token::Application(body) => {
                let cursor = self.kitty.obey(body, self.cursor);
                self.cursor = self.cursor.filter(|_| cursor == Cursor::Stays);
            }
            Token::Device(body) => {
                let picture = sixel::read(body);
                assert!(
                    self.bottom(&picture) <= self.edge((self.cols, self.rows - 1)).1,
                    "the last row stays free: terminals scroll there"
                );
                let (x, y) = self.edge(self.at());
                imageops::overlay(&mut self.painted, &picture, i64::from(x), i64::from(y));
            }
            Token::System(body) => self.inline(&iterm::read(body)),
        }
    }

    /// Obeys what comes of it where tmux drops what is for its terminal.
    pub fn obey_without_what_is_passed(&mut self, bytes: &[u8]) {
        self.kitty.line = Line::Broken;
        let rest = cut(bytes)
            .into_iter()
            .filter(|t| !matches!(t, Token::Passed(_)));
        rest.for_each(|token| self.follow(token));
    }

    /// What was answered since the last time.
    pub fn answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.kitty.answers)
    }

    /// Takes away what is in the rows of text and pictures, as the screen does when both change
    /// places. Kitty's pictures stay.
    pub fn clear(&mut self) {
        for pixel in self.painted.pixels_mut() {
            *pixel = BACKGROUND;
        }
        self.cells.clear();
    }

    fn control(&mut self, parameters: &str, last: u8) {
        let numbers: Vec<u16> = parameters.split(';').flat_map(str::parse).collect();
        match (last, &numbers[..]) {
            // A column that is not said is the first.
            (b'H', [row, ..]) => {
                let col = numbers.get(1).unwrap_or(&1);
                assert!(
                    *row <= self.rows && *col <= self.cols,
                    "{row};{col} is outside"
                );
                self.cursor = Some((col - 1, row - 1));
            }
            (b'X', [count]) => {
                let (x0, y0) = self.edge(self.at());
                let (x1, y1) = self.edge((self.at().0 + count, self.at().1 + 1));
                for (x, y) in (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y))) {
                    self.painted.put_pixel(x, y, BACKGROUND);
                }
                let (col, row) = self.at();
                for col in col..col + count {
                    self.cells.erase(col, row);
                }
            }
            (b'm', _) => self.cells.colour(parameters),
            _ => panic!("ESC [ {parameters} {} is not understood", char::from(last)),
        }
    }

    fn inline(&mut self, image: &iterm::Inline) {
        let (x0, y0) = self.edge(self.at());
        let (columns, rows) = (image.columns as u16, image.rows as u16);
        let (x1, y1) = self.edge((self.at().0 + columns, self.at().1 + rows));
        let sized = scaled(&image.picture, x1 - x0, y1 - y0);
        imageops::replace(&mut self.painted, &sized, i64::from(x0), i64::from(y0));
    }

    /// The cursor's cell.
    fn at(&self) -> (u16, u16) {
        self.cursor.expect("the cursor was placed")
    }

    /// The top left pixel of a cell, as xterm.js has it where cells are no whole pixels.
    fn edge(&self, (col, row): (u16, u16)) -> (u32, u32) {
        (
            (f64::from(col) * self.cell.width) as u32,
            (f64::from(row) * self.cell.height) as u32,
        )
    }

    fn bottom(&self, picture: &RgbaImage) -> u32 {
        self.edge(self.at()).1 + picture.height()
    }

    /// What a person sees.
    pub fn look(&self) -> RgbaImage {
        let mut seen = self.painted.clone();
        for ((col, row), image, [x, y, columns, rows]) in self.kitty.pieces(&self.cells) {
            let (left, top) = self.edge((col, row));
            let (right, bottom) = self.edge((col + 1, row + 1));
            let (width, height) = (right - left, bottom - top);
            let cut = |whole: &RgbaImage| {
                imageops::crop_imm(whole, x * width, y * height, width, height).to_image()
            };
            let size = (columns * width, rows * height);
            let piece = if image.dimensions() == size {
                cut(image)
            } else {
                cut(&scaled(image, size.0, size.1))
            };
            imageops::overlay(&mut seen, &piece, i64::from(left), i64::from(top));
        }
        for (placement, at, image) in self.kitty.placed(&self.cells) {
            let [x, y, w, h] = placement.part;
            let part = imageops::crop_imm(image, x, y, w, h).to_image();
            let (left, top) = self.edge(at);
            let part = match placement.cells {
                None => part,
                Some((columns, rows)) => {
                    let (right, bottom) = self.edge((at.0 + columns as u16, at.1 + rows as u16));
                    scaled(&part, right - left, bottom - top)
                }
            };
            let (left, top) = (left + placement.offset.0, top + placement.offset.1);
            for (x, y, pixel) in part.enumerate_pixels() {
                if let Some(below) = seen.get_pixel_mut_checked(left + x, top + y) {
                    *below = over(*pixel, *below);
                }
            }
        }
        seen
    }

    /// What the program's own drawing says a person should see.
    pub fn expect(&self, scene: Option<&Scene>) -> RgbaImage {
        let (width, height) = self.painted.dimensions();
        let mut whole = RgbaImage::from_pixel(width, height, BACKGROUND);
        let Some(scene) = scene else { return whole };
        let cells = scene.view.cells;
        let (left, top) = self.edge((cells.col, cells.row));
        let picture = DynamicImage::from(drawing::picture(scene)).into_rgba8();
        imageops::replace(&mut whole, &picture, i64::from(left), i64::from(top));
        whole
    }

    /// The pixel of the screen in the middle of an image's pixel; it may lie outside.
    pub fn pixel(&self, scene: &Scene, at: ImagePoint) -> (i64, i64) {
        let view = &scene.view;
        let (x, y) = view.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
        let (left, top) = self.edge((view.cells.col, view.cells.row));
        (
            i64::from(left) + x.floor() as i64,
            i64::from(top) + y.floor() as i64,
        )
    }

    /// The pixels that show the scene.
    pub fn picture(&self, scene: &Scene) -> ImageRect {
        let cells = scene.view.cells;
        let (x0, y0) = self.edge((cells.col, cells.row));
        let (x1, y1) = self.edge((cells.col + cells.cols, cells.row + cells.rows));
        ImageRect::new(x0, y0, x1, y1)
    }
}

/// Blanks a row and a column through a pixel, and some beside them.
pub fn blank_lines((x, y): (i64, i64), pictures: [&mut RgbaImage; 2]) {
    for picture in pictures {
        for (px, py, pixel) in picture.enumerate_pixels_mut() {
            if i64::from(px).abs_diff(x) <= 3 || i64::from(py).abs_diff(y) <= 3 {
                *pixel = BACKGROUND;
            }
        }
    }
}

fn scaled(picture: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    imageops::resize(picture, width, height, FilterType::Nearest)
}

/// How exactly a protocol shows a scene.
#[derive(Debug, Clone, Copy)]
pub struct Exactness {
    /// What is exact, for messages.
    pub name: &'static str,
    /// How many pixels a line may be beside its place.
    pub reach: u32,
    /// How many of the pixels may have no like, as a share.
    pub share: f64,
    /// How far a colour may be off.
    pub tolerance: u8,
    /// Whether colours are woven: then means of 3x3 pixels are compared.
    pub weave: Weave,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weave {
    None,
    Thirds,
}

/// The share of pixels in one picture that have no like in the other.
pub fn difference(seen: &RgbaImage, expected: &RgbaImage, how: Exactness) -> f64 {
    if how.weave == Weave::Thirds {
        let how = Exactness {
            weave: Weave::None,
            ..how
        };
        return difference(&smoothed(seen), &smoothed(expected), how);
    }
    let unlike = |a: &RgbaImage, b: &RgbaImage| {
        let alone = a.enumerate_pixels().filter(|(x, y, pixel)| {
            let near =
                |v: u32, most: u32| v.saturating_sub(how.reach)..(v + how.reach + 1).min(most);
            let (across, down) = (near(*x, b.width()), near(*y, b.height()));
            !down
                .flat_map(|y| across.clone().map(move |x| (x, y)))
                .any(|(x, y)| is_like(**pixel, *b.get_pixel(x, y), how.tolerance))
        });
        alone.count()
    };
    let all = f64::from(seen.width() * seen.height());
    unlike(seen, expected).max(unlike(expected, seen)) as f64 / all
}

fn is_like(a: Rgba<u8>, b: Rgba<u8>, tolerance: u8) -> bool {
    (0..3).all(|k| a[k].abs_diff(b[k]) <= tolerance)
}

/// Each pixel is the mean of the nine around it.
fn smoothed(picture: &RgbaImage) -> RgbaImage {
    let (width, height) = picture.dimensions();
    RgbaImage::from_fn(width, height, |x, y| {
        let mut sums = [0_u32; 3];
        for (dx, dy) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dx, dy))) {
            let at = |v: u32, d: u32, most: u32| (v + d).saturating_sub(1).min(most - 1);
            let pixel = picture.get_pixel(at(x, dx, width), at(y, dy, height));
            for k in 0..3 {
                sums[k] += u32::from(pixel[k]);
            }
        }
        let [r, g, b] = sums.map(|sum| (sum / 9) as u8);
        Rgba([r, g, b, 255])
    })
}
