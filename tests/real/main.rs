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
use termask::store::sidecar::Sidecar;

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
