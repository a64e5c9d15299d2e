//! What lies beside the image.

pub mod decode;
pub mod error;
pub mod folder;
mod json;
pub mod lock;
pub mod mask_png;
mod merge;
pub mod replace;
pub mod settings;
pub mod sidecar;
mod steps;
