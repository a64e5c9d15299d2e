//! The real program in a pseudo-terminal, and an emulator that reads what it draws.

use std::io::{self, Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a test waits for what must come; it is long because machines are busy, and nothing
/// waits this long unless the test fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// After this long without a byte, what a key caused is over.
const QUIET: Duration = Duration::from_millis(400);

/// The program, or a shell, in a terminal of its own.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    /// The settings of a person who has none: what is switched in one run must not reach another.
    _settings: TempDir,
    output: Receiver<Vec<u8>>,
    emulator: vt100::Parser,
    /// Every byte that came.
    pub bytes: Vec<u8>,
}

/// Kitty's answers to the program's questions, in cells of 10x20 pixels.
fn kitty(bytes: &[u8]) -> Vec<u8> {
    let told = String::from_utf8_lossy(bytes);
    let mut answers = "\x1b[0n".repeat(told.matches("\x1b[5n").count());
    if told.contains("\x1b[c") {
        answers += "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.41.1)\x1b\\\x1b[6;20;10t\x1b[?62;52;c";
    }
    answers.into_bytes()
}

impl Terminal {
    /// Starts termask with `arguments` in a terminal of `cols` x `rows` cells of 10x20 pixels.
    pub fn termask(arguments: &[&str], size: (u16, u16)) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_termask")).args(arguments);
        Self::start(command, size)
    }

    /// The same in a terminal that answers as kitty does.
    pub fn termask_in_kitty(arguments: &[&str], size: (u16, u16)) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_termask")).args(arguments);
        Self::answering(command, size, kitty)
    }

    pub fn start(command: Command, size: (u16, u16)) -> Self {
        Self::answering(command, size, |_| Vec::new())
    }

    /// `answer` gives what the terminal says to what it is sent.
    fn answering(
        command: Command,
        (cols, rows): (u16, u16),
        answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(pixels(cols, rows)).expect("sized");
        let settings = tempfile::tempdir().expect("a folder");
        let command = command
            .env("XDG_CONFIG_HOME", settings.path())
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .env_remove("TMUX")
            .env_remove("NO_COLOR");
        let child = command.spawn(pts).expect("started");
        let pty = Arc::new(pty);
        let (sender, output) = mpsc::channel();
        let reader = Arc::clone(&pty);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            // The end of a pseudo-terminal is an error (EIO), not a length of 0.
            while let Ok(length) = (&*reader).read(&mut buffer) {
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
                if (&*reader).write_all(&answer(&buffer[..length])).is_err() {
                    return;
                }
            }
        });
        Self {
            pty,
            child,
            _settings: settings,
            output,
            emulator: vt100::Parser::new(cells(rows), cells(cols), 0),
            bytes: Vec::new(),
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the program runs");
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.emulator
            .screen_mut()
            .set_size(cells(rows), cells(cols));
        self.pty.resize(pixels(cols, rows)).expect("sized");
    }

    /// Sends keys as a terminal sends them.
    pub fn press(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("written");
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// Reads what comes until then.
    pub fn listen(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(bytes) = self.output.recv_timeout(end - Instant::now().min(end)) {
            self.take(&bytes);
        }
    }

    /// Reads until the screen is as it should be.
    #[track_caller]
    pub fn wait(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self.screen()) {
            match self.output.recv_timeout(end - Instant::now().min(end)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{what} did not come; the screen:\n{}", self.text())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not come, the program ended:\n{}", self.text())
                }
            }
        }
    }

    /// Reads until this text is on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Reads until the screen and the bytes since the last key are as they should be.
    #[track_caller]
    pub fn wait_both(&mut self, what: &str, is_so: impl Fn(&vt100::Screen, &[u8]) -> bool) {
        while !is_so(self.emulator.screen(), &self.bytes) {
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else {
                panic!("{what} did not come; the screen:\n{}", self.text());
            };
            self.take(&bytes);
        }
    }

    /// Reads until nothing has come for a moment.
    pub fn settle(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(QUIET) {
            self.take(&bytes);
        }
    }

    /// Presses keys; returns the time until their answer is there, and how many bytes came in all.
    pub fn measure(
        &mut self,
        keys: &str,
        is_so: impl Fn(&vt100::Screen, &[u8]) -> bool,
    ) -> (Duration, usize) {
        self.bytes.clear();
        let start = Instant::now();
        self.press(keys);
        self.wait_both("the answer", is_so);
        let time = start.elapsed();
        self.settle();
        (time, self.bytes.len())
    }

    /// Reads to the end of the program.
    pub fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(end - Instant::now().min(end)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program did not end; the screen:\n{}", self.text())
                }
            }
        }
        self.child.wait().expect("a child")
    }

    /// Whether a shell could go on here: main screen, cursor, no mouse, no paste marks.
    pub fn is_clean(&self) -> bool {
        let screen = self.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    fn take(&mut self, bytes: &[u8]) {
        self.emulator.process(bytes);
        self.bytes.extend_from_slice(bytes);
        // The question for the terminal's kind ends the program's probe.
        if bytes.windows(3).any(|w| w == b"\x1b[c") {
            self.press("\x1b[?62;22c");
        }
        // The question how far it has come, which a line is measured by.
        let asked = bytes.windows(4).filter(|w| *w == b"\x1b[5n").count();
        self.press(&"\x1b[0n".repeat(asked));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves no program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}

fn pixels(cols: u16, rows: u16) -> Size {
    Size::new_with_pixel(rows, cols, 10 * cols, 20 * rows)
}

/// A folder with copies of the repository's photos.
pub fn folder(photos: &[&str]) -> io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for photo in photos {
        std::fs::copy(Path::new("assets").join(photo), folder.path().join(photo))?;
    }
    Ok(folder)
}
