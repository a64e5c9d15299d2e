//! What a person can ask for, what the state wants done, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::core::adaptation::Adaptations;
use crate::core::document::{Document, Proposal, Verdict};
use crate::core::geometry::ImagePoint;
use crate::core::history::History;
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::prompt::Side;
use crate::core::review::{Filter, Found};
use crate::core::scene::{Photo, Rgb};
use crate::segment::Question;
use crate::store::decode::Decoded;
use crate::store::decode::Look;
use crate::store::decode::Window;
use crate::store::index;
use crate::store::settings::{Class, Switches};
use crate::store::sidecar::Access;
use crate::store::verdicts::Line;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Left,
    Down,
    Up,
    Right,
}

/// How far one key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pixel,
    Cell,
    EightCells,
}

/// One change of the draft's mask that needs no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    FillHoles,
    DropIslands,
    Grow,
    Shrink,
    Smooth,
    /// Moves the outline to the picture's edges next to it.
    SnapToEdges,
    /// Takes away what other objects cover.
    Clear,
    RaiseThreshold,
    LowerThreshold,
}

/// What the click net does with the folder's masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    Learn,
    Forget,
}

/// What a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    Move(Direction, Step),
    /// Puts the cursor on a pixel (the mouse).
    Point(ImagePoint),
    Corner,
    Click(Side),
    Accept,
    Drop,
    Undo,
    Redo,
    GridAim,
    /// Letters on what the engine finds.
    Hints,
    /// Back to where the cursor was before it jumped.
    JumpBack,
    /// Names the cursor's place by a letter.
    SetMark,
    /// Goes to a place that was named.
    GoToMark,
    /// The view goes near a small object by itself, or not.
    AutoZoom,
    /// What a click would give is outlined, or not.
    Preview,
    /// The list of images beside the picture, or not.
    List,
    Extreme,
    /// Box sides snap to edges, or not.
    Snap,
    /// The last click, correction or zoom once more, where the cursor is now.
    Repeat,
    Polygon,
    /// Edits the mask's outline point by point.
    Contour,
    Doubtful,
    NextAlternative,
    Paint,
    Erase,
    BrushLarger,
    BrushSmaller,
    Correct(Correction),
    NextObject,
    PreviousObject,
    EditObject,
    DeleteObject,
    JoinObjects,
    SubtractObject,
    IntersectObject,
    SplitObject,
    RaiseObject,
    LowerObject,
    NextImage,
    PreviousImage,
    NextUnfinished,
    GoToImage,
    CopyPrevious,
    /// Lets the engine find the previous image's objects on this one.
    RefindPrevious,
    Finish,
    /// A digit: the class with this hotkey, or the start of a count.
    Digit(u8),
    ChooseClass,
    ChooseEngine,
    Adapt(Lesson),
    ZoomIn,
    ZoomOut,
    ZoomFit,
    ZoomObject,
    /// More of the values beyond 8 bits become black or white.
    NarrowWindow,
    WidenWindow,
    Overlay,
    Review,
    Judge(Verdict),
    Later,
    Comment,
    FlagWithComment,
    Sheet,
    Commands,
    Help,
    Tour,
    Quit,
    Suspend,
    /// Text keys, where a line is being typed.
    Type(char),
    Backspace,
    Confirm,
    Cancel,
    /// Drag of the mouse to a pixel with the button held.
    Drag(ImagePoint),
    Release(ImagePoint),
    Wheel(ImagePoint, Direction),
}

/// A save: the files beside one image should say this.
#[derive(Debug, Clone)]
pub struct Save {
    pub path: PathBuf,
    pub history: History<Document>,
}

impl PartialEq for Save {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.history.revision() == other.history.revision()
    }
}

/// What the state would like the world to do. Compared with the last one, never queued.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wants {
    /// The image to be open.
    pub open: Option<PathBuf>,
    /// How values beyond 8 bits are shown.
    pub window: Window,
    /// Images to decode ahead, the likeliest first.
    pub ahead: Vec<PathBuf>,
    /// A prompt without an answer.
    pub answer: Option<Ask>,
    /// What the engine shall find by itself.
    pub hints: Option<Hints>,
    /// A question that nobody waits for: answered when no other one is.
    pub aside: Option<Ask>,
    /// What a click at the resting cursor would give.
    pub preview: Option<Ask>,
    /// A mask to be snapped to the edges in its picture.
    pub snap: Option<Snap>,
    /// What was switched on and off, to be kept in the person's file.
    pub switches: Option<(PathBuf, Switches)>,
    /// Tracks to write into the files of an image that is not open any more.
    pub tracks: Option<Arc<Tracks>>,
    pub save: Option<Save>,
    /// A class to write into the folder's settings.
    pub class: Option<Class>,
    /// What shall answer from now on, and how often one was chosen.
    pub engine: Option<(String, u32)>,
    pub adapt: Option<Adapt>,
    /// Objects to be found for a review.
    pub survey: Option<Survey>,
    /// Objects to be drawn side by side.
    pub sheet: Option<Drawing>,
    /// Images whose thumbnails have a place and are not there yet, the nearest first.
    pub thumbnails: Vec<PathBuf>,
    /// Verdicts that are not in the log yet.
    pub verdicts: Vec<Arc<Line>>,
    /// The log they belong in.
    pub log: Option<PathBuf>,
}

/// What the click net shall learn from the folder with these settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapt {
    pub file: PathBuf,
    pub lesson: Lesson,
}

/// A search for the objects of a review.
#[derive(Debug, Clone)]
pub struct Survey {
    pub serial: u32,
    pub images: Arc<Vec<PathBuf>>,
    /// Image to begin with.
    pub from: usize,
    pub filter: Filter,
}

impl PartialEq for Survey {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

/// A sheet of objects that is to be drawn.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Equal keys mean equal pixels.
    pub key: u64,
    pub path: PathBuf,
    pub image: Arc<Image>,
    pub masks: Vec<(Arc<Mask>, Rgb)>,
}

impl PartialEq for Drawing {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// A question to the engine.
#[derive(Debug, Clone)]
pub struct Ask {
    pub path: PathBuf,
    pub question: Question,
    /// Differs when the person asks the same again after a failure.
    pub attempt: u32,
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
            && self.question.prompt == other.question.prompt
            && self.attempt == other.attempt
    }
}

/// A mask whose outline shall move to the edges in its picture.
#[derive(Debug, Clone)]
pub struct Snap {
    pub path: PathBuf,
    pub image: Arc<Image>,
    pub mask: Arc<Mask>,
}

impl PartialEq for Snap {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.mask == other.mask
    }
}

/// Tracks that objects of an image got when the person was on the next one already.
#[derive(Debug, Clone)]
pub struct Tracks {
    pub path: PathBuf,
    pub decoded: Decoded,
    /// An object's id and its track.
    pub given: Vec<(u64, u64)>,
}

impl PartialEq for Tracks {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.given == other.given
    }
}

/// A search for objects that nobody pointed at.
#[derive(Debug, Clone)]
pub struct Hints {
    pub path: PathBuf,
    pub image: Arc<Image>,
    pub key: u64,
}

impl PartialEq for Hints {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.key == other.key
    }
}

/// An object the engine found, with the pixel its letter stands on: the deepest one.
#[derive(Debug, Clone)]
pub struct Hint {
    pub proposal: Proposal,
    pub at: ImagePoint,
}

/// What the world answered. Each names what it answers.
#[derive(Debug)]
pub enum Outcome {
    /// More images of the folder, and their place in the list.
    Found(usize, Vec<PathBuf>),
    Walked,
    /// How far images of this folder are.
    Standings(PathBuf, Vec<index::Standing>),
    Opened(Box<OpenedImage>),
    /// A coarse picture of an image that takes long to decode.
    Looked(PathBuf, Look),
    /// The open image through another window.
    Windowed(PathBuf, Window, Box<Decoded>),
    OpenFailed(PathBuf, String),
    /// A neighbour is decoded.
    Ahead(PathBuf, Photo),
    Proposed(Box<Answer>),
    /// What a click at the resting cursor would give.
    Previewed(Box<Answer>),
    /// Objects the engine found by itself, the surest first.
    Hinted(Hints, Vec<Hint>),
    /// What came of a question that nobody waited for: proposals, or why there are none.
    Aside(Box<Ask>, Result<Vec<Proposal>, String>),
    /// The mask with its outline at the picture's edges, or why not.
    Snapped(Snap, Result<Mask, String>),
    /// The engine could not answer.
    Unanswered(PathBuf, String),
    EngineReady(String),
    Adapted(Result<Adapted, String>),
    Saved(PathBuf, u64),
    /// Somebody else had changed the sidecar: the revision that was saved, and both together.
    Merged(PathBuf, u64, Box<Document>, Vec<String>),
    SaveFailed(PathBuf, u64, String),
    ClassSaved(String),
    /// Objects for the review with this number.
    Surveyed(u32, Vec<Found>),
    /// A thumbnail, where the image can be read.
    Thumbnail(PathBuf, Option<Photo>),
    /// The sheet with this key is drawn.
    Drawn(u64, Arc<Image>),
    /// That was all; with what could not be read.
    SurveyEnded(u32, Vec<String>),
    /// Lines of the log up to this one are written.
    Logged(u64),
    Failed(String),
}

#[derive(Debug)]
pub struct OpenedImage {
    pub path: PathBuf,
    pub decoded: Decoded,
    pub history: History<Document>,
    pub access: Access,
    pub notes: Vec<String>,
}

/// What the click net knows of the folder now, and what to tell of how it came to.
#[derive(Debug)]
pub struct Adapted {
    pub known: Adaptations,
    pub told: String,
}

/// Proposals with the question they answer.
#[derive(Debug)]
pub struct Answer {
    pub ask: Ask,
    pub proposals: Vec<Proposal>,
    pub milliseconds: f64,
    /// Whether it is the engine's own: while that encodes, the click net stands in.
    pub is_final: bool,
}

/// Who is at the keyboard: `user@host`.
pub type Person = Arc<str>;
