//! The loop around labelling, as scripts run it: compare, agree, what is next, prelabel.

mod compare;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../harness/mod.rs"]
mod harness;
mod next;
mod prelabel;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use termask::core::document::{Document, Object, Origin};
use termask::core::geometry::{ImageRect, Size};
use termask::core::history::History;
use termask::core::mask::Mask;
use termask::store::decode::decode;
use termask::store::sidecar::Sidecar;

const SIZE: Size = Size::new(60, 40);

/// A black image.
fn photo(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    image::RgbImage::new(SIZE.width, SIZE.height)
        .save(&path)
        .expect("saved");
    path
}

/// A bar over the image's whole height, made by a person.
fn object(id: u64, class: &str, x0: u32, x1: u32) -> Object {
    Object {
        origin: Origin {
            engine: "brush".into(),
            model: String::new(),
            who: "ann@desk".into(),
        },
        ..Object::new(
            id,
            class,
            Mask::from_rect(SIZE, ImageRect::new(x0, 0, x1, SIZE.height)),
            0,
        )
    }
}

/// An image with these objects beside it.
fn labelled(folder: &Path, name: &str, objects: Vec<Object>) -> PathBuf {
    let path = photo(folder, name);
    let document = Document {
        objects: objects.into_iter().map(Arc::new).collect(),
        ..Document::default()
    };
    save(&path, document);
    path
}

fn save(path: &Path, document: Document) {
    let opened = Sidecar::open(path, &decode(path).expect("decoded")).expect("opened");
    let mut sidecar = opened.sidecar;
    sidecar.save(&History::new(document)).expect("saved");
}
