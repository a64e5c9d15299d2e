//! Which pixels of a raster a mask covers, and where its outline runs.

use std::ops::Range;

use super::ground::Ground;
use super::mask::Mask;

/// How far an outline looks around: it is two pixels wide, inside the mask.
const OUTLINE: usize = 2;

/// The raster's pixels that a mask covers, and as many beside the raster as the outline looks at.
pub struct Cover {
    pub x0: i64,
    y0: i64,
    width: usize,
    height: usize,
    /// 1 where the mask is.
    pub bytes: Vec<u8>,
}

impl Cover {
    pub fn of(ground: &Ground, mask: &Mask) -> Option<Self> {
        let bounds = mask.bounds()?;
        let beside = OUTLINE as f64;
        let axis = |low: f64, high: f64, most: u32| {
            let low = low.floor().max(-beside);
            (low as i64, high.ceil().min(f64::from(most) + beside) as i64)
        };
        let (left, top) = ground.from_image(bounds.x0.into(), bounds.y0.into());
        let (right, bottom) = ground.from_image(bounds.x1.into(), bounds.y1.into());
        let (x0, x1) = axis(left, right, ground.width);
        let (y0, y1) = axis(top, bottom, ground.height);
        if x0 >= x1 || y0 >= y1 {
            return None;
        }
        let (width, height) = ((x1 - x0) as usize, (y1 - y0) as usize);
        let mut bytes = vec![0; width * height];
        for (row, y) in bytes.chunks_exact_mut(width).zip(y0..) {
            let image_y = ground.y + (y as f64 + 0.5) / ground.scale_y;
            if image_y < 0.0 {
                continue;
            }
            let image_y = image_y as u32;
            for run in mask.runs_in_rows(image_y, image_y + 1) {
                let across = |x: u32| ((f64::from(x) - ground.x) * ground.scale_x).round() as i64;
                let from = across(run.x0).max(x0);
                // An object narrower than a screen pixel is still seen.
                let to = across(run.x1).max(from + 1).min(x1);
                if from < to {
                    row[(from - x0) as usize..(to - x0) as usize].fill(1);
                }
            }
        }
        Some(Self {
            x0,
            y0,
            width,
            height,
            bytes,
        })
    }

    /// Rows and columns that lie on the raster.
    pub fn seen(&self, width: u32, height: u32) -> (Range<i64>, Range<i64>) {
        let end = |start: i64, length: usize, most: u32| (start + length as i64).min(most.into());
        (
            self.y0.max(0)..end(self.y0, self.height, height),
            self.x0.max(0)..end(self.x0, self.width, width),
        )
    }

    pub fn row<'a>(&self, bytes: &'a [u8], y: i64) -> &'a [u8] {
        let start = (y - self.y0) as usize * self.width;
        &bytes[start..start + self.width]
    }

    /// 1 where a pixel has the mask on all sides, so that no outline runs there.
    pub fn inner(&self) -> Vec<u8> {
        let width = self.width;
        let mut inner = vec![0; self.bytes.len()];
        let around = 2 * OUTLINE;
        if width <= around {
            return inner;
        }
        let row = |y: usize| &self.bytes[y * width..(y + 1) * width];
        // Whole rows at a time, which the compiler turns into wide instructions.
        for y in OUTLINE..self.height.saturating_sub(OUTLINE) {
            let (above, below) = ((row(y - 2), row(y - 1)), (row(y + 1), row(y + 2)));
            let own = row(y);
            let out = &mut inner[y * width + OUTLINE..(y + 1) * width - OUTLINE];
            for (i, out) in out.iter_mut().enumerate() {
                let x = i + OUTLINE;
                let up = above.0[x] & above.1[x];
                let down = below.0[x] & below.1[x];
                let sides = own[i] & own[i + 1] & own[i + 3] & own[i + 4];
                *out = up & down & sides;
            }
        }
        inner
    }
}
