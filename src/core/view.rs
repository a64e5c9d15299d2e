//! Which part of the image is on the screen.
//!
//! A view maps a rectangle of whole image pixels (`source`) onto a rectangle of whole cells
//! (`cells`). That is the one mapping all terminals can show: kitty's placements scale a pixel
//! rectangle to whole cells, and sixel patches replace whole cells. Rounding to whole cells
//! changes the picture's proportions by less than one cell in the canvas.

use super::geometry::{CellPoint, CellRect, CellSize, ImagePoint, ImageRect, Size};

/// A part of the image and where it lies on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The cells that may show the picture.
    pub canvas: CellRect,
    /// The cells the picture takes, within the canvas.
    pub cells: CellRect,
    pub cell: CellSize,
    /// The image pixels that are shown.
    pub source: ImageRect,
    pub image: Size,
}

impl View {
    /// The whole image, as large as the canvas allows.
    pub fn fit(image: Size, canvas: CellRect, cell: CellSize) -> Self {
        Self::at_scale(image, canvas, cell, 0.0, image.bounds().centre())
    }

    /// `scale` screen pixels an image pixel, `centre` in the middle as far as the image's edges
    /// allow. A scale below the fitting one fits.
    pub fn at_scale(
        image: Size,
        canvas: CellRect,
        cell: CellSize,
        scale: f64,
        centre: ImagePoint,
    ) -> Self {
        let (cols, rows) = (canvas.cols.max(1), canvas.rows.max(1));
        let room = (f64::from(cols) * cell.width, f64::from(rows) * cell.height);
        let (w, h) = (
            f64::from(image.width.max(1)),
            f64::from(image.height.max(1)),
        );
        let fitting = (room.0 / w).min(room.1 / h);
        let scale = scale.max(fitting);
        let (x, cols) = axis(w, scale, room.0, cell.width, cols, f64::from(centre.x));
        let (y, rows) = axis(h, scale, room.1, cell.height, rows, f64::from(centre.y));
        let cells = CellRect {
            col: canvas.col + (canvas.cols.max(1) - cols) / 2,
            row: canvas.row + (canvas.rows.max(1) - rows) / 2,
            cols,
            rows,
        };
        Self {
            canvas,
            cells,
            cell,
            source: ImageRect::new(x.0, y.0, x.1, y.1),
            image,
        }
    }

    /// Screen pixels an image pixel, across.
    pub fn scale_x(&self) -> f64 {
        f64::from(self.cells.cols) * self.cell.width / f64::from(self.source.width().max(1))
    }

    /// Screen pixels an image pixel, down.
    pub fn scale_y(&self) -> f64 {
        f64::from(self.cells.rows) * self.cell.height / f64::from(self.source.height().max(1))
    }

    /// Screen pixels an image pixel.
    pub fn scale(&self) -> f64 {
        self.scale_x().min(self.scale_y())
    }

    /// Whether all of the image is shown.
    pub fn is_whole(&self) -> bool {
        self.source == self.image.bounds()
    }

    /// `factor` times as large, with `about` staying on its pixel of the screen where the image's
    /// edges and whole image pixels allow; the scale may be a hundredth off for it.
    #[must_use]
    pub fn zoomed(&self, factor: f64, about: ImagePoint) -> Self {
        let scale = (self.scale() * factor).min(64.0);
        let keep = |at: u32, low: u32, high: u32| {
            let middle = f64::midpoint(f64::from(low), f64::from(high));
            f64::from(at) + (middle - f64::from(at)) * (self.scale() / scale)
        };
        let centre = self.image.clamp(
            keep(about.x, self.source.x0, self.source.x1) as i64,
            keep(about.y, self.source.y0, self.source.y1) as i64,
        );
        let view = Self::at_scale(self.image, self.canvas, self.cell, scale, centre);
        let (x, y) = self.screen_from_image(f64::from(about.x) + 0.5, f64::from(about.y) + 0.5);
        let moved = |from: u16, to: u16, size: f64| (f64::from(from) - f64::from(to)) * size;
        let x = x + moved(self.cells.col, view.cells.col, self.cell.width);
        let y = y + moved(self.cells.row, view.cells.row, self.cell.height);
        let across = (view.source.x0, view.source.x1);
        let down = (view.source.y0, view.source.y1);
        let width = f64::from(view.cells.cols) * view.cell.width;
        let height = f64::from(view.cells.rows) * view.cell.height;
        let (x0, x1) = hold(across, self.image.width, about.x, x, width);
        let (y0, y1) = hold(down, self.image.height, about.y, y, height);
        Self {
            source: ImageRect::new(x0, y0, x1, y1),
            ..view
        }
    }

    /// The same scale, moved by image pixels.
    #[must_use]
    pub fn panned(&self, dx: i64, dy: i64) -> Self {
        let moved = |low: u32, high: u32, most: u32, by: i64| {
            let low_new = (i64::from(low) + by).clamp(0, i64::from(most - (high - low))) as u32;
            (low_new, low_new + (high - low))
        };
        let (x0, x1) = moved(self.source.x0, self.source.x1, self.image.width, dx);
        let (y0, y1) = moved(self.source.y0, self.source.y1, self.image.height, dy);
        Self {
            source: ImageRect::new(x0, y0, x1, y1),
            ..*self
        }
    }

    /// `rect` with a quarter of its size around it, as large as the canvas allows.
    #[must_use]
    pub fn around(&self, rect: ImageRect) -> Self {
        let room = (
            f64::from(self.canvas.cols) * self.cell.width,
            f64::from(self.canvas.rows) * self.cell.height,
        );
        let scale = (room.0 / (1.5 * f64::from(rect.width().max(8))))
            .min(room.1 / (1.5 * f64::from(rect.height().max(8))));
        Self::at_scale(
            self.image,
            self.canvas,
            self.cell,
            scale.min(16.0),
            rect.centre(),
        )
    }

    /// The same part of the image on another canvas.
    #[must_use]
    pub fn on_canvas(&self, canvas: CellRect, cell: CellSize) -> Self {
        if self.is_whole() {
            return Self::fit(self.image, canvas, cell);
        }
        Self::at_scale(self.image, canvas, cell, self.scale(), self.source.centre())
    }

    /// The smallest pan that shows `at`, with a margin of some cells where there is room.
    #[must_use]
    pub fn showing(&self, at: ImagePoint) -> Self {
        let by = |at: u32, low: u32, high: u32, margin: f64| {
            let margin = (margin as i64).min(i64::from(high - low) / 4);
            let (at, low, high) = (i64::from(at), i64::from(low), i64::from(high));
            (at - (low + margin)).min(0) + (at - (high - 1 - margin)).max(0)
        };
        let margin = (
            3.0 * self.cell.width / self.scale_x(),
            2.0 * self.cell.height / self.scale_y(),
        );
        self.panned(
            by(at.x, self.source.x0, self.source.x1, margin.0),
            by(at.y, self.source.y0, self.source.y1, margin.1),
        )
    }

    /// The image pixel in the middle of a cell; `None` beside the picture.
    pub fn image_from_cell(&self, cell: CellPoint) -> Option<ImagePoint> {
        self.cells.contains(cell).then(|| {
            self.image_from_screen(
                (f64::from(cell.col - self.cells.col) + 0.5) * self.cell.width,
                (f64::from(cell.row - self.cells.row) + 0.5) * self.cell.height,
            )
        })
    }

    /// The image pixel at screen pixels from the picture's top left corner, kept inside `source`.
    pub fn image_from_screen(&self, x: f64, y: f64) -> ImagePoint {
        let at = |v: f64, scale: f64, low: u32, high: u32| {
            (f64::from(low) + v / scale)
                .floor()
                .clamp(f64::from(low), f64::from(high.max(low + 1) - 1)) as u32
        };
        ImagePoint::new(
            at(x, self.scale_x(), self.source.x0, self.source.x1),
            at(y, self.scale_y(), self.source.y0, self.source.y1),
        )
    }

    /// Screen pixels, from the picture's top left corner, of an image position; pixel centres lie
    /// at halves. May lie outside the picture.
    pub fn screen_from_image(&self, x: f64, y: f64) -> (f64, f64) {
        (
            (x - f64::from(self.source.x0)) * self.scale_x(),
            (y - f64::from(self.source.y0)) * self.scale_y(),
        )
    }

    /// The cell that shows an image pixel; `None` outside the view.
    pub fn cell_from_image(&self, at: ImagePoint) -> Option<CellPoint> {
        self.source.contains(at).then(|| {
            let (x, y) = self.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
            CellPoint {
                col: self.cells.col + ((x / self.cell.width) as u16).min(self.cells.cols - 1),
                row: self.cells.row + ((y / self.cell.height) as u16).min(self.cells.rows - 1),
            }
        })
    }
}

/// One axis: which pixels are shown on how many cells.
fn axis(
    length: f64,
    scale: f64,
    room: f64,
    cell: f64,
    cells: u16,
    centre: f64,
) -> ((u32, u32), u16) {
    if length * scale <= room + 0.5 * cell {
        let taken = ((length * scale / cell).round() as u16).clamp(1, cells);
        return ((0, length as u32), taken);
    }
    let shown = (room / scale).round().clamp(1.0, length);
    let low = (centre + 0.5 - shown / 2.0)
        .round()
        .clamp(0.0, length - shown);
    ((low as u32, (low + shown) as u32), cells)
}

/// Image pixels near `low..high` that show the middle of pixel `at` nearest to where it is wanted on
/// a screen of `room` pixels. All of the image stays all of it.
fn hold((low, high): (u32, u32), most: u32, at: u32, wanted: f64, room: f64) -> (u32, u32) {
    let shown = high - low;
    if shown == most || !(low..high).contains(&at) {
        return (low, high);
    }
    let slack = (shown / 100).max(1);
    let lengths = shown.saturating_sub(slack).max(1)..=(shown + slack).min(most);
    let candidates = lengths.flat_map(|length| {
        let before = (wanted * f64::from(length) / room).floor() as i64;
        let first = (i64::from(at) - before).clamp(0, i64::from(most - length)) as u32;
        [first, (first + 1).min(most - length)].map(|low| (low, length))
    });
    let apart = |(low, length): &(u32, u32)| {
        let seen = (f64::from(at) + 0.5 - f64::from(*low)) * room / f64::from(*length);
        (seen.floor() - wanted.floor()).abs() as u32
    };
    let best = candidates.min_by_key(|c| (apart(c), c.1.abs_diff(shown)));
    best.map_or((low, high), |(low, length)| (low, low + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canvas() -> CellRect {
        CellRect {
            col: 0,
            row: 1,
            cols: 100,
            rows: 38,
        }
    }

    #[test]
    fn a_photo_fits_and_keeps_its_proportions_within_a_cell() {
        let view = View::fit(Size::new(1280, 960), canvas(), CellSize::default());
        assert!(view.is_whole());
        assert_eq!((view.cells.cols, view.cells.rows), (100, 38));
        assert!((view.scale_x() / view.scale_y() - 1.0).abs() < 0.03);
    }

    #[test]
    fn zooming_about_a_point_keeps_it_on_its_pixel_of_the_screen() {
        let on_screen = |view: &View, at: ImagePoint| {
            let (x, y) = view.screen_from_image(f64::from(at.x) + 0.5, f64::from(at.y) + 0.5);
            let corner = (view.cells.col, view.cells.row);
            (
                x.floor() + f64::from(corner.0) * view.cell.width,
                y.floor() + f64::from(corner.1) * view.cell.height,
            )
        };
        for (x, y) in [(2500, 1400), (1203, 977), (3000, 2100)] {
            let view = View::fit(Size::new(4000, 3000), canvas(), CellSize::default());
            let at = ImagePoint::new(x, y);
            let (mut closer, start) = (view, on_screen(&view, at));
            for _ in 0..3 {
                closer = closer.zoomed(1.5, at);
                assert_eq!(on_screen(&closer, at), start);
            }
            let proportions = closer.scale_x() / closer.scale_y();
            assert!((0.97..1.03).contains(&proportions), "{proportions}");
        }
    }

    proptest! {
        #[test]
        fn cells_lead_to_pixels_and_back(
            w in 1..5000u32, h in 1..5000u32, cols in 1..200u16, rows in 1..60u16,
            zoom in 0.1..50.0f64, x in 0..5000u32, y in 0..5000u32,
        ) {
            let canvas = CellRect { col: 3, row: 2, cols, rows };
            let size = Size::new(w, h);
            let centre = size.clamp(i64::from(x), i64::from(y));
            let view = View::at_scale(size, canvas, CellSize::default(), zoom, centre);
            prop_assert!(view.source.x1 <= w && view.source.y1 <= h && !view.source.is_empty());
            prop_assert!(view.cells.cols <= cols && view.cells.rows <= rows && !view.cells.is_empty());
            prop_assert!(view.source.contains(centre));
            let cell = view.cell_from_image(centre).expect("the centre is in view");
            let back = view.image_from_cell(cell).expect("its cell is on the picture");
            let reach = |scale: f64, cell: f64| (cell / scale).ceil() as u32 + 1;
            prop_assert!(back.x.abs_diff(centre.x) <= reach(view.scale_x(), view.cell.width));
            prop_assert!(back.y.abs_diff(centre.y) <= reach(view.scale_y(), view.cell.height));
            let shown = view.showing(size.clamp(0, 0));
            prop_assert!(shown.source.contains(ImagePoint::new(0, 0)));
        }
    }
}
