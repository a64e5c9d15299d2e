//! The engines without a model, on pictures drawn by code.

use std::sync::Arc;
use std::thread;

use termask::core::document::Proposal;
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::classic::snap::snap;
use termask::segment::{Cancel, Error, Question, Result, open};

const ENGINES: [&str; 3] = ["grabcut", "watershed", "superpixels"];

/// A reddish disk on a greenish ground, both with noise, and the disk's mask.
fn disk_picture(size: Size, centre: ImagePoint, radius: f64) -> (Arc<Image>, Mask) {
    let truth = Mask::from_disk(size, centre, radius);
    let bytes = truth.to_bytes(size.bounds());
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 27) as u8
    };
    let mut pixels = Vec::with_capacity(3 * bytes.len());
    for byte in bytes {
        let [r, g, b] = if byte == 1 {
            [170, 60, 50]
        } else {
            [60, 130, 70]
        };
        pixels.extend([r + noise(), g + noise(), b + noise()]);
    }
    (Arc::new(Image::from_rgb(size, pixels)), truth)
}

fn click(x: u32, y: u32, side: Side) -> Click {
    Click {
        at: ImagePoint::new(x, y),
        side,
    }
}

fn ask(engine: &str, image: &Arc<Image>, prompt: Prompt) -> Result<Proposal> {
    let question = Question::new(image, 1, prompt);
    let mut answers = open(engine)?.propose(&question)?;
    Ok(answers.remove(0))
}

fn boxed(rect: ImageRect) -> Prompt {
    Prompt {
        rect: Some(rect),
        clicks: Vec::new(),
    }
}

#[test]
fn a_box_around_a_disk_gives_the_disk() {
    let (image, truth) = disk_picture(Size::new(240, 180), ImagePoint::new(120, 90), 50.0);
    for (engine, least) in [("grabcut", 0.98), ("watershed", 0.95)] {
        let found = ask(engine, &image, boxed(ImageRect::new(64, 34, 177, 147))).expect(engine);
        let iou = found.mask.iou(&truth);
        assert!(iou > least, "{engine}: {iou}");
        assert_eq!(found.origin.engine, engine);
        assert!((0.0..=1.0).contains(&found.confidence), "{engine}");
    }
}

#[test]
fn a_click_on_one_part_of_what_a_box_holds_keeps_the_other_parts() {
    let size = Size::new(240, 180);
    let (image, left) = disk_picture(size, ImagePoint::new(80, 90), 30.0);
    let right = Mask::from_disk(size, ImagePoint::new(160, 90), 30.0);
    let mut pixels = image.pixels().to_vec();
    for run in right.runs() {
        for x in run.x0..run.x1 {
            let at = 3 * (run.y * size.width + x) as usize;
            pixels[at..at + 3].copy_from_slice(&[180, 70, 60]);
        }
    }
    let image = Arc::new(Image::from_rgb(size, pixels));
    let prompt = Prompt {
        rect: Some(ImageRect::new(46, 56, 195, 125)),
        clicks: vec![click(160, 90, Side::Inside)],
    };
    let found = ask("grabcut", &image, prompt).expect("an answer");
    let iou = found.mask.iou(&left.union(&right));
    assert!(iou > 0.95, "{iou}");
}

#[test]
fn one_inside_click_is_enough_for_a_disk_of_its_own_colour() {
    let (image, truth) = disk_picture(Size::new(240, 180), ImagePoint::new(120, 90), 50.0);
    let prompt = Prompt {
        rect: None,
        clicks: vec![click(125, 85, Side::Inside)],
    };
    let found = ask("grabcut", &image, prompt).expect("an answer");
    assert!(found.mask.iou(&truth) > 0.95, "{}", found.mask.iou(&truth));
}

#[test]
fn clicks_are_obeyed_against_the_colours() {
    let (image, _) = disk_picture(Size::new(240, 180), ImagePoint::new(120, 90), 50.0);
    for engine in ENGINES {
        let prompt = Prompt {
            rect: Some(ImageRect::new(50, 20, 190, 160)),
            clicks: vec![
                click(120, 90, Side::Inside),
                click(60, 30, Side::Inside),
                click(140, 110, Side::Outside),
            ],
        };
        let found = ask(engine, &image, prompt).expect(engine);
        assert!(found.mask.contains(ImagePoint::new(120, 90)), "{engine}");
        assert!(found.mask.contains(ImagePoint::new(60, 30)), "{engine}");
        assert!(!found.mask.contains(ImagePoint::new(140, 110)), "{engine}");
    }
}

#[test]
fn clicking_superpixels_away_and_on_again_leaves_no_trace() {
    let (image, _) = disk_picture(Size::new(240, 180), ImagePoint::new(120, 90), 50.0);
    let of = |clicks: Vec<Click>| ask("superpixels", &image, Prompt { rect: None, clicks });
    let inside = click(120, 90, Side::Inside);
    let once = of(vec![inside]).expect("one");
    let again = of(vec![inside, click(120, 90, Side::Outside), inside]).expect("again");
    assert_eq!(once.mask, again.mask);
    let gone = of(vec![inside, click(120, 90, Side::Outside)]);
    assert!(matches!(gone, Err(Error::Prompt(_))));
}

#[test]
fn superpixels_of_a_large_picture_meet_without_gap_or_overlap() {
    let size = Size::new(1600, 1200);
    let (image, _) = disk_picture(size, ImagePoint::new(800, 600), 300.0);
    let mut engine = open("superpixels").expect("known");
    let mut of = |clicks: Vec<Click>| {
        let prompt = Prompt { rect: None, clicks };
        let question = Question::new(&image, 1, prompt);
        engine.propose(&question).expect("an answer").remove(0).mask
    };
    let (a, b) = (click(800, 600, Side::Inside), click(850, 600, Side::Inside));
    let (one, other, both) = (of(vec![a]), of(vec![b]), of(vec![a, b]));
    assert!(one.intersection(&other).is_empty());
    assert_eq!(one.union(&other), *both);
}

#[test]
fn the_edge_is_sharp_in_a_picture_far_larger_than_the_window() {
    let size = Size::new(3000, 2000);
    let (image, truth) = disk_picture(size, ImagePoint::new(1500, 1000), 700.0);
    let found = ask(
        "grabcut",
        &image,
        boxed(ImageRect::new(780, 280, 2221, 1721)),
    )
    .expect("found");
    assert!(found.mask.iou(&truth) > 0.99, "{}", found.mask.iou(&truth));
}

#[test]
fn a_prompt_that_names_no_object_is_refused_with_a_remedy() {
    let (image, _) = disk_picture(Size::new(60, 50), ImagePoint::new(30, 25), 10.0);
    let outside_only = Prompt {
        rect: None,
        clicks: vec![click(3, 3, Side::Outside)],
    };
    let prompts = [
        Prompt::default(),
        outside_only,
        boxed(ImageRect::new(90, 90, 120, 120)),
    ];
    for engine in ENGINES {
        for prompt in &prompts {
            let answer = ask(engine, &image, prompt.clone());
            assert!(
                matches!(answer, Err(Error::Prompt(_))),
                "{engine}: {prompt:?}"
            );
        }
    }
}

#[test]
fn a_mask_drawn_too_large_snaps_to_the_edge() {
    let size = Size::new(240, 180);
    let (image, truth) = disk_picture(size, ImagePoint::new(120, 90), 50.0);
    let rough = Mask::from_disk(size, ImagePoint::new(120, 90), 52.5);
    let snapped = snap(&image, &rough, &Cancel::default()).expect("snapped");
    assert!(snapped.iou(&truth) > 0.98, "{}", snapped.iou(&truth));
    assert!(rough.iou(&truth) < 0.93, "it had something to do");
}

#[test]
fn a_mask_without_an_edge_stays_as_it_is() {
    let size = Size::new(40, 30);
    let (image, _) = disk_picture(size, ImagePoint::new(20, 15), 8.0);
    for mask in [Mask::empty(size), Mask::from_rect(size, size.bounds())] {
        let snapped = snap(&image, &mask, &Cancel::default()).expect("looked at");
        assert_eq!(snapped, mask);
    }
}

#[test]
fn a_question_that_is_withdrawn_while_it_is_answered_ends_and_the_next_is_answered_as_ever() {
    let size = Size::new(640, 480);
    let (image, truth) = disk_picture(size, ImagePoint::new(320, 240), 150.0);
    let rect = truth.bounds().expect("a disk");
    let prompt = Prompt {
        clicks: vec![click(320, 240, Side::Inside)],
        ..boxed(rect)
    };
    for name in ["grabcut", "watershed", "superpixels", "click"] {
        let mut engine = open(name).expect(name);
        let question = Question::new(&image, 1, prompt.clone());
        let alone = engine.propose(&question).expect(name).remove(0).mask;
        // Another picture each time, so that nothing kept of an earlier one answers. The other
        // thread withdraws it anywhere from before its start to after its end.
        for round in 0..12u64 {
            let cancel = Cancel::default();
            let withdrawn = Question {
                cancel: cancel.clone(),
                ..Question::new(&image, 2 + round, prompt.clone())
            };
            let answer = thread::scope(|scope| {
                let answer = scope.spawn(|| engine.propose(&withdrawn));
                (0..1 << round).for_each(|_| thread::yield_now());
                cancel.cancel();
                answer.join().expect("no panic")
            });
            match answer {
                Ok(answer) => assert_eq!(answer[0].mask, alone, "{name}"),
                Err(why) => assert!(matches!(why, Error::Cancelled), "{name}: {why}"),
            }
            let late = engine.propose(&withdrawn);
            assert!(matches!(late, Err(Error::Cancelled)), "{name}: {late:?}");
        }
        let next = engine.propose(&question).expect(name).remove(0).mask;
        assert_eq!(next, alone, "{name}");
    }
}
