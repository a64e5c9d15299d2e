//! From one image to another.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::geometry::CellPoint;
use crate::core::scene::Photo;
use crate::store::decode::{Depth, Window};
use crate::ui::layout::{self, Listing};
use crate::ui::mode::{Mode, Notice};
use crate::ui::state::State;

impl State {
    /// Takes more images into the list; the person stays where they are.
    pub(super) fn found(&mut self, place: usize, images: Vec<PathBuf>) {
        if !self.images.is_empty() {
            for at in [&mut self.at, &mut self.review.from] {
                *at += if place <= *at { images.len() } else { 0 };
            }
        }
        Arc::make_mut(&mut self.images).splice(place..place, images);
    }

    pub(super) fn travel(&mut self, by: i64) {
        if self.images.is_empty() {
            return;
        }
        let last = self.images.len() as i64 - 1;
        let to = (self.at as i64 + by).clamp(0, last) as usize;
        if to == self.at {
            let end = if by > 0 { "last" } else { "first" };
            self.notice = Some(Notice::Info(format!("this is the {end} image")));
        }
        self.go_to(to);
    }

    /// The list of images beside the picture.
    pub fn listing(&self) -> Option<Listing> {
        layout::list(self.screen, self.cell, self.list())
    }

    /// The images that the list shows: the present one is in its middle, as far as there are
    /// others.
    pub fn listed(&self, listing: Listing) -> Range<usize> {
        let room = listing.room();
        let last = self.images.len().saturating_sub(room);
        let first = self.at.saturating_sub(room / 2).min(last);
        first..(first + room).min(self.images.len())
    }

    /// The image in a cell of the list.
    pub(in crate::ui) fn listed_at(&self, cell: CellPoint) -> Option<usize> {
        let listing = self.listing()?;
        self.listed(listing).nth(listing.at(cell)?)
    }

    /// The images whose thumbnails have a place and are not there yet, the nearest first.
    pub(in crate::ui) fn without_thumbnail(&self) -> Vec<PathBuf> {
        let Some(listing) = self.listing().filter(|l| l.picture > 0) else {
            return Vec::new();
        };
        let mut places: Vec<usize> = self.listed(listing).collect();
        places.sort_by_key(|at| at.abs_diff(self.at));
        let paths = places.into_iter().map(|at| &self.images[at]);
        let missing = paths.filter(|path| !self.thumbnails.contains_key(*path));
        missing.cloned().collect()
    }

    /// Takes in a thumbnail; those that have no place any more go.
    pub(super) fn pictured(&mut self, path: PathBuf, photo: Option<Photo>) {
        let Some(listing) = self.listing() else {
            return self.thumbnails.clear();
        };
        let images = Arc::clone(&self.images);
        let listed = &images[self.listed(listing)];
        self.thumbnails.retain(|path, _| listed.contains(path));
        if listed.contains(&path) {
            self.thumbnails.insert(path, photo);
        }
    }

    pub(in crate::ui) fn go_to(&mut self, at: usize) {
        if at == self.at {
            return;
        }
        self.at = at;
        if !matches!(self.mode, Mode::Review | Mode::Sheet) {
            self.mode = Mode::Aim;
            self.review.fixing = false;
        }
        // A damaged file may have been mended meanwhile.
        let path = self.images[at].clone();
        self.broken.remove(&path);
    }

    pub(super) fn next_unfinished(&mut self) {
        let count = self.images.len();
        let next = (1..count)
            .map(|by| (self.at + by) % count)
            .find(|i| !self.standings.of(&self.images[*i]).finished);
        match next {
            Some(at) => self.go_to(at),
            None => self.notice = Some(Notice::Info("every other image is finished".into())),
        }
    }

    /// Calls the image finished and goes on, or takes that back.
    pub(super) fn finish(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(open) = &mut self.open else { return };
        let finished = !open.document().finished;
        open.history.step(|d| d.finished = finished);
        if finished {
            self.notice = Some(Notice::Info("finished; N goes to the next".into()));
        }
    }

    /// Shows more or less of the range of values beyond 8 bits.
    pub(super) fn change_window(&mut self, by: isize) {
        /// Percent of the values that become black, and as many white.
        const CUTS: [f64; 8] = [0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0];
        let Some(open) = self.shown() else { return };
        if open.decoded.depth == Depth::Bytes {
            let told = "this image has 8 bits a value: all of them are shown";
            self.notice = Some(Notice::Info(told.into()));
            return;
        }
        let at = CUTS.iter().position(|cut| *cut >= self.window.low);
        let at = at.unwrap_or(CUTS.len() - 1).saturating_add_signed(by);
        let low = CUTS[at.min(CUTS.len() - 1)];
        self.window = Window {
            low,
            high: 100.0 - low,
        };
        let told = format!(
            "values from the {low}th to the {}th percentile",
            100.0 - low
        );
        self.notice = Some(Notice::Info(told));
    }
}
