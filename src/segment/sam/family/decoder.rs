//! The decoders people have.

use crate::segment::header::{Header, Port};

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

/// What SAM and SAM 2 share there.
const HUGGING_FACE: Decoder = Decoder {
    points: "input_points",
    labels: "input_labels",
    rank: 4,
    pads: false,
    feedback: None,
    size: None,
    masks: Output::Named("pred_masks"),
    scores: Output::Named("iou_scores"),
    ..FIRST
};

pub static DECODERS: [Decoder; 10] = [
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
        boxes: Boxes::Never,
        ..HUGGING_FACE
    },
    Decoder {
        embeddings: &[
            "image_embeddings.2",
            "image_embeddings.0",
            "image_embeddings.1",
        ],
        boxes: Boxes::Input("input_boxes"),
        ..HUGGING_FACE
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
    /// Whether a graph's names are this kind's.
    pub fn fits(&self, header: &Header) -> bool {
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
