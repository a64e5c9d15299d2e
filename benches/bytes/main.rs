//! How many bytes each action costs on the wire, and how long a frame takes to make: termask beside
//! viuer and ratatui-image, for a photo of 1280x960 in 100x40 cells of 10x20 pixels.
//!
//! `cargo bench --bench bytes`. The photo is a mosaic of the repository's photos at their own
//! resolution. The others send the whole picture for every action: they know no layers.

#[path = "../../tests/drawing/mod.rs"]
mod drawing;
mod others;
mod scenes;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use scenes::{ACTIONS, CELLS, Scenes};
use termask::core::scene::Scene;
use termask::term::blocks::{Blocks, Depth};
use termask::term::iterm::Iterm;
use termask::term::kitty::Kitty;
use termask::term::pace::Speed;
use termask::term::painter::{Painter, Refined};
use termask::term::sixel::Sixel;
use termask::term::{Graphics, Way};

/// Frames that are timed.
const FRAMES: usize = 20;

fn main() {
    if others::is_child() {
        return others::print_with_viuer();
    }
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1);
    alone.build_global().expect("the first pool");
    let scenes = Scenes::new();
    println!("bytes of each action; what then makes the picture sharper, in brackets");
    println!();
    println!("| | {} |", ACTIONS.join(" | "));
    println!("|---|{}", "---:|".repeat(ACTIONS.len()));
    for graphics in Graphics::ALL {
        let costs = termask(graphics, &scenes);
        row(&format!("termask {}", graphics.name()), &costs);
    }
    for graphics in Graphics::ALL {
        let costs = others::viuer(graphics).map(|bytes| vec![bytes]);
        row(&format!("viuer {}", graphics.name()), &costs);
    }
    for graphics in Graphics::ALL {
        let costs = others::ratatui_image(graphics, &scenes).map(|bytes| vec![bytes]);
        row(&format!("ratatui-image {}", graphics.name()), &costs);
    }
    println!();
    println!(
        "milliseconds a frame takes to make, on one thread; the share of ratatui-image's time for the same picture, in brackets"
    );
    println!();
    println!("| | crosshair | mask |\n|---|---:|---:|");
    for graphics in Graphics::ALL {
        let [first, cursor, .., mask, changed] = scenes.all();
        let cells = [[first, cursor], [mask, changed]].map(|pair| {
            let (own, other) = (times(graphics, pair), others::times(graphics, pair));
            format!("{own:.2} ({:.3})", own / other)
        });
        println!("| {} | {} |", graphics.name(), cells.join(" | "));
    }
}

/// Each action's bytes: at once, then step by step to the sharpest picture.
type Costs = [Vec<usize>; ACTIONS.len()];

fn row(name: &str, costs: &Costs) {
    let cells = costs.iter().map(|steps| {
        let numbers: Vec<String> = steps.iter().map(usize::to_string).collect();
        match &numbers[..] {
            [at_once, sharper @ ..] if !sharper.is_empty() => {
                format!("{at_once} ({})", sharper.join(" + "))
            }
            all => all.join(""),
        }
    });
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

/// What turns scenes into bytes: a painter, or cells.
enum Artist {
    Painter(Box<dyn Painter>),
    Cells {
        blocks: Blocks,
        terminal: Box<Terminal<CrosstermBackend<Sink>>>,
        sink: Sink,
    },
}

impl Artist {
    fn new(graphics: Graphics) -> Self {
        match graphics {
            Graphics::Kitty => Self::Painter(Box::<Kitty>::default()),
            Graphics::Sixel => Self::Painter(Box::<Sixel>::default()),
            Graphics::Iterm => Self::Painter(Box::new(Iterm::new(Way::Direct))),
            Graphics::Blocks => {
                let sink = Sink::default();
                Self::Cells {
                    blocks: Blocks::default(),
                    terminal: Box::new(terminal(sink.clone())),
                    sink,
                }
            }
        }
    }

    /// Bytes that the scene costs at once.
    fn show(&mut self, scene: &Scene) -> usize {
        match self {
            Self::Painter(painter) => painter.paint(scene).iter().map(Vec::len).sum(),
            Self::Cells {
                blocks,
                terminal,
                sink,
            } => {
                terminal
                    .draw(|frame| blocks.draw(scene, Depth::True, Speed::Fast, frame.buffer_mut()))
                    .expect("memory takes all");
                sink.take()
            }
        }
    }

    /// Bytes of the next step to a sharper picture; none where it is as sharp as it gets.
    fn refine(&mut self, scene: &Scene) -> Option<usize> {
        let Self::Painter(painter) = self else {
            return None;
        };
        match painter.refine(scene, usize::MAX) {
            Refined::Step(command) => Some(command.len()),
            Refined::Done => None,
        }
    }

    fn refine_fully(&mut self, scene: &Scene) -> Vec<usize> {
        std::iter::from_fn(|| self.refine(scene)).collect()
    }
}

fn termask(graphics: Graphics, scenes: &Scenes) -> Costs {
    let mut artist = Artist::new(graphics);
    scenes.all().map(|scene| {
        let mut steps = vec![artist.show(scene)];
        steps.extend(artist.refine_fully(scene));
        steps
    })
}

/// Milliseconds a frame of scenes that follow each other.
fn times(graphics: Graphics, [a, b]: [&Scene; 2]) -> f64 {
    let mut artist = Artist::new(graphics);
    artist.show(a);
    artist.refine_fully(a);
    let start = Instant::now();
    for scene in [b, a].into_iter().cycle().take(FRAMES) {
        artist.show(scene);
    }
    start.elapsed().as_secs_f64() * 1000.0 / FRAMES as f64
}

/// Cells that are counted instead of shown.
pub fn terminal(sink: Sink) -> Terminal<CrosstermBackend<Sink>> {
    let (cols, rows) = CELLS;
    let viewport = Viewport::Fixed(Rect::new(0, 0, cols, rows));
    Terminal::with_options(CrosstermBackend::new(sink), TerminalOptions { viewport })
        .expect("memory takes all")
}

/// Counts what is written.
#[derive(Debug, Clone, Default)]
pub struct Sink(Arc<Mutex<usize>>);

impl Sink {
    pub fn take(&self) -> usize {
        std::mem::take(&mut *self.0.lock().expect("nobody panics with it"))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.0.lock().expect("nobody panics with it") += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
