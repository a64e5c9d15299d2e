//! Sums of two pictures as operators of ONNX Runtime.

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorInput, OperatorOutput,
    ShapeInferenceContext,
};
use ort::value::TensorElementType;

use super::super::layer::{Extent, Window};
use super::super::pointwise::ConvAdd;
use super::super::upsample::{CHANNELS, UpsampleAdd};
use super::convolution::{Conv, FIRST, Held, KERNEL, MADE};
use super::{bytes_out, extent, in_parts, infer, level, shape, wrong};

/// The sum of two convolutions of single cells.
pub struct Convs;

/// Where among its inputs the second begins, scale and zero point of the picture first, and those of the sum.
const SECOND: usize = 12;
const OF_SUM: usize = 22;

impl Operator for Convs {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &'static str {
        "ConvAdd"
    }

    /// Of each convolution what `Conv` is given; scale and zero point of the sum.
    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Uint8};
        let each = || {
            Conv {
                expands: false,
                projects: false,
            }
            .inputs()
            .into_iter()
        };
        let sum = [Float32, Uint8].map(OperatorInput::required);
        each().chain(each()).chain(sum)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        bytes_out()
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let [outputs, ..] = shape(context, FIRST + KERNEL)?;
        let [n, height, width, _] = shape(context, 0)?;
        infer(context, [n, height, width], outputs, |length| length)
    }

    fn create_kernel<'attr>(&self, of: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let (a, b) = (Held::new(of, FIRST)?, Held::new(of, SECOND)?);
        let made = [level(of, FIRST + MADE)?, level(of, SECOND + MADE)?];
        let layers = [&a.layer(Window::CELL), &b.layer(Window::CELL)];
        let layer = ConvAdd::new(layers, made, level(of, OF_SUM)?);
        let layer = layer.ok_or_else(|| wrong("layers that are added are of an unknown kind"))?;
        Ok(Box::new(move |context: &ComputeContext| {
            let (a, b) = (context.input(0)?, context.input(SECOND - 1)?);
            let missing = || wrong("a layer has no input");
            let (a, b) = (a.ok_or_else(missing)?, b.ok_or_else(missing)?);
            let (of_a, a) = a.try_extract_tensor::<u8>()?;
            let (of_b, b) = b.try_extract_tensor::<u8>()?;
            let (of_a, of_b) = (extent(of_a)?, extent(of_b)?);
            let (seen, channels) = layer.channels();
            let is_known = [of_a.channels, of_b.channels] == seen
                && (of_a.height, of_a.width) == (of_b.height, of_b.width);
            if !is_known {
                return Err(wrong("pictures that are added are not of a known size"));
            }
            let out = Extent { channels, ..of_a };
            in_parts(context, out, 0, |first, rows, _| {
                let cells = first * of_a.width;
                let inputs = [&a[cells * seen[0]..], &b[cells * seen[1]..]];
                #[expect(
                    unsafe_code,
                    reason = "no processor is given this kernel that lacks what it needs"
                )]
                unsafe {
                    layer.cells(inputs, rows);
                }
            })
        }))
    }
}

/// A picture made twice as large and added to another.
pub struct Upsampling;

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
        let upsample = UpsampleAdd {
            small: level(of, 1)?,
            large: level(of, 3)?,
            other: level(of, 6)?,
            sum: level(of, 8)?,
        };
        Ok(Box::new(move |context: &ComputeContext| {
            let (small, other) = (context.input(0)?, context.input(5)?);
            let missing = || wrong("a layer has no input");
            let (small, other) = (small.ok_or_else(missing)?, other.ok_or_else(missing)?);
            let (shape, small) = small.try_extract_tensor::<u8>()?;
            let (_, other) = other.try_extract_tensor::<u8>()?;
            let extent = extent(shape)?;
            let is_known = extent.channels.is_multiple_of(CHANNELS);
            if other.len() != 4 * small.len() || !is_known {
                return Err(wrong("pictures that are added are not of a known size"));
            }
            let out = Extent {
                height: 2 * extent.height,
                width: 2 * extent.width,
                ..extent
            };
            in_parts(context, out, 0, |first, rows, _| {
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
