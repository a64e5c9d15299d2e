//! Brings ONNX Runtime's CPU library into the binary: takes it out of the wheel on `PyPI`, checks
//! the wheel's sha256, and deflates it. Without a wheel the build goes on and warns; the program
//! then looks for a library when it starts.

use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};

const VERSION: &str = "1.32.0";

/// One platform's wheel: the target's beginning and end, pip's platform, the wheel's sha256, and
/// the library's name in it.
const WHEELS: [Wheel; 5] = [
    (
        "x86_64",
        "linux-gnu",
        "manylinux_2_28_x86_64",
        "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
        "libonnxruntime.so",
    ),
    (
        "aarch64",
        "linux-gnu",
        "manylinux_2_28_aarch64",
        "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
        "libonnxruntime.so",
    ),
    (
        "aarch64",
        "apple-darwin",
        "macosx_14_0_arm64",
        "d52510bbbcc880c13b826f7d75cdf33ac5cf0bb864d960000fc29ce73f0cb83e",
        "libonnxruntime.",
    ),
    (
        "x86_64",
        "windows-msvc",
        "win_amd64",
        "efe7456952c243a05a53d5b8732953625144642c2f3989094277f6217f0c0c40",
        "onnxruntime.dll",
    ),
    (
        "aarch64",
        "windows-msvc",
        "win_arm64",
        "64d394c69d561af3efd4d4f49dcac8f11d0ce135a20701c16d53b74056cd4cf8",
        "onnxruntime.dll",
    ),
];

fn main() -> Result<(), String> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=TERMASK_ORT_WHEEL");
    println!("cargo:rustc-check-cfg=cfg(embedded_runtime)");
    println!("cargo:rustc-env=TERMASK_ORT_VERSION={VERSION}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let packed = out.join("onnxruntime.deflate");
    if let Some(wheel) = env::var_os("TERMASK_ORT_WHEEL") {
        // The person named this file: a build without it would not be what was asked for.
        let wheel = PathBuf::from(wheel);
        println!("cargo:rerun-if-changed={}", wheel.display());
        pack(&wheel, pinned(&target)?, &packed).map_err(|e| format!("TERMASK_ORT_WHEEL: {e}"))?;
        println!("cargo:rustc-cfg=embedded_runtime");
        return Ok(());
    }
    // docs.rs builds without a network and never runs the program.
    if env::var_os("DOCS_RS").is_some() {
        return Ok(());
    }
    match bring(&target, &out, &packed) {
        Ok(()) => println!("cargo:rustc-cfg=embedded_runtime"),
        Err(why) => println!(
            "cargo:warning=ONNX Runtime is not built in: {why}. Name a wheel with \
             TERMASK_ORT_WHEEL, or set ORT_DYLIB_PATH when you run termask."
        ),
    }
    Ok(())
}

type Wheel = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn pinned(target: &str) -> Result<&'static Wheel, String> {
    WHEELS
        .iter()
        .find(|w| target.starts_with(w.0) && target.ends_with(w.1))
        .ok_or_else(|| format!("there is no wheel for {target}"))
}

fn bring(target: &str, out: &Path, packed: &Path) -> Result<(), String> {
    if packed.exists() {
        return Ok(());
    }
    let wheel = pinned(target)?;
    pack(&download(wheel.2, out)?, wheel, packed)
}

/// Takes the library out of a wheel whose sum is the pinned one.
fn pack(path: &Path, wheel: &Wheel, packed: &Path) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let sum = hex::encode(Sha256::digest(&bytes));
    if sum != wheel.3 {
        return Err(format!(
            "{} has sha256 {sum}, onnxruntime {VERSION} for {} has {}",
            path.display(),
            wheel.2,
            wheel.3
        ));
    }
    let library = library(path, wheel.4)?;
    // A build that is cut short leaves no half file that the next one would take for whole.
    let part = packed.with_extension("part");
    let file = File::create(&part).map_err(|e| e.to_string())?;
    let mut encoder = DeflateEncoder::new(file, Compression::best());
    encoder.write_all(&library).map_err(|e| e.to_string())?;
    encoder.finish().map_err(|e| e.to_string())?;
    fs::rename(&part, packed).map_err(|e| e.to_string())
}

/// The library's bytes out of the wheel.
fn library(wheel: &Path, name: &str) -> Result<Vec<u8>, String> {
    let told = |e: &dyn std::fmt::Display| format!("{}: {e}", wheel.display());
    let file = File::open(wheel).map_err(|e| told(&e))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| told(&e))?;
    let prefix = ["onnxruntime/capi/", name].concat();
    let member = archive
        .file_names()
        .flatten()
        .find(|n| n.starts_with(&prefix))
        .map(|n| n.to_string())
        .ok_or_else(|| told(&"no library in it"))?;
    let mut bytes = Vec::new();
    let mut entry = archive.by_name(&member).map_err(|e| told(&e))?;
    entry.read_to_end(&mut bytes).map_err(|e| told(&e))?;
    Ok(bytes)
}

fn download(platform: &str, out: &Path) -> Result<PathBuf, String> {
    let folder = out.join("wheel");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let mut last = String::new();
    for python in pythons(out) {
        let run = Command::new(&python)
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--only-binary=:all:"])
            .args(["--python-version", "3.12", "--implementation", "cp"])
            .args(["--platform", platform, "--dest"])
            .arg(&folder)
            .arg(format!("onnxruntime=={VERSION}"))
            .output();
        match run {
            Ok(done) if done.status.success() => {
                let files = fs::read_dir(&folder).map_err(|e| e.to_string())?;
                let wheel = files
                    .flatten()
                    .map(|e| e.path())
                    .find(|p| p.extension().is_some_and(|e| e == "whl"));
                return wheel.ok_or_else(|| "pip brought no wheel".into());
            }
            Ok(done) => {
                let told = String::from_utf8_lossy(&done.stderr);
                last = told.lines().last().unwrap_or("pip failed").to_string();
            }
            Err(e) => last = format!("{}: {e}", python.display()),
        }
    }
    Err(format!("pip could not bring the wheel ({last})"))
}

/// Pythons that may have pip. The last one is a virtual environment made for it: a distribution's
/// Python often comes without.
fn pythons(out: &Path) -> impl Iterator<Item = PathBuf> {
    let venv = out.join("pip");
    let of_venv = move || {
        let made = ["python3", "python"].iter().any(|python| {
            let run = Command::new(python)
                .args(["-m", "venv"])
                .arg(&venv)
                .output();
            run.is_ok_and(|run| run.status.success())
        });
        let programs = if cfg!(windows) { "Scripts" } else { "bin" };
        made.then(|| venv.join(programs).join("python"))
    };
    let systems = ["python3", "python"].map(PathBuf::from);
    systems
        .into_iter()
        .chain(std::iter::once_with(of_venv).flatten())
}
