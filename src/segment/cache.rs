//! Embeddings on the disk: fp16, checked when they are read, bounded, safe for many processes.
//!
//! A file holds one picture's embedding by one model and is named by both. It is written beside and
//! renamed, so that a reader sees all of it or nothing; two that write the same write the same.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use half::f16;
use sha2::{Digest, Sha256};

use crate::segment::sam::Tensor;

/// What a file of this layout begins with; another layout gets another number.
const MAGIC: &[u8; 8] = b"tmskemb1";
/// Bytes of all files together: 4000 pictures of SAM, 1000 of SAM 2.
const MOST_BYTES: u64 = 8 << 30;
const ENDING: &str = "emb";

/// A folder of embeddings.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    most: u64,
}

impl Cache {
    /// The cache of this machine's person; none where there is no home folder.
    pub fn open() -> Option<Self> {
        let folder = crate::segment::runtime::cache_folder()?.join("embeddings");
        Some(Self::in_folder(folder, MOST_BYTES))
    }

    pub fn in_folder(folder: PathBuf, most: u64) -> Self {
        Self { folder, most }
    }

    /// Where an embedding lies, or would.
    pub fn file(&self, model: &str, image_key: u64) -> PathBuf {
        self.folder
            .join(model)
            .join(format!("{image_key:016x}.{ENDING}"))
    }

    pub fn has(&self, model: &str, image_key: u64) -> bool {
        self.file(model, image_key).is_file()
    }

    /// An embedding; none where there is none, or where the file is damaged (it is removed then).
    pub fn read(&self, model: &str, image_key: u64) -> Option<Vec<Tensor>> {
        let file = self.file(model, image_key);
        let bytes = fs::read(&file).ok()?;
        let tensors = unpack(&bytes);
        if tensors.is_none() {
            // Computed again and written anew; a file that cannot be removed is replaced then.
            let _ = fs::remove_file(&file);
        }
        tensors
    }

    /// Keeps an embedding, and removes the oldest ones where the cache is full.
    pub fn write(&self, model: &str, image_key: u64, tensors: &[Tensor]) -> io::Result<()> {
        let file = self.file(model, image_key);
        let folder = file.parent().expect("it was joined to a folder");
        fs::create_dir_all(folder)?;
        let bytes = pack(tensors);
        self.make_room(bytes.len() as u64)?;
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(&bytes)?;
        beside.persist(&file).map_err(|e| e.error)?;
        Ok(())
    }

    /// Bytes that all files take.
    pub fn bytes(&self) -> u64 {
        self.files().iter().map(|f| f.1).sum()
    }

    fn make_room(&self, wanted: u64) -> io::Result<()> {
        let mut files = self.files();
        let mut bytes: u64 = files.iter().map(|f| f.1).sum();
        if bytes + wanted <= self.most {
            return Ok(());
        }
        files.sort_by_key(|f| f.2);
        for (file, size, _) in files {
            if bytes + wanted <= self.most {
                break;
            }
            match fs::remove_file(&file) {
                Ok(()) => bytes -= size,
                // Another process was faster.
                Err(e) if e.kind() == io::ErrorKind::NotFound => bytes -= size,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Path, size and time of every embedding.
    fn files(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let in_folder = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|e| e.path()).collect::<Vec<_>>()
        };
        in_folder(&self.folder)
            .iter()
            .flat_map(|model| in_folder(model))
            .filter(|file| file.extension().is_some_and(|e| e == ENDING))
            .filter_map(|file| {
                let facts = fs::metadata(&file).ok()?;
                Some((file, facts.len(), facts.modified().ok()?))
            })
            .collect()
    }
}

/// Magic, sha256 of the rest, number of tensors; of each its rank, dimensions and halves.
fn pack(tensors: &[Tensor]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((tensors.len() as u32).to_le_bytes());
    for tensor in tensors {
        body.extend((tensor.shape.len() as u32).to_le_bytes());
        for n in &tensor.shape {
            body.extend((*n as u64).to_le_bytes());
        }
        for value in &tensor.values {
            body.extend(f16::from_f32(*value).to_le_bytes());
        }
    }
    [&MAGIC[..], &Sha256::digest(&body)[..], &body].concat()
}

fn unpack(bytes: &[u8]) -> Option<Vec<Tensor>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (digest, body) = rest.split_at_checked(32)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let mut reader = Reader(body);
    let count = reader.number()?;
    let mut tensors = Vec::new();
    for _ in 0..count {
        let rank = reader.number()?;
        let shape: Vec<usize> = (0..rank)
            .map(|_| Some(u64::from_le_bytes(reader.take(8)?.try_into().ok()?) as usize))
            .collect::<Option<_>>()?;
        let size = shape.iter().try_fold(2usize, |n, d| n.checked_mul(*d))?;
        let halves = reader.take(size)?.as_chunks::<2>().0;
        let values = halves.iter().map(|h| f16::from_le_bytes(*h).to_f32());
        tensors.push(Tensor::new(shape, values.collect()));
    }
    Some(tensors)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(value: f32) -> Vec<Tensor> {
        vec![
            Tensor::new([1, 2, 2], vec![value, -1.5, 0.25, 1024.0]),
            Tensor::new([3], vec![1.0, 2.0, 3.0]),
        ]
    }

    #[test]
    fn what_was_written_is_read_by_its_picture_and_its_model_only() {
        let home = tempfile::tempdir().expect("a folder");
        let cache = Cache::in_folder(home.path().into(), 1 << 20);
        cache.write("abc", 7, &tensors(0.5)).expect("written");
        assert_eq!(cache.read("abc", 7), Some(tensors(0.5)));
        assert_eq!(cache.read("abc", 8), None);
        assert_eq!(cache.read("abd", 7), None);
    }

    #[test]
    fn a_damaged_file_is_no_answer_and_is_gone_afterwards() {
        let home = tempfile::tempdir().expect("a folder");
        let cache = Cache::in_folder(home.path().into(), 1 << 20);
        cache.write("abc", 7, &tensors(0.5)).expect("written");
        let file = cache.file("abc", 7);
        let whole = fs::read(&file).expect("there");
        for at in [0, 20, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&file, damaged).expect("written");
            assert_eq!(cache.read("abc", 7), None, "byte {at}");
            assert!(!file.exists());
        }
        fs::write(&file, &whole[..whole.len() / 2]).expect("written");
        assert_eq!(cache.read("abc", 7), None);
    }

    #[test]
    fn a_full_cache_forgets_the_oldest() {
        let home = tempfile::tempdir().expect("a folder");
        let one = pack(&tensors(0.0)).len() as u64;
        let cache = Cache::in_folder(home.path().into(), 3 * one);
        let long_ago = SystemTime::UNIX_EPOCH;
        for key in 0..4 {
            cache
                .write("abc", key, &tensors(key as f32))
                .expect("written");
            let file = fs::File::options()
                .append(true)
                .open(cache.file("abc", key));
            let age = std::time::Duration::from_secs(key);
            file.and_then(|f| f.set_modified(long_ago + age))
                .expect("dated");
        }
        let kept: Vec<u64> = (0..4).filter(|k| cache.has("abc", *k)).collect();
        assert_eq!(kept, [1, 2, 3]);
        assert!(cache.bytes() <= 3 * one);
    }
}
