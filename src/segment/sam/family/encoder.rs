//! The encoders people have.

use crate::segment::header::{Element, Header};
use crate::segment::sam::resample::Rounding;

/// How a picture is brought to an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The longest side becomes the frame's; the graph does the rest.
    Longest,
    /// The longest side becomes the frame's; right and bottom are padded after normalising.
    Padded,
    /// Both sides become the frame's.
    Stretched,
    /// As it is; the graph scales it.
    Whole,
}

/// The order of an input's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// [height, width, 3]
    Hwc,
    /// [1, 3, height, width]
    Chw,
}

/// What the values of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// 0 to 255.
    Bytes,
    /// 0 to 1.
    Unit,
    /// Less `ImageNet`'s mean, divided by its deviation.
    ImageNet,
}

/// What the decoder's coordinates and masks refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// A square that holds the picture at the top left, its longest side filling it.
    Longest,
    /// A square that the picture was stretched to.
    Stretched,
    /// The pixels that the encoder was given.
    Given,
}

/// A kind of encoder.
#[derive(Debug)]
pub struct Encoder {
    /// The engine's name in files and messages.
    pub name: &'static str,
    /// Name of the input.
    input: &'static str,
    /// Its element type; `None` for floating point of any width.
    element: Option<Element>,
    layout: Layout,
    /// Outputs that must be there, by name.
    outputs: &'static [&'static str],
    /// How many outputs there are at least and at most.
    count: (usize, usize),
    /// Side that the input must have; 0 for any.
    side: usize,
    pub fit: Fit,
    pub values: Values,
    pub frame: Frame,
    /// Whether the model's own pipeline rounds the scaled picture to bytes.
    pub rounding: Rounding,
}

impl Encoder {
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    pub fn fits(&self, header: &Header) -> bool {
        let Some(input) = header.inputs.first() else {
            return false;
        };
        let rank = match self.layout {
            Layout::Hwc => 3,
            Layout::Chw => 4,
        };
        let is_float = matches!(input.element, Element::F32 | Element::F16);
        let named = self.input.is_empty() || input.name == self.input;
        let has = |name: &&str| header.outputs.iter().any(|o| o.name == **name);
        let is_side = self.side == 0 || input.shape.last() == Some(&Some(self.side));
        header.inputs.len() == 1
            && named
            && input.shape.len() == rank
            && self.element.map_or(is_float, |e| e == input.element)
            && (self.count.0..=self.count.1).contains(&header.outputs.len())
            && self.outputs.iter().all(has)
            && is_side
    }
}

const ANY: (usize, usize) = (1, usize::MAX);

/// The usual: normalised, padded, one embedding.
const USUAL: Encoder = Encoder {
    name: "sam",
    input: "",
    element: None,
    layout: Layout::Chw,
    outputs: &[],
    count: (1, 1),
    side: 0,
    fit: Fit::Padded,
    values: Values::ImageNet,
    frame: Frame::Longest,
    rounding: Rounding::Bytes,
};

/// SAM 2 in its own torch pipeline: stretched without rounding.
const SECOND: Encoder = Encoder {
    name: "sam2",
    count: (3, 3),
    fit: Fit::Stretched,
    frame: Frame::Stretched,
    rounding: Rounding::Never,
    ..USUAL
};

/// The first that fits counts.
pub static ENCODERS: [Encoder; 14] = [
    Encoder {
        name: "sam-med2d",
        side: 256,
        fit: Fit::Stretched,
        frame: Frame::Stretched,
        ..USUAL
    },
    Encoder {
        name: "sam-hq",
        input: "input_image",
        layout: Layout::Hwc,
        count: (5, usize::MAX),
        fit: Fit::Longest,
        values: Values::Bytes,
        ..USUAL
    },
    Encoder {
        input: "input_image",
        layout: Layout::Hwc,
        fit: Fit::Longest,
        values: Values::Bytes,
        ..USUAL
    },
    Encoder {
        name: "efficientvit-sam",
        input: "input_image",
        element: Some(Element::U8),
        layout: Layout::Hwc,
        fit: Fit::Whole,
        values: Values::Bytes,
        ..USUAL
    },
    Encoder {
        name: "edge-sam",
        input: "input_image",
        element: Some(Element::U8),
        fit: Fit::Longest,
        values: Values::Bytes,
        ..USUAL
    },
    Encoder {
        input: "input_image",
        ..USUAL
    },
    Encoder {
        input: "x",
        ..USUAL
    },
    Encoder {
        name: "edge-sam",
        input: "image",
        ..USUAL
    },
    Encoder {
        input: "image",
        outputs: &["high_res_feats_0", "high_res_feats_1", "image_embed"],
        ..SECOND
    },
    Encoder {
        input: "image",
        outputs: &["image_features_0", "image_features_1", "image_embeddings"],
        ..SECOND
    },
    Encoder {
        input: "input",
        outputs: &[
            "image_embeddings",
            "high_res_features1",
            "high_res_features2",
        ],
        ..SECOND
    },
    Encoder {
        name: "efficient-sam",
        input: "batched_images",
        count: ANY,
        fit: Fit::Whole,
        values: Values::Unit,
        frame: Frame::Given,
        ..USUAL
    },
    Encoder {
        input: "pixel_values",
        outputs: &["image_embeddings", "image_positional_embeddings"],
        count: (2, 2),
        ..USUAL
    },
    Encoder {
        input: "pixel_values",
        outputs: &[
            "image_embeddings.0",
            "image_embeddings.1",
            "image_embeddings.2",
        ],
        // Hugging Face's processor scales bytes, Meta's scales numbers.
        rounding: Rounding::Bytes,
        ..SECOND
    },
];
