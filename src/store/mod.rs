//! What lies beside the image.

pub mod adapted;
pub mod boxes;
pub mod check;
pub mod compare;
pub mod decode;
pub mod error;
pub mod folder;
pub mod formats;
pub mod gather;
pub mod index;
mod json;
pub mod lock;
pub mod mask_png;
pub mod masks;
mod merge;
pub mod names;
pub mod next;
pub mod pages;
pub mod progress;
pub mod replace;
pub mod settings;
pub mod sidecar;
pub mod stats;
pub mod survey;
pub mod verdicts;
