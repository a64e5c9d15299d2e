//! `termask models`, `encode` and `setup`, and a SAM in the app.

mod gpu;
mod pull;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use serde_json::Value;
use support::{stderr, stdout, termask};
use termask::core::geometry::CellSize;
use termask::core::geometry::ImagePoint;
use termask::core::prompt::Side;
use termask::store::lock;
use termask::store::settings;
use termask::ui::action::Action;
use termask::ui::state::State;
use termask::ui::workers::{Event, Workers};

/// The program with data and caches of its own, too.
fn at_home(home: &Path) -> Command {
    let mut command = termask(home);
    command
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CACHE_HOME", home.join("cache"));
    command
}

fn sam(family: &str) -> PathBuf {
    std::path::absolute(Path::new("tests/data/sam").join(family)).expect("a path")
}

fn json(command: &mut Command) -> Value {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn photos(folder: &Path) {
    for name in ["coffee.png", "astronaut.png"] {
        fs::copy(Path::new("assets").join(name), folder.join(name)).expect("copied");
    }
}

#[test]
fn the_list_names_what_is_built_in_what_can_be_fetched_and_what_is_here() {
    let home = tempfile::tempdir().expect("a folder");
    let told = json(at_home(home.path()).args(["models", "list", "--json"]));
    assert!(
        told["built_in"]
            .as_array()
            .is_some_and(|b| b.contains(&"grabcut".into()))
    );
    let models = told["models"].as_array().expect("a list");
    assert!(
        models
            .iter()
            .all(|m| m["here"] == false && m["licence"] == "Apache-2.0")
    );
    for model in models {
        let size = &model["megabytes"];
        assert!(size.is_null() || size.as_u64().is_some_and(|m| m > 0));
        for role in ["encoder", "decoder"] {
            let sha256 = model[role]["sha256"].as_str().expect("text");
            assert!(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}

#[test]
fn info_tells_kind_names_and_pace() {
    let home = tempfile::tempdir().expect("a folder");
    let told = json(
        at_home(home.path())
            .args(["models", "info", "--json"])
            .arg(sam("sam2")),
    );
    assert_eq!(told["kind"], "sam2");
    assert_eq!(told["decoder"]["outputs"][0], "masks f32[1,3,256,256]");
    assert!(told["click_milliseconds"].as_f64().is_some_and(|m| m > 0.0));
    let dry = json(
        at_home(home.path())
            .args(["models", "info", "--json", "--dry"])
            .arg(sam("sam")),
    );
    assert_eq!(dry["picture_milliseconds"], Value::Null);
}

#[test]
fn the_engine_that_is_chosen_answers_afterwards() {
    let home = tempfile::tempdir().expect("a folder");
    photos(home.path());
    fs::write(
        home.path().join("termask.toml"),
        "# mine\nclasses = [\"cup\"]\n",
    )
    .expect("written");
    let chosen = at_home(home.path())
        .args(["models", "use", "--folder"])
        .args([home.path(), &sam("sam-hq")])
        .output()
        .expect("it runs");
    assert!(chosen.status.success(), "{}", stderr(&chosen));
    let settings = fs::read_to_string(home.path().join("termask.toml")).expect("there");
    assert!(
        settings.starts_with("# mine") && settings.contains("sam-hq"),
        "{settings}"
    );
    let photo = home.path().join("coffee.png");
    let told = json(
        at_home(home.path())
            .args(["segment", "--json", "--in", "300,150"])
            .arg(&photo),
    );
    assert_eq!(told["engine"], "sam-hq");
    let refused = at_home(home.path())
        .args(["models", "use", "nothing-of-the-kind", "--folder"])
        .arg(home.path())
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn what_is_encoded_is_kept_and_passed_over_and_a_broken_image_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let images = home.path().join("images");
    fs::create_dir(&images).expect("made");
    photos(&images);
    fs::write(images.join("broken.png"), b"\x89PNG\r\n\x1a\nno").expect("written");
    let encode = || {
        at_home(home.path())
            .args(["encode", "--json", "--engine"])
            .args([&sam("sam2"), &images])
            .output()
            .expect("it runs")
    };
    let first = encode();
    assert_eq!(first.status.code(), Some(1), "{}", stderr(&first));
    assert!(stderr(&first).contains("broken.png"));
    let told: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!((&told["encoded"], &told["there"]), (&2.into(), &0.into()));
    let again: Value = serde_json::from_slice(&encode().stdout).expect("JSON");
    assert_eq!((&again["encoded"], &again["there"]), (&0.into(), &2.into()));
    let segment = |engine_home: &Path| {
        json(
            at_home(engine_home)
                .args(["segment", "--json", "--in", "300,150", "--engine"])
                .args([&sam("sam2"), &images.join("coffee.png")]),
        )
    };
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (kept, fresh) = (segment(home.path()), segment(elsewhere.path()));
    let (kept, fresh) = (kept["area"].as_f64(), fresh["area"].as_f64());
    let (kept, fresh) = (kept.expect("a number"), fresh.expect("a number"));
    assert!(
        (kept - fresh).abs() <= 0.01 * fresh,
        "{kept} of the cache, {fresh} computed"
    );
}

#[test]
fn processes_that_encode_one_folder_share_the_images_and_take_none_twice() {
    let home = tempfile::tempdir().expect("a folder");
    let images = home.path().join("images");
    fs::create_dir(&images).expect("made");
    for i in 0..6u8 {
        let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([40 * i, 90, 40]));
        picture
            .save(images.join(format!("{i}.png")))
            .expect("saved");
    }
    let start = |_| {
        at_home(home.path())
            .args(["encode", "--json", "--engine"])
            .args([&sam("sam2"), &images])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs")
    };
    let processes: Vec<_> = (0..3).map(start).collect();
    let encoded = processes.into_iter().map(|process| {
        let output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", stderr(&output));
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        told["encoded"].as_u64().expect("a number")
    });
    assert_eq!(encoded.sum::<u64>(), 6);
}

#[test]
fn what_another_process_has_in_hand_is_left_to_it_and_told() {
    let home = tempfile::tempdir().expect("a folder");
    let images = home.path().join("images");
    fs::create_dir(&images).expect("made");
    photos(&images);
    let encode = || {
        json(
            at_home(home.path())
                .args(["encode", "--json", "--engine"])
                .args([&sam("sam2"), &images]),
        )
    };
    let model = encode()["model"].as_str().expect("a hash").to_string();
    let folder = home.path().join("cache/termask/embeddings").join(model);
    let entry = fs::read_dir(&folder).expect("a cache").next();
    let entry = entry.expect("an entry").expect("readable").path();
    fs::remove_file(&entry).expect("removed");
    let claim = lock::ask(&entry).expect("asked");
    let told = encode();
    assert_eq!(
        (&told["encoded"], &told["elsewhere"]),
        (&0.into(), &1.into())
    );
    drop(claim);
    let told = encode();
    assert_eq!(
        (&told["encoded"], &told["elsewhere"]),
        (&1.into(), &0.into())
    );
}

#[test]
fn in_the_app_another_engine_answers_the_draft_anew_and_a_bad_one_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    photos(home.path());
    let settings = settings::load(home.path()).expect("settings");
    let (sender, events) = mpsc::channel();
    let paths = vec![home.path().to_path_buf()];
    let mut workers = Workers::start(paths, "click".into(), settings.file.clone(), &sender);
    let mut state = State::new(settings, Arc::from("tester@here"));
    state.resize((100, 40), CellSize::default());
    let mut settle = |state: &mut State, done: &dyn Fn(&State) -> bool| {
        workers.follow(state.wants());
        while !done(state) {
            if let Event::Outcome(outcome) = events.recv().expect("the workers live") {
                state.learn(outcome);
            }
            workers.follow(state.wants());
        }
    };
    let spoke = |state: &State| {
        let draft = &state.shown().expect("open").document().draft;
        let origin = draft.proposal.as_ref().map(|p| p.origin.engine.clone());
        origin.filter(|_| draft.answered)
    };
    settle(&mut state, &|s| s.shown().is_some());
    state.act(Action::Point(ImagePoint::new(260, 120)), 1);
    state.act(Action::Click(Side::Inside), 2);
    settle(&mut state, &|s| spoke(s).as_deref() == Some("click"));
    let choose = |state: &mut State, name: &str| {
        state.act(Action::Commands, 3);
        for c in format!("engine {name}").chars() {
            state.act(Action::Type(c), 4);
        }
        state.act(Action::Confirm, 5);
    };
    choose(&mut state, &sam("sam2").to_string_lossy());
    settle(&mut state, &|s| spoke(s).as_deref() == Some("sam2"));
    choose(&mut state, "no/such/model.onnx");
    settle(&mut state, &|s| s.shown().is_some_and(|o| o.unanswered));
    let told = format!("{:?}", state.notice);
    assert!(told.contains("no/such/model.onnx"), "{told}");
    choose(&mut state, "grabcut");
    settle(&mut state, &|s| spoke(s).as_deref() == Some("grabcut"));
}
