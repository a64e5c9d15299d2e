//! A CVAT file of any bytes is read or refused.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use termask::store::formats::{self, Format};

fuzz_target!(|data: &[u8]| {
    let _ = formats::parse(Path::new("a"), data, Format::Cvat);
});
