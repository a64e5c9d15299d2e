//! Where the engines of long work run.

use crate::segment::Compute;

#[derive(Debug, clap::Args)]
pub struct Devices {
    /// GPUs by their numbers, as 0,1, or cpu: each takes other images. The best there is where it
    /// is not given.
    #[arg(
        id = "device",
        long = "device",
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "best",
        hide_default_value = true
    )]
    pub all: Vec<Compute>,
}
