//! viuer's and ratatui-image's bytes for the same scenes.

use std::env;
use std::io::{Read, Write};
use std::time::Instant;

use image::DynamicImage;
use pty_process::Size;
use pty_process::blocking::{Command, open};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Size as Cells;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{Image, Resize};
use termask::core::scene::Scene;
use termask::term::Graphics;

use crate::scenes::{ACTIONS, CELLS, Scenes, flat};
use crate::{Sink, terminal};

/// Frames that are timed.
const FRAMES: usize = 6;
/// Names the protocol and the action to a child, which prints them.
const CHILD: &str = "TERMASK_BYTES_CHILD";

pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// In the child: asks the terminal, and prints one scene.
pub fn print_with_viuer() {
    let told = env::var(CHILD).expect("the parent told it");
    let (name, action) = told.split_once(' ').expect("protocol and action");
    let scenes = Scenes::new();
    let scene = scenes.all()[action.parse::<usize>().expect("a number")];
    let cells = scene.view.cells;
    let graphics = Graphics::from_name(name).expect("a protocol");
    let config = viuer::Config {
        absolute_offset: true,
        x: cells.col,
        y: cells.row as i16,
        width: Some(u32::from(cells.cols)),
        height: Some(u32::from(cells.rows)),
        truecolor: true,
        use_kitty: graphics == Graphics::Kitty,
        use_iterm: graphics == Graphics::Iterm,
        use_sixel: graphics == Graphics::Sixel,
        ..viuer::Config::default()
    };
    viuer::print(&flat(scene), &config).expect("stdout takes all");
}

pub fn viuer(graphics: Graphics) -> [usize; ACTIONS.len()] {
    std::array::from_fn(|action| print_in_terminal(graphics, action))
}

/// Runs this program as the child in a terminal that answers as kitty over a connection does, and
/// counts what comes.
fn print_in_terminal(graphics: Graphics, action: usize) -> usize {
    let (mut pty, pts) = open().expect("a pseudo-terminal");
    let (cols, rows) = CELLS;
    pty.resize(Size::new_with_pixel(rows, cols, cols * 10, rows * 20))
        .expect("sized");
    let program = match graphics {
        Graphics::Iterm => "iTerm.app",
        Graphics::Kitty | Graphics::Sixel | Graphics::Blocks => "",
    };
    let mut child = Command::new(env::current_exe().expect("this program"))
        .env(CHILD, format!("{} {action}", graphics.name()))
        .env("TERM", "xterm-256color")
        .env("TERM_PROGRAM", program)
        .env("LC_TERMINAL", "")
        .spawn(pts)
        .expect("started");
    let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
    // The end of a pseudo-terminal is an error, not a length of 0.
    while let Ok(length) = pty.read(&mut buffer) {
        let part = &buffer[..length];
        bytes += length;
        let asks = |question: &[u8]| part.windows(question.len()).any(|w| w == question);
        let mut answer = Vec::new();
        if asks(b"a=q,t=d") && graphics == Graphics::Kitty {
            answer.extend_from_slice(b"\x1b_Gi=31;OK\x1b\\");
        }
        if asks(b"a=q,t=t") {
            answer.extend_from_slice(b"\x1b_Gi=31;EBADF:no such file here\x1b\\");
        }
        if asks(b"\x1b[c") {
            answer.extend_from_slice(b"\x1b[?62;4c");
        }
        pty.write_all(&answer).expect("the child listens");
    }
    let ended = child.wait().expect("it ran");
    assert!(ended.success(), "viuer printed nothing: {ended}");
    bytes
}

/// Draws pictures with ratatui-image.
pub struct RatatuiImage {
    picker: Picker,
    terminal: Terminal<CrosstermBackend<Sink>>,
    sink: Sink,
}

impl RatatuiImage {
    pub fn new(graphics: Graphics) -> Self {
        // Its cells are 10x20 pixels.
        let mut picker = Picker::halfblocks();
        picker.set_protocol_type(match graphics {
            Graphics::Kitty => ProtocolType::Kitty,
            Graphics::Sixel => ProtocolType::Sixel,
            Graphics::Iterm => ProtocolType::Iterm2,
            Graphics::Blocks => ProtocolType::Halfblocks,
        });
        let sink = Sink::default();
        Self {
            picker,
            terminal: terminal(sink.clone()),
            sink,
        }
    }

    /// The bytes of a scene's picture, as [`flat`] makes it.
    pub fn show(&mut self, scene: &Scene, picture: DynamicImage) -> usize {
        let cells = scene.view.cells;
        let room = Cells::new(cells.cols, cells.rows);
        let picture = self
            .picker
            .new_protocol(picture, room, Resize::Fit(None))
            .expect("it fits");
        self.terminal
            .draw(|frame| frame.render_widget(Image::new(&picture), frame.area()))
            .expect("memory takes all");
        self.sink.take()
    }
}

pub fn ratatui_image(graphics: Graphics, scenes: &Scenes) -> [usize; ACTIONS.len()] {
    let mut other = RatatuiImage::new(graphics);
    scenes.all().map(|scene| other.show(scene, flat(scene)))
}

/// Milliseconds a frame of scenes that follow each other.
pub fn times(graphics: Graphics, scenes: [&Scene; 2]) -> f64 {
    let mut other = RatatuiImage::new(graphics);
    let pictures = scenes.map(flat);
    let mut time = 0.0;
    for i in 0..FRAMES {
        let (scene, picture) = (scenes[i % 2], pictures[i % 2].clone());
        let start = Instant::now();
        other.show(scene, picture);
        time += start.elapsed().as_secs_f64();
    }
    time * 1000.0 / FRAMES as f64
}
