//! What actions cost, for a photo of 1280x960 in 100x40 cells of 10x20 pixels.

use std::sync::Arc;

use super::Kitty;
use crate::core::geometry::{CellRect, CellSize, ImagePoint, ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Side};
use crate::core::scene::{Layer, Mark, Photo, Scene, Style};
use crate::core::view::View;
use crate::term::Way;
use crate::term::pace::Speed;
use crate::term::painter::{Painter, Refined};

const SIZE: Size = Size::new(1280, 960);

/// A photo-like picture: smooth, with detail.
fn photo(key: u64) -> Photo {
    let pixel = |x: u32, y: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        let wave = |a: f64| (127.0 + 90.0 * a.sin()) as u8;
        [wave(x / 90.0), wave(y / 70.0), wave((x + y) / 31.0)]
    };
    let rows = 0..SIZE.height;
    let pixels = rows.flat_map(|y| (0..SIZE.width).flat_map(move |x| pixel(x, y)));
    Photo {
        key,
        image: Arc::new(Image::from_rgb(SIZE, pixels.collect())),
    }
}

fn scene(at: ImagePoint) -> Scene {
    let canvas = CellRect {
        col: 0,
        row: 1,
        cols: 100,
        rows: 37,
    };
    Scene {
        photo: photo(1),
        view: View::fit(SIZE, canvas, CellSize::default()),
        layers: Vec::new(),
        marks: vec![Mark::Crosshair(at)],
        next: Vec::new(),
        thumbnails: Vec::new(),
    }
}

/// A blob with a rough outline, as an engine gives them.
fn blob(radius: f64) -> Mask {
    let bounds = ImageRect::new(200, 100, 1100, 900);
    Mask::from_fn(SIZE, bounds, |at| {
        let (x, y) = (f64::from(at.x) - 640.0, f64::from(at.y) - 480.0);
        let angle = y.atan2(x);
        x.hypot(y) < radius + 20.0 * (7.0 * angle).sin() + 6.0 * (41.0 * angle).sin()
    })
}

fn layer(mask: Mask) -> Layer {
    Layer {
        mask: Arc::new(mask),
        colour: [255, 80, 0],
        style: Style::Strong,
    }
}

fn bytes(commands: &[Vec<u8>]) -> usize {
    commands.iter().map(Vec::len).sum()
}

/// Sharpens until nothing is left; how many bytes.
fn settle(kitty: &mut Kitty, scene: &Scene) -> usize {
    let mut sum = 0;
    while let Refined::Step(command) = kitty.refine(scene, 50_000) {
        sum += command.len();
    }
    sum
}

#[test]
fn a_step_of_the_crosshair_moves_two_placements() {
    let mut kitty = Kitty::default();
    kitty.paint(&scene(ImagePoint::new(600, 400)));
    let step = kitty.paint(&scene(ImagePoint::new(630, 437)));
    assert_eq!(step.len(), 1, "one command, so that nothing comes between");
    let text = String::from_utf8_lossy(&step[0]).into_owned();
    assert_eq!(text.matches("a=p,").count(), 2, "{text:?}");
    assert!(step[0].len() <= 150, "{}", step[0].len());
    assert!(kitty.paint(&scene(ImagePoint::new(630, 437))).is_empty());
}

#[test]
fn a_step_with_a_box_moves_its_sides_too() {
    let mut kitty = Kitty::default();
    let with_box = |at: ImagePoint| {
        let mut scene = scene(at);
        let rect = ImageRect::from_corners(ImagePoint::new(200, 150), at);
        scene.marks.push(Mark::Box(rect));
        scene
    };
    kitty.paint(&with_box(ImagePoint::new(600, 400)));
    let step = kitty.paint(&with_box(ImagePoint::new(630, 437)));
    assert!(bytes(&step) <= 300, "{}", bytes(&step));
}

#[test]
fn zoom_and_pan_only_place_what_is_there_with_masks_too() {
    let mut kitty = Kitty::default();
    let mut scene = scene(ImagePoint::new(600, 400));
    scene.layers.push(layer(blob(300.0)));
    kitty.paint(&scene);
    settle(&mut kitty, &scene);
    scene.view = scene.view.zoomed(2.0, ImagePoint::new(600, 400));
    let zoom = bytes(&kitty.paint(&scene));
    assert!(zoom <= 200, "{zoom}");
    settle(&mut kitty, &scene);
    scene.view = scene.view.panned(60, 45);
    let pan = bytes(&kitty.paint(&scene));
    assert!(pan <= 200, "{pan}");
}

#[test]
fn zooming_at_the_cursor_leaves_the_crosshair_and_places_photo_and_box() {
    let mut kitty = Kitty::default();
    let at = ImagePoint::new(600, 400);
    let mut scene = scene(at);
    let rect = ImageRect::from_corners(ImagePoint::new(200, 150), at);
    scene.marks.push(Mark::Box(rect));
    scene.view = scene.view.zoomed(2.0, at);
    kitty.paint(&scene);
    settle(&mut kitty, &scene);
    for factor in [1.5, 1.5, 0.7] {
        scene.view = scene.view.zoomed(factor, at);
        let zoom = bytes(&kitty.paint(&scene));
        assert!(zoom <= 170, "{zoom}");
    }
    scene.view = scene.view.panned(20, 0);
    let pan = bytes(&kitty.paint(&scene));
    assert!(pan <= 200, "{pan}");
}

#[test]
fn a_mask_costs_a_few_kilobytes_and_a_changed_one_its_changed_part() {
    let mut kitty = Kitty::default();
    let mut scene = scene(ImagePoint::new(600, 400));
    kitty.paint(&scene);
    settle(&mut kitty, &scene);
    let mask = blob(300.0);
    scene.layers = vec![layer(mask.clone())];
    let first = bytes(&kitty.paint(&scene));
    assert!(first <= 5000, "{first}");
    let more = Mask::from_disk(SIZE, ImagePoint::new(960, 480), 90.0);
    scene.layers = vec![layer(mask.union(&more))];
    let changed = bytes(&kitty.paint(&scene));
    assert!(changed <= 3000, "{changed}");
}

#[test]
fn a_click_is_one_placement_and_the_brush_moves_by_one() {
    let mut kitty = Kitty::default();
    let mut scene = scene(ImagePoint::new(600, 400));
    let click = |x| {
        Mark::Click(Click {
            at: ImagePoint::new(x, 400),
            side: Side::Inside,
        })
    };
    scene.marks = vec![click(100)];
    kitty.paint(&scene);
    scene.marks.push(click(300));
    assert!(bytes(&kitty.paint(&scene)) <= 60);
    let brush = |x| Mark::Brush {
        at: ImagePoint::new(x, 300),
        radius: 20.0,
    };
    scene.marks = vec![brush(500)];
    kitty.paint(&scene);
    scene.marks = vec![brush(520)];
    assert!(bytes(&kitty.paint(&scene)) <= 60);
}

#[test]
fn a_slow_line_gets_the_photo_in_parts_that_nothing_waits_for() {
    let mut kitty = Kitty::default();
    kitty.pace(Speed::Slow);
    let scene = scene(ImagePoint::new(600, 400));
    let first = bytes(&kitty.paint(&scene));
    assert!(first < 1500, "{first}");
    for _ in 0..20 {
        let Refined::Step(step) = kitty.refine(&scene, 1000) else {
            panic!("there is more to send");
        };
        assert!(step.len() < 4000, "{}", step.len());
    }
}

#[test]
fn the_neighbours_are_sent_while_nobody_waits_and_shown_at_once() {
    let mut kitty = Kitty::default();
    let mut scene = scene(ImagePoint::new(600, 400));
    scene.next = vec![photo(2), photo(3)];
    kitty.paint(&scene);
    settle(&mut kitty, &scene);
    scene.photo = photo(2);
    let next = bytes(&kitty.paint(&scene));
    assert!(next < 200, "{next}");
}

#[test]
fn terminals_without_edits_get_whole_pictures_and_end_up_the_same() {
    let mut kitty = Kitty::new(Way::Direct);
    let mut scene = scene(ImagePoint::new(600, 400));
    scene.layers.push(layer(blob(300.0)));
    let mut sent = kitty.paint(&scene).concat();
    while let Refined::Step(command) = kitty.refine(&scene, 1000) {
        sent.extend(command);
    }
    let text = String::from_utf8_lossy(&sent).into_owned();
    assert!(!text.contains("a=f"));
    // Coarse, sharp, and in all colours.
    assert_eq!(text.matches("a=t,f=100,i=20,").count(), 1);
    assert_eq!(text.matches("a=t,f=100,i=21,").count(), 2);
}
