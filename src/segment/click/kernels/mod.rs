//! Layers of the network that ONNX Runtime takes long for, computed here. In the file each is an operator of the domain
//! `termask` that is a function of ONNX's own operators: where no kernel is given for it the runtime computes those.

#[cfg(target_arch = "x86_64")]
mod vnni;

use ort::operator::OperatorDomain;

/// The kernels for this processor, if there are any.
pub fn domain() -> ort::Result<Option<OperatorDomain>> {
    #[cfg(target_arch = "x86_64")]
    if vnni::is_known() {
        return vnni::domain().map(Some);
    }
    Ok(None)
}
