//! viuer's and ratatui-image's bytes for the same scenes.

use std::env;
use std::io::{Read, Write};

use pty_process::Size;
use pty_process::blocking::{Command, open};
use ratatui::layout::Size as Cells;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{Image, Resize};
use termask::term::Graphics;

use crate::scenes::{ACTIONS, CELLS, Scenes, flat};
use crate::{Sink, terminal};

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

pub fn ratatui_image(graphics: Graphics, scenes: &Scenes) -> [usize; ACTIONS.len()] {
    // Its cells are 10x20 pixels.
    let mut picker = Picker::halfblocks();
    picker.set_protocol_type(match graphics {
        Graphics::Kitty => ProtocolType::Kitty,
        Graphics::Sixel => ProtocolType::Sixel,
        Graphics::Iterm => ProtocolType::Iterm2,
        Graphics::Blocks => ProtocolType::Halfblocks,
    });
    let sink = Sink::default();
    let mut terminal = terminal(sink.clone());
    scenes.all().map(|scene| {
        let cells = scene.view.cells;
        let room = Cells::new(cells.cols, cells.rows);
        let picture = picker
            .new_protocol(flat(scene), room, Resize::Fit(None))
            .expect("it fits");
        terminal
            .draw(|frame| frame.render_widget(Image::new(&picture), frame.area()))
            .expect("memory takes all");
        sink.take()
    })
}
