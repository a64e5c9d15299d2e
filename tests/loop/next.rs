//! `termask next`.

use serde_json::{Value, json};
use termask::core::document::{Document, Object, Verdict};

use super::support::{stderr, stdout, termask};
use super::{SIZE, labelled, object, photo, save};

/// An object that a model proposed and nobody looked at.
fn proposal(id: u64, x0: u32, x1: u32, confidence: f32) -> Object {
    let mut object = object(id, "cat", x0, x1);
    object.origin.who = "prelabel".into();
    object.confidence = Some(confidence);
    object
}

/// Left, right and score.
type Bar = (u32, u32, f32);

/// COCO predictions: of each image bars as polygons, with scores.
fn predictions(images: &[(&str, &[Bar])]) -> Value {
    let height = SIZE.height;
    let bar = |x0: u32, x1: u32| json!([[x0, 0, x1, 0, x1, height, x0, height]]);
    let annotations: Vec<Value> = (1..)
        .zip(images)
        .flat_map(|(id, (_, bars))| {
            bars.iter().map(move |(x0, x1, score)| {
                json!({ "image_id": id, "category_id": 1, "segmentation": bar(*x0, *x1), "score": score })
            })
        })
        .collect();
    let images: Vec<Value> = (1..)
        .zip(images)
        .map(|(id, (name, _))| {
            json!({ "id": id, "file_name": name, "width": SIZE.width, "height": height })
        })
        .collect();
    json!({
        "images": images, "annotations": annotations,
        "categories": [{ "id": 1, "name": "cat" }],
    })
}

#[test]
fn images_come_by_need_and_say_why() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("images");
    labelled(&folder, "a-human.png", vec![object(1, "cat", 0, 10)]);
    labelled(&folder, "b-sure.png", vec![proposal(1, 0, 10, 0.9)]);
    labelled(
        &folder,
        "c-doubtful.png",
        vec![proposal(1, 0, 10, 0.9), proposal(2, 20, 30, 0.3)],
    );
    labelled(&folder, "d-disputed.png", vec![proposal(1, 0, 10, 0.95)]);
    photo(&folder, "e-unknown.png");
    let finished = photo(&folder, "f-finished.png");
    save(
        &finished,
        Document {
            finished: true,
            ..Document::default()
        },
    );
    let mut judged = proposal(1, 0, 10, 0.2);
    judged.verdict = Verdict::Accepted;
    labelled(&folder, "g-judged.png", vec![judged]);
    let file = home.path().join("predictions.json");
    let told = predictions(&[
        ("b-sure.png", &[(0, 10, 0.8)]),
        ("c-doubtful.png", &[(0, 10, 0.9), (20, 30, 0.9)]),
        ("d-disputed.png", &[(0, 5, 0.9), (40, 50, 0.9)]),
    ]);
    std::fs::write(&file, told.to_string()).expect("written");

    let output = termask(home.path())
        .current_dir(home.path())
        .args(["next", "images", "--predictions", "predictions.json"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let order = [
        "d-disputed",
        "e-unknown",
        "c-doubtful",
        "b-sure",
        "a-human",
        "g-judged",
        "f-finished",
    ];
    let expected: String = order.map(|n| format!("images/{n}.png\n")).concat();
    assert_eq!(stdout(&output), expected);

    let output = termask(home.path())
        .current_dir(home.path())
        .args([
            "next",
            "images",
            "--predictions",
            "predictions.json",
            "--json",
            "--count",
            "3",
        ])
        .output()
        .expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let images = told["images"].as_array().expect("a list");
    assert_eq!(images.len(), 3);
    // One pair of IoU 0.5 and one object that is only predicted.
    assert_eq!(images[0]["disagreement"], 0.75);
    assert_eq!(images[2]["disagreement"], 0.0);
    let why = images[2]["why"].as_str().expect("words");
    assert!(why.contains("confidence 0.30"), "{why}");
}

#[test]
fn predictions_that_are_imported_keep_their_scores_as_confidence() {
    let home = tempfile::tempdir().expect("a folder");
    for name in ["a.png", "b.png"] {
        photo(&home.path().join("images"), name);
    }
    let told = predictions(&[("a.png", &[(0, 10, 0.75)]), ("b.png", &[(0, 10, 0.5)])]);
    std::fs::write(home.path().join("predictions.json"), told.to_string()).expect("written");
    for (words, expected) in [
        (
            &[
                "import",
                "predictions.json",
                "-f",
                "coco",
                "--images",
                "images",
            ][..],
            "2 objects in 2 images\n",
        ),
        (&["next", "images"], "images/b.png\nimages/a.png\n"),
    ] {
        let output = termask(home.path())
            .current_dir(home.path())
            .args(words)
            .output()
            .expect("it runs");
        assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    }
}

#[test]
fn without_predictions_the_least_sure_image_is_first() {
    let home = tempfile::tempdir().expect("a folder");
    labelled(home.path(), "a.png", vec![proposal(1, 0, 10, 0.9)]);
    labelled(home.path(), "b.png", vec![proposal(1, 0, 10, 0.5)]);
    let output = termask(home.path())
        .current_dir(home.path())
        .args(["next", ".", "--count", "1"])
        .output()
        .expect("it runs");
    assert_eq!(stdout(&output), "./b.png\n");
}
