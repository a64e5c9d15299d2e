//! Reads one of iTerm2's inline images.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbaImage;

/// A picture and the cells that it is stretched to.
pub struct Inline {
    pub picture: RgbaImage,
    pub columns: u32,
    pub rows: u32,
}

/// The body of one `ESC ] … BEL`.
///
/// # Panics
/// On what some terminals refuse: another size than told, no cells, clear pixels (xterm.js shows its
/// background there).
pub fn read(body: &[u8]) -> Inline {
    let body = std::str::from_utf8(body).expect("base64 is ASCII");
    let body = body.strip_prefix("1337;File=").expect("an image");
    let (keys, data) = body.split_once(':').expect("the data follow");
    let value = |key: &str| {
        let found = keys.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == key).then_some(value)
        });
        found.unwrap_or_else(|| panic!("{key} is missing in {keys}"))
    };
    let number = |key: &str| value(key).parse::<u32>().expect("a number");
    let data = STANDARD.decode(data).expect("base64");
    assert_eq!(number("size") as usize, data.len(), "the size that is told");
    assert_eq!(value("inline"), "1");
    assert_eq!(value("preserveAspectRatio"), "0", "cells are filled");
    let picture = image::load_from_memory(&data)
        .expect("PNG or JPEG")
        .into_rgba8();
    assert!(picture.pixels().all(|p| p[3] == 255), "nothing is clear");
    Inline {
        picture,
        columns: number("width"),
        rows: number("height"),
    }
}
