//! How far the terminal behind tmux has come. tmux answers status reports itself, at once, and
//! holds whatever its own terminal does not take yet; so the terminal is asked for the place of its
//! cursor. To tmux that answer is a key that nobody presses, Ctrl+Alt+Shift+F3, and it is told to
//! hand that to this pane, whichever pane is in use and whatever was pressed before.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tmux::tell;

/// Asks for the cursor's place, which is the eighth column of the first row.
pub const QUESTION: &[u8] = b"\x1bPtmux;\x1b\x1b[1;8H\x1b\x1b[6n\x1b\\";
pub const ANSWER: &[u8] = b"\x1b[1;8R";
/// The answer, to tmux.
const KEY: &str = "C-M-S-F3";

static IS_BROUGHT: AtomicBool = AtomicBool::new(false);

/// Has tmux bring the answers here; false where that cannot be, or the person uses the key. Of
/// several panes the one that asked last gets them.
pub fn bring() -> bool {
    let Ok(pane) = env::var("TMUX_PANE") else {
        return false;
    };
    let own = send(&pane);
    let is_free = |table| bound(table).is_none_or(|command| is_ours(&command));
    if !is_free("root") || !is_free("prefix") {
        return false;
    }
    // After the prefix the next key is still the person's.
    let prefixed = format!("{own} ; switch-client -T prefix");
    let is_brought = tell(&["bind-key", "-T", "root", KEY, &own]).is_some()
        && tell(&["bind-key", "-T", "prefix", KEY, &prefixed]).is_some();
    IS_BROUGHT.fetch_or(is_brought, Ordering::SeqCst);
    is_brought
}

/// Whether the answers come to a pane: to this one, or to that of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearer {
    Here,
    Elsewhere,
    Nobody,
}

/// Who gets the answers now.
pub fn hearer() -> Hearer {
    let own = env::var("TMUX_PANE").map(|pane| send(&pane));
    match (bound("root"), own) {
        (Some(command), Ok(own)) if command.replace('"', "").contains(&own) => Hearer::Here,
        (Some(_), _) => Hearer::Elsewhere,
        (None, _) => Hearer::Nobody,
    }
}

/// Leaves tmux's keys as they were; those that another pane has taken meanwhile are its own.
pub fn leave() {
    if !IS_BROUGHT.swap(false, Ordering::SeqCst) {
        return;
    }
    let own = env::var("TMUX_PANE").map(|pane| send(&pane));
    for table in ["root", "prefix"] {
        let is_own = bound(table).zip(own.as_ref().ok());
        if is_own.is_some_and(|(command, own)| command.replace('"', "").contains(own)) {
            tell(&["unbind-key", "-T", table, KEY]);
        }
    }
}

fn send(pane: &str) -> String {
    format!("send-keys -t {pane} {KEY}")
}

/// What tmux has the key do.
fn bound(table: &str) -> Option<String> {
    tell(&["list-keys", "-T", table, KEY]).filter(|told| !told.trim().is_empty())
}

fn is_ours(command: &str) -> bool {
    command.contains("send-keys -t") && command.matches(KEY).count() == 2
}
