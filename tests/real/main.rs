//! The program in real terminals: what is on the glass, and what lies beside the image.
//!
//! `cargo test --test real -- --ignored`; `.ci/run` installs what it needs. Pictures of what was
//! seen lie in `target/tmp`.

mod app;
mod desk;
#[path = "../drawing/mod.rs"]
mod drawing;
mod glass;
mod moves;
mod references;
mod terminals;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::Desk;
use glass::is_near;
use image::{Rgb, RgbImage};
use termask::core::document::Object;
use termask::core::geometry::{ImageRect, Size};
use termask::core::mask::Mask;
use termask::store::decode::decode;
use termask::store::settings::class_colour;
use termask::store::sidecar::Sidecar;
use terminals::{Row, Terminal, Way};

/// The drawn photo's colour: nothing else on the screen has it.
const BLUE: [u8; 3] = [40, 90, 160];

/// The terminals in which a person makes an object: a test for each.
macro_rules! table {
    ($($name:ident: $terminal:ident, $way:ident, $graphics:expr;)*) => {$(
        #[test]
        #[ignore = "needs real terminals: .ci/run has them"]
        fn $name() {
            let row = Row {
                name: stringify!($name),
                terminal: Terminal::$terminal,
                way: Way::$way,
                graphics: $graphics,
            };
            if let Some(why) = terminals::missing(row.terminal) {
                return println!("skipped: {why}");
            }
            app::makes_an_object(row);
        }
    )*};
}

table! {
    kitty: Kitty, Direct, None;
    kitty_over_ssh: Kitty, Ssh, None;
    kitty_over_ssh_in_tmux: Kitty, SshTmux, None;
    next_kitty_in_tmux: NextKitty, Tmux, None;
    next_kitty_over_ssh_in_tmux: NextKitty, SshTmux, None;
    kitty_with_blocks: Kitty, Direct, Some("blocks");
    xterm_with_sixel: Xterm, Direct, None;
    xterm_in_tmux: Xterm, Tmux, None;
    xterm_over_ssh_in_tmux: Xterm, SshTmux, None;
    foot_with_blocks: Foot, Direct, Some("blocks");
    foot_with_sixel: Foot, Direct, None;
    foot_in_tmux: Foot, Tmux, None;
    foot_over_ssh_in_tmux: Foot, SshTmux, None;
    xterm_js_with_sixel: XtermJs, Direct, None;
    xterm_js_with_iterm_images: XtermJs, Direct, Some("iterm");
    xterm_js_in_tmux: XtermJs, Tmux, None;
    xterm_js_in_tmux_with_iterm_images: XtermJs, Tmux, Some("iterm");
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn characters_show_one_picture_in_tmux_as_in_kitty_before_relative_placements() {
    in_characters("one_picture_in_characters", "kitty(0.30.1)");
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn characters_show_many_pictures_in_tmux_as_in_ghostty() {
    in_characters("pictures_in_characters", "ghostty 1.2.0");
}

/// The next kitty, taken for another terminal: what that shows, it shows too.
fn in_characters(name: &'static str, taken_for: &str) {
    let row = Row {
        name,
        terminal: Terminal::NextKitty,
        way: Way::Tmux,
        graphics: None,
    };
    if let Some(why) = terminals::missing(row.terminal) {
        return println!("skipped: {why}");
    }
    app::makes_an_object_in(row, taken_for);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn show_prints_photo_and_mask_in_kitty() {
    show_prints_photo_and_mask("show_in_kitty", Terminal::Kitty);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn show_prints_photo_and_mask_in_xterm_with_sixel() {
    show_prints_photo_and_mask("show_in_xterm", Terminal::Xterm);
}

/// A quarter of the picture is masked: so much of it has the tint, the rest is the photo's.
fn show_prints_photo_and_mask(name: &'static str, terminal: Terminal) {
    let folder = tempfile::tempdir().expect("a folder");
    let size = Size::new(400, 200);
    let photo = drawn(folder.path(), size);
    save_mask(&photo, ImageRect::new(100, 50, 300, 150));
    let row = Row {
        name,
        terminal,
        way: Way::Direct,
        graphics: None,
    };
    let line = format!(
        "'{}' show '{}'",
        env!("CARGO_BIN_EXE_termask"),
        photo.display()
    );
    let desk = Desk::open(row, &line, folder.path());
    desk.wait_for_end();
    let colour = class_colour(0);
    let tint = [0, 1, 2].map(|i| u8::midpoint(BLUE[i], colour[i]));
    let (blue, tinted) = desk.wait("photo and mask on the screen", |desk| {
        let screen = desk.look();
        let seen = (count(&screen, BLUE), count(&screen, tint));
        (seen.0 > 100_000 && seen.1 > 30_000)
            .then_some(seen)
            .ok_or_else(|| format!("{seen:?} pixels"))
    });
    assert!(
        is_near(*desk.look().get_pixel(4, 8), BLUE, 10),
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
        let object = Object::new(
            document.take_id(),
            "thing",
            Mask::from_rect(decoded.image.size(), rect),
            0,
        );
        document.objects.push(Arc::new(object));
    });
    sidecar.save(&history).expect("it is written");
}

/// Pixels of the screen that have a colour, as far as a palette keeps it.
fn count(screen: &RgbImage, colour: [u8; 3]) -> u64 {
    let seen = screen.pixels().map(|p| u64::from(is_near(*p, colour, 10)));
    seen.sum()
}
