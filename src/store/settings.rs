//! `termask.toml` of the folder and the person's `config.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::scene::Rgb;
use crate::store::error::{Error, Result};
use crate::store::replace::replace;

/// The folder's file.
pub const FILE: &str = "termask.toml";

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
    /// The folder's file, whether it exists or not.
    pub file: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    engine: Option<String>,
    #[serde(default)]
    class: Vec<RawClass>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClass {
    name: String,
    colour: Option<String>,
    hotkey: Option<u8>,
}

/// Okabe and Ito's colours for everyone (2008), without black; then lighter and darker ones.
const COLOURS: [Rgb; 14] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [204, 121, 167],
    [213, 94, 0],
    [0, 114, 178],
    [255, 204, 128],
    [170, 222, 255],
    [120, 215, 180],
    [240, 180, 210],
    [255, 160, 122],
    [120, 160, 220],
    [190, 190, 120],
];

/// The colour of the nth class that has none of its own.
pub const fn class_colour(n: usize) -> Rgb {
    COLOURS[n % COLOURS.len()]
}

/// Reads the `termask.toml` of a folder (or the nearest above it) and the person's own settings.
pub fn load(folder: &Path) -> Result<Settings> {
    let absolute = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let existing = absolute
        .ancestors()
        .map(|f| f.join(FILE))
        .find(|f| f.is_file());
    let own = match directories::ProjectDirs::from("", "", "termask") {
        Some(dirs) => read(&dirs.config_dir().join("config.toml"))?,
        None => Raw::default(),
    };
    let file = existing.unwrap_or_else(|| absolute.join(FILE));
    let raw = read(&file)?;
    let classes = if raw.class.is_empty() {
        own.class
    } else {
        raw.class
    };
    Ok(Settings {
        classes: classes_from(&file, classes)?,
        engine: raw.engine.or(own.engine),
        file,
    })
}

fn read(file: &Path) -> Result<Raw> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Raw::default()),
        Err(e) => return Err(Error::io(file, e)),
    };
    toml::from_str(&text).map_err(|e| Error::Settings {
        path: file.to_path_buf(),
        // The message shows the line and what was expected there.
        why: e.to_string(),
    })
}

fn classes_from(file: &Path, raw: Vec<RawClass>) -> Result<Vec<Class>> {
    let mut classes: Vec<Class> = Vec::with_capacity(raw.len());
    for (n, class) in raw.into_iter().enumerate() {
        let refuse = |why: String| Error::Settings {
            path: file.to_path_buf(),
            why: format!("class {:?}: {why}", class.name),
        };
        if classes.iter().any(|c| c.name == class.name) {
            return Err(refuse("the name stands twice".into()));
        }
        let colour = match &class.colour {
            Some(text) => parse_colour(text)
                .ok_or_else(|| refuse(format!("{text:?} is no colour like \"#e69f00\"")))?,
            None => class_colour(n),
        };
        let default = (n < 10).then_some((n as u8 + 1) % 10);
        let hotkey = class.hotkey.or(default);
        if hotkey.is_some_and(|k| k > 9) {
            return Err(refuse("the hotkey is not 0 to 9".into()));
        }
        classes.push(Class {
            name: class.name,
            colour,
            hotkey,
        });
    }
    Ok(classes)
}

fn parse_colour(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6)?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    Some([(value >> 16) as u8, (value >> 8) as u8, value as u8])
}

/// Adds a class at the end of the folder's `termask.toml`; what stands there stays as it is.
pub fn add_class(file: &Path, class: &Class) -> Result<()> {
    let known = read(file)?.class.iter().any(|c| c.name == class.name);
    if known {
        return Ok(());
    }
    let mut text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Error::io(file, e)),
    };
    let mut table = BTreeMap::new();
    let [r, g, b] = class.colour;
    table.insert("name", toml::Value::from(class.name.as_str()));
    table.insert(
        "colour",
        toml::Value::from(format!("#{r:02x}{g:02x}{b:02x}")),
    );
    if let Some(key) = class.hotkey {
        table.insert("hotkey", toml::Value::from(i64::from(key)));
    }
    let entry = toml::to_string(&table).expect("strings and numbers are TOML");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text += &["[[class]]\n", &entry].concat();
    replace(file, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_class_is_read_again_and_comments_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "# ours\nengine = \"click\"\n").expect("written");
        let class = Class {
            name: "cup \"blue\"".into(),
            colour: [1, 2, 3],
            hotkey: Some(4),
        };
        add_class(&file, &class).expect("added");
        add_class(&file, &class).expect("known already");
        let settings = load(folder.path()).expect("read");
        assert_eq!(settings.classes, [class]);
        assert_eq!(settings.engine.as_deref(), Some("click"));
        let text = fs::read_to_string(&file).expect("there");
        assert!(text.starts_with("# ours\n"));
    }

    #[test]
    fn a_mistake_is_told_with_file_and_line() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "engine = \"click\"\ncolor = 3\n").expect("written");
        let told = load(folder.path()).expect_err("unknown key").to_string();
        assert!(told.contains(FILE) && told.contains("line 2"), "{told}");
    }
}
