//! What the painters write, read back as a terminal does, shows the scene as the program itself
//! draws it, whatever happened before.

mod blocks;
mod cells;
#[path = "../drawing/mod.rs"]
mod drawing;
mod glass;
mod iterm;
mod kitty;
mod sixel;
mod stream;

use std::path::Path;
use std::sync::Arc;

use glass::{Exactness, Glass, Weave, blank_lines, difference};
use image::RgbaImage;
use proptest::prelude::*;
use termask::core::geometry::{CellRect, CellSize, ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Side};
use termask::core::scene::{Layer, Mark, Photo, Scene, Style};
use termask::core::view::View;
use termask::term::Way;
use termask::term::iterm::Iterm;
use termask::term::kitty::{Grid, Kitty};
use termask::term::pace::Speed;
use termask::term::painter::{Painter, Refined};
use termask::term::sixel::Sixel;

const COLS: u16 = 30;
const ROWS: u16 = 14;
/// How far a marker and an arm of the crosshair reach together, in screen pixels.
const MARKER: i64 = 20;
const WHOLE: CellSize = CellSize {
    width: 8.0,
    height: 16.0,
};
/// As in an editor on a screen with a scale of 125 %.
const BROKEN: CellSize = CellSize {
    width: 7.2,
    height: 14.4,
};

const KITTY: Exactness = Exactness {
    name: "kitty",
    // A frame around the whole picture, a pixel beside.
    share: 0.016,
    reach: 1,
    tolerance: 40,
    weave: Weave::None,
};
const SIXEL: Exactness = Exactness {
    name: "sixel",
    share: 0.003,
    reach: 1,
    tolerance: 48,
    weave: Weave::Thirds,
};
const ITERM: Exactness = Exactness {
    name: "iterm",
    share: 0.0,
    reach: 0,
    tolerance: 0,
    weave: Weave::None,
};
const ITERM_BROKEN: Exactness = Exactness {
    name: "iterm in broken cells",
    ..ITERM
};

/// What may happen to a scene.
#[derive(Debug, Clone)]
enum Change {
    Cursor(ImagePoint),
    Box(Option<ImageRect>),
    Mask(Option<(ImageRect, ImageRect, Style)>),
    Click(Click),
    Zoom(f64, ImagePoint),
    Pan(i64, i64),
    Image(u64),
    /// A window covers the picture, and goes.
    Window,
    /// The terminal gets another size: the canvas, in rows and columns.
    Canvas(u16, u16),
}

fn photo(key: u64) -> Photo {
    let sizes = [(160, 120), (90, 140), (400, 60)];
    let (width, height) = sizes[key as usize % sizes.len()];
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let wave = ((x + 3 * y) as f64 / 20.0).sin() * 20.0;
            let (across, down) = (x * 150 / width, y * 150 / height);
            [
                (50 + across) as u8,
                (60 + down) as u8,
                (100.0 + wave + 20.0 * key as f64) as u8,
            ]
        })
    });
    Photo {
        key,
        image: Arc::new(Image::from_rgb(Size::new(width, height), pixels.collect())),
    }
}

fn canvas(cols: u16, rows: u16) -> CellRect {
    CellRect {
        col: 0,
        row: 1,
        cols,
        rows,
    }
}

/// A terminal, a painter, and the scene that both should agree on.
struct Player {
    painter: Box<dyn Painter>,
    glass: Glass,
    scene: Scene,
    how: Exactness,
}

impl Player {
    fn new(painter: Box<dyn Painter>, cell: CellSize, how: Exactness) -> Self {
        let photo = photo(0);
        let size = photo.image.size();
        let view = View::fit(size, canvas(COLS, ROWS - 3), cell);
        let mut player = Self {
            painter,
            glass: Glass::new(COLS, ROWS, cell),
            scene: Scene {
                photo,
                view,
                layers: Vec::new(),
                marks: vec![Mark::Crosshair(size.bounds().centre())],
                next: Vec::new(),
                thumbnails: Vec::new(),
            },
            how,
        };
        player.show();
        player
    }

    /// Paints the scene, at first coarse, then sharp.
    fn show(&mut self) {
        for command in self.painter.paint(&self.scene) {
            self.glass.obey(&command);
        }
        while let Refined::Step(command) = self.painter.refine(&self.scene, 1 << 20) {
            self.glass.obey(&command);
        }
    }

    fn apply(&mut self, change: &Change) {
        let scene = &mut self.scene;
        let size = scene.photo.image.size();
        let inside = |p: ImagePoint| size.clamp(i64::from(p.x), i64::from(p.y));
        let within = |r: ImageRect| {
            let (a, b) = (
                inside(ImagePoint::new(r.x0, r.y0)),
                inside(ImagePoint::new(r.x1, r.y1)),
            );
            ImageRect::from_corners(a, b)
        };
        match change {
            Change::Cursor(at) => {
                scene.marks.retain(|m| !matches!(m, Mark::Crosshair(_)));
                scene.marks.push(Mark::Crosshair(inside(*at)));
            }
            Change::Box(rect) => {
                scene.marks.retain(|m| !matches!(m, Mark::Box(_)));
                if let Some(rect) = rect {
                    scene.marks.insert(0, Mark::Box(within(*rect)));
                }
            }
            Change::Mask(parts) => {
                scene.layers.clear();
                if let Some((a, b, style)) = parts {
                    let mask = Mask::from_rect(size, within(*a));
                    let mask = mask.union(&Mask::from_rect(size, within(*b)));
                    scene.layers.push(Layer {
                        mask: Arc::new(mask),
                        colour: [0, 160, 255],
                        style: *style,
                    });
                }
            }
            Change::Click(click) => {
                let at = inside(click.at);
                scene.marks.insert(0, Mark::Click(Click { at, ..*click }));
            }
            Change::Zoom(factor, about) => scene.view = scene.view.zoomed(*factor, inside(*about)),
            Change::Pan(dx, dy) => scene.view = scene.view.panned(*dx, *dy),
            Change::Image(key) => {
                scene.photo = photo(*key);
                scene.layers.clear();
                scene.marks.clear();
                let size = scene.photo.image.size();
                scene.view = View::fit(size, scene.view.canvas, scene.view.cell);
            }
            Change::Window => {
                self.glass.clear();
                for command in self.painter.hide() {
                    self.glass.obey(&command);
                }
                self.check(None, "a window");
                self.glass.clear();
            }
            Change::Canvas(cols, rows) => {
                let next = canvas(*cols, *rows);
                if next != scene.view.canvas {
                    self.glass.clear();
                }
                scene.view = scene.view.on_canvas(next, scene.view.cell);
            }
        }
        self.show();
    }

    fn check(&self, scene: Option<&Scene>, when: &str) {
        let (mut seen, mut expected) = (self.glass.look(), self.glass.expect(scene));
        if let Some(scene) = scene {
            self.check_crosshair(scene, &seen, when);
            // How far its lines reach is up to the protocol.
            if let Some(at) = crosshair(scene) {
                let middle = self.glass.pixel(scene, at);
                blank_lines(middle, [&mut seen, &mut expected]);
            }
        }
        let difference = difference(&seen, &expected, self.how);
        if difference > self.how.share {
            let why = format!("{difference} of the pixels differ");
            self.fail(&why, [&seen, &expected], when);
        }
    }

    fn fail(&self, why: &str, pictures: [&RgbaImage; 2], when: &str) -> ! {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for (picture, name) in pictures.into_iter().zip(["seen.png", "expected.png"]) {
            picture.save(folder.join(name)).expect("it is written");
        }
        panic!(
            "{}: {why} after {when}: look at seen.png and expected.png in {}",
            self.how.name,
            folder.display()
        );
    }

    /// A light cross, with arms as long as they are in all terminals. A box or a marker may lie
    /// above it.
    fn check_crosshair(&self, scene: &Scene, seen: &RgbaImage, when: &str) {
        let has_box = scene.marks.iter().any(|m| matches!(m, Mark::Box(_)));
        let is_seen = |at: &ImagePoint| !has_box && scene.view.source.contains(*at);
        let Some(at) = crosshair(scene).filter(is_seen) else {
            return;
        };
        let (x, y) = self.glass.pixel(scene, at);
        // A click's marker lies above the lines where it is near.
        let is_near = |mark: &Mark| match mark {
            Mark::Click(click) => {
                let (cx, cy) = self.glass.pixel(scene, click.at);
                (cx - x).abs().max((cy - y).abs()) < MARKER
            }
            _ => false,
        };
        if scene.marks.iter().any(is_near) {
            return;
        }
        let (x, y) = (x as u32, y as u32);
        let picture = self.glass.picture(scene);
        let is_light = |x: u32, y: u32| {
            let is_inside = picture.contains(ImagePoint::new(x, y));
            !is_inside || seen.get_pixel(x, y).0[..3].iter().all(|v| *v > 200)
        };
        // Where the lines cross each may cover the other.
        let arms = |v: u32| (3..7).flat_map(move |d| v.checked_sub(d).into_iter().chain([v + d]));
        let beside = |v: u32| v.saturating_sub(2)..v + 3;
        // Where patches meet, a line may step by a pixel.
        let across = arms(x).all(|x| beside(y).any(|y| is_light(x, y)));
        let down = arms(y).all(|y| beside(x).any(|x| is_light(x, y)));
        if !across || !down {
            let why = format!("no crosshair at {x}, {y}");
            self.fail(&why, [seen, &self.glass.expect(Some(scene))], when);
        }
    }

    fn play(mut self, changes: &[Change]) {
        self.check(Some(&self.scene), "the start");
        for change in changes {
            self.apply(change);
            self.check(Some(&self.scene), &format!("{change:?} of {changes:?}"));
        }
        // The screen clears the cells, and the pictures in them, by itself.
        self.glass.clear();
        for command in self.painter.hide() {
            self.glass.obey(&command);
        }
        self.check(None, "leaving");
    }
}

fn crosshair(scene: &Scene) -> Option<ImagePoint> {
    scene.marks.iter().find_map(|mark| match mark {
        Mark::Crosshair(at) => Some(*at),
        _ => None,
    })
}

fn play_all(changes: &[Change]) {
    for way in [Way::Edits, Way::Direct, Way::Relative(7)] {
        let how = Exactness {
            name: match way {
                Way::Edits => "kitty",
                Way::Direct => "kitty without edits",
                _ => "kitty in tmux",
            },
            ..KITTY
        };
        Player::new(Box::new(Kitty::new(way)), WHOLE, how).play(changes);
    }
    for (way, name) in [
        (Way::Grid(7), "kitty in characters"),
        (Way::Tiles(7), "tiles"),
    ] {
        let how = Exactness { name, ..SIXEL };
        Player::new(Box::new(Grid::new(way)), WHOLE, how).play(changes);
    }
    Player::new(Box::<Sixel>::default(), WHOLE, SIXEL).play(changes);
    let mut slow = Sixel::default();
    slow.pace(Speed::Slow);
    Player::new(Box::new(slow), WHOLE, SIXEL).play(changes);
    Player::new(Box::new(Iterm::new(Way::Direct)), WHOLE, ITERM).play(changes);
    Player::new(Box::new(Iterm::new(Way::Direct)), BROKEN, ITERM_BROKEN).play(changes);
}

#[test]
fn a_person_s_way_through_an_image_shows_as_it_is_drawn() {
    let at = ImagePoint::new;
    let rect = ImageRect::new;
    let side = Side::Inside;
    let (small, large) = (rect(30, 20, 70, 60), rect(20, 30, 110, 90));
    play_all(&[
        Change::Cursor(at(40, 30)),
        Change::Box(Some(small)),
        Change::Cursor(at(120, 100)),
        Change::Mask(Some((small, rect(60, 40, 90, 70), Style::Strong))),
        Change::Click(Click {
            at: at(50, 50),
            side,
        }),
        Change::Mask(Some((small, large, Style::Strong))),
        Change::Box(None),
        Change::Mask(Some((small, large, Style::Fill))),
        Change::Zoom(2.0, at(60, 50)),
        Change::Pan(15, -10),
        Change::Cursor(at(75, 50)),
        Change::Window,
        Change::Zoom(0.1, at(60, 50)),
        Change::Canvas(20, 8),
        Change::Mask(Some((small, large, Style::Outline))),
        Change::Image(1),
        Change::Cursor(at(20, 20)),
        Change::Image(2),
        Change::Mask(None),
        Change::Canvas(COLS, ROWS - 3),
        Change::Image(0),
    ]);
}

fn point() -> impl Strategy<Value = ImagePoint> {
    (0..200_u32, 0..150_u32).prop_map(|(x, y)| ImagePoint::new(x, y))
}

fn rect() -> impl Strategy<Value = ImageRect> {
    (point(), point()).prop_map(|(a, b)| ImageRect::from_corners(a, b))
}

fn change() -> impl Strategy<Value = Change> {
    let style = prop_oneof![
        Just(Style::Fill),
        Just(Style::Strong),
        Just(Style::Outline),
        Just(Style::Hint)
    ];
    let side = prop_oneof![Just(Side::Inside), Just(Side::Outside)];
    prop_oneof![
        3 => point().prop_map(Change::Cursor),
        2 => prop::option::of(rect()).prop_map(Change::Box),
        3 => prop::option::of((rect(), rect(), style)).prop_map(Change::Mask),
        1 => (point(), side).prop_map(|(at, side)| Change::Click(Click { at, side })),
        2 => (0.3..4.0, point()).prop_map(|(factor, about)| Change::Zoom(factor, about)),
        1 => (-40..40_i64, -40..40_i64).prop_map(|(dx, dy)| Change::Pan(dx, dy)),
        1 => (0..9_u64).prop_map(Change::Image),
        1 => Just(Change::Window),
        1 => (6..=COLS, 3..=ROWS - 3).prop_map(|(cols, rows)| Change::Canvas(cols, rows)),
    ]
}

/// So many as `PROPTEST_CASES` says, where it is set.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: std::env::var_os("PROPTEST_CASES").map_or(64, |_| usual.cases),
        failure_persistence: None,
        ..usual
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn any_changes_show_as_they_are_drawn(changes in prop::collection::vec(change(), 1..9)) {
        play_all(&changes);
    }
}

/// Here the pixels of its lines are whole numbers but for the last digit.
#[test]
fn a_crosshair_has_no_gap() {
    let about = ImagePoint::new(106, 32);
    play_all(&[Change::Zoom(3.182_068_569_731_034_5, about)]);
}
