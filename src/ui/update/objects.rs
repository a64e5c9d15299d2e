//! Objects that were accepted: select, edit, delete, join, split, order, class.

use std::sync::Arc;

use crate::core::document::{Draft, Object, Proposal};
use crate::core::mask::Mask;
use crate::store::settings::{Class, class_colour};
use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

impl State {
    pub(super) fn select(&mut self, by: i64) {
        let Some(open) = &mut self.open else { return };
        let count = open.document().objects.len() as i64;
        if count == 0 {
            self.notice = Some(Notice::Info("no objects yet".into()));
            return;
        }
        let next = match open.selected {
            Some(i) => (i as i64 + by).rem_euclid(count),
            None if by > 0 => 0,
            None => count - 1,
        };
        open.selected = Some(next as usize);
        self.cursor_to_selected();
    }

    /// Puts the cursor, and with it the view, on the selected object.
    pub(super) fn cursor_to_selected(&mut self) {
        let bounds = self.selected().and_then(|o| o.mask.bounds());
        if let Some(bounds) = bounds {
            self.jump_to(bounds.centre());
        }
    }

    pub fn selected(&self) -> Option<&Arc<Object>> {
        let open = self.shown()?;
        open.document().objects.get(open.selected?)
    }

    /// The selected object, or the topmost under the cursor.
    pub(super) fn target(&mut self) -> Option<usize> {
        let open = self.open.as_mut()?;
        let under = |o: &Arc<Object>| o.mask.contains(open.cursor);
        let target = open
            .selected
            .or_else(|| open.document().objects.iter().rposition(under));
        if target.is_none() {
            self.notice = Some(Notice::Info(
                "no object here: Tab selects one, or put the cursor on it".into(),
            ));
        }
        target
    }

    /// Takes an object up again as the draft.
    pub(super) fn edit_object(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(at) = self.target() else { return };
        let Some(open) = &mut self.open else { return };
        open.history.step(|d| {
            if let Some((place, object)) = d.draft.replaces.take() {
                d.objects.insert(place.min(d.objects.len()), object);
            }
            let object = d.objects.remove(at);
            d.draft = Draft {
                prompt: object.prompt.clone(),
                proposal: Some(Proposal {
                    mask: Arc::clone(&object.mask),
                    confidence: object.confidence.unwrap_or(0.0),
                    soft: None,
                    threshold: 0.5,
                    origin: object.origin.clone(),
                }),
                answered: true,
                class: Some(Arc::clone(&object.class)),
                replaces: Some((at, object)),
                ..Draft::default()
            };
        });
        open.selected = None;
        if self.mode == Mode::Review {
            self.review.fixing = true;
            self.mode = Mode::Aim;
        }
    }

    pub(super) fn delete_object(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(at) = self.target() else { return };
        let Some(open) = &mut self.open else { return };
        open.history.step(|d| {
            d.objects.remove(at);
        });
        let left = open.document().objects.len();
        open.selected = open.selected.filter(|_| left > 0).map(|i| i.min(left - 1));
        self.notice = Some(Notice::Info("deleted; u brings it back".into()));
    }

    /// Puts two objects together: what `set` makes of the one before and the selected one takes
    /// the place of the one before.
    pub(super) fn combine(&mut self, set: impl FnOnce(&Mask, &Mask) -> Mask, name: &str) {
        if !self.may_write() {
            return;
        }
        let Some(at) = self.target() else { return };
        let Some(open) = &mut self.open else { return };
        let Some(below) = at.checked_sub(1) else {
            let told = format!("no object before this one to {name} with: Tab selects another");
            self.notice = Some(Notice::Info(told));
            return;
        };
        let objects = &open.document().objects;
        let mask = set(&objects[below].mask, &objects[at].mask);
        if mask.is_empty() {
            let told = format!("nothing would be left: {name} keeps both objects");
            self.notice = Some(Notice::Info(told));
            return;
        }
        let now = self.now;
        open.history.step(|d| {
            d.objects.remove(at);
            let lower = Arc::make_mut(&mut d.objects[below]);
            lower.mask = Arc::new(mask);
            lower.changed = now;
        });
        open.selected = Some(below);
    }

    pub(super) fn split_object(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(at) = self.target() else { return };
        let now = self.now;
        let Some(open) = &mut self.open else { return };
        let parts = open.document().objects[at].mask.parts();
        if parts.len() < 2 {
            self.notice = Some(Notice::Info("the object is in one piece".into()));
            return;
        }
        open.history.step(|d| {
            let whole = d.objects.remove(at);
            for (i, part) in parts.into_iter().enumerate() {
                let mut object = (*whole).clone();
                object.mask = Arc::new(part);
                object.changed = now;
                if i > 0 {
                    object.id = d.take_id();
                }
                d.objects.insert(at + i, Arc::new(object));
            }
        });
        open.selected = Some(at);
    }

    pub(super) fn reorder(&mut self, by: i64) {
        if !self.may_write() {
            return;
        }
        let Some(at) = self.target() else { return };
        let Some(open) = &mut self.open else { return };
        let last = open.document().objects.len() as i64 - 1;
        let to = (at as i64 + by).clamp(0, last) as usize;
        if to != at {
            open.history.step(|d| d.objects.swap(at, to));
        }
        open.selected = Some(to);
    }

    /// The class for the selected object, or for the draft and those to come.
    pub(super) fn give_class(&mut self, name: &str) {
        let class: Arc<str> = Arc::from(name);
        let selected = self.shown().and_then(|o| o.selected);
        let Some(open) = &mut self.open else {
            self.class = class;
            return;
        };
        if let Some(at) = selected {
            if open.document().objects[at].class != class && self.may_write() {
                let now = self.now;
                let Some(open) = &mut self.open else { return };
                open.history.step(|d| {
                    let object = Arc::make_mut(&mut d.objects[at]);
                    object.class = class;
                    object.changed = now;
                });
            }
            return;
        }
        if open.document().draft.class.is_some() {
            open.history
                .amend(|d| d.draft.class = Some(Arc::clone(&class)));
        }
        self.class = class;
    }

    /// A class by name; one that is new is added to the folder's settings.
    pub(super) fn choose_class(&mut self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        if self.settings.classes.iter().all(|c| c.name != name) {
            let used = |digit: &u8| {
                let key = Some(*digit);
                self.settings.classes.iter().any(|c| c.hotkey == key)
            };
            let class = Class {
                name: name.into(),
                colour: class_colour(self.settings.classes.len()),
                hotkey: (1..=9).chain([0]).find(|d| !used(d)),
            };
            self.settings.classes.push(class.clone());
            self.new_class = Some(class);
        }
        self.give_class(name);
    }
}
