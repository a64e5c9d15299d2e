//! Files that cannot work: what is said of them.

use super::*;

fn refusal(path: &Path) -> String {
    match segment::open(&path.to_string_lossy()) {
        Ok(engine) => panic!("{}: opened as {}", path.display(), engine.name()),
        Err(why) => why.to_string(),
    }
}

#[test]
fn files_that_cannot_work_are_refused_with_a_reason_and_a_remedy() {
    let home = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let folder = home.path().join(name);
        fs::create_dir(&folder).expect("made");
        let file = folder.join("encoder.onnx");
        fs::write(&file, bytes).expect("written");
        file
    };
    let good = fs::read(folder("sam").join("encoder.onnx")).expect("there");
    let cut = refusal(&put("cut", &good[..good.len() / 2]));
    assert!(
        cut.contains("cut short") && cut.contains("encoder.onnx"),
        "{cut}"
    );
    let html = refusal(&put("html", b"<!DOCTYPE html><html>not found</html>"));
    assert!(html.contains("no ONNX file"), "{html}");
    let empty = refusal(&put("empty", b""));
    assert!(empty.contains("no ONNX file"), "{empty}");
    let lonely = refusal(&put("lonely", &good));
    assert!(
        lonely.contains("decoder") && lonely.contains("put it there"),
        "{lonely}"
    );
    let other = refusal(Path::new("models/click.onnx"));
    assert!(
        other.contains("unsupported") && other.contains("prompt f32[?,4,?,?]"),
        "{other}"
    );
    let nowhere = refusal(Path::new("no/such.onnx"));
    assert!(nowhere.contains("no such file"), "{nowhere}");
    let name = refusal(Path::new("segmentator"));
    assert!(
        name.contains("grabcut") && name.contains("models list"),
        "{name}"
    );
}

/// A folder with a family's decoder and its encoder changed.
fn changed(family: &str, change: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let mut encoder = fs::read(folder(family).join("encoder.onnx")).expect("there");
    change(&mut encoder);
    fs::write(home.path().join("encoder.onnx"), encoder).expect("written");
    let decoder = folder(family).join("decoder.onnx");
    fs::copy(decoder, home.path().join("decoder.onnx")).expect("copied");
    home
}

#[test]
fn a_newer_opset_is_told() {
    // The operator set is the last message of the file, its version the last number 18.
    let home = changed("sam", |bytes| {
        let at = bytes.iter().rposition(|b| *b == 18).expect("opset 18");
        bytes[at] = 99;
    });
    let why = refusal(home.path());
    assert!(
        why.contains("encoder.onnx") && why.contains("opset"),
        "{why}"
    );
}

#[test]
fn weights_that_were_left_behind_are_told() {
    let home = changed("sam-apart", |_| {});
    let why = refusal(&home.path().join("encoder.onnx"));
    assert!(
        why.contains("encoder.weights") && why.contains("copy that file"),
        "{why}"
    );
}
