//! All that the app knows. `update` changes it; `view` and `wants` read it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::action::{Action, Adapt, Answer, Hint, OpenedImage, Person, Tracks};
use super::keymap::Keymap;
use super::mode::{Mode, Notice, Overlay, Sheet, Snapping};
use super::review::ReviewPass;
use super::sitting::Sitting;
use super::standings::{Standing, Standings};
use super::theme::Theme;
use super::tour::Tour;
use crate::core::document::{Document, Object, Proposal};
use crate::core::geometry::{CellRect, CellSize, ImagePoint, ImageRect};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::prompt::Prompt;
use crate::core::scene::Photo;
use crate::core::view::View;
use crate::store::decode::Decoded;
use crate::store::decode::Look;
use crate::store::decode::Window;
use crate::store::settings::{Class, Settings, Switches};
use crate::store::sidecar::Access;
use crate::term::Layers;
use crate::term::pace::Speed;

/// The image on the screen.
#[derive(Debug)]
pub struct Open {
    pub path: PathBuf,
    pub decoded: Decoded,
    pub history: History<Document>,
    pub access: Access,
    /// The revision that lies on the disk.
    pub saved: u64,
    /// The revision that could not be written; tried again at the next change.
    pub unsaved: Option<u64>,
    pub view: View,
    /// The view before a zoom to an object.
    pub wide: Option<View>,
    pub cursor: ImagePoint,
    /// The first corner of a box.
    pub corner: Option<ImagePoint>,
    /// Outermost points given so far.
    pub extremes: Vec<ImagePoint>,
    /// What the engine found by itself, once it was asked.
    pub found: Option<Vec<Hint>>,
    /// Whether the person waits for letters.
    pub hinting: bool,
    /// The letters on the screen.
    pub hints: Vec<Hint>,
    /// Where the cursor has rested for a moment.
    pub resting: Option<ImagePoint>,
    /// What a click there would give.
    pub preview: Option<Answer>,
    /// Where the cursor was before it jumped.
    pub before_jump: Option<ImagePoint>,
    /// Which object is selected.
    pub selected: Option<usize>,
    /// Other readings of the draft's prompt, the shown one first.
    pub alternatives: Vec<Proposal>,
    /// Which reading the click net gives of a prompt, where not its first.
    pub reading: Option<(Prompt, usize)>,
    pub milliseconds: Option<f64>,
    /// Milliseconds the person worked since the draft was last counted.
    pub spent: u64,
    /// What the engine looks for of the image before.
    pub refinding: Option<Refinding>,
    /// The draft's mask, while its outline is snapped to the edges.
    pub snapping: Option<Arc<Mask>>,
    /// The prompt that got no answer.
    pub unanswered: bool,
    /// The prompt that the click net answered while the engine encodes.
    pub stand_in: Option<Prompt>,
    /// Accepted before the mask came: it is kept when it is there.
    pub accepting: bool,
}

impl Open {
    pub fn document(&self) -> &Document {
        self.history.now()
    }

    /// Whether everything lies on the disk.
    pub fn is_saved(&self) -> bool {
        self.saved == self.history.revision()
    }
}

/// Objects of the image before, which the engine looks for on this one, one after the other.
#[derive(Debug)]
pub struct Refinding {
    /// In drawing order, with the box to look in.
    pub wanted: Vec<(Arc<Object>, ImageRect)>,
    /// What was found of each so far.
    pub found: Vec<Option<Proposal>>,
}

/// The image that was open before this one.
#[derive(Debug)]
pub struct Before {
    pub path: PathBuf,
    pub decoded: Decoded,
    pub document: Document,
}

#[derive(Debug)]
pub struct State {
    pub images: Arc<Vec<PathBuf>>,
    /// Which of them is, or shall be, on the screen.
    pub at: usize,
    pub walked: bool,
    pub open: Option<Open>,
    /// A coarse picture of the image that is being decoded.
    pub look: Option<(PathBuf, Look)>,
    /// Why an image cannot be shown.
    pub broken: HashMap<PathBuf, String>,
    /// Neighbours that are decoded already.
    pub neighbours: Vec<(PathBuf, Photo)>,
    /// How far the images are, as far as it is known.
    pub standings: Standings,
    /// Of the images in the list beside the picture; `None` of those that cannot be read.
    pub thumbnails: HashMap<PathBuf, Option<Photo>>,
    /// Whether the terminal has pictures beside the canvas, too.
    pub layers: Layers,
    pub sitting: Sitting,
    pub settings: Settings,
    pub keymap: Keymap,
    pub theme: Theme,
    pub class: Arc<str>,
    /// A class that shall be written into the settings.
    pub new_class: Option<Class>,
    pub person: Person,
    pub engine: Option<String>,
    /// The engine chosen in the app, and how often one was chosen.
    pub chosen_engine: Option<(String, u32)>,
    /// What the click net is at.
    pub adapt: Option<Adapt>,
    /// Masks made since the start, by class.
    pub made: BTreeMap<Arc<str>, usize>,
    pub mode: Mode,
    /// The mode that a window goes back to.
    pub behind: Mode,
    /// The count typed so far, and the class to go back to should a move follow.
    pub count: Option<(u32, Arc<str>)>,
    pub brush: f64,
    /// How values beyond 8 bits are shown, of all images.
    pub window: Window,
    pub overlay: Overlay,
    pub review: ReviewPass,
    pub tour: Option<Tour>,
    pub sheet: Option<Sheet>,
    pub snapping: Snapping,
    /// Places by their letters.
    pub marks: BTreeMap<char, (PathBuf, ImagePoint)>,
    /// Where the cursor goes on the image that is being opened.
    pub arriving: Option<(PathBuf, ImagePoint)>,
    /// What the line to the terminal carries.
    pub speed: Speed,
    /// Switches that are not in the person's file yet.
    pub switched: Option<Switches>,
    /// What Repeat does again.
    pub last: Option<Action>,
    pub canvas: CellRect,
    pub cell: CellSize,
    pub screen: (u16, u16),
    pub notice: Option<Notice>,
    /// The image seen before this one, whose objects may be carried over.
    pub before: Option<Arc<Before>>,
    /// Tracks that its files have not got yet.
    pub tracks: Option<Arc<Tracks>>,
    pub attempt: u32,
    pub quit: bool,
    pub suspend: bool,
    /// When the last key came, in milliseconds since 1970.
    pub now: i64,
    /// Pixel under the mouse when its button went down.
    pub pressed: Option<ImagePoint>,
    /// Keys typed ahead of an image or a mask that is on its way, in order.
    pub held: VecDeque<KeyEvent>,
}

impl State {
    pub fn new(settings: Settings, person: Person) -> Self {
        let class = settings
            .classes
            .first()
            .map_or_else(|| Arc::from("object"), |c| Arc::from(c.name.as_str()));
        Self {
            images: Arc::default(),
            at: 0,
            walked: false,
            open: None,
            look: None,
            broken: HashMap::new(),
            neighbours: Vec::new(),
            standings: Standings::default(),
            thumbnails: HashMap::new(),
            layers: Layers::None,
            sitting: Sitting::default(),
            settings,
            keymap: Keymap::default(),
            theme: Theme::new(None),
            class,
            new_class: None,
            person,
            engine: None,
            chosen_engine: None,
            adapt: None,
            made: BTreeMap::new(),
            mode: Mode::Aim,
            behind: Mode::Aim,
            count: None,
            brush: 12.0,
            window: Window::default(),
            overlay: Overlay::default(),
            review: ReviewPass::new(),
            tour: None,
            sheet: None,
            snapping: Snapping::Off,
            marks: BTreeMap::new(),
            arriving: None,
            speed: Speed::Fast,
            switched: None,
            last: None,
            canvas: CellRect::default(),
            cell: CellSize::default(),
            screen: (80, 24),
            notice: None,
            before: None,
            tracks: None,
            attempt: 0,
            quit: false,
            suspend: false,
            now: 0,
            pressed: None,
            held: VecDeque::new(),
        }
    }

    /// The image that is, or shall be, on the screen.
    pub fn path(&self) -> Option<&Path> {
        self.images.get(self.at).map(PathBuf::as_path)
    }

    /// The open image, if it is the one that shall be on the screen.
    pub fn shown(&self) -> Option<&Open> {
        self.open
            .as_ref()
            .filter(|o| Some(o.path.as_path()) == self.path())
    }

    /// The coarse picture to show until the image itself is there.
    pub fn first_look(&self) -> Option<&Look> {
        let path = self.path()?;
        let (looked_at, look) = self.look.as_ref()?;
        let waits = self.shown().is_none() && !self.broken.contains_key(path);
        (waits && looked_at == path).then_some(look)
    }

    /// Whether the next key is meant for something that is not there yet: an image that is being
    /// opened, or a mask that was accepted before it came.
    pub fn is_waiting(&self) -> bool {
        match self.shown() {
            Some(open) => open.accepting,
            None => match self.path() {
                Some(path) => !self.broken.contains_key(path),
                None => !self.walked,
            },
        }
    }

    /// The class the draft would get.
    pub fn draft_class(&self) -> Arc<str> {
        self.shown()
            .and_then(|o| o.document().draft.class.clone())
            .unwrap_or_else(|| Arc::clone(&self.class))
    }

    /// How masks are drawn just now: a review has its own way.
    pub const fn overlay(&self) -> Overlay {
        match self.mode {
            Mode::Review => self.review.overlay,
            _ => self.overlay,
        }
    }

    pub(super) const fn overlay_mut(&mut self) -> &mut Overlay {
        match self.mode {
            Mode::Review => &mut self.review.overlay,
            _ => &mut self.overlay,
        }
    }

    pub fn colour(&self, class: &str) -> crate::core::scene::Rgb {
        self.settings
            .classes
            .iter()
            .find(|c| c.name == class)
            .map_or([255, 176, 0], |c| c.colour)
    }

    /// The mask of the draft, or of the selected object.
    pub fn focus(&self) -> Option<Arc<Mask>> {
        let open = self.shown()?;
        open.document().draft.mask().or_else(|| {
            open.selected
                .and_then(|i| open.document().objects.get(i))
                .map(|o| Arc::clone(&o.mask))
        })
    }

    /// Lets a save that failed be tried once more.
    pub(super) fn retry_saving(&mut self) {
        if let Some(open) = &mut self.open {
            open.unsaved = None;
        }
    }

    pub(super) fn opened(&mut self, image: OpenedImage) {
        self.look = None;
        let size = image.decoded.image.size();
        let standing = Standing::from(image.history.now());
        self.standings.note(&image.path, standing);
        self.sitting
            .note(&image.path, image.history.now(), &self.person, self.now);
        if let Some(note) = image.notes.first() {
            self.notice = Some(Notice::Info(note.clone()));
        }
        if let Access::ReadOnly { why } = &image.access {
            self.notice = Some(Notice::Problem(why.clone()));
        }
        let before = self.open.take().map(|o| {
            Arc::new(Before {
                document: o.document().clone(),
                path: o.path,
                decoded: o.decoded,
            })
        });
        self.before = before.or(self.before.take());
        let saved = image.history.revision();
        self.open = Some(Open {
            view: View::fit(size, self.canvas, self.cell),
            cursor: size.bounds().centre(),
            path: image.path,
            decoded: image.decoded,
            history: image.history,
            access: image.access,
            saved,
            unsaved: None,
            wide: None,
            corner: None,
            extremes: Vec::new(),
            found: None,
            hinting: false,
            hints: Vec::new(),
            resting: None,
            preview: None,
            before_jump: None,
            selected: None,
            alternatives: Vec::new(),
            reading: None,
            milliseconds: None,
            spent: 0,
            refinding: None,
            snapping: None,
            unanswered: false,
            stand_in: None,
            accepting: false,
        });
    }
}
