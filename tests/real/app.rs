//! A person's way through the app, in any terminal: each step follows what the one before it did,
//! as far as the files and the screen tell.

use std::fs;
use std::path::Path;

use termask::core::document::{Document, Object};
use termask::core::geometry::{CellPoint, ImagePoint};
use termask::core::image::Image;
use termask::core::prompt::Side;
use termask::core::view::View;
use termask::store::decode::decode;
use termask::store::sidecar;

use crate::desk::Desk;
use crate::glass::{Expected, Glass, bright};
use crate::terminals::{Row, Way};

/// The colour of the object's class.
const CUP: [u8; 3] = [0, 160, 255];
/// How far a cell's mean colour may be from the photo's: palettes; and in tmux half-blocks,
/// often without word that there are more than 256 colours.
const NEAR: f64 = 14.0;
pub const NEAR_IN_256_COLOURS: f64 = 40.0;

/// Start, move, box, clicks by mouse and keyboard, accept, zoom, resize, leave.
pub fn makes_an_object(row: Row) {
    makes_an_object_in(row, "");
}

/// The same where the program is told what its terminal is, unless by no word.
pub fn makes_an_object_in(row: Row, terminal: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("coffee.png");
    fs::copy("assets/coffee.png", &photo).expect("the photo can be copied");
    // No part of the photo is blue.
    let classes = "classes = [{ name = \"cup\", colour = \"#00a0ff\" }]";
    fs::write(folder.path().join("termask.toml"), classes).expect("the settings are written");
    let line = command(row, terminal, &photo);
    let desk = Desk::open(row, &line, folder.path());
    let glass = desk.glass();
    assert_eq!((glass.cols, glass.rows), (100, 40), "as it was started");
    let image = decode(&photo).expect("it was copied").image;
    let scene = Look {
        image: &image,
        tolerance: match row.way {
            Way::Tmux | Way::SshTmux => NEAR_IN_256_COLOURS,
            Way::Direct | Way::Ssh => NEAR,
        },
    };
    let view = glass.fit(image.size());

    let bare = scene.expect(view);
    desk.wait("the photo", |desk| {
        // The crosshair is in a few of its cells.
        let share = bare.photo_share(&desk.look());
        is(share > 0.9, || format!("{share} of the cells show it"))
    });
    desk.keep("1-photo");
    desk.press(&["H", "H", "K", "K", "b"]);
    desk.press(&["L", "L", "L", "L", "J", "J", "J", "b"]);
    desk.wait("a mask for the box", |_| answered(&photo, 0));
    let rect = draft(&photo).draft.prompt.rect.expect("it was answered");
    let (x, y) = on_screen(&view, rect.centre());
    desk.click_until("a mask for the inside click", (x, y), |_| {
        answered(&photo, 1)
    });
    // Now the crosshair lies on none of its sides.
    desk.wait("the box", |desk| {
        let sides = bare.box_shares(&desk.look(), rect);
        is(sides.iter().all(|s| *s > 0.8), || {
            format!("{sides:?} of its sides")
        })
    });
    desk.press(&["H", "H", "J", "J", "o"]);
    desk.wait("a mask for the outside click", |_| answered(&photo, 2));
    let prompt = draft(&photo).draft.prompt;
    let inside = prompt.points(Side::Inside).next().expect("one of the two");
    let cell = CellPoint {
        col: (x / glass.cell.width) as u16,
        row: (y / glass.cell.height) as u16,
    };
    assert_eq!(
        view.cell_from_image(inside),
        Some(cell),
        "the mouse clicks on what is under it"
    );
    let cursor = prompt.points(Side::Outside).next().expect("the other");
    desk.keep("2-clicks");

    desk.press(&["Return"]);
    let object = desk.wait("the object beside the image", |_| {
        let object = read(&photo).and_then(|d| d.objects.first().cloned());
        object.ok_or_else(|| "none is saved".into())
    });
    scene.check(&desk, view, &object, cursor);
    desk.keep("3-object");
    check_text(&desk, glass);
    desk.wait("the mask file beside the image", |_| {
        let read = image::open(folder.path().join("coffee.mask.png"));
        let read = read.map_err(|e| e.to_string())?.to_luma8();
        let marked = read.pixels().filter(|p| p.0[0] > 0).count() as u64;
        is(marked == object.mask.area(), || {
            format!("it marks {marked} pixels")
        })
    });

    // The crosshair leaves nothing where it was.
    desk.press(&["Left", "Left", "Up"]);
    let step = |cell: f64, scale: f64| (cell / scale).round() as u32;
    let cursor = ImagePoint::new(
        cursor.x - 2 * step(view.cell.width, view.scale_x()),
        cursor.y - step(view.cell.height, view.scale_y()),
    );
    scene.check(&desk, view, &object, cursor);

    desk.press(&["plus", "plus"]);
    let closer = view.zoomed(1.5, cursor).zoomed(1.5, cursor);
    scene.check(&desk, closer, &object, cursor);
    desk.keep("4-zoom");

    let small = glass.sized(80, 30);
    let (width, height) = small.pixels();
    desk.resize(width, height);
    scene.check(&desk, small.keep(&closer), &object, cursor);
    check_text(&desk, small);
    desk.keep("5-resized");
    desk.press(&["Home"]);
    scene.check(&desk, small.fit(image.size()), &object, cursor);

    desk.press(&["q"]);
    desk.wait_for_end();
    desk.wait("a clean terminal", |desk| {
        let bright = bright(&desk.look());
        is(bright < 1_000, || {
            format!("{bright} pixels are not background")
        })
    });
    desk.keep("6-left");
}

/// The line that opens the photo.
fn command(row: Row, terminal: &str, photo: &Path) -> String {
    let program = env!("CARGO_BIN_EXE_termask");
    let graphics = row
        .graphics
        .map_or_else(String::new, |kind| format!("--graphics {kind}"));
    format!(
        "TERMASK_TERMINAL='{terminal}' '{program}' {graphics} '{}'",
        photo.display()
    )
}

/// How the photo looks in this terminal.
struct Look<'a> {
    image: &'a Image,
    tolerance: f64,
}

impl Look<'_> {
    fn expect(&self, view: View) -> Expected {
        Expected::new(self.image, view, self.tolerance)
    }

    /// Waits until the screen shows photo, tint and crosshair where they belong.
    fn check(&self, desk: &Desk, view: View, object: &Object, cursor: ImagePoint) {
        let expected = self.expect(view).with(&object.mask, cursor);
        desk.wait("photo, tint and crosshair", |desk| {
            let screen = desk.look();
            let (tint, cells) = expected.tint(&screen, CUP);
            assert!(cells > 40, "{cells} cells are whole in the mask");
            let share = expected.photo_share(&screen);
            let lines = expected.crosshair_shares(&screen, cursor);
            let is_there = share > 0.97
                && (0.2..0.75).contains(&tint)
                && lines.iter().all(|share| *share > 0.8);
            is(is_there, || {
                format!("{share} of the photo, tinted by {tint}, {lines:?} of the crosshair")
            })
        });
    }
}

/// The title, and the status with the class's colour.
fn check_text(desk: &Desk, glass: Glass) {
    desk.wait("title and status line", |desk| {
        let screen = desk.look();
        let rows = [0, glass.rows - 2, glass.rows - 1];
        let seen = rows.map(|row| glass.text_in_row(&screen, row));
        let class = glass.colour_in_row(&screen, glass.rows - 2, CUP);
        is(
            seen.iter().all(|pixels| *pixels > 200) && class > 15,
            || format!("{seen:?} pixels of text, {class} of the class"),
        )
    });
}

/// What to say while something is not so.
fn is(so: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    so.then_some(()).ok_or_else(seen)
}

/// Pixels of the screen that show an image pixel.
fn on_screen(view: &View, at: ImagePoint) -> (f64, f64) {
    let (x, y) = view.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
    (
        x + f64::from(view.cells.col) * view.cell.width,
        y + f64::from(view.cells.row) * view.cell.height,
    )
}

fn read(photo: &Path) -> Option<Document> {
    let read = sidecar::read(photo).expect("whole at any time")?;
    Some(read.history.now().clone())
}

fn draft(photo: &Path) -> Document {
    read(photo).expect("it is there already")
}

/// Whether the draft's mask answers a box and so many clicks.
fn answered(photo: &Path, clicks: usize) -> Result<(), String> {
    let document = read(photo).ok_or("nothing is saved")?;
    let draft = &document.draft;
    let complete = draft.prompt.rect.is_some() && draft.prompt.clicks.len() == clicks;
    is(
        complete && draft.answered && draft.proposal.is_some(),
        || format!("{:?}, answered: {}", draft.prompt, draft.answered),
    )
}
