//! Run lengths of any text are a mask, or refused; a mask comes back as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use termask::core::geometry::Size;
use termask::core::rle;

fuzz_target!(|data: &[u8]| {
    let Some((sides, text)) = data.split_at_checked(4) else {
        return;
    };
    let side = |i: usize| u32::from(u16::from_le_bytes([sides[i], sides[i + 1]]));
    let size = Size::new(side(0).max(1), side(2).max(1));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if let Ok(mask) = rle::mask_from_string(size, text) {
        let again = rle::mask_from_string(size, &rle::string_from_mask(&mask));
        assert_eq!(again, Ok(mask));
    }
});
