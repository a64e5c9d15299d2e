//! The built-in net opened for the first time in a process, which is why this test has one of its own.

use std::sync::Barrier;
use std::thread;

use termask::segment::click::ClickNet;

#[test]
fn many_threads_may_be_the_first_to_open_the_net() {
    termask::segment::runtime::runtime().expect("ONNX Runtime is there");
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        let open = || {
            barrier.wait();
            ClickNet::with_threads(1).map(drop)
        };
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for opened in opening {
            opened.join().expect("no panic").expect("it opens");
        }
    });
}
