//! Convolutions as operators of ONNX Runtime.

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorInput, OperatorOutput,
    ShapeInferenceContext,
};
use ort::value::{DynTensorValueType, TensorElementType};

use super::super::convolution::Convolution;
use super::super::layer::{Layer, Window};
use super::{bytes_out, extent, held, in_parts, infer, level, shape, wrong};

/// A convolution, also with one of single cells before or behind it.
pub struct Conv {
    pub expands: bool,
    pub projects: bool,
}

/// Where among an operator's inputs its first convolution begins, with scale and zero point of what it sees; each that
/// follows begins so much later.
pub const FIRST: usize = 1;
const EACH: usize = 8;
/// How far behind that its kernel lies, [outputs, inputs of each, side, side].
pub const KERNEL: usize = 2;
/// And scale and zero point of what it makes.
pub const MADE: usize = 8;

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

/// What the file holds of a convolution.
pub struct Held {
    kernel: Vec<i8>,
    bias: Vec<i32>,
    scale: Vec<f32>,
    zero: [u8; 2],
    side: i64,
}

impl Held {
    /// Its inputs from `start` on: scale and zero point of what it sees; kernel and bias, each with its own; those of what
    /// it makes.
    pub fn new(of: &KernelContext, start: usize) -> ort::Result<Self> {
        let kernel = of.constant_input::<DynTensorValueType>(start + KERNEL)?;
        let (shape, kernel) = kernel.try_extract_tensor::<i8>()?;
        let (seen, made) = (level(of, start)?, level(of, start + MADE)?);
        let steps = held::<f32>(of, start + 3)?;
        Ok(Self {
            kernel: kernel.to_vec(),
            bias: held(of, start + 5)?,
            scale: steps
                .iter()
                .map(|step| seen.scale * step / made.scale)
                .collect(),
            zero: [seen.zero, made.zero],
            side: shape.last().copied().unwrap_or_default(),
        })
    }

    pub fn layer(&self, window: Window) -> Layer<'_> {
        Layer {
            kernel: &self.kernel,
            bias: &self.bias,
            scale: &self.scale,
            window,
            zero: self.zero,
        }
    }
}

impl Conv {
    /// How many convolutions there are.
    fn count(&self) -> usize {
        1 + usize::from(self.expands) + usize::from(self.projects)
    }

    /// Where the convolution itself begins among the inputs.
    fn start(&self) -> usize {
        FIRST + EACH * usize::from(self.expands)
    }

    fn layer(&self, of: &KernelContext) -> ort::Result<Convolution> {
        let said = |name: &str| of.get::<Vec<i64>>(name).unwrap_or_default();
        let held = Held::new(of, self.start())?;
        let expand = self.expands.then(|| Held::new(of, FIRST)).transpose()?;
        let project = self.projects.then(|| Held::new(of, self.start() + EACH));
        let project = project.transpose()?;
        let [expand, project] = [&expand, &project].map(|one| {
            let one = one.as_ref();
            one.map(|held| held.layer(Window::CELL))
        });
        let window = window(&said("strides"), &said("pads"), held.side)?;
        let layer = Convolution::new(expand.as_ref(), &held.layer(window), project.as_ref());
        layer.ok_or_else(|| wrong("a layer is of an unknown kind"))
    }
}

impl Operator for Conv {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &'static str {
        match (self.expands, self.projects) {
            (false, false) => "Conv",
            (true, false) => "ExpandConv",
            (false, true) => "ConvProject",
            (true, true) => "ExpandConvProject",
        }
    }

    /// The picture with its scale and zero point. Of each convolution kernel and bias, each with its scale and zero point,
    /// and those of what it makes.
    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Int8, Int32, Uint8};
        let each = [Int8, Float32, Int8, Int32, Float32, Int32, Float32, Uint8];
        let all = [Uint8, Float32, Uint8].into_iter();
        let all = all.chain(each.repeat(self.count()));
        all.map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        bytes_out()
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let (strides, pads) = (
            context.attr::<Vec<_>>("strides")?,
            context.attr::<Vec<_>>("pads")?,
        );
        let [_, _, _, side] = shape(context, self.start() + KERNEL)?;
        let last = FIRST + EACH * (self.count() - 1);
        let [outputs, ..] = shape(context, last + KERNEL)?;
        let window = window(&strides, &pads, side)?;
        let [n, height, width, _] = shape(context, 0)?;
        infer(context, [n, height, width], outputs, |length| {
            window.outputs(length)
        })
    }

    fn create_kernel<'attr>(&self, of: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let layer = self.layer(of)?;
        Ok(Box::new(move |context: &ComputeContext| {
            let input = context.input(0)?;
            let input = input.ok_or_else(|| wrong("a layer has no input"))?;
            let (shape, input) = input.try_extract_tensor::<u8>()?;
            let extent = extent(shape)?;
            if extent.channels != layer.channels() {
                return Err(wrong("a layer is given other channels than it sees"));
            }
            let least = layer.least;
            in_parts(
                context,
                layer.outputs(extent),
                least,
                |first, rows, room| {
                    #[expect(
                        unsafe_code,
                        reason = "no processor is given this kernel that lacks what it needs"
                    )]
                    unsafe {
                        layer.rows(input, extent, first, rows, room);
                    }
                },
            )
        }))
    }
}
