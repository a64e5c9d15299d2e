//! CVAT XML 1.1 for images: one file for all, masks as run lengths, which lose nothing.

use std::path::Path;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use super::{Found, FoundImage, Out, Set, checked_size, filled, plain_name, read_text, unreadable};
use crate::core::contour::Ring;
use crate::core::document::Object;
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::{Mask, Run};
use crate::store::error::Result;
use crate::store::settings::class_colour;

/// The file's name in an export.
const FILE: &str = "annotations.xml";

/// `annotations.xml` and `images/…`.
pub fn export(set: &Set, out: &mut Out) -> Result<()> {
    for image in &set.images {
        out.copy(image, &format!("images/{}", image.name))?;
    }
    let text = written(set).expect("memory takes all");
    out.write(FILE, &text)
}

fn written(set: &Set) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let declaration = quick_xml::events::BytesDecl::new("1.0", Some("utf-8"), None);
    writer.write_event(Event::Decl(declaration))?;
    let annotations = writer.create_element("annotations");
    annotations.write_inner_content(|writer| {
        text_element(writer, "version", "1.1")?;
        let meta = writer.create_element("meta");
        meta.write_inner_content(|writer| {
            let task = writer.create_element("task");
            task.write_inner_content(|writer| labels(writer, set))?;
            Ok(())
        })?;
        for (id, image) in set.images.iter().enumerate() {
            let mut element = BytesStart::new("image");
            element.push_attribute(("id", id.to_string().as_str()));
            element.push_attribute(("name", image.name.as_str()));
            if set.is_split {
                element.push_attribute(("subset", image.part.name()));
            }
            element.push_attribute(("width", image.size.width.to_string().as_str()));
            element.push_attribute(("height", image.size.height.to_string().as_str()));
            writer.write_event(Event::Start(element.borrow()))?;
            for (order, object) in image.objects.iter().enumerate() {
                if let Some(mask) = mask_element(object, order) {
                    writer.write_event(Event::Empty(mask))?;
                }
            }
            writer.write_event(Event::End(element.to_end()))?;
        }
        Ok(())
    })?;
    Ok(writer.into_inner())
}

fn text_element(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> std::io::Result<()> {
    let text = quick_xml::events::BytesText::new(text);
    writer.create_element(name).write_text_content(text)?;
    Ok(())
}

fn labels(writer: &mut Writer<Vec<u8>>, set: &Set) -> std::io::Result<()> {
    let labels = writer.create_element("labels");
    labels.write_inner_content(|writer| {
        for (i, class) in set.classes.iter().enumerate() {
            let [r, g, b] = class_colour(i);
            let label = writer.create_element("label");
            label.write_inner_content(|writer| {
                text_element(writer, "name", class)?;
                text_element(writer, "color", &format!("#{r:02x}{g:02x}{b:02x}"))?;
                text_element(writer, "type", "mask")
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// `None` for an object without pixels.
fn mask_element(object: &Object, order: usize) -> Option<BytesStart<'static>> {
    let bounds = object.mask.bounds()?;
    let mut element = BytesStart::new("mask");
    element.push_attribute(("label", &*object.class));
    element.push_attribute(("source", "manual"));
    element.push_attribute(("occluded", "0"));
    let counts: Vec<String> = counts(&object.mask, bounds)
        .iter()
        .map(u64::to_string)
        .collect();
    element.push_attribute(("rle", counts.join(", ").as_str()));
    let places = [
        ("left", bounds.x0),
        ("top", bounds.y0),
        ("width", bounds.width()),
        ("height", bounds.height()),
    ];
    for (name, value) in places {
        element.push_attribute((name, value.to_string().as_str()));
    }
    element.push_attribute(("z_order", order.to_string().as_str()));
    Some(element)
}

/// CVAT's run lengths: row by row of the bounds, background first.
fn counts(mask: &Mask, bounds: ImageRect) -> Vec<u64> {
    let mut counts: Vec<u64> = Vec::new();
    let (mut end, width) = (0, u64::from(bounds.width()));
    for run in mask.runs() {
        let row = u64::from(run.y - bounds.y0) * width;
        let from = row + u64::from(run.x0 - bounds.x0);
        let to = row + u64::from(run.x1 - bounds.x0);
        match counts.last_mut() {
            // It goes on from the end of the row above.
            Some(last) if from == end => *last += to - from,
            _ => counts.extend([from - end, to - from]),
        }
        end = to;
    }
    let rest = bounds.size().area() - end;
    counts.extend((rest > 0).then_some(rest));
    counts
}

/// The mask with these run lengths in these bounds.
fn mask_of(size: Size, bounds: ImageRect, counts: &[u64]) -> std::result::Result<Mask, String> {
    let area = bounds.size().area();
    let sum = counts.iter().fold(0_u64, |a, b| a.saturating_add(*b));
    // CVAT leaves the background behind the last run out.
    if sum > area {
        return Err(format!("its run lengths have {sum} pixels, its box {area}"));
    }
    let width = u64::from(bounds.width());
    let mut runs = Vec::new();
    let mut position = 0;
    for (i, count) in counts.iter().enumerate() {
        let (mut from, to) = (position, position + count);
        position = to;
        while i % 2 == 1 && from < to {
            let row = from / width;
            let end = to.min((row + 1) * width);
            runs.push(Run {
                y: bounds.y0 + row as u32,
                x0: bounds.x0 + (from - row * width) as u32,
                x1: bounds.x0 + (end - row * width) as u32,
            });
            from = end;
        }
    }
    Ok(Mask::from_runs(size, runs))
}

/// A file, or a folder with `annotations.xml`.
pub fn import(from: &Path) -> Result<Vec<FoundImage>> {
    let path = if from.is_dir() {
        from.join(FILE)
    } else {
        from.to_path_buf()
    };
    parse(&path, &read_text(&path)?)
}

/// The images of a file's text.
pub fn parse(path: &Path, text: &str) -> Result<Vec<FoundImage>> {
    let mut reader = Reader::from_str(text);
    let mut images: Vec<FoundImage> = Vec::new();
    // The order in which an image's objects are drawn, as the file says.
    let mut orders: Vec<i64> = Vec::new();
    loop {
        // Bytes: the reader counts none for a byte order mark, and so may end within a character.
        let before = |at: u64| text.as_bytes().iter().take(at as usize);
        let line = |at: u64| before(at).filter(|b| **b == b'\n').count() + 1;
        let at = reader.buffer_position();
        let told = |why: &str| unreadable(path, &format!("line {}: {why}", line(at)));
        let event = reader.read_event().map_err(|e| told(&e.to_string()))?;
        let element = match &event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::End(element) if element.name().as_ref() == "image" => {
                sort(images.last_mut(), &mut orders);
                continue;
            }
            Event::Eof => return Ok(images),
            _ => continue,
        };
        let shape = Element(element);
        if element.name().as_ref() == "image" {
            let name = shape.text("name").map_err(|why| told(&why))?;
            let size = shape.pair("width", "height").map_err(|why| told(&why))?;
            images.push(FoundImage {
                name: plain_name(&name).ok_or_else(|| told("its name is no file name"))?,
                size: checked_size(path, size.0, size.1)?,
                objects: Vec::new(),
            });
            orders.clear();
        }
        let Some(image) = images.last_mut() else {
            continue;
        };
        let mask = shape.mask(image.size).map_err(|why| told(&why))?;
        if let Some(mask) = mask {
            let class = shape.text("label").map_err(|why| told(&why))?;
            image.objects.push(Found::new(class, mask));
            orders.push(shape.number("z_order").unwrap_or(0.0) as i64);
        }
    }
}

/// Puts an image's objects into the order in which they are drawn.
fn sort(image: Option<&mut FoundImage>, orders: &mut Vec<i64>) {
    let Some(image) = image else { return };
    let objects = std::mem::take(&mut image.objects);
    let mut pairs: Vec<_> = orders.drain(..).zip(objects).collect();
    pairs.sort_by_key(|p| p.0);
    image.objects = pairs.into_iter().map(|p| p.1).collect();
}

/// An element with its attributes.
struct Element<'a>(&'a BytesStart<'a>);

type Checked<T> = std::result::Result<T, String>;

impl Element<'_> {
    fn text(&self, name: &str) -> Checked<String> {
        let found = self.0.try_get_attribute(name).map_err(|e| e.to_string())?;
        let found = found.ok_or_else(|| format!("{name} is missing"))?;
        let value = found.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        value.map(String::from).map_err(|e| e.to_string())
    }

    fn number(&self, name: &str) -> Checked<f64> {
        let text = self.text(name)?;
        let number = text.trim().parse().ok().filter(|v: &f64| v.is_finite());
        number.ok_or_else(|| format!("{name} is no number"))
    }

    /// Two attributes that are whole numbers from 0.
    fn pair(&self, a: &str, b: &str) -> Checked<(u64, u64)> {
        let whole = |name: &str| {
            let number = self.number(name)?;
            let fits = number >= 0.0 && number.fract() == 0.0 && number < f64::from(u32::MAX);
            fits.then_some(number as u64)
                .ok_or_else(|| format!("{name} is no number of pixels"))
        };
        Ok((whole(a)?, whole(b)?))
    }

    /// The object's pixels; `None` for what has no inside, and for what is no object.
    fn mask(&self, size: Size) -> Checked<Option<Mask>> {
        let mask = match self.0.name().as_ref() {
            "mask" => self.run_lengths(size)?,
            "polygon" => filled(size, &[self.points()?])?,
            "box" => {
                let (x0, y0) = (self.number("xtl")?, self.number("ytl")?);
                let (x1, y1) = (self.number("xbr")?, self.number("ybr")?);
                let ring = vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
                filled(size, &[self.turned(ring)])?
            }
            "ellipse" => {
                let (x, y) = (self.number("cx")?, self.number("cy")?);
                let (rx, ry) = (self.number("rx")?, self.number("ry")?);
                let angle = |i: u32| f64::from(i) / 360.0 * std::f64::consts::TAU;
                let at = |i| [x + rx * angle(i).cos(), y + ry * angle(i).sin()];
                filled(size, &[self.turned((0..360).map(at).collect())])?
            }
            _ => return Ok(None),
        };
        Ok(Some(mask))
    }

    fn run_lengths(&self, size: Size) -> Checked<Mask> {
        let ((x, y), (w, h)) = (self.pair("left", "top")?, self.pair("width", "height")?);
        if w == 0 || h == 0 || x + w > size.width.into() || y + h > size.height.into() {
            return Err("its box does not lie in the image".into());
        }
        let bounds = ImageRect::new(x as u32, y as u32, (x + w) as u32, (y + h) as u32);
        let text = self.text("rle")?;
        let counts = text.split(',').map(|c| c.trim().parse().ok());
        let counts: Option<Vec<u64>> = counts.collect();
        mask_of(size, bounds, &counts.ok_or("a run length is no number")?)
    }

    /// `x,y;x,y;…`
    fn points(&self) -> Checked<Ring> {
        let text = self.text("points")?;
        let point = |pair: &str| -> Option<[f64; 2]> {
            let (x, y) = pair.split_once(',')?;
            Some([x.trim().parse().ok()?, y.trim().parse().ok()?])
        };
        let ring: Option<Ring> = text.split(';').map(point).collect();
        ring.ok_or_else(|| "a point is no pair of numbers".into())
    }

    /// Turned about its middle by the element's degrees, clockwise.
    fn turned(&self, ring: Ring) -> Ring {
        let Ok(degrees) = self.number("rotation") else {
            return ring;
        };
        let (sin, cos) = degrees.to_radians().sin_cos();
        let count = ring.len().max(1) as f64;
        let middle = |i: usize| ring.iter().map(|p| p[i]).sum::<f64>() / count;
        let (x, y) = (middle(0), middle(1));
        let turn = |[px, py]: &[f64; 2]| {
            let (dx, dy) = (px - x, py - y);
            [x + dx * cos - dy * sin, y + dx * sin + dy * cos]
        };
        ring.iter().map(turn).collect()
    }
}
