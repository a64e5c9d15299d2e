//! A sidecar of any bytes is read or refused.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = termask::store::sidecar::parse(Path::new("a.termask.json"), data) {
        assert!(read.history.now().objects.len() <= data.len());
    }
});
