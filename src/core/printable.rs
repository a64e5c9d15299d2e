//! Names and texts from outside, made safe to show: a terminal obeys control characters.

use std::fmt::Write;
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

/// JSON without characters that a terminal would obey: JSON escapes only those below 32.
pub fn printable_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() && c != '\n' {
            write!(text, "\\u{:04x}", u32::from(c)).expect("a string takes any text");
        } else {
            text.push(c);
        }
    }
    text
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

    #[test]
    fn json_means_the_same_and_holds_no_control_characters() {
        let value = serde_json::json!({ "a\u{9b}31m": "b\u{1b}\u{7f}\u{85}" });
        let shown = printable_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()),
            "{shown:?}"
        );
        let back: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(back, value);
    }
}
