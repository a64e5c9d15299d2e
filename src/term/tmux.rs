//! Through tmux to the terminal it runs in: tmux passes on what is wrapped, if it is allowed to.

use std::env;
use std::process::{Command, Stdio};

/// What tmux says of itself and of the terminal it is shown in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tmux {
    /// Its version, as `3.3a`.
    pub version: String,
    /// The outer terminal's name and version, as it told tmux: `kitty(0.35.2)`.
    pub terminal: String,
    pub passage: Passage,
    /// The number of the pane this process runs in, below [`PANES`].
    pub pane: u8,
    /// Whether another pane is in use, which gets what the terminal answers.
    pub is_unused: bool,
}

/// Panes that are told apart.
pub const PANES: u8 = 50;

/// Whether tmux passes pictures on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passage {
    Open,
    Closed,
    /// Nobody could be asked: tmux runs on another machine.
    #[default]
    Unknown,
}

impl Tmux {
    /// A tmux that cannot be asked: it runs on another machine, or in another container.
    pub fn elsewhere() -> Self {
        Self {
            // Programs in several of its panes are told apart by chance alone.
            pane: (std::process::id() % u32::from(PANES)) as u8,
            ..Self::default()
        }
    }

    /// Whether it answered, as it will when it is asked for the place of a pane.
    pub const fn is_near(&self) -> bool {
        !self.version.is_empty()
    }

    /// Asks the tmux this process runs in; `None` outside of tmux.
    pub fn ask() -> Option<Self> {
        env::var_os("TMUX")?;
        let pane = env::var("TMUX_PANE").unwrap_or_default();
        let told = tell(&[
            "display-message",
            "-p",
            "-t",
            &pane,
            "#{version}\t#{window_active}#{pane_active}\t#{client_termtype}",
        ])
        .unwrap_or_default();
        let mut told = told.trim().splitn(3, '\t').map(str::trim);
        let [version, used, terminal] = [(); 3].map(|()| told.next().unwrap_or_default());
        let passage = tell(&["show-options", "-Apv", "-t", &pane, "allow-passthrough"]);
        let passage = match passage.as_deref().map(str::trim) {
            Some("on" | "all") => Passage::Open,
            // Before 3.3 everything was passed on, and there was no such option.
            None | Some("") => Passage::Unknown,
            Some(_) => Passage::Closed,
        };
        Some(Self {
            version: version.into(),
            terminal: terminal.into(),
            passage,
            pane: number(&pane),
            is_unused: used.contains('0'),
        })
    }
}

/// A pane's number from its name, as `%12`.
fn number(pane: &str) -> u8 {
    let number: u64 = pane.trim_start_matches('%').parse().unwrap_or(0);
    (number % u64::from(PANES)) as u8
}

/// Where the pane lies on the outer terminal: the column and row of its first cell, and whether it
/// is on the screen at all. `None` where tmux cannot be asked.
pub fn place() -> Option<(u16, u16)> {
    let pane = env::var("TMUX_PANE").ok()?;
    let told = tell(&[
        "display-message",
        "-p",
        "-t",
        &pane,
        "#{pane_left} #{pane_top} #{status} #{status-position} #{window_active}",
    ])?;
    let words: Vec<&str> = told.split_whitespace().collect();
    let [left, top, status, position, "1"] = words.as_slice() else {
        return None;
    };
    // `status` is off, on, or a number of rows.
    let rows = match *status {
        "off" => 0,
        "on" => 1,
        rows => rows.parse().ok()?,
    };
    let above = if *position == "top" { rows } else { 0 };
    Some((left.parse().ok()?, top.parse::<u16>().ok()? + above))
}

/// Who shows the pane, and where it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// The processes of tmux that terminals are attached with.
    pub clients: Vec<String>,
    /// `None` where something else is shown: another window, or what a person reads back there.
    pub place: Option<String>,
    /// Its columns and rows.
    pub size: String,
    /// Whether what the terminal answers gets to the pane.
    pub is_listening: bool,
    /// Whether one terminal shows the pane, and its text as it is now: then what the terminal
    /// tells of its cursor gets there, too, when another pane of the window is in use.
    pub is_heard: bool,
}

/// `None` where tmux cannot be asked, or is on another machine.
pub fn whereabouts() -> Option<Whereabouts> {
    env::var_os("TMUX")?;
    let pane = env::var("TMUX_PANE").ok()?;
    let clients = ["list-clients", "-t", &pane, "-F", "#{client_pid}", ";"];
    let place = "#{pane_active} #{pane_in_mode} #{window_active} #{pane_width}x#{pane_height} \
                 #{pane_left} #{pane_top} #{status} #{window_zoomed_flag}";
    let place = ["display-message", "-p", "-t", &pane, place];
    let told = tell(&[&clients[..], &place[..]].concat())?;
    let mut lines: Vec<String> = told.lines().map(str::to_string).collect();
    let last = lines.pop()?;
    let words: Vec<&str> = last.splitn(5, ' ').collect();
    let [active, mode, shown, size, place] = words[..] else {
        return None;
    };
    let is_live = shown == "1" && mode == "0";
    Some(Whereabouts {
        is_listening: is_live && active == "1",
        is_heard: is_live && lines.len() == 1,
        clients: lines,
        place: is_live.then(|| place.to_string()),
        size: size.into(),
    })
}

/// Has tmux draw all that it knows of anew, in each terminal that shows the pane.
pub fn redraw() {
    let pane = env::var("TMUX_PANE").unwrap_or_default();
    let clients = tell(&["list-clients", "-t", &pane, "-F", "#{client_name}"]);
    for client in clients.unwrap_or_default().lines() {
        // One that has gone meanwhile needs nothing.
        tell(&["refresh-client", "-t", client]);
    }
}

pub(super) fn tell(words: &[&str]) -> Option<String> {
    let output = Command::new("tmux")
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

const PASSAGE: &[u8] = b"\x1bPtmux;";

/// Whether tmux passes on what begins so.
pub fn is_wrapped(bytes: &[u8]) -> bool {
    bytes.starts_with(PASSAGE)
}

/// Wraps bytes so that tmux passes them on to the terminal it is shown in.
pub fn wrap(bytes: &[u8]) -> Vec<u8> {
    let mut out = PASSAGE.to_vec();
    for byte in bytes {
        if *byte == 0x1b {
            out.push(0x1b);
        }
        out.push(*byte);
    }
    out.extend_from_slice(b"\x1b\\");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_is_doubled_in_the_wrap() {
        assert_eq!(wrap(b"\x1b[c"), b"\x1bPtmux;\x1b\x1b[c\x1b\\");
    }
}
