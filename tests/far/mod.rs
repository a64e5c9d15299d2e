//! The program, or tmux with the program in it, at the near end of a slow line; at the far end a
//! terminal with kitty's protocol. The line carries so many bytes a second, queues all that is
//! written, as ssh does, and takes its time in both directions.

use std::io::{Read, Write};
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use tempfile::TempDir;

/// Bytes a second.
pub const RATE: f64 = 32_000.0;
/// One way.
const DELAY: Duration = Duration::from_millis(100);
/// Bytes that arrive together.
const PACKET: usize = 512;
/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_mins(2);
/// The line counts as idle when nothing came for so long.
const QUIET: Duration = Duration::from_secs(3);

/// Pictures from this number on are photos; those before it are masks and marks.
const PHOTOS: u32 = 17;
/// The number before the first of a program in tmux's first pane.
const PANE: u32 = 1000;

const TMUX: &str = "\
set -g allow-passthrough on
set -g default-terminal tmux-256color
set -g status off
set -g escape-time 10
";

/// What the program runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Nothing,
    /// A shell that reads a line when the program has ended, and says `got-` with it.
    Shell,
    Tmux,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A photo is placed.
    Photo,
    /// A line of the crosshair or of a box is placed.
    Mark,
    /// The data of a mask have come.
    Mask,
}

impl Sign {
    /// Whether one of kitty's commands is it.
    fn is(self, command: &str, within: Within) -> bool {
        let keys = command.split(';').next().unwrap_or_default();
        let value = |key: &str| {
            keys.split(',').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                (name == key).then_some(value)
            })
        };
        let id = value("i").and_then(|i| i.parse::<u32>().ok());
        let id = match within {
            Within::Nothing | Within::Shell => id,
            Within::Tmux => id
                .and_then(|id| id.checked_sub(PANE))
                .filter(|id| *id < 100),
        };
        let is_photo = id.map(|id| id >= PHOTOS);
        match (self, value("a")) {
            (Self::Photo, Some("p" | "T")) => is_photo == Some(true),
            (Self::Mark, Some("p")) | (Self::Mask, Some("t" | "T" | "f")) => {
                is_photo == Some(false)
            }
            _ => false,
        }
    }
}

/// The far end: sees what has arrived, and answers questions.
pub struct Terminal {
    within: Within,
    arrived: Receiver<(Instant, Vec<u8>)>,
    keys: Sender<(Instant, Vec<u8>)>,
    /// Bytes that wait for the line, at most.
    most_queued: Arc<AtomicUsize>,
    /// What arrived and was not looked for yet.
    seen: Vec<u8>,
    /// How much of it was searched for questions.
    asked: usize,
    /// Bytes that have come in all, and when the last ones did.
    pub received: usize,
    pub last: Instant,
    folder: TempDir,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // tmux's server outlives its terminal; where there is none this says so, and does nothing.
        let _ = self.tmux(&["kill-server"]);
    }
}

impl Terminal {
    pub fn start(photo: &Path, within: Within) -> Self {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(Size::new_with_pixel(40, 100, 1000, 800))
            .expect("sized");
        let folder = tempfile::tempdir().expect("a folder");
        let program = env!("CARGO_BIN_EXE_termask");
        let command = match within {
            Within::Nothing => Command::new(program).arg(photo).env("TERM", "xterm-kitty"),
            Within::Shell => {
                let line = "\"$0\" \"$1\"; read -r line; echo \"got-$line\"";
                let command = Command::new("sh").args(["-c", line, program]).arg(photo);
                command.env("TERM", "xterm-kitty")
            }
            Within::Tmux => {
                let settings = folder.path().join("conf");
                std::fs::write(&settings, TMUX).expect("written");
                let command = Command::new("tmux").args(["-u", "-f"]).arg(settings);
                let command = command.arg("-S").arg(folder.path().join("socket"));
                let line = format!("'{program}' '{}'", photo.display());
                let command = command.args(["new-session", &line]);
                command.env("TERM", "xterm-256color")
            }
        };
        let child = command
            .env("XDG_CONFIG_HOME", folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .spawn(pts)
            .expect("started");
        let pty = Arc::new(pty);
        let (link, arrived) = mpsc::channel();
        let (reader, writer) = (Arc::clone(&pty), pty);
        let most_queued = Arc::new(AtomicUsize::new(0));
        let queued = Arc::clone(&most_queued);
        thread::spawn(move || {
            // Keeps the child until its terminal ends.
            let _child = child;
            carry(&reader, &link, &queued);
        });
        let (keys, due) = mpsc::channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            for (at, bytes) in due {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                if (&*writer).write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        Self {
            within,
            arrived,
            keys,
            most_queued,
            seen: Vec::new(),
            asked: 0,
            received: 0,
            last: Instant::now(),
            folder,
        }
    }

    /// What tmux says to an order.
    pub fn tmux(&self, words: &[&str]) -> String {
        let output = process::Command::new("tmux")
            .arg("-S")
            .arg(self.folder.path().join("socket"))
            .args(words)
            .output();
        let said = output.map(|o| o.stdout).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// The most bytes that waited for the line since this was asked last.
    pub fn take_most_queued(&self) -> usize {
        self.most_queued.swap(0, Ordering::SeqCst)
    }

    pub fn press(&self, keys: &str) -> Instant {
        let now = Instant::now();
        self.send(keys.as_bytes());
        now
    }

    fn send(&self, bytes: &[u8]) {
        // The program may have ended, which is seen where its output ends.
        let _ = self.keys.send((Instant::now() + DELAY, bytes.to_vec()));
    }

    /// When the next bytes arrived; none where nothing came in time.
    fn take(&mut self, patience: Duration) -> Option<Instant> {
        match self.arrived.recv_timeout(patience) {
            Ok((at, bytes)) => {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                self.received += bytes.len();
                self.seen.extend(bytes);
                self.last = at;
                self.answer();
                Some(at)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the program ended"),
        }
    }

    /// When a sign has arrived, counted from the last one that was waited for.
    pub fn wait_for(&mut self, sign: Sign) -> Instant {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Some(start) = find(&self.seen, b"\x1b_G")
                && let Some(length) = find(&self.seen[start..], b"\x1b\\")
            {
                let command = String::from_utf8_lossy(&self.seen[start + 3..start + length]);
                let is_it = sign.is(&command, self.within);
                self.forget(start + length);
                if is_it {
                    return self.last;
                }
            }
            let waited = self.take(end.saturating_duration_since(Instant::now()));
            assert!(waited.is_some(), "{sign:?} did not come");
        }
    }

    /// Waits until these bytes have arrived.
    pub fn wait_for_text(&mut self, text: &str) {
        while find(&self.seen, text.as_bytes()).is_none() {
            assert!(self.take(PATIENCE).is_some(), "{text} did not come");
        }
        self.forget_seen();
    }

    /// Takes what comes until it is so many bytes in all.
    pub fn wait_for_bytes(&mut self, received: usize) {
        while self.received < received {
            assert!(self.take(PATIENCE).is_some(), "{} came", self.received);
            self.forget(self.seen.len());
        }
    }

    /// Drops what was looked at.
    pub fn forget_seen(&mut self) {
        self.forget(self.seen.len());
    }

    fn forget(&mut self, bytes: usize) {
        self.seen.drain(..bytes);
        self.asked = self.asked.saturating_sub(bytes);
    }

    pub fn wait_until_quiet(&mut self) {
        while self.take(QUIET).is_some() {}
        self.forget(self.seen.len());
    }

    /// Answers as kitty does.
    fn answer(&mut self) {
        let name: &[u8] = match self.within {
            Within::Nothing | Within::Shell => b"\x1bP>|kitty(0.26.5)\x1b\\",
            Within::Tmux => b"\x1bP>|kitty(0.41.1)\x1b\\",
        };
        let questions: [(&[u8], &[u8]); 10] = [
            (b"a=q", b"\x1b_Gi=31;OK\x1b\\"),
            (b"\x1b[>0q", name),
            (b"\x1b[>q", name),
            (b"P=9302,", b"\x1b_Gi=9301,p=1;ENOPARENT:none\x1b\\"),
            (b",q=0\x1b\\", b"\x1b_Gi=1301,p=1;OK\x1b\\"),
            (b"\x1b[16t", b"\x1b[6;20;10t"),
            (b"\x1b[14t", b"\x1b[4;800;1000t"),
            (b"\x1b[5n", b"\x1b[0n"),
            (b"\x1b[1;8H\x1b[6n", b"\x1b[1;8R"),
            (b"\x1b[c", b"\x1b[?62;c"),
        ];
        // In the order in which they were asked; the end may be the beginning of a question.
        while self.asked < self.seen.len() {
            let rest = &self.seen[self.asked..];
            if questions
                .iter()
                .any(|(q, _)| q.len() > rest.len() && q.starts_with(rest))
            {
                return;
            }
            let question = questions.iter().find(|(q, _)| rest.starts_with(q));
            if let Some((_, answer)) = question {
                self.send(answer);
            }
            self.asked += question.map_or(1, |(q, _)| q.len());
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

/// Takes all that the program writes, and tells when each packet has arrived at the other end.
fn carry(mut pty: &Pty, link: &Sender<(Instant, Vec<u8>)>, most_queued: &AtomicUsize) {
    let mut free = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    // The end of a pseudo-terminal is an error, not a length of 0.
    while let Ok(length) = pty.read(&mut buffer) {
        for packet in buffer[..length].chunks(PACKET) {
            let time = Duration::from_secs_f64(packet.len() as f64 / RATE);
            let now = Instant::now();
            free = free.max(now) + time;
            let queued = (free - now).as_secs_f64() * RATE;
            most_queued.fetch_max(queued as usize, Ordering::SeqCst);
            if link.send((free + DELAY, packet.to_vec())).is_err() {
                return;
            }
        }
    }
}
