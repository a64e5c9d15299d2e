//! The picture: upright RGB8 pixels.

use super::geometry::{ImagePoint, Size};

/// An upright picture, three bytes a pixel, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    size: Size,
    pixels: Vec<u8>,
}

impl Image {
    /// Takes `3 * width * height` bytes of RGB.
    ///
    /// # Panics
    /// When the number of bytes does not fit the size.
    pub fn from_rgb(size: Size, pixels: Vec<u8>) -> Self {
        assert_eq!(
            pixels.len() as u64,
            3 * size.area(),
            "RGB bytes fit the size"
        );
        Self { size, pixels }
    }

    pub const fn size(&self) -> Size {
        self.size
    }

    /// RGB bytes, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// One row of RGB bytes.
    pub fn row(&self, y: u32) -> &[u8] {
        let width = 3 * self.size.width as usize;
        &self.pixels[y as usize * width..][..width]
    }

    pub fn pixel(&self, at: ImagePoint) -> [u8; 3] {
        let i = 3 * (at.y as usize * self.size.width as usize + at.x as usize);
        [self.pixels[i], self.pixels[i + 1], self.pixels[i + 2]]
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}x{})", self.size.width, self.size.height)
    }
}
