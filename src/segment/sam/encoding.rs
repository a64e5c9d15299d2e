//! The encoder at work, on a thread of its own.
//!
//! ONNX Runtime ends a graph between two of its nodes, and a node of a large encoder may take long.
//! Whoever gives an embedding up does not wait for that: what goes on ends by itself, and the next
//! picture is brought to size meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use ort::session::RunOptions;

use super::family::Encoder;
use super::net::{Net, Tensor};
use crate::segment::header::Header;
use crate::segment::runtime::Device;
use crate::segment::{Cancel, Error, Result};

/// An encoder and the thread that runs it.
pub struct Encoding {
    pub kind: &'static Encoder,
    pub header: Header,
    pub device: Device,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A picture to be encoded, and who waits for it.
struct Job {
    picture: Tensor,
    options: Arc<RunOptions>,
    answer: Sender<Result<Vec<Tensor>>>,
}

impl Encoding {
    /// # Errors
    /// When the system starts no further thread.
    pub fn start(mut net: Net, kind: &'static Encoder) -> Result<Self> {
        let (header, device) = (net.header.clone(), net.device.clone());
        let input = header.inputs[0].name.clone();
        let (jobs, received) = mpsc::channel::<Job>();
        let work = move || {
            for job in received {
                let made = net.run(&[(&input, &job.picture)], &job.options);
                // Nobody waits any more for what was cancelled.
                let _ = job.answer.send(made);
            }
        };
        let thread = thread::Builder::new().name("encoder".into()).spawn(work);
        let thread = thread.map_err(|e| {
            let path = header.path.display();
            Error::Runtime(format!("{path}: no thread for it: {e}; end other programs"))
        })?;
        Ok(Self {
            kind,
            header,
            device,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// The graph's outputs for a picture, in the order of the decoder's `names`.
    ///
    /// # Errors
    /// When it does not run. `Cancelled` at once when it is, while the graph may still come to its
    /// next node.
    pub fn run(&self, picture: Tensor, names: &[&str], cancel: &Cancel) -> Result<Vec<Tensor>> {
        let options = RunOptions::new().map_err(|e| Error::Runtime(e.to_string()))?;
        let options = Arc::new(options);
        let (answer, made) = mpsc::channel();
        let running = cancel.ends({
            let (options, answer) = (Arc::clone(&options), answer.clone());
            move || {
                // Said first: the graph's own end has another reason.
                let _ = answer.send(Err(Error::Cancelled));
                // A runtime that cannot be told to stop ends a little later by itself.
                let _ = options.terminate();
            }
        })?;
        let job = Job {
            picture,
            options,
            answer,
        };
        let jobs = self.jobs.as_ref().expect("open until it is dropped");
        let given = jobs.send(job).map_err(|_| ());
        let made = given.and_then(|()| made.recv().map_err(|_| ()));
        drop(running);
        let made = made.map_err(|()| {
            let path = self.header.path.display();
            Error::Model(format!("{path}: it broke down; open the model again"))
        })?;
        self.ordered(made?, names)
    }

    fn ordered(&self, mut made: Vec<Tensor>, names: &[&str]) -> Result<Vec<Tensor>> {
        let path = self.header.path.display();
        if names.len() == 1 {
            made.truncate(1);
            return Ok(made);
        }
        if names[1] == "interm_embeddings" {
            let rest = made.split_off(1);
            if rest.iter().any(|t| t.shape != rest[0].shape) {
                return Err(Error::Model(format!(
                    "{path}: its features are of different shapes; export the encoder again"
                )));
            }
            let shape = [&[rest.len()], &rest[0].shape[..]].concat();
            let values = rest.into_iter().flat_map(|t| t.values).collect();
            made.push(Tensor::new(shape, values));
            return Ok(made);
        }
        let ports = self.header.outputs.iter().map(|p| &*p.name);
        let mut named: Vec<(&str, Tensor)> = ports.zip(made).collect();
        let mut take = |name: &&str| {
            let at = named.iter().position(|(n, _)| n == name);
            at.map(|at| named.swap_remove(at).1).ok_or_else(|| {
                Error::Model(format!("{path}: it gave no {name}; copy the file again"))
            })
        };
        names.iter().map(&mut take).collect()
    }
}

impl Drop for Encoding {
    /// Waits until the graph has ended: a process must not unload what still runs.
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
