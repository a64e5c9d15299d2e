//! Models that people can get: names, files, sizes, licences; and what of them is on the disk.
//!
//! Addresses and sha256 are those that osam downloads and checks
//! (`osam/_models/*/_models.py` in github.com/wkentaro/osam), sizes those of the table in its README
//! at 003d86e.

use std::path::PathBuf;

use crate::segment::{Error, Result, models_folder};

/// A model that can be fetched.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: &'static str,
    pub about: &'static str,
    /// SPDX name of the weights' licence.
    pub licence: &'static str,
    /// Both files together, about, where whoever publishes them tells it.
    pub megabytes: Option<u32>,
    pub encoder: Remote,
    pub decoder: Remote,
}

/// A file on the net.
#[derive(Debug, PartialEq, Eq)]
pub struct Remote {
    pub url: &'static str,
    pub sha256: &'static str,
}

impl Remote {
    /// The last part of its address.
    pub fn file_name(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }
}

macro_rules! remote {
    ($url:expr, $sha256:literal) => {
        Remote {
            url: $url,
            sha256: $sha256,
        }
    };
}

macro_rules! sam {
    ($file:literal) => {
        concat!(
            "https://github.com/wkentaro/labelme/releases/download/sam-20230416/",
            $file
        )
    };
}

macro_rules! sam2 {
    ($file:literal) => {
        concat!(
            "https://github.com/wkentaro/osam/releases/download/sam2.1/",
            $file
        )
    };
}

macro_rules! efficient {
    ($file:literal) => {
        concat!(
            "https://github.com/labelmeai/efficient-sam/releases/download/onnx-models-20231225/",
            $file
        )
    };
}

/// All models, the lightest of each family first.
pub static ENTRIES: [Entry; 9] = [
    Entry {
        name: "efficient-sam-ti",
        about: "EfficientSAM with ViT-Tiny",
        licence: "Apache-2.0",
        megabytes: Some(40),
        encoder: remote!(
            efficient!("efficient_sam_vitt_encoder.onnx"),
            "7a73ee65aa2c37237c89b4b18e73082f757ffb173899609c5d97a2bbd4ebb02d"
        ),
        decoder: remote!(
            efficient!("efficient_sam_vitt_decoder.onnx"),
            "e1afe46232c3bfa3470a6a81c7d3181836a94ea89528aff4e0f2d2c611989efd"
        ),
    },
    Entry {
        name: "efficient-sam-s",
        about: "EfficientSAM with ViT-Small",
        licence: "Apache-2.0",
        megabytes: Some(100),
        encoder: remote!(
            efficient!("efficient_sam_vits_encoder.onnx"),
            "4cacbb23c6903b1acf87f1d77ed806b840800c5fcd4ac8f650cbffed474b8896"
        ),
        decoder: remote!(
            efficient!("efficient_sam_vits_decoder.onnx"),
            "4727baf23dacfb51d4c16795b2ac382c403505556d0284e84c6ff3d4e8e36f22"
        ),
    },
    Entry {
        name: "sam2.1-tiny",
        about: "SAM 2.1 with Hiera-Tiny",
        licence: "Apache-2.0",
        megabytes: None,
        encoder: remote!(
            sam2!("sam2.1_tiny_preprocess.onnx"),
            "5557482c56565f6a6c8206874b1a11c392cef8a1766477bf035b919092f2b619"
        ),
        decoder: remote!(
            sam2!("sam2.1_tiny.onnx"),
            "11a2c86fabbea9d0268213a9205c99a7f7e379caa0493bd13f5cca8ffaae6777"
        ),
    },
    Entry {
        name: "sam2.1-small",
        about: "SAM 2.1 with Hiera-Small",
        licence: "Apache-2.0",
        megabytes: None,
        encoder: remote!(
            sam2!("sam2.1_small_preprocess.onnx"),
            "06016c6dfb146ce10e4dadfdf49e88a05c8d1f97a6b7c57e150e60d2d46a72e7"
        ),
        decoder: remote!(
            sam2!("sam2.1_small.onnx"),
            "153aaef5047a3b95285d90cbb39dad6c7b5821bfd944dbf56483f3f735936941"
        ),
    },
    Entry {
        name: "sam2.1-base-plus",
        about: "SAM 2.1 with Hiera-Base+",
        licence: "Apache-2.0",
        megabytes: None,
        encoder: remote!(
            sam2!("sam2.1_base_plus_preprocess.onnx"),
            "ce95c44082b4532c25ae01e11da3c9337dab7b04341455c09ae599dc9ae5c438"
        ),
        decoder: remote!(
            sam2!("sam2.1_base_plus.onnx"),
            "2ad091af889b20ad2035503b4355cd8924fcf0e29fa6536924c48dc220ecdc56"
        ),
    },
    Entry {
        name: "sam2.1-large",
        about: "SAM 2.1 with Hiera-Large",
        licence: "Apache-2.0",
        megabytes: None,
        encoder: remote!(
            sam2!("sam2.1_large_preprocess.onnx"),
            "ab676f957528918496990f242163fd6b41a7222ae255862e846d9ab35115c12e"
        ),
        decoder: remote!(
            sam2!("sam2.1_large.onnx"),
            "a3ebc6b8e254bd4ca1346901b9472bc2fae9e827cfd67d67e162d0ae2b1ec9a0"
        ),
    },
    Entry {
        name: "sam-b-quantized",
        about: "SAM with ViT-B, weights in 8 bits",
        licence: "Apache-2.0",
        megabytes: Some(100),
        encoder: remote!(
            sam!("sam_vit_b_01ec64.quantized.encoder.onnx"),
            "3346b9cc551c9902fbf3b203935e933592b22e042365f58321c17fc12641fd6a"
        ),
        decoder: remote!(
            sam!("sam_vit_b_01ec64.quantized.decoder.onnx"),
            "edbcf1a0afaa55621fb0abe6b3db1516818b609ea9368f309746a3afc68f7613"
        ),
    },
    Entry {
        name: "sam-l-quantized",
        about: "SAM with ViT-L, weights in 8 bits",
        licence: "Apache-2.0",
        megabytes: Some(320),
        encoder: remote!(
            sam!("sam_vit_l_0b3195.quantized.encoder.onnx"),
            "f7158a4a1fe7f670ef47ea2f7f852685425c1ed6caa40f5df86cbe2b0502034f"
        ),
        decoder: remote!(
            sam!("sam_vit_l_0b3195.quantized.decoder.onnx"),
            "552ebb23bf52c5e5b971ac710d1eb8dccfd88b36cc6aff881d1536d1662e6d7b"
        ),
    },
    Entry {
        name: "sam-h-quantized",
        about: "SAM with ViT-H, weights in 8 bits",
        licence: "Apache-2.0",
        megabytes: Some(630),
        encoder: remote!(
            sam!("sam_vit_h_4b8939.quantized.encoder.onnx"),
            "a5c745fd4279efc5e5436b412200e983dafc2249ce172af6cc0002a71bb5f485"
        ),
        decoder: remote!(
            sam!("sam_vit_h_4b8939.quantized.decoder.onnx"),
            "020b385a45ffe51097e1acd10cd791075a86171153505f789a793bc382eef210"
        ),
    },
];

impl Entry {
    /// The entry of a name.
    ///
    /// # Errors
    /// When there is none; the message lists all.
    pub fn named(name: &str) -> Result<&'static Self> {
        ENTRIES.iter().find(|e| e.name == name).ok_or_else(|| {
            let names: Vec<&str> = ENTRIES.iter().map(|e| e.name).collect();
            let names = names.join(", ");
            Error::Model(format!("no model is called {name:?}; there are: {names}"))
        })
    }

    pub fn files(&self) -> [&Remote; 2] {
        [&self.encoder, &self.decoder]
    }

    /// Where its files lie or shall lie; none where there is no home folder.
    pub fn folder(&self) -> Option<PathBuf> {
        Some(models_folder()?.join(self.name))
    }

    /// Bytes of its files, once all are on the disk. They are named so only after they were verified.
    pub fn bytes_here(&self) -> Option<u64> {
        let folder = self.folder()?;
        let files = self.files().into_iter().map(|f| folder.join(f.file_name()));
        files.map(|f| Some(f.metadata().ok()?.len())).sum()
    }

    /// Whether all its files are on the disk.
    pub fn is_here(&self) -> bool {
        self.bytes_here().is_some()
    }
}
