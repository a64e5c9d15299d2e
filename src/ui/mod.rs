//! Events in, cells and scenes out. Only `app` and `workers` touch threads, files and stdout.

pub mod action;
pub mod app;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod mode;
pub mod review;
pub mod sitting;
pub mod standings;
pub mod state;
pub mod theme;
pub mod tour;
pub mod update;
pub mod view;
mod wants;
pub mod workers;
