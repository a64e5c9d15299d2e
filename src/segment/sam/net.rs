//! An ONNX Runtime session with its ports: tensors in by name, tensors out in order.

use std::borrow::Cow;
use std::sync::Arc;

use half::f16;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Tensor as Value, TensorRef};

use crate::segment::header::{Element, Header, Port};
use crate::segment::runtime::{self, Device, Model};
use crate::segment::{Cancel, Error, Result};

/// Numbers in a shape, row by row. Whatever the graph's element type is, here they are f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    /// # Panics
    /// When the number of values does not fit the shape.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(
            values.len(),
            shape.iter().product::<usize>(),
            "values fill the shape"
        );
        Self { shape, values }
    }

    pub fn bytes(&self) -> usize {
        4 * self.values.len()
    }

    fn value(&self, element: Element) -> std::result::Result<SessionInputValue<'_>, ort::Error> {
        let shape = self.shape.clone();
        let all = &self.values;
        Ok(match element {
            Element::F16 => {
                let halves: Vec<f16> = all.iter().map(|v| f16::from_f32(*v)).collect();
                Value::from_array((shape, halves))?.into()
            }
            Element::U8 => {
                let bytes: Vec<u8> = all.iter().map(|v| *v as u8).collect();
                Value::from_array((shape, bytes))?.into()
            }
            Element::I32 => {
                let numbers: Vec<i32> = all.iter().map(|v| *v as i32).collect();
                Value::from_array((shape, numbers))?.into()
            }
            Element::I64 => {
                let numbers: Vec<i64> = all.iter().map(|v| *v as i64).collect();
                Value::from_array((shape, numbers))?.into()
            }
            // Other types are refused by ONNX Runtime, with the name of the input.
            Element::F32 | Element::Bool | Element::Other(_) if all.is_empty() => {
                Value::<f32>::from_array((shape, Vec::new()))?.into()
            }
            Element::F32 | Element::Bool | Element::Other(_) => {
                TensorRef::from_array_view((shape, &all[..]))?.into()
            }
        })
    }

    fn from_value(value: &DynValue) -> std::result::Result<Self, ort::Error> {
        if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
            return Ok(Self::new(sizes(shape), values.to_vec()));
        }
        if let Ok((shape, values)) = value.try_extract_tensor::<f16>() {
            let values = values.iter().map(|v| v.to_f32()).collect();
            return Ok(Self::new(sizes(shape), values));
        }
        let (shape, values) = value.try_extract_tensor::<bool>()?;
        // A truth has no logit; one unit to either side keeps the edge in the middle.
        let values = values.iter().map(|v| if *v { 1.0 } else { -1.0 }).collect();
        Ok(Self::new(sizes(shape), values))
    }
}

fn sizes(shape: &[i64]) -> Vec<usize> {
    shape.iter().map(|n| (*n).max(0) as usize).collect()
}

/// A graph that can be run.
pub struct Net {
    pub header: Header,
    pub device: Device,
    session: Session,
}

impl Net {
    /// Loads a file.
    ///
    /// # Errors
    /// When ONNX Runtime refuses it; the message names the file.
    pub fn open(header: Header, threads: usize) -> Result<Self> {
        let name = header.path.display().to_string();
        let (session, device) = runtime::session(Model::File(&header.path), &name, threads)?;
        Ok(Self {
            header,
            device,
            session,
        })
    }

    pub fn input(&self, name: &str) -> Option<&Port> {
        self.header.inputs.iter().find(|i| i.name == name)
    }

    /// Runs the graph and gives the outputs at the `wanted` positions; `cancel` ends it at once.
    pub fn run(
        &mut self,
        inputs: &[(&str, &Tensor)],
        wanted: &[usize],
        cancel: &Cancel,
    ) -> Result<Vec<Tensor>> {
        let path = self.header.path.display();
        let told = |e: ort::Error| {
            Error::Model(format!(
                "{path}: it did not run: {e}; is it the right file?"
            ))
        };
        let ports = &self.header.inputs;
        let feeds = inputs.iter().map(|(name, tensor)| {
            let port = ports.iter().find(|p| p.name == *name);
            let element = port.map_or(Element::F32, |p| p.element);
            Ok((Cow::from(*name), tensor.value(element)?))
        });
        let feeds = feeds
            .collect::<std::result::Result<Vec<_>, ort::Error>>()
            .map_err(told)?;
        let options = Arc::new(RunOptions::new().map_err(told)?);
        let _running = cancel.running(&options)?;
        let outputs = match self.session.run_with_options(feeds, &options) {
            Ok(outputs) => outputs,
            Err(_) if cancel.is_cancelled() => return Err(Error::Cancelled),
            Err(why) => return Err(told(why)),
        };
        let mut tensors = Vec::with_capacity(wanted.len());
        for at in wanted {
            let port = &self.header.outputs[*at];
            let value = outputs.get(&port.name).ok_or_else(|| {
                Error::Model(format!(
                    "{path}: it gave no {}; copy the file again",
                    port.name
                ))
            })?;
            tensors.push(Tensor::from_value(value).map_err(told)?);
        }
        Ok(tensors)
    }
}
