//! A screen of its own (Xvfb) with one real terminal on it, keys for it, and pictures of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use image::RgbImage;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// How long anything may take on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a condition is looked at.
const PACE: Duration = Duration::from_millis(50);

/// A terminal that shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Kitty,
    XtermSixel,
}

/// A process with all that it started; ends with them.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.0.id() as i32) {
            // It may have ended on its own.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// A screen with a terminal that runs one command line. Everything ends when it is dropped.
pub struct Desk {
    // Dropped in this order: the terminal before the screen it is on.
    _terminal: Group,
    _screen: Group,
    display: String,
    folder: TempDir,
    window: String,
}

impl Desk {
    /// Runs a shell line in a real terminal of 100x40 cells, and waits for its window.
    pub fn open(kind: Kind, line: &str, place: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the desk");
        let (screen, display) = screen(folder.path());
        let script = folder.path().join("run.sh");
        fs::write(&script, line).expect("the script is written");
        let log = fs::File::create(folder.path().join("terminal.log")).expect("a log");
        let terminal = terminal(kind, &script, folder.path())
            .current_dir(place)
            .env("DISPLAY", &display)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("TMUX")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_or_else(|e| panic!("{kind:?} does not start: {e}"), Group);
        let mut desk = Self {
            _terminal: terminal,
            _screen: screen,
            display,
            folder,
            window: String::new(),
        };
        desk.window = desk.wait("the terminal's window", |desk| {
            let found = desk.xdotool(&["search", "--onlyvisible", "--name", "^desk$"]);
            found.lines().last().map(str::to_string)
        });
        let window = desk.window.clone();
        desk.xdotool(&["windowmove", &window, "0", "0"]);
        desk.xdotool(&["windowfocus", "--sync", &window]);
        desk
    }

    /// Presses keys by their X names, one after the other.
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.xdotool(&["key", "--delay", "20", "--", key]);
        }
    }

    /// The screen as a person would see it now.
    pub fn look(&self) -> RgbImage {
        let file = self.folder.path().join("look.png");
        let taken = Command::new("import")
            .args(["-window", "root"])
            .arg(&file)
            .env("DISPLAY", &self.display)
            .status();
        assert!(
            taken.is_ok_and(|s| s.success()),
            "no picture of the screen: is imagemagick there?"
        );
        image::open(&file).expect("a PNG").into_rgb8()
    }

    /// Waits until `ready` has an answer; without one in time the screen is kept for a look.
    pub fn wait<T>(&self, what: &str, mut ready: impl FnMut(&Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ready(self) {
                return answer;
            }
            if Instant::now() > end {
                let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("desk.png");
                let _ = self.look().save(&kept);
                let log = fs::read_to_string(self.folder.path().join("terminal.log"));
                panic!(
                    "waited in vain for {what}; the screen is in {}; the terminal said: {}",
                    kept.display(),
                    log.unwrap_or_default()
                );
            }
            thread::sleep(PACE);
        }
    }

    fn xdotool(&self, words: &[&str]) -> String {
        let output = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.display)
            .output()
            .expect("xdotool is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Starts an X server on a free display; it says on stdout which one, once it is ready.
fn screen(folder: &Path) -> (Group, String) {
    let log = fs::File::create(folder.join("screen.log")).expect("a log");
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x1000x24"])
        .args(["-nolisten", "tcp", "-noreset", "+extension", "GLX"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .spawn()
        .expect("Xvfb is installed");
    let stdout = server.stdout.take().expect("it was piped");
    let server = Group(server);
    let mut number = String::new();
    BufReader::new(stdout)
        .read_line(&mut number)
        .expect("Xvfb tells its display");
    (server, format!(":{}", number.trim()))
}

fn terminal(kind: Kind, script: &Path, folder: &Path) -> Command {
    match kind {
        Kind::Kitty => {
            let settings = folder.join("kitty.conf");
            fs::write(&settings, KITTY).expect("the settings are written");
            let mut command = Command::new("kitty");
            command.args(["--title", "desk", "--config"]).arg(settings);
            command.arg("sh").arg(script);
            command
        }
        Kind::XtermSixel => {
            let mut command = Command::new("xterm");
            for resource in XTERM {
                command.args(["-xrm", resource]);
            }
            command
                .args(["-ti", "vt340", "-fa", "DejaVu Sans Mono", "-fs", "12"])
                .args([
                    "-bg",
                    "#101418",
                    "-fg",
                    "#d0d0d0",
                    "-geometry",
                    "100x40+0+0",
                ])
                .args(["-T", "desk", "-e", "sh"])
                .arg(script);
            command
        }
    }
}

const KITTY: &str = "\
font_family DejaVu Sans Mono
font_size 12
remember_window_size no
initial_window_width 100c
initial_window_height 40c
window_padding_width 0
placement_strategy top-left
background #101418
cursor_blink_interval 0
enable_audio_bell no
update_check_interval 0
confirm_os_window_close 0
linux_display_server x11
sync_to_monitor no
";

/// A vt340 has 16 colours by itself; and the program asks for the window's size in pixels.
const XTERM: [&str; 8] = [
    "XTerm*decTerminalID: 340",
    "XTerm*numColorRegisters: 1024",
    "XTerm*maxGraphicSize: 4000x4000",
    "XTerm*privateColorRegisters: true",
    "XTerm*disallowedWindowOps: 1,2,3,4,5,6,7,8,9,11,13,19,20,21,GetSelection,SetSelection,SetWinLines,SetXprop",
    "XTerm*internalBorder: 0",
    "XTerm*scrollBar: false",
    "XTerm*utf8: 2",
];
