//! `termask.toml` of the folder and the person's `config.toml`.

mod colour;
mod write;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use crate::core::adaptation::Adaptations;
use crate::core::printable::printable;
use crate::core::scene::Rgb;
use crate::core::scheme::Scheme;
use crate::store::error::{Error, Result};

use colour::Hex;
pub use colour::class_colour;
pub(super) use write::document;
pub use write::{add_class, set_engine, set_switches};

/// The folder's file.
const NAME: &str = "termask.toml";

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    pub colour: Rgb,
    /// 0 to 9, or none.
    pub hotkey: Option<u8>,
}

/// What a person bound a key to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    /// The command's name.
    pub command: String,
    /// File and line where it is written.
    pub place: String,
}

/// What a person switches on and off; kept in their own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Switches {
    /// The view goes near a small object while it is being made.
    pub auto_zoom: bool,
    /// What a click at the resting cursor would give is outlined.
    pub preview: bool,
    /// The list of images is shown beside the picture.
    pub list: bool,
}

/// Folder and personal settings, merged: the folder's win.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    pub classes: Vec<Class>,
    pub engine: Option<String>,
    /// The ground of the text, where the terminal's answer shall not count.
    pub theme: Option<Scheme>,
    /// Name of the keymap preset.
    pub keymap: Option<String>,
    /// Own keys, as they are written.
    pub keys: BTreeMap<String, OwnKey>,
    /// What the folder's masks taught the click net, by class.
    pub adapted: Adaptations,
    pub switches: Switches,
    /// The person's own file; `None` where the system has no place for it.
    pub personal: Option<PathBuf>,
    /// The folder's file, whether it exists or not.
    pub file: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileSettings {
    classes: Vec<ClassEntry>,
    engine: Option<String>,
    theme: Option<Scheme>,
    keymap: Option<String>,
    keys: BTreeMap<String, Spanned<String>>,
    #[serde(skip)]
    placed: BTreeMap<String, OwnKey>,
    adapted: Adaptations,
    switches: Option<Switches>,
}

/// A name alone, or a table.
#[derive(Debug)]
struct ClassEntry {
    name: String,
    colour: Option<Rgb>,
    hotkey: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassTable {
    name: String,
    #[serde(default, alias = "color")]
    colour: Option<Hex>,
    #[serde(default)]
    hotkey: Option<u8>,
}

impl<'de> Deserialize<'de> for ClassEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = ClassEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a class: its name, or a table with name, colour and hotkey")
            }

            fn visit_str<E>(self, name: &str) -> std::result::Result<ClassEntry, E> {
                Ok(ClassEntry {
                    name: name.into(),
                    colour: None,
                    hotkey: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                map: A,
            ) -> std::result::Result<ClassEntry, A::Error> {
                let table = ClassTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ClassEntry {
                    name: table.name,
                    colour: table.colour.map(|c| c.0),
                    hotkey: table.hotkey,
                })
            }
        }
        from.deserialize_any(Entry)
    }
}

/// Reads the `termask.toml` of a folder (or the nearest above it) and the person's own settings.
pub fn load(folder: &Path) -> Result<Settings> {
    load_with(folder, personal_file().as_deref())
}

/// The person's own settings, `$XDG_CONFIG_HOME/termask/config.toml` or what the system has for it.
pub fn personal_file() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = named.filter(|p| p.is_absolute());
    let folder = folder
        .or_else(|| directories::BaseDirs::new().map(|dirs| dirs.config_dir().to_path_buf()))?;
    Some(folder.join("termask").join("config.toml"))
}

fn load_with(folder: &Path, personal: Option<&Path>) -> Result<Settings> {
    let whole = std::path::absolute(folder).map_err(|e| Error::io(folder, e))?;
    let above = whole
        .ancestors()
        .map(|f| f.join(NAME))
        .find(|f| f.is_file());
    let file = above.unwrap_or_else(|| whole.join(NAME));
    let ours = read(&file)?;
    let mut settings = match personal {
        Some(personal) => read(personal)?,
        None => FileSettings::default(),
    };
    settings.placed.extend(ours.placed);
    let entries = if ours.classes.is_empty() {
        settings.classes
    } else {
        ours.classes
    };
    Ok(Settings {
        classes: complete(entries, &file)?,
        engine: ours.engine.or(settings.engine),
        theme: ours.theme.or(settings.theme),
        keymap: ours.keymap.or(settings.keymap),
        keys: settings.placed,
        adapted: ours.adapted,
        switches: ours.switches.or(settings.switches).unwrap_or_default(),
        personal: personal.map(Path::to_path_buf),
        file,
    })
}

/// The adaptations that a settings file holds.
pub fn adapted(file: &Path) -> Result<Adaptations> {
    Ok(read(file)?.adapted)
}

fn read(file: &Path) -> Result<FileSettings> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            return Ok(FileSettings::default());
        }
        Err(why) => return Err(Error::io(file, why)),
    };
    let line = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
    let mut settings: FileSettings = toml::from_str(&text).map_err(|why| {
        let line = line(why.span().map_or(0, |s| s.start));
        fault(file, format!("line {line}: {}", why.message()))
    })?;
    settings.engine = settings.engine.map(|engine| from_file(file, engine));
    let place = |(key, command): (String, Spanned<String>)| {
        let place = format!("{}, line {}", printable(file), line(command.span().start));
        let command = command.into_inner();
        (key, OwnKey { command, place })
    };
    let keys = std::mem::take(&mut settings.keys);
    settings.placed = keys.into_iter().map(place).collect();
    Ok(settings)
}

/// A model's path as it is meant in `file`: from its folder, wherever the program was started. A
/// bare name stays one.
fn from_file(file: &Path, engine: String) -> String {
    let path = Path::new(&engine);
    let is_path = path.components().count() > 1 || path.extension().is_some_and(|e| e == "onnx");
    let Some(folder) = file.parent().filter(|_| is_path) else {
        return engine;
    };
    folder.join(path).to_string_lossy().into_owned()
}

fn fault(file: &Path, why: String) -> Error {
    Error::Settings {
        path: file.to_path_buf(),
        why,
    }
}

/// Gives colours and hotkeys to those that have none.
fn complete(entries: Vec<ClassEntry>, file: &Path) -> Result<Vec<Class>> {
    let mut free: Vec<u8> = (1..=9).chain([0]).collect();
    for (i, entry) in entries.iter().enumerate() {
        if entries[..i].iter().any(|e| e.name == entry.name) {
            return Err(fault(
                file,
                format!("the class {:?} is named twice: remove one", entry.name),
            ));
        }
        let Some(key) = entry.hotkey else { continue };
        let at = free.iter().position(|k| *k == key);
        let at = at.ok_or_else(|| {
            let why = "is no digit that is still free: give each class another of 0 to 9";
            fault(
                file,
                format!("hotkey {key} of the class {:?} {why}", entry.name),
            )
        })?;
        free.remove(at);
    }
    let mut free = free.into_iter();
    let given = entries.into_iter().enumerate();
    Ok(given
        .map(|(i, entry)| Class {
            colour: entry.colour.unwrap_or_else(|| class_colour(i)),
            hotkey: entry.hotkey.or_else(|| free.next()),
            name: entry.name,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(NAME), text).expect("written");
        folder
    }

    #[test]
    fn a_models_path_is_meant_from_the_folder_of_its_file() {
        for (written, meant) in [
            ("models/sam", Some("models/sam")),
            ("./tiny.onnx", Some("tiny.onnx")),
            ("grabcut", None),
            ("/srv/sam", None),
        ] {
            let folder = folder_with(&format!("engine = \"{written}\""));
            let below = folder.path().join("below");
            fs::create_dir(&below).expect("made");
            let settings = load_with(&below, None).expect("read");
            let engine = PathBuf::from(settings.engine.expect("it names one"));
            let meant = meant.map_or_else(|| written.into(), |m| folder.path().join(m));
            assert_eq!(engine, meant);
        }
    }

    #[test]
    fn a_folder_below_the_file_takes_its_classes_and_the_persons_engine() {
        let folder = folder_with(
            "classes = [\"cat\", {name = \"dog\", colour = \"#102030\", hotkey = 1}]\n[keys]\n\"x\" = \"drop\"",
        );
        let own = folder.path().join("own.toml");
        fs::write(
            &own,
            "engine = \"sam\"\ntheme = \"light\"\nclasses = [\"bird\"]\n[keys]\nx = \"quit\"\ny = \"undo\"",
        )
        .expect("written");
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).expect("made");
        let settings = load_with(&deep, Some(&own)).expect("read");
        let class = |name: &str, colour, hotkey| Class {
            name: name.into(),
            colour,
            hotkey,
        };
        assert_eq!(
            settings.classes,
            [
                class("cat", class_colour(0), Some(2)),
                class("dog", [16, 32, 48], Some(1))
            ]
        );
        assert_eq!(settings.engine.as_deref(), Some("sam"));
        assert_eq!(settings.theme, Some(Scheme::Light));
        assert_eq!(
            (&*settings.keys["x"].command, &*settings.keys["y"].command),
            ("drop", "undo")
        );
        let place = &settings.keys["x"].place;
        assert!(place.ends_with("termask.toml, line 3"), "{place}");
        assert_eq!(settings.file, folder.path().join(NAME));
    }

    #[test]
    fn a_typing_error_is_told_with_its_line() {
        let folder = folder_with("engine = \"click\"\n\nclases = []\n");
        let why = load_with(folder.path(), None)
            .expect_err("unknown key")
            .to_string();
        assert!(
            why.contains("termask.toml") && why.contains("line 3") && why.contains("clases"),
            "{why}"
        );
        let folder = folder_with("[[classes]]\nname = \"a\"\ncolour = \"red\"\n");
        let why = load_with(folder.path(), None)
            .expect_err("no colour")
            .to_string();
        assert!(why.contains("line 3") && why.contains("#e69f00"), "{why}");
    }
}
