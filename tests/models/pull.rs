//! Fetching a model's files, and taking those that were brought by other means.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use sha2::{Digest, Sha256};
use termask::cli::models::fetch::{fetch, part_of, take};

use super::*;

#[test]
fn a_file_that_is_none_of_the_models_is_not_taken() {
    let home = tempfile::tempdir().expect("a folder");
    let output = at_home(home.path())
        .args(["models", "pull", "sam2.1-tiny", "--from"])
        .arg(sam("sam2").join("encoder.onnx"))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("sha256"), "{}", stderr(&output));
    let folder = at_home(home.path())
        .args(["models", "pull", "sam2.1-tiny", "--from"])
        .arg(sam("sam2"))
        .output()
        .expect("it runs");
    assert_eq!(folder.status.code(), Some(2));
    assert!(stderr(&folder).contains("--from"), "{}", stderr(&folder));
    let unknown = at_home(home.path())
        .args(["models", "pull", "sam9"])
        .output()
        .expect("it runs");
    assert!(
        stderr(&unknown).contains("sam2.1-tiny"),
        "{}",
        stderr(&unknown)
    );
    let early = at_home(home.path())
        .args(["models", "info", "sam2.1-tiny"])
        .output()
        .expect("it runs");
    assert!(
        stderr(&early).contains("models pull sam2.1-tiny"),
        "{}",
        stderr(&early)
    );
}

/// Serves `bytes` once for each number: so many are sent before the connection is cut.
fn serve(bytes: &'static [u8], cuts: Vec<usize>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/model.onnx",
        listener.local_addr().expect("bound")
    );
    let (heard, requests) = mpsc::channel();
    thread::spawn(move || {
        for cut in cuts {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let request = head_of(&stream).to_lowercase();
            let from = request.split("range: bytes=").nth(1);
            let from: usize = from
                .and_then(|r| r.split('-').next()?.parse().ok())
                .unwrap_or(0);
            let status = if from > 0 {
                "206 Partial Content"
            } else {
                "200 OK"
            };
            let rest = &bytes[from..];
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                rest.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&rest[..cut.min(rest.len())]);
            let _ = heard.send(request);
        }
    });
    (url, requests)
}

/// A request without its body; it may come in pieces.
fn head_of(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head = lines.take_while(|line| !line.is_empty());
    head.collect::<Vec<String>>().join("\r\n")
}

static BYTES: &[u8] = include_bytes!("../../assets/coffee.png");

#[test]
fn a_fetch_that_is_cut_off_goes_on_where_it_was() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("model.onnx");
    let (url, requests) = serve(BYTES, vec![50_000, 70_000, usize::MAX]);
    let sha256 = hex::encode(Sha256::digest(BYTES));
    fetch(&url, &sha256, &file, &|_, _| {}).expect("fetched");
    assert_eq!(fs::read(&file).expect("there"), BYTES);
    assert!(!part_of(&file).exists());
    let asked: Vec<String> = requests.try_iter().collect();
    assert!(!asked[0].contains("range:"));
    assert!(asked[1].contains("range: bytes=") && asked[2].contains("range: bytes="));
}

#[test]
fn other_bytes_than_the_right_ones_never_get_the_files_name() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("model.onnx");
    let (url, _requests) = serve(BYTES, vec![usize::MAX]);
    let why = fetch(&url, &"0".repeat(64), &file, &|_, _| {}).expect_err("wrong bytes");
    assert!(format!("{why:#}").contains("sha256"), "{why:#}");
    assert!(!file.exists() && !part_of(&file).exists());
}

#[test]
fn a_file_that_was_brought_is_taken_once_its_sha256_is_right() {
    let home = tempfile::tempdir().expect("a folder");
    let (brought, file) = (home.path().join("brought"), home.path().join("model.onnx"));
    fs::write(&brought, BYTES).expect("written");
    take(&brought, &"0".repeat(64), &file).expect_err("wrong bytes");
    assert!(!file.exists() && brought.exists());
    take(&brought, &hex::encode(Sha256::digest(BYTES)), &file).expect("taken");
    assert_eq!(fs::read(&file).expect("there"), BYTES);
    assert!(brought.exists(), "what was brought stays");
}

#[test]
fn a_server_that_cannot_resume_sends_all_of_it_again() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("model.onnx");
    fs::write(part_of(&file), &BYTES[..1000]).expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/model.onnx",
        listener.local_addr().expect("bound")
    );
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("asked");
        head_of(&stream);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            BYTES.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(BYTES).expect("sent");
    });
    let sha256 = hex::encode(Sha256::digest(BYTES));
    fetch(&url, &sha256, &file, &|_, _| {}).expect("fetched");
    assert_eq!(fs::read(&file).expect("there"), BYTES);
}

#[test]
fn pull_goes_through_the_proxy_and_says_what_to_do_where_that_refuses() {
    let home = tempfile::tempdir().expect("a folder");
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", proxy.local_addr().expect("bound"));
    let (heard, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in proxy.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = heard.send(head_of(&stream));
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let output = at_home(home.path())
        .env("HTTPS_PROXY", &address)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .args(["models", "pull", "efficient-sam-ti"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--from"), "{}", stderr(&output));
    let asked = requests.try_iter().next().expect("the proxy was asked");
    assert!(asked.starts_with("CONNECT github.com:443"), "{asked}");
}
