//! SAM, `MobileSAM`, SAM 2.1 and Hugging Face's SAM and SAM 2 with random weights against the
//! models' own torch pipelines.
//!
//! `tests/parity/make.sh` makes the files once, in `target/parity` or in `TERMASK_PARITY`; without
//! them there is nothing to compare with, and the test says so.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use termask::core::geometry::{ImagePoint, ImageRect};
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::proposals::{Options, Seeds, propose_everywhere};
use termask::segment::sam::Sam;
use termask::segment::{Cancel, Engine, Question};
use termask::store::decode::decode;

/// One prompt with the logits that the reference gave for it.
#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    picture: String,
    points: Vec<[u32; 2]>,
    labels: Vec<u8>,
    #[serde(rename = "box")]
    rect: Option<[u32; 4]>,
    /// The case whose answer is refined.
    refines: Option<String>,
    logits: String,
    score: f32,
}

impl Case {
    fn prompt(&self) -> Prompt {
        let side = |label: &u8| match label {
            1 => Side::Inside,
            _ => Side::Outside,
        };
        let clicks = self.points.iter().zip(&self.labels);
        Prompt {
            rect: self
                .rect
                .map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1)),
            clicks: clicks
                .map(|([x, y], label)| Click {
                    at: ImagePoint::new(*x, *y),
                    side: side(label),
                })
                .collect(),
        }
    }
}

fn folder() -> PathBuf {
    env::var_os("TERMASK_PARITY").map_or_else(|| PathBuf::from("target/parity"), PathBuf::from)
}

/// How far the logits of a model lie from the reference at most, and what of all masks agrees.
fn compare(model: &str) {
    let folder = folder().join(model);
    let Ok(text) = fs::read_to_string(folder.join("reference.json")) else {
        eprintln!(
            "{model} is not compared: {} is not there; tests/parity/make.sh makes it",
            folder.display()
        );
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(&text).expect("make.py wrote it");
    let mut sam = Sam::open(&folder).expect("both files are there");
    let mut answers = HashMap::new();
    for case in &cases {
        let decoded = decode(&folder.join(&case.picture)).expect("a picture");
        let size = decoded.image.size();
        let mut question = Question::new(&decoded.image, decoded.key, case.prompt());
        if let Some(before) = &case.refines {
            let key = (case.picture.clone(), before.clone());
            question.previous = Some(answers.remove(&key).expect("asked before"));
        }
        let given = sam.logits(&question).expect("an answer");
        let best = given.order[0];
        let ours = given.grids[best].pixels(size);
        let theirs = floats(&folder.join(&case.logits));
        assert_eq!(ours.len(), theirs.len(), "{model}: {case:?}");
        let pairs = || ours.iter().zip(&theirs);
        let worst = pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let spread = theirs.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        println!(
            "{model} {} {}: {worst:.1e} of {spread:.1}",
            case.picture, case.name
        );
        assert!(worst < 1e-3, "{model}: {worst} off in {case:?}");
        assert!((given.scores[best] - case.score).abs() < 1e-3, "{case:?}");
        let proposals = sam.propose(&question).expect("an answer");
        let differ = pairs().filter(|(a, b)| (**a > 0.0) != (**b > 0.0)).count();
        assert!(
            differ * 1000 <= ours.len(),
            "{model}: {differ} pixels of {case:?}"
        );
        let best = proposals.into_iter().next().expect("at least one");
        answers.insert((case.picture.clone(), case.name.clone()), best);
    }
}

fn floats(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).expect("make.py wrote it");
    let values = bytes.as_chunks::<4>().0;
    values.iter().map(|v| f32::from_le_bytes(*v)).collect()
}

#[test]
fn mobile_sam_answers_as_its_own_pipeline() {
    compare("mobile_sam");
}

#[test]
fn mobile_sam_in_8_bits_answers_as_its_graphs_do_in_python() {
    compare("mobile_sam_quantized");
}

#[test]
fn sam_answers_as_metas_pipeline() {
    compare("sam_vit_b");
}

#[test]
fn sam_2_answers_as_metas_pipeline() {
    compare("sam2.1_hiera_tiny");
}

#[test]
fn hugging_faces_sam_answers_as_its_own_pipeline() {
    compare("hf_sam");
}

#[test]
fn hugging_faces_sam_2_answers_as_its_own_pipeline() {
    compare("hf_sam2");
}

#[test]
fn prompts_are_answered_together_as_alone() {
    for model in ["sam2.1_hiera_tiny", "hf_sam"] {
        let folder = folder().join(model);
        if !folder.is_dir() {
            eprintln!("{model} is not compared: tests/parity/make.sh makes it");
            continue;
        }
        let decoded = decode(&folder.join("small.png")).expect("a picture");
        let options = Options {
            seeds: Seeds::Grid(3),
            least_confidence: 0.0,
            least_stability: 0.0,
            ..Options::default()
        };
        let find = |batch: usize| {
            let mut sam = Sam::open(&folder).expect("opened").with_batch(batch);
            let (image, key) = (&decoded.image, decoded.key);
            let found = propose_everywhere(&mut sam, image, key, &options, &Cancel::default());
            assert_eq!(sam.batch(), batch, "{model} takes so many");
            found.expect("found")
        };
        let (alone, together) = (find(1), find(4));
        assert_eq!(alone.len(), together.len(), "{model}");
        for (a, b) in alone.iter().zip(&together) {
            assert!(a.mask.iou(&b.mask) > 0.99, "{model}");
            assert!((a.confidence - b.confidence).abs() < 1e-4, "{model}");
        }
    }
}
