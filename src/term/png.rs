//! Pictures as PNG: photos in full colour or few colours, overlays in as few bits as they need.

use super::palette::quantise;
use crate::core::raster::{Overlay, Rgba};

/// How many colours a PNG may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    All,
    /// 256: half the bytes, and hardly to be told apart on a screen.
    Palette,
}

/// RGB pixels as PNG.
pub fn rgb_png(rgb: &[u8], width: u32, height: u32, colours: Colours) -> Vec<u8> {
    if colours == Colours::Palette {
        let (palette, indices) = quantise(rgb, width, height, 256);
        let opaque: Vec<Rgba> = palette.iter().map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        return indexed_png(&indices, width, height, &opaque);
    }
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_color(::png::ColorType::Rgb);
    // A tenth of the usual time for a hundredth more bytes, of small patches a twentieth.
    encoder.set_compression(::png::Compression::Fast);
    encoder.set_filter(::png::Filter::Adaptive);
    write_png(encoder, rgb);
    bytes
}

/// A part of an overlay (x0, y0, x1, y1) as a palette PNG with transparency.
pub fn palette_png(overlay: &Overlay, [x0, y0, x1, y1]: [u32; 4]) -> Vec<u8> {
    let row = |y: u32| {
        let start = y as usize * overlay.width as usize;
        &overlay.indices[start + x0 as usize..start + x1 as usize]
    };
    let indices: Vec<u8> = (y0..y1).flat_map(row).copied().collect();
    indexed_png(&indices, x1 - x0, y1 - y0, &overlay.palette)
}

/// Indices as a palette PNG that holds the colours in use, in the fewest bits.
pub fn indexed_png(indices: &[u8], width: u32, height: u32, colours: &[Rgba]) -> Vec<u8> {
    let mut used = [false; 256];
    for index in indices {
        used[usize::from(*index)] = true;
    }
    let mut renamed = [0_u8; 256];
    let mut kept: Vec<Rgba> = Vec::new();
    // Clear ones first: opacities are listed up to the last that is not opaque.
    for is_opaque in [false, true] {
        for (i, colour) in colours.iter().enumerate().filter(|(i, _)| used[*i]) {
            if (colour[3] == 255) == is_opaque {
                renamed[i] = kept.len() as u8;
                kept.push(*colour);
            }
        }
    }
    let depth = match kept.len() {
        0..=2 => ::png::BitDepth::One,
        3..=4 => ::png::BitDepth::Two,
        5..=16 => ::png::BitDepth::Four,
        _ => ::png::BitDepth::Eight,
    };
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::Indexed);
    encoder.set_depth(depth);
    encoder.set_compression(::png::Compression::High);
    encoder.set_filter(::png::Filter::NoFilter);
    encoder.set_palette(
        kept.iter()
            .flat_map(|c| [c[0], c[1], c[2]])
            .collect::<Vec<u8>>(),
    );
    let opacities: Vec<u8> = kept.iter().map(|c| c[3]).take_while(|a| *a < 255).collect();
    if !opacities.is_empty() {
        encoder.set_trns(opacities);
    }
    write_png(encoder, &packed(indices, width, &renamed, depth as usize));
    bytes
}

/// Renamed indices in `bits` bits each; every row begins a byte.
fn packed(indices: &[u8], width: u32, renamed: &[u8; 256], bits: usize) -> Vec<u8> {
    let per_byte = 8 / bits;
    let mut packed = Vec::with_capacity(indices.len() / per_byte + 64);
    for row in indices.chunks_exact(width as usize) {
        for group in row.chunks(per_byte) {
            let byte = group.iter().enumerate().fold(0, |byte, (i, index)| {
                byte | renamed[usize::from(*index)] << (8 - bits * (i + 1))
            });
            packed.push(byte);
        }
    }
    packed
}

fn write_png(encoder: ::png::Encoder<'_, &mut Vec<u8>>, data: &[u8]) {
    let mut writer = encoder.write_header().expect("memory takes all");
    writer
        .write_image_data(data)
        .expect("the data fit the size");
}
