//! From values beyond 8 bits to bytes, without a copy of them all.

use image::ImageResult;

/// Which values become black and white, as percentiles of the picture's own values: scientific
/// images use a part of their range only, and a plain division would show black.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Percent of the values that may be black.
    pub low: f64,
    /// Percent below which values are not white.
    pub high: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            low: 0.5,
            high: 99.5,
        }
    }
}

/// A part of a picture's values.
#[derive(Debug)]
pub enum Values {
    Words(Vec<u16>),
    Floats(Vec<f32>),
}

impl Values {
    pub const fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Floats(floats) => floats.len(),
        }
    }
}

/// The values that are shown black and white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    /// What a byte's 255 steps cover.
    width: f64,
}

impl Range {
    /// The range of all values: `look` hands them over, each time it is called. Numbers are counted
    /// by the upper half of their bits, and floating point by the lower half the next time.
    pub fn find(
        window: Window,
        mut look: impl FnMut(&mut dyn FnMut(&Values)) -> ImageResult<()>,
    ) -> ImageResult<Self> {
        let mut upper = Counts::default();
        let mut is_fine = false;
        look(&mut |values| match values {
            Values::Words(words) => words.iter().for_each(|v| upper.add(*v)),
            Values::Floats(floats) => {
                is_fine = true;
                ordered(floats).for_each(|bits| upper.add((bits >> 16) as u16));
            }
        })?;
        let Some(last) = upper.total().checked_sub(1) else {
            return Ok(Self::between(0.0, 0.0));
        };
        let place = |percent: f64| (last as f64 * percent / 100.0).round() as u64;
        let [low, high] = [window.low, window.high].map(|percent| upper.at(place(percent)));
        if !is_fine {
            return Ok(Self::between(low.0.into(), high.0.into()));
        }
        let (mut of_low, mut of_high) = (Counts::default(), Counts::default());
        look(&mut |values| {
            let Values::Floats(floats) = values else {
                return;
            };
            for bits in ordered(floats) {
                let half = (bits >> 16) as u16;
                if half == low.0 {
                    of_low.add(bits as u16);
                }
                if half == high.0 {
                    of_high.add(bits as u16);
                }
            }
        })?;
        let value = |(half, rank): (u16, u64), lower: &Counts| {
            number(u32::from(half) << 16 | u32::from(lower.at(rank).0))
        };
        Ok(Self::between(value(low, &of_low), value(high, &of_high)))
    }

    /// The range of values that are at hand.
    pub fn of(values: &Values, window: Window) -> Self {
        let found = Self::find(window, |take| {
            take(values);
            Ok(())
        });
        found.expect("nothing is read")
    }

    fn between(low: f64, high: f64) -> Self {
        // Where all values are one, what lies above it is white.
        let width = (high - low).max(f64::MIN_POSITIVE);
        Self { low, width }
    }

    /// What is no number becomes black.
    fn byte(self, value: f64) -> u8 {
        ((value - self.low) / self.width * 255.0) as u8
    }

    /// Grey pixels of one value each, or colours of three.
    pub fn pixels(self, values: &Values, shown: usize) -> impl Iterator<Item = [u8; 3]> {
        let byte = move |i: usize| match values {
            Values::Words(words) => self.byte(words[i].into()),
            Values::Floats(floats) => self.byte(floats[i].into()),
        };
        (0..values.len() / shown).map(move |pixel| match shown {
            3 => [0, 1, 2].map(|k| byte(3 * pixel + k)),
            _ => [byte(pixel); 3],
        })
    }
}

/// How often each half of a number is there.
#[derive(Debug)]
struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; 1 << 16])
    }
}

impl Counts {
    fn add(&mut self, half: u16) {
        self.0[usize::from(half)] += 1;
    }

    fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The half at this place in their order, and how many of the same lie before it.
    fn at(&self, place: u64) -> (u16, u64) {
        let mut before = 0;
        for (half, count) in (0..=u16::MAX).zip(&self.0) {
            if place < before + count {
                return (half, place - before);
            }
            before += count;
        }
        (u16::MAX, 0)
    }
}

/// The bits of the finite values, in the order of the values.
fn ordered(values: &[f32]) -> impl Iterator<Item = u32> {
    let finite = values.iter().filter(|v| v.is_finite());
    finite.map(|v| {
        let bits = v.to_bits();
        if bits >> 31 == 1 {
            !bits
        } else {
            bits | 1 << 31
        }
    })
}

/// The value with these ordered bits.
fn number(ordered: u32) -> f64 {
    let bits = if ordered >> 31 == 1 {
        ordered & !(1 << 31)
    } else {
        !ordered
    };
    f32::from_bits(bits).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(
            mut values in proptest::collection::vec(any::<f32>(), 1..300),
            low in 0.0..50.0_f64,
        ) {
            let window = Window { low, high: 100.0 - low };
            let range = Range::of(&Values::Floats(values.clone()), window);
            values.retain(|v| v.is_finite());
            values.sort_by(f32::total_cmp);
            prop_assume!(!values.is_empty());
            let at = |percent: f64| {
                let place = (values.len() - 1) as f64 * percent / 100.0;
                f64::from(values[place.round() as usize])
            };
            prop_assert_eq!(range, Range::between(at(low), at(100.0 - low)));
        }
    }

    #[test]
    fn values_become_bytes_between_their_percentiles() {
        let window = Window {
            low: 0.0,
            high: 100.0,
        };
        let bytes = |values: &Values| -> Vec<u8> {
            Range::of(values, window)
                .pixels(values, 1)
                .map(|p| p[0])
                .collect()
        };
        assert_eq!(bytes(&Values::Words(vec![1000, 1255, 1510])), [0, 127, 255]);
        let floats = vec![-1.0, f32::NAN, 1.0, f32::INFINITY, 0.0];
        assert_eq!(bytes(&Values::Floats(floats)), [0, 0, 255, 255, 127]);
        assert_eq!(bytes(&Values::Floats(vec![f32::NAN])), [0]);
        assert_eq!(bytes(&Values::Words(vec![7, 7])), [0, 0]);
    }
}
