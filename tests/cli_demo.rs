//! `termask demo` without a terminal, and `termask doctor`.

mod support;

use std::fs;

use serde_json::Value;
use support::{stderr, stdout, termask};
use termask::store::sidecar;

#[test]
fn the_demo_segments_its_photos_and_leaves_a_persons_work_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("demo");
    let run = || {
        termask(folder.path())
            .args(["demo", "--dir"])
            .arg(&dir)
            .output()
            .expect("it runs")
    };
    let output = run();
    assert!(output.status.success(), "{}", stderr(&output));
    let told = stdout(&output);
    for name in ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"] {
        assert!(told.contains(name), "{told}");
        let read = sidecar::read(&dir.join(name)).expect("readable");
        let objects = read
            .expect("a sidecar is there")
            .history
            .now()
            .objects
            .len();
        assert!(objects > 0, "{name}");
        let mask = dir.join(name).with_extension("mask.png");
        assert!(mask.is_file(), "{}", mask.display());
    }
    assert!(told.contains('▄'), "a picture is printed");

    let files = || {
        let mut files: Vec<_> = fs::read_dir(&dir)
            .expect("there")
            .map(|e| e.expect("readable").path())
            .map(|p| (fs::read(&p).expect("readable"), p))
            .collect();
        files.sort();
        files
    };
    let before = files();
    assert!(run().status.success());
    assert!(files() == before, "the second run changes nothing");

    fs::write(dir.join("coffee.png"), "mine").expect("written");
    let output = run();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("coffee.png"));
    assert_eq!(fs::read(dir.join("coffee.png")).expect("there"), b"mine");
}

#[test]
fn the_doctor_names_runtime_model_and_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = termask(folder.path())
        .args(["doctor", "--json"])
        .output()
        .expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["terminal"]["present"], false);
    assert_eq!(told["model"]["name"], "click");
    assert_eq!(told["cache"]["writable"], true);
    assert!(told["runtime"]["device"].is_string(), "{told}");
}

#[test]
fn the_doctor_finds_a_library_that_is_none_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = termask(folder.path())
        .env("ORT_DYLIB_PATH", folder.path().join("nosuch.so"))
        .arg("doctor")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1), "a finding");
    assert!(stdout(&output).contains("unset"), "{}", stdout(&output));
}

#[test]
fn completions_and_help_name_the_subcommands() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in [&["completions", "fish"][..], &["--help"]] {
        let output = termask(folder.path())
            .args(words)
            .output()
            .expect("it runs");
        assert!(output.status.success());
        for name in ["segment", "show", "demo", "doctor"] {
            assert!(stdout(&output).contains(name), "{words:?} names {name}");
        }
    }
}
