//! An ONNX Runtime session with its ports: tensors in by name, tensors out in order.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use half::f16;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, RunOptions, Session, SessionInputValue, SessionOutputs};
use ort::value::{DynValue, Tensor as Value, TensorRef};

use crate::segment::header::{Element, Header, Port};
use crate::segment::runtime::{self, Compute, Device, Model};
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

    /// For one run: f32 is lent.
    fn value(&self, element: Element) -> std::result::Result<SessionInputValue<'_>, ort::Error> {
        let is_lent = matches!(element, Element::F32 | Element::Bool | Element::Other(_));
        if is_lent && !self.values.is_empty() {
            let view = (self.shape.clone(), &self.values[..]);
            return Ok(TensorRef::from_array_view(view)?.into());
        }
        Ok(self.owned(element)?.into())
    }

    /// To be kept beyond a run.
    fn owned(&self, element: Element) -> std::result::Result<DynValue, ort::Error> {
        let shape = self.shape.clone();
        let all = self.values.iter();
        Ok(match element {
            Element::F16 => {
                let halves: Vec<f16> = all.map(|v| f16::from_f32(*v)).collect();
                Value::from_array((shape, halves))?.into_dyn()
            }
            Element::U8 => {
                let bytes: Vec<u8> = all.map(|v| *v as u8).collect();
                Value::from_array((shape, bytes))?.into_dyn()
            }
            Element::I32 => {
                let numbers: Vec<i32> = all.map(|v| *v as i32).collect();
                Value::from_array((shape, numbers))?.into_dyn()
            }
            Element::I64 => {
                let numbers: Vec<i64> = all.map(|v| *v as i64).collect();
                Value::from_array((shape, numbers))?.into_dyn()
            }
            // Other types are refused by ONNX Runtime, with the name of the input.
            Element::F32 | Element::Bool | Element::Other(_) => {
                Value::from_array((shape, self.values.clone()))?.into_dyn()
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
    /// Inputs that lie where the graph wants them, named by what they are of.
    held: Option<(u64, IoBinding)>,
}

impl Net {
    /// Loads a file.
    ///
    /// # Errors
    /// When ONNX Runtime refuses it; the message names the file.
    pub fn open(on: Compute, header: Header, threads: usize) -> Result<Self> {
        let name = header.path.display().to_string();
        let model = Model::File(&header.path);
        let (session, device) = runtime::session(on, &model, &name, threads)?;
        Ok(Self {
            header,
            device,
            session,
            held: None,
        })
    }

    /// Runs the graph and gives all outputs; the options can end it between two of its nodes.
    pub fn run(&mut self, inputs: &[(&str, &Tensor)], options: &RunOptions) -> Result<Vec<Tensor>> {
        let told = |e: &ort::Error| did_not_run(&self.header.path, e);
        let feeds = inputs
            .iter()
            .map(|(name, tensor)| Ok((Cow::from(*name), tensor.value(self.element(name))?)))
            .collect::<std::result::Result<Vec<_>, ort::Error>>()
            .map_err(|e| told(&e))?;
        let outputs = self.session.run_with_options(feeds, options);
        let outputs = outputs.map_err(|e| did_not_run(&self.header.path, &e))?;
        let ports = self.header.outputs.iter();
        ports
            .map(|port| read(&self.header.path, &outputs, port))
            .collect()
    }

    /// Whether the inputs of this name are held.
    pub fn holds(&self, key: u64) -> bool {
        self.held.as_ref().is_some_and(|(held, _)| *held == key)
    }

    /// Takes inputs to where the graph runs, in place of those held before: on a GPU they stay
    /// there for all runs that follow.
    pub fn hold(&mut self, key: u64, inputs: &[(&str, &Tensor)]) -> Result<()> {
        let bind = || {
            let mut binding = self.session.create_binding()?;
            for (name, tensor) in inputs {
                binding.bind_input(*name, &tensor.owned(self.element(name))?)?;
            }
            binding.synchronize_inputs()?;
            Ok(binding)
        };
        let bound = bind().map_err(|e| did_not_run(&self.header.path, &e))?;
        self.held = Some((key, bound));
        Ok(())
    }

    /// Runs the graph on the held inputs and on `inputs`; gives the outputs at the `wanted`
    /// positions.
    ///
    /// # Panics
    /// When nothing is held.
    pub fn run_held(
        &mut self,
        inputs: &[(&str, &Tensor)],
        wanted: &[usize],
        cancel: &Cancel,
    ) -> Result<Vec<Tensor>> {
        let options = RunOptions::new().map_err(|e| Error::Runtime(e.to_string()))?;
        let options = Arc::new(options);
        let running = cancel.ends({
            let options = Arc::clone(&options);
            // A runtime that cannot be told to stop ends a little later by itself.
            move || drop(options.terminate())
        })?;
        let elements: Vec<Element> = inputs.iter().map(|(n, _)| self.element(n)).collect();
        let Self {
            header,
            session,
            held,
            ..
        } = self;
        let (_, binding) = held.as_mut().expect("inputs were given to hold");
        let ports: Vec<&Port> = wanted.iter().map(|at| &header.outputs[*at]).collect();
        let bind = || {
            for ((name, tensor), element) in inputs.iter().zip(elements) {
                binding.bind_input(*name, &tensor.owned(element)?)?;
            }
            // Bound anew each time: the shapes may be others.
            binding.clear_outputs();
            let memory = MemoryInfo::new(
                AllocationDevice::CPU,
                0,
                AllocatorType::Device,
                MemoryType::CPUOutput,
            )?;
            for port in &ports {
                binding.bind_output_to_device(&*port.name, &memory)?;
            }
            session.run_binding_with_options(binding, &options)
        };
        let outputs = bind();
        drop(running);
        // The graph's own word for its end is another one.
        cancel.check()?;
        let outputs = outputs.map_err(|e| did_not_run(&header.path, &e))?;
        let ports = ports.into_iter();
        ports
            .map(|port| read(&header.path, &outputs, port))
            .collect()
    }

    fn element(&self, name: &str) -> Element {
        self.header
            .input(name)
            .map_or(Element::F32, |port| port.element)
    }
}

fn did_not_run(path: &Path, why: &ort::Error) -> Error {
    let why = why.to_string();
    let path = path.display();
    if is_short_of_memory(&why) {
        return Error::Runtime(format!(
            "{path}: there is not enough memory to run it; where that is a GPU's, free some, name another GPU (--device, CUDA_VISIBLE_DEVICES) or set TERMASK_PROVIDER=cpu"
        ));
    }
    Error::Model(format!(
        "{path}: it did not run: {why}; is it the right file?"
    ))
}

/// What ONNX Runtime and CUDA's libraries say of it.
fn is_short_of_memory(why: &str) -> bool {
    let words = [
        "out of memory",
        "Failed to allocate memory",
        "smaller than requested bytes",
        "ALLOC_FAILED",
    ];
    words.iter().any(|said| why.contains(said))
}

fn read(path: &Path, outputs: &SessionOutputs, port: &Port) -> Result<Tensor> {
    let value = outputs.get(&port.name).ok_or_else(|| {
        let path = path.display();
        Error::Model(format!(
            "{path}: it gave no {}; copy the file again",
            port.name
        ))
    })?;
    Tensor::from_value(value).map_err(|e| did_not_run(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_onnx_runtime_says_without_memory_is_known() {
        let recorded = "Non-zero status code returned while running Gelu node. Name:'Gelu' Status \
            Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* \
            onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to \
            allocate memory for requested buffer of size 33554432";
        assert!(is_short_of_memory(recorded));
        assert!(!is_short_of_memory(
            "Got invalid dimensions for input: image"
        ));
    }
}
