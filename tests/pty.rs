//! What happens to a terminal, and to a person's work, when things go wrong.

#[expect(dead_code, reason = "the benches use the rest")]
mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use harness::{Terminal, folder};
use pty_process::blocking::Command;
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use termask::core::document::Object;
use termask::core::geometry::ImageRect;
use termask::core::mask::Mask;
use termask::store::decode;
use termask::store::progress::{Progress, progress};
use termask::store::sidecar::Sidecar;

fn open(folder: &Path, size: (u16, u16)) -> Terminal {
    let path = folder.to_str().expect("a plain name");
    Terminal::termask(&["--graphics", "blocks", path], size)
}

fn saved(image: &Path) -> Progress {
    progress(image).expect("readable").expect("saved")
}

#[test]
fn a_click_and_enter_leave_a_mask_beside_the_image_and_a_clean_terminal() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let mut terminal = open(folder.path(), (100, 40));
    // Typed ahead of the picture and of the mask: every key waits for what it is meant for.
    terminal.wait_for("coffee.png");
    terminal.press("i\rq");
    assert!(terminal.end().success());
    assert!(terminal.is_clean());
    assert!(folder.path().join("coffee.mask.png").is_file());
    assert_eq!(saved(&folder.path().join("coffee.png")).objects, 1);
}

#[test]
fn every_way_to_end_leaves_a_clean_terminal_and_the_draft() {
    type Ending = (&'static str, fn(&mut Terminal));
    let endings: [Ending; 4] = [
        ("ctrl-c", |t| t.press("\x03")),
        ("SIGTERM", |t| t.signal(Signal::TERM)),
        ("SIGHUP", |t| t.signal(Signal::HUP)),
        ("SIGINT", |t| t.signal(Signal::INT)),
    ];
    for (name, end) in endings {
        let folder = folder(&["coffee.png"]).expect("a folder");
        let mut terminal = open(folder.path(), (100, 40));
        terminal.wait_for("coffee.png");
        terminal.press("i");
        terminal.wait_for("draft");
        end(&mut terminal);
        terminal.end();
        assert!(terminal.is_clean(), "{name}");
        assert!(saved(&folder.path().join("coffee.png")).has_draft, "{name}");
    }
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_picture_back() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let shell = Command::new("bash")
        .args(["--norc", "--noprofile", "--noediting", "-i"])
        .env("PS1", "ready> ")
        .env("TERMASK", env!("CARGO_BIN_EXE_termask"))
        .current_dir(folder.path());
    let mut terminal = Terminal::start(shell, (100, 40));
    terminal.wait_for("ready>");
    terminal.press("\"$TERMASK\" --graphics blocks .\r");
    terminal.wait_for("0 objects");
    terminal.press("\x1a");
    terminal.wait_for("Stopped");
    assert!(terminal.is_clean());
    terminal.press("stty -a; fg\r");
    terminal.wait("the app", vt100::Screen::alternate_screen);
    terminal.wait_for("0 objects");
    let told = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert!(told.contains("isig icanon"), "{told}");
    terminal.press("i");
    terminal.wait_for("draft");
    terminal.press("q");
    terminal.wait("the prompt", |s| {
        !s.alternate_screen() && s.contents().trim_end().ends_with("ready>")
    });
    terminal.press("exit\r");
    terminal.end();
    assert!(terminal.is_clean());
    assert!(saved(&folder.path().join("coffee.png")).has_draft);
}

#[test]
fn twenty_cells_by_five_are_enough_and_a_resize_during_inference_loses_nothing() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let mut terminal = open(folder.path(), (20, 5));
    terminal.wait_for("coffee");
    terminal.press("i");
    terminal.resize(100, 40);
    terminal.wait_for("draft");
    // The picture fills the new size: cells with a colour of their own down to the status rows.
    terminal.wait("the picture", |screen| {
        let cell = screen.cell(32, 50).expect("inside");
        cell.bgcolor() != vt100::Color::Default && !cell.contents().trim().is_empty()
    });
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(terminal.is_clean());
}

#[test]
fn a_full_disk_is_told_and_saving_resumes_when_there_is_room_again() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let image = folder.path().join("coffee.png");
    // A limit of 0 bytes a file makes every write fail as on a full disk.
    let script = "trap '' XFSZ; exec \"$0\" --graphics blocks \"$1\"";
    let command = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_termask")])
        .arg(folder.path());
    let mut terminal = Terminal::start(command, (100, 40));
    terminal.wait_for("coffee.png");
    terminal.press("i");
    terminal.wait_for("draft");
    terminal.press("\r");
    terminal.wait_for("1 object");
    terminal.wait_for("saved  ? help");
    let before = fs::read(folder.path().join("coffee.termask.json")).expect("saved");

    let limit = |bytes| Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(terminal.pid()), Resource::Fsize, limit(Some(0))).expect("limited");
    terminal.press("LLi");
    terminal.wait_for("NOT SAVED");
    terminal.wait_for("coffee.termask.json");
    let after = fs::read(folder.path().join("coffee.termask.json")).expect("still there");
    assert_eq!(before, after, "what was saved stays whole");

    prlimit(Some(terminal.pid()), Resource::Fsize, limit(None)).expect("room again");
    terminal.press("h");
    terminal.wait_for("saved  ? help");
    assert!(saved(&image).has_draft);
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn a_disk_that_stays_full_is_an_error_at_the_end() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let script = "trap '' XFSZ; exec \"$0\" --graphics blocks \"$1\"";
    let command = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_termask")])
        .arg(folder.path());
    let mut terminal = Terminal::start(command, (100, 40));
    terminal.wait_for("0 objects");
    terminal.press("i");
    terminal.wait_for("draft");
    terminal.wait_for("saved  ? help");
    let none = Rlimit {
        current: Some(0),
        maximum: None,
    };
    prlimit(Some(terminal.pid()), Resource::Fsize, none).expect("limited");
    terminal.press("LLo");
    terminal.wait_for("NOT SAVED");
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(2));
    assert!(terminal.is_clean());
    let told = terminal.text();
    assert!(told.contains("the last changes are not saved"), "{told}");
}

#[test]
fn a_folder_that_may_not_be_written_is_shown_read_only_and_left_as_it_is() {
    let folder = folder(&["coffee.png"]).expect("a folder");
    let program = folder.path().join("termask");
    fs::copy(env!("CARGO_BIN_EXE_termask"), &program).expect("copied");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
    };
    mode(folder.path(), 0o555);
    // No permission stops root: there the program runs as nobody.
    let command = if rustix::process::geteuid().is_root() {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Command::new("setpriv").args(nobody).arg(&program)
    } else {
        Command::new(&program)
    };
    let command = command
        .args(["--graphics", "blocks"])
        .arg(folder.path().join("coffee.png"))
        .env("XDG_CACHE_HOME", std::env::temp_dir())
        .env("HOME", folder.path());
    let mut terminal = Terminal::start(command, (100, 40));
    terminal.wait_for("read-only");
    terminal.press("i");
    terminal.wait_for("cannot be written");
    terminal.press("q");
    assert!(terminal.end().success());
    mode(folder.path(), 0o755);
    let files = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(files, 2, "the photo and the program");
}

#[test]
fn an_image_that_vanishes_while_it_is_open_keeps_its_work_and_the_others_go_on() {
    let folder = folder(&["chelsea.png", "coffee.png"]).expect("a folder");
    let image = folder.path().join("chelsea.png");
    let mut terminal = open(folder.path(), (100, 40));
    terminal.wait_for("0 objects");
    fs::remove_file(&image).expect("removed");
    terminal.press("i");
    terminal.wait_for("draft");
    terminal.press("\rn");
    terminal.wait_for("coffee.png");
    terminal.press("q");
    assert!(terminal.end().success());
    assert_eq!(saved(&image).objects, 1);
}

#[test]
fn a_folder_without_images_is_told() {
    let folder = folder(&[]).expect("a folder");
    let mut terminal = open(folder.path(), (100, 40));
    terminal.wait_for("no image");
    terminal.press("q");
    terminal.end();
    assert!(terminal.is_clean());
}

#[test]
fn two_thousand_objects_are_reviewed_by_one_key_each_and_every_verdict_is_on_the_disk() {
    const IMAGES: u32 = 20;
    const OBJECTS: u64 = 100;
    let folder = folder(&[]).expect("a folder");
    let images: Vec<_> = (0..IMAGES)
        .map(|i| folder.path().join(format!("{i:02}.png")))
        .collect();
    for image in &images {
        let (w, h) = (200, 200);
        image::RgbImage::from_fn(w, h, |x, y| image::Rgb([x as u8, y as u8, 90]))
            .save(image)
            .expect("written");
        with_objects(image, OBJECTS);
    }
    let log = folder.path().join("verdicts.jsonl");
    let path = folder.path().to_str().expect("a plain name");
    let log_name = log.to_str().expect("a plain name");
    let words = ["review", "--graphics", "blocks", "--jsonl", log_name, path];
    let mut terminal = Terminal::termask(&words, (80, 24));
    terminal.wait_for("selected 1/100");
    // One in ten is rejected; nobody waits for the next picture.
    let keys: String = (0..OBJECTS * u64::from(IMAGES))
        .map(|i| if i % 10 == 9 { 'x' } else { 'a' })
        .collect();
    terminal.press(&keys);
    terminal.wait_for("every object has its verdict");
    terminal.press("q");
    assert!(terminal.end().success());
    let all: Vec<_> = images.iter().map(|i| saved(i)).collect();
    let accepted: u64 = all.iter().map(|p| p.accepted as u64).sum();
    let rejected: u64 = all.iter().map(|p| p.rejected as u64).sum();
    assert_eq!((accepted, rejected), (1800, 200));
    let lines = fs::read_to_string(&log).expect("the log");
    assert_eq!(lines.lines().count(), 2000);
}

#[test]
fn a_review_takes_its_paths_from_stdin_and_its_keys_from_the_terminal() {
    let folder = folder(&["chelsea.png", "coffee.png"]).expect("a folder");
    let image = folder.path().join("coffee.png");
    with_objects(&image, 1);
    let script = "echo \"$1\" | \"$0\" review --graphics blocks -";
    let command = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_termask")])
        .arg(&image);
    let mut terminal = Terminal::start(command, (100, 40));
    terminal.wait_for("selected 1/1");
    terminal.press("aq");
    assert!(terminal.end().success());
    assert_eq!(saved(&image).accepted, 1);
}

/// Writes a sidecar with so many small objects.
fn with_objects(image: &Path, count: u64) {
    let decoded = decode::decode(image).expect("a picture");
    let size = decoded.image.size();
    let opened = Sidecar::open(image, &decoded).expect("opened");
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|d| {
        for i in 0..count {
            let (x, y) = ((i % 10) as u32 * 20 + 2, (i / 10) as u32 * 20 + 2);
            let rect = ImageRect::new(x, y, x + 14, y + 14);
            let id = d.take_id();
            d.objects.push(Arc::new(Object {
                confidence: Some(0.5),
                ..Object::new(id, "cell", Mask::from_rect(size, rect), 1)
            }));
        }
    });
    sidecar.save(&history).expect("saved");
}
