//! Asks the terminal what it can do, in one round trip: the kitty query, its name, the size of a
//! cell, its background, and its attributes as the end mark, which every terminal answers. Inside tmux the terminal
//! behind it is asked as well, through the passage that tmux opens for pictures.

use std::env;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::terminal;

use super::background;
use super::echo::{self, Hearer};
use super::gauge::Question;
use super::input;
use super::report::{Piece, Splitter};
use super::tmux::{self, Passage, Tmux, wrap};
use super::{Report, Result};

pub use super::choice::{Answers, Surroundings, conclude};

/// How long an answer is waited for: a far line takes some hundred milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(1);

const KITTY: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
const QUERY: &str = "\x1b[>0q\x1b[16t\x1b[14t\x1b[c";
/// Places a clear pixel relative to a picture that is not there: who knows such placements says so,
/// others place it, and it goes at once.
const PARENT: &str = "\x1b_Ga=t,i=9301,f=32,s=1,v=1,q=2;AAAAAA==\x1b\\\
    \x1b_Ga=p,i=9301,p=1,P=9302,Q=1,C=1\x1b\\\x1b_Ga=d,d=I,i=9301,q=2\x1b\\";
/// tmux keeps the answers to the name and the attributes: sixel shows in the number of colours.
const THROUGH: &str = "\x1b[?1;1;0S\x1b[14t\x1b[16t";

/// An answer that takes longer than this many seconds comes from afar: then the line is measured
/// before the first picture.
const FAR: f64 = 0.02;

/// What was learnt, and what the person typed meanwhile.
#[derive(Debug)]
pub struct Probed {
    pub report: Report,
    pub answers: Answers,
    pub typed: Vec<u8>,
    /// Whether another pane of tmux was in use meanwhile.
    pub is_unused: bool,
}

/// Asks; in raw mode only while it waits.
pub fn probe() -> Result<Report> {
    terminal::enable_raw_mode()?;
    let asked = ask();
    echo::leave();
    terminal::disable_raw_mode()?;
    Ok(asked?.report)
}

/// Asks a terminal that is in raw mode.
pub fn ask() -> Result<Probed> {
    let mut asking = Asking::default();
    let around = Surroundings::now();
    let tmux = Tmux::ask();
    // tmux would show a kitty query as the title of its window.
    let is_tmux = tmux.is_some() || env::var("TERM").is_ok_and(|t| t.starts_with("tmux"));
    let kitty = if is_tmux { "" } else { KITTY };
    let query = [kitty, background::QUERY, QUERY].concat();
    let start = Instant::now();
    let plain = asking.question(query.as_bytes(), |a| {
        a.starts_with(b"\x1b[?") && a.ends_with(b"c")
    })?;
    let answered = !plain.is_empty();
    let round_trip = answered.then(|| start.elapsed().as_secs_f64());
    let is_tmux = is_tmux || find(&plain, "\x1bP>|tmux");
    let tmux = tmux.or_else(|| is_tmux.then(Tmux::elsewhere));
    let is_open = tmux.as_ref().is_some_and(|t| t.passage != Passage::Closed);
    let behind = if is_open {
        asking.question(&through(), is_last_through)?
    } else {
        Vec::new()
    };
    let is_unused = |tmux: &Option<Tmux>| tmux.as_ref().is_some_and(|t| t.is_unused);
    let was_unused = is_unused(&tmux);
    // A tmux that was just started knows its terminal's name only now: that answer came first.
    let tmux = tmux.map(|asked| Tmux::ask().unwrap_or(asked));
    let is_unused = was_unused || is_unused(&tmux);
    let answers = Answers {
        plain,
        through: behind,
        round_trip,
    };
    let around = Surroundings { tmux, ..around };
    let mut report = conclude(&answers, &around);
    let is_behind = !answers.through.is_empty() && tmux::whereabouts().is_some_and(|w| w.is_heard);
    let is_shared = is_behind && echo::hearer() == Hearer::Elsewhere;
    if is_behind && echo::bring() {
        if is_shared {
            // What another pane has asked for comes here now, until it notices.
            asking.question(b"", |_| false)?;
        }
        let mut took = time(&mut asking, Question::Echo, 0)?;
        if took.is_none() {
            // tmux drops what comes just before it redraws all, as it does when it has begun.
            took = time(&mut asking, Question::Echo, 0)?;
        }
        match took {
            Some(seconds) => {
                report.question = Question::Echo;
                report.round_trip = Some(seconds);
            }
            None => echo::leave(),
        }
    }
    if report.round_trip.is_some_and(|seconds| seconds > FAR) {
        report.rate = measure(&mut asking, report.question)?;
    }
    Ok(Probed {
        report,
        answers,
        typed: asking.typed(),
        is_unused,
    })
}

/// What asks the terminal behind tmux.
pub fn through() -> Vec<u8> {
    [KITTY, PARENT, THROUGH]
        .iter()
        .flat_map(|question| wrap(question.as_bytes()))
        .collect()
}

/// Whether no answer follows this one from behind tmux.
pub fn is_last_through(answer: &[u8]) -> bool {
    answer.starts_with(b"\x1b[6;") && answer.ends_with(b"t")
}

fn find(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|w| w == words.as_bytes())
}

/// Bytes that carry nothing, to see how fast the line takes them.
const PADDING: usize = 4 << 10;
/// Seconds that a terminal takes for them by itself, at most.
const OWN: f64 = 0.02;

/// Bytes a second that the line carries, from how much longer a long question takes than a short
/// one. `None` where the terminal does not answer, or is too near to tell.
fn measure(asking: &mut Asking, question: Question) -> Result<Option<f64>> {
    let short = time(asking, question, 0)?;
    let long = time(asking, question, PADDING)?;
    let took = long.zip(short).map(|(long, short)| long - short);
    Ok(took.filter(|t| *t > OWN).map(|t| PADDING as f64 / t))
}

/// Seconds until a question is answered behind so many bytes; `None` where it is not.
fn time(asking: &mut Asking, question: Question, padding: usize) -> Result<Option<f64>> {
    let start = Instant::now();
    let mut bytes = b"\x1b[0m".repeat(padding / 4);
    if question == Question::Echo {
        bytes = wrap(&bytes);
    }
    bytes.extend_from_slice(question.words());
    let mut is_answered = false;
    asking.question(&bytes, |answer| {
        is_answered |= Question::of(answer) == Some(question);
        is_answered
    })?;
    Ok(is_answered.then(|| start.elapsed().as_secs_f64()))
}

/// Questions, with what was typed in between.
#[derive(Debug, Default)]
struct Asking {
    splitter: Splitter,
    typed: Vec<u8>,
}

impl Asking {
    /// The answers up to the last one, or what came of them in time.
    fn question(
        &mut self,
        query: &[u8],
        mut is_last: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<u8>> {
        let mut out = io::stdout();
        out.write_all(query)?;
        out.flush()?;
        let stdin = io::stdin();
        let mut answers = Vec::new();
        let start = Instant::now();
        let mut chunk = [0; 1024];
        loop {
            let Some(left) = PATIENCE.checked_sub(start.elapsed()) else {
                return Ok(answers);
            };
            if !input::wait(&stdin, Some(left))? {
                return Ok(answers);
            }
            let count = rustix::io::read(stdin.as_fd(), &mut chunk).map_err(io::Error::from)?;
            if count == 0 {
                return Ok(answers);
            }
            let mut is_over = false;
            for piece in self.splitter.push(&chunk[..count]) {
                match piece {
                    Piece::Typed(bytes) => self.typed.extend(bytes),
                    Piece::Answer(answer) => {
                        is_over |= is_last(&answer);
                        answers.extend(answer);
                    }
                }
            }
            if is_over {
                return Ok(answers);
            }
        }
    }

    fn typed(mut self) -> Vec<u8> {
        self.typed.extend(self.splitter.flush());
        self.typed
    }
}
