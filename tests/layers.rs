//! Who may import whom.

use std::fs;
use std::path::Path;

const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("core", &["core"]),
    ("segment", &["core", "segment"]),
    ("store", &["core", "store"]),
    ("term", &["core", "term"]),
    ("ui", &["core", "segment", "store", "term", "ui"]),
    ("cli", &["core", "segment", "store", "term", "ui", "cli"]),
];

#[test]
fn imports_point_inwards() {
    for (layer, allowed) in MAY_IMPORT {
        visit(&Path::new("src").join(layer), &mut |file, text| {
            assert!(
                !text.contains("crate::{"),
                "{}: write one `use crate::layer::…` a line",
                file.display()
            );
            for path in text.split("crate::").skip(1) {
                let end = path
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(path.len());
                assert!(
                    allowed.contains(&&path[..end]),
                    "{} imports {}",
                    file.display(),
                    &path[..end]
                );
            }
        });
    }
}

#[test]
fn core_does_no_input_or_output() {
    visit(Path::new("src/core"), &mut |file, text| {
        for word in ["std::fs", "std::io", "std::thread", "std::env", "std::time"] {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    });
}

#[test]
fn only_app_and_workers_of_the_ui_touch_threads_files_and_stdout() {
    visit(Path::new("src/ui"), &mut |file, text| {
        let is_worker = file.starts_with("src/ui/workers");
        if !is_worker && !file.ends_with("app.rs") {
            for word in ["std::thread", "std::fs", "std::io", "println!"] {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    });
}

fn visit(dir: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).expect("the layer has a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|e| e == "rs") {
            look(&path, &fs::read_to_string(&path).expect("UTF-8"));
        }
    }
}
