//! Where the engines of long work run.

use crate::segment::{Compute, Result};

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
    all: Vec<Compute>,
}

impl Devices {
    /// An engine on each of them.
    pub fn each<E>(&self, open: impl Fn(Compute) -> Result<E>) -> Result<Vec<E>> {
        self.all.iter().copied().map(open).collect()
    }
}
