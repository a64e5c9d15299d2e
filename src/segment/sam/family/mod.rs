//! The SAM families as data: what the encoders and decoders people have are fed, told apart by the
//! names of their inputs and outputs alone.
//!
//! Coordinates are (x, y) in a frame that is 16 times as wide as the image embedding. Labels are 0
//! outside, 1 inside, 2 and 3 the corners of a box, -1 padding. A mask is where a logit is above 0.

mod decoder;
mod encoder;

use crate::segment::header::{Header, Port};
use crate::segment::{Error, Result};

pub use decoder::{Boxes, Decoder, Output};
pub use encoder::{Encoder, Fit, Frame, Layout, Values};

use decoder::DECODERS;
use encoder::ENCODERS;

/// What an ONNX file is to us.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    Encoder(&'static Encoder),
    Decoder(&'static Decoder),
}

/// Tells an encoder or decoder by its names.
///
/// # Errors
/// When it is of no known family; the message lists the names.
pub fn recognise(header: &Header) -> Result<Role> {
    if let Some(encoder) = ENCODERS.iter().find(|e| e.fits(header)) {
        return Ok(Role::Encoder(encoder));
    }
    if let Some(decoder) = DECODERS.iter().find(|d| d.fits(header)) {
        return Ok(Role::Decoder(decoder));
    }
    let list = |ports: &[Port]| {
        let texts: Vec<String> = ports.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    Err(Error::Model(format!(
        "{}: unsupported: no SAM encoder or decoder has these names: {} -> {}; \
         give one that `termask models list` names, or a usual export of one",
        header.path.display(),
        list(&header.inputs),
        list(&header.outputs)
    )))
}
