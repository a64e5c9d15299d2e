//! `termask diff` and `termask agree`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::harness::Terminal;
use super::support::{stderr, stdout, termask};
use super::{labelled, object, photo};

/// What a command printed as JSON, and its exit code.
fn asked(home: &Path, words: &[&str]) -> (Value, Option<i32>) {
    let output = termask(home)
        .current_dir(home)
        .args(words)
        .output()
        .expect("it runs");
    let told = serde_json::from_slice(&output.stdout);
    (
        told.unwrap_or_else(|_| panic!("{}", stderr(&output))),
        output.status.code(),
    )
}

/// Two annotators' folders: the second drew one object smaller, forgot one and made another.
fn two_sets() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let (ann, bob) = (home.path().join("ann"), home.path().join("bob"));
    for folder in [&ann, &bob] {
        labelled(folder, "x/same.png", vec![object(1, "cat", 5, 25)]);
    }
    labelled(
        &ann,
        "changed.png",
        vec![object(1, "cat", 0, 20), object(2, "dog", 30, 40)],
    );
    labelled(
        &bob,
        "changed.png",
        vec![object(1, "cat", 0, 15), object(2, "cat", 30, 40)],
    );
    labelled(&ann, "forgotten.png", vec![object(1, "cat", 0, 20)]);
    photo(&bob, "forgotten.png");
    home
}

#[test]
fn a_difference_is_told_object_by_object_and_ends_with_one() {
    let home = two_sets();
    let (told, code) = asked(home.path(), &["diff", "ann", "bob", "--json"]);
    assert_eq!(code, Some(1));
    let rows: Vec<(&str, f64, &str)> = told["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|r| {
            let text = |key: &str| r[key].as_str().expect("text");
            (
                text("change"),
                r["iou"].as_f64().expect("a number"),
                text("image"),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("missing", 0.0, "forgotten.png"),
            ("changed", 0.75, "changed.png"),
            ("other-class", 1.0, "changed.png"),
            ("same", 1.0, "x/same.png"),
        ]
    );
    let (told, code) = asked(home.path(), &["diff", "ann", "ann", "--json"]);
    assert_eq!((&told["mean_iou"], code), (&Value::from(1.0), Some(0)));
}

#[test]
fn the_worst_images_are_printed_for_the_review() {
    let home = two_sets();
    let output = termask(home.path())
        .current_dir(home.path())
        .args(["diff", "ann", "bob", "--paths"])
        .output()
        .expect("it runs");
    assert_eq!(stdout(&output), "ann/forgotten.png\nann/changed.png\n");
}

#[test]
fn the_worst_image_is_opened_for_review_where_that_is_asked_for() {
    let home = two_sets();
    let [ann, bob] = ["ann", "bob"].map(|n| home.path().join(n).display().to_string());
    let mut terminal = Terminal::termask(&["diff", &ann, &bob, "--review"], (100, 30));
    terminal.wait_for("forgotten.png");
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(1), "they differ");
    assert!(terminal.is_clean());
}

#[test]
fn exports_and_lone_masks_equal_what_they_were_made_from() {
    let home = two_sets();
    for (format, out) in [
        ("coco", "coco/instances.json"),
        ("png", "png"),
        ("voc", "voc"),
        ("png-objects", "objects"),
    ] {
        let to = out.split('/').next().expect("a folder");
        let output = termask(home.path())
            .current_dir(home.path())
            .args(["export", "ann", "-f", format, "-o", to])
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", stderr(&output));
        let mut words = vec!["diff", "ann", out, "--json"];
        // Folders of PNGs an object each look like any folder of folders.
        if format == "png-objects" {
            let (told, code) = asked(home.path(), &["diff", out, out, "-f", format, "--json"]);
            assert_eq!(
                (told["rows"].as_array().map(Vec::len), code),
                (Some(4), Some(0))
            );
            continue;
        }
        let (told, code) = asked(home.path(), &words);
        assert_eq!(code, Some(0), "{format}: {told}");
        assert_eq!(told["same"], 4, "{format}");
        // The other way round, too.
        words.swap(1, 2);
        assert_eq!(asked(home.path(), &words).1, Some(0), "{format}");
    }
    // A mask PNG beside its image counts where there is no sidecar.
    let lone = home.path().join("lone");
    photo(&lone, "changed.png");
    fs::copy(
        home.path().join("ann/changed.mask.png"),
        lone.join("changed.mask.png"),
    )
    .expect("copied");
    let (told, _) = asked(home.path(), &["diff", "ann", "lone", "--json"]);
    assert_eq!(
        (&told["same"], &told["missing"]),
        (&2.into(), &2.into()),
        "{told}"
    );
}

#[test]
fn annotators_are_compared_two_by_two() {
    let home = two_sets();
    let eve = home.path().join("eve");
    labelled(&eve, "changed.png", vec![object(1, "cat", 40, 60)]);
    let (told, code) = asked(home.path(), &["agree", "ann", "bob", "eve", "--json"]);
    assert_eq!(code, Some(0));
    let couples = told.as_array().expect("three couples");
    let names: Vec<_> = couples.iter().map(|c| (&c["a"], &c["b"])).collect();
    let (ann, bob, eve) = (&"ann".into(), &"bob".into(), &"eve".into());
    assert_eq!(names, [(ann, bob), (ann, eve), (bob, eve)]);
    let first = &couples[0]["agreement"];
    assert_eq!(first["images"], 2, "bob did not annotate the third");
    assert_eq!(first["f1"], 1.0);
    let iou = first["mean_iou"].as_f64().expect("a number");
    assert!((iou - (1.0 + 0.75 + 1.0) / 3.0).abs() < 1e-9, "{iou}");
    // cat/cat, cat/cat, dog/cat: observed 2/3, by chance 2/3.
    assert!(
        first["kappa"].as_f64().is_some_and(|k| k.abs() < 1e-9),
        "{first}"
    );
    assert_eq!(couples[1]["agreement"]["f1"], 0.0);

    let output = termask(home.path())
        .current_dir(home.path())
        .args(["agree", "ann", "bob"])
        .output()
        .expect("it runs");
    assert!(
        stdout(&output).contains("ann  bob        2"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_place_without_masks_is_an_error_with_a_remedy() {
    let home = two_sets();
    photo(&home.path().join("bare"), "a.png");
    for place in ["bare", "nowhere"] {
        let output = termask(home.path())
            .current_dir(home.path())
            .args(["diff", "ann", place])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(place), "{}", stderr(&output));
    }
}
