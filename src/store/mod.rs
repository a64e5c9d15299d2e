//! What lies beside the image.

pub mod decode;
pub mod error;
pub mod folder;
pub mod json;
pub mod mask_png;
pub mod replace;
pub mod settings;
pub mod sidecar;
