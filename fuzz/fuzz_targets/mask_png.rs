//! Whose a mask file of any bytes is, and the numbers in it.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use termask::store::formats::{self, Format};

fuzz_target!(|data: &[u8]| {
    let _ = termask::store::mask_png::note_in(Cursor::new(data));
    let _ = formats::parse(Path::new("a.png"), data, Format::Instances);
});
