//! Colour profiles: what a file's numbers look like, in the numbers of sRGB.

use image::RgbImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use rayon::prelude::*;

use super::tone;

/// Pixels that one thread converts at a time.
const CHUNK: usize = 1 << 16;

const UNUSABLE: &str = "its colour profile cannot be used, so its colours may be wrong";

/// Converts to sRGB in place; a note where the profile cannot be used.
pub fn to_srgb(rgb: &mut RgbImage, profile: &[u8]) -> Option<&'static str> {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return Some(UNUSABLE);
    };
    if profile.color_space == DataColorSpace::Gray {
        // What is grey stays grey; only its steps would change a little.
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options);
    let Ok(transform) = transform else {
        return Some(UNUSABLE);
    };
    let steps = (0..=255).step_by(51);
    let cube = steps.clone().flat_map(|r| {
        let steps = steps.clone();
        steps
            .clone()
            .flat_map(move |g| steps.clone().map(move |b| [r, g, b]))
    });
    let cube: Vec<u8> = cube.flatten().map(|v: i32| v as u8).collect();
    let mut seen = vec![0; cube.len()];
    if transform.transform(&cube, &mut seen).is_err() {
        return Some(UNUSABLE);
    }
    // Most profiles are sRGB's own: those pictures are left as they are.
    if cube.iter().zip(&seen).all(|(a, b)| a.abs_diff(*b) <= 1) {
        return None;
    }
    let converted = rgb.par_chunks_mut(3 * CHUNK).try_for_each(|chunk| {
        let source = chunk.to_vec();
        transform.transform(&source, chunk)
    });
    converted.is_err().then_some(UNUSABLE)
}

/// Inks, 0 for none to 255 for all, four bytes a pixel, as RGB; with a note where the profile
/// cannot be used and the colours are those of plain inks.
pub fn from_cmyk(cmyk: Vec<u8>, profile: Option<&[u8]>) -> (Vec<u8>, Option<&'static str>) {
    let Some(profile) = profile else {
        return (tone::narrowed(cmyk, plain_inks), None);
    };
    let transform = ColorProfile::new_from_slice(profile).ok().and_then(|p| {
        let srgb = ColorProfile::new_srgb();
        let options = TransformOptions::default();
        p.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options)
            .ok()
    });
    let Some(transform) = transform else {
        return (tone::narrowed(cmyk, plain_inks), Some(UNUSABLE));
    };
    let mut note = None;
    let rgb = tone::narrowed(cmyk, |from, to| {
        let parts = to.par_chunks_mut(3 * CHUNK).zip(from.par_chunks(4 * CHUNK));
        let converted = parts.map(|(to, from)| transform.transform(from, to).is_ok());
        if !converted.reduce(|| true, |a, b| a && b) {
            plain_inks(from, to);
            note = Some(UNUSABLE);
        }
    });
    (rgb, note)
}

/// Each ink takes its share of the light.
fn plain_inks(cmyk: &[u8], rgb: &mut [u8]) {
    let (inks, _) = cmyk.as_chunks::<4>();
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    for (to, [c, m, y, k]) in pixels.iter_mut().zip(inks) {
        let light = |ink: u8| ((255 - u32::from(ink)) * (255 - u32::from(*k)) + 127) / 255;
        *to = [*c, *m, *y].map(|ink| light(ink) as u8);
    }
}
