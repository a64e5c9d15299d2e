//! Moving the cursor and the view.

use std::sync::Arc;

use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::prompt::Side;
use crate::core::view::View;
use crate::ui::action::{Direction, Step};
use crate::ui::layout;
use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

impl State {
    pub(super) fn step_cursor(
        &mut self,
        direction: Direction,
        step: Step,
        count: Option<(u32, Arc<str>)>,
    ) {
        let Some((dx, dy)) = self.stride(direction, step, count) else {
            return;
        };
        let Some(open) = self.shown() else { return };
        let from = open.cursor;
        let size = open.view.image;
        self.put_cursor(size.clamp(i64::from(from.x) + dx, i64::from(from.y) + dy));
        self.dab(Some(from));
    }

    /// Image pixels of a step, across and down.
    pub(super) fn stride(
        &mut self,
        direction: Direction,
        step: Step,
        count: Option<(u32, Arc<str>)>,
    ) -> Option<(i64, i64)> {
        let times = match count {
            Some((count, class)) => {
                // The digits were a count, not a class.
                self.give_class(&class);
                i64::from(count.max(1))
            }
            None => 1,
        };
        let view = &self.shown()?.view;
        let length = |scale: f64, cell: f64| match step {
            Step::Pixel => times,
            Step::Cell => times * ((cell / scale).round() as i64).max(1),
            Step::EightCells => times * ((8.0 * cell / scale).round() as i64).max(1),
        };
        let across = length(view.scale_x(), view.cell.width);
        let down = length(view.scale_y(), view.cell.height);
        Some(match direction {
            Direction::Left => (-across, 0),
            Direction::Right => (across, 0),
            Direction::Up => (0, -down),
            Direction::Down => (0, down),
        })
    }

    pub(super) fn put_cursor(&mut self, at: ImagePoint) {
        let Some(open) = &mut self.open else { return };
        let size = open.decoded.image.size();
        open.cursor = size.clamp(i64::from(at.x), i64::from(at.y));
        open.view = open.view.showing(open.cursor);
    }

    /// Puts the cursor far away; `jump_back` returns.
    pub(super) fn jump_to(&mut self, at: ImagePoint) {
        if let Some(open) = &mut self.open {
            open.before_jump = Some(open.cursor);
        }
        self.put_cursor(at);
    }

    pub(super) fn jump_back(&mut self) {
        match self.shown().and_then(|o| o.before_jump) {
            Some(at) => self.jump_to(at),
            None => self.notice = Some(Notice::Info("no jump to go back from".into())),
        }
    }

    pub(super) fn drag(&mut self, at: ImagePoint) {
        let from = self.shown().map(|o| o.cursor);
        self.put_cursor(at);
        if matches!(self.mode, Mode::Brush(_)) {
            self.dab(from);
        }
        // A drag while a polygon is drawn is a lasso.
        if matches!(self.mode, Mode::Polygon { .. }) {
            self.add_vertex();
        }
    }

    /// The button is up: a drag was a box, a press on the spot an inside click.
    pub(super) fn release(&mut self, at: ImagePoint) {
        let Some(from) = self.pressed.take() else {
            return;
        };
        let Some(open) = self.shown() else { return };
        if matches!(self.mode, Mode::Brush(_)) {
            return;
        }
        if matches!(self.mode, Mode::Polygon { .. }) {
            self.put_cursor(at);
            self.add_vertex();
            return;
        }
        let moved = |a: u32, b: u32, scale: f64| f64::from(a.abs_diff(b)) * scale > 6.0;
        let dragged =
            moved(from.x, at.x, open.view.scale_x()) || moved(from.y, at.y, open.view.scale_y());
        self.put_cursor(at);
        if dragged {
            self.put_box(ImageRect::from_corners(from, at));
        } else {
            self.click(Side::Inside);
        }
    }

    pub(super) fn wheel(&mut self, at: ImagePoint, direction: Direction) {
        let factor = match direction {
            Direction::Up => 1.25,
            Direction::Down => 0.8,
            Direction::Left | Direction::Right => return,
        };
        if let Some(open) = &mut self.open {
            open.view = open.view.zoomed(factor, at);
            open.wide = None;
        }
    }

    pub(super) fn start_grid(&mut self) {
        let Some(region) = self.shown().map(|o| o.view.source) else {
            return;
        };
        self.mode = Mode::Grid { region };
        self.jump_to(region.centre());
    }

    /// Narrows the grid's region to one of its nine parts, numbered row by row.
    pub(in crate::ui) fn narrow(&mut self, part: u32) {
        let Mode::Grid { region } = self.mode else {
            return;
        };
        let region = region.ninth(part);
        self.put_cursor(region.centre());
        self.mode = if region.width() < 3 && region.height() < 3 {
            Mode::Aim
        } else {
            Mode::Grid { region }
        };
    }

    /// Puts the cursor where the network is least sure near the draft's outline.
    pub(super) fn go_to_doubt(&mut self) {
        let Some(open) = self.shown() else { return };
        let soft = open
            .document()
            .draft
            .proposal
            .as_ref()
            .and_then(|p| p.soft.clone());
        let Some(soft) = soft else {
            self.notice = Some(Notice::Info(
                "no draft to doubt: give a box or a click".into(),
            ));
            return;
        };
        let at = soft.most_doubtful(open.decoded.image.size(), &open.document().draft.prompt);
        match at {
            Some(at) => self.jump_to(at),
            None => self.notice = Some(Notice::Info("the engine is sure everywhere".into())),
        }
    }

    pub(super) fn zoom(&mut self, factor: f64) {
        if let Some(open) = &mut self.open {
            open.view = open.view.zoomed(factor, open.cursor);
            open.wide = None;
        }
    }

    pub(super) fn zoom_fit(&mut self) {
        if let Some(open) = &mut self.open {
            open.view = View::fit(open.view.image, open.view.canvas, open.view.cell);
            open.wide = None;
        }
    }

    /// Zooms to the draft or the selected object, and back.
    pub(super) fn zoom_object(&mut self) {
        let focus = self.focus().and_then(|m| m.bounds());
        let Some(open) = &mut self.open else { return };
        if let Some(wide) = open.wide.take() {
            open.view = wide;
            return;
        }
        match focus.or(open.document().draft.prompt.rect) {
            Some(bounds) => {
                open.wide = Some(open.view);
                open.view = open.view.around(bounds);
            }
            None => self.notice = Some(Notice::Info("select an object first: Tab".into())),
        }
    }

    /// Another terminal size or cell size: the same part of the image stays in view.
    pub fn resize(&mut self, screen: (u16, u16), cell: crate::core::geometry::CellSize) {
        self.screen = screen;
        self.cell = cell;
        self.canvas = layout::canvas(screen, self.list());
        if let Some(open) = &mut self.open {
            open.view = open.view.on_canvas(self.canvas, cell);
            open.wide = None;
        }
    }
}
