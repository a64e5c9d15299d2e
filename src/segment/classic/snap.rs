//! Moves the edge of a mask to the image edge next to it.

use crate::core::geometry::ImageRect;
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::segment::{Cancel, Result};

use super::cut::{self, Contrast, Labels, Models};
use super::seed;
use super::window::Window;

/// Longest side of the window in which the first cut is made.
const COARSE: u32 = 768;

/// The mask with its edge cut anew within a narrow band (1.5 % of the object's size, at least three
/// pixels to either side), between the colours that lie inside and outside of it.
///
/// What lies deeper than the band never changes; a mask without an edge (empty, or the whole
/// picture) comes back as it is.
///
/// # Errors
/// `Cancelled`, when it is.
pub fn snap(image: &Image, mask: &Mask, cancel: &Cancel) -> Result<Mask> {
    let snapped = match mask.bounds() {
        Some(bounds) => recut(image, mask, bounds, cancel)?,
        None => None,
    };
    Ok(snapped.unwrap_or_else(|| mask.clone()))
}

fn recut(image: &Image, mask: &Mask, bounds: ImageRect, cancel: &Cancel) -> Result<Option<Mask>> {
    let margin = (bounds.size().longest() / 8).max(16);
    let around = ImageRect::new(
        bounds.x0.saturating_sub(margin),
        bounds.y0.saturating_sub(margin),
        bounds.x1.saturating_add(margin),
        bounds.y1.saturating_add(margin),
    );
    let window = Window::cut(image, around, COARSE)?;
    let inside = window.sample(mask);
    let (sx, _) = window.scale();
    let radius = (0.015 * f64::from(bounds.size().longest()) / sx)
        .round()
        .max(3.0) as u32;
    // Only the settled pixels teach colours: the band holds both sides.
    let seeds = seed::band(window.size, &inside, radius);
    let Some(models) = Models::learn_settled(&window, &seeds) else {
        return Ok(None);
    };
    let contrast = Contrast::measure(&window);
    let inside = cut::cut(&window, &seeds, &models, &contrast, cancel)?;
    let labels = cut::sharpen(image, Labels { window, inside }, cancel, |finer, seeds| {
        let contrast = Contrast::measure(finer);
        cut::cut(finer, &seeds, &models, &contrast, cancel)
    })?;
    cancel.check()?;
    let snapped = labels.window.mask(image.size(), &labels.inside);
    Ok((!snapped.is_empty()).then_some(snapped))
}
