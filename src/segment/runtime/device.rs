//! What a model computes on: the GPU where one works, else the processor, and why.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use ort::ep;
use ort::operator::OperatorDomain;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::{Runtime, has_cuda, runtime};
use crate::segment::{Error, Result};

/// What a session runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    Cuda,
    TensorRt,
    /// On the processor, and why not on a GPU where that was wanted.
    Cpu {
        why: Option<String>,
    },
}

impl Device {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::Cpu { .. } => "cpu",
        }
    }

    /// Why the GPU that is there is not used, if so.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Cpu { why: Some(why) } if has_nvidia() => {
                Some(format!("the GPU is not used: {why}"))
            }
            _ => None,
        }
    }
}

/// Where a person wants a model to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compute {
    /// On the first GPU where that works, else on the processor.
    #[default]
    Best,
    Processor,
    /// On the GPU with this number, and nowhere else.
    Gpu(i32),
}

impl Compute {
    /// Where a small net runs best: on the processor, unless `TERMASK_PROVIDER` names another place.
    /// CUDA's first answer took 1.8 s or more on an H100, the processor beside it 0.17 s; and who shares
    /// a GPU needs its memory.
    pub fn for_a_small_net() -> Self {
        match provider() {
            Some(_) => Self::Best,
            None => Self::Processor,
        }
    }
}

impl FromStr for Compute {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "best" => return Ok(Self::Best),
            "cpu" => return Ok(Self::Processor),
            _ => {}
        }
        let number = text.parse().ok().filter(|n| *n >= 0);
        number
            .map(Self::Gpu)
            .ok_or_else(|| "it is the number of a GPU as CUDA counts them, or cpu".into())
    }
}

/// A model's bytes, or its file, whose weights may lie in further files beside it.
pub enum Model<'a> {
    /// With the operators that the processor computes by kernels of our own.
    Bytes {
        bytes: &'a [u8],
        kernels: fn() -> ort::Result<Option<OperatorDomain>>,
    },
    File(&'a Path),
}

/// Whether the runtime knows the domain of our operators. It looks for it and then adds it: of two sessions that are the
/// first at the same time one would fail.
static IS_KNOWN: Mutex<bool> = Mutex::new(false);

impl Model<'_> {
    fn commit(&self, mut builder: SessionBuilder) -> std::result::Result<Session, String> {
        match self {
            Self::Bytes { bytes, .. } => builder.commit_from_memory(bytes),
            Self::File(path) => builder.commit_from_file(path),
        }
        .map_err(|e| e.to_string())
    }

    fn commit_on_processor(&self, builder: SessionBuilder) -> std::result::Result<Session, String> {
        let kernels = match self {
            Self::Bytes { kernels, .. } => kernels().map_err(|e| e.to_string())?,
            Self::File(_) => None,
        };
        let Some(kernels) = kernels else {
            return self.commit(builder);
        };
        let builder = builder.with_operators(kernels).map_err(|e| e.to_string())?;
        let mut is_known = IS_KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_known {
            drop(is_known);
            return self.commit(builder);
        }
        let session = self.commit(builder)?;
        *is_known = true;
        Ok(session)
    }
}

/// Threads for one inference: more than four gain little at the sizes used here.
/// `TERMASK_THREADS` names another number.
pub fn threads() -> usize {
    let named = env::var("TERMASK_THREADS").ok();
    let named = named.and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    named.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(4)))
}

/// Whether the NVIDIA driver is there: loaded, lent to a container, or that of the Windows around WSL.
pub fn has_nvidia() -> bool {
    let traces = ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"];
    traces.iter().any(|file| fs::exists(file).unwrap_or(false))
}

fn provider() -> Option<OsString> {
    env::var_os("TERMASK_PROVIDER").filter(|name| !name.is_empty())
}

/// GPU devices to try, the best first. `TERMASK_PROVIDER` chooses; `TensorRT` builds for minutes at
/// its first start and is used where it is asked for only.
fn wanted(runtime: &Runtime, on: Compute) -> Result<Vec<Device>> {
    if on == Compute::Processor {
        return Ok(Vec::new());
    }
    let Some(name) = provider() else {
        let cuda = has_cuda(&runtime.path).then_some(Device::Cuda);
        return Ok(cuda.into_iter().collect());
    };
    match name.to_str() {
        Some("cpu") => Ok(Vec::new()),
        Some("cuda") => Ok(vec![Device::Cuda]),
        Some("tensorrt") => Ok(vec![Device::TensorRt, Device::Cuda]),
        _ => Err(Error::Runtime(format!(
            "TERMASK_PROVIDER is {}: set it to cpu, cuda or tensorrt",
            name.display()
        ))),
    }
}

/// A session at a place, on `threads` threads where that is the processor.
///
/// # Errors
/// When the model does not load, or the GPU that was named cannot be used.
pub fn session(
    on: Compute,
    model: &Model,
    name: &str,
    threads: usize,
) -> Result<(Session, Device)> {
    let runtime = runtime()?;
    let number = match on {
        Compute::Gpu(number) => number,
        Compute::Best | Compute::Processor => 0,
    };
    let mut reasons = Vec::new();
    for device in wanted(runtime, on)? {
        let (name, provider) = match device {
            Device::TensorRt => {
                let provider = ep::TensorRT::default().with_device_id(number);
                ("TensorRT", provider.build())
            }
            _ => ("CUDA", ep::CUDA::default().with_device_id(number).build()),
        };
        let on_gpu = builder(runtime, threads)
            .and_then(|b| {
                b.with_execution_providers([provider.error_on_failure()])
                    .map_err(|e| e.to_string())
            })
            .and_then(|b| model.commit(b));
        match on_gpu {
            Ok(session) => return Ok((session, device)),
            Err(why) => reasons.push(format!("{name}: {}", plain(&why))),
        }
    }
    let why = why_not_on_a_gpu(on, &reasons);
    if let Compute::Gpu(number) = on {
        let why = why.unwrap_or_default();
        return Err(Error::Runtime(format!(
            "GPU {number} cannot be used: {why}; leave it out of --device to compute elsewhere"
        )));
    }
    let session = builder(runtime, threads)
        .and_then(|b| model.commit_on_processor(b))
        .map_err(|e| Error::Model(format!("{name} is no model ONNX Runtime can run: {e}")))?;
    Ok((session, Device::Cpu { why }))
}

/// What the provider says of a failure, without the names of its functions and files.
fn plain(why: &str) -> String {
    let cause = if let Some((_, missing)) = why.split_once("with error: ") {
        missing
    } else {
        let starts = ["CUDA failure", "Invalid device ID"];
        let start = starts.iter().find_map(|cause| why.find(cause));
        &why[start.unwrap_or_default()..]
    };
    let cause = cause.split(" ; ").next().unwrap_or_default();
    let cause = cause.lines().next().unwrap_or_default();
    let driver = if has_nvidia() {
        ""
    } else {
        " (no NVIDIA driver is loaded here)"
    };
    format!("{}{driver}", cause.trim())
}

fn why_not_on_a_gpu(on: Compute, reasons: &[String]) -> Option<String> {
    if !reasons.is_empty() {
        Some(reasons.join("; "))
    } else if on == Compute::Processor {
        None
    } else if provider().is_some_and(|name| name == "cpu") {
        Some("TERMASK_PROVIDER says so".into())
    } else {
        let built = "this ONNX Runtime is built for the processor";
        Some(format!(
            "{built}; `termask setup gpu` brings one for the GPU"
        ))
    }
}

fn builder(runtime: &Runtime, threads: usize) -> std::result::Result<SessionBuilder, String> {
    // Without spinning: the threads of an idle annotator must not burn a shared server's cores.
    Session::builder(&runtime.environment)
        .map_err(|e| e.to_string())?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(|e| e.to_string())?
        .with_intra_threads(threads)
        .map_err(|e| e.to_string())?
        .with_config_entry("session.intra_op.allow_spinning", "0")
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_cuda_is_told_without_the_providers_sources() {
        let recorded = "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:122 \
            std::conditional_t<THRW, void, onnxruntime::common::Status> CUDA failure 35: CUDA \
            driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=a ; \
            file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; \
            line=336 ; expr=cudaSetDevice(info_.device_id); \n\n";
        let told = plain(recorded);
        let wanted =
            "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version";
        assert!(
            told.starts_with(wanted) && !told.contains("onnxruntime_src"),
            "{told}"
        );
        let missing =
            "libcublasLt.so.13: cannot open shared object file: No such file or directory";
        let recorded = format!(
            "/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2043 onnxruntime::\
             Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to \
             load library libonnxruntime_providers_cuda.so with error: {missing}\n"
        );
        assert!(plain(&recorded).starts_with(missing));
        let recorded = "/onnxruntime_src/onnxruntime/core/providers/cuda/\
            cuda_execution_provider_info.cc:63 FromProviderOptions [ONNXRuntimeError] : 1 : FAIL : \
            provider_options_utils.h:187 Parse Failed to parse provider option \"device_id\": \
            cuda_execution_provider_info.cc:71 operator() Invalid device ID: 7, must be between 0 \
            (inclusive) and 1 (exclusive).";
        let wanted = "Invalid device ID: 7, must be between 0 (inclusive) and 1 (exclusive).";
        assert!(plain(recorded).starts_with(wanted));
    }

    #[test]
    fn a_device_is_a_number_or_the_processor() {
        assert_eq!("1".parse(), Ok(Compute::Gpu(1)));
        assert_eq!("cpu".parse(), Ok(Compute::Processor));
        for wrong in ["-1", "gpu", "", "1.5"] {
            assert!(wrong.parse::<Compute>().is_err(), "{wrong:?}");
        }
    }
}
