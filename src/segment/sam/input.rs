//! A picture as an encoder wants it, and where its pixels went.

use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::segment::sam::family::{Encoder, Fit, Frame, Layout, Values};
use crate::segment::sam::net::Tensor;
use crate::segment::sam::resample::scaled;
use crate::segment::{Cancel, Result};

/// Mean and deviation of `ImageNet`'s RGB, 0 to 255.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const STD: [f32; 3] = [58.395, 57.12, 57.375];

/// Longest side of a picture that a graph scales itself: more costs memory and shows nothing.
const LARGEST: u32 = 2048;

/// The picture's place in the frame of coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Size of the picture in the frame.
    pub content: Size,
    /// Size of the frame.
    pub frame: Size,
    /// Frame units an image pixel, across and down.
    pub scale: (f64, f64),
}

impl Place {
    /// Where a picture of `size` lies in a square frame of `side`, or in itself.
    pub fn of(frame: Frame, size: Size, side: u32) -> Self {
        let content = match frame {
            Frame::Longest => longest(size, side),
            Frame::Stretched => Size::new(side, side),
            Frame::Given if size.longest() > LARGEST => longest(size, LARGEST),
            Frame::Given => size,
        };
        let frame = match frame {
            Frame::Longest | Frame::Stretched => Size::new(side, side),
            Frame::Given => content,
        };
        let scale = (
            f64::from(content.width) / f64::from(size.width),
            f64::from(content.height) / f64::from(size.height),
        );
        Self {
            content,
            frame,
            scale,
        }
    }
}

/// The size with its longest side scaled to `side`, rounded as SAM's `ResizeLongestSide` does.
fn longest(size: Size, side: u32) -> Size {
    let scale = f64::from(side) / f64::from(size.longest());
    let scaled = |n: u32| ((f64::from(n) * scale + 0.5) as u32).max(1);
    Size::new(scaled(size.width), scaled(size.height))
}

/// How pictures are brought to an encoder.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    pub(super) kind: &'static Encoder,
    /// Width of the encoder's frame.
    pub(super) side: u32,
}

impl Feed {
    /// What the encoder is given for a picture.
    ///
    /// # Errors
    /// `Cancelled` at once when it is.
    pub fn tensor(self, image: &Image, cancel: &Cancel) -> Result<Tensor> {
        tensor(image, self.kind, self.side, cancel)
    }
}

fn tensor(image: &Image, encoder: &Encoder, side: u32, cancel: &Cancel) -> Result<Tensor> {
    let size = image.size();
    let content = match encoder.fit {
        Fit::Longest | Fit::Padded => longest(size, side),
        Fit::Stretched => Size::new(side, side),
        Fit::Whole if size.longest() > LARGEST => longest(size, LARGEST),
        Fit::Whole => size,
    };
    let mut pixels = scaled(image, content, encoder.rounding, cancel)?;
    let change: fn(f32, usize) -> f32 = match encoder.values {
        Values::Bytes => |v, _| v,
        Values::Unit => |v, _| v / 255.0,
        Values::ImageNet => |v, k| (v - MEAN[k]) / STD[k],
    };
    for rgb in pixels.as_chunks_mut::<3>().0 {
        for (k, value) in rgb.iter_mut().enumerate() {
            *value = change(*value, k);
        }
    }
    let (width, height) = (content.width as usize, content.height as usize);
    if encoder.layout() == Layout::Hwc {
        return Ok(Tensor::new([height, width, 3], pixels));
    }
    let whole = match encoder.fit {
        Fit::Padded => Size::new(side, side),
        Fit::Longest | Fit::Stretched | Fit::Whole => content,
    };
    let (across, down) = (whole.width as usize, whole.height as usize);
    let mut planes = vec![0.0; 3 * across * down];
    for (y, row) in pixels.chunks_exact(3 * width).enumerate() {
        for (x, rgb) in row.as_chunks::<3>().0.iter().enumerate() {
            for (k, value) in rgb.iter().enumerate() {
                planes[k * across * down + y * across + x] = *value;
            }
        }
    }
    Ok(Tensor::new([1, 3, down, across], planes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_lies_where_sams_own_code_puts_it() {
        let place = Place::of(Frame::Longest, Size::new(600, 800), 1024);
        assert_eq!(place.content, Size::new(768, 1024));
        let place = Place::of(Frame::Longest, Size::new(1500, 1001), 1024);
        assert_eq!(place.content, Size::new(1024, 683));
        let place = Place::of(Frame::Stretched, Size::new(600, 800), 1024);
        assert_eq!(place.content, Size::new(1024, 1024));
        let place = Place::of(Frame::Given, Size::new(30_000, 2), 1024);
        assert_eq!(place.content, Size::new(2048, 1));
    }
}
