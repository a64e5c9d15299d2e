//! A picture of any bytes is read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use termask::store::decode;

/// Larger ones take longer, and try nothing else.
const MOST_PIXELS: u64 = 1 << 18;

fuzz_target!(|data: &[u8]| {
    if decode::size_of_bytes(data).is_ok_and(|size| size.area() <= MOST_PIXELS) {
        let _ = decode::decode_bytes(data);
    }
});
