//! Which files of a folder are a SAM: the encoder and the decoder that fits it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::segment::header::Header;
use crate::segment::sam::family::{Decoder, Encoder, Role, recognise};
use crate::segment::{Error, Result};

/// An encoder and a decoder that fit each other.
#[derive(Debug, Clone)]
pub struct Pair {
    pub encoder: (Header, &'static Encoder),
    pub decoder: (Header, &'static Decoder),
}

/// Words in the names of files that were made smaller; the full one is taken where both are there.
const SMALLER: [&str; 6] = ["quant", "int8", "uint8", "fp16", "q4", "bnb4"];

/// Finds the pair that a path names: a folder with both, or one of the two files.
///
/// Where a folder holds several, the one whose names are most alike counts, full precision before
/// quantised, and a decoder with several masks before one with a single mask.
///
/// # Errors
/// When one of the two is missing, or a file is of no known family.
pub fn find(path: &Path) -> Result<Pair> {
    if path.is_dir() {
        return in_folder(path);
    }
    let named = Header::read(path)?;
    let role = recognise(&named)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut shelf = Shelf::read(folder.unwrap_or(Path::new(".")))?;
    match role {
        Role::Encoder(encoder) => shelf.encoders = vec![(named, encoder)],
        Role::Decoder(decoder) => shelf.decoders = vec![(named, decoder)],
    }
    let missing = match role {
        Role::Encoder(_) => "decoder",
        Role::Decoder(_) => "encoder",
    };
    shelf.best().ok_or_else(|| {
        Error::Model(format!(
            "{}: the {missing} that belongs to it is not in its folder; put it there{}",
            path.display(),
            shelf.told()
        ))
    })
}

fn in_folder(folder: &Path) -> Result<Pair> {
    let shelf = Shelf::read(folder)?;
    shelf.best().ok_or_else(|| {
        let has = match (shelf.encoders.is_empty(), shelf.decoders.is_empty()) {
            (true, true) => "no SAM encoder and no decoder",
            (true, false) => "a decoder, but no encoder",
            (false, true) => "an encoder, but no decoder",
            (false, false) => "no encoder and decoder that fit each other",
        };
        Error::Model(format!(
            "{}: there is {has} in it; put both .onnx files there{}",
            folder.display(),
            shelf.told()
        ))
    })
}

/// The ONNX files of a folder.
#[derive(Debug, Default)]
struct Shelf {
    encoders: Vec<(Header, &'static Encoder)>,
    decoders: Vec<(Header, &'static Decoder)>,
    /// Why others are neither.
    refused: Vec<String>,
}

impl Shelf {
    fn read(folder: &Path) -> Result<Self> {
        let told =
            |e: std::io::Error| Error::Model(format!("{}: {e}; check the path", folder.display()));
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(told)?
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e == "onnx"))
            .collect();
        files.sort();
        let mut shelf = Self::default();
        for file in files {
            let found = Header::read(&file).and_then(|h| Ok((recognise(&h)?, h)));
            match found {
                Ok((Role::Encoder(encoder), header)) => shelf.encoders.push((header, encoder)),
                Ok((Role::Decoder(decoder), header)) => shelf.decoders.push((header, decoder)),
                Err(why) => shelf.refused.push(why.to_string()),
            }
        }
        Ok(shelf)
    }

    fn best(&self) -> Option<Pair> {
        let pairs = self.encoders.iter().flat_map(|encoder| {
            let fitting = self
                .decoders
                .iter()
                .filter(|(header, decoder)| decoder.takes(header, &encoder.0));
            fitting.map(move |decoder| (encoder, decoder))
        });
        let likeness = |(e, d): &(&(Header, &Encoder), &(Header, &Decoder))| {
            let (from, to) = (stem(&e.0.path), stem(&d.0.path));
            let alike = from.bytes().zip(to.bytes()).take_while(|(a, b)| a == b);
            let smaller = |name: &str| SMALLER.iter().any(|w| name.contains(w));
            let full = u8::from(!smaller(&from)) + u8::from(!smaller(&to));
            let shortest = usize::MAX - from.len() - to.len();
            (alike.count(), full, d.1.masks_of(&d.0), shortest)
        };
        let best = pairs.max_by_key(likeness)?;
        Some(Pair {
            encoder: best.0.clone(),
            decoder: best.1.clone(),
        })
    }

    /// What is wrong with the others, for an error.
    fn told(&self) -> String {
        let mut text = String::new();
        for why in &self.refused {
            text.push_str("; ");
            text.push_str(why);
        }
        text
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.to_lowercase()
}
