//! A picture with its masks, printed once: for `show`, `segment --show` and `demo`.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::Context;
use crossterm::terminal;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Rgb as Pixel, RgbImage};
use viuer::KittySupport;

use crate::core::document::Object;
use crate::core::geometry::{ImagePoint, Size};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::scene::Rgb;
use crate::store::settings::{self, Settings};

/// Columns and rows of a picture in a file or pipe.
const PAGE: (u16, u16) = (80, 40);
/// Pixels of a cell: enough for a sharp picture in usual terminals.
const CELL: (u32, u32) = (10, 20);
/// Columns at least: kitty's terminator is left out by viuer below 768 pixels.
const LEAST_COLS: u32 = 4;

/// A mask with its colour.
pub type Layer = (Arc<Mask>, Rgb);

/// The masks of objects in the colours of their classes; a class that the settings do not name
/// takes the colours after them, in order of appearance.
pub fn layers(objects: &[Arc<Object>], settings: &Settings) -> Vec<Layer> {
    let mut strangers: Vec<&str> = Vec::new();
    objects
        .iter()
        .map(|object| {
            let class = &*object.class;
            let known = settings.classes.iter().find(|c| c.name == class);
            let colour = known.map_or_else(
                || {
                    let place = strangers.iter().position(|s| *s == class);
                    let place = place.unwrap_or_else(|| {
                        strangers.push(class);
                        strangers.len() - 1
                    });
                    settings::class_colour(settings.classes.len() + place)
                },
                |c| c.colour,
            );
            (Arc::clone(&object.mask), colour)
        })
        .collect()
}

/// Prints a picture with masks on stdout: through the terminal's graphics where it has them, else
/// with half blocks.
pub fn print(image: &Image, layers: &[Layer]) -> anyhow::Result<()> {
    let to_person = io::stdout().is_terminal() && io::stdin().is_terminal();
    let room = if io::stdout().is_terminal() {
        let (cols, rows) = terminal::size().unwrap_or(PAGE);
        (u32::from(cols), u32::from(rows.saturating_sub(3)))
    } else {
        (u32::from(PAGE.0), u32::from(PAGE.1))
    };
    let (cols, rows) = cells(image.size(), room);
    let painted = paint(image, layers, Size::new(cols * CELL.0, rows * CELL.1));
    let (kitty, sixel) = if to_person {
        ask_terminal()?
    } else {
        (false, false)
    };
    let config = viuer::Config {
        absolute_offset: false,
        width: Some(cols),
        height: Some(rows),
        // A file has no palette of its own, and terminals without true colour say so.
        truecolor: !to_person || viuer::Config::default().truecolor,
        use_kitty: kitty,
        use_iterm: to_person,
        use_sixel: sixel,
        ..viuer::Config::default()
    };
    viuer::print(&DynamicImage::ImageRgb8(painted), &config).context("printing the picture")?;
    if sixel {
        // A sixel picture leaves the cursor on its last row.
        println!();
    }
    Ok(())
}

/// Whether the terminal shows kitty's pictures, or else sixel.
fn ask_terminal() -> anyhow::Result<(bool, bool)> {
    // viuer reads the answers key by key; what comes between two reads must not be echoed.
    terminal::enable_raw_mode()?;
    let kitty = viuer::get_kitty_support() != KittySupport::None;
    let sixel = !kitty && viuer::is_sixel_supported();
    terminal::disable_raw_mode()?;
    Ok((kitty, sixel))
}

/// Columns and rows that show an image of `size` as large as `room` allows; a cell is twice as
/// high as wide.
fn cells(size: Size, room: (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let (most_cols, most_rows) = (room.0.max(LEAST_COLS), room.1.max(1));
    let cols = (f64::from(most_rows) * 2.0 * width / height)
        .round()
        .clamp(f64::from(LEAST_COLS), f64::from(most_cols));
    let rows = (cols * height / width / 2.0)
        .round()
        .clamp(1.0, f64::from(most_rows));
    (cols as u32, rows as u32)
}

/// The image at another size with its masks: tinted inside, in full colour along the contour.
fn paint(image: &Image, layers: &[Layer], size: Size) -> RgbImage {
    let from = image.size();
    let photo = ImageBuffer::<Pixel<u8>, &[u8]>::from_raw(from.width, from.height, image.pixels())
        .expect("an image has three bytes a pixel");
    let mut painted = imageops::resize(&photo, size.width, size.height, FilterType::Triangle);
    let source = |at: u32, from: u32, to: u32| {
        (((f64::from(at) + 0.5) * f64::from(from) / f64::from(to)) as u32).min(from - 1)
    };
    for (mask, colour) in layers {
        let Some(bounds) = mask.bounds() else {
            continue;
        };
        let inside = |x: i64, y: i64| {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
                return false;
            };
            let at = ImagePoint::new(
                source(x, from.width, size.width),
                source(y, from.height, size.height),
            );
            x < size.width && y < size.height && bounds.contains(at) && mask.contains(at)
        };
        for (x, y, pixel) in painted.enumerate_pixels_mut() {
            let (x, y) = (i64::from(x), i64::from(y));
            if !inside(x, y) {
                continue;
            }
            let deep = [(2, 0), (-2, 0), (0, 2), (0, -2)]
                .into_iter()
                .all(|(dx, dy)| inside(x + dx, y + dy));
            for (value, tint) in pixel.0.iter_mut().zip(colour) {
                let mixed = u16::midpoint(u16::from(*value), u16::from(*tint)) as u8;
                *value = if deep { mixed } else { *tint };
            }
        }
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::ImageRect;

    #[test]
    fn a_mask_tints_its_pixels_and_no_others() {
        let size = Size::new(40, 20);
        let image = Image::from_rgb(size, vec![100; 3 * 800]);
        let mask = Mask::from_rect(size, ImageRect::new(10, 5, 30, 15));
        let painted = paint(&image, &[(Arc::new(mask), [200, 0, 0])], size);
        assert_eq!(painted.get_pixel(2, 2).0, [100, 100, 100]);
        assert_eq!(painted.get_pixel(20, 10).0, [150, 50, 50]);
        assert_eq!(painted.get_pixel(10, 10).0, [200, 0, 0]);
    }

    #[test]
    fn any_shape_fits_the_room_and_is_large_enough_for_viuer() {
        for (w, h) in [(1, 1), (30000, 2), (2, 30000), (1280, 960)] {
            let (cols, rows) = cells(Size::new(w, h), (80, 21));
            assert!(cols <= 80 && rows <= 21, "{w}x{h}: {cols}x{rows}");
            assert!(cols * CELL.0 * rows * CELL.1 >= 768, "{w}x{h}");
        }
        assert_eq!(cells(Size::new(1280, 960), (80, 21)), (56, 21));
    }
}
