//! Every command with its keys: help, palette and the README's key table are printed from it.

use crate::core::document::Verdict as V;
use crate::core::prompt::Side;
use crate::ui::action::{
    Action, Action as A, Correction as C, Direction as D, Lesson as L, Step as S,
};

/// Where a command belongs in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Aim,
    Prompt,
    Correct,
    Objects,
    Images,
    View,
    Review,
    Program,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Aim,
        Self::Prompt,
        Self::Correct,
        Self::Objects,
        Self::Images,
        Self::View,
        Self::Review,
        Self::Program,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Aim => "Aim",
            Self::Prompt => "Box and clicks",
            Self::Correct => "Correct",
            Self::Objects => "Objects and classes",
            Self::Images => "Images",
            Self::View => "View",
            Self::Review => "Review pass",
            Self::Program => "Program",
        }
    }
}

/// One command with its keys.
#[derive(Debug)]
pub struct Command {
    pub name: &'static str,
    /// Keys of the default preset, separated by blanks.
    pub keys: &'static str,
    pub action: Action,
    pub group: Group,
    pub help: &'static str,
}

const fn command(
    group: Group,
    name: &'static str,
    keys: &'static str,
    action: Action,
    help: &'static str,
) -> Command {
    Command {
        name,
        keys,
        action,
        group,
        help,
    }
}

use Group as G;

/// Every command of the annotating screen.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    command(G::Aim, "left", "left h", A::Move(D::Left, S::Cell), "move a cell; a count may come before"),
    command(G::Aim, "down", "down j", A::Move(D::Down, S::Cell), "move a cell down"),
    command(G::Aim, "up", "up k", A::Move(D::Up, S::Cell), "move a cell up"),
    command(G::Aim, "right", "right l", A::Move(D::Right, S::Cell), "move a cell right"),
    command(G::Aim, "left-8", "S-left H", A::Move(D::Left, S::EightCells), "move eight cells"),
    command(G::Aim, "down-8", "S-down J", A::Move(D::Down, S::EightCells), "move eight cells down"),
    command(G::Aim, "up-8", "S-up K", A::Move(D::Up, S::EightCells), "move eight cells up"),
    command(G::Aim, "right-8", "S-right L", A::Move(D::Right, S::EightCells), "move eight cells right"),
    command(G::Aim, "left-pixel", "A-left A-h", A::Move(D::Left, S::Pixel), "move an image pixel"),
    command(G::Aim, "down-pixel", "A-down A-j", A::Move(D::Down, S::Pixel), "move a pixel down"),
    command(G::Aim, "up-pixel", "A-up A-k", A::Move(D::Up, S::Pixel), "move a pixel up"),
    command(G::Aim, "right-pixel", "A-right A-l", A::Move(D::Right, S::Pixel), "move a pixel right"),
    command(G::Aim, "grid", "g", A::GridAim, "grid aim: qwe/asd/zxc narrow it, a capital clicks or puts a corner there, other keys end it"),
    command(G::Aim, "hints", "f", A::Hints, "letters on what the engine finds: a letter takes it, a capital accepts it at once"),
    command(G::Aim, "doubtful", ";", A::Doubtful, "go to the most doubtful place of the mask"),
command(G::Aim, "jump-back", "'", A::JumpBack, "back to where the cursor was before it jumped"),
    command(G::Aim, "mark", "~", A::SetMark, "name this place by a letter (also :mark a)"),
    command(G::Aim, "go-to-mark", "`", A::GoToMark, "go to the place with this letter, on another image too (also :go a)"),
    command(G::Aim, "repeat", ".", A::Repeat, "the last click, correction or zoom again, here"),

    command(G::Prompt, "corner", "b", A::Corner, "box: one corner, then the other"),
command(G::Prompt, "extreme", "x", A::Extreme, "box by the object's four outermost points, in any order"),
command(G::Prompt, "snap", "s", A::Snap, "box sides snap to strong edges, or not"),
    command(G::Prompt, "inside", "i", A::Click(Side::Inside), "click: this belongs to the object"),
    command(G::Prompt, "outside", "o", A::Click(Side::Outside), "click: this does not"),
    command(G::Prompt, "accept", "enter space", A::Accept, "keep the mask as an object"),
    command(G::Prompt, "drop", "esc", A::Drop, "drop box, clicks and mask"),
    command(G::Prompt, "undo", "u", A::Undo, "undo"),
    command(G::Prompt, "redo", "C-r", A::Redo, "redo"),
    command(G::Prompt, "alternative", "t", A::NextAlternative, "the engine's next reading of the prompt"),

    command(G::Correct, "paint", "m", A::Paint, "brush: paint at the cursor and while moving; again to stop"),
    command(G::Correct, "erase", "M", A::Erase, "the same with the eraser"),
command(G::Correct, "polygon", "P", A::Polygon, "outline point by point (drag: lasso); enter paints it, M erases it"),
    command(G::Correct, "contour", "V", A::Contour, "edit the outline: move keys move its point, tab the next, i adds, d takes away, enter keeps"),
    command(G::Correct, "brush-smaller", "[", A::BrushSmaller, "smaller brush"),
    command(G::Correct, "brush-larger", "]", A::BrushLarger, "larger brush"),
    command(G::Correct, "lower-threshold", "<", A::Correct(C::LowerThreshold), "more: lower the threshold"),
    command(G::Correct, "raise-threshold", ">", A::Correct(C::RaiseThreshold), "less: raise the threshold"),
    command(G::Correct, "fill-holes", "F", A::Correct(C::FillHoles), "fill holes"),
    command(G::Correct, "drop-islands", "I", A::Correct(C::DropIslands), "keep the largest part and those with clicks"),
    command(G::Correct, "grow", ")", A::Correct(C::Grow), "grow by a screen pixel"),
    command(G::Correct, "shrink", "(", A::Correct(C::Shrink), "shrink by a screen pixel"),
    command(G::Correct, "smooth", "S", A::Correct(C::Smooth), "smooth the outline"),
    command(G::Correct, "snap-outline", "E", A::Correct(C::SnapToEdges), "snap the outline to the edges in the picture"),
command(G::Correct, "clear", "C", A::Correct(C::Clear), "take away what other objects cover"),

    command(G::Objects, "next-object", "tab", A::NextObject, "select the next object"),
    command(G::Objects, "previous-object", "S-tab", A::PreviousObject, "select the previous object"),
    command(G::Objects, "edit", "e", A::EditObject, "edit the selected object again"),
    command(G::Objects, "delete", "d del", A::DeleteObject, "delete the selected object"),
    command(G::Objects, "join", "U", A::JoinObjects, "join the selected object with the one before it"),
command(G::Objects, "subtract", "", A::SubtractObject, "cut the selected object out of the one before it"),
command(G::Objects, "intersect", "", A::IntersectObject, "keep what the selected object and the one before it share"),
    command(G::Objects, "split", "X", A::SplitObject, "split the selected object into its parts"),
    command(G::Objects, "raise", "pgup", A::RaiseObject, "draw the selected object later, above others"),
    command(G::Objects, "lower", "pgdn", A::LowerObject, "draw it earlier, below others"),
    command(G::Objects, "class", "c", A::ChooseClass, "class by name; a new name makes a class (1 to 9, 0: by digit)"),

    command(G::Images, "next", "n", A::NextImage, "next image"),
    command(G::Images, "previous", "p", A::PreviousImage, "previous image"),
    command(G::Images, "next-unfinished", "N", A::NextUnfinished, "next image that is not finished"),
    command(G::Images, "finish", "w", A::Finish, "call the image finished, or not"),
    command(G::Images, "image", "/", A::GoToImage, "go to an image by its name, or by is:begun, is:finished, is:untouched, is:flagged"),
    command(G::Images, "list", "A", A::List, "the list of images with their states (and thumbnails, in kitty) beside the picture, or not"),
    command(G::Images, "copy-previous", "y", A::CopyPrevious, "copy the objects of the image before, in place"),
    command(G::Images, "refind-previous", "Y", A::RefindPrevious, "find the objects of the image before again, near where they were"),

    command(G::View, "zoom-in", "+ =", A::ZoomIn, "zoom in about the cursor"),
    command(G::View, "zoom-out", "-", A::ZoomOut, "zoom out"),
    command(G::View, "fit", "A-0 home", A::ZoomFit, "the whole image"),
    command(G::View, "zoom-object", "z", A::ZoomObject, "zoom to the draft or selected object, and back"),
    command(G::View, "auto-zoom", "Z", A::AutoZoom, "go near a small object while it is being made, and back; or not"),
    command(G::View, "preview", "T", A::Preview, "outline what a click would give where the cursor rests (by the click net), or not"),
    command(G::View, "narrow-window", "}", A::NarrowWindow, "beyond 8 bits: show fewer values, with more contrast"),
    command(G::View, "widen-window", "{", A::WidenWindow, "beyond 8 bits: show more values, with less contrast"),
    command(G::View, "overlay", "v", A::Overlay, "masks filled, outlined, blinking, off"),

    command(G::Review, "review", "r", A::Review, "start or end the review pass"),
    command(G::Review, "judge-accept", "", A::Judge(V::Accepted), "in review, a: accept"),
    command(G::Review, "judge-reject", "", A::Judge(V::Rejected), "in review, x: reject"),
    command(G::Review, "judge-flag", "", A::Judge(V::Flagged), "in review, f: flag; F: with a comment"),
command(G::Review, "sheet", "", A::Sheet, "in review, G: all objects of the image at once; letters reject, enter accepts the others"),

    command(G::Program, "commands", ":", A::Commands, "commands by name"),
    command(G::Program, "engine", "", A::ChooseEngine, "what answers prompts: a name, or a model's file or folder"),
    command(G::Program, "adapt", "", A::Adapt(L::Learn), "fit the click net to the folder's accepted masks, and keep that where it is better"),
    command(G::Program, "adapt-revert", "", A::Adapt(L::Forget), "the click net as it was shipped again"),
    command(G::Program, "help", "? f1", A::Help, "this help; type to search"),
    command(G::Program, "tour", "", A::Tour, "the tour of one minute"),
    command(G::Program, "suspend", "C-z", A::Suspend, "stop and go to the shell; fg comes back"),
    command(G::Program, "quit", "q C-c", A::Quit, "quit; everything is saved already"),
];

/// Keys that mean something else while reviewing.
#[rustfmt::skip]
pub const REVIEW: &[(&str, Action, &str)] = &[
    ("a", A::Judge(V::Accepted), "accept"),
    ("x", A::Judge(V::Rejected), "reject"),
    ("f", A::Judge(V::Flagged), "flag"),
    ("space", A::Later, "later"),
    ("F", A::FlagWithComment, "flag with a comment"),
    ("c", A::Comment, "comment"),
("G", A::Sheet, "sheet of the image's objects: letters reject, enter accepts the others"),
    ("s", A::Overlay, "show: filled, outlined, blinking, off"),
    ("esc", A::Review, "end"),
];
