//! Which ONNX Runtime answers: one the person has (with CUDA), else the one that is built in.

mod device;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::environment::Environment;

pub use self::device::{Compute, Device, Model, has_nvidia, session, threads};
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
        // It would write into the picture of the terminal; what fails is told by whoever asked.
        .with_logger(Arc::new(|_, _, _, _, _| {}))
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
