//! One look of the network at a crop: how large, how wide, and which way round.

use super::SIZE;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// Pixels across the crop.
    pub size: usize,
    /// How much larger than what is looked for the crop is.
    pub expand: f64,
    pub facing: Facing,
}

/// Which way round the crop is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facing {
    AsItIs,
    Mirrored,
}

impl Pass {
    /// The look that the network was trained with.
    pub const LOOK: Self = Self {
        size: SIZE,
        expand: 1.4,
        facing: Facing::AsItIs,
    };
    /// Where it only looks for the object, or how far a correction reaches.
    pub const GLANCE: Self = Self {
        size: 256,
        ..Self::LOOK
    };
    /// At what is nearly known.
    pub const CLOSE: Self = Self {
        expand: 1.25,
        ..Self::LOOK
    };

    #[must_use]
    pub const fn wider(self, times: f64) -> Self {
        Self {
            expand: self.expand * times,
            ..self
        }
    }

    #[must_use]
    pub const fn mirrored(self) -> Self {
        Self {
            facing: Facing::Mirrored,
            ..self
        }
    }
}

/// Turns each row of what is `width` across the other way round.
pub fn mirror<Cell>(rows: &mut [Cell], width: usize) {
    rows.chunks_exact_mut(width).for_each(<[Cell]>::reverse);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_turns_rows_and_keeps_their_order() {
        let mut planes: Vec<f32> = (0..8_u8).map(f32::from).collect();
        mirror(&mut planes, 2);
        let order: Vec<u8> = planes.iter().map(|v| *v as u8).collect();
        assert_eq!(order, [1, 0, 3, 2, 5, 4, 7, 6]);
    }
}
