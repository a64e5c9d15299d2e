//! Points, sizes and rectangles in image pixels and in terminal cells; the name says which frame.

/// Width and height in image pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    pub const fn longest(self) -> u32 {
        if self.width > self.height {
            self.width
        } else {
            self.height
        }
    }

    pub const fn contains(self, at: ImagePoint) -> bool {
        at.x < self.width && at.y < self.height
    }

    pub const fn bounds(self) -> ImageRect {
        ImageRect::new(0, 0, self.width, self.height)
    }

    /// The nearest point inside; the image must not be empty.
    pub fn clamp(self, x: i64, y: i64) -> ImagePoint {
        ImagePoint {
            x: x.clamp(0, i64::from(self.width) - 1) as u32,
            y: y.clamp(0, i64::from(self.height) - 1) as u32,
        }
    }
}

/// A pixel of the upright image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImagePoint {
    pub x: u32,
    pub y: u32,
}

impl ImagePoint {
    pub const fn new(x: u32, y: u32) -> Self {
        Self { x, y }
    }
}

/// A rectangle of image pixels; `x1` and `y1` are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageRect {
    pub x0: u32,
    pub y0: u32,
    pub x1: u32,
    pub y1: u32,
}

impl ImageRect {
    pub const fn new(x0: u32, y0: u32, x1: u32, y1: u32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    /// The smallest rectangle that holds both pixels.
    pub fn from_corners(a: ImagePoint, b: ImagePoint) -> Self {
        Self {
            x0: a.x.min(b.x),
            y0: a.y.min(b.y),
            x1: a.x.max(b.x) + 1,
            y1: a.y.max(b.y) + 1,
        }
    }

    /// One of its nine parts, numbered row by row; none is empty.
    #[must_use]
    pub fn ninth(self, part: u32) -> Self {
        let third = |low: u32, length: u32, i: u32| {
            let from = low + length * i / 3;
            (from, (low + length * (i + 1) / 3).max(from + 1))
        };
        let (x0, x1) = third(self.x0, self.width(), part % 3);
        let (y0, y1) = third(self.y0, self.height(), part / 3);
        Self::new(x0, y0, x1, y1)
    }

    pub const fn width(self) -> u32 {
        self.x1.saturating_sub(self.x0)
    }

    pub const fn height(self) -> u32 {
        self.y1.saturating_sub(self.y0)
    }

    pub const fn size(self) -> Size {
        Size::new(self.width(), self.height())
    }

    pub const fn is_empty(self) -> bool {
        self.x1 <= self.x0 || self.y1 <= self.y0
    }

    pub const fn contains(self, at: ImagePoint) -> bool {
        at.x >= self.x0 && at.x < self.x1 && at.y >= self.y0 && at.y < self.y1
    }

    pub fn centre(self) -> ImagePoint {
        ImagePoint::new(
            u32::midpoint(self.x0, self.x1.max(self.x0 + 1) - 1),
            u32::midpoint(self.y0, self.y1.max(self.y0 + 1) - 1),
        )
    }

    /// The common part; empty where there is none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }
}

/// A character cell of the terminal, from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellPoint {
    pub col: u16,
    pub row: u16,
}

/// A block of character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CellRect {
    pub col: u16,
    pub row: u16,
    pub cols: u16,
    pub rows: u16,
}

impl CellRect {
    pub const fn contains(self, cell: CellPoint) -> bool {
        cell.col >= self.col
            && cell.row >= self.row
            && cell.col < self.col + self.cols
            && cell.row < self.row + self.rows
    }

    pub const fn is_empty(self) -> bool {
        self.cols == 0 || self.rows == 0
    }
}

/// Size of one character cell in screen pixels; xterm.js has fractional ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellSize {
    pub width: f64,
    pub height: f64,
}

impl Default for CellSize {
    /// What most terminals are near to, for those that do not tell.
    fn default() -> Self {
        Self {
            width: 10.0,
            height: 20.0,
        }
    }
}
