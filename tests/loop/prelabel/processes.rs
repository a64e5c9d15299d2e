//! `termask prelabel` in several processes, and after some that were killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use termask::store::replace::LEFTOVER;

use super::{document, folder, prelabel, ran};

/// All files beside the images, locks too, but for the times in them.
fn beside(home: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(home.join("images")).expect("readable");
    let mut files = BTreeMap::new();
    for path in entries.map(|e| e.expect("readable").path()) {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        // A kill in the midst of writing may leave a file of no name; `check --fix` removes it.
        if name.starts_with(LEFTOVER.0) {
            continue;
        }
        let bytes = fs::read(&path).expect("readable");
        if !name.ends_with(".termask.json") {
            files.insert(name, bytes);
            continue;
        }
        let mut sidecar: Value = serde_json::from_slice(&bytes).expect("JSON");
        forget_times(&mut sidecar);
        files.insert(name, sidecar.to_string().into_bytes());
    }
    files
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name == "created_ms" || name == "changed_ms" {
                    *value = Value::Null;
                } else {
                    forget_times(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        _ => {}
    }
}

#[test]
fn three_processes_killed_and_resumed_give_what_one_gives() {
    let (one, three) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    for home in [&one, &three] {
        folder(home.path(), 45);
    }
    let (told, code) = ran(&mut prelabel(one.path(), &[]));
    assert_eq!((&told["objects"], code), (&45.into(), Some(0)), "{told}");

    let shards = ["1/3", "2/3", "3/3"];
    let start = |shard: &&str| {
        let mut command = prelabel(three.path(), &["--shard", shard]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("it runs")
    };
    let mut running: Vec<_> = shards.iter().map(start).collect();
    let mut killed = 0;
    for child in &mut running {
        // The first line comes after a tenth of the images.
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("readable");
        assert!(line.contains("of 15 images"), "{line}");
        child.kill().expect("killed");
        let ended = child.wait().expect("ended");
        killed += u32::from(ended.code().is_none());
    }
    assert!(killed > 0, "all were done before they could be killed");
    let mut left = beside(three.path());
    left.retain(|name, _| name.ends_with(".termask.lock"));
    let mut resumed = 0;
    for shard in shards {
        let (told, code) = ran(&mut prelabel(three.path(), &["--shard", shard, "--resume"]));
        assert_eq!(code, Some(0), "{told}");
        assert!(told["earlier"].as_u64().is_some_and(|n| n > 0), "{told}");
        resumed += told["asked"].as_u64().expect("a number");
    }
    assert!(resumed > 0, "something was left");
    let (expected, mut found) = (beside(one.path()), beside(three.path()));
    // The lock of an image that was done when its process was killed stays; nobody holds it.
    found.retain(|name, _| !left.contains_key(name));
    assert!(expected.keys().eq(found.keys()), "{:?}", found.keys());
    for (name, bytes) in &expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&found[name]), text(bytes), "{name}");
    }
}

#[test]
fn resume_writes_the_mask_that_a_killed_run_had_not_come_to() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 3);
    ran(&mut prelabel(home.path(), &[]));
    let whole = beside(home.path());
    // The sidecar comes first: a kill in between leaves it alone.
    fs::remove_file(home.path().join("images/001.mask.png")).expect("it was written");
    let (told, code) = ran(&mut prelabel(home.path(), &["--resume"]));
    assert_eq!((&told["earlier"], code), (&3.into(), Some(0)), "{told}");
    assert!(
        beside(home.path()) == whole,
        "the mask is back, and no more"
    );
}

/// SLURM sends SIGTERM before the time limit.
#[test]
fn a_signal_ends_it_between_two_images_and_resume_does_the_rest() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 40);
    let mut command = prelabel(home.path(), &[]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("readable");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    let output = child.wait_with_output().expect("ended");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&told["stopped"], output.status.code()),
        (&true.into(), Some(1)),
        "{told}"
    );
    let names: Vec<String> = beside(home.path()).into_keys().collect();
    assert!(!names.iter().any(|n| n.contains("lock")), "{names:?}");
    let before = told["objects"].as_u64().expect("a number");
    let (told, code) = ran(&mut prelabel(home.path(), &["--resume"]));
    let after = told["objects"].as_u64().expect("a number");
    assert_eq!(
        (before + after, &told["earlier"], code),
        (40, &before.into(), Some(0))
    );
}

#[test]
fn three_processes_without_shards_share_the_work_and_add_nothing_twice() {
    let home = tempfile::tempdir().expect("a folder");
    folder(home.path(), 12);
    let start = |_| {
        let mut command = prelabel(home.path(), &["--resume"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("it runs")
    };
    let running: Vec<_> = (0..3).map(start).collect();
    let mut objects = 0;
    for child in running {
        let output = child.wait_with_output().expect("ended");
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        objects += told["objects"].as_u64().expect("a number");
    }
    assert_eq!(objects, 12);
    for i in 0..12 {
        assert_eq!(
            document(home.path(), &format!("{i:03}.png")).objects.len(),
            1
        );
    }
}
