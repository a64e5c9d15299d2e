//! The images a person named: files, folders, globs.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::core::printable::printable;
use crate::store::decode::ENDINGS;
use crate::store::error::{Error, Result};
use crate::store::pages;
use crate::store::sidecar;

/// Finds the images under `paths` in natural order, a folder at a time, and hands them over in
/// batches, so that the first can be shown while a large tree is still being walked. `found`
/// returns false to stop.
pub fn walk(paths: &[PathBuf], found: &mut dyn FnMut(Vec<PathBuf>) -> bool) -> Result<()> {
    list(paths, Duration::MAX, &mut |_, batch| found(batch))
}

/// The same for a list that is shown while it grows: each batch comes with its place among those
/// that came before. Where reading a folder outlasts the patience, the first image that was found
/// so far comes, and those that belong before it follow.
pub fn list(
    paths: &[PathBuf],
    patience: Duration,
    found: &mut dyn FnMut(usize, Vec<PathBuf>) -> bool,
) -> Result<()> {
    let mut walk = Walk {
        found,
        count: 0,
        until: Instant::now().checked_add(patience),
        above: Vec::new(),
    };
    for path in paths {
        for place in expand(path)? {
            let goes_on = if place.is_dir() {
                // The folder itself must be readable; what is deeper and is not is left out.
                walk.folder(&place).map_err(|e| Error::io(&place, e))?
            } else {
                walk.give(walk.count, pages::all(place))
            };
            if !goes_on {
                return Ok(());
            }
        }
    }
    if walk.count > 0 {
        return Ok(());
    }
    let places: Vec<_> = paths.iter().map(|p| printable(p)).collect();
    Err(Error::NoImages {
        places: places.join(", "),
    })
}

/// A path that exists, or what a pattern matches.
fn expand(path: &Path) -> Result<Vec<PathBuf>> {
    if path.exists() || pages::exists(path) {
        return Ok(vec![path.to_path_buf()]);
    }
    let pattern = path.to_string_lossy();
    let missing = || {
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        Error::io(path, gone)
    };
    if !pattern.contains(['*', '?', '[']) {
        return Err(missing());
    }
    let matches = glob::glob(&pattern).map_err(|_| missing())?;
    let mut places: Vec<PathBuf> = matches
        .flatten()
        .filter(|p| p.is_dir() || is_image(p))
        .collect();
    places.sort_by(|a, b| natural(a, b));
    Ok(places)
}

/// How many images go over at once.
const BATCH: usize = 4096;

/// What is known of a folder on the way down to one within it: links may lead back.
type Identity = (u64, u64);

/// Walks folders, files before folders, both in natural order.
struct Walk<'a> {
    found: &'a mut dyn FnMut(usize, Vec<PathBuf>) -> bool,
    /// How many images were handed over.
    count: usize,
    /// When the first image is due; `None` where nobody waits for it.
    until: Option<Instant>,
    above: Vec<Identity>,
}

impl Walk<'_> {
    fn give(&mut self, place: usize, batch: Vec<PathBuf>) -> bool {
        self.count += batch.len();
        batch.is_empty() || (self.found)(place, batch)
    }

    /// False where nobody wants more.
    fn folder(&mut self, folder: &Path) -> io::Result<bool> {
        let identity = identity(folder)?;
        if self.above.contains(&identity) {
            return Ok(true);
        }
        let begin = self.count;
        let Some(mut names) = self.names(folder)? else {
            return Ok(false);
        };
        let (before, first, after) = names.sorted();
        let pages = first.map(|name| pages::all(folder.join(name)).split_off(1));
        if !self.images(folder, before, begin)
            || !self.give(self.count, pages.unwrap_or_default())
            || !self.images(folder, after, self.count)
        {
            return Ok(false);
        }
        let mut folders = names.folders;
        drop(names.images);
        folders.sort_by(|a, b| natural(a, b));
        self.above.push(identity);
        for name in folders {
            if let Ok(false) = self.folder(&folder.join(name)) {
                return Ok(false);
            }
        }
        self.above.pop();
        Ok(true)
    }

    /// Reads a folder and hands over its first image, if it is the first of all; `None` where nobody
    /// wants more.
    fn names(&mut self, folder: &Path) -> io::Result<Option<Names>> {
        let mut names = Names::default();
        for (i, entry) in fs::read_dir(folder)?.flatten().enumerate() {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match kind_of(&entry) {
                Some(Kind::Folder) => names.folders.push(name),
                Some(Kind::File) if is_image(Path::new(&name)) => {
                    let is_before = |f: &OsString| natural(&name, f) == Ordering::Less;
                    // Sorting a million names takes seconds, finding the first one does not.
                    if self.count == 0 && names.first.as_ref().is_none_or(is_before) {
                        names.first = Some(name.clone());
                    }
                    names.images.push(name);
                }
                _ => {}
            }
            let is_due = || self.until.is_some_and(|until| until < Instant::now());
            if i % 256 == 0 && is_due() && !self.first(folder, &names) {
                return Ok(None);
            }
        }
        Ok(self.first(folder, &names).then_some(names))
    }

    /// Hands over the first image of all, if that was not done yet.
    fn first(&mut self, folder: &Path, names: &Names) -> bool {
        let first = names.first.iter().filter(|_| self.count == 0);
        let first = first.map(|name| folder.join(name)).collect();
        self.give(0, first)
    }

    /// Hands over a folder's images, which belong at this place and behind it.
    fn images(&mut self, folder: &Path, names: &[OsString], mut place: usize) -> bool {
        names.chunks(BATCH).all(|batch| {
            let images = batch.par_iter().flat_map(|n| pages::all(folder.join(n)));
            let images: Vec<PathBuf> = images.collect();
            place += images.len();
            self.give(place - images.len(), images)
        })
    }
}

/// What lies in one folder.
#[derive(Default)]
struct Names {
    images: Vec<OsString>,
    folders: Vec<OsString>,
    /// The image that was handed over before the others.
    first: Option<OsString>,
}

impl Names {
    /// The images in natural order: those before the one that was handed over, it, those after it.
    fn sorted(&mut self) -> (&[OsString], Option<&OsString>, &[OsString]) {
        self.images.par_sort_unstable_by(|a, b| natural(a, b));
        let place = |first| self.images.binary_search_by(|name| natural(name, first));
        let Some(at) = self.first.as_ref().and_then(|first| place(first).ok()) else {
            return (&self.images, None, &[]);
        };
        let (before, rest) = self.images.split_at(at);
        (before, rest.first(), &rest[1..])
    }
}

enum Kind {
    File,
    Folder,
}

/// What an entry is, or what the link that it is leads to.
fn kind_of(entry: &fs::DirEntry) -> Option<Kind> {
    let mut kind = entry.file_type().ok()?;
    if kind.is_symlink() {
        kind = fs::metadata(entry.path()).ok()?.file_type();
    }
    let file = kind.is_file().then_some(Kind::File);
    file.or_else(|| kind.is_dir().then_some(Kind::Folder))
}

#[cfg(unix)]
fn identity(folder: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let info = fs::metadata(folder)?;
    Ok((info.dev(), info.ino()))
}

#[cfg(not(unix))]
fn identity(folder: &Path) -> io::Result<Identity> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    fs::canonicalize(folder)?.hash(&mut hasher);
    Ok((0, hasher.finish()))
}

fn natural(a: impl AsRef<OsStr>, b: impl AsRef<OsStr>) -> Ordering {
    let (a, b) = (a.as_ref(), b.as_ref());
    natord::compare(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b))
}

/// By its ending; masks of ours are none.
pub fn is_image(path: &Path) -> bool {
    let (path, _) = pages::split(path);
    let is_known = |ending: &OsStr| ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e));
    path.extension().is_some_and(is_known) && !sidecar::is_mask_name(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[PathBuf]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        walk(paths, &mut |batch| {
            names.extend(batch.iter().map(|p| {
                let name = p.file_name().expect("a file has a name");
                name.to_string_lossy().into_owned()
            }));
            true
        })?;
        Ok(names)
    }

    #[test]
    fn a_folder_is_walked_in_natural_order_without_masks_and_hidden_files() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b10.png", "b9.JPG", "b9.mask.png", ".c.png", "notes.txt"] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        std::fs::create_dir(folder.path().join("a")).expect("made");
        std::fs::write(folder.path().join("a/z.webp"), "x").expect("written");
        let loop_at = folder.path().join("a/loop");
        std::os::unix::fs::symlink(folder.path(), loop_at).expect("linked");
        let names = found(&[folder.path().to_path_buf()]).expect("walked");
        assert_eq!(names, ["b9.JPG", "b10.png", "z.webp"]);
        let pattern = folder.path().join("b1*.png");
        assert_eq!(found(&[pattern]).expect("matched"), ["b10.png"]);
    }

    #[test]
    fn the_first_image_comes_alone_and_all_come_once_in_natural_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |i: usize| format!("{}.png", i * 7919 % 9001);
        for i in 0..9001 {
            std::fs::write(folder.path().join(name(i)), "").expect("written");
        }
        let mut batches: Vec<Vec<PathBuf>> = Vec::new();
        walk(&[folder.path().to_path_buf()], &mut |batch| {
            batches.push(batch);
            true
        })
        .expect("walked");
        assert_eq!(batches[0], [folder.path().join("0.png")]);
        let all = batches.concat();
        let expected = (0..9001).map(|i| folder.path().join(format!("{i}.png")));
        assert_eq!(all, expected.collect::<Vec<_>>());
    }

    #[test]
    fn an_image_that_comes_before_the_folder_is_read_gets_the_others_around_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |i: usize| folder.path().join(format!("{i}.png"));
        for i in 0..9001 {
            std::fs::write(path(i * 7919 % 9001), "").expect("written");
        }
        let (mut all, mut first) = (Vec::new(), None);
        list(
            &[folder.path().to_path_buf()],
            Duration::ZERO,
            &mut |place, batch| {
                first.get_or_insert_with(|| batch.clone());
                all.splice(place..place, batch);
                true
            },
        )
        .expect("walked");
        assert_eq!(first.map(|f| f.len()), Some(1));
        assert_eq!(all, (0..9001).map(path).collect::<Vec<_>>());
    }

    #[test]
    fn a_folder_without_images_and_a_missing_file_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = found(&[folder.path().to_path_buf()]).expect_err("nothing there");
        assert!(empty.to_string().contains("no images under"), "{empty}");
        let gone = found(&[folder.path().join("gone.png")]).expect_err("nothing there");
        assert!(gone.to_string().contains("gone.png"), "{gone}");
    }
}
