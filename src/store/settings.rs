//! `termask.toml` of the folder and the person's `config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::core::scene::Rgb;
use crate::store::sidecar::Result;

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    pub colour: Rgb,
    /// 0 to 9, or none.
    pub hotkey: Option<u8>,
}

/// Folder and personal settings, merged: the folder's win.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    pub classes: Vec<Class>,
    pub engine: Option<String>,
    /// Name of the keymap preset.
    pub keymap: Option<String>,
    /// Own keys: key, action's name.
    pub keys: BTreeMap<String, String>,
    /// The folder's file, whether it exists or not.
    pub file: PathBuf,
}

/// Reads the `termask.toml` of a folder (or the nearest above it) and the person's own settings.
pub fn load(folder: &Path) -> Result<Settings> {
    todo!("{}", folder.display())
}

/// Adds a class to the folder's `termask.toml`, leaving all else in the file as it is.
pub fn add_class(file: &Path, class: &Class) -> Result<()> {
    todo!("{} {}", file.display(), class.name)
}
