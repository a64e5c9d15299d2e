//! What an ONNX file says of itself, read without loading it: inputs, outputs, opset, other files.
//!
//! The fields are those of `onnx.proto` (ONNX IR version 3 to 11). Weights are skipped, so that a
//! file of gigabytes costs as much as a small one, and one that is cut short is found out at once.

mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use self::wire::{Body, Fault, Parsed, Wire};
use crate::segment::{Error, Result};

/// What a tensor is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    F32,
    F16,
    U8,
    I32,
    I64,
    Bool,
    /// Any other, by its number in `onnx.proto`.
    Other(u64),
}

impl Element {
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::Other(_) => "other",
        }
    }

    const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::F32,
            2 => Self::U8,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            other => Self::Other(other),
        }
    }
}

/// A named input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    pub element: Element,
    /// `None` where a dimension is free.
    pub shape: Vec<Option<usize>>,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims = self.shape.iter().map(|d| match d {
            Some(n) => n.to_string(),
            None => "?".into(),
        });
        let dims: Vec<String> = dims.collect();
        write!(
            f,
            "{} {}[{}]",
            self.name,
            self.element.name(),
            dims.join(",")
        )
    }
}

/// An ONNX file from the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub path: PathBuf,
    pub bytes: u64,
    /// Version of the standard operators.
    pub opset: u64,
    pub producer: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// Files beside it that hold its weights, and how many bytes they have at least.
    pub external: Vec<(PathBuf, u64)>,
}

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// When it cannot be read, is no ONNX file, is cut short, or a file with its weights is missing.
    pub fn read(path: &Path) -> Result<Self> {
        let told = |why: &dyn std::fmt::Display| {
            Error::Model(format!(
                "{}: {why}; check the path and its permissions",
                path.display()
            ))
        };
        let file = File::open(path).map_err(|e| told(&e))?;
        let bytes = file.metadata().map_err(|e| told(&e))?.len();
        let mut header = Self {
            path: path.to_path_buf(),
            bytes,
            opset: 0,
            producer: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            external: Vec::new(),
        };
        let mut wire = Wire::new(file);
        header
            .model(&mut wire, bytes)
            .map_err(|fault| header.fault(&fault))?;
        if header.outputs.is_empty() {
            return Err(header.fault(&Fault::NotOnnx));
        }
        for (file, least) in &header.external {
            let why = match file.metadata() {
                Ok(facts) if facts.len() >= *least => continue,
                Ok(_) => "which is cut short: copy or download that file again",
                Err(_) => "which is not there: copy that file beside it",
            };
            return Err(Error::Model(format!(
                "{}: its weights lie in {}, {why}",
                path.display(),
                file.display()
            )));
        }
        Ok(header)
    }

    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|i| i.name == name)
    }

    fn fault(&self, fault: &Fault) -> Error {
        let path = self.path.display();
        Error::Model(match fault {
            Fault::Io(why) => format!("{path}: {why}; copy the file again"),
            Fault::CutShort => format!(
                "{path}: the file is cut short at {} bytes; copy or download it again",
                self.bytes
            ),
            Fault::NotOnnx => format!(
                "{path}: no ONNX file; give an encoder or decoder that was exported to ONNX"
            ),
        })
    }

    fn model(&mut self, wire: &mut Wire, end: u64) -> Parsed<()> {
        // Exporters write the IR version first; a file without one is of another kind, whatever
        // its bytes happen to spell.
        let Ok((1, Body::Number(1..=100))) = wire.field(end) else {
            return Err(Fault::NotOnnx);
        };
        while wire.at < end {
            match wire.field(end)? {
                (2, Body::Bytes(n)) => self.producer = wire.text(n)?,
                (7, Body::Bytes(n)) => self.graph(wire, wire.at + n)?,
                (8, Body::Bytes(n)) => self.operators(wire, wire.at + n)?,
                (_, Body::Bytes(n)) => wire.skip(n)?,
                (_, Body::Number(_)) => {}
            }
        }
        Ok(())
    }

    fn operators(&mut self, wire: &mut Wire, end: u64) -> Parsed<()> {
        let (mut domain, mut version) = (String::new(), 0);
        while wire.at < end {
            match wire.field(end)? {
                (1, Body::Bytes(n)) => domain = wire.text(n)?,
                (2, Body::Number(n)) => version = n,
                (_, Body::Bytes(n)) => wire.skip(n)?,
                _ => {}
            }
        }
        if domain.is_empty() || domain == "ai.onnx" {
            self.opset = version;
        }
        Ok(())
    }

    fn graph(&mut self, wire: &mut Wire, end: u64) -> Parsed<()> {
        let mut weights = BTreeSet::new();
        let mut external = BTreeMap::new();
        while wire.at < end {
            match wire.field(end)? {
                (5, Body::Bytes(n)) => weight(wire, wire.at + n, &mut weights, &mut external)?,
                (11, Body::Bytes(n)) => self.inputs.push(port(wire, wire.at + n)?),
                (12, Body::Bytes(n)) => self.outputs.push(port(wire, wire.at + n)?),
                (_, Body::Bytes(n)) => wire.skip(n)?,
                (_, Body::Number(_)) => {}
            }
        }
        // Old exporters list the weights as inputs, too.
        self.inputs.retain(|input| !weights.contains(&input.name));
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let files = external.into_iter();
        self.external = files.map(|(f, least)| (folder.join(f), least)).collect();
        Ok(())
    }
}

/// Notes a weight's name, and where it ends in another file if it lies in one.
fn weight(
    wire: &mut Wire,
    end: u64,
    names: &mut BTreeSet<String>,
    external: &mut BTreeMap<String, u64>,
) -> Parsed<()> {
    let (mut location, mut offset, mut length) = (None, 0u64, 0u64);
    while wire.at < end {
        match wire.field(end)? {
            (8, Body::Bytes(n)) => {
                names.insert(wire.text(n)?);
            }
            (13, Body::Bytes(n)) => {
                let (key, value) = entry(wire, wire.at + n)?;
                match &*key {
                    "location" => location = Some(value),
                    "offset" => offset = value.parse().unwrap_or(0),
                    "length" => length = value.parse().unwrap_or(0),
                    _ => {}
                }
            }
            (_, Body::Bytes(n)) => wire.skip(n)?,
            (_, Body::Number(_)) => {}
        }
    }
    if let Some(file) = location {
        let least = external.entry(file).or_insert(0);
        *least = (*least).max(offset.saturating_add(length));
    }
    Ok(())
}

fn entry(wire: &mut Wire, end: u64) -> Parsed<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    while wire.at < end {
        match wire.field(end)? {
            (1, Body::Bytes(n)) => key = wire.text(n)?,
            (2, Body::Bytes(n)) => value = wire.text(n)?,
            (_, Body::Bytes(n)) => wire.skip(n)?,
            (_, Body::Number(_)) => {}
        }
    }
    Ok((key, value))
}

/// A `ValueInfoProto`: name, then type (tensor: element, shape).
fn port(wire: &mut Wire, end: u64) -> Parsed<Port> {
    let mut port = Port {
        name: String::new(),
        element: Element::Other(0),
        shape: Vec::new(),
    };
    // The messages nest as type (2) > tensor (1) > shape (2) > dimension (1) > size (1).
    while wire.at < end {
        match wire.field(end)? {
            (1, Body::Bytes(n)) => port.name = wire.text(n)?,
            (2, Body::Bytes(n)) => {
                let end = wire.at + n;
                while wire.at < end {
                    match wire.field(end)? {
                        (1, Body::Bytes(n)) => tensor(wire, wire.at + n, &mut port)?,
                        (_, Body::Bytes(n)) => wire.skip(n)?,
                        (_, Body::Number(_)) => {}
                    }
                }
            }
            (_, Body::Bytes(n)) => wire.skip(n)?,
            (_, Body::Number(_)) => {}
        }
    }
    Ok(port)
}

fn tensor(wire: &mut Wire, end: u64, port: &mut Port) -> Parsed<()> {
    while wire.at < end {
        match wire.field(end)? {
            (1, Body::Number(n)) => port.element = Element::from_number(n),
            (2, Body::Bytes(n)) => {
                let end = wire.at + n;
                while wire.at < end {
                    match wire.field(end)? {
                        (1, Body::Bytes(n)) => port.shape.push(dimension(wire, wire.at + n)?),
                        (_, Body::Bytes(n)) => wire.skip(n)?,
                        (_, Body::Number(_)) => {}
                    }
                }
            }
            (_, Body::Bytes(n)) => wire.skip(n)?,
            (_, Body::Number(_)) => {}
        }
    }
    Ok(())
}

fn dimension(wire: &mut Wire, end: u64) -> Parsed<Option<usize>> {
    let mut size = None;
    while wire.at < end {
        match wire.field(end)? {
            (1, Body::Number(n)) => size = usize::try_from(n).ok().filter(|n| *n < 1 << 40),
            (_, Body::Bytes(n)) => wire.skip(n)?,
            (_, Body::Number(_)) => {}
        }
    }
    Ok(size)
}
