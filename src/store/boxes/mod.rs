//! Boxes as detectors and detection data sets have them: one file a format.

mod coco;
mod voc;
mod yolo;

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::core::geometry::{ImageRect, Size};
use crate::store::error::{Error, Result};

/// Left, top, right and bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame {
    Pixels([f64; 4]),
    /// Of the image's width and height.
    Shares([f64; 4]),
}

/// A box with what its file says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    pub frame: Frame,
    /// `None` where the file has but a number for it.
    pub class: Option<String>,
    /// 0 to 1.
    pub score: Option<f32>,
}

impl Detected {
    /// The pixels of the box in an image of this size; `None` where there are none.
    pub fn rect(&self, size: Size) -> Option<ImageRect> {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let [x0, y0, x1, y1] = match self.frame {
            Frame::Pixels(corners) => corners,
            Frame::Shares([x0, y0, x1, y1]) => [x0 * width, y0 * height, x1 * width, y1 * height],
        };
        // `as` takes what lies left of or above the image as 0.
        let at = |v: f64| v.round() as u32;
        let rect = ImageRect::new(at(x0), at(y0), at(x1), at(y1)).intersection(size.bounds());
        (!rect.is_empty()).then_some(rect)
    }
}

/// The boxes of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Boxed {
    /// The image's name or the way to it, with or without its ending.
    pub name: String,
    /// The image's size, where the file tells it.
    pub size: Option<Size>,
    pub boxes: Vec<Detected>,
}

/// Reads boxes: a COCO JSON, a folder of YOLO text files, a folder of Pascal VOC XML files.
pub fn read(place: &Path) -> Result<Vec<Boxed>> {
    if !place.exists() {
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Error::io(place, gone));
    }
    if place.is_file() {
        return coco::read(place);
    }
    let within = |part: &str| {
        let below = place.join(part);
        if below.is_dir() {
            below
        } else {
            place.to_path_buf()
        }
    };
    let annotations = within("Annotations");
    let files = files_below(&annotations, "xml");
    if !files.is_empty() {
        return voc::read(&annotations, &files);
    }
    let labels = within("labels");
    let files = files_below(&labels, "txt");
    if !files.is_empty() {
        return yolo::read(place, &labels, &files);
    }
    Err(wrong(place, &"it holds no boxes"))
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Image {
        path: path.to_path_buf(),
        why: why.to_string(),
        remedy: "give a COCO JSON with images and annotations, a folder of YOLO text files, or one of Pascal VOC XML files",
    }
}

/// All files below a folder with this ending, sorted.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .flatten();
    let paths = entries
        .filter(|e| e.file_type().is_file())
        .map(walkdir::DirEntry::into_path);
    paths
        .filter(|p| {
            p.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case(ending))
        })
        .collect()
}

/// The way from a folder to a file, without the file's ending.
fn name_below(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file);
    below.with_extension("").to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    /// Name, class and box of each, in an image of 100x50 pixels.
    fn found(boxed: &[Boxed]) -> Vec<(String, Option<String>, Option<ImageRect>)> {
        let size = Size::new(100, 50);
        let all = boxed
            .iter()
            .flat_map(|image| image.boxes.iter().map(move |b| (image, b)));
        all.map(|(image, b)| (image.name.clone(), b.class.clone(), b.rect(size)))
            .collect()
    }

    #[test]
    fn coco_yolo_and_voc_tell_of_the_same_box() {
        let coco = r#"{"images": [{"id": 7, "file_name": "x/a.jpg", "width": 100, "height": 50}],
            "categories": [{"id": 3, "name": "cat"}],
            "annotations": [{"image_id": 7, "category_id": 3, "bbox": [10, 5, 20.2, 30], "score": 0.5},
                {"image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9], "iscrowd": 1}]}"#;
        let voc = "<annotation><filename>other.jpg</filename><size><width>100</width>\
            <height>50</height><depth>3</depth></size><object><name>cat</name><pose>Left</pose>\
            <bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>35</ymax></bndbox></object>\
            </annotation>";
        let folder = written(&[
            ("coco.json", coco),
            ("yolo/labels/x/a.txt", "1 0.2 0.4 0.2 0.6 0.5\n"),
            ("yolo/data.yaml", "names: [dog, cat]\n"),
            ("voc/Annotations/x/a.xml", voc),
        ]);
        let cat = Some("cat".to_owned());
        let rect = Some(ImageRect::new(10, 5, 30, 35));
        for (place, name) in [("coco.json", "x/a.jpg"), ("yolo", "x/a"), ("voc", "x/a")] {
            let boxed = read(&folder.path().join(place)).expect(place);
            assert_eq!(
                found(&boxed),
                [(name.to_owned(), cat.clone(), rect)],
                "{place}"
            );
        }
        let yolo = read(&folder.path().join("yolo")).expect("read");
        assert_eq!(yolo[0].boxes[0].score, Some(0.5));
    }

    #[test]
    fn boxes_are_clipped_and_those_outside_are_none() {
        let detected = |corners| Detected {
            frame: Frame::Pixels(corners),
            class: None,
            score: None,
        };
        let size = Size::new(100, 50);
        let clipped = detected([-5.0, -5.0, 200.0, 20.0]).rect(size);
        assert_eq!(clipped, Some(ImageRect::new(0, 0, 100, 20)));
        assert_eq!(detected([100.0, 0.0, 120.0, 20.0]).rect(size), None);
        assert_eq!(detected([-9.0, 0.0, -2.0, 20.0]).rect(size), None);
    }

    #[test]
    fn what_is_no_list_of_boxes_is_refused_by_name() {
        let folder = written(&[
            ("results.json", r#"[{"image_id": 1, "bbox": [0, 0, 1, 1]}]"#),
            ("bad/a.txt", "0 0.5 0.5 x 0.5\n"),
            ("xml/a.xml", "<annotation><object></annotation>"),
            ("none/a.md", ""),
        ]);
        for (place, part) in [
            ("results.json", "results.json"),
            ("bad", "line 1"),
            ("xml", "a.xml"),
            ("none", "none"),
        ] {
            let why = read(&folder.path().join(place))
                .expect_err(place)
                .to_string();
            assert!(why.contains(part), "{why}");
        }
    }
}
