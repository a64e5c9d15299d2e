//! A terminal, a painter, and the scene that both should agree on, whatever happens to it.

use std::path::Path;
use std::sync::Arc;

use image::RgbaImage;
use termask::core::geometry::{CellRect, CellSize, ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::Click;
use termask::core::scene::{Layer, Mark, Photo, Scene, Style};
use termask::core::view::View;
use termask::term::painter::{Painter, Refined};

use crate::glass::{Exactness, Glass, blank_lines, difference};
use crate::{COLS, ROWS};

/// How far a marker and an arm of the crosshair reach together, in screen pixels.
const MARKER: i64 = 20;

/// What may happen to a scene.
#[derive(Debug, Clone)]
pub enum Change {
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
pub struct Player {
    painter: Box<dyn Painter>,
    glass: Glass,
    pub scene: Scene,
    how: Exactness,
    /// Of so many commands in turn, which ones tmux drops.
    dropped: Vec<bool>,
    written: usize,
    /// Whether anything was since the terminal was last asked.
    is_lossy: bool,
    /// Bytes that a step to a sharper picture may have.
    room: usize,
}

impl Player {
    pub fn new(painter: Box<dyn Painter>, cell: CellSize, how: Exactness) -> Self {
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
            dropped: Vec::new(),
            written: 0,
            is_lossy: false,
            room: 1 << 20,
        };
        player.show();
        player
    }

    /// Paints the scene, at first coarse, then sharp.
    fn show(&mut self) {
        for command in self.painter.paint(&self.scene) {
            self.write(&command);
        }
        while let Refined::Step(command) = self.painter.refine(&self.scene, self.room) {
            self.write(&command);
        }
    }

    fn write(&mut self, command: &[u8]) {
        let is_dropped = self.dropped.get(self.written % self.dropped.len().max(1));
        self.written += 1;
        if is_dropped == Some(&true) {
            self.is_lossy = true;
            self.glass.obey_without_what_is_passed(command);
        } else {
            self.glass.obey(command);
        }
    }

    /// Asks the terminal whether all came, and paints anew where it says no.
    fn prove(&mut self) {
        let proof = self.painter.prove().expect("something is shown");
        self.glass.obey(&proof);
        let answers = self.glass.answers();
        let first = answers.first().expect("the terminal answers");
        if first.is_err() {
            assert!(self.is_lossy, "nothing was dropped: {answers:?}");
            self.painter.forget();
            self.show();
        }
        self.is_lossy = false;
    }

    pub fn apply(&mut self, change: &Change) {
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

    /// With some of the commands dropped, and asked for after each change.
    pub fn play_with_losses(mut self, changes: &[Change], dropped: &[bool]) {
        self.room = 900;
        for change in changes {
            self.dropped = dropped.to_vec();
            self.apply(change);
            self.dropped.clear();
            self.prove();
            let when = format!("{change:?} of {changes:?}, without {dropped:?}");
            self.check(Some(&self.scene), &when);
        }
    }

    pub fn play(mut self, changes: &[Change]) {
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
