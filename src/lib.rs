//! Termask makes segmentation masks in the terminal.
//!
//! `core` ← `segment`, `store`, `term` (never each other) ← `ui` ← `cli` ← `main`: an arrow points
//! at what a layer may import. `tests/layers.rs` keeps this.

pub mod cli;
pub mod core;
pub mod segment;
pub mod store;
pub mod term;
pub mod ui;
