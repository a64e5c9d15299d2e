//! The click net against the Python reference (`models/train/noc.py`) on public-domain photos.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use half::f16;
use termask::core::adaptation::Adaptation;
use termask::core::document::Proposal;
use termask::core::geometry::{ImagePoint, ImageRect, Size};
use termask::core::image::Image;
use termask::core::mask::Mask;
use termask::core::prompt::{Click, Prompt, Side};
use termask::segment::click::{ClickNet, Input, Method, Pass, READINGS, SIZE, Step, model_hash};
use termask::segment::{Engine, Question};
use termask::store::decode::decode;

fn question(file: &str, rect: Option<[u32; 4]>, clicks: &[(u32, u32, Side)]) -> Question {
    let decoded = decode(&Path::new("assets").join(file)).expect("a demo photo");
    let prompt = Prompt {
        rect: rect.map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1)),
        clicks: clicks
            .iter()
            .map(|(x, y, side)| Click {
                at: ImagePoint::new(*x, *y),
                side: *side,
            })
            .collect(),
    };
    Question::new(&decoded.image, decoded.key, prompt)
}

/// The prompts of the stored references, in their order.
fn questions() -> [Question; 6] {
    let cat = [55, 10, 451, 300];
    [
        question("coffee.png", Some([120, 20, 480, 360]), &[]),
        question("coffee.png", None, &[(300, 150, Side::Inside)]),
        question("astronaut.png", Some([20, 5, 440, 512]), &[]),
        question(
            "astronaut.png",
            None,
            &[(220, 120, Side::Inside), (230, 400, Side::Inside)],
        ),
        question("chelsea.png", Some(cat), &[]),
        question("chelsea.png", Some(cat), &[(420, 270, Side::Outside)]),
    ]
}

fn reference_mask(n: usize) -> Mask {
    let decoded = decode(Path::new(&format!("tests/data/click-{n}.png"))).expect("a reference");
    let image: Arc<_> = decoded.image;
    Mask::from_fn(image.size(), image.size().bounds(), |p| {
        image.pixel(p)[0] > 127
    })
}

#[test]
fn masks_are_those_of_the_reference() {
    let mut net = ClickNet::with_threads(2)
        .expect("the built-in net runs")
        .with_method(Method::plain());
    for (n, question) in questions().into_iter().enumerate() {
        let proposal = net.propose(&question).expect("an answer").remove(0);
        let iou = proposal.mask.iou(&reference_mask(n));
        // The crops differ a little (below), and eight bits make more of it.
        assert!(iou >= 0.97, "reference {n}: IoU {iou:.4}");
        assert!((0.0..=1.0).contains(&proposal.confidence));
    }
}

#[test]
fn logits_are_those_of_the_reference() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let questions = questions();
    for n in [0, 5] {
        let packed = std::fs::read(format!("tests/data/click-{n}.logits.zz")).expect("stored");
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(&*packed)
            .read_to_end(&mut bytes)
            .expect("deflated");
        let stored = bytes
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32());
        let logits = net
            .logits(&Input::first(&questions[n], Pass::LOOK))
            .expect("an answer");
        let differences: Vec<f32> = logits
            .iter()
            .zip(stored)
            .map(|(a, b)| (a - b).abs())
            .collect();
        assert_eq!(differences.len(), SIZE * SIZE);
        let mean = differences.iter().sum::<f32>() / differences.len() as f32;
        // OpenCV places its samples to a 32nd of a pixel, and what is rounded to eight bits on the
        // way can fall either way.
        assert!(
            mean < 0.15,
            "reference {n}: logits differ by {mean} on average"
        );
    }
}

#[test]
fn the_next_click_refines_the_last_answer() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let mut question = question("coffee.png", None, &[(300, 150, Side::Inside)]);
    let first = net.propose(&question).expect("an answer").remove(0);
    let saucer = ImagePoint::new(180, 270);
    assert!(
        first.mask.contains(saucer),
        "the first reading takes the saucer too"
    );
    question.prompt.clicks.push(Click {
        at: saucer,
        side: Side::Outside,
    });
    question.previous = Some(first.clone());
    let second = net.propose(&question).expect("an answer").remove(0);
    assert!(!second.mask.contains(saucer));
    assert!(second.mask.contains(ImagePoint::new(300, 150)));
    assert!(second.mask.area() < first.mask.area());
}

/// The answers to clicks one after another, with these steps left out.
fn answers(file: &str, clicks: &[(u32, u32, Side)], without: &[Step]) -> Vec<Proposal> {
    let mut net = ClickNet::with_threads(2)
        .expect("the built-in net runs")
        .with_method(Method::default().without(without));
    let mut answers: Vec<Proposal> = Vec::new();
    for many in 1..=clicks.len() {
        let question = Question {
            previous: answers.last().cloned(),
            ..question(file, None, &clicks[..many])
        };
        answers.push(net.propose(&question).expect("an answer").remove(0));
    }
    answers
}

#[test]
fn a_click_after_a_detail_looks_again_at_the_part_about_it_and_nowhere_else() {
    let last = ImagePoint::new(430, 200);
    let clicks = [
        (300, 150, Side::Inside),
        (180, 270, Side::Outside),
        (330, 210, Side::Inside),
        (last.x, last.y, Side::Outside),
    ];
    let with = answers("coffee.png", &clicks, &[Step::Twice]);
    let without = answers("coffee.png", &clicks, &[Step::Twice, Step::Part]);
    let soft = |answer: &Proposal| answer.soft.clone().expect("the net's own");
    for (a, b) in with[..3].iter().zip(&without) {
        assert_eq!(soft(a).values, soft(b).values, "these tell what is meant");
    }
    let (with, without) = (soft(&with[3]), soft(&without[3]));
    let reach = with.scale * f64::from(with.width) / 2.0;
    let both = with.values.iter().zip(&without.values).enumerate();
    let changed: Vec<(f64, f64)> = both
        .filter(|(_, (with, without))| with != without)
        .map(|(i, _)| {
            let at = |cell: usize, start: f64| start + cell as f64 * with.scale;
            let width = with.width as usize;
            (at(i % width, with.x), at(i / width, with.y))
        })
        .collect();
    assert!(!changed.is_empty());
    for (x, y) in changed {
        let (dx, dy) = (x - f64::from(last.x), y - f64::from(last.y));
        assert!(dx.abs().max(dy.abs()) <= reach, "{x} {y} is beyond");
    }
}

#[test]
fn a_rehearsal_leaves_no_trace_in_the_answers() {
    let mut fresh = ClickNet::with_threads(2).expect("the built-in net runs");
    let mut rehearsed = ClickNet::with_threads(2).expect("the built-in net runs");
    rehearsed.rehearse();
    for question in &questions()[..2] {
        let [a, b] = [&mut fresh, &mut rehearsed].map(|net| {
            let answer = net.propose(question).expect("an answer").remove(0);
            answer.soft.expect("the net's own")
        });
        assert_eq!(a.values, b.values);
    }
}

#[test]
fn a_prompt_without_an_object_is_refused() {
    let mut net = ClickNet::with_threads(1).expect("the built-in net runs");
    let nothing = question("coffee.png", None, &[(3, 3, Side::Outside)]);
    let told = net.propose(&nothing).expect_err("no object").to_string();
    assert!(told.contains("box or an inside click"), "{told}");
}

#[test]
fn an_adaptation_that_changes_nothing_gives_the_networks_own_logits() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let input = Input::first(&questions()[0], Pass::LOOK);
    let (weights, bias) = *net.last_layer();
    let same = Adaptation {
        model: model_hash().into(),
        weights: weights.to_vec(),
        bias,
        threshold: 0.49,
        extent: None,
    };
    let evidence = net.evidence(&input).expect("features");
    let adapted = evidence.logits(&same);
    let logits = net.logits(&input).expect("logits");
    for (i, (a, b)) in adapted.iter().zip(&logits).enumerate() {
        assert!((a - b).abs() < 1e-3, "cell {i}: {a} {b}");
        let at = evidence.at(i % SIZE, i / SIZE);
        let sum: f32 = at.iter().zip(weights).map(|(v, w)| v * w).sum();
        assert!((sum + bias - b).abs() < 1e-3, "cell {i}");
    }
}

#[test]
fn an_adaptation_to_another_net_is_refused_with_the_remedy() {
    let mut net = ClickNet::with_threads(1).expect("the built-in net runs");
    let mut question = question("coffee.png", None, &[(300, 150, Side::Inside)]);
    question.adaptation = Some(Arc::new(Adaptation {
        model: "0000000000000000".into(),
        weights: Vec::new(),
        bias: 0.0,
        threshold: 0.5,
        extent: None,
    }));
    let told = net.propose(&question).expect_err("refused").to_string();
    assert!(told.contains("termask adapt"), "{told}");
}

#[test]
fn a_known_extent_makes_a_first_click_look_near_it() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let mut question = question("coffee.png", None, &[(300, 150, Side::Inside)]);
    let whole = net.propose(&question).expect("an answer").remove(0);
    question.adaptation = Some(Arc::new(Adaptation {
        model: model_hash().into(),
        weights: Vec::new(),
        bias: 0.0,
        threshold: 0.5,
        extent: Some(60.0),
    }));
    let near = net.propose(&question).expect("an answer").remove(0);
    assert!(near.mask.area() < whole.mask.area() / 2);
}

#[test]
fn a_reading_that_begins_within_an_object_sees_how_far_it_reaches() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let size = Size::new(600, 400);
    let centre = ImagePoint::new(300, 200);
    let truth = Mask::from_disk(size, centre, 130.0);
    let bytes = truth.to_bytes(size.bounds());
    let pixels = bytes.iter().flat_map(|inside| match inside {
        1 => [190, 60, 40],
        _ => [60, 130, 70],
    });
    let image = Arc::new(Image::from_rgb(size, pixels.collect()));
    let prompt = Prompt {
        rect: None,
        clicks: vec![Click {
            at: centre,
            side: Side::Inside,
        }],
    };
    for reading in 0..READINGS {
        let question = Question {
            reading,
            ..Question::new(&image, 1, prompt.clone())
        };
        let found = net.propose(&question).expect("an answer").remove(0);
        let iou = found.mask.iou(&truth);
        assert!(iou > 0.9, "reading {reading}: {iou}");
    }
}

/// Many small disks of one colour on a ground, and the one in the middle.
fn crowd() -> (Arc<Image>, Mask) {
    let size = Size::new(640, 480);
    let disks = (0..48u32).map(|i| {
        let at = ImagePoint::new(60 + i % 8 * 74, 50 + i / 8 * 76);
        Mask::from_disk(size, at, 16.0 + f64::from(i * 7 % 5))
    });
    let disks: Vec<Mask> = disks.collect();
    let all = disks.iter().fold(Mask::empty(size), |all, d| all.union(d));
    let bytes = all.to_bytes(size.bounds());
    let pixels = bytes.iter().enumerate().flat_map(|(i, inside)| {
        let shade = (i * 31 % 23) as u8;
        match inside {
            1 => [180, 40 + shade, 40],
            _ => [90, 140 + shade, 80],
        }
    });
    let image = Arc::new(Image::from_rgb(size, pixels.collect()));
    (image, disks[20].clone())
}

#[test]
fn a_click_in_a_crowd_takes_the_one_under_it() {
    let (image, truth) = crowd();
    let bounds = truth.bounds().expect("a disk");
    let prompt = Prompt {
        rect: None,
        clicks: vec![Click {
            at: bounds.centre(),
            side: Side::Inside,
        }],
    };
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let question = Question::new(&image, 1, prompt);
    let found = net.propose(&question).expect("an answer").remove(0);
    let iou = found.mask.iou(&truth);
    assert!(iou > 0.75, "{iou}");
}

#[test]
fn a_mirrored_look_answers_where_the_object_is() {
    let mut net = ClickNet::with_threads(2).expect("the built-in net runs");
    let question = &questions()[1];
    let mut inside = |pass: Pass| -> Vec<bool> {
        let logits = net.logits(&Input::first(question, pass)).expect("it ran");
        logits.iter().map(|l| *l > 0.0).collect()
    };
    let (straight, mirrored) = (inside(Pass::LOOK), inside(Pass::LOOK.mirrored()));
    let count = |both: fn((&bool, &bool)) -> bool| {
        straight.iter().zip(&mirrored).filter(|p| both(*p)).count() as f64
    };
    let iou = count(|(a, b)| *a && *b) / count(|(a, b)| *a || *b);
    assert!(iou > 0.9, "{iou}");
}
