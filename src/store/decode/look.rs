//! The first look at a picture that takes long to decode, and the small copy it is drawn from.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{ImageResult, RgbImage};
use jpeg_decoder::PixelFormat;
use rayon::prelude::*;

use super::{Image, Size, colour, jpeg, tone, turn, turned};
use crate::core::scene::Photo;

/// Pictures with more pixels get a first look and a small copy.
const LARGE: u64 = 32 << 20;

/// Pixels of the picture along one of the small copy.
const SHRUNK: u32 = 4;

/// The longest side that a first look has at least: more than a screen shows.
const LONGEST: u32 = 1600;

/// A coarse picture of a file, for the time until it is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Upright.
    pub photo: Photo,
    /// The upright size of the whole.
    pub whole: Size,
}

/// Who is told what can be seen of a large picture before all of it is read.
pub struct Onlooker<'a> {
    path: &'a Path,
    /// Nothing is shown of pictures with fewer pixels.
    pub(super) least: u64,
    /// The longest side of what is shown, about.
    pub(super) longest: u32,
    tell: Option<&'a mut (dyn FnMut(Look) + Send)>,
}

impl std::fmt::Debug for Onlooker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Onlooker({:?})", self.path)
    }
}

impl<'a> Onlooker<'a> {
    pub fn new(path: &'a Path, tell: &'a mut (dyn FnMut(Look) + Send)) -> Self {
        Self {
            path,
            least: LARGE,
            longest: LONGEST,
            tell: Some(tell),
        }
    }

    /// For those who want all of a picture or nothing.
    pub fn nobody() -> Self {
        Self {
            path: Path::new(""),
            least: u64::MAX,
            longest: LONGEST,
            tell: None,
        }
    }

    /// Whether somebody wants to see something of a picture of this size.
    pub fn waits_for(&self, whole: Size) -> bool {
        self.tell.is_some() && whole.area() > self.least
    }

    /// Shows a coarse picture, not yet upright.
    pub fn show(&mut self, coarse: RgbImage, whole: Size, orientation: Orientation) {
        let Some(tell) = &mut self.tell else { return };
        let small = Size::new(coarse.width(), coarse.height());
        let mut rgb = coarse.into_raw();
        let small = turn::upright(&mut rgb, small, orientation);
        // Not the key of the whole: these are other pixels.
        let mut key = DefaultHasher::new();
        (self.path, &rgb).hash(&mut key);
        tell(Look {
            photo: Photo {
                key: key.finish(),
                image: Arc::new(Image::from_rgb(small, rgb)),
            },
            whole: turned(whole, orientation),
        });
    }
}

/// A small picture of a JPEG, decoded at a part of its size; `None` of other files.
pub fn small(path: &Path, longest: u32) -> Option<Photo> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; 2];
    file.read_exact(&mut start).ok()?;
    let mut bytes = start.to_vec();
    (start == *b"\xff\xd8")
        .then(|| file.read_to_end(&mut bytes))?
        .ok()?;
    let mut seen = None;
    let mut tell = |look: Look| seen = Some(look.photo);
    let mut onlooker = Onlooker {
        longest,
        ..Onlooker::new(path, &mut tell)
    };
    show_jpeg(&bytes, &mut onlooker);
    seen
}

/// Shows a large JPEG decoded at a part of its size. What is wrong with it is told by the decoding
/// of all of it.
pub fn show_jpeg(bytes: &[u8], onlooker: &mut Onlooker<'_>) {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    if decoder.read_info().is_err() {
        return;
    }
    let Some(info) = decoder.info() else { return };
    let size = Size::new(info.width.into(), info.height.into());
    let side = |length: u16| {
        let whole = u64::from(info.width.max(info.height));
        (u64::from(length) * u64::from(onlooker.longest) / whole).max(1) as u16
    };
    if decoder.scale(side(info.width), side(info.height)).is_ok()
        && let Ok((rgb, orientation)) = coarse(&mut decoder)
    {
        onlooker.show(rgb, size, orientation);
    }
}

fn coarse(decoder: &mut jpeg_decoder::Decoder<&[u8]>) -> ImageResult<(RgbImage, Orientation)> {
    let pixels = decoder.decode().map_err(jpeg::damaged)?;
    let info = decoder.info().ok_or_else(jpeg::short)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let profile = decoder.icc_profile();
    let rgb = match info.pixel_format {
        PixelFormat::L8 => tone::grey_to_rgb(width, height, &pixels),
        PixelFormat::RGB24 => {
            let rgb = RgbImage::from_raw(width, height, pixels);
            let mut rgb = rgb.ok_or_else(jpeg::short)?;
            if let Some(profile) = profile {
                // What cannot be used is told once the whole is there.
                let _ = colour::to_srgb(&mut rgb, &profile);
            }
            rgb
        }
        PixelFormat::CMYK32 => {
            let (rgb, _) = colour::from_cmyk(pixels, profile.as_deref());
            RgbImage::from_raw(width, height, rgb).ok_or_else(jpeg::short)?
        }
        PixelFormat::L16 => return Err(jpeg::damaged("it has 16 bits a pixel")),
    };
    let exif = decoder.exif_data().map(<[u8]>::to_vec);
    let orientation = exif.and_then(|e| Orientation::from_exif_chunk(&e));
    Ok((rgb, orientation.unwrap_or(Orientation::NoTransforms)))
}

/// Gives a large picture a small copy: to draw the whole of it must not take its whole memory.
pub fn with_small(image: Image) -> Image {
    let size = image.size();
    if size.area() <= LARGE {
        return image;
    }
    let small = shrunk(&image);
    image.with_small(small)
}

/// Each pixel the average of a block; those at the right and lower border may be narrower.
fn shrunk(image: &Image) -> Image {
    let size = image.size();
    let small = Size::new(size.width.div_ceil(SHRUNK), size.height.div_ceil(SHRUNK));
    let mut pixels = vec![0; 3 * small.area() as usize];
    let rows = pixels.par_chunks_exact_mut(3 * small.width as usize);
    rows.enumerate().for_each(|(v, out)| {
        let first = v as u32 * SHRUNK;
        let rows = first..(first + SHRUNK).min(size.height);
        let mut sums = vec![[0_u32; 3]; small.width as usize];
        for y in rows.clone() {
            let row = image.row(y).as_chunks::<3>().0;
            for (sum, block) in sums.iter_mut().zip(row.chunks(SHRUNK as usize)) {
                for pixel in block {
                    (0..3).for_each(|k| sum[k] += u32::from(pixel[k]));
                }
            }
        }
        let last = size.width - (small.width - 1) * SHRUNK;
        let widths = (1..small.width).map(|_| SHRUNK).chain([last]);
        for ((out, sum), width) in out.as_chunks_mut::<3>().0.iter_mut().zip(sums).zip(widths) {
            let count = width * rows.len() as u32;
            *out = sum.map(|s| ((s + count / 2) / count) as u8);
        }
    });
    Image::from_rgb(small, pixels)
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::*;
    use crate::core::geometry::ImagePoint;
    use crate::store::decode::{Decoded, Window, decode_for};

    /// Left half red, the rest blue, 42 megapixels, to be turned by a quarter.
    fn large() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large.jpg");
        let red = image::Rgb([200, 0, 0]);
        let picture = RgbImage::from_fn(8001, 5251, |x, _| match x {
            0..4000 => red,
            _ => image::Rgb([0, 0, 200]),
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .expect("encoded");
        let mut bytes = bytes.into_inner();
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        bytes.splice(2..2, exif.iter().copied());
        std::fs::write(&path, bytes).expect("written");
        (folder, path)
    }

    fn seen(path: &Path) -> (Decoded, Vec<Look>) {
        let mut looks = Vec::new();
        let mut tell = |look| looks.push(look);
        let mut onlooker = Onlooker::new(path, &mut tell);
        let decoded = decode_for(path, Window::default(), &mut onlooker);
        (decoded.expect("decoded"), looks)
    }

    #[test]
    fn a_large_jpeg_is_seen_upright_before_it_is_decoded_and_drawn_from_a_small_copy() {
        let (_folder, path) = large();
        let (whole, looks) = seen(&path);
        let (whole, look) = (whole.image, &looks[0]);
        assert_eq!(look.whole, whole.size());
        assert_eq!(whole.size(), Size::new(5251, 8001));
        let coarse = &look.photo.image;
        assert_eq!(coarse.size(), Size::new(1313, 2001));
        let top = |image: &Image| image.pixel(ImagePoint::new(image.size().width / 2, 10));
        let low = |image: &Image| {
            let size = image.size();
            image.pixel(ImagePoint::new(size.width / 2, size.height - 10))
        };
        let (small, across, down) = whole.at_scale(0.2);
        assert_eq!(small.size(), Size::new(1313, 2001));
        assert!((across - 0.25).abs() < 1e-3 && (down - 0.25).abs() < 1e-3);
        for image in [coarse, small] {
            assert!(
                top(image)[0] > 180 && top(image)[2] < 20,
                "{:?}",
                top(image)
            );
            assert!(
                low(image)[2] > 180 && low(image)[0] < 20,
                "{:?}",
                low(image)
            );
        }
        assert_eq!(whole.at_scale(0.5).0.size(), whole.size(), "too coarse");
    }

    #[test]
    fn the_small_copy_has_the_averages_of_its_blocks() {
        let size = Size::new(6, 5);
        let pixels = (0..30_u8).flat_map(|v| [v, 2 * v, 9]).collect();
        let small = shrunk(&Image::from_rgb(size, pixels));
        assert_eq!(small.size(), Size::new(2, 2));
        // Of 0 to 3, 6 to 9, 12 to 15 and 18 to 21: 10.5; of 28 and 29: 28.5.
        assert_eq!(small.pixel(ImagePoint::new(0, 0)), [11, 21, 9]);
        assert_eq!(small.pixel(ImagePoint::new(1, 1)), [29, 57, 9]);
    }

    #[test]
    fn what_is_small_needs_no_first_look() {
        for name in ["assets/rocket.jpg", "assets/coffee.png"] {
            assert_eq!(seen(Path::new(name)).1, []);
        }
    }
}
