//! Every SAM family on small graphs that have its names, types and shapes (`tests/parity/small.py`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use termask::core::document::Proposal;
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::proposals::{Options, Seeds, propose_everywhere};
use termask::segment::sam::Sam;
use termask::segment::{self, Cancel, Engine, Error, Question};

mod refused;

/// Folder, engine's name, masks a prompt has, whether the previous mask is fed back.
const FAMILIES: [(&str, &str, usize, bool); 16] = [
    ("sam", "sam", 4, true),
    ("sam-chw", "sam", 1, true),
    ("sam-labelme", "sam", 1, true),
    // The weights lie in a file of their own.
    ("sam-apart", "sam", 1, true),
    // Half precision, in and out.
    ("sam-half", "sam", 1, true),
    ("sam-hq", "sam-hq", 1, true),
    ("efficientvit-sam", "efficientvit-sam", 3, false),
    ("edge-sam", "edge-sam", 4, false),
    ("edge-sam-u8", "edge-sam", 4, false),
    ("efficient-sam", "efficient-sam", 3, false),
    ("sam2", "sam2", 3, true),
    ("sam2-rectlabel", "sam2", 4, true),
    ("sam2-runtime", "sam2", 3, true),
    ("sam-hugging-face", "sam", 3, false),
    ("sam2-hugging-face", "sam2", 3, false),
    ("sam-med2d", "sam-med2d", 1, true),
];

fn folder(family: &str) -> PathBuf {
    Path::new("tests/data/sam").join(family)
}

fn open(family: &str) -> Sam {
    Sam::open(&folder(family)).unwrap_or_else(|e| panic!("{family}: {e}"))
}

/// Pictures of several shapes: an ellipse whose red differs by a quarter from what is around it,
/// and varies within itself by less than a tenth. Other channels are the same everywhere.
fn scene(size: Size) -> (Arc<Image>, Mask) {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let ellipse = Mask::from_fn(size, size.bounds(), |p| {
        let x = (f64::from(p.x) - 0.62 * w) / (0.2 * w);
        let y = (f64::from(p.y) - 0.41 * h) / (0.25 * h);
        x * x + y * y < 1.0
    });
    let pixels = (0..size.area())
        .flat_map(|i| {
            let at = ImagePoint::new(i as u32 % size.width, i as u32 / size.width);
            let shade = (at.x * 16 / size.width) as u8;
            let red = if ellipse.contains(at) { 190 } else { 130 };
            [red + shade, 120, 40]
        })
        .collect();
    (Arc::new(Image::from_rgb(size, pixels)), ellipse)
}

fn question(image: &Arc<Image>, key: u64, prompt: Prompt) -> Question {
    Question::new(image, key, prompt)
}

fn click(x: f64, y: f64, size: Size, side: Side) -> Click {
    let at = size.clamp(
        (x * f64::from(size.width)) as i64,
        (y * f64::from(size.height)) as i64,
    );
    Click { at, side }
}

fn inside(size: Size) -> Prompt {
    Prompt {
        rect: None,
        clicks: vec![click(0.62, 0.41, size, Side::Inside)],
    }
}

const SIZES: [Size; 3] = [
    Size::new(900, 600),
    Size::new(500, 800),
    Size::new(1180, 190),
];

fn best_iou(proposals: &[Proposal], truth: &Mask) -> f64 {
    proposals
        .iter()
        .map(|p| p.mask.iou(truth))
        .fold(0.0, f64::max)
}

#[test]
fn every_family_finds_what_is_clicked_in_pictures_of_any_shape() {
    for (family, name, _, _) in FAMILIES {
        let mut sam = open(family);
        assert_eq!(sam.name(), name);
        for (key, size) in (0..).zip(SIZES) {
            let (image, truth) = scene(size);
            let asked = question(&image, key, inside(size));
            let proposals = sam
                .propose(&asked)
                .unwrap_or_else(|e| panic!("{family}: {e}"));
            let iou = proposals[0].mask.iou(&truth);
            assert!(iou > 0.9, "{family} {size:?}: {iou:.3}");
            assert_eq!(proposals[0].origin.engine, name);
            assert_eq!(proposals[0].origin.model.len(), 16);
        }
    }
}

#[test]
fn every_family_takes_boxes_with_and_without_clicks() {
    for (family, ..) in FAMILIES {
        let mut sam = open(family);
        for (key, size) in (0..).zip(SIZES) {
            let (image, truth) = scene(size);
            let bounds = truth.bounds().expect("not empty");
            let prompt = Prompt {
                rect: Some(bounds),
                clicks: Vec::new(),
            };
            let proposals = sam
                .propose(&question(&image, key, prompt))
                .expect("an answer");
            let iou = best_iou(&proposals, &truth);
            assert!(iou > 0.9, "{family} {size:?}: {iou:.3}");
            let outside = click(0.1, 0.1, size, Side::Outside);
            let prompt = Prompt {
                rect: Some(bounds),
                clicks: vec![inside(size).clicks[0], outside],
            };
            let proposals = sam
                .propose(&question(&image, key, prompt))
                .expect("an answer");
            assert!(best_iou(&proposals, &truth) > 0.9, "{family} {size:?}");
            assert!(
                proposals.iter().all(|p| !p.mask.contains(outside.at)),
                "{family}"
            );
        }
    }
}

#[test]
fn several_masks_come_best_first_and_none_twice() {
    for (family, _, masks, _) in FAMILIES {
        let mut sam = open(family);
        let (image, _) = scene(SIZES[0]);
        let proposals = sam
            .propose(&question(&image, 0, inside(SIZES[0])))
            .expect("an answer");
        assert!(proposals.len() <= masks, "{family}");
        let single = masks == 4;
        let sure: Vec<f32> = proposals.iter().map(|p| p.confidence).collect();
        let readings = if single && sure.len() == 4 {
            3
        } else {
            sure.len()
        };
        assert!(
            sure[..readings].is_sorted_by(|a, b| a >= b),
            "{family}: {sure:?}"
        );
        for (i, a) in proposals.iter().enumerate() {
            for b in &proposals[i + 1..] {
                assert!(a.mask.iou(&b.mask) <= 0.97, "{family}");
            }
        }
    }
}

#[test]
fn what_was_outside_before_stays_outside_where_masks_are_fed_back() {
    for (family, _, _, feeds) in FAMILIES {
        let mut sam = open(family);
        let size = SIZES[0];
        let (image, truth) = scene(size);
        let mut asked = question(&image, 0, inside(size));
        let left = Mask::from_rect(size, ImageRect::new(0, 0, 558, 600));
        let mut first = sam.propose(&asked).expect("an answer").remove(0);
        first.mask = Arc::new(first.mask.intersection(&left));
        first.soft = None;
        asked.previous = Some(first);
        let refined = sam.propose(&asked).expect("an answer").remove(0);
        let beyond = refined.mask.difference(&left).area();
        if feeds {
            assert!(beyond * 50 < truth.area(), "{family}: {beyond} pixels");
        } else {
            assert!(beyond * 3 > truth.area(), "{family} cannot know: {beyond}");
        }
    }
}

#[test]
fn clicks_are_obeyed_to_the_pixel() {
    let size = SIZES[0];
    let (image, truth) = scene(size);
    for (family, ..) in FAMILIES {
        let mut sam = open(family);
        let mut prompt = inside(size);
        let (far, denied) = (
            click(0.05, 0.9, size, Side::Inside),
            click(0.62, 0.44, size, Side::Outside),
        );
        prompt.clicks.extend([far, denied]);
        let best = sam
            .propose(&question(&image, 0, prompt))
            .expect("an answer")
            .remove(0);
        assert!(best.mask.contains(far.at), "{family}");
        assert!(!best.mask.contains(denied.at), "{family}");
        assert!(truth.contains(denied.at));
    }
}

#[test]
fn more_points_than_efficient_sam_takes_are_no_error() {
    let size = SIZES[0];
    let (image, _) = scene(size);
    let mut prompt = inside(size);
    prompt.rect = Some(ImageRect::new(100, 100, 800, 500));
    let more = (0..9).map(|i| click(0.6, 0.3 + 0.02 * f64::from(i), size, Side::Inside));
    prompt.clicks.extend(more);
    let answer = open("efficient-sam").propose(&question(&image, 0, prompt));
    assert!(!answer.expect("an answer").is_empty());
}

#[test]
fn a_picture_that_was_prepared_is_ready_and_a_cancelled_one_is_not() {
    let (image, _) = scene(SIZES[0]);
    let mut sam = open("sam2");
    assert!(!sam.is_ready(5));
    let cancel = Cancel::default();
    cancel.cancel();
    let ended = sam.prepare(&image, 5, &cancel);
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    assert!(!sam.is_ready(5));
    sam.prepare(&image, 5, &Cancel::default()).expect("it runs");
    assert!(sam.is_ready(5));
}

#[test]
fn a_question_that_is_withdrawn_while_the_decoder_runs_ends_and_the_next_is_answered_as_ever() {
    let (image, _) = scene(SIZES[0]);
    for family in ["sam", "sam2"] {
        let mut sam = open(family);
        let asked = question(&image, 0, inside(SIZES[0]));
        let alone = sam.propose(&asked).expect("an answer").remove(0).mask;
        for round in 0..20 {
            let cancel = Cancel::default();
            let withdrawn = Question {
                cancel: cancel.clone(),
                ..asked.clone()
            };
            let answer = thread::scope(|scope| {
                let answer = scope.spawn(|| sam.propose(&withdrawn));
                (0..round).for_each(|_| thread::yield_now());
                cancel.cancel();
                answer.join().expect("no panic")
            });
            match answer {
                Ok(answer) => assert_eq!(answer[0].mask, alone, "{family}"),
                Err(why) => assert!(matches!(why, Error::Cancelled), "{family}: {why}"),
            }
        }
        let next = sam.propose(&asked).expect("an answer").remove(0).mask;
        assert_eq!(next, alone, "{family}");
    }
}

#[test]
fn what_was_given_up_is_not_taken_for_the_next_picture() {
    let (size, turned) = (Size::new(96, 64), Size::new(64, 96));
    let ((first, _), (second, _)) = (scene(size), scene(turned));
    let asked = question(&second, 1, inside(turned));
    let best = |sam: &mut Sam| sam.propose(&asked).expect("an answer").remove(0).mask;
    for family in ["sam2", "sam-hq"] {
        let alone = best(&mut open(family));
        let mut sam = open(family);
        // The cancelling thread meets the encoder anywhere from before its start to after its end.
        for round in 0..20 {
            let cancel = Cancel::default();
            let prepared = thread::scope(|scope| {
                let prepared = scope.spawn(|| sam.prepare(&first, 100 + round, &cancel));
                (0..round).for_each(|_| thread::yield_now());
                cancel.cancel();
                prepared.join().expect("no panic")
            });
            let is_ready = sam.is_ready(100 + round);
            match prepared {
                Ok(()) => assert!(is_ready, "{family}"),
                Err(Error::Cancelled) => assert!(!is_ready, "{family}"),
                Err(why) => panic!("{family}: {why}"),
            }
        }
        assert_eq!(best(&mut sam), alone, "{family}");
    }
}

#[test]
fn a_model_is_found_by_its_folder_its_encoder_or_its_decoder() {
    for file in ["", "encoder.onnx", "decoder.onnx"] {
        let path = folder("sam-hq").join(file);
        let engine = segment::open(&path.to_string_lossy()).expect("found");
        assert_eq!(engine.name(), "sam-hq");
    }
}

#[test]
fn of_several_models_in_a_folder_the_named_one_is_opened_with_its_own_decoder() {
    let all = tempfile::tempdir().expect("a folder");
    let put = |family: &str, file: &str, to: &str| {
        let from = folder(family).join(file);
        fs::copy(from, all.path().join(to)).expect("copied");
    };
    put("sam", "encoder.onnx", "vit_b.encoder.onnx");
    put("sam", "encoder.onnx", "vit_b.encoder.quant.onnx");
    put("sam", "decoder.onnx", "vit_b.decoder.onnx");
    put("sam2", "encoder.onnx", "tiny_preprocess.onnx");
    put("sam2", "decoder.onnx", "tiny.onnx");
    let name = |path: &Path| Sam::open(path).expect("opened").name().to_string();
    assert_eq!(name(&all.path().join("tiny.onnx")), "sam2");
    assert_eq!(name(&all.path().join("tiny_preprocess.onnx")), "sam2");
    assert_eq!(name(&all.path().join("vit_b.encoder.quant.onnx")), "sam");
    assert_eq!(name(all.path()), "sam");
}

#[test]
fn pictures_that_are_asked_about_in_turns_keep_their_own_embeddings() {
    for family in ["sam", "sam2-hugging-face"] {
        let mut sam = open(family);
        let mut best = |key: u64| {
            let (image, _) = scene(SIZES[key as usize]);
            let asked = question(&image, key, inside(SIZES[key as usize]));
            let mut answers = sam.propose(&asked).expect("an answer");
            answers.remove(0).mask
        };
        let (first, other) = (best(0), best(1));
        assert_eq!((best(0), best(1)), (first, other), "{family}");
    }
}

#[test]
fn a_picture_larger_than_any_frame_is_segmented_at_its_own_resolution() {
    let size = Size::new(4000, 3000);
    let (image, truth) = scene(size);
    for family in ["efficient-sam", "sam-hugging-face"] {
        let mut sam = open(family);
        let best = sam
            .propose(&question(&image, 1, inside(size)))
            .expect("an answer")
            .remove(0);
        assert!(best.mask.iou(&truth) > 0.9, "{family}");
    }
}

#[test]
fn a_grid_finds_each_thing_of_a_picture_once_and_the_surest_first() {
    let size = Size::new(480, 320);
    let things = [
        (ImageRect::new(40, 40, 140, 140), 220),
        (ImageRect::new(300, 60, 420, 180), 150),
        (ImageRect::new(160, 200, 260, 300), 80),
    ];
    let pixels = (0..size.area() as u32).flat_map(|i| {
        let at = ImagePoint::new(i % size.width, i / size.width);
        let thing = things.iter().find(|(rect, _)| rect.contains(at));
        [thing.map_or(5, |(_, red)| *red), 0, 0]
    });
    let image = Arc::new(Image::from_rgb(size, pixels.collect()));
    // The small graph's logits are all near 0, so no edge of it is stable.
    let options = Options {
        seeds: Seeds::Grid(12),
        least_confidence: 0.0,
        least_stability: 0.0,
        ..Options::default()
    };
    let mut sam = open("sam");
    let found =
        propose_everywhere(&mut sam, &image, 1, &options, &Cancel::default()).expect("found");
    assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence));
    for (rect, _) in things {
        // Cells that the edge runs through are left out: they are of neither red.
        let truth = Mask::from_rect(size, rect);
        let fitting = found.iter().filter(|p| p.mask.iou(&truth) > 0.75);
        assert_eq!(fitting.count(), 1, "{rect:?}");
    }
    for (i, a) in found.iter().enumerate() {
        assert!(found[i + 1..].iter().all(|b| a.mask.iou(&b.mask) <= 0.7));
    }
}
