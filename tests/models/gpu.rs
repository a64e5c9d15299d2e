//! GPUs: which wheel fits the driver, several at once, and how far loading comes without one.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Puts a program of this name into `bin`.
fn program(home: &Path, name: &str, script: &str) {
    let bin = home.join("bin");
    fs::create_dir_all(&bin).expect("made");
    let file = bin.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
}

/// The program on a machine whose `nvidia-smi` prints this.
fn with_driver(home: &Path, prints: &str) -> Command {
    program(home, "nvidia-smi", &format!("cat <<'END'\n{prints}\nEND"));
    let mut command = at_home(home);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", home.join("bin").display()),
    );
    command
}

/// The head of nvidia-smi's table as drivers of the last years print it, and the wheel for each.
const DRIVERS: [(&str, &str); 6] = [
    (
        "| NVIDIA-SMI 525.85.12    Driver Version: 525.85.12    CUDA Version: 12.0     |",
        "onnxruntime-gpu[cuda,cudnn]==1.26.*",
    ),
    (
        "| NVIDIA-SMI 535.183.01             Driver Version: 535.183.01   CUDA Version: 12.2     |",
        "onnxruntime-gpu[cuda,cudnn]==1.26.*",
    ),
    (
        "| NVIDIA-SMI 570.86.15              Driver Version: 570.86.15      CUDA Version: 12.8     |",
        "onnxruntime-gpu[cuda,cudnn]==1.26.*",
    ),
    (
        "| NVIDIA-SMI 580.82.07              Driver Version: 580.82.07      CUDA Version: 13.0     |",
        "onnxruntime-gpu[cuda,cudnn]==1.31.1",
    ),
    (
        "| NVIDIA-SMI 595.71.05              Driver Version: 595.71.05      CUDA Version: 13.2     |",
        "onnxruntime-gpu[cuda,cudnn]==1.31.1",
    ),
    (
        "| NVIDIA-SMI 610.57.04              KMD Version: 610.57.04     CUDA UMD Version: 13.3     |",
        "onnxruntime-gpu[cuda,cudnn]==1.31.1",
    ),
];

#[test]
fn setup_prints_the_command_for_the_driver_and_runs_nothing() {
    for (head, wheel) in DRIVERS {
        let home = tempfile::tempdir().expect("a folder");
        let table = format!("Wed Sep 30 21:53:38 2026\n+-----+\n{head}\n|-----+\n| GPU  Name |");
        let output = with_driver(home.path(), &table)
            .args(["setup", "gpu"])
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{head}: {}", stderr(&output));
        assert!(
            stdout(&output).contains(wheel),
            "{head}: {}",
            stdout(&output)
        );
        assert!(!home.path().join("data/termask/gpu").exists());
    }
}

#[test]
fn setup_says_why_no_wheel_fits() {
    let cases = [
        (
            "| NVIDIA-SMI 470.256.02   Driver Version: 470.256.02   CUDA Version: 11.4     |",
            2,
            "update the driver",
        ),
        (
            "| NVIDIA-SMI 525.85.05    Driver Version: 525.85.05    CUDA Version: N/A      |",
            1,
            "libcuda",
        ),
        (
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
            1,
            "communicate",
        ),
        ("No devices were found", 1, "No devices were found"),
    ];
    for (prints, code, told) in cases {
        let home = tempfile::tempdir().expect("a folder");
        let output = with_driver(home.path(), prints)
            .args(["setup", "gpu"])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(code), "{prints}");
        assert!(
            stderr(&output).contains(told),
            "{prints}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn setup_runs_the_command_when_it_is_told_to() {
    let home = tempfile::tempdir().expect("a folder");
    let asked = home.path().join("asked");
    let script = format!("printf '%s\\n' \"$@\" > '{}'", asked.display());
    program(home.path(), "python3", &script);
    let output = with_driver(home.path(), DRIVERS[5].0)
        .args(["setup", "gpu", "--run"])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let words = fs::read_to_string(&asked).expect("python3 was run");
    let folder = home.path().join("data/termask/gpu");
    let expected = ["-m", "pip", "install", "--upgrade", "--target"].join("\n");
    assert!(words.starts_with(&expected), "{words}");
    assert!(words.contains(&*folder.to_string_lossy()), "{words}");
    program(home.path(), "python3", "exit 3");
    let failed = with_driver(home.path(), DRIVERS[5].0)
        .args(["setup", "gpu", "--run"])
        .output()
        .expect("it runs");
    assert_eq!(failed.status.code(), Some(2));
    assert!(
        stderr(&failed).contains("pip failed"),
        "{}",
        stderr(&failed)
    );
}

fn pictures(home: &Path, count: u8) -> PathBuf {
    let images = home.join("images");
    fs::create_dir(&images).expect("made");
    for i in 0..count {
        let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([40 * i, 90, 40]));
        picture
            .save(images.join(format!("{i}.png")))
            .expect("saved");
    }
    images
}

#[test]
fn several_devices_share_a_folder_and_none_encodes_an_image_twice() {
    let home = tempfile::tempdir().expect("a folder");
    let images = pictures(home.path(), 6);
    let told = json(
        at_home(home.path())
            .args(["encode", "--json", "--device", "cpu,cpu", "--engine"])
            .args([&sam("sam2"), &images]),
    );
    assert_eq!(told["encoded"], 6);
    assert_eq!(told["devices"], serde_json::json!(["cpu", "cpu"]));
    let told = json(
        at_home(home.path())
            .args(["prelabel", "--json", "--points", "3", "--device", "cpu,cpu"])
            .args(["--least-score", "0", "--engine"])
            .args([&sam("sam2"), &images]),
    );
    assert_eq!(told["asked"], 6, "{told}");
}

#[test]
fn a_gpu_that_was_named_and_is_not_there_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let images = pictures(home.path(), 1);
    let encode = |device: &str| {
        at_home(home.path())
            .env_remove("VIRTUAL_ENV")
            .env_remove("CONDA_PREFIX")
            .args(["encode", "--device", device, "--engine"])
            .args([&sam("sam2"), &images])
            .output()
            .expect("it runs")
    };
    let refused = encode("0,1");
    assert_eq!(refused.status.code(), Some(2));
    let why = stderr(&refused);
    assert!(why.contains("GPU 0") && why.contains("setup gpu"), "{why}");
    let unknown = stderr(&encode("first"));
    assert!(unknown.contains("number of a GPU"), "{unknown}");
}

/// `TERMASK_GPU` names a folder that `termask setup gpu --run` filled (`gpu.sh` does both). Without a
/// driver the loading ends there and nowhere before: every library of the wheels was found.
#[test]
fn the_wheels_load_up_to_the_driver() {
    let Some(gpu) = std::env::var_os("TERMASK_GPU") else {
        println!("not checked: TERMASK_GPU names no folder with onnxruntime-gpu");
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data/termask");
    fs::create_dir_all(&data).expect("made");
    std::os::unix::fs::symlink(gpu, data.join("gpu")).expect("linked");
    let doctor = |provider: &str| {
        let output = at_home(home.path())
            .env("TERMASK_PROVIDER", provider)
            .args(["doctor", "--json"])
            .output()
            .expect("it runs");
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        told["runtime"].clone()
    };
    let told = doctor("cuda");
    assert_eq!(told["source"], "termask's gpu folder");
    assert_eq!(told["has_cuda"], true);
    if told["device"] == "cuda" {
        return;
    }
    let why = told["reason"].as_str().expect("a reason");
    assert!(why.starts_with("CUDA: "), "{why}");
    assert!(!why.contains("cannot open shared object"), "{why}");
    assert!(why.to_lowercase().contains("driver"), "{why}");
}
