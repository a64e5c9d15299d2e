//! Pure data and arithmetic: no files, no threads, no terminal.

pub mod adaptation;
pub mod components;
pub mod contour;
pub mod cover;
pub mod distance;
pub mod document;
pub mod edges;
pub mod geometry;
pub mod ground;
pub mod history;
pub mod image;
pub mod mask;
pub mod matching;
pub mod morphology;
pub mod outline;
pub mod printable;
pub mod prompt;
pub mod raster;
pub mod review;
pub mod rle;
pub mod scene;
pub mod scheme;
pub mod sheet;
pub mod view;
