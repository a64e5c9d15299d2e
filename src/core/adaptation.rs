//! What the accepted masks of one class taught the click net.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A last layer of one's own, as `termask adapt` fitted it, and how large the objects are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptation {
    /// First 16 hexadecimal digits of the sha256 of the net whose features the weights are for.
    pub model: String,
    /// One for each feature of the net, then one for each colour channel; empty where the net's own
    /// last layer was the better one.
    pub weights: Vec<f32>,
    pub bias: f32,
    /// A pixel belongs to the object above this probability.
    pub threshold: f32,
    /// Longer side of a typical object in image pixels, for the first look at a click; `None` where
    /// looking at the whole image was the better way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<f32>,
}

/// The adaptations of a folder, by class.
pub type Adaptations = BTreeMap<String, Arc<Adaptation>>;
