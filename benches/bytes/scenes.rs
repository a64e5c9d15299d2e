//! The photo, and what a person does with it.

use std::sync::Arc;

use image::DynamicImage;
use termask::core::geometry::{CellSize, ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::scene::{Layer, Mark, Photo, Scene, Style};
use termask::core::view::View;
use termask::ui::layout::{self, List};

use crate::drawing;

/// The terminal, in cells.
pub const CELLS: (u16, u16) = (100, 40);
const CELL: CellSize = CellSize {
    width: 10.0,
    height: 20.0,
};
const SIZE: Size = Size::new(1280, 960);

/// One after the other.
pub const ACTIONS: [&str; 7] = [
    "photo",
    "cursor step",
    "box step",
    "zoom",
    "pan",
    "first mask",
    "changed mask",
];

/// The scene after each action.
pub struct Scenes([Scene; ACTIONS.len()]);

impl Scenes {
    pub fn new() -> Self {
        let at = ImagePoint::new(500, 400);
        let view = View::fit(SIZE, layout::canvas(CELLS, List::Hidden), CELL);
        let step = (view.cell.width / view.scale_x()).round() as u32;
        let next = ImagePoint::new(at.x + step, at.y);
        let frame = |to: ImagePoint| Mark::Box(ImageRect::new(300, 250, to.x, to.y));
        let photo = Scene {
            photo: Photo {
                key: 1,
                image: Arc::new(mosaic()),
            },
            view,
            layers: Vec::new(),
            marks: vec![frame(at), Mark::Crosshair(at)],
            next: Vec::new(),
            thumbnails: Vec::new(),
        };
        let with = |marks: Vec<Mark>, view: View, mask: Option<Mask>| Scene {
            marks,
            view,
            layers: mask.map(layer).into_iter().collect(),
            ..photo.clone()
        };
        let cursor = with(vec![frame(at), Mark::Crosshair(next)], view, None);
        let both = vec![frame(next), Mark::Crosshair(next)];
        let stretched = with(both.clone(), view, None);
        let closer = view.zoomed(1.5, next);
        let zoomed = with(both.clone(), closer, None);
        let panned = with(both.clone(), closer.panned(40, 0), None);
        let first = with(both.clone(), closer.panned(40, 0), Some(blob(0.0)));
        let changed = with(both, closer.panned(40, 0), Some(blob(0.1)));
        Self([photo, cursor, stretched, zoomed, panned, first, changed])
    }

    pub const fn all(&self) -> [&Scene; ACTIONS.len()] {
        self.0.each_ref()
    }
}

/// A scene as one picture, for those who know no layers.
pub fn flat(scene: &Scene) -> DynamicImage {
    drawing::picture(scene).into()
}

fn layer(mask: Mask) -> Layer {
    Layer {
        mask: Arc::new(mask),
        colour: [0, 160, 255],
        style: Style::Strong,
    }
}

/// An object with a lively outline, a sixth of the photo; `more` of its radius is added on one
/// side, as a click there does.
fn blob(more: f64) -> Mask {
    Mask::from_fn(SIZE, SIZE.bounds(), |at| {
        let (x, y) = (f64::from(at.x) - 560.0, f64::from(at.y) - 440.0);
        let angle = y.atan2(x);
        let waves =
            14.0 * (5.0 * angle).sin() + 6.0 * (17.0 * angle).cos() + 3.0 * (61.0 * angle).sin();
        let bulge = if angle.abs() < 0.9 { 2.0 * more } else { 0.0 };
        x.hypot(y) < 250.0 * (1.0 + bulge) + waves
    })
}

/// The repository's photos side by side at their own resolution, mirrored where they end.
fn mosaic() -> Image {
    let read = |bytes: &[u8]| {
        image::load_from_memory(bytes)
            .expect("the repository's photos are whole")
            .into_rgb8()
    };
    let photos = [
        read(include_bytes!("../../assets/coffee.png")),
        read(include_bytes!("../../assets/rocket.jpg")),
        read(include_bytes!("../../assets/astronaut.png")),
        read(include_bytes!("../../assets/chelsea.png")),
    ];
    let folded = |v: u32, length: u32| match v % (2 * length) {
        v if v < length => v,
        v => 2 * length - 1 - v,
    };
    let pixels = (0..SIZE.height).flat_map(|y| {
        let photos = &photos;
        (0..SIZE.width).flat_map(move |x| {
            let (right, below) = (x / 640, y / 480);
            let photo = &photos[(2 * below + right) as usize];
            let (x, y) = (
                folded(x % 640, photo.width()),
                folded(y % 480, photo.height()),
            );
            photo.get_pixel(x, y).0
        })
    });
    Image::from_rgb(SIZE, pixels.collect())
}
