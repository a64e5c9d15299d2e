//! The photo's pixels as the screen shows them: the view's part, at the cells' resolution.

use fast_image_resize::images::{Image as Buffer, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::core::geometry::ImageRect;
use crate::core::image::Image;
use crate::core::raster::screen_size;
use crate::core::view::View;

/// Above this zoom pixels are shown as squares: an annotator wants to see them.
const UNSMOOTHED: f64 = 3.0;

/// RGB of the view's part of the photo.
pub fn at_view(image: &Image, view: &View) -> Vec<u8> {
    let (width, height) = screen_size(view);
    let filter = if view.scale() >= UNSMOOTHED {
        ResizeAlg::Nearest
    } else if view.scale() >= 1.0 {
        ResizeAlg::Convolution(FilterType::Bilinear)
    } else {
        ResizeAlg::Convolution(FilterType::Box)
    };
    resized(image, view.source, width, height, filter)
}

/// RGB of a part of the photo, averaged to another size.
pub fn averaged(image: &Image, part: ImageRect, width: u32, height: u32) -> Vec<u8> {
    resized(
        image,
        part,
        width,
        height,
        ResizeAlg::Convolution(FilterType::Box),
    )
}

fn resized(image: &Image, part: ImageRect, width: u32, height: u32, filter: ResizeAlg) -> Vec<u8> {
    let shown = |length: u32, of: u32| f64::from(length) / f64::from(of.max(1));
    let scale = shown(width, part.width()).max(shown(height, part.height()));
    let (image, across, down) = image.at_scale(scale);
    let size = image.size();
    let (left, top) = (f64::from(part.x0) * across, f64::from(part.y0) * down);
    let source = ImageRef::new(size.width, size.height, image.pixels(), PixelType::U8x3)
        .expect("an image's bytes fit its size");
    let mut target = Buffer::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(filter).crop(
        left,
        top,
        (f64::from(part.width()) * across).min(f64::from(size.width) - left),
        (f64::from(part.height()) * down).min(f64::from(size.height) - top),
    );
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("the part lies in the image and both are RGB");
    target.into_vec()
}
