//! `photo.mask.png`: one number a pixel, in drawing order, with a note that it is ours.

mod bands;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use self::bands::Bands;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::settings::class_colour;

/// Says in a PNG's text that termask wrote it.
const SOFTWARE: &str = "termask";
/// The text chunk that holds the image's file name.
const IMAGE: &str = "Source";
/// The text chunk that holds the digest of the objects.
const OBJECTS: &str = "termask-objects";

/// What a mask file of ours says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The image's file name.
    pub image: String,
    /// Changes with the objects' masks and their order.
    pub objects: String,
}

/// The note of a mask file; `None` where the file is not ours.
pub fn note(path: &Path) -> Option<Note> {
    note_in(BufReader::new(File::open(path).ok()?))
}

/// The note in the bytes of a mask file.
pub fn note_in(file: impl BufRead + Seek) -> Option<Note> {
    let mut decoder = png::Decoder::new(file);
    decoder.set_limits(png::Limits { bytes: 64 << 20 });
    let reader = decoder.read_info().ok()?;
    let info = reader.info();
    let text = |key: &str| {
        let short = info
            .uncompressed_latin1_text
            .iter()
            .find(|t| t.keyword == key);
        let short = short.map(|t| t.text.clone());
        short.or_else(|| {
            let long = info.utf8_text.iter().find(|t| t.keyword == key)?;
            long.get_text().ok()
        })
    };
    (text("Software")? == SOFTWARE).then_some(())?;
    Some(Note {
        image: text(IMAGE)?,
        objects: text(OBJECTS)?,
    })
}

/// Makes mask files; from one to the next only what changed is painted and packed again.
#[derive(Debug, Default)]
pub struct Painter(Bands);

impl Painter {
    /// The file's bytes: 8-bit palette for up to 254 objects, 16-bit grey beyond; 0 is background.
    pub fn encode(
        &mut self,
        size: Size,
        masks: &[Arc<Mask>],
        note: &Note,
    ) -> Result<Vec<u8>, png::EncodingError> {
        if masks.len() > usize::from(u16::MAX) {
            return Err(io::Error::other("it has more objects than 16 bits can number").into());
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, size.width, size.height);
        let is_wide = masks.len() > 254;
        if is_wide {
            encoder.set_color(png::ColorType::Grayscale);
            encoder.set_depth(png::BitDepth::Sixteen);
        } else {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_depth(png::BitDepth::Eight);
            let colours = (0..masks.len()).flat_map(class_colour);
            let palette: Vec<u8> = [0, 0, 0].into_iter().chain(colours).collect();
            encoder.set_palette(palette);
        }
        encoder.add_text_chunk("Software".into(), SOFTWARE.into())?;
        encoder.add_itxt_chunk(IMAGE.into(), note.image.clone())?;
        encoder.add_text_chunk(OBJECTS.into(), note.objects.clone())?;
        let mut writer = encoder.write_header()?;
        for part in self.0.pack(size, masks, if is_wide { 2 } else { 1 }) {
            writer.write_chunk(png::chunk::IDAT, part)?;
        }
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect};

    fn rects(n: u32) -> Vec<Arc<Mask>> {
        let size = Size::new(40, 30);
        let rect = |i: u32| ImageRect::new(i % 37, i / 37, i % 37 + 3, i / 37 + 2);
        (0..n)
            .map(|i| Arc::new(Mask::from_rect(size, rect(i))))
            .collect()
    }

    fn written(masks: &[Arc<Mask>]) -> (tempfile::NamedTempFile, image::DynamicImage) {
        let note = Note {
            image: "süß\u{1b}.jpg".into(),
            objects: "12".into(),
        };
        let bytes = Painter::default()
            .encode(Size::new(40, 30), masks, &note)
            .expect("encoded");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &bytes).expect("written");
        assert_eq!(super::note(file.path()), Some(note));
        (file, image::load_from_memory(&bytes).expect("a PNG"))
    }

    #[test]
    fn a_later_object_covers_an_earlier_one_and_the_note_is_read_back() {
        let masks = rects(3);
        let (file, _) = written(&masks);
        let mut decoder =
            png::Decoder::new(BufReader::new(File::open(file.path()).expect("there")));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; 1200];
        reader.next_frame(&mut pixels).expect("read");
        assert_eq!(pixels[..7], [1, 2, 3, 3, 3, 0, 0]);
    }

    #[test]
    fn more_than_254_objects_take_16_bits() {
        let (_, image) = written(&rects(300));
        let grey = image.into_luma16();
        assert_eq!(grey.get_pixel(299 % 37 + 2, 299 / 37 + 1).0, [300]);
    }

    #[test]
    fn what_is_packed_again_after_a_change_is_the_whole_picture() {
        // High enough for several bands.
        let size = Size::new(2000, 700);
        let disk = |i: u32| {
            let centre = ImagePoint::new(i * 397 % size.width, i * 281 % size.height);
            Arc::new(Mask::from_disk(size, centre, 40.0))
        };
        let few: Vec<_> = (1..20).map(disk).collect();
        let without = [&few[..7], &few[8..]].concat();
        let another = [&few[..7], &[disk(500)], &few[8..]].concat();
        let many: Vec<_> = (1..300).map(disk).collect();
        let note = Note {
            image: "a.jpg".into(),
            objects: String::new(),
        };
        let mut painter = Painter::default();
        for masks in [
            few,
            without,
            another,
            many.clone(),
            many[1..].to_vec(),
            vec![],
        ] {
            let bytes = painter.encode(size, &masks, &note).expect("encoded");
            let mut decoder = png::Decoder::new(io::Cursor::new(&bytes));
            decoder.set_transformations(png::Transformations::IDENTITY);
            let mut reader = decoder.read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
            reader.next_frame(&mut pixels).expect("read");
            let depth = pixels.len() / size.area() as usize;
            let number = |at: ImagePoint| {
                let covers = |mask: &Arc<Mask>| mask.contains(at);
                masks.iter().rposition(covers).map_or(0, |i| i + 1)
            };
            for (x, y) in
                (0..size.height).flat_map(|y| (y % 29..size.width).step_by(29).map(move |x| (x, y)))
            {
                let at = (y * size.width + x) as usize * depth;
                let found = pixels[at..at + depth]
                    .iter()
                    .fold(0, |n, b| n << 8 | usize::from(*b));
                assert_eq!(
                    found,
                    number(ImagePoint::new(x, y)),
                    "{x}, {y} of {}",
                    masks.len()
                );
            }
        }
    }
}
