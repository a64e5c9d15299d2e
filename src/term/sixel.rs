//! Sixel: no layers and no memory, so only the cells that changed are drawn, each with the photo,
//! the masks and the marks in it.

mod encode;

use self::encode::encode;
use super::Way;
use super::line::Command;
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::patches::{Block, erase};
use super::registers::{Pen, Registers, Sheet};
use crate::core::scene::Scene;

/// What the terminal shows.
#[derive(Debug, Default)]
pub struct Sixel {
    way: Way,
    registers: Registers,
}

impl Sixel {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            registers: Registers::default(),
        }
    }

    /// `None` where tmux shows another window: nothing is drawn into it.
    fn needle(&self) -> Option<Needle> {
        Some(Needle {
            way: self.way,
            corner: self.way.corner()?,
        })
    }
}

/// Draws a block at its place.
struct Needle {
    way: Way,
    /// Column and row of the first cell on the outer terminal.
    corner: (u16, u16),
}

impl Pen for Needle {
    fn write(&self, block: &Block, sheet: Sheet<'_>) -> Command {
        let (left, top) = self.corner;
        let (row, col) = (top + block.row + 1, left + block.col + 1);
        let mut patch = format!("\x1b7\x1b[{row};{col}H").into_bytes();
        encode(block.pixels, sheet, &mut patch);
        patch.extend_from_slice(b"\x1b8");
        self.way.sent(patch)
    }
}

impl Painter for Sixel {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let before = self.registers.turn_to(scene);
        let erased = before.and_then(|before| erase(&before, &scene.view));
        let mut out: Vec<Command> = erased.into_iter().collect();
        if let Some(needle) = self.needle() {
            out.extend(self.registers.paint(scene, &needle));
        }
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        match self.needle() {
            Some(needle) => self.registers.refine(scene, room, &needle),
            None => Refined::Done,
        }
    }

    fn forget(&mut self) {
        self.registers.forget();
    }

    fn hide(&mut self) -> Vec<Command> {
        self.registers.hide();
        Vec::new()
    }

    fn pace(&mut self, speed: Speed) {
        self.registers.pace(speed);
    }
}
