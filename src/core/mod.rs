//! Pure data and arithmetic: no files, no threads, no terminal.

pub mod document;
pub mod geometry;
pub mod history;
pub mod image;
pub mod mask;
pub mod prompt;
pub mod scene;
pub mod view;
