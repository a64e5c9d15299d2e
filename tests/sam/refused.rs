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
        other.contains("unsupported") && other.contains("prompt u8[?,?,?,16]"),
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

#[test]
fn weights_that_are_cut_short_are_told() {
    let home = changed("sam-apart", |_| {});
    let weights = fs::read(folder("sam-apart").join("encoder.weights")).expect("there");
    let half = &weights[..weights.len() / 2];
    fs::write(home.path().join("encoder.weights"), half).expect("written");
    let why = refusal(&home.path().join("encoder.onnx"));
    assert!(
        why.contains("encoder.weights") && why.contains("cut short"),
        "{why}"
    );
}

/// Puts another number wherever the file has one, which takes as many bytes.
fn renumber(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}

#[test]
fn a_size_that_no_sam_has_is_refused_before_memory_is_taken_for_it() {
    // A dimension of 1024, and one of 2 million in as many bytes would not fit: 16383 does.
    let home = changed("sam-labelme", |bytes| {
        renumber(bytes, &[0x08, 0x80, 0x08], &[0x08, 0xff, 0x7f]);
    });
    let why = refusal(home.path());
    assert!(why.contains("16383") && why.contains("again"), "{why}");
}

#[test]
fn other_shapes_than_the_graph_takes_are_one_message_and_the_engine_lives() {
    let size = SIZES[0];
    let (image, _) = scene(size);
    // Four channels instead of three.
    let home = changed("sam-labelme", |bytes| {
        let at = bytes.iter().rposition(|b| *b == b'x').expect("its input");
        let dims = &mut bytes[at..];
        let three = dims
            .windows(2)
            .position(|w| w == [0x08, 3])
            .expect("[1, 3, ...]");
        dims[three + 1] = 4;
    });
    let mut sam = match Sam::open(home.path()) {
        Ok(sam) => sam,
        Err(why) => {
            assert!(why.to_string().contains("encoder.onnx"), "{why}");
            return;
        }
    };
    for key in 0..2 {
        let asked = question(&image, key, inside(size));
        let why = sam.propose(&asked).expect_err("refused").to_string();
        assert!(
            why.contains("encoder.onnx") && why.contains("right file"),
            "{why}"
        );
    }
}

#[test]
fn a_file_that_only_seems_huge_is_refused_without_reading_it() {
    let home = changed("sam", |_| {});
    let file = home.path().join("encoder.onnx");
    let grown = fs::File::options().write(true).open(&file).expect("opened");
    grown.set_len(1 << 40).expect("a sparse file");
    let why = refusal(&file);
    assert!(why.contains("no ONNX file"), "{why}");
    // A weight that says it has a terabyte, in a file that has not.
    let claims = changed("sam", |bytes| {
        let weight = [&[0x3a][..], &[0x80; 5], &[0x01]].concat();
        bytes.extend(weight);
    });
    let why = refusal(&claims.path().join("encoder.onnx"));
    assert!(why.contains("cut short"), "{why}");
}
