//! Two people's changes of one document, put together object by object.

use std::sync::Arc;

use crate::core::document::{Document, Object};

/// What both made of `base`. Where both changed one object in different ways, ours keeps its id and
/// theirs becomes an object of its own that says so.
pub fn merge(base: &Document, ours: &Document, theirs: &Document) -> (Document, Vec<String>) {
    let mut merged = ours.clone();
    let mut notes = Vec::new();
    let find = |document: &Document, id| document.objects.iter().find(|o| o.id == id).cloned();
    for object in &theirs.objects {
        let (was, mine) = (find(base, object.id), find(ours, object.id));
        if was.as_ref() == Some(object) || mine.as_ref() == Some(object) {
            continue;
        }
        let place = merged.objects.iter().position(|o| o.id == object.id);
        match (place, was.is_some() && mine == was) {
            // Ours is as it was: theirs is the newer one.
            (Some(at), true) => merged.objects[at] = Arc::clone(object),
            // New, or removed by us while they worked on it: kept.
            (None, _) => merged.objects.push(Arc::clone(object)),
            (Some(_), false) => {
                notes.push(keep_both(&mut merged, object, was.is_some()));
            }
        }
    }
    merged.objects.retain(|object| {
        // They removed it and we left it as it was.
        let was = find(base, object.id);
        was.as_ref() != Some(object) || theirs.objects.iter().any(|o| o.id == object.id)
    });
    if ours.verdict == base.verdict {
        merged.verdict = theirs.verdict;
    }
    if ours.finished == base.finished {
        merged.finished = theirs.finished;
    }
    if ours.comment == base.comment {
        merged.comment.clone_from(&theirs.comment);
    }
    merged.next_id = ours.next_id.max(theirs.next_id).max(merged.next_id);
    for (key, value) in &theirs.extra {
        merged
            .extra
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    (merged, notes)
}

fn keep_both(merged: &mut Document, theirs: &Object, changed: bool) -> String {
    let id = merged.take_id();
    let note = if changed {
        format!(
            "object {} was changed by {} too: theirs is object {id}",
            theirs.id, theirs.origin.who
        )
    } else {
        format!(
            "{} made an object {} too: it is now object {id}",
            theirs.origin.who, theirs.id
        )
    };
    let mut comment = theirs.comment.clone();
    if changed {
        let gap = if comment.is_empty() { "" } else { "; " };
        comment = format!("{comment}{gap}conflict with object {}", theirs.id);
    }
    merged.objects.push(Arc::new(Object {
        id,
        comment,
        ..theirs.clone()
    }));
    note
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::core::document::Origin;
    use crate::core::geometry::{ImageRect, Size};
    use crate::core::mask::Mask;

    pub fn object(id: u64, x: u32) -> Arc<Object> {
        Arc::new(Object {
            origin: Origin {
                engine: "click".into(),
                model: "ab".into(),
                who: "ann@x".into(),
            },
            confidence: Some(0.5),
            spent: 7,
            changed: 6,
            ..Object::new(
                id,
                "cat",
                Mask::from_rect(Size::new(30, 20), ImageRect::new(x, 2, x + 5, 9)),
                5,
            )
        })
    }

    fn document(objects: &[Arc<Object>]) -> Document {
        Document {
            objects: objects.to_vec(),
            next_id: 10,
            ..Document::default()
        }
    }

    #[test]
    fn changes_of_different_objects_both_stay() {
        let (a, b, c) = (object(1, 0), object(2, 5), object(3, 9));
        let (ours_a, theirs_b) = (object(1, 1), object(2, 6));
        let base = document(&[a, b.clone(), c.clone()]);
        let ours = document(&[ours_a.clone(), b, c]);
        let theirs = document(&[object(1, 0), theirs_b.clone(), object(8, 3)]);
        let (merged, notes) = merge(&base, &ours, &theirs);
        assert_eq!(
            merged.objects,
            [ours_a, theirs_b, object(8, 3)],
            "3 was removed by them"
        );
        assert!(notes.is_empty());
    }

    #[test]
    fn two_changes_of_one_object_are_both_kept_and_told() {
        let base = document(&[object(1, 0)]);
        let (merged, notes) = merge(
            &base,
            &document(&[object(1, 1)]),
            &document(&[object(1, 2)]),
        );
        assert_eq!(merged.objects.len(), 2);
        assert_eq!(merged.objects[0], object(1, 1));
        assert_eq!(merged.objects[1].mask, object(1, 2).mask);
        assert!(merged.objects[1].comment.contains("conflict with object 1"));
        assert!(notes[0].contains("ann@x"), "{notes:?}");
    }

    #[test]
    fn what_one_removed_and_the_other_changed_stays() {
        let base = document(&[object(1, 0), object(2, 0)]);
        let ours = document(&[object(2, 4)]);
        let theirs = document(&[object(1, 3)]);
        let (merged, _) = merge(&base, &ours, &theirs);
        assert_eq!(merged.objects, [object(2, 4), object(1, 3)]);
    }

    #[test]
    fn new_objects_with_one_id_are_told_apart() {
        let base = document(&[]);
        let (merged, _) = merge(
            &base,
            &document(&[object(1, 1)]),
            &document(&[object(1, 2)]),
        );
        let ids: Vec<u64> = merged.objects.iter().map(|o| o.id).collect();
        assert_eq!(ids, [1, 10]);
    }
}
