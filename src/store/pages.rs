//! The pages of a TIFF as images of their own: `scan.tif` is its first page, `scan.tif#2` the second.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::decode;

/// The file that an image lies in, and which page of it the image is, from 0.
pub fn split(image: &Path) -> (Cow<'_, Path>, usize) {
    let whole = (Cow::Borrowed(image), 0);
    let Some(name) = image.file_name().and_then(|n| n.to_str()) else {
        return whole;
    };
    let Some((file, number)) = name.rsplit_once('#') else {
        return whole;
    };
    let page = number.parse().ok().filter(|n: &usize| *n > 1);
    // Only as it is written here: `#02` would be another name of the same image.
    match page.filter(|n| n.to_string() == number && may_have_pages(Path::new(file))) {
        Some(page) => (Cow::Owned(image.with_file_name(file)), page - 1),
        None => whole,
    }
}

/// Whether an image's file is there.
pub fn exists(image: &Path) -> bool {
    split(image).0.is_file()
}

/// A file's images: more than one where it has pages. What cannot be read is one image, which tells
/// why when it is opened.
pub fn all(file: PathBuf) -> Vec<PathBuf> {
    if !may_have_pages(&file) {
        return vec![file];
    }
    let count = File::open(&file).map_or(1, |f| decode::page_count(BufReader::new(f)));
    let mut images = vec![file];
    for number in 2..=count {
        let mut image = images[0].clone().into_os_string();
        image.push(format!("#{number}"));
        images.push(image.into());
    }
    images
}

fn may_have_pages(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("tif") || ending.eq_ignore_ascii_case("tiff")
}

/// An image's name without its ending; the page stays: `scan#2`.
pub fn stem(image: &Path) -> String {
    let (file, page) = split(image);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    match page {
        0 => stem.into_owned(),
        page => format!("{stem}#{}", page + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_further_pages_of_a_tiff_are_split_off() {
        let split = |name| {
            let (file, page) = split(Path::new(name));
            (file.to_string_lossy().into_owned(), page)
        };
        assert_eq!(split("a/scan.tif#2"), ("a/scan.tif".into(), 1));
        assert_eq!(split("scan.TIFF#10"), ("scan.TIFF".into(), 9));
        for name in [
            "scan.tif",
            "scan.tif#1",
            "scan.tif#02",
            "scan.tif#",
            "a.png#2",
            "#2",
        ] {
            assert_eq!(split(name), (name.into(), 0));
        }
        assert_eq!(stem(Path::new("a/b.c.tif#3")), "b.c#3");
    }
}
