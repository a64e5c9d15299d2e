//! Image files to upright RGB8 pictures.

mod canvas;
mod colour;
mod jpeg;
mod look;
#[cfg(test)]
mod parts;
mod patched;
mod png;
mod range;
mod strips;
#[cfg(test)]
mod tests;
mod tiff;
mod tone;
mod turn;

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use sha2::{Digest, Sha256};

pub use self::look::{Look, Onlooker, small};
pub use self::range::Window;
pub use self::tiff::page_count;
use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::core::printable::{printable, printable_text};
use crate::store::error::{Error, Result};
use crate::store::pages;

/// Endings of the files that are taken for images.
pub const ENDINGS: [&str; 9] = [
    "jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "jfif",
];

/// More pixels than this are refused: a file of a few bytes can claim any number.
pub const MOST_PIXELS: u64 = 1_000_000_000;

/// Longer sides are refused, too: a mask has an entry for each row.
pub const MOST_SIDE: u32 = 1_000_000;

/// Whether an image can have this size.
pub fn is_image_size(size: Size) -> bool {
    let fits = size.area() > 0 && size.area() <= MOST_PIXELS;
    fits && size.width <= MOST_SIDE && size.height <= MOST_SIDE
}

const TOO_LARGE: &str =
    "it is too large, images may have 1,000,000,000 pixels and 8 GiB: cut it into parts";

/// How much of a file is read at once.
const BUFFER: usize = 64 << 10;

/// A larger file is not read.
const MOST_BYTES: u64 = 8 << 30;

/// Whether a file holds more than a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Eight bits a value: they are shown as they are.
    Bytes,
    /// More: what is shown of them depends on the window.
    More,
}

/// A picture with what the sidecar wants to know of its file.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub image: Arc<Image>,
    /// The EXIF orientation that was applied, 1 to 8.
    pub orientation: u8,
    /// sha256 of the file's bytes, hexadecimal.
    pub sha256: String,
    /// Made of the sha256, the page and the window: names the pixels in caches and in the terminal.
    pub key: u64,
    pub depth: Depth,
    /// What the person should know of the file: it is cut short, it has more pages, …
    pub notes: Vec<String>,
}

/// What a format's reader makes of a file, not yet upright.
struct Picture {
    pixels: RgbImage,
    orientation: Orientation,
    depth: Depth,
    notes: Vec<&'static str>,
}

/// Reads a file of any supported format; of an animation the first frame.
pub fn decode(path: &Path) -> Result<Decoded> {
    decode_for(path, Window::default(), &mut Onlooker::nobody())
}

/// Reads a file, its values beyond 8 bits shown through a window of percentiles. The onlooker is
/// shown what can be seen of a large picture before all of it is read.
pub fn decode_for(path: &Path, window: Window, onlooker: &mut Onlooker<'_>) -> Result<Decoded> {
    let io = |e| Error::io(path, e);
    let refuse = |why: String, remedy| Error::Image {
        path: path.to_path_buf(),
        why,
        remedy,
    };
    let (file, page) = pages::split(path);
    let open = || File::open(&file).map_err(io);
    let (hashed, mut read) = (open()?, BufReader::with_capacity(BUFFER, open()?));
    let length = hashed.metadata().map_err(io)?.len();
    if length > MOST_BYTES {
        let why = format!("it has {length} bytes");
        return Err(refuse(why, TOO_LARGE));
    }
    if length == 0 {
        return Err(refuse("the file is empty".into(), "copy it again"));
    }
    // The hash takes as long as the decoding of a small JPEG: both at once. A large file is never
    // in memory as a whole.
    let (decoded, digest) = rayon::join(
        || upright(&mut read, page, window, onlooker),
        || digest(hashed),
    );
    let digest = digest.map_err(io)?;
    let (image, orientation, depth, notes) = decoded.map_err(|why| {
        let remedy = match why {
            ImageError::Unsupported(_) => {
                "it is no JPEG, PNG, WebP, BMP, TIFF or GIF that can be read: convert it"
            }
            ImageError::Limits(_) => TOO_LARGE,
            _ => "the file is damaged or cut short: copy it again",
        };
        refuse(printable_text(why.to_string().trim()), remedy)
    })?;
    let told = |note: &&str| format!("{}: {note}", printable(path));
    Ok(Decoded {
        image: Arc::new(image),
        orientation: orientation.to_exif(),
        sha256: hex::encode(digest),
        key: key(&digest, page, window, depth),
        depth,
        notes: notes.iter().map(told).collect(),
    })
}

fn digest(mut file: File) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            count => digest.update(&buffer[..count]),
        }
    }
}

/// A number for the pixels. Those of a plain file are named by its bytes alone.
fn key(digest: &[u8], page: usize, window: Window, depth: Depth) -> u64 {
    let first: [u8; 8] = digest[..8].try_into().expect("a sha256 has 32 bytes");
    let of_file = u64::from_be_bytes(first);
    let is_windowed = depth == Depth::More && window != Window::default();
    if page == 0 && !is_windowed {
        return of_file;
    }
    let mut key = DefaultHasher::new();
    (of_file, page).hash(&mut key);
    if is_windowed {
        (window.low.to_bits(), window.high.to_bits()).hash(&mut key);
    }
    key.finish()
}

/// The size of an upright image, without decoding it.
pub fn size(path: &Path) -> Result<Size> {
    let (file, page) = pages::split(path);
    let file = File::open(&file).map_err(|e| Error::io(path, e))?;
    size_in(BufReader::new(file), page).map_err(|why| match why {
        ImageError::IoError(why) if why.kind() != io::ErrorKind::UnexpectedEof => {
            Error::io(path, why)
        }
        why => Error::Image {
            path: path.to_path_buf(),
            why: why.to_string(),
            remedy: "copy it again, or convert it",
        },
    })
}

/// The upright size of the picture in the bytes of a file.
pub fn size_of_bytes(bytes: &[u8]) -> image::ImageResult<Size> {
    size_in(io::Cursor::new(bytes), 0)
}

fn size_in<R: BufRead + Seek>(file: R, page: usize) -> image::ImageResult<Size> {
    let reader = ImageReader::new(file).with_guessed_format()?;
    if reader.format() == Some(ImageFormat::Tiff) {
        return tiff::size(&mut reader.into_inner(), page);
    }
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(turned(Size::new(width, height), orientation))
}

/// The size that a picture has once it is upright.
fn turned(size: Size, orientation: Orientation) -> Size {
    if orientation.to_exif() < 5 {
        size
    } else {
        Size::new(size.height, size.width)
    }
}

/// An upright image, how it was turned, how deep its values are, and what to say of it.
type Upright = (Image, Orientation, Depth, Vec<&'static str>);

/// The picture in the bytes of a file, upright.
pub fn decode_bytes(bytes: &[u8]) -> image::ImageResult<Image> {
    let nobody = &mut Onlooker::nobody();
    let upright = upright(&mut io::Cursor::new(bytes), 0, Window::default(), nobody);
    upright.map(|(image, ..)| image)
}

fn upright<R: BufRead + Seek + Send>(
    file: &mut R,
    page: usize,
    window: Window,
    onlooker: &mut Onlooker<'_>,
) -> image::ImageResult<Upright> {
    let picture = match image::guess_format(file.fill_buf()?)? {
        ImageFormat::Jpeg => jpeg::read(file, onlooker)?,
        ImageFormat::Png => png::read(file, window, onlooker)?,
        ImageFormat::Tiff => tiff::read(file, page, window, onlooker)?,
        format => read(file, format, window)?,
    };
    let size = Size::new(picture.pixels.width(), picture.pixels.height());
    let mut rgb = picture.pixels.into_raw();
    let size = turn::upright(&mut rgb, size, picture.orientation);
    let image = look::with_small(Image::from_rgb(size, rgb));
    Ok((image, picture.orientation, picture.depth, picture.notes))
}

/// Any format that has no reader of its own here.
fn read(
    file: impl BufRead + Seek,
    format: ImageFormat,
    window: Window,
) -> image::ImageResult<Picture> {
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check(Size::new(width, height))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder)?;
    let depth = tone::depth(&picture);
    let mut rgb = tone::rgb(picture, window);
    let mut notes = Vec::new();
    if let Some(profile) = profile {
        notes.extend(colour::to_srgb(&mut rgb, &profile));
    }
    Ok(Picture {
        pixels: rgb,
        orientation,
        depth,
        notes,
    })
}

/// Refuses sizes that no image has.
fn check(size: Size) -> image::ImageResult<()> {
    if is_image_size(size) {
        return Ok(());
    }
    let kind = image::error::LimitErrorKind::DimensionError;
    let limit = image::error::LimitError::from_kind(kind);
    Err(ImageError::Limits(limit))
}
