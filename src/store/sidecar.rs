//! `photo.termask.json` and `photo.mask.png`: the document beside its image.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::document::{Document, Verdict};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::printable::printable;
use crate::store::decode::Decoded;
use crate::store::error::{Error, Result};
use crate::store::json::{self, ImageFacts};
use crate::store::mask_png;
use crate::store::replace::replace;

const SIDECAR: &str = "termask.json";
const MASK: &str = "mask.png";

/// Whether this person may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Writable,
    /// Why not, and what to do.
    ReadOnly {
        why: String,
    },
}

/// The files beside one image.
#[derive(Debug)]
pub struct Sidecar {
    pub access: Access,
    facts: ImageFacts,
    /// Where the document lies, or will.
    pub json: PathBuf,
    /// Where the mask lies, or will.
    pub mask: PathBuf,
    /// Hash of the sidecar's bytes as last read or written; `None` where there is no file.
    known: Option<u64>,
    /// The masks in the mask file as last written.
    painted: Option<Vec<Arc<Mask>>>,
}

/// What was found beside the image.
#[derive(Debug)]
pub struct Opened {
    pub sidecar: Sidecar,
    pub history: History<Document>,
    /// What the person should know.
    pub notes: Vec<String>,
}

/// How far an image is, from its sidecar alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub objects: u32,
    pub accepted: u32,
    pub rejected: u32,
    pub flagged: u32,
    pub has_draft: bool,
    pub finished: bool,
}

/// Whether a file's name is that of a mask of ours.
pub fn is_mask_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(&[".", MASK].concat())
}

/// `photo.termask.json`, and for the second image of a stem `photo.png.termask.json`.
fn places(image: &Path, ending: &str) -> [PathBuf; 2] {
    let mut full: OsString = image.file_name().unwrap_or_default().to_os_string();
    full.push(".");
    full.push(ending);
    [image.with_extension(ending), image.with_file_name(full)]
}

fn file_name(image: &Path) -> String {
    let name = image.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A sidecar's bytes, and what they say.
type Found = (Vec<u8>, json::File);

/// The sidecar of an image, parsed; the place where it lies or will lie.
fn find(image: &Path) -> Result<(PathBuf, Option<Found>)> {
    let name = file_name(image);
    let mut free = None;
    for place in places(image, SIDECAR) {
        let text = match fs::read(&place) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                free.get_or_insert(place);
                continue;
            }
            Err(e) => return Err(Error::io(&place, e)),
        };
        let file = json::parse(&text).map_err(|why| Error::Sidecar {
            path: place.clone(),
            why,
            remedy: "mend it or take it away, or use a newer termask",
        })?;
        if file.image.file == name {
            return Ok((place, Some((text, file))));
        }
    }
    match free {
        Some(place) => Ok((place, None)),
        None => Err(Error::Sidecar {
            path: places(image, SIDECAR)[1].clone(),
            why: "it belongs to another image".into(),
            remedy: "rename one of the images",
        }),
    }
}

/// Reads how far an image is; `None` where it has no sidecar of its own.
pub fn progress(image: &Path) -> Result<Option<Progress>> {
    let (_, found) = find(image)?;
    Ok(found.map(|(_, file)| {
        let [unseen, accepted, rejected, flagged] = Verdict::ALL.map(|v| file.count(v));
        Progress {
            objects: unseen + accepted + rejected + flagged,
            accepted,
            rejected,
            flagged,
            has_draft: file.has_draft(),
            finished: file.finished,
        }
    }))
}

impl Sidecar {
    /// Reads what lies beside the image, or begins an empty document. Nothing is written yet.
    pub fn open(image: &Path, decoded: &Decoded) -> Result<Opened> {
        let size = decoded.image.size();
        let facts = ImageFacts {
            file: file_name(image),
            width: size.width,
            height: size.height,
            orientation: decoded.orientation,
            sha256: decoded.sha256.clone(),
        };
        let mut notes = Vec::new();
        let (json, found) = find(image)?;
        let mut known = None;
        let mut document = Document::default();
        if let Some((text, file)) = found {
            if file.image.size() != size {
                return Err(Error::Sidecar {
                    path: json,
                    why: format!(
                        "it was made for {}x{} pixels, the image has {}x{}",
                        file.image.width, file.image.height, size.width, size.height
                    ),
                    remedy: "the image was replaced: bring the old one back, or take the sidecar away",
                });
            }
            if file.image.sha256 != facts.sha256 {
                notes.push("the image's file has changed since it was labelled".into());
            }
            known = Some(hash(&text));
            document = file.into_document().map_err(|why| Error::Sidecar {
                path: json.clone(),
                why,
                remedy: "mend it or take it away",
            })?;
        }
        let mask = mask_place(image, &json, &mut notes)?;
        let access = access(image);
        let sidecar = Self {
            access,
            facts,
            json,
            mask,
            known,
            painted: None,
        };
        Ok(Opened {
            sidecar,
            history: History::new(document),
            notes,
        })
    }

    /// Writes the document, then the mask where objects changed; each atomically.
    pub fn save(&mut self, history: &History<Document>) -> Result<()> {
        let document = history.now();
        let text = json::to_text(document, &self.facts);
        let new = hash(&text);
        if self.known != Some(new) {
            self.notice_others()?;
            replace(&self.json, &text)?;
            self.known = Some(new);
        }
        let masks: Vec<Arc<Mask>> = document
            .objects
            .iter()
            .map(|o| Arc::clone(&o.mask))
            .collect();
        let is_first = self.painted.is_none() && masks.is_empty() && !self.mask.exists();
        if is_first || self.painted.as_ref().is_some_and(|p| same(p, &masks)) {
            return Ok(());
        }
        let bytes = mask_png::encode(self.facts.size(), masks.iter().map(|m| &**m));
        replace(&self.mask, &bytes)?;
        self.painted = Some(masks);
        Ok(())
    }

    /// Refuses to write over what somebody else wrote since.
    fn notice_others(&self) -> Result<()> {
        let there = match fs::read(&self.json) {
            Ok(text) => Some(hash(&text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io(&self.json, e)),
        };
        // A sidecar that was deleted is written anew: the person still has it on the screen.
        if there.is_none() || there == self.known {
            return Ok(());
        }
        Err(Error::Sidecar {
            path: self.json.clone(),
            why: "somebody else changed it meanwhile".into(),
            remedy: "go to another image and back to see their work, then do yours again",
        })
    }
}

fn same(a: &[Arc<Mask>], b: &[Arc<Mask>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The mask lies beside its sidecar under the same name, unless somebody else's file is there.
fn mask_place(image: &Path, json: &Path, notes: &mut Vec<String>) -> Result<PathBuf> {
    let [short, full] = places(image, MASK);
    let wanted = if json == places(image, SIDECAR)[0] {
        [short, full]
    } else {
        [full, short]
    };
    for (i, place) in wanted.iter().enumerate() {
        let may_be_anothers = *place == places(image, MASK)[0] && json != places(image, SIDECAR)[0];
        if may_be_anothers {
            continue;
        }
        if !place.exists() || mask_png::is_ours(place) {
            if i > 0 {
                let note = format!(
                    "{} is not of termask and stays as it is; masks go to {}",
                    printable(Path::new(wanted[0].file_name().unwrap_or_default())),
                    printable(Path::new(place.file_name().unwrap_or_default())),
                );
                notes.push(note);
            }
            return Ok(place.clone());
        }
    }
    Err(Error::Sidecar {
        path: wanted[0].clone(),
        why: "it is not of termask, and no other name is free for the mask".into(),
        remedy: "move it elsewhere",
    })
}

/// Whether files can be made beside the image.
fn access(image: &Path) -> Access {
    let folder = image.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    match tempfile::Builder::new()
        .prefix(".termask-")
        .tempfile_in(folder)
    {
        Ok(_) => Access::Writable,
        // A full disk may have room at the next save.
        Err(e) if e.kind() == std::io::ErrorKind::StorageFull => Access::Writable,
        Err(e) => Access::ReadOnly {
            why: format!("read-only: {}", Error::io(folder, e)),
        },
    }
}
