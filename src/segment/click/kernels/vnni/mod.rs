//! Kernels for processors that add up bytes: AVX-512 with VNNI.

mod convolution;
mod dense;
mod depthwise;
mod expand;
mod layer;
mod operators;
mod pointwise;
mod product;
mod rounding;
#[cfg(test)]
mod tests;
mod upsample;

pub use self::operators::domain;

/// Whether the processor has what all of them need.
pub fn is_known() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}
