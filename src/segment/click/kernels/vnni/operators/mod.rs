//! The kernels as operators of ONNX Runtime.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ort::operator::{
    ComputeContext, KernelContext, OperatorDomain, OperatorOutput, ShapeInferenceContext,
};
use ort::value::{
    DynTensorValueType, PrimitiveTensorElementType, SymbolicDimensions, TensorElementType,
    ValueType,
};

use super::convolution::Room;
use super::layer::Extent;
use super::upsample::Level;

mod convolution;
mod sums;

/// In so many parts at most a layer is given to the session's threads.
const PARTS: usize = 8;

/// All of them.
pub fn domain() -> ort::Result<OperatorDomain> {
    let conv = |expands, projects| convolution::Conv { expands, projects };
    let domain = OperatorDomain::new("termask")?.add(conv(false, false))?;
    let domain = domain.add(conv(true, false))?.add(conv(false, true))?;
    let domain = domain.add(conv(true, true))?.add(sums::Convs)?;
    domain.add(sums::Upsampling)
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

fn wrong(what: &str) -> ort::Error {
    ort::Error::new(format!(
        "{what}: write click.onnx with models/train/export.py"
    ))
}

/// An input that the file holds.
fn held<T: PrimitiveTensorElementType + Clone>(
    of: &KernelContext,
    index: usize,
) -> ort::Result<Vec<T>> {
    let value = of.constant_input::<DynTensorValueType>(index)?;
    let (_, values) = value.try_extract_tensor::<T>()?;
    Ok(values.to_vec())
}

fn one<T: PrimitiveTensorElementType + Copy>(of: &KernelContext, index: usize) -> ort::Result<T> {
    let values = held::<T>(of, index)?;
    let first = values.first().copied();
    first.ok_or_else(|| wrong("a scale or a zero point is empty"))
}

/// A scale and the zero point behind it.
fn level(of: &KernelContext, scale: usize) -> ort::Result<Level> {
    Ok(Level {
        scale: one(of, scale)?,
        zero: one(of, scale + 1)?,
    })
}

fn extent(shape: &[i64]) -> ort::Result<Extent> {
    match *shape {
        [1, height, width, channels] if height.min(width).min(channels) > 0 => Ok(Extent {
            height: height as usize,
            width: width as usize,
            channels: channels as usize,
        }),
        _ => Err(wrong("a layer is given something else than one picture")),
    }
}

/// Makes the output, a picture of bytes, in parts of `least` rows or more, side by side. `make` is told at which row a part
/// starts, a multiple of 4.
fn in_parts(
    context: &ComputeContext,
    extent: Extent,
    least: usize,
    make: impl Fn(usize, &mut [u8], &mut Room) + Sync + Send,
) -> ort::Result<()> {
    let shape = [1, extent.height, extent.width, extent.channels];
    let missing = || wrong("a layer has no output");
    let mut out = context.output(0, shape)?.ok_or_else(missing)?;
    let (_, out) = out.try_extract_tensor_mut::<u8>()?;
    let rows = extent.height.div_ceil(PARTS).max(least);
    let rows = rows.next_multiple_of(4);
    let parts = out.chunks_mut(rows * extent.width * extent.channels);
    let parts: Vec<_> = parts.map(Mutex::new).collect();
    context.par_for(parts.len(), 0, |part| {
        let mut out = parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        ROOM.with_borrow_mut(|room| make(part * rows, &mut out, room));
    })
}

/// Lengths that were given a name: the runtime takes those of one name, also of none, for the same.
static NAMED: AtomicUsize = AtomicUsize::new(0);

/// Tells the runtime the shape of what comes out, as far as it is known. `length` is told how long a side was.
fn infer(
    context: &mut ShapeInferenceContext,
    [n, height, width]: [i64; 3],
    channels: i64,
    length: impl Fn(usize) -> usize,
) -> ort::Result<()> {
    let known = |of: i64| usize::try_from(of).map_or(-1, |of| length(of) as i64);
    let named = |of: i64| match of {
        ..0 => format!("termask_{}", NAMED.fetch_add(1, Ordering::Relaxed)),
        _ => String::new(),
    };
    let out = [n, known(height), known(width), channels];
    let out = ValueType::Tensor {
        ty: TensorElementType::Uint8,
        dimension_symbols: SymbolicDimensions::new(out.map(named)),
        shape: out.into(),
    };
    context.set_output(0, &out)
}

/// The shape of an input, as far as it is known.
fn shape(context: &ShapeInferenceContext, input: usize) -> ort::Result<[i64; 4]> {
    let inputs = context.inputs();
    let shape = match inputs.get(input) {
        Some(ValueType::Tensor { shape, .. }) => shape[..].try_into().ok(),
        _ => None,
    };
    shape.ok_or_else(|| wrong("a layer is given something else than pictures"))
}

fn bytes_out() -> [OperatorOutput; 1] {
    [OperatorOutput::required(TensorElementType::Uint8)]
}
