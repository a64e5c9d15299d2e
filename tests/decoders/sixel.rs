//! Reads one sixel picture.

use std::collections::BTreeMap;

use image::{Rgba, RgbaImage};

/// The body of one `ESC P … ESC \` as pixels; those that it does not draw are clear.
///
/// # Panics
/// Where terminals would differ: without raster attributes, with pixels beyond them, with a register
/// that was not defined, or with a background that erases.
pub fn read(body: &[u8]) -> RgbaImage {
    let body = std::str::from_utf8(body).expect("sixels are ASCII");
    let (head, body) = body.split_once('q').expect("q begins the picture");
    assert_eq!(
        head.split(';').nth(1),
        Some("1"),
        "pixels that are not drawn stay as they are"
    );
    let mut reader = Reader {
        rest: body.as_bytes(),
    };
    assert_eq!(reader.byte(), b'"', "raster attributes come first");
    let raster = reader.numbers();
    let [1, 1, width, height] = raster[..] else {
        panic!("square pixels and a size: {raster:?}");
    };
    let mut picture = RgbaImage::new(width, height);
    let mut colours: BTreeMap<u32, Rgba<u8>> = BTreeMap::new();
    let mut colour = None;
    let (mut x, mut y) = (0, 0);
    while !reader.rest.is_empty() {
        match reader.byte() {
            b'#' => {
                let numbers = reader.numbers();
                if let [register, 2, r, g, b] = numbers[..] {
                    let channel = |percent: u32| ((percent * 255 + 50) / 100) as u8;
                    let defined = Rgba([channel(r), channel(g), channel(b), 255]);
                    colours.insert(register, defined);
                }
                let defined = colours.get(&numbers[0]);
                colour = Some(*defined.expect("a register is defined before it is used"));
            }
            b'$' => x = 0,
            b'-' => (x, y) = (0, y + 6),
            b'!' => {
                let count = reader.numbers()[0];
                let bits = reader.byte() - b'?';
                for _ in 0..count {
                    draw(&mut picture, (x, y), bits, colour);
                    x += 1;
                }
            }
            sixel @ b'?'..=b'~' => {
                draw(&mut picture, (x, y), sixel - b'?', colour);
                x += 1;
            }
            other => panic!("{:?} is no sixel", char::from(other)),
        }
    }
    picture
}

fn draw(picture: &mut RgbaImage, (x, y): (u32, u32), bits: u8, colour: Option<Rgba<u8>>) {
    for i in (0..6).filter(|i| bits >> i & 1 == 1) {
        let pixel = picture.get_pixel_mut_checked(x, y + i);
        *pixel.expect("no pixel beyond the raster attributes") =
            colour.expect("a colour is chosen before it is used");
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().expect("there is more");
        self.rest = rest;
        *first
    }

    /// Numbers with semicolons between them.
    fn numbers(&mut self) -> Vec<u32> {
        let is_part = |b: &u8| b.is_ascii_digit() || *b == b';';
        let end = self.rest.iter().position(|b| !is_part(b));
        let (numbers, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let text = std::str::from_utf8(numbers).expect("digits are ASCII");
        text.split(';')
            .map(|n| n.parse().expect("a number"))
            .collect()
    }
}
