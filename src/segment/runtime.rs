//! Which ONNX Runtime answers: one the person has (with CUDA), else the one that is built in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::ep;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::segment::{Error, Result};

/// Where the library was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `ORT_DYLIB_PATH` names it.
    Named,
    /// `$XDG_DATA_HOME/termask/gpu`, where `pip install --target` put it.
    GpuFolder,
    /// The active virtual or conda environment.
    Environment,
    /// Beside the program.
    Beside,
    /// Built into the program.
    BuiltIn,
}

impl Source {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named => "ORT_DYLIB_PATH",
            Self::GpuFolder => "termask's gpu folder",
            Self::Environment => "the active Python environment",
            Self::Beside => "the program's folder",
            Self::BuiltIn => "built in",
        }
    }
}

/// The loaded library.
#[derive(Debug)]
pub struct Runtime {
    pub path: PathBuf,
    pub source: Source,
    /// Libraries that were found and could not be used, with the reason.
    pub passed_over: Vec<String>,
    // Never dropped before the process ends: sessions need it, and releasing it at exit races
    // with threads that still run.
    environment: Environment,
}

/// What a session runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    Cuda,
    TensorRt,
    /// On the processor, and why not on a GPU.
    Cpu {
        why: String,
    },
}

/// The runtime, loaded at the first call.
pub fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    let _one = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let loaded = load()?;
    Ok(RUNTIME.get_or_init(|| loaded))
}

fn load() -> Result<Runtime> {
    let mut passed_over = Vec::new();
    let (path, source) = choose(&mut passed_over)?;
    let told = |why: &dyn std::fmt::Display| {
        Error::Runtime(format!("ONNX Runtime at {}: {why}", path.display()))
    };
    if has_cuda(&path) {
        preload_cuda();
    }
    let environment = ort::init_from(&path)
        .map_err(|e| told(&e))?
        .with_name("termask")
        .with_telemetry(false)
        .build()
        .map_err(|e| told(&e))?;
    Ok(Runtime {
        path,
        source,
        passed_over,
        environment,
    })
}

fn choose(passed_over: &mut Vec<String>) -> Result<(PathBuf, Source)> {
    if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|p| !p.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            return Err(Error::Runtime(format!(
                "ORT_DYLIB_PATH names {}, which is no file: correct it or unset it",
                path.display()
            )));
        }
        return Ok((path, Source::Named));
    }
    for (path, source) in candidates() {
        match ort::util::probe(&path) {
            Some(minor) if minor >= ort::MINOR_VERSION => return Ok((path, source)),
            Some(minor) => passed_over.push(format!(
                "{} is ONNX Runtime 1.{minor}, 1.{} is needed",
                path.display(),
                ort::MINOR_VERSION
            )),
            None => passed_over.push(format!("{} cannot be loaded", path.display())),
        }
    }
    Ok((built_in()?, Source::BuiltIn))
}

/// `$XDG_DATA_HOME/termask/gpu`.
pub fn gpu_folder() -> Option<PathBuf> {
    Some(
        directories::ProjectDirs::from("", "", "termask")?
            .data_dir()
            .join("gpu"),
    )
}

/// `$XDG_CACHE_HOME/termask`.
pub fn cache_folder() -> Option<PathBuf> {
    Some(
        directories::ProjectDirs::from("", "", "termask")?
            .cache_dir()
            .to_path_buf(),
    )
}

/// Folders laid out like Python's site-packages.
fn sites() -> Vec<(PathBuf, Source)> {
    let mut sites: Vec<_> = gpu_folder()
        .map(|f| (f, Source::GpuFolder))
        .into_iter()
        .collect();
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(root) = env::var_os(name) {
            let lib = Path::new(&root).join("lib");
            sites.extend(entries(&lib).map(|d| (d.join("site-packages"), Source::Environment)));
        }
    }
    sites
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
}

fn is_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let starts = [
        "libonnxruntime.so",
        "libonnxruntime.1",
        "libonnxruntime.dylib",
        "onnxruntime.dll",
    ];
    starts.iter().any(|s| name.starts_with(s))
}

fn candidates() -> Vec<(PathBuf, Source)> {
    let in_folder = |folder: &Path| entries(folder).find(|p| is_library(p));
    let mut found: Vec<_> = sites()
        .into_iter()
        .filter_map(|(site, source)| Some((in_folder(&site.join("onnxruntime/capi"))?, source)))
        .collect();
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| in_folder(exe.parent()?));
    found.extend(beside.map(|p| (p, Source::Beside)));
    found
}

#[cfg(embedded_runtime)]
fn built_in() -> Result<PathBuf> {
    use std::io::Read;

    static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/onnxruntime.deflate"));
    let folder = cache_folder().unwrap_or_else(env::temp_dir);
    let path = folder.join(concat!("onnxruntime-", env!("TERMASK_ORT_VERSION"), ".so"));
    let told = |e: std::io::Error| {
        Error::Runtime(format!(
            "ONNX Runtime cannot be unpacked to {}: {e}; make room there, or set XDG_CACHE_HOME to a folder that can be written",
            path.display()
        ))
    };
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(&folder).map_err(told)?;
    // Renamed when whole: two first starts may race, and a crash must leave no half library.
    let mut beside = tempfile::NamedTempFile::new_in(&folder).map_err(told)?;
    let mut library = Vec::new();
    flate2::read::DeflateDecoder::new(PACKED)
        .read_to_end(&mut library)
        .map_err(told)?;
    std::io::Write::write_all(&mut beside, &library).map_err(told)?;
    beside.as_file().sync_all().map_err(told)?;
    beside.persist(&path).map_err(|e| told(e.error))?;
    Ok(path)
}

#[cfg(not(embedded_runtime))]
fn built_in() -> Result<PathBuf> {
    Err(Error::Runtime(
        "this build carries no ONNX Runtime and none was found: `pip install onnxruntime` in the \
         active environment, or set ORT_DYLIB_PATH to a libonnxruntime.so; viewing, review and \
         export work without"
            .into(),
    ))
}

/// Whether a library comes with its CUDA provider.
pub fn has_cuda(library: &Path) -> bool {
    library
        .with_file_name("libonnxruntime_providers_cuda.so")
        .exists()
}

/// Loads the CUDA, cuDNN and `TensorRT` libraries of the wheels: the provider asks for them by name and
/// has no search path of its own. What is missing shows in the provider's own message.
fn preload_cuda() {
    const LIBRARIES: [&str; 16] = [
        "libcudart.so.",
        "libcublasLt.so.",
        "libcublas.so.",
        "libnvrtc.so.",
        "libcurand.so.",
        "libcufft.so.",
        "libcudnn.so.",
        "libcudnn_graph.so.",
        "libcudnn_ops.so.",
        "libcudnn_heuristic.so.",
        "libcudnn_adv.so.",
        "libcudnn_cnn.so.",
        "libcudnn_engines_precompiled.so.",
        "libcudnn_engines_runtime_compiled.so.",
        "libnvinfer.so.",
        "libnvonnxparser.so.",
    ];
    let folders: Vec<PathBuf> = sites()
        .iter()
        .flat_map(|(site, _)| entries(&site.join("nvidia")).collect::<Vec<_>>())
        .map(|package| package.join("lib"))
        .chain(
            sites()
                .into_iter()
                .map(|(site, _)| site.join("tensorrt_libs")),
        )
        .collect();
    for name in LIBRARIES {
        let starts = |p: &PathBuf| {
            let file = p.file_name().unwrap_or_default();
            file.to_string_lossy().starts_with(name)
        };
        let file = folders
            .iter()
            .find_map(|folder| entries(folder).find(starts));
        if let Some(file) = file {
            let _ = ort::util::preload_dylib(&file);
        }
    }
}

/// A model's bytes, or its file, whose weights may lie in further files beside it.
#[derive(Debug, Clone, Copy)]
pub enum Model<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
}

impl<'a> From<&'a [u8]> for Model<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl Model<'_> {
    fn commit(self, mut builder: SessionBuilder) -> std::result::Result<Session, String> {
        match self {
            Self::Bytes(bytes) => builder.commit_from_memory(bytes),
            Self::File(path) => builder.commit_from_file(path),
        }
        .map_err(|e| e.to_string())
    }
}

/// Threads for one inference: more than four gain little at the sizes used here.
/// `TERMASK_THREADS` names another number.
pub fn threads() -> usize {
    let named = env::var("TERMASK_THREADS").ok();
    let named = named.and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    named.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(4)))
}

/// Whether the NVIDIA driver is loaded.
pub fn has_nvidia() -> bool {
    fs::exists("/proc/driver/nvidia/version").unwrap_or(false)
}

/// GPU devices to try, the best first. `TERMASK_PROVIDER` chooses; `TensorRT` builds for minutes at
/// its first start and is used where it is asked for only.
fn wanted(runtime: &Runtime) -> Result<Vec<Device>> {
    let Some(name) = env::var_os("TERMASK_PROVIDER").filter(|n| !n.is_empty()) else {
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

/// A session on the GPU where that works, else on `threads` threads of the processor.
pub fn session<'a>(
    model: impl Into<Model<'a>>,
    name: &str,
    threads: usize,
) -> Result<(Session, Device)> {
    let model = model.into();
    let runtime = runtime()?;
    let wanted = wanted(runtime)?;
    let mut reasons = Vec::new();
    for device in wanted {
        let (name, provider) = match device {
            Device::TensorRt => ("TensorRT", ep::TensorRT::default().build()),
            _ => ("CUDA", ep::CUDA::default().build()),
        };
        let on_gpu = builder(runtime, threads)
            .and_then(|b| {
                b.with_execution_providers([provider.error_on_failure()])
                    .map_err(|e| e.to_string())
            })
            .and_then(|b| model.commit(b));
        match on_gpu {
            Ok(session) => return Ok((session, device)),
            Err(why) => reasons.push(format!("{name}: {why}")),
        }
    }
    let why = if !reasons.is_empty() {
        reasons.join("; ")
    } else if env::var_os("TERMASK_PROVIDER").is_some_and(|p| p == "cpu") {
        "TERMASK_PROVIDER says so".into()
    } else {
        "this ONNX Runtime is built for the processor; `termask setup gpu` brings one for the GPU"
            .into()
    };
    let session = builder(runtime, threads)
        .and_then(|b| model.commit(b))
        .map_err(|e| Error::Model(format!("{name} is no model ONNX Runtime can run: {e}")))?;
    Ok((session, Device::Cpu { why }))
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
