//! The program in real terminals: what is on the glass, and what lies beside the image.
//!
//! `cargo test --test real -- --ignored`; `.ci/run` installs what it needs.

mod desk;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::{Desk, Kind};
use image::{Rgb, RgbImage};
use termask::core::document::{Extra, Object, Origin, Verdict};
use termask::core::geometry::{ImageRect, Size};
use termask::core::mask::Mask;
use termask::core::prompt::Prompt;
use termask::store::decode::decode;
use termask::store::settings::class_colour;
use termask::store::sidecar::{self, Sidecar};

/// The drawn photo's colour: nothing else on the screen has it.
const BLUE: [u8; 3] = [40, 90, 160];

#[test]
#[ignore = "needs Xvfb and kitty: .ci/run has them"]
fn show_prints_photo_and_mask_in_kitty() {
    show_prints_photo_and_mask(Kind::Kitty);
}

#[test]
#[ignore = "needs Xvfb and xterm: .ci/run has them"]
fn show_prints_photo_and_mask_in_xterm_with_sixel() {
    show_prints_photo_and_mask(Kind::XtermSixel);
}

/// A quarter of the picture is masked: so much of it has the tint, the rest is the photo's.
fn show_prints_photo_and_mask(kind: Kind) {
    let folder = tempfile::tempdir().expect("a folder");
    let size = Size::new(400, 200);
    let photo = drawn(folder.path(), size);
    save_mask(&photo, ImageRect::new(100, 50, 300, 150));
    let ended = folder.path().join("ended");
    let line = format!(
        "'{}' show '{}'; echo $? >'{}'; cat",
        env!("CARGO_BIN_EXE_termask"),
        photo.display(),
        ended.display()
    );
    let desk = Desk::open(kind, &line, folder.path());
    desk.wait("the end of termask show", |_| {
        fs::read_to_string(&ended)
            .ok()
            .filter(|code| code.trim() == "0")
    });
    let colour = class_colour(0);
    let tint = [0, 1, 2].map(|i| u8::midpoint(BLUE[i], colour[i]));
    let (blue, tinted) = desk.wait("photo and mask on the screen", |desk| {
        let screen = desk.look();
        let seen = (count(&screen, BLUE), count(&screen, tint));
        (seen.0 > 100_000 && seen.1 > 30_000).then_some(seen)
    });
    assert!(
        is_near(*desk.look().get_pixel(4, 8), BLUE),
        "the picture begins in the corner: nothing was printed before it"
    );
    let share = tinted as f64 / (blue + tinted) as f64;
    assert!(
        (0.2..0.27).contains(&share),
        "{share} of the picture is tinted, {blue} and {tinted} pixels"
    );
}

#[test]
#[ignore = "needs Xvfb and kitty: .ci/run has them"]
fn a_box_and_two_clicks_make_an_object_in_kitty() {
    a_box_and_two_clicks_make_an_object(Kind::Kitty);
}

/// As a person would: each key follows what the one before it did, as far as the files tell.
fn a_box_and_two_clicks_make_an_object(kind: Kind) {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("coffee.png");
    fs::copy("assets/coffee.png", &photo).expect("the photo can be copied");
    let ended = folder.path().join("ended");
    let line = format!(
        "'{}' '{}'; echo $? >'{}'; cat",
        env!("CARGO_BIN_EXE_termask"),
        photo.display(),
        ended.display()
    );
    let desk = Desk::open(kind, &line, folder.path());
    desk.wait("the photo", |desk| {
        (bright(&desk.look()) > 300_000).then_some(())
    });
    desk.press(&[
        "H", "H", "K", "K", "b", "L", "L", "L", "L", "J", "J", "J", "b",
    ]);
    desk.wait("a mask for the box", |_| answered(&photo, 0));
    desk.press(&["H", "H", "K", "i"]);
    desk.wait("a mask for the inside click", |_| answered(&photo, 1));
    desk.press(&["J", "J", "H", "H", "H", "o"]);
    desk.wait("a mask for the outside click", |_| answered(&photo, 2));
    desk.press(&["Return"]);
    let mask = desk.wait("the object beside the image", |_| {
        let read = sidecar::read(&photo).expect("whole at any time")?;
        let object = read.history.now().objects.first()?;
        Some(Arc::clone(&object.mask))
    });
    assert!(folder.path().join("coffee.mask.png").is_file());

    // Overlay, outline, off: what then changes on the glass is the mask.
    let with = still(&desk);
    desk.press(&["v", "v"]);
    let expected = mask.area() as f64 / mask.size().area() as f64;
    desk.wait("the mask's tint where the mask is", |desk| {
        let without = desk.look();
        let tinted: u64 = with
            .pixels()
            .zip(without.pixels())
            .map(|(a, b)| u64::from(!is_near(*a, b.0)))
            .sum();
        let share = tinted as f64 / bright(&without) as f64;
        (share > 0.7 * expected && share < 1.5 * expected).then_some(())
    });
    desk.press(&["q"]);
    desk.wait("the end of termask", |_| {
        let code = fs::read_to_string(&ended).ok()?;
        (code.trim() == "0").then_some(())
    });
    desk.wait("a clean terminal", |desk| {
        (bright(&desk.look()) < 5_000).then_some(())
    });
}

/// Whether the draft's mask answers a box and so many clicks.
fn answered(photo: &Path, clicks: usize) -> Option<()> {
    let read = sidecar::read(photo).expect("whole at any time")?;
    let draft = &read.history.now().draft;
    let complete = draft.prompt.rect.is_some() && draft.prompt.clicks.len() == clicks;
    (complete && draft.answered && draft.proposal.is_some()).then_some(())
}

/// The screen once nothing moves on it.
fn still(desk: &Desk) -> RgbImage {
    let mut before = desk.look();
    desk.wait("a still screen", |desk| {
        let now = desk.look();
        let last = std::mem::replace(&mut before, now);
        (last == before).then_some(last)
    })
}

/// Pixels that are neither the terminal's background nor the bare screen.
fn bright(screen: &RgbImage) -> u64 {
    let dark = [[0x10, 0x14, 0x18], [0, 0, 0]];
    let seen = screen
        .pixels()
        .map(|p| u64::from(!dark.iter().any(|d| is_near(*p, *d))));
    seen.sum()
}

/// An image of one colour.
fn drawn(folder: &Path, size: Size) -> PathBuf {
    let path = folder.join("drawn.png");
    RgbImage::from_pixel(size.width, size.height, Rgb(BLUE))
        .save(&path)
        .expect("the image is written");
    path
}

/// Puts one object beside an image.
fn save_mask(image: &Path, rect: ImageRect) {
    let decoded = decode(image).expect("it was drawn");
    let opened = Sidecar::open(image, &decoded).expect("nothing is there yet");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|document| {
        let object = Object {
            id: document.take_id(),
            track: None,
            class: "thing".into(),
            mask: Arc::new(Mask::from_rect(decoded.image.size(), rect)),
            prompt: Prompt::default(),
            origin: Origin::default(),
            confidence: None,
            verdict: Verdict::Unseen,
            comment: String::new(),
            created: 0,
            changed: 0,
            spent: 0,
            extra: Extra::new(),
        };
        document.objects.push(Arc::new(object));
    });
    sidecar.save(&history).expect("it is written");
}

/// Pixels of the screen that have a colour, as far as a palette keeps it.
fn count(screen: &RgbImage, colour: [u8; 3]) -> u64 {
    let seen = screen.pixels().map(|p| u64::from(is_near(*p, colour)));
    seen.sum()
}

fn is_near(pixel: Rgb<u8>, colour: [u8; 3]) -> bool {
    let mut pairs = pixel.0.iter().zip(colour);
    pairs.all(|(a, b)| a.abs_diff(b) <= 10)
}
