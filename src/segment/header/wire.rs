//! Protocol buffers' wire format, read field by field.

use std::fs::File;
use std::io::{BufReader, Read};

/// Why a file is not read on.
#[derive(Debug)]
pub enum Fault {
    Io(std::io::Error),
    CutShort,
    NotOnnx,
}

pub type Parsed<T> = std::result::Result<T, Fault>;

/// What follows a field's number: a number, or so many bytes.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    Number(u64),
    Bytes(u64),
}

/// A file in that format, and how far it is read.
#[derive(Debug)]
pub struct Wire {
    from: BufReader<File>,
    pub at: u64,
}

impl Wire {
    pub fn new(file: File) -> Self {
        Self {
            from: BufReader::with_capacity(4096, file),
            at: 0,
        }
    }

    /// The next field's number and body, which must end before `end`.
    pub fn field(&mut self, end: u64) -> Parsed<(u64, Body)> {
        let tag = self.varint()?;
        let body = match tag & 7 {
            0 => Body::Number(self.varint()?),
            1 => Body::Bytes(8),
            2 => Body::Bytes(self.varint()?),
            5 => Body::Bytes(4),
            _ => return Err(Fault::NotOnnx),
        };
        if tag >> 3 == 0 {
            return Err(Fault::NotOnnx);
        }
        if let Body::Bytes(n) = body
            && n > end.saturating_sub(self.at)
        {
            return Err(Fault::CutShort);
        }
        Ok((tag >> 3, body))
    }

    fn varint(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.from
                .read_exact(&mut byte)
                .map_err(|_| Fault::CutShort)?;
            self.at += 1;
            value |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::NotOnnx)
    }

    pub fn text(&mut self, n: u64) -> Parsed<String> {
        const LONGEST: u64 = 1 << 16;
        if n > LONGEST {
            return Err(Fault::NotOnnx);
        }
        let mut bytes = vec![0; n as usize];
        self.from
            .read_exact(&mut bytes)
            .map_err(|_| Fault::CutShort)?;
        self.at += n;
        String::from_utf8(bytes).map_err(|_| Fault::NotOnnx)
    }

    pub fn skip(&mut self, n: u64) -> Parsed<()> {
        let by = i64::try_from(n).map_err(|_| Fault::NotOnnx)?;
        self.from.seek_relative(by).map_err(Fault::Io)?;
        self.at += n;
        Ok(())
    }
}
