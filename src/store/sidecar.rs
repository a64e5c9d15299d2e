//! `photo.termask.json` and `photo.mask.png`: the document beside its image.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::json::{DocumentFile, Encoder, Head, ImageFile, VERSION};
use super::mask_png::{self, Note};
use crate::core::document::{Document, Extra};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::printable::{printable, printable_text};
use crate::store::decode::{Decoded, ENDINGS};
pub use crate::store::error::{Error, Result};
use crate::store::lock::{self, Asked, Lock};
use crate::store::merge;
use crate::store::replace;

/// How the names of sidecars and masks end.
pub const SIDECAR: &str = ".termask.json";
pub const MASK: &str = ".mask.png";

/// A larger file is no sidecar of ours.
const MOST_BYTES: u64 = 1 << 30;

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

/// Whether a name is that of a mask file.
pub fn is_mask_name(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|n| n.to_string_lossy().ends_with(MASK))
}

/// `photo` + ending and `photo.jpg` + ending.
fn names(image: &Path, ending: &str) -> [PathBuf; 2] {
    let name = |part: Option<&std::ffi::OsStr>| {
        let mut name = OsString::from(part.unwrap_or_default());
        name.push(ending);
        image.with_file_name(name)
    };
    [name(image.file_stem()), name(image.file_name())]
}

fn file_name(image: &Path) -> String {
    image
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(info) if info.len() > MOST_BYTES => Err(damaged(
            path,
            &format!("it has {} bytes, more than any sidecar", info.len()),
        )),
        Ok(_) => fs::read(path).map(Some).map_err(|e| Error::io(path, e)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io(path, why)),
    }
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::Sidecar {
        path: path.to_path_buf(),
        why: printable_text(why),
        remedy: "bring back a copy of it, or move it away to begin anew",
    }
}

/// Reads and checks the bytes of a sidecar.
fn parse(path: &Path, bytes: &[u8]) -> Result<Read> {
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

/// The name of the image that a sidecar is for, and whether we can read the rest.
fn head(path: &Path, bytes: &[u8]) -> Result<String> {
    let head: Head = serde_json::from_slice(bytes).map_err(|e| damaged(path, &e.to_string()))?;
    if head.version > VERSION {
        return Err(Error::Sidecar {
            path: path.to_path_buf(),
            why: format!(
                "it is of version {}, this termask reads up to {VERSION}",
                head.version
            ),
            remedy: "update termask",
        });
    }
    Ok(head.image.file)
}

/// Where an image's sidecar lies or would lie, and its bytes.
fn locate(image: &Path) -> Result<(PathBuf, Option<Vec<u8>>)> {
    let ours = file_name(image);
    let [short, long] = names(image, SIDECAR);
    if let Some(bytes) = read_bytes(&long)? {
        let theirs = head(&long, &bytes)?;
        if theirs == ours {
            return Ok((long, Some(bytes)));
        }
        return Err(damaged(&long, &format!("it is the sidecar of {theirs:?}")));
    }
    let Some(bytes) = read_bytes(&short)? else {
        return Ok((short, None));
    };
    if head(&short, &bytes)? == ours {
        return Ok((short, Some(bytes)));
    }
    Ok((long, None))
}

/// Reads an image's own sidecar without opening it for changes; `None` where there is none.
pub fn read(image: &Path) -> Result<Option<Read>> {
    let (path, bytes) = locate(image)?;
    bytes.map(|bytes| parse(&path, &bytes)).transpose()
}

/// The bytes of an image's own sidecar.
pub(super) fn raw(image: &Path) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let (path, bytes) = locate(image)?;
    Ok(bytes.map(|bytes| (path, bytes)))
}

/// The names that an image's mask may have.
pub(super) fn mask_paths(image: &Path) -> [PathBuf; 2] {
    names(image, MASK)
}

/// The image that a sidecar file is for.
pub(super) fn image_of(sidecar: &Path) -> Result<String> {
    let bytes = read_bytes(sidecar)?.unwrap_or_default();
    head(sidecar, &bytes)
}

/// Whether an image lies beside a sidecar whose content does not tell.
pub(super) fn may_have_image(sidecar: &Path) -> bool {
    let name = sidecar.to_string_lossy();
    let stem = name.strip_suffix(SIDECAR).unwrap_or(&name);
    let named = |ending: &str| Path::new(&format!("{stem}.{ending}")).is_file();
    Path::new(stem).is_file() || ENDINGS.iter().any(|e| named(e) || named(&e.to_uppercase()))
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

/// Writes the mask file anew.
pub(super) fn repaint(path: &Path, read: &Read) -> Result<()> {
    let document = read.history.now();
    let note = Note {
        image: read.image.file.clone(),
        objects: objects_digest(document, &mut Encoder::default()),
    };
    replace::write(path, &mask_bytes(document, read.image.size(), &note, path)?)
}

/// The mask file that is ours or free; notes tell of those that are not.
fn locate_mask(image: &Path, notes: &mut Vec<String>) -> (Option<PathBuf>, Option<String>) {
    let ours = file_name(image);
    for path in names(image, MASK) {
        if fs::symlink_metadata(&path).is_err() {
            return (Some(path), None);
        }
        match mask_png::note(&path) {
            Some(note) if note.image == ours => return (Some(path), Some(note.objects)),
            Some(_) => {}
            None => notes.push(format!(
                "{} is not from termask and is left alone",
                printable(&path)
            )),
        }
    }
    (None, None)
}

impl Sidecar {
    /// Reads what lies beside the image, or an empty document.
    pub fn open(image: &Path, decoded: &Decoded) -> Result<Opened> {
        let mut notes = Vec::new();
        let (access, lock) = match lock::ask(image) {
            Ok(Asked::Mine(lock)) => (Access::Writable, Some(lock)),
            Ok(Asked::Theirs(owner)) => {
                let why = printable_text(&format!("{owner} has it open"));
                (Access::ReadOnly { why }, None)
            }
            Err(why) => {
                let why = format!("the folder cannot be written: {why}");
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
        replace::write(
            &path,
            &mask_bytes(document, self.image.size(), &note, &path)?,
        )?;
        self.masked = Some(digest);
        Ok(())
    }
}

/// The bytes of a document's mask file.
fn mask_bytes(
    document: &Document,
    size: crate::core::geometry::Size,
    note: &Note,
    path: &Path,
) -> Result<Vec<u8>> {
    let masks: Vec<Arc<Mask>> = document
        .objects
        .iter()
        .map(|o| Arc::clone(&o.mask))
        .collect();
    mask_png::encode(size, &masks, note).map_err(|e| Error::Image {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Size;
    use crate::core::image::Image;
    use crate::store::merge::tests::object;

    fn decoded() -> Decoded {
        Decoded {
            image: Arc::new(Image::from_rgb(Size::new(30, 20), vec![0; 1800])),
            orientation: 6,
            sha256: "ab".into(),
            key: 1,
        }
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("read");
        let mut names: Vec<String> = entries
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|n| !n.contains(".lock"))
            .collect();
        names.sort();
        names
    }

    fn saved(image: &Path, objects: &[u64]) -> (Sidecar, History<Document>) {
        let opened = Sidecar::open(image, &decoded()).expect("opened");
        let (mut sidecar, mut history) = (opened.sidecar, opened.history);
        for id in objects {
            history.step(|d| d.objects.push(object(*id, *id as u32)));
        }
        sidecar.save(&history).expect("saved");
        (sidecar, history)
    }

    #[test]
    fn everything_is_there_again_with_its_undo_and_redo() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("photo.jpg");
        let (mut sidecar, mut history) = saved(&image, &[1, 2, 3]);
        history.step(|d| {
            d.draft.painted = Some(Arc::clone(&d.objects[0].mask));
            d.draft.replaces = Some((1, d.objects.remove(1)));
            d.comment = "hm\u{1b}".into();
        });
        history.step(|d| d.finished = true);
        history.undo();
        sidecar.save(&history).expect("saved");
        drop(sidecar);
        let mut again = Sidecar::open(&image, &decoded()).expect("opened").history;
        assert_eq!(again.now(), history.now());
        assert!(again.redo() && again.now().finished);
        for length in [2, 3, 2, 1, 0] {
            again.undo();
            let undone = again.now().objects.len();
            assert_eq!(undone, length);
        }
        assert_eq!(
            names_in(folder.path()),
            ["photo.mask.png", "photo.termask.json"]
        );
    }

    #[test]
    fn fields_of_others_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("photo.jpg");
        let path = saved(&image, &[1]).0.path.clone();
        let text = fs::read_to_string(&path).expect("read");
        let text = text.replacen('{', "{\"weather\":{\"rain\":true},", 1);
        fs::write(
            &path,
            text.replacen("{\"id\"", "{\"colour\":\"red\",\"id\"", 1),
        )
        .expect("written");
        let opened = Sidecar::open(&image, &decoded()).expect("opened");
        let (mut sidecar, mut history) = (opened.sidecar, opened.history);
        history.step(|d| d.finished = true);
        sidecar.save(&history).expect("saved");
        let text = fs::read_to_string(&path).expect("read");
        assert!(
            text.contains("\"weather\":{\"rain\":true}") && text.contains("\"colour\":\"red\"")
        );
    }

    #[test]
    fn two_images_of_one_stem_keep_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let (jpg, png) = (folder.path().join("a.jpg"), folder.path().join("a.png"));
        // Both are open before either is saved.
        let mut late = Sidecar::open(&png, &decoded()).expect("opened");
        saved(&jpg, &[1]);
        late.history.step(|d| d.objects.push(object(7, 3)));
        late.sidecar.save(&late.history).expect("saved");
        let files = [
            "a.mask.png",
            "a.png.mask.png",
            "a.png.termask.json",
            "a.termask.json",
        ];
        assert_eq!(names_in(folder.path()), files);
        let read = read(&jpg).expect("read").expect("there");
        assert_eq!(read.history.now().objects, [object(1, 1)]);
    }

    #[test]
    fn a_foreign_mask_is_left_alone_and_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mask = folder.path().join("a.mask.png");
        fs::write(&mask, "theirs").expect("written");
        let opened = Sidecar::open(&folder.path().join("a.jpg"), &decoded()).expect("opened");
        assert!(opened.notes[0].contains("a.mask.png"), "{:?}", opened.notes);
        drop(opened);
        saved(&folder.path().join("a.jpg"), &[1]);
        assert_eq!(fs::read(&mask).expect("read"), b"theirs");
        assert!(folder.path().join("a.jpg.mask.png").exists());
    }

    #[test]
    fn damaged_newer_and_foreign_sidecars_are_told_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.jpg");
        let path = saved(&image, &[1]).0.path.clone();
        let good = fs::read_to_string(&path).expect("read");
        for (bad, says) in [
            (good[..good.len() / 2].to_owned(), "line 1 column"),
            (
                good.replace("\"version\":1", "\"version\":2"),
                "update termask",
            ),
            (
                good.replace("\"width\":30", "\"width\":31"),
                "its mask is 30x20",
            ),
            (
                good.replacen("\"counts\":\"", "\"counts\":\"0", 1),
                "object 1",
            ),
            ("[".repeat(100_000), "move it away"),
            (String::new(), "move it away"),
        ] {
            fs::write(&path, &bad).expect("written");
            let why = Sidecar::open(&image, &decoded())
                .expect_err("bad")
                .to_string();
            assert!(
                why.contains("a.termask.json") && why.contains(says),
                "{why}"
            );
            assert_eq!(fs::read_to_string(&path).expect("read"), bad);
        }
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.jpg");
        let (mut mine, mut history) = saved(&image, &[1, 2]);
        let other = tempfile::tempdir().expect("a folder");
        let (theirs, _) = saved(&other.path().join("a.jpg"), &[1, 2, 5]);
        fs::copy(&theirs.path, &mine.path).expect("written by another computer");
        history.step(|d| d.objects.push(object(3, 3)));
        mine.save(&history).expect("saved");
        let ids = |image: &Path| -> Vec<u64> {
            let read = read(image).expect("read").expect("there");
            read.history.now().objects.iter().map(|o| o.id).collect()
        };
        assert_eq!(ids(&image), [1, 2, 3, 5]);
        history.step(|d| d.objects.push(object(4, 4)));
        mine.save(&history).expect("saved");
        assert_eq!(
            ids(&image),
            [1, 2, 3, 4, 5],
            "the person's document never had 5"
        );
    }

    #[test]
    fn the_second_person_reads_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.jpg");
        let (_first, history) = saved(&image, &[1]);
        let mut second = Sidecar::open(&image, &decoded()).expect("opened").sidecar;
        assert!(matches!(&second.access, Access::ReadOnly { why } if why.contains("has it open")));
        assert!(second.save(&history).is_err());
    }
}
