//! What lies beside the image.

pub mod check;
pub mod decode;
pub mod error;
pub mod folder;
pub mod formats;
pub mod gather;
mod json;
pub mod lock;
pub mod mask_png;
mod merge;
pub mod replace;
pub mod settings;
pub mod sidecar;
pub mod stats;
