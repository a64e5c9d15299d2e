//! Keeps in the folder's `termask.toml` what its masks taught the click net.

use std::path::Path;

use toml_edit::{Array, Item, Table, value};

use crate::core::adaptation::Adaptation;
use crate::store::error::Result;
use crate::store::replace;
use crate::store::settings;

/// Writes the adaptation of a class, or takes it out; all else in the file stays as it is.
pub fn keep(file: &Path, class: &str, adaptation: Option<&Adaptation>) -> Result<()> {
    // Whatever the program would refuse to read is told before anything is written.
    let known = settings::adapted(file)?;
    if adaptation.is_none() && !known.contains_key(class) {
        return Ok(());
    }
    let mut document = settings::document(file)?;
    let root = document.as_table_mut();
    let mut parent = Table::new();
    parent.set_implicit(true);
    let classes = root.entry("adapted").or_insert(Item::Table(parent));
    let classes = classes
        .as_table_like_mut()
        .expect("it was just read as a table of classes");
    match adaptation {
        Some(adaptation) => {
            classes.insert(class, Item::Table(table(adaptation)));
        }
        None => {
            classes.remove(class);
        }
    }
    if classes.is_empty() {
        root.remove("adapted");
    }
    replace::write(file, document.to_string().as_bytes())
}

fn table(adaptation: &Adaptation) -> Table {
    let mut table = Table::new();
    table
        .decor_mut()
        .set_prefix("\n# written by termask adapt\n");
    table.insert("model", value(adaptation.model.as_str()));
    let weights: Array = adaptation.weights.iter().map(|w| short(*w)).collect();
    table.insert("weights", value(weights));
    table.insert("bias", value(short(adaptation.bias)));
    table.insert("threshold", value(short(adaptation.threshold)));
    if let Some(extent) = adaptation.extent {
        table.insert("extent", value(short(extent)));
    }
    table
}

/// The number that is written with the fewest digits and read back as the same.
fn short(number: f32) -> f64 {
    let digits = number.to_string();
    digits.parse().unwrap_or_else(|_| f64::from(number))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_adaptation_comes_and_goes_and_leaves_the_rest_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("termask.toml");
        let text = "# ours\nclasses = [\"cell\"] # one\n\n[keys]\nx = \"drop\"\n";
        fs::write(&file, text).expect("written");
        let adaptation = Adaptation {
            model: "0123456789abcdef".into(),
            weights: vec![0.1, -2.5e-7],
            bias: -0.3,
            threshold: 0.4,
            extent: Some(33.0),
        };
        for class in ["cell", "a \"b\".c"] {
            keep(&file, class, Some(&adaptation)).expect("kept");
        }
        let settings = settings::load(folder.path()).expect("read");
        assert_eq!(*settings.adapted["cell"], adaptation);
        assert_eq!(*settings.adapted["a \"b\".c"], adaptation);
        for class in ["cell", "a \"b\".c", "nothing"] {
            keep(&file, class, None).expect("taken out");
        }
        assert_eq!(fs::read_to_string(&file).expect("read"), text);
    }
}
