//! Names and texts from outside, made safe to show: a terminal obeys control characters.

use std::path::Path;

/// A path without characters that a terminal would obey.
pub fn printable(path: &Path) -> String {
    printable_text(&path.to_string_lossy())
}

/// A text without characters that a terminal would obey.
pub fn printable_text(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_newlines_in_names_are_not_printed() {
        let shown = printable(Path::new("a\x1b]0;x\x07\nb\u{9b}31m.png"));
        assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
        assert!(shown.starts_with('a') && shown.ends_with("31m.png"));
    }
}
