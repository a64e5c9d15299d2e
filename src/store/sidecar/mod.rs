//! `photo.termask.json` and `photo.mask.png`: the document beside its image.

mod place;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::place::{MASK, SIDECAR, is_mask_name};
use self::place::{damaged, file_name, head, locate, locate_mask, read_bytes};
pub(super) use self::place::{image_of, mask_paths, may_have_image, raw};
use super::json::{DocumentFile, Encoder, ImageFile};
use super::mask_png::{self, Note, Painter};
use crate::core::document::{Document, Extra};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::printable::{printable, printable_text};
use crate::store::decode::Decoded;
pub use crate::store::error::{Error, Result};
use crate::store::lock::{self, Asked, Lock};
use crate::store::merge;
use crate::store::replace;

/// Whether this person may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Writable,
    /// Somebody else has the image open, or the folder cannot be written.
    ReadOnly {
        why: String,
    },
}

/// The files beside one image, held open by one person.
#[derive(Debug)]
pub struct Sidecar {
    pub access: Access,
    pub path: PathBuf,
    /// `None` where both names belong to files that are not ours.
    pub mask: Option<PathBuf>,
    image: ImageFile,
    /// sha256 of the sidecar as it was last read or written; `None` where there is none.
    on_disk: Option<[u8; 32]>,
    /// What the person's document was when it was last the same as the file.
    base: Document,
    /// The file's document where somebody else's changes went into it.
    merged: Option<Document>,
    notes: Vec<String>,
    encoder: Encoder,
    painter: Painter,
    /// The digest of the objects in the mask file.
    masked: Option<String>,
    lock: Option<Lock>,
}

/// What was found beside the image.
#[derive(Debug)]
pub struct Opened {
    pub sidecar: Sidecar,
    pub history: History<Document>,
    /// What the person should know: a foreign mask left alone, another file's bytes, …
    pub notes: Vec<String>,
}

/// A sidecar file, read and checked.
#[derive(Debug)]
pub struct Read {
    pub path: PathBuf,
    pub image: ImageFile,
    pub history: History<Document>,
    digest: [u8; 32],
}

/// Reads and checks the bytes of a sidecar; the path is only for messages.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Read> {
    let file: DocumentFile =
        serde_json::from_slice(bytes).map_err(|e| damaged(path, &e.to_string()))?;
    let (image, history) = file.decode().map_err(|why| damaged(path, &why))?;
    Ok(Read {
        path: path.to_path_buf(),
        image,
        history,
        digest: Sha256::digest(bytes).into(),
    })
}

/// Reads an image's own sidecar without opening it for changes; `None` where there is none.
pub fn read(image: &Path) -> Result<Option<Read>> {
    let (path, bytes) = locate(image)?;
    bytes.map(|bytes| parse(&path, &bytes)).transpose()
}

/// Whether a mask file of ours says that it was made from these objects, and can be read.
pub(super) fn is_mask_of(path: &Path, read: &Read) -> bool {
    let digest = objects_digest(read.history.now(), &mut Encoder::default());
    let whole = image::open(path).is_ok_and(|mask| {
        let size = read.image.size();
        (mask.width(), mask.height()) == (size.width, size.height)
    });
    whole && mask_png::note(path).is_some_and(|n| n.objects == digest)
}

/// Whether the mask file beside an image is that of its sidecar; a foreign one is left alone.
pub fn is_masked(image: &Path, read: &Read) -> bool {
    let (mask, masked) = locate_mask(image, &mut Vec::new());
    let digest = objects_digest(read.history.now(), &mut Encoder::default());
    mask.is_none() || masked.as_ref() == Some(&digest)
}

/// Writes the mask file anew.
pub(super) fn repaint(path: &Path, read: &Read) -> Result<()> {
    let document = read.history.now();
    let note = Note {
        image: read.image.file.clone(),
        objects: objects_digest(document, &mut Encoder::default()),
    };
    let bytes = mask_bytes(&mut Painter::default(), document, &read.image, &note, path)?;
    replace::write(path, &bytes)
}

impl Sidecar {
    /// Reads what lies beside the image, or an empty document.
    pub fn open(image: &Path, decoded: &Decoded) -> Result<Opened> {
        let mut notes = decoded.notes.clone();
        let (access, lock) = match lock::ask(image) {
            Ok(Asked::Mine(lock)) => (Access::Writable, Some(lock)),
            Ok(Asked::Theirs(owner)) => {
                let why = printable_text(&format!(
                    "{owner} has it open: look only; it can be changed when they have left it"
                ));
                (Access::ReadOnly { why }, None)
            }
            Err(why) => {
                let place = image.parent().filter(|p| !p.as_os_str().is_empty());
                let place = printable(place.unwrap_or_else(|| Path::new(".")));
                let why = format!(
                    "{place} cannot be written ({why}): look only, or copy the folder to annotate"
                );
                (Access::ReadOnly { why }, None)
            }
        };
        let (path, bytes) = locate(image)?;
        let size = decoded.image.size();
        let mut described = ImageFile {
            file: file_name(image),
            width: size.width,
            height: size.height,
            orientation: decoded.orientation,
            sha256: decoded.sha256.clone(),
            extra: Extra::new(),
        };
        let found = bytes.map(|bytes| parse(&path, &bytes)).transpose()?;
        if let Some(found) = &found {
            check_image(found, &described, &mut notes)?;
            described.extra.clone_from(&found.image.extra);
        }
        let (mask, masked) = locate_mask(image, &mut notes);
        if let Some(gone) = lock.as_ref().and_then(|l| l.left_by.as_ref()) {
            notes.push(printable_text(&format!(
                "{gone} ended without closing it: you have it now, with all that was saved"
            )));
        }
        let on_disk = found.as_ref().map(|f| f.digest);
        let history = found.map(|f| f.history).unwrap_or_default();
        let sidecar = Self {
            access,
            path,
            mask,
            image: described,
            on_disk,
            base: history.now().clone(),
            merged: None,
            notes: Vec::new(),
            encoder: Encoder::default(),
            painter: Painter::default(),
            masked,
            lock,
        };
        Ok(Opened {
            sidecar,
            history,
            notes,
        })
    }

    /// Writes document, history and mask atomically: the sidecar first, which the mask can be made
    /// from. What somebody else changed in the file meanwhile is kept, see [`Sidecar::take_merged`].
    pub fn save(&mut self, history: &History<Document>) -> Result<()> {
        if let Access::ReadOnly { why } = &self.access {
            return Err(Error::ReadOnly {
                path: self.path.clone(),
                why: why.clone(),
            });
        }
        if self.lock.as_ref().is_some_and(|l| !l.is_mine()) {
            self.notes
                .push("somebody else took the image over; both write to it now".into());
            self.lock = None;
        }
        let theirs = self.changed_by_others()?;
        let ours = history.now();
        let kept;
        let history = match theirs.as_ref().or(self.merged.as_ref()) {
            Some(theirs) => {
                let (document, notes) = merge::merge(&self.base, ours, theirs);
                self.notes.extend(notes);
                kept = History::resume(
                    history.past().to_vec(),
                    Arc::new(document),
                    history.future().to_vec(),
                );
                &kept
            }
            None => history,
        };
        let bytes = self.encoder.document(&self.image, history);
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if self.on_disk != Some(digest) {
            replace::write(&self.path, &bytes)?;
        }
        self.on_disk = Some(digest);
        if theirs.is_some() || self.merged.is_some() {
            self.merged = Some(history.now().clone());
        }
        self.base = ours.clone();
        self.save_mask(history.now())
    }

    /// The document with somebody else's changes, where there were any, and what to say of them.
    /// The person's own document may go on without it: every save puts both together.
    pub fn take_merged(&mut self) -> Option<(Document, Vec<String>)> {
        let notes = std::mem::take(&mut self.notes);
        self.merged.clone().map(|document| (document, notes))
    }

    /// The file's document, if it is not what was last read or written.
    fn changed_by_others(&mut self) -> Result<Option<Document>> {
        let bytes = read_bytes(&self.path)?;
        let digest = bytes.as_ref().map(|b| <[u8; 32]>::from(Sha256::digest(b)));
        let Some(bytes) = bytes.filter(|_| digest != self.on_disk) else {
            return Ok(None);
        };
        if head(&self.path, &bytes)? != self.image.file {
            // Another image of this stem was saved first: the long name is ours.
            let (path, bytes) = locate(&self.path.with_file_name(&self.image.file))?;
            self.path = path;
            return match bytes {
                Some(bytes) => self.theirs(&bytes).map(Some),
                None => Ok(None),
            };
        }
        self.theirs(&bytes).map(Some)
    }

    fn theirs(&self, bytes: &[u8]) -> Result<Document> {
        let read = parse(&self.path, bytes)?;
        check_image(&read, &self.image, &mut Vec::new())?;
        Ok(read.history.now().clone())
    }

    fn save_mask(&mut self, document: &Document) -> Result<()> {
        let digest = objects_digest(document, &mut self.encoder);
        if self.masked.as_ref() == Some(&digest) {
            return Ok(());
        }
        let Some(path) = self.mask.clone() else {
            return Ok(());
        };
        // Somebody may have put a file there since.
        let image = self.path.with_file_name(&self.image.file);
        if path.exists() && mask_png::note(&path).is_none_or(|n| n.image != self.image.file) {
            (self.mask, self.masked) = locate_mask(&image, &mut self.notes);
            return self.save_mask(document);
        }
        let note = Note {
            image: self.image.file.clone(),
            objects: digest.clone(),
        };
        let bytes = mask_bytes(&mut self.painter, document, &self.image, &note, &path)?;
        replace::write(&path, &bytes)?;
        self.masked = Some(digest);
        Ok(())
    }
}

/// The bytes of a document's mask file.
fn mask_bytes(
    painter: &mut Painter,
    document: &Document,
    image: &ImageFile,
    note: &Note,
    path: &Path,
) -> Result<Vec<u8>> {
    let masks: Vec<Arc<Mask>> = document
        .objects
        .iter()
        .map(|o| Arc::clone(&o.mask))
        .collect();
    let encoded = painter.encode(image.size(), &masks, note);
    encoded.map_err(|e| Error::Image {
        path: path.to_path_buf(),
        why: e.to_string(),
        remedy: "an image may have up to 65,535 objects",
    })
}

/// First 16 hexadecimal digits of a digest over all masks in drawing order.
fn objects_digest(document: &Document, encoder: &mut Encoder) -> String {
    let mut digest = Sha256::new();
    for object in &document.objects {
        digest.update(encoder.string(&object.mask).as_bytes());
        digest.update(b"\n");
    }
    hex::encode(&digest.finalize()[..8])
}

fn check_image(found: &Read, image: &ImageFile, notes: &mut Vec<String>) -> Result<()> {
    let (was, is) = (found.image.size(), image.size());
    if was != is {
        return Err(Error::Sidecar {
            path: found.path.clone(),
            why: format!(
                "it describes an image of {}x{}, the image is {}x{}",
                was.width, was.height, is.width, is.height
            ),
            remedy: "bring back the image it was made for, or move it away to begin anew",
        });
    }
    if found.image.sha256 != image.sha256 {
        notes.push("the image's bytes are not those that were annotated; its size is".into());
    }
    Ok(())
}
