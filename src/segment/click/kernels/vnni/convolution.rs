//! Which kernel computes a convolution, and what follows it.

use std::mem;

use super::dense::{Dense, Lines};
use super::depthwise::{Depthwise, Quads};
use super::layer::{Extent, Layer, Rows, Window};
use super::pointwise::Pointwise;

/// A convolution, also with one of single cells before or behind it whose outputs, or what it sees, are never written out.
pub struct Convolution {
    window: Window,
    kind: Kind,
    project: Option<Pointwise>,
    /// So many rows of the output are worth their beginning.
    pub least: usize,
}

/// What rows are made in, one after the other, by a thread: to be given fresh memory takes longer than to fill it.
#[derive(Default)]
pub struct Room {
    quads: Quads,
    lines: Lines,
    /// What is not written out.
    between: Vec<u8>,
}

enum Kind {
    Depthwise(Depthwise),
    Dense(Dense),
    Pointwise(Pointwise),
}

impl Convolution {
    /// None where the layers are of a kind that is not computed here.
    pub fn new(expand: Option<&Layer>, layer: &Layer, project: Option<&Layer>) -> Option<Self> {
        let kind = match expand {
            Some(expand) => Depthwise::expanding(expand, layer).map(Kind::Depthwise),
            None if layer.window == Window::CELL => Pointwise::new(layer).map(Kind::Pointwise),
            None => {
                let depthwise = Depthwise::new(layer).map(Kind::Depthwise);
                depthwise.or_else(|| Dense::new(layer).map(Kind::Dense))
            }
        }?;
        let project = match project {
            Some(project) => Some(Pointwise::new(project)?),
            None => None,
        };
        let made = layer.bias.len();
        let fits = project.as_ref().is_none_or(|p| p.channels()[0] == made);
        fits.then_some(Self {
            window: layer.window,
            kind,
            project,
            least: if expand.is_some() { 24 } else { 0 },
        })
    }

    /// Channels that it sees.
    pub fn channels(&self) -> usize {
        self.of_kind()[0]
    }

    fn of_kind(&self) -> [usize; 2] {
        match &self.kind {
            Kind::Depthwise(layer) => layer.channels(),
            Kind::Dense(layer) => layer.channels(),
            Kind::Pointwise(layer) => layer.channels(),
        }
    }

    /// What it makes of a picture.
    pub fn outputs(&self, extent: Extent) -> Extent {
        let [_, made] = self.of_kind();
        let project = self.project.as_ref();
        Extent {
            height: self.window.outputs(extent.height),
            width: self.window.outputs(extent.width),
            channels: project.map_or(made, |project| project.channels()[1]),
        }
    }

    /// Rows of the output from the row `first` on, a multiple of 4.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rows(
        &self,
        input: &[u8],
        extent: Extent,
        first: usize,
        out: &mut [u8],
        room: &mut Room,
    ) {
        let Some(project) = &self.project else {
            return self.rows_of_kind(input, extent, first, out, room);
        };
        let across = self.window.outputs(extent.width);
        let [seen, made] = project.channels();
        // So few that they stay at hand.
        let rows = self.least.max(8);
        let mut between = mem::take(&mut room.between);
        for (piece, out) in out.chunks_mut(rows * across * made).enumerate() {
            between.resize(out.len() / made * seen, 0);
            self.rows_of_kind(input, extent, first + piece * rows, &mut between, room);
            project.cells(&between, out);
        }
        room.between = between;
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn rows_of_kind(
        &self,
        input: &[u8],
        extent: Extent,
        first: usize,
        out: &mut [u8],
        room: &mut Room,
    ) {
        let across = self.window.outputs(extent.width);
        let rows = Rows { first, across, out };
        match &self.kind {
            Kind::Depthwise(layer) => layer.rows(input, extent, rows, &mut room.quads),
            Kind::Dense(layer) => layer.rows(input, extent, rows, &mut room.lines),
            Kind::Pointwise(layer) => {
                layer.cells(&input[first * extent.width * extent.channels..], rows.out);
            }
        }
    }
}
