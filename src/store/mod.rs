//! What lies beside the image.

pub mod decode;
pub mod folder;
pub mod settings;
pub mod sidecar;
