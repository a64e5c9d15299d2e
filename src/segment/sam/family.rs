//! The SAM families as data: what the encoders and decoders people have are fed, told apart by the
//! names of their inputs and outputs alone.
//!
//! Coordinates are (x, y) in a frame that is 16 times as wide as the image embedding. Labels are 0
//! outside, 1 inside, 2 and 3 the corners of a box, -1 padding. A mask is where a logit is above 0.

use crate::segment::header::{Element, Header, Port};
use crate::segment::sam::resample::Rounding;
use crate::segment::{Error, Result};

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

    fn fits(&self, header: &Header) -> bool {
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
static ENCODERS: [Encoder; 14] = [
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
        ..SECOND
    },
];

/// How a decoder is told of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boxes {
    /// Two points with the labels 2 and 3.
    Corners,
    /// An input of its own, [1, boxes, 4].
    Input(&'static str),
    /// Not at all.
    Never,
}

/// Where a decoder's mask input comes from: the logits' name, and the flag's.
#[derive(Debug, Clone, Copy)]
pub struct Feedback {
    pub mask: &'static str,
    pub flag: &'static str,
}

/// A kind of decoder.
#[derive(Debug)]
pub struct Decoder {
    /// Inputs that the encoder's outputs of the same name feed; the first one is the image
    /// embedding and may have another name there.
    pub embeddings: &'static [&'static str],
    pub points: &'static str,
    pub labels: &'static str,
    /// Dimensions of the points: 3 is [1, N, 2], 4 is [1, 1, N, 2].
    pub rank: usize,
    pub boxes: Boxes,
    /// Whether a prompt without a box gets a padding point.
    pub pads: bool,
    /// At most so many points; 0 for any number.
    pub most: usize,
    pub feedback: Option<Feedback>,
    /// Input for the height and width of the masks that are wanted.
    pub size: Option<&'static str>,
    /// Outputs: logits, scores; by name, or by position where the names are the exporter's.
    pub masks: Output,
    pub scores: Output,
}

/// An output of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Named(&'static str),
    At(usize),
}

const FIRST: Decoder = Decoder {
    embeddings: &["image_embeddings"],
    points: "point_coords",
    labels: "point_labels",
    rank: 3,
    boxes: Boxes::Corners,
    pads: true,
    most: 0,
    feedback: Some(Feedback {
        mask: "mask_input",
        flag: "has_mask_input",
    }),
    size: Some("orig_im_size"),
    masks: Output::Named("masks"),
    scores: Output::Named("iou_predictions"),
};

static DECODERS: [Decoder; 10] = [
    Decoder {
        embeddings: &["image_embeddings", "interm_embeddings"],
        ..FIRST
    },
    Decoder {
        embeddings: &[
            "image_embeddings",
            "high_res_features1",
            "high_res_features2",
        ],
        pads: false,
        ..FIRST
    },
    Decoder {
        embeddings: &["image_embed", "high_res_feats_0", "high_res_feats_1"],
        pads: false,
        size: None,
        ..FIRST
    },
    Decoder {
        embeddings: &["image_embeddings", "image_features_0", "image_features_1"],
        pads: false,
        feedback: Some(Feedback {
            mask: "input_masks",
            flag: "has_input_masks",
        }),
        size: Some("original_image_size"),
        ..FIRST
    },
    FIRST,
    Decoder {
        points: "batched_point_coords",
        labels: "batched_point_labels",
        rank: 4,
        pads: false,
        most: 6,
        feedback: None,
        masks: Output::At(0),
        scores: Output::At(1),
        ..FIRST
    },
    Decoder {
        embeddings: &["image_embeddings", "image_positional_embeddings"],
        points: "input_points",
        labels: "input_labels",
        rank: 4,
        boxes: Boxes::Never,
        pads: false,
        feedback: None,
        size: None,
        masks: Output::Named("pred_masks"),
        scores: Output::Named("iou_scores"),
        ..FIRST
    },
    Decoder {
        embeddings: &[
            "image_embeddings.2",
            "image_embeddings.0",
            "image_embeddings.1",
        ],
        points: "input_points",
        labels: "input_labels",
        rank: 4,
        boxes: Boxes::Input("input_boxes"),
        pads: false,
        feedback: None,
        size: None,
        masks: Output::Named("pred_masks"),
        scores: Output::Named("iou_scores"),
        ..FIRST
    },
    // EdgeSAM's: the scores come first.
    Decoder {
        feedback: None,
        size: None,
        scores: Output::Named("scores"),
        ..FIRST
    },
    // EfficientViT-SAM's.
    Decoder {
        feedback: None,
        size: None,
        ..FIRST
    },
];

impl Decoder {
    fn fits(&self, header: &Header) -> bool {
        let mut wanted: Vec<&str> = self.embeddings.to_vec();
        wanted.extend([self.points, self.labels]);
        wanted.extend(self.feedback.iter().flat_map(|f| [f.mask, f.flag]));
        wanted.extend(self.size);
        if let Boxes::Input(name) = self.boxes {
            wanted.push(name);
        }
        let has = |ports: &[Port], name: &str| ports.iter().any(|p| p.name == name);
        let gives = |output: Output| match output {
            Output::Named(name) => has(&header.outputs, name),
            Output::At(at) => at < header.outputs.len(),
        };
        header.inputs.len() == wanted.len()
            && wanted.iter().all(|name| has(&header.inputs, name))
            && gives(self.masks)
            && gives(self.scores)
    }

    /// Whether an encoder's outputs can feed it.
    pub fn takes(&self, decoder: &Header, encoder: &Header) -> bool {
        let by_name = |name: &str| encoder.outputs.iter().find(|o| o.name == name);
        match self.embeddings {
            // A single embedding fits, whatever it is called there.
            [name] => encoder.outputs.len() == 1 && agree(decoder, name, &encoder.outputs[0]),
            [name, "interm_embeddings"] => {
                encoder.outputs.len() >= 5 && agree(decoder, name, &encoder.outputs[0])
            }
            names => names
                .iter()
                .all(|name| by_name(name).is_some_and(|output| agree(decoder, name, output))),
        }
    }

    /// How many masks a decoder's file says it gives, 1 where it says nothing.
    pub fn masks_of(&self, header: &Header) -> usize {
        let port = match self.scores {
            Output::Named(name) => header.outputs.iter().find(|o| o.name == name),
            Output::At(at) => header.outputs.get(at),
        };
        port.and_then(|p| p.shape.last().copied().flatten())
            .unwrap_or(1)
    }
}

/// Whether the dimensions that both sides fix are the same.
fn agree(decoder: &Header, name: &str, output: &Port) -> bool {
    let Some(input) = decoder.inputs.iter().find(|i| i.name == name) else {
        return false;
    };
    let mut pairs = input.shape.iter().zip(&output.shape);
    pairs.all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

/// What an ONNX file is to us.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    Encoder(&'static Encoder),
    Decoder(&'static Decoder),
}

/// Tells an encoder or decoder by its names.
///
/// # Errors
/// When it is of no known family; the message lists the names.
pub fn recognise(header: &Header) -> Result<Role> {
    if let Some(encoder) = ENCODERS.iter().find(|e| e.fits(header)) {
        return Ok(Role::Encoder(encoder));
    }
    if let Some(decoder) = DECODERS.iter().find(|d| d.fits(header)) {
        return Ok(Role::Decoder(decoder));
    }
    let list = |ports: &[Port]| {
        let texts: Vec<String> = ports.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    Err(Error::Model(format!(
        "{}: unsupported: no SAM encoder or decoder has these names: {} -> {}; \
         give one that `termask models list` names, or a usual export of one",
        header.path.display(),
        list(&header.inputs),
        list(&header.outputs)
    )))
}
