//! The program's own drawing of a scene, which terminals are compared with.

use image::RgbImage;
use termask::core::raster::{Marks, Overlay, screen_size};
use termask::core::scene::{Layer, Mark, Scene};
use termask::core::view::View;
use termask::term::photo;

/// Masks and marks.
pub fn overlay(view: &View, layers: &[Layer], marks: &[Mark]) -> Overlay {
    Overlay::draw(view, layers, marks, Marks::All)
}

/// All that the canvas shows.
#[allow(dead_code, reason = "not all who compare need the whole")]
pub fn picture(scene: &Scene) -> RgbImage {
    let (width, height) = screen_size(&scene.view);
    let mut rgb = photo::at_view(&scene.photo.image, &scene.view);
    overlay(&scene.view, &scene.layers, &scene.marks).blend(&mut rgb);
    RgbImage::from_raw(width, height, rgb).expect("RGB bytes of that size")
}
