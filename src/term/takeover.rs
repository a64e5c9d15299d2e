//! Takes the terminal over from the shell, and gives it back on every way out.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags,
    PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, terminal};

use super::echo;

static TAKEN_OVER: AtomicBool = AtomicBool::new(false);
/// What deletes the pictures on leaving: inside tmux it has to be wrapped.
static FAREWELL: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Raw mode, the other screen, and what the app listens to. `farewell` is written on leaving.
pub fn take_over(farewell: Vec<u8>) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    part_with(farewell);
    TAKEN_OVER.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste,
        EnableFocusChange,
        PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES),
        cursor::Hide
    )
}

/// What is written on leaving from now on.
pub fn part_with(farewell: Vec<u8>) {
    *FAREWELL.lock().unwrap_or_else(PoisonError::into_inner) = farewell;
}

/// Gives the terminal back as it was; harmless where it was not taken over. For panics and exits.
pub fn restore() {
    if !TAKEN_OVER.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let farewell = FAREWELL.lock().unwrap_or_else(PoisonError::into_inner);
    // First the end of a picture that was cut off.
    let words = [b"\x1b\\", farewell.as_slice(), b"\x1b[?2026l"];
    let _ = out.write_all(&words.concat());
    let _ = execute!(
        out,
        PopKeyboardEnhancementFlags,
        DisableFocusChange,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
    echo::leave();
}

/// A panic anywhere leaves a clean terminal and its message below.
pub fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Workers' panics are caught and told; only the main thread's end the app.
            if thread::current().name() == Some("main") {
                restore();
                before(info);
            }
        }));
    });
}
