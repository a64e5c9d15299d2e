//! `termask demo`: photos to try it on, without a download.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::segment::{self, Answer};
use super::{annotate, picture};
use crate::core::document::Object;
use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::printable::printable;
use crate::core::prompt::{Click, Prompt, Side};
use crate::segment as engines;
use crate::store::decode;
use crate::store::error::Error;
use crate::store::settings::{self, Class};
use crate::store::{replace, sidecar};
use crate::ui::app::{Options, Start};

/// Try it on public-domain photos: in a terminal opens them, without one segments them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the photos go; what a person made there stays as it is.
    #[arg(long, value_name = "DIR", default_value = "termask-demo")]
    dir: PathBuf,
}

/// A photo with prompts that show what the engine does.
struct Photo {
    name: &'static str,
    bytes: &'static [u8],
    objects: &'static [Prepared],
}

/// A prompt and the class of its object.
struct Prepared {
    class: &'static str,
    rect: Option<[u32; 4]>,
    inside: &'static [[u32; 2]],
    outside: &'static [[u32; 2]],
}

const PHOTOS: [Photo; 4] = [
    Photo {
        name: "astronaut.png",
        bytes: include_bytes!("../../assets/astronaut.png"),
        objects: &[
            Prepared {
                class: "person",
                rect: Some([18, 12, 372, 512]),
                inside: &[],
                outside: &[],
            },
            Prepared {
                class: "rocket",
                rect: Some([352, 0, 472, 286]),
                inside: &[],
                outside: &[],
            },
        ],
    },
    Photo {
        name: "chelsea.png",
        bytes: include_bytes!("../../assets/chelsea.png"),
        objects: &[Prepared {
            class: "cat",
            rect: None,
            inside: &[[200, 120], [60, 240]],
            outside: &[[380, 285]],
        }],
    },
    Photo {
        name: "coffee.png",
        bytes: include_bytes!("../../assets/coffee.png"),
        objects: &[Prepared {
            class: "cup",
            rect: None,
            inside: &[[300, 300]],
            outside: &[],
        }],
    },
    Photo {
        name: "rocket.jpg",
        bytes: include_bytes!("../../assets/rocket.jpg"),
        objects: &[Prepared {
            class: "rocket",
            rect: Some([304, 122, 342, 412]),
            inside: &[],
            outside: &[],
        }],
    },
];

const CLASSES: [&str; 4] = ["person", "cat", "cup", "rocket"];

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let photos = copy(&args.dir)?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return annotate::open(Options {
            paths: vec![args.dir.clone()],
            graphics: None,
            engine: None,
            start: Start::Tour,
        });
    }
    segment_all(&args.dir, &photos)?;
    Ok(ExitCode::SUCCESS)
}

/// Puts the photos and a `termask.toml` into the folder. Files that are there already stay.
fn copy(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir)
        .map_err(|e| Error::io(dir, e))
        .context("making the demo's folder")?;
    let mut paths = Vec::new();
    for photo in &PHOTOS {
        let path = dir.join(photo.name);
        match fs::read(&path) {
            Ok(bytes) if bytes == photo.bytes => {}
            Ok(_) => bail!(
                "{}: another file of this name is there and stays; choose a folder with --dir",
                printable(&path)
            ),
            Err(e) if e.kind() == io::ErrorKind::NotFound => replace::write(&path, photo.bytes)?,
            Err(e) => return Err(Error::io(&path, e).into()),
        }
        paths.push(path);
    }
    let file = dir.join("termask.toml");
    if !file.exists() {
        for (n, name) in CLASSES.iter().enumerate() {
            let class = Class {
                name: (*name).into(),
                colour: settings::class_colour(n),
                hotkey: Some(n as u8 + 1),
            };
            settings::add_class(&file, &class)?;
        }
    }
    Ok(paths)
}

/// Segments the photos with the prepared prompts; prints a table, a picture, and where it all is.
fn segment_all(dir: &Path, photos: &[PathBuf]) -> anyhow::Result<()> {
    let mut engine = engines::open("click")?;
    let settings = settings::load(dir)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<16}{:<10}{:>9}{:>13}{:>6}",
        "image", "class", "pixels", "confidence", "ms"
    )?;
    let mut cover = None;
    for (photo, path) in PHOTOS.iter().zip(photos) {
        let decoded = decode::decode(path)?;
        let before = objects(path)?;
        if before.is_empty() {
            for prepared in photo.objects {
                let answer = segment::ask(&mut *engine, &decoded, prepared.prompt(), None)?;
                let took = format!("{:.0}", answer.milliseconds);
                row(&mut out, photo.name, prepared.class, &answer, &took)?;
                segment::save(path, &decoded, answer, Arc::from(prepared.class))?;
            }
        } else {
            writeln!(
                out,
                "{:<16}has {} objects already; they stay as they are",
                photo.name,
                before.len()
            )?;
        }
        cover.get_or_insert((path, decoded));
    }
    out.flush()?;
    drop(out);
    if let Some((path, decoded)) = cover {
        let layers = picture::layers(&objects(path)?, &settings);
        picture::print(&decoded.image, &layers)?;
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Masks (*.mask.png) and sidecars (*.termask.json) lie beside the photos in {}.\n\
         Open them in a terminal: termask {}",
        printable(dir),
        printable(dir)
    )?;
    Ok(())
}

fn row(
    out: &mut impl Write,
    name: &str,
    class: &str,
    answer: &Answer,
    took: &str,
) -> io::Result<()> {
    let area = answer.proposal.mask.area();
    let confidence = answer.proposal.confidence;
    writeln!(
        out,
        "{name:<16}{class:<10}{area:>9}{confidence:>13.2}{took:>6}"
    )
}

/// The objects beside an image.
fn objects(image: &Path) -> anyhow::Result<Vec<Arc<Object>>> {
    let read = sidecar::read(image)?;
    Ok(read.map_or_else(Vec::new, |r| r.history.now().objects.clone()))
}

impl Prepared {
    fn prompt(&self) -> Prompt {
        let sides = [(self.inside, Side::Inside), (self.outside, Side::Outside)];
        let clicks = sides.into_iter().flat_map(|(points, side)| {
            points.iter().map(move |[x, y]| Click {
                at: ImagePoint::new(*x, *y),
                side,
            })
        });
        Prompt {
            rect: self
                .rect
                .map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1)),
            clicks: clicks.collect(),
        }
    }
}
