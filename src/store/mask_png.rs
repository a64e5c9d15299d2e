//! `photo.mask.png`: the instance mask that trainers read.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::core::scene::Rgb;
use crate::store::settings::class_colour;

/// The text chunk that tells our masks from other people's.
const SOFTWARE: (&str, &str) = ("Software", "termask");

/// 0 background, 1.. the masks in drawing order; 8-bit palette, 16-bit grey beyond 254 masks.
pub fn encode<'a>(size: Size, masks: impl ExactSizeIterator<Item = &'a Mask>) -> Vec<u8> {
    let count = masks.len();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.width, size.height);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .add_text_chunk(SOFTWARE.0.into(), SOFTWARE.1.into())
        .expect("the text is Latin-1");
    let width = size.width as usize;
    if count <= 254 {
        let palette = std::iter::once([0; 3]).chain((0..count).map(colour));
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.flatten().collect::<Vec<u8>>());
        let mut pixels = vec![0_u8; size.area() as usize];
        paint(masks, width, |range, id| pixels[range].fill(id as u8));
        write(encoder, &pixels);
    } else {
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Sixteen);
        let mut pixels = vec![0_u16; size.area() as usize];
        paint(masks, width, |range, id| pixels[range].fill(id));
        let big: Vec<u8> = pixels.iter().flat_map(|v| v.to_be_bytes()).collect();
        write(encoder, &big);
    }
    bytes
}

fn colour(n: usize) -> Rgb {
    class_colour(n)
}

fn paint<'a>(
    masks: impl Iterator<Item = &'a Mask>,
    width: usize,
    mut fill: impl FnMut(std::ops::Range<usize>, u16),
) {
    for (i, mask) in masks.enumerate() {
        for run in mask.runs() {
            let row = run.y as usize * width;
            fill(row + run.x0 as usize..row + run.x1 as usize, i as u16 + 1);
        }
    }
}

fn write(encoder: png::Encoder<'_, &mut Vec<u8>>, pixels: &[u8]) {
    let mut writer = encoder
        .write_header()
        .expect("writing to memory cannot fail");
    writer
        .write_image_data(pixels)
        .expect("the pixels fit the size");
}

/// A black and white mask, 0 and 255.
pub fn encode_binary(mask: &Mask) -> Vec<u8> {
    let size = mask.size();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.width, size.height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .add_text_chunk(SOFTWARE.0.into(), SOFTWARE.1.into())
        .expect("the text is Latin-1");
    let mut pixels = vec![0_u8; size.area() as usize];
    let fill = |range: std::ops::Range<usize>, _| pixels[range].fill(255);
    paint(std::iter::once(mask), size.width as usize, fill);
    write(encoder, &pixels);
    bytes
}

/// Whether a PNG was written by termask.
pub fn is_ours(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let Ok(reader) = png::Decoder::new(BufReader::new(file)).read_info() else {
        return false;
    };
    let texts = &reader.info().uncompressed_latin1_text;
    texts
        .iter()
        .any(|t| t.keyword == SOFTWARE.0 && t.text == SOFTWARE.1)
}
