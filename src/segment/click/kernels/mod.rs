//! Layers of the network that ONNX Runtime takes long for, computed here where the processor adds up bytes (AVX-512 with
//! VNNI). In the file each is an operator of the domain `termask` that is a function of ONNX's own operators: where no
//! kernel is given for it the runtime computes those.

#[cfg(target_arch = "x86_64")]
mod dense;
#[cfg(target_arch = "x86_64")]
mod depthwise;
#[cfg(target_arch = "x86_64")]
mod layer;
#[cfg(target_arch = "x86_64")]
mod operators;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod upsample;

use ort::operator::OperatorDomain;

/// The kernels for this processor, if there are any.
pub fn domain() -> ort::Result<Option<OperatorDomain>> {
    #[cfg(target_arch = "x86_64")]
    if has_vnni() {
        return operators::domain().map(Some);
    }
    Ok(None)
}

#[cfg(target_arch = "x86_64")]
fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}
