//! A screen of its own (Xvfb) with one real terminal on it, keys and mouse for it, and pictures of
//! it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use image::RgbImage;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::glass::Glass;
use crate::terminals::{self, Row, Terminal};

/// How long anything may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often a condition is looked at.
const PACE: Duration = Duration::from_millis(50);

/// A process with all that it started; ends with them.
pub struct Group(Child);

impl Group {
    /// Starts a command in a process group of its own; what it says goes to a file.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = fs::File::create(log).expect("a log");
        let started = command
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a second handle"))
            .process_group(0)
            .spawn();
        started.map_or_else(|e| panic!("{command:?} does not start: {e}"), Self)
    }
}

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
    terminal: Group,
    _far: Option<Group>,
    _screen: Group,
    display: String,
    folder: TempDir,
    row: Row,
    window: String,
}

impl Drop for Desk {
    fn drop(&mut self) {
        // tmux's server outlives its terminal; where there is none this says so, and does nothing.
        let _ = Command::new("tmux")
            .arg("-S")
            .arg(terminals::tmux_socket(self.folder.path()))
            .arg("kill-server")
            .stderr(Stdio::null())
            .status();
    }
}

impl Desk {
    /// Runs a shell line in a real terminal of 100x40 cells, and waits for its window.
    pub fn open(row: Row, line: &str, place: &Path) -> Self {
        Self::open_on((1280, 1000), row, line, place)
    }

    /// The same on a screen of so many pixels.
    pub fn open_on(pixels: (u32, u32), row: Row, line: &str, place: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the desk");
        let (screen, display) = screen(pixels, folder.path());
        let (mut command, far) = terminals::command(row, line, place, folder.path());
        command.current_dir(place);
        let terminal = start(&mut command, &display, folder.path());
        let mut desk = Self {
            terminal,
            _far: far,
            _screen: screen,
            display,
            folder,
            row,
            window: String::new(),
        };
        desk.find_window();
        desk
    }

    fn find_window(&mut self) {
        let [by, what] = terminals::search(self.row);
        self.window = self.wait("the terminal's window", |desk| {
            let found = desk.xdotool(&["search", "--onlyvisible", by, what]);
            let window = found.lines().last().map(str::to_string);
            window.ok_or_else(|| "there is none".into())
        });
        let window = self.window.clone();
        self.xdotool(&["windowmove", &window, "0", "0"]);
        self.xdotool(&["windowfocus", "--sync", &window]);
    }

    /// Gives tmux an order.
    pub fn tmux(&self, words: &[&str]) {
        let socket = terminals::tmux_socket(self.folder.path());
        let done = Command::new("tmux")
            .arg("-S")
            .arg(socket)
            .args(words)
            .status();
        assert!(done.is_ok_and(|s| s.success()), "tmux {words:?}");
    }

    /// The text of a window of tmux, shown or not.
    pub fn tmux_text(&self, window: &str) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(terminals::tmux_socket(self.folder.path()))
            .args(["capture-pane", "-p", "-t", window])
            .output()
            .expect("tmux is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends the terminal, and shows the session of tmux in another one.
    pub fn attach(&mut self, terminal: Terminal) {
        self.tmux(&["detach-client"]);
        self.wait("no window", |desk| {
            let [by, what] = terminals::search(desk.row);
            let found = desk.xdotool(&["search", "--onlyvisible", by, what]);
            found.is_empty().then_some(()).ok_or(found)
        });
        let folder = self.folder.path();
        let script = terminals::attach(folder);
        let mut command = terminals::terminal(terminal, &script, folder);
        self.terminal = start(&mut command, &self.display, folder);
        self.row.terminal = terminal;
        self.find_window();
    }

    /// Waits until the line has ended well.
    pub fn wait_for_end(&self) {
        self.wait("a good end", |desk| {
            let code = fs::read_to_string(terminals::ended(desk.folder.path()));
            let code = code.map_err(|_| "it runs".to_string())?;
            (code == "0\n").then_some(()).ok_or(code)
        });
    }

    /// The terminal's size in cells and pixels when the line began.
    pub fn glass(&self) -> Glass {
        self.wait("the terminal's size", |desk| {
            let told = fs::read_to_string(terminals::size(desk.folder.path()));
            let told = told.map_err(|e| e.to_string())?;
            let numbers: Vec<u16> = told.split_whitespace().flat_map(str::parse).collect();
            let [rows, cols, width, height] = numbers[..] else {
                return Err(told);
            };
            Ok(Glass::new((cols, rows), (width, height)))
        })
    }

    /// Presses keys by their X names, one after the other.
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.xdotool(&["key", "--delay", "20", "--", key]);
        }
    }

    /// Presses the left button at pixels of the screen.
    pub fn click(&self, x: f64, y: f64) {
        let (beside, x, y) = (
            format!("{:.0}", x - 3.0),
            format!("{x:.0}"),
            format!("{y:.0}"),
        );
        // weston knows of a pointer that has come into its window, not of one that was always there.
        self.xdotool(&["mousemove", "1270", "990"]);
        // This move only brings it in: weston takes no place from it.
        self.xdotool(&["mousemove", "--sync", &beside, &y]);
        self.xdotool(&["mousemove", "--sync", &x, &y, "click", "1"]);
    }

    /// Clicks at pixels of the screen until that has done something: on a busy machine weston loses a
    /// pointer's first moves, and then the click is somewhere else.
    pub fn click_until(
        &self,
        what: &str,
        (x, y): (f64, f64),
        mut ready: impl FnMut(&Self) -> Result<(), String>,
    ) {
        let mut next = Instant::now();
        self.wait(what, |desk| {
            let seen = ready(desk);
            if seen.is_err() && Instant::now() >= next {
                desk.click(x, y);
                next = Instant::now() + PATIENCE / 9;
            }
            seen
        });
    }

    /// Gives the terminal's window another size.
    pub fn resize(&self, width: u32, height: u32) {
        let (width, height) = (width.to_string(), height.to_string());
        self.xdotool(&["windowsize", &self.window, &width, &height]);
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

    /// Keeps a picture of the screen for a person to look at.
    pub fn keep(&self, name: &str) -> PathBuf {
        let file = format!("{}-{name}.png", self.row.name);
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        self.look().save(&kept).expect("the picture is written");
        kept
    }

    /// Waits until `ready` has an answer; without one in time the screen is kept for a look, and
    /// what was seen last is told.
    pub fn wait<T>(&self, what: &str, mut ready: impl FnMut(&Self) -> Result<T, String>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = match ready(self) {
                Ok(answer) => return answer,
                Err(seen) => seen,
            };
            if Instant::now() > end {
                let log = fs::read_to_string(self.folder.path().join("terminal.log"));
                panic!(
                    "{}: waited in vain for {what}: {seen}; the screen is in {}; the terminal said: {}",
                    self.row.name,
                    self.keep("failed").display(),
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

/// Starts a terminal on a display.
fn start(command: &mut Command, display: &str, folder: &Path) -> Group {
    command
        .env("DISPLAY", display)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("LC_ALL", "C.UTF-8")
        .env("COLORTERM", "truecolor")
        .env("XDG_RUNTIME_DIR", folder)
        .stdout(Stdio::null());
    for foreign in ["WAYLAND_DISPLAY", "TMUX", "TERM_PROGRAM", "SSH_CONNECTION"] {
        command.env_remove(foreign);
    }
    Group::start(command, &folder.join("terminal.log"))
}

/// Starts an X server on a free display; it says on stdout which one, once it is ready.
fn screen((width, height): (u32, u32), folder: &Path) -> (Group, String) {
    let pixels = format!("{width}x{height}x24");
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-screen", "0", &pixels])
        .args(["-nolisten", "tcp", "-noreset", "+extension", "GLX"])
        .stdout(Stdio::piped());
    let mut server = Group::start(&mut command, &folder.join("screen.log"));
    let stdout = server.0.stdout.take().expect("it was piped");
    let mut number = String::new();
    BufReader::new(stdout)
        .read_line(&mut number)
        .expect("Xvfb tells its display");
    (server, format!(":{}", number.trim()))
}
