//! Pictures as PNG: photos in full colour or few colours, overlays in as few bits as they need.

use super::palette::quantise;
use crate::core::raster::Overlay;

/// How many colours a PNG may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    All,
    /// 256: half the bytes, and hardly to be told apart on a screen.
    Palette,
}

/// RGB pixels as PNG.
pub fn rgb_png(rgb: &[u8], width: u32, height: u32, colours: Colours) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(::png::BitDepth::Eight);
    match colours {
        Colours::All => {
            encoder.set_color(::png::ColorType::Rgb);
            encoder.set_filter(::png::Filter::Adaptive);
            write_png(encoder, rgb);
        }
        Colours::Palette => {
            let (palette, indices) = quantise(rgb, width, height, 256);
            encoder.set_color(::png::ColorType::Indexed);
            encoder.set_palette(palette.concat());
            encoder.set_filter(::png::Filter::NoFilter);
            write_png(encoder, &indices);
        }
    }
    bytes
}

fn write_png(encoder: ::png::Encoder<'_, &mut Vec<u8>>, data: &[u8]) {
    let mut writer = encoder.write_header().expect("memory takes all");
    writer
        .write_image_data(data)
        .expect("the data fit the size");
}

/// A part of an overlay (x0, y0, x1, y1) as a palette PNG with transparency, in as few bits as
/// its colours need.
pub fn palette_png(overlay: &Overlay, [x0, y0, x1, y1]: [u32; 4]) -> Vec<u8> {
    let (depth, bits) = match overlay.palette.len() {
        0..=2 => (::png::BitDepth::One, 1),
        3..=4 => (::png::BitDepth::Two, 2),
        5..=16 => (::png::BitDepth::Four, 4),
        _ => (::png::BitDepth::Eight, 8),
    };
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, x1 - x0, y1 - y0);
    encoder.set_color(::png::ColorType::Indexed);
    encoder.set_depth(depth);
    encoder.set_compression(::png::Compression::Balanced);
    encoder.set_filter(::png::Filter::NoFilter);
    encoder.set_palette(
        overlay
            .palette
            .iter()
            .flat_map(|c| [c[0], c[1], c[2]])
            .collect::<Vec<u8>>(),
    );
    encoder.set_trns(overlay.palette.iter().map(|c| c[3]).collect::<Vec<u8>>());
    let per_byte = 8 / bits;
    let mut packed = Vec::new();
    for y in y0..y1 {
        let row = &overlay.indices[(y * overlay.width + x0) as usize..];
        for group in row[..(x1 - x0) as usize].chunks(per_byte) {
            let fold = |byte: u8, (i, v): (usize, &u8)| byte | v << (8 - bits * (i + 1));
            packed.push(group.iter().enumerate().fold(0, fold));
        }
    }
    write_png(encoder, &packed);
    bytes
}
