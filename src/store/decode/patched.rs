//! A file's bytes, read as if some of them were others.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// Bytes with others laid over them: readers that know only the first page of a file, or not its
/// kind of colours, are told what they know.
#[derive(Debug)]
pub struct Patched<'a> {
    bytes: &'a [u8],
    at: usize,
    patches: Vec<(usize, Vec<u8>)>,
}

impl<'a> Patched<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            patches: Vec::new(),
        }
    }

    /// Lays `others` over the bytes from `at` on.
    #[must_use]
    pub fn with(mut self, at: usize, others: Vec<u8>) -> Self {
        self.patches.push((at, others));
        self
    }
}

impl BufRead for Patched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let at = self.at.min(self.bytes.len());
        let covers =
            |(from, others): &&(usize, Vec<u8>)| (*from..from + others.len()).contains(&at);
        if let Some((from, others)) = self.patches.iter().find(covers) {
            return Ok(&others[at - from..]);
        }
        let starts = self.patches.iter().map(|(from, _)| *from);
        let end = starts.filter(|from| *from > at).min();
        Ok(&self.bytes[at..end.unwrap_or(usize::MAX).min(self.bytes.len())])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Patched<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(to)?;
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.bytes.len() as u64, by),
            SeekFrom::Current(by) => (self.at as u64, by),
        };
        let at = from
            .checked_add_signed(by)
            .and_then(|at| at.try_into().ok());
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_over_is_read_in_its_place() {
        let mut patched = Patched::new(b"0123456789")
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
