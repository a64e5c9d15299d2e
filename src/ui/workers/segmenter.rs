//! The engine's thread, and the click net that stands in for it while a picture is being encoded.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::desk::{Desk, Job, Meanwhile};
use super::{Event, caught, tell};
use crate::core::distance::Depths;
use crate::core::document::Proposal;
use crate::core::image::Image;
use crate::segment::classic::snap::snap;
use crate::segment::proposals::{self, propose_everywhere};
use crate::segment::{self, Cancel, Engine, Error};
use crate::ui::action::{Answer, Ask, Hint, Hints, Outcome};

/// Answers with the chosen engine and computes ahead, until the desk is closed.
pub fn answer_all(desk: &Desk, events: &Sender<Event>) {
    let mut name = String::new();
    let mut engine: Opened = None;
    while let Some(job) = desk.next() {
        match job {
            Job::Open(wanted) => {
                name = wanted;
                engine = None;
                match segment::open(&name) {
                    Ok(mut opened) => {
                        tell(events, Outcome::EngineReady(opened.name().into()));
                        if let Some(note) = opened.note() {
                            tell(events, Outcome::Failed(note));
                        }
                        opened.rehearse();
                        engine = Some(opened);
                    }
                    Err(why) => tell(events, Outcome::Failed(why.to_string())),
                }
            }
            Job::Answer(ask) => answer(desk, &name, &mut engine, ask, events),
            Job::Aside(ask) => answer_aside(desk, &name, &mut engine, ask, events),
            Job::Find(hints, cancel) => {
                find(desk, &name, &mut engine, (hints, &cancel), events);
            }
            Job::Prepare((image, key), cancel) => {
                let Some(engine) = engine.as_mut() else {
                    desk.done(key);
                    continue;
                };
                match engine.prepare(&image, key, &cancel) {
                    Err(Error::Cancelled) => desk.stopped(),
                    // What does not work is told when it is asked for.
                    Ok(()) | Err(_) => desk.done(key),
                }
            }
        }
    }
}

type Opened = Option<Box<dyn Engine>>;

/// Does a job with the engine on a picture, which is encoded first. An engine that broke down is
/// not asked again: the next job gets a new one.
fn with_engine<T>(
    desk: &Desk,
    name: &str,
    engine: &mut Opened,
    (path, image, key): (&Path, &Image, u64),
    job: impl FnOnce(&mut dyn Engine) -> Result<T, Error>,
) -> Result<Result<T, Error>, String> {
    let asked = caught("segmenting", path, || {
        let mut fit = match engine.take() {
            Some(engine) => engine,
            None => segment::open(name)?,
        };
        let prepared = fit.prepare(image, key, &desk.start(key));
        let is_ready = prepared.is_ok();
        let result = prepared.and_then(|()| job(fit.as_mut()));
        *engine = Some(fit);
        if is_ready {
            desk.done(key);
        }
        result
    });
    desk.stopped();
    asked
}

fn answer(desk: &Desk, name: &str, engine: &mut Opened, ask: Ask, events: &Sender<Event>) {
    let start = Instant::now();
    let question = &ask.question;
    let picture = (&*ask.path, &*question.image, question.image_key);
    let asked = with_engine(desk, name, engine, picture, |e| e.propose(question));
    match asked {
        Ok(Ok(proposals)) => {
            let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
            let answer = Answer {
                ask,
                proposals,
                milliseconds,
                is_final: true,
            };
            tell(events, Outcome::Proposed(Box::new(answer)));
        }
        Ok(Err(Error::Cancelled)) => {}
        Ok(Err(why)) => tell(events, Outcome::Unanswered(ask.path, why.to_string())),
        Err(why) => tell(events, Outcome::Unanswered(ask.path, why)),
    }
}

fn answer_aside(desk: &Desk, name: &str, engine: &mut Opened, ask: Ask, events: &Sender<Event>) {
    let question = &ask.question;
    let picture = (&*ask.path, &*question.image, question.image_key);
    let found = match with_engine(desk, name, engine, picture, |e| e.propose(question)) {
        Ok(Ok(proposals)) => Ok(proposals),
        Ok(Err(Error::Cancelled)) => return,
        Ok(Err(why)) => Err(why.to_string()),
        Err(why) => Err(why),
    };
    tell(events, Outcome::Aside(Box::new(ask), found));
}

fn find(
    desk: &Desk,
    name: &str,
    engine: &mut Opened,
    (hints, cancel): (Hints, &Cancel),
    events: &Sender<Event>,
) {
    let picture = (&*hints.path, &*hints.image, hints.key);
    let asked = with_engine(desk, name, engine, picture, |e| {
        // A coarser grid than a batch would take: a person waits for the letters.
        let options = proposals::Options {
            seeds: proposals::Seeds::Grid(8),
            ..proposals::Options::default()
        };
        let found = propose_everywhere(e, &hints.image, hints.key, &options, cancel)?;
        let hint = |proposal: Proposal| {
            let (_, at) = Depths::of(&proposal.mask).deepest(&[])?;
            Some(Hint { proposal, at })
        };
        Ok(found.into_iter().filter_map(hint).collect())
    });
    match asked {
        Ok(Ok(found)) => tell(events, Outcome::Hinted(hints, found)),
        Ok(Err(Error::Cancelled)) => {}
        Ok(Err(why)) => tell(events, Outcome::Failed(why.to_string())),
        Err(why) => tell(events, Outcome::Failed(why)),
    }
}

/// Answers with the click net what the engine cannot answer yet, and snaps outlines, until the desk
/// is closed.
pub fn stand_in(desk: &Desk, events: &Sender<Event>) {
    let mut net: Opened = None;
    while let Some(next) = desk.next_meanwhile() {
        match next {
            Meanwhile::StandIn(ask) => {
                if let Some(answer) = meanwhile(&mut net, ask) {
                    tell(events, Outcome::Proposed(Box::new(answer)));
                }
            }
            Meanwhile::Preview(ask) => {
                if let Some(answer) = meanwhile(&mut net, ask) {
                    let is_final = true;
                    let answer = Answer { is_final, ..answer };
                    tell(events, Outcome::Previewed(Box::new(answer)));
                }
            }
            Meanwhile::Snap(asked, cancel) => {
                let snapped = caught("snapping in", &asked.path, || {
                    snap(&asked.image, &asked.mask, &cancel)
                });
                match snapped {
                    Ok(Ok(mask)) => tell(events, Outcome::Snapped(asked, Ok(mask))),
                    Ok(Err(Error::Cancelled)) => {}
                    Ok(Err(why)) => tell(events, Outcome::Snapped(asked, Err(why.to_string()))),
                    Err(why) => tell(events, Outcome::Snapped(asked, Err(why))),
                }
            }
        }
    }
}

/// The click net's answer. The engine's own is on its way: one that fails need not be told.
fn meanwhile(net: &mut Opened, ask: Ask) -> Option<Answer> {
    let start = Instant::now();
    let asked = caught("segmenting", &ask.path, || {
        let mut fit = match net.take() {
            Some(net) => net,
            None => segment::open("click")?,
        };
        let result = fit.propose(&ask.question);
        *net = Some(fit);
        result
    });
    let proposals = asked.ok()?.ok()?;
    Some(Answer {
        ask,
        proposals,
        milliseconds: start.elapsed().as_secs_f64() * 1000.0,
        is_final: false,
    })
}
