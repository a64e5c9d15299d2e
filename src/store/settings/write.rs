//! Writes into a settings file, leaving comments, order and all else as they are.

use std::fs;
use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use super::{Class, Switches, fault, read};
use crate::store::error::{Error, Result};
use crate::store::replace;

/// Adds a class to the folder's `termask.toml`, leaving all else in the file as it is. A class of
/// that name which is there already stays.
pub fn add_class(file: &Path, class: &Class) -> Result<()> {
    if read(file)?.classes.iter().any(|c| c.name == class.name) {
        return Ok(());
    }
    let mut document = document(file)?;
    let [r, g, b] = class.colour;
    let colour = format!("#{r:02x}{g:02x}{b:02x}");
    let hotkey = class.hotkey.map(i64::from);
    if document.get("classes").is_some_and(Item::is_array) {
        let list = document["classes"]
            .as_array_mut()
            .expect("just seen to be an array");
        let mut table = InlineTable::new();
        table.insert("name", class.name.as_str().into());
        table.insert("colour", colour.into());
        hotkey.map(|key| table.insert("hotkey", key.into()));
        list.push(table);
    } else {
        let mut table = Table::new();
        table.insert("name", value(class.name.as_str()));
        table.insert("colour", value(colour));
        hotkey.map(|key| table.insert("hotkey", value(key)));
        let list = document
            .entry("classes")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let list = list.as_array_of_tables_mut();
        list.expect("serde read it as a list, and it is no plain array")
            .push(table);
    }
    replace::write(file, document.to_string().as_bytes())
}

/// A settings file as it stands, comments and all; an empty one where there is none.
pub fn document(file: &Path) -> Result<DocumentMut> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(why) => return Err(Error::io(file, why)),
    };
    text.parse().map_err(|e| fault(file, format!("{e}")))
}

/// Writes the engine into the folder's `termask.toml`, leaving all else in the file as it is.
pub fn set_engine(file: &Path, engine: &str) -> Result<()> {
    read(file)?;
    let mut document = document(file)?;
    document["engine"] = value(engine);
    replace::write(file, document.to_string().as_bytes())
}

/// Writes what is switched on and off into a settings file, which is made where there is none.
pub fn set_switches(file: &Path, switches: Switches) -> Result<()> {
    read(file)?;
    let mut document = document(file)?;
    let Switches {
        auto_zoom,
        preview,
        list,
    } = switches;
    let table = document
        .entry("switches")
        .or_insert(Item::Table(Table::new()));
    table["auto-zoom"] = value(auto_zoom);
    table["preview"] = value(preview);
    table["list"] = value(list);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    replace::write(file, document.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::{NAME, load_with};
    use super::*;

    #[test]
    fn adding_a_class_keeps_comments_and_order() {
        let text = "# mine\nengine = \"click\" # fast\n\n[[classes]] # first\nname = \"cat\"\n\n[keys]\nx = \"drop\"\n";
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(NAME);
        fs::write(&file, text).expect("written");
        let dog = Class {
            name: "dog".into(),
            colour: [1, 2, 3],
            hotkey: Some(7),
        };
        add_class(&file, &dog).expect("added");
        add_class(&file, &dog).expect("it is there already");
        let after = fs::read_to_string(&file).expect("read");
        for line in text.lines() {
            assert!(after.contains(line), "{line:?} is gone from {after}");
        }
        let settings = load_with(folder.path(), None).expect("read");
        assert_eq!(settings.classes.last(), Some(&dog));
        assert_eq!(settings.classes.len(), 2);
    }

    #[test]
    fn switches_are_kept_beside_all_else_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("new/config.toml");
        let switches = Switches {
            preview: true,
            ..Switches::default()
        };
        set_switches(&file, Switches::default()).expect("written");
        set_engine(&file, "grabcut").expect("written");
        set_switches(&file, switches).expect("written");
        let settings = load_with(folder.path(), Some(&file)).expect("read");
        assert_eq!(settings.switches, switches);
        assert_eq!(settings.engine.as_deref(), Some("grabcut"));
    }

    #[test]
    fn a_class_can_be_added_where_there_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let dog = Class {
            name: "a \"dog\"\n".into(),
            colour: [1, 2, 3],
            hotkey: None,
        };
        add_class(&folder.path().join(NAME), &dog).expect("added");
        let settings = load_with(folder.path(), None).expect("read");
        assert_eq!(settings.classes[0].name, dog.name);
    }
}
