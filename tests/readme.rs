//! The README says what the program does, not what it did once.

use std::fs;

use termask::ui::keymap;

const START: &str = "<!-- keys: from src/ui/keymap/table.rs -->\n";
const END: &str = "<!-- end of keys -->\n";

/// `TERMASK_WRITE_README=1 cargo test --test readme` writes the table anew.
#[test]
fn the_key_table_is_the_programs_own() {
    let text = fs::read_to_string("README.md").expect("there");
    let (before, rest) = text.split_once(START).expect("the keys begin");
    let (table, after) = rest.split_once(END).expect("the keys end");
    let expected = keymap::markdown();
    if std::env::var_os("TERMASK_WRITE_README").is_some() {
        let text = [before, START, &expected, "\n", END, after].concat();
        fs::write("README.md", text).expect("written");
        return;
    }
    assert_eq!(
        table.trim(),
        expected.trim(),
        "run `TERMASK_WRITE_README=1 cargo test --test readme`"
    );
}

#[test]
fn every_subcommand_is_named() {
    let text = fs::read_to_string("README.md").expect("there");
    for command in termask::cli::command().get_subcommands() {
        let name = format!("termask {}", command.get_name());
        assert!(text.contains(&name), "the README tells of `{name}`");
    }
}
