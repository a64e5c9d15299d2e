//! The picture: upright RGB8 pixels.

use super::geometry::{ImagePoint, Size};

/// An upright picture, three bytes a pixel, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    size: Size,
    pixels: Vec<u8>,
    small: Option<Box<Image>>,
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
        Self {
            size,
            pixels,
            small: None,
        }
    }

    /// With a smaller copy of itself, from which it is drawn where it is shrunk at least as much.
    #[must_use]
    pub fn with_small(self, small: Self) -> Self {
        Self {
            small: Some(Box::new(small)),
            ..self
        }
    }

    /// The copy to draw at `scale` screen pixels an image pixel, and how many of its pixels lie
    /// along one of this image, across and down.
    pub fn at_scale(&self, scale: f64) -> (&Self, f64, f64) {
        let share = |small: &Self| {
            let of = |a: u32, b: u32| f64::from(a) / f64::from(b);
            (
                of(small.size.width, self.size.width),
                of(small.size.height, self.size.height),
            )
        };
        match &self.small {
            Some(small) if scale <= share(small).0.min(share(small).1) => {
                (small, share(small).0, share(small).1)
            }
            _ => (self, 1.0, 1.0),
        }
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
