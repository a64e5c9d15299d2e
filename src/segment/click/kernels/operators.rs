//! The kernels as operators of ONNX Runtime.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorDomain, OperatorInput,
    OperatorOutput, ShapeInferenceContext,
};
use ort::value::{
    DynTensorValueType, PrimitiveTensorElementType, SymbolicDimensions, TensorElementType,
    ValueType,
};

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::layer::{Extent, Layer, Window};
use super::upsample::{LANES, Level, UpsampleAdd};

/// In so many parts a layer is given to the session's threads.
const PARTS: usize = 8;

/// All of them, for a processor with AVX-512 and VNNI.
pub fn domain() -> ort::Result<OperatorDomain> {
    OperatorDomain::new("termask")?.add(Conv)?.add(Upsampling)
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

/// Makes the output, a picture of bytes, in parts, side by side. `make` is told at which row a part starts, a multiple of
/// `rows`.
fn in_parts(
    context: &ComputeContext,
    extent: Extent,
    rows: usize,
    make: impl Fn(usize, &mut [u8]) + Sync + Send,
) -> ort::Result<()> {
    let shape = [1, extent.height, extent.width, extent.channels];
    let missing = || wrong("a layer has no output");
    let mut out = context.output(0, shape)?.ok_or_else(missing)?;
    let (_, out) = out.try_extract_tensor_mut::<u8>()?;
    let rows = extent.height.div_ceil(PARTS).next_multiple_of(rows);
    let parts = out.chunks_mut(rows * extent.width * extent.channels);
    let parts: Vec<_> = parts.map(Mutex::new).collect();
    context.par_for(parts.len(), 0, |part| {
        let mut out = parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        make(part * rows, &mut out);
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

/// The window of a convolution, by the attributes `strides` and `pads` and by its kernel's side.
fn window(strides: &[i64], pads: &[i64], side: i64) -> ort::Result<Window> {
    let whole =
        |value: i64| usize::try_from(value).map_err(|_| wrong("a layer has a length below 0"));
    match (strides, pads) {
        (&[stride, across], &[before, left, after, right])
            if stride > 0 && stride == across && before == left && after == right =>
        {
            Ok(Window {
                side: whole(side)?,
                stride: whole(stride)?,
                padding: [whole(before)?, whole(after)?],
            })
        }
        _ => Err(wrong("a layer has an unknown stride or padding")),
    }
}

fn bytes_out() -> [OperatorOutput; 1] {
    [OperatorOutput::required(TensorElementType::Uint8)]
}

/// A convolution.
struct Conv;

/// Its input that holds the kernel, [outputs, inputs of each, side, side].
const KERNEL: usize = 3;

/// How it is computed.
pub enum Convolution {
    Depthwise(Depthwise),
    Dense(Dense),
}

impl Convolution {
    pub fn new(layer: &Layer) -> Option<Self> {
        let depthwise = Depthwise::new(layer).map(Self::Depthwise);
        depthwise.or_else(|| Dense::new(layer).map(Self::Dense))
    }

    /// Channels that it sees and that it makes.
    fn channels(&self) -> [usize; 2] {
        match self {
            Self::Depthwise(layer) => [layer.channels(); 2],
            Self::Dense(layer) => layer.channels(),
        }
    }

    /// Rows of the output from the row `first` on, which is even.
    pub fn rows(&self, input: &[u8], extent: Extent, first: usize, across: usize, out: &mut [u8]) {
        #[expect(
            unsafe_code,
            reason = "no processor is given these kernels that lacks what they need"
        )]
        unsafe {
            match self {
                Self::Depthwise(layer) => layer.rows(input, extent, first, across, out),
                Self::Dense(layer) => layer.rows(input, extent, first, across, out),
            }
        }
    }
}

impl Operator for Conv {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &'static str {
        "Conv"
    }

    /// The picture, the kernel and the bias, each with its scale and zero point, and those of the output.
    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Int8, Int32, Uint8};
        [
            Uint8, Float32, Uint8, Int8, Float32, Int8, Int32, Float32, Int32, Float32, Uint8,
        ]
        .map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        bytes_out()
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let (strides, pads) = (
            context.attr::<Vec<_>>("strides")?,
            context.attr::<Vec<_>>("pads")?,
        );
        let [outputs, _, _, side] = shape(context, KERNEL)?;
        let window = window(&strides, &pads, side)?;
        let [n, height, width, _] = shape(context, 0)?;
        infer(context, [n, height, width], outputs, |length| {
            window.outputs(length)
        })
    }

    fn create_kernel<'attr>(&self, of: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let said = |name: &str| of.get::<Vec<i64>>(name).unwrap_or_default();
        let kernel = of.constant_input::<DynTensorValueType>(KERNEL)?;
        let (shape, kernel) = kernel.try_extract_tensor::<i8>()?;
        let bias = held::<i32>(of, 6)?;
        let [seen, made] = [one::<f32>(of, 1)?, one(of, 9)?];
        let steps = held::<f32>(of, 4)?;
        let scale: Vec<f32> = steps.iter().map(|step| seen * step / made).collect();
        let side = shape.last().copied().unwrap_or_default();
        let window = window(&said("strides"), &said("pads"), side)?;
        let layer = Layer {
            kernel,
            bias: &bias,
            scale: &scale,
            window,
            zero: [one(of, 2)?, one(of, 10)?],
        };
        let layer = Convolution::new(&layer);
        let layer = layer.ok_or_else(|| wrong("a layer is of an unknown kind"))?;
        Ok(Box::new(move |context: &ComputeContext| {
            let input = context.input(0)?;
            let input = input.ok_or_else(|| wrong("a layer has no input"))?;
            let (shape, input) = input.try_extract_tensor::<u8>()?;
            let extent = extent(shape)?;
            let [seen, made] = layer.channels();
            if extent.channels != seen {
                return Err(wrong("a layer is given other channels than it sees"));
            }
            let out = Extent {
                height: window.outputs(extent.height),
                width: window.outputs(extent.width),
                channels: made,
            };
            in_parts(context, out, 2, |first, rows| {
                layer.rows(input, extent, first, out.width, rows);
            })
        }))
    }
}

struct Upsampling;

impl Operator for Upsampling {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &'static str {
        "UpsampleAdd"
    }

    /// The small picture, scale and zero point of it and of the enlarged one; the other picture, those of it and of the
    /// sum.
    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Uint8};
        let each = [Uint8, Float32, Uint8, Float32, Uint8];
        [each, each]
            .concat()
            .into_iter()
            .map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        bytes_out()
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let [n, height, width, channels] = shape(context, 0)?;
        infer(context, [n, height, width], channels, |length| 2 * length)
    }

    fn create_kernel<'attr>(&self, of: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let level = |scale: usize| {
            let (scale, zero) = (one(of, scale)?, one(of, scale + 1)?);
            Ok::<_, ort::Error>(Level { scale, zero })
        };
        let upsample = UpsampleAdd {
            small: level(1)?,
            large: level(3)?,
            other: level(6)?,
            sum: level(8)?,
        };
        Ok(Box::new(move |context: &ComputeContext| {
            let (small, other) = (context.input(0)?, context.input(5)?);
            let missing = || wrong("a layer has no input");
            let (small, other) = (small.ok_or_else(missing)?, other.ok_or_else(missing)?);
            let (shape, small) = small.try_extract_tensor::<u8>()?;
            let (_, other) = other.try_extract_tensor::<u8>()?;
            let extent = extent(shape)?;
            let is_known = extent.channels.is_multiple_of(LANES);
            if other.len() != 4 * small.len() || !is_known {
                return Err(wrong("pictures that are added are not of a known size"));
            }
            let out = Extent {
                height: 2 * extent.height,
                width: 2 * extent.width,
                ..extent
            };
            in_parts(context, out, 1, |first, rows| {
                #[expect(
                    unsafe_code,
                    reason = "no processor is given this kernel that lacks what it needs"
                )]
                unsafe {
                    upsample.rows(small, extent, other, first, rows);
                }
            })
        }))
    }
}
