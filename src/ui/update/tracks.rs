//! Objects carried over from the image before: in place, or found again by the engine.

use std::sync::Arc;

use crate::core::document::{Object, Origin, Proposal, Verdict};
use crate::core::geometry::{ImageRect, Size};
use crate::core::prompt::Prompt;
use crate::core::review::scatter;
use crate::segment::Question;
use crate::ui::action::{Ask, Tracks};
use crate::ui::mode::Notice;
use crate::ui::state::{Refinding, State};

/// How far an object may have moved, as a share of its box's sides.
const REACH: f64 = 0.1;
/// And in pixels, at least.
const NEAREST: f64 = 2.0;

impl State {
    /// Copies the objects of the image before to the same place, if it has the same size.
    pub(super) fn copy_previous(&mut self) {
        let Some(objects) = self.carried() else {
            return;
        };
        let now = self.now;
        let Some(open) = &mut self.open else { return };
        let size = open.decoded.image.size();
        let fitting: Vec<_> = objects.iter().filter(|o| o.mask.size() == size).collect();
        if fitting.is_empty() {
            let told = "the image before has another size: Y finds its objects again";
            self.notice = Some(Notice::Info(told.into()));
            return;
        }
        let count = fitting.len();
        open.history.step(|d| {
            for object in fitting {
                let id = d.take_id();
                d.objects.push(Arc::new(Object {
                    id,
                    verdict: Verdict::Unseen,
                    origin: Origin {
                        engine: "copy".into(),
                        ..object.origin.clone()
                    },
                    created: now,
                    changed: now,
                    spent: 0,
                    ..(**object).clone()
                }));
            }
        });
        let objects = objects_in_words(count);
        self.notice = Some(Notice::Info(format!("{objects} copied")));
    }

    /// Lets the engine look for the objects of the image before, each in its box there with some
    /// room around it. Keys go on working meanwhile.
    pub(super) fn refind_previous(&mut self) {
        if self.shown().is_some_and(|o| o.refinding.is_some()) {
            self.tell_search();
            return;
        }
        let Some(objects) = self.carried() else {
            return;
        };
        let Some(open) = &mut self.open else { return };
        let size = open.decoded.image.size();
        let wanted = objects.into_iter().filter_map(|object| {
            let place = near(object.mask.bounds()?, object.mask.size(), size)?;
            Some((object, place))
        });
        open.refinding = Some(Refinding {
            wanted: wanted.collect(),
            found: Vec::new(),
        });
        self.tell_search();
        self.end_search();
    }

    /// The objects of the image before that are not here yet, each with a track. Tells why there
    /// are none.
    fn carried(&mut self) -> Option<Vec<Arc<Object>>> {
        if !self.may_write() {
            return None;
        }
        let told = |told: &str| Some(Notice::Info(told.into()));
        let before = self.before.clone();
        let Some(before) = before.filter(|b| !b.document.objects.is_empty()) else {
            self.notice = told("the image before has no objects");
            return None;
        };
        let tracks = self.tracks.clone().filter(|t| t.path == before.path);
        let mut given = tracks.map(|t| t.given.clone()).unwrap_or_default();
        let start = given.len();
        let mut objects = before.document.objects.clone();
        for object in &mut objects {
            let known = given.iter().find(|(id, _)| *id == object.id).map(|g| g.1);
            let track = object.track.or(known).unwrap_or_else(|| {
                // 53 bits: what every reader of JSON keeps.
                let track = scatter(self.at, object.id, self.now as u64) >> 11;
                given.push((object.id, track));
                track
            });
            Arc::make_mut(object).track = Some(track);
        }
        if given.len() > start {
            self.tracks = Some(Arc::new(Tracks {
                path: before.path.clone(),
                decoded: before.decoded.clone(),
                given,
            }));
        }
        let here = &self.shown()?.document().objects;
        objects.retain(|o| here.iter().all(|h| h.track != o.track));
        if objects.is_empty() {
            self.notice = told("all objects of the image before are here already");
            return None;
        }
        Some(objects)
    }

    /// The next question of a search for the objects of the image before.
    pub(in crate::ui) fn sought(&self) -> Option<Ask> {
        let open = self.shown()?;
        let search = open.refinding.as_ref()?;
        let (object, place) = search.wanted.get(search.found.len())?;
        let prompt = Prompt {
            rect: Some(*place),
            clicks: Vec::new(),
        };
        Some(Ask {
            path: open.path.clone(),
            question: Question {
                adaptation: self.settings.adapted.get(&*object.class).cloned(),
                ..Question::new(&open.decoded.image, open.decoded.key, prompt)
            },
            attempt: self.attempt,
        })
    }

    /// Takes in what the engine found, if it is what is looked for just now.
    pub(super) fn refound(&mut self, asked: &Ask, found: Result<Vec<Proposal>, String>) {
        if self.sought().as_ref() != Some(asked) {
            return;
        }
        let open = self.open.as_mut();
        let Some(search) = open.and_then(|o| o.refinding.as_mut()) else {
            return;
        };
        let best = found.map(|all| all.into_iter().find(|p| !p.mask.is_empty()));
        let why = best.as_ref().err().cloned();
        search.found.push(best.unwrap_or_default());
        self.tell_search();
        self.end_search();
        // Told last: it may be the reason why fewer were found.
        if let Some(why) = why {
            self.notice = Some(Notice::Problem(why));
        }
    }

    fn tell_search(&mut self) {
        let Some(search) = self.shown().and_then(|o| o.refinding.as_ref()) else {
            return;
        };
        self.notice = Some(Notice::Info(format!(
            "looking for the objects of the image before: {} of {}; esc stops",
            search.found.len(),
            search.wanted.len()
        )));
    }

    /// Puts what was found into the document, once all was looked for: one step of undo.
    fn end_search(&mut self) {
        let now = self.now;
        let is_over = |s: &Refinding| s.found.len() == s.wanted.len();
        let Some(open) = self.open.as_mut() else {
            return;
        };
        if !open.refinding.as_ref().is_some_and(is_over) {
            return;
        }
        let Some(search) = open.refinding.take().filter(|_| self.may_write()) else {
            return;
        };
        let Some(open) = &mut self.open else { return };
        let all = search.wanted.len();
        let pairs = search.wanted.into_iter().zip(search.found);
        let found: Vec<_> = pairs.filter_map(|(w, f)| Some((w, f?))).collect();
        let count = found.len();
        if count > 0 {
            open.history.step(|d| {
                for ((object, place), proposal) in found {
                    let id = d.take_id();
                    d.objects
                        .push(Arc::new(again(&object, place, proposal, id, now)));
                }
            });
        }
        let objects = objects_in_words(all);
        self.notice = Some(Notice::Info(format!(
            "{count} of {objects} found again, to be reviewed; {} takes them back",
            self.keymap.first("undo")
        )));
    }
}

/// The object as the engine found it on the next image: nobody has seen it yet.
fn again(object: &Object, place: ImageRect, found: Proposal, id: u64, now: i64) -> Object {
    Object {
        track: object.track,
        prompt: Prompt {
            rect: Some(place),
            clicks: Vec::new(),
        },
        origin: Origin {
            who: Origin::REFIND.into(),
            ..found.origin
        },
        confidence: Some(found.confidence),
        ..Object::new(id, Arc::clone(&object.class), found.mask, now)
    }
}

/// Where to look for what had these bounds on an image of another size, perhaps.
fn near(bounds: ImageRect, from: Size, to: Size) -> Option<ImageRect> {
    let along = |low: u32, high: u32, from: u32, to: u32| {
        let scale = f64::from(to) / f64::from(from);
        let (low, high) = (f64::from(low) * scale, f64::from(high) * scale);
        let room = (REACH * (high - low)).max(NEAREST);
        let low = (low - room).floor().max(0.0) as u32;
        (low, ((high + room).ceil() as u32).min(to))
    };
    let (x0, x1) = along(bounds.x0, bounds.x1, from.width, to.width);
    let (y0, y1) = along(bounds.y0, bounds.y1, from.height, to.height);
    let place = ImageRect::new(x0, y0, x1, y1);
    (!place.is_empty()).then_some(place)
}

fn objects_in_words(count: usize) -> String {
    match count {
        1 => "1 object".into(),
        n => format!("{n} objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_looked_for_around_its_place_and_within_the_image() {
        let (small, large) = (Size::new(200, 100), Size::new(400, 200));
        let rect = ImageRect::new(0, 40, 100, 60);
        assert_eq!(
            near(rect, small, small),
            Some(ImageRect::new(0, 38, 110, 62))
        );
        assert_eq!(
            near(rect, small, large),
            Some(ImageRect::new(0, 76, 220, 124))
        );
    }
}
