//! Pictures of few colours.

use std::num::NonZeroU16;

use quantette::deps::palette::Srgb;
use quantette::deps::palette::cast::ComponentsAs;
use quantette::{ImageRef, PaletteSize, Pipeline};

use crate::core::scene::Rgb;

/// At most `colours` colours that fit the pixels, and each pixel's index; not dithered, because
/// dither looks like texture at the edge of an object and makes the file longer.
pub fn quantise(rgb: &[u8], width: u32, height: u32, colours: u16) -> (Vec<Rgb>, Vec<u8>) {
    let pixels: &[Srgb<u8>] = rgb.components_as();
    let image = ImageRef::new(width, height, pixels).expect("RGB bytes fit the size");
    let count = NonZeroU16::new(colours).expect("at least one colour");
    let quantised = Pipeline::new()
        .palette_size(PaletteSize::try_from_nz_u16(count).expect("at most 256 colours"))
        .ditherer(None)
        .parallel(true)
        .input_image(image)
        .output_srgb8_indexed_image();
    let palette = quantised.palette().iter().map(|c| [c.red, c.green, c.blue]);
    (palette.collect(), quantised.indices().to_vec())
}
