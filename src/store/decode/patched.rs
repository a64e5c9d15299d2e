//! A file's bytes, read as if some of them were others.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// A file with other bytes laid over it: readers that know only the first page of a file, or not
/// its kind of colours, are told what they know.
#[derive(Debug)]
pub struct Patched<R> {
    file: R,
    at: u64,
    patches: Vec<(u64, Vec<u8>)>,
}

impl<R: BufRead + Seek> Patched<R> {
    /// From the beginning of the file on.
    pub fn new(mut file: R) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self {
            file,
            at: 0,
            patches: Vec::new(),
        })
    }

    /// Lays `others` over the bytes from `at` on.
    #[must_use]
    pub fn with(mut self, at: u64, others: Vec<u8>) -> Self {
        self.patches.push((at, others));
        self
    }

    /// The patch at this place, from there on.
    fn patch(&self, at: u64) -> Option<&[u8]> {
        let from = |(from, others): &(u64, Vec<u8>)| {
            let passed = usize::try_from(at.checked_sub(*from)?).ok()?;
            (passed < others.len()).then_some(passed)
        };
        let found = self.patches.iter().find_map(|p| Some((p, from(p)?)));
        found.map(|((_, others), passed)| &others[passed..])
    }
}

impl<R: BufRead + Seek> BufRead for Patched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.patch(self.at).is_some() {
            return Ok(self.patch(self.at).expect("just found"));
        }
        let starts = self.patches.iter().map(|(from, _)| *from);
        let next = starts.filter(|from| *from > self.at).min();
        let bytes = self.file.fill_buf()?;
        let until = next.map_or(usize::MAX, |next| (next - self.at) as usize);
        Ok(&bytes[..until.min(bytes.len())])
    }

    fn consume(&mut self, count: usize) {
        if self.patch(self.at).is_some() {
            let at = self.at + count as u64;
            // The file below is at the same place; what it cannot reach is its end, told there.
            let _ = self.seek(SeekFrom::Start(at));
        } else {
            self.at += count as u64;
            self.file.consume(count);
        }
    }
}

impl<R: BufRead + Seek> Read for Patched<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self
            .patches
            .iter()
            .all(|(from, others)| self.at >= from + others.len() as u64)
        {
            // Behind all patches long reads need no buffer.
            let count = self.file.read(to)?;
            self.at += count as u64;
            return Ok(count);
        }
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead + Seek> Seek for Patched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_over_is_read_in_its_place() {
        let mut patched = Patched::new(io::Cursor::new(b"0123456789"))
            .expect("sought")
            .with(2, b"ab".to_vec())
            .with(8, b"c".to_vec());
        let mut text = String::new();
        patched.read_to_string(&mut text).expect("read");
        assert_eq!(text, "01ab4567c9");
        patched.seek(SeekFrom::End(-7)).expect("sought");
        let mut two = [0; 2];
        patched.read_exact(&mut two).expect("read");
        assert_eq!(&two, b"b4");
    }
}
