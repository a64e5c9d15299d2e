//! Fits the click net to what a folder's masks show, class by class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::document::{Object, Verdict};
use crate::core::mask::Mask;
use crate::core::printable::{printable, printable_text};
use crate::segment::adapt::{self, LEAST_MASKS, Outcome};
use crate::segment::click::ClickNet;
use crate::segment::evaluate::Sample;
use crate::store::decode::{self, Decoded};
use crate::store::gather::{self, Choice};
use crate::store::{adapted, settings};
use crate::ui::action::{Adapt, Adapted, Lesson};

/// More masks than this teach little more.
const MOST_MASKS: usize = 100;

/// Why nothing could be learnt. The message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] crate::store::error::Error),
    #[error(transparent)]
    Segment(#[from] crate::segment::Error),
    #[error(
        "{}: its masks have another size than the image; run `termask check` on the folder",
        printable(.0)
    )]
    OtherSize(PathBuf),
    #[error(
        "{}: no class has {LEAST_MASKS} accepted masks (the most is {most}); accept more first",
        printable(folder)
    )]
    TooFew { folder: PathBuf, most: usize },
}

/// An accepted mask, and where its image lies.
#[derive(Debug, Clone)]
pub struct Example {
    pub image: PathBuf,
    pub mask: Arc<Mask>,
}

/// What came of one class.
#[derive(Debug)]
pub struct Learnt {
    pub class: String,
    pub examples: Vec<Example>,
    /// `None` where there are too few.
    pub outcome: Option<Outcome>,
}

impl Learnt {
    pub fn is_kept(&self) -> bool {
        self.outcome
            .as_ref()
            .is_some_and(|o| o.adaptation.is_some())
    }

    /// What came of it, in a line.
    pub fn told(&self) -> String {
        let (class, masks) = (printable_text(&self.class), self.examples.len());
        let Some(outcome) = &self.outcome else {
            return format!("{class}: {masks} masks, {LEAST_MASKS} are needed");
        };
        let end = match outcome.adaptation {
            Some(_) => "kept",
            None => "no better, nothing is kept",
        };
        format!(
            "{class}: {masks} masks; held-out IoU {:.3} as shipped, {:.3} adapted: {end}",
            outcome.before, outcome.after
        )
    }
}

/// All that was learnt of a folder.
#[derive(Debug, Default)]
pub struct Report {
    /// Where it was kept.
    pub file: PathBuf,
    pub classes: Vec<Learnt>,
    /// Images that had to be left out, with the reason.
    pub left_out: Vec<String>,
}

/// Fits to the folder's masks, of one class or of all, and keeps in its settings what makes them
/// better. `progress` is told the steps done, and those there are.
pub fn learn(
    folder: &Path,
    class: Option<&str>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    let file = settings::load(folder)?.file;
    let (classes, left_out) = examples_of(folder, class)?;
    let most = classes.values().map(Vec::len).max().unwrap_or(0);
    if most < LEAST_MASKS {
        let folder = folder.to_path_buf();
        return Err(Error::TooFew { folder, most });
    }
    let enough = classes.values().filter(|l| l.len() >= LEAST_MASKS);
    let steps = enough.map(|l| 2 * l.len() as u64).sum();
    let mut done = 0;
    let mut net = ClickNet::open()?;
    let mut report = Report {
        left_out,
        ..Report::default()
    };
    for (class, examples) in classes {
        let outcome = if examples.len() < LEAST_MASKS {
            None
        } else {
            let outcome = fit(&mut net, &examples, &mut || {
                progress(done, steps);
                done += 1;
            })?;
            if let Some(adaptation) = &outcome.adaptation {
                adapted::keep(&file, &class, Some(adaptation))?;
            }
            Some(outcome)
        };
        report.classes.push(Learnt {
            class,
            examples,
            outcome,
        });
    }
    report.file = file;
    Ok(report)
}

/// Does what the person asked for in the app, and says what came of it.
pub fn follow(adapt: &Adapt) -> Result<Adapted, String> {
    let folder = match adapt.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let told = match adapt.lesson {
        Lesson::Learn => learn(folder, None, &mut |_, _| {}).map(|report| {
            let told: Vec<String> = report.classes.iter().map(Learnt::told).collect();
            told.join("; ")
        }),
        Lesson::Forget => revert(&adapt.file, None).map(|classes| match classes.as_slice() {
            [] => "nothing was adapted".into(),
            classes => format!("as shipped again: {}", classes.join(", ")),
        }),
    };
    let told = told.map_err(|why| why.to_string())?;
    let known = settings::adapted(&adapt.file).map_err(|why| why.to_string())?;
    Ok(Adapted { known, told })
}

/// Takes out what was kept, of one class or of all, and tells of which classes.
pub fn revert(file: &Path, class: Option<&str>) -> Result<Vec<String>, Error> {
    let mut classes: Vec<String> = settings::adapted(file)?.into_keys().collect();
    classes.retain(|c| class.is_none_or(|only| c == only));
    for class in &classes {
        adapted::keep(file, class, None)?;
    }
    Ok(classes)
}

type Lessons = BTreeMap<String, Vec<Example>>;

/// The masks of each class that a person stands for, the same ones at every run, and the images
/// that were left out.
fn examples_of(folder: &Path, class: Option<&str>) -> Result<(Lessons, Vec<String>), Error> {
    let choice = Choice {
        classes: class.map(str::to_string).into_iter().collect(),
        ..Choice::default()
    };
    let gathered = gather::gather(folder, &choice)?;
    let mut classes = Lessons::new();
    for image in gathered.set.images {
        for object in image.objects.iter().filter(|o| teaches(o)) {
            let example = Example {
                image: image.source.clone(),
                mask: Arc::clone(&object.mask),
            };
            classes
                .entry(object.class.to_string())
                .or_default()
                .push(example);
        }
    }
    for examples in classes.values_mut() {
        let count = examples.len();
        let mut place = 0;
        // Evenly over the folder.
        examples.retain(|_| {
            place += 1;
            place * MOST_MASKS.min(count) / count > (place - 1) * MOST_MASKS.min(count) / count
        });
    }
    Ok((classes, gathered.left_out))
}

/// Whether a mask shows what the person wants: doubtful ones do not, nor those nobody looked at.
pub fn teaches(object: &Object) -> bool {
    let looked_at = object.verdict == Verdict::Accepted || object.origin.who != "prelabel";
    let doubtful = matches!(object.verdict, Verdict::Rejected | Verdict::Flagged);
    looked_at && !doubtful && object.mask.area() >= 40
}

fn fit(net: &mut ClickNet, examples: &[Example], step: &mut dyn FnMut()) -> Result<Outcome, Error> {
    let sides: Vec<u32> = examples
        .iter()
        .filter_map(|l| l.mask.bounds())
        .map(|bounds| bounds.width().max(bounds.height()))
        .collect();
    let mut at_hand: Option<(PathBuf, Decoded)> = None;
    adapt::adapt(net, &sides, &mut |i| {
        step();
        let example = &examples[i];
        if at_hand
            .as_ref()
            .is_none_or(|(path, _)| *path != example.image)
        {
            at_hand = Some((example.image.clone(), decode::decode(&example.image)?));
        }
        let (_, decoded) = at_hand.as_ref().expect("it was just decoded");
        let size = decoded.image.size();
        if size != example.mask.size() {
            return Err(Error::OtherSize(example.image.clone()));
        }
        Ok(Sample {
            image: Arc::clone(&decoded.image),
            image_key: decoded.key,
            truth: Mask::clone(&example.mask),
            ignored: Mask::empty(size),
        })
    })
}
