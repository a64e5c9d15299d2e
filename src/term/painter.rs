//! What every graphics protocol offers: the difference from scene to scene, as commands.

use super::line::Command;
use super::pace::Speed;
use crate::core::scene::Scene;

/// What a call to make the picture sharper brought.
#[derive(Debug)]
pub enum Refined {
    Step(Command),
    Done,
}

/// Knows what the terminal shows.
pub trait Painter: Send {
    /// What changes the terminal from the last scene to this one, as soon as possible.
    fn paint(&mut self, scene: &Scene) -> Vec<Command>;

    /// The next step to a sharper picture of the scene, where the line is idle: about `room` bytes,
    /// or one whole picture where the protocol cannot cut it.
    fn refine(&mut self, scene: &Scene, room: usize) -> Refined;

    /// Takes the picture off the screen; the next scene is painted anew. A picture that is in the
    /// cells goes with them, which the screen clears.
    fn hide(&mut self) -> Vec<Command>;

    /// The terminal has lost all pictures: the next scene is sent from the start.
    fn forget(&mut self);

    /// Places once more what is on the screen, and asks the terminal whether it could. `None` where
    /// nothing is there, or nothing gets lost on the way.
    fn prove(&mut self) -> Option<Command> {
        None
    }

    /// How fast the line is from now on.
    fn pace(&mut self, _speed: Speed) {}
}
