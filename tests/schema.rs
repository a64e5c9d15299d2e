//! `docs/sidecar.schema.json` describes the sidecars that the program writes.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use termask::core::document::{Document, Extra, Object, Origin, Proposal, Verdict};
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::history::History;
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::store::decode::{Decoded, Depth};
use termask::store::sidecar::Sidecar;

const SIZE: Size = Size::new(40, 30);

fn object(id: u64) -> Object {
    Object {
        track: Some(4),
        prompt: Prompt {
            rect: Some(ImageRect::new(0, 0, 10, 10)),
            clicks: vec![Click {
                at: ImagePoint::new(3, 3),
                side: Side::Outside,
            }],
        },
        origin: Origin {
            engine: "click".into(),
            model: "0123456789abcdef".into(),
            who: "ann@here".into(),
        },
        confidence: Some(0.5),
        verdict: Verdict::Flagged,
        comment: "why".into(),
        spent: 7,
        extra: Extra::from_iter([("colour".into(), json!("red"))]),
        changed: 6,
        ..Object::new(
            id,
            "cat",
            Mask::from_rect(SIZE, ImageRect::new(1, 2, 9, 9)),
            5,
        )
    }
}

/// A sidecar that has everything a sidecar can have.
fn written() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("a.png");
    let decoded = Decoded {
        image: Arc::new(Image::from_rgb(SIZE, vec![0; 3 * SIZE.area() as usize])),
        orientation: 6,
        sha256: "ab".repeat(32),
        key: 1,
        depth: Depth::Bytes,
        notes: Vec::new(),
    };
    let opened = Sidecar::open(&image, &decoded).expect("opened");
    let mut sidecar = opened.sidecar;
    let mut history: History<Document> = opened.history;
    history.step(|d| {
        d.objects = [1, 2, 3].map(object).map(Arc::new).to_vec();
        d.comment = "later".into();
        d.extra.insert("weather".into(), json!({ "rain": true }));
    });
    history.step(|d| {
        let replaced = d.objects.remove(1);
        d.draft.prompt = replaced.prompt.clone();
        d.draft.proposal = Some(Proposal {
            mask: Arc::clone(&replaced.mask),
            confidence: 0.9,
            soft: None,
            threshold: 0.5,
            origin: replaced.origin.clone(),
        });
        d.draft.painted = Some(Arc::clone(&replaced.mask));
        d.draft.erased = Some(Arc::clone(&replaced.mask));
        d.draft.class = Some("dog".into());
        d.draft.replaces = Some((1, replaced));
    });
    history.step(|d| d.finished = true);
    history.undo();
    sidecar.save(&history).expect("saved");
    serde_json::from_slice(&fs::read(&sidecar.path).expect("read")).expect("JSON")
}

fn schema() -> jsonschema::Validator {
    let text = fs::read_to_string("docs/sidecar.schema.json").expect("there");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[test]
fn the_published_schema_holds_for_what_is_written() {
    let written = written();
    for part in ["draft", "history", "weather"] {
        assert!(written.get(part).is_some(), "{part} is in the sample");
    }
    let told: Vec<String> = schema()
        .iter_errors(&written)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn the_schema_names_every_field_that_is_written() {
    let text = fs::read_to_string("docs/sidecar.schema.json").expect("there");
    let mut names = Vec::new();
    let mut todo = vec![written()];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    names.push(name);
                    todo.push(value);
                }
            }
            Value::Array(values) => todo.extend(values),
            _ => {}
        }
    }
    let others = ["weather", "rain", "colour"];
    for name in names.iter().filter(|n| !others.contains(&n.as_str())) {
        assert!(text.contains(&format!("\"{name}\"")), "{name} is described");
    }
}

#[test]
fn what_no_sidecar_may_be_is_no_sidecar_for_the_schema() {
    type Change = fn(&mut Value);
    let schema = schema();
    let changes: [(&str, Change); 6] = [
        ("version", |v| v["version"] = json!(2)),
        ("width", |v| v["image"]["width"] = json!(-3)),
        ("verdict", |v| v["objects"][0]["verdict"] = json!("maybe")),
        ("confidence", |v| v["objects"][0]["confidence"] = json!(7)),
        ("rle", |v| v["objects"][0]["rle"] = json!("abc")),
        ("objects", |v| v["objects"] = Value::Null),
    ];
    for (name, change) in changes {
        let mut sidecar = written();
        assert!(schema.is_valid(&sidecar));
        change(&mut sidecar);
        assert!(!schema.is_valid(&sidecar), "{name}");
    }
}
