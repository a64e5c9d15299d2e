//! How the app feels on a slow line: 256 kbit/s with a round trip of 200 ms, real time.
//!
//! `cargo bench --bench line`. The program runs in a pseudo-terminal; between it and a terminal with
//! kitty's protocol lies a line that carries so many bytes a second, queues all that is written, as
//! ssh does, and takes its time in both directions.

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

/// Bytes a second.
const RATE: f64 = 32_000.0;
/// One way.
const DELAY: Duration = Duration::from_millis(100);
/// Bytes that arrive together.
const PACKET: usize = 512;
/// Nothing that is measured takes longer.
const PATIENCE: Duration = Duration::from_mins(2);
/// The line counts as idle when nothing came for so long.
const QUIET: Duration = Duration::from_secs(3);
const STEPS: usize = 12;

/// Pictures from this number on are photos; those before it are masks and marks.
const PHOTOS: u32 = 17;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A photo is placed.
    Photo,
    /// A line of the crosshair or of a box is placed.
    Mark,
    /// The data of a mask have come.
    Mask,
}

impl Sign {
    /// Whether one of kitty's commands is it.
    fn is(self, command: &str) -> bool {
        let keys = command.split(';').next().unwrap_or_default();
        let value = |key: &str| {
            keys.split(',').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                (name == key).then_some(value)
            })
        };
        let is_photo = value("i")
            .and_then(|i| i.parse::<u32>().ok())
            .map(|i| i >= PHOTOS);
        match (self, value("a")) {
            (Self::Photo, Some("p" | "T")) => is_photo == Some(true),
            (Self::Mark, Some("p")) | (Self::Mask, Some("t" | "T" | "f")) => {
                is_photo == Some(false)
            }
            _ => false,
        }
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("rocket.jpg");
    fs::copy("assets/rocket.jpg", &photo).expect("the photo can be copied");
    let mut terminal = Terminal::start(&photo.display().to_string());
    let start = Instant::now();
    let first = terminal.wait_for(Sign::Photo) - start;
    println!("256 kbit/s, a round trip of 200 ms; milliseconds");
    println!();
    println!("| | median | longest |\n|---|---:|---:|");
    println!("| start to first picture | {} | |", first.as_millis());
    row("cursor step while the photo gets sharper", terminal.steps());
    terminal.wait_until_quiet();
    println!(
        "| start to the sharp picture ({} bytes in all) | {} | |",
        terminal.received,
        (terminal.last - start).as_millis()
    );
    row("cursor step on the idle line", terminal.steps());
    terminal.press("HHKKb");
    terminal.wait_until_quiet();
    let pressed = terminal.press("LLLLJJJb");
    let mask = terminal.wait_for(Sign::Mask) - pressed;
    println!(
        "| box to mask, the engine's time included | {} | |",
        mask.as_millis()
    );
    terminal.press("q");
}

fn row(what: &str, mut times: Vec<Duration>) {
    times.sort();
    println!(
        "| {what} | {} | {} |",
        times[times.len() / 2].as_millis(),
        times[times.len() - 1].as_millis()
    );
}

/// The far end: sees what has arrived, and answers questions.
struct Terminal {
    arrived: Receiver<(Instant, Vec<u8>)>,
    keys: Sender<(Instant, Vec<u8>)>,
    /// What arrived and was not looked for yet.
    seen: Vec<u8>,
    /// How much of it was searched for questions.
    asked: usize,
    received: usize,
    last: Instant,
}

impl Terminal {
    fn start(photo: &str) -> Self {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(Size::new_with_pixel(40, 100, 1000, 800))
            .expect("sized");
        let child = Command::new(env!("CARGO_BIN_EXE_termask"))
            .arg(photo)
            .env("TERM", "xterm-kitty")
            .env_remove("TMUX")
            .spawn(pts)
            .expect("started");
        let pty = Arc::new(pty);
        let (link, arrived) = mpsc::channel();
        let (reader, writer) = (Arc::clone(&pty), pty);
        thread::spawn(move || {
            // Keeps the child until its terminal ends.
            let _child = child;
            carry(&reader, &link);
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
            arrived,
            keys,
            seen: Vec::new(),
            asked: 0,
            received: 0,
            last: Instant::now(),
        }
    }

    fn press(&self, keys: &str) -> Instant {
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
    fn wait_for(&mut self, sign: Sign) -> Instant {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Some(start) = find(&self.seen, b"\x1b_G")
                && let Some(length) = find(&self.seen[start..], b"\x1b\\")
            {
                let command = String::from_utf8_lossy(&self.seen[start + 3..start + length]);
                let is_it = sign.is(&command);
                self.forget(start + length);
                if is_it {
                    return self.last;
                }
            }
            let waited = self.take(end.saturating_duration_since(Instant::now()));
            assert!(waited.is_some(), "{sign:?} did not come");
        }
    }

    /// Drops what was looked at.
    fn forget(&mut self, bytes: usize) {
        self.seen.drain(..bytes);
        self.asked = self.asked.saturating_sub(bytes);
    }

    fn wait_until_quiet(&mut self) {
        while self.take(QUIET).is_some() {}
        self.forget(self.seen.len());
    }

    /// How long the crosshair takes to follow keys.
    fn steps(&mut self) -> Vec<Duration> {
        let step = |i: usize| {
            self.forget(self.seen.len());
            let pressed = self.press(if i.is_multiple_of(2) { "l" } else { "h" });
            self.wait_for(Sign::Mark) - pressed
        };
        (0..STEPS).map(step).collect()
    }

    /// Answers as kitty does.
    fn answer(&mut self) {
        let questions: [(&[u8], &[u8]); 6] = [
            (b"a=q", b"\x1b_Gi=31;OK\x1b\\"),
            (b"\x1b[>0q", b"\x1bP>|kitty(0.26.5)\x1b\\"),
            (b"\x1b[16t", b"\x1b[6;20;10t"),
            (b"\x1b[14t", b"\x1b[4;800;1000t"),
            (b"\x1b[5n", b"\x1b[0n"),
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
fn carry(mut pty: &Pty, link: &Sender<(Instant, Vec<u8>)>) {
    let mut free = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    // The end of a pseudo-terminal is an error, not a length of 0.
    while let Ok(length) = pty.read(&mut buffer) {
        for packet in buffer[..length].chunks(PACKET) {
            let time = Duration::from_secs_f64(packet.len() as f64 / RATE);
            free = free.max(Instant::now()) + time;
            if link.send((free + DELAY, packet.to_vec())).is_err() {
                return;
            }
        }
    }
}
