use std::sync::mpsc;

use super::*;

/// Hands over what is written, write by write.
struct Wire(mpsc::Sender<Vec<u8>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).ok();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_frame_waits_until_the_terminal_has_answered_and_is_called_for_then() {
    let (wire, written) = mpsc::channel();
    let (ready, called) = mpsc::channel();
    let tell = move || {
        ready.send(()).ok();
    };
    let gauge = Gauge::new(Question::Status, 0.1, None, Instant::now());
    let (line, thread) = Line::start(Wire(wire), Some(gauge), tell);
    line.now(vec![vec![b'a'; 20_000]], 0);
    let bytes = written.recv().expect("written");
    assert!(bytes.ends_with(b"\x1b[5n"));
    assert!(!line.takes_cells());
    assert!(called.try_recv().is_err());
    line.answered(Question::Status);
    called.recv().expect("the frame is called for");
    assert!(line.takes_cells());
    line.close();
    thread.join().expect("ended");
}

#[test]
fn pictures_of_before_the_cells_were_cleared_never_leave() {
    let (wire, written) = mpsc::channel();
    let (line, thread) = Line::start(Wire(wire), None, || {});
    let before = line.clearings();
    line.clear_pictures();
    line.now(vec![b"before".to_vec()], before);
    line.later(b"sharper".to_vec(), before);
    line.now(vec![b"after".to_vec()], line.clearings());
    assert_eq!(written.recv().expect("written"), b"after");
    line.close();
    thread.join().expect("ended");
    assert!(written.try_iter().next().is_none());
}

#[test]
fn what_is_new_is_painted_before_anything_is_made_sharper() {
    let (wire, _written) = mpsc::channel();
    let (line, thread) = Line::start(Wire(wire), None, || {});
    assert_eq!(line.wait_for_turn(More::Yes, || true), Turn::Paint);
    let turn = line.wait_for_turn(More::Yes, || false);
    assert_eq!(turn, Turn::Refine(UNMEASURED));
    line.close();
    assert_eq!(line.wait_for_turn(More::No, || true), Turn::Closed);
    thread.join().expect("ended");
}
