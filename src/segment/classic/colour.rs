//! What colours the object and its surroundings have: mixtures of five Gaussians in RGB.

/// How many Gaussians a mixture has (Rother, Kolmogorov and Blake, "`GrabCut`", SIGGRAPH 2004).
const PARTS: usize = 5;
/// Added to every variance: one grey level of noise, so that flat areas have a finite density too.
const NOISE: f64 = 1.0;

type Rgb = [u8; 3];

/// Count, sums and sums of products of colours: what a Gaussian is fitted to.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: u64,
    sum: [u64; 3],
    /// rr, rg, rb, gg, gb, bb.
    products: [u64; 6],
}

impl Moments {
    fn add(&mut self, colour: Rgb) {
        let [r, g, b] = colour.map(u64::from);
        self.count += 1;
        for (s, c) in self.sum.iter_mut().zip([r, g, b]) {
            *s += c;
        }
        for (s, p) in self
            .products
            .iter_mut()
            .zip([r * r, r * g, r * b, g * g, g * b, b * b])
        {
            *s += p;
        }
    }

    fn mean(&self) -> [f64; 3] {
        self.sum.map(|s| s as f64 / self.count as f64)
    }

    fn covariance(&self) -> [f64; 6] {
        let n = self.count as f64;
        let [r, g, b] = self.mean();
        let means = [r * r, r * g, r * b, g * g, g * b, b * b];
        let mut covariance = [0.0; 6];
        for (i, c) in covariance.iter_mut().enumerate() {
            *c = self.products[i] as f64 / n - means[i];
        }
        for i in [0, 3, 5] {
            covariance[i] += NOISE;
        }
        covariance
    }

    /// The direction in which the colours vary most and how much, by power iteration.
    fn principal(&self) -> ([f64; 3], f64) {
        let [rr, rg, rb, gg, gb, bb] = self.covariance();
        let mut v = [0.6, 0.58, 0.55];
        let mut length = 0.0;
        for _ in 0..12 {
            let w = [
                rr * v[0] + rg * v[1] + rb * v[2],
                rg * v[0] + gg * v[1] + gb * v[2],
                rb * v[0] + gb * v[1] + bb * v[2],
            ];
            length = w.iter().map(|c| c * c).sum::<f64>().sqrt();
            v = w.map(|c| c / length);
        }
        (v, length)
    }
}

/// One Gaussian of a mixture, ready to be evaluated.
#[derive(Debug, Clone)]
struct Gaussian {
    mean: [f32; 3],
    /// The inverse covariance: rr, rg, rb, gg, gb, bb, the mixed ones doubled.
    inverse: [f32; 6],
    /// −ln weight + ½ ln det covariance.
    offset: f32,
}

impl Gaussian {
    fn fit(moments: &Moments, all: u64) -> Option<Self> {
        if moments.count == 0 {
            return None;
        }
        let [rr, rg, rb, gg, gb, bb] = moments.covariance();
        let minors = [
            gg * bb - gb * gb,
            rb * gb - rg * bb,
            rg * gb - rb * gg,
            rr * bb - rb * rb,
            rg * rb - rr * gb,
            rr * gg - rg * rg,
        ];
        let det = (rr * minors[0] + rg * minors[1] + rb * minors[2]).max(f64::MIN_POSITIVE);
        let double = [1.0, 2.0, 2.0, 1.0, 2.0, 1.0];
        let mut inverse = [0.0; 6];
        for i in 0..6 {
            inverse[i] = (double[i] * minors[i] / det) as f32;
        }
        let weight = moments.count as f64 / all as f64;
        Some(Self {
            mean: moments.mean().map(|m| m as f32),
            inverse,
            offset: (0.5 * det.ln() - weight.ln()) as f32,
        })
    }

    /// −ln of weight times density, without the constant that all share.
    fn cost(&self, colour: [f32; 3]) -> f32 {
        let r = colour[0] - self.mean[0];
        let g = colour[1] - self.mean[1];
        let b = colour[2] - self.mean[2];
        let i = &self.inverse;
        let distance =
            i[0] * r * r + i[1] * r * g + i[2] * r * b + i[3] * g * g + i[4] * g * b + i[5] * b * b;
        self.offset + 0.5 * distance
    }
}

/// A mixture of Gaussians, learnt from the pixels of one side.
#[derive(Debug, Clone)]
pub struct ColourModel {
    parts: Vec<Gaussian>,
}

impl ColourModel {
    /// Splits the colours in five, each time the group that varies most across its main direction
    /// (Orchard and Bouman 1991), which needs no random start. `None` without any colour.
    pub fn learn(colours: &[Rgb]) -> Option<Self> {
        if colours.is_empty() {
            return None;
        }
        let mut group = vec![0u8; colours.len()];
        let mut moments = vec![Moments::default()];
        for colour in colours {
            moments[0].add(*colour);
        }
        while moments.len() < PARTS {
            let spread = |m: &Moments| m.principal().1 * m.count as f64;
            let widest = (0..moments.len())
                .max_by(|a, b| spread(&moments[*a]).total_cmp(&spread(&moments[*b])))
                .expect("there is one group at least");
            let (axis, _) = moments[widest].principal();
            let along = |c: [f64; 3]| axis[0] * c[0] + axis[1] * c[1] + axis[2] * c[2];
            let middle = along(moments[widest].mean());
            let new = moments.len();
            let (mut near, mut far) = (Moments::default(), Moments::default());
            for (g, colour) in group.iter_mut().zip(colours) {
                if usize::from(*g) != widest {
                    continue;
                }
                if along(colour.map(f64::from)) > middle {
                    *g = new as u8;
                    far.add(*colour);
                } else {
                    near.add(*colour);
                }
            }
            moments[widest] = near;
            if far.count == 0 {
                break;
            }
            moments.push(far);
        }
        Some(Self::fit(&moments, colours.len()))
    }

    /// One step towards the colours as they are now: each goes to its likeliest Gaussian, and the
    /// Gaussians are fitted again.
    #[must_use]
    pub fn relearn(&self, colours: &[Rgb]) -> Self {
        if colours.is_empty() {
            return self.clone();
        }
        let mut moments = vec![Moments::default(); self.parts.len()];
        for colour in colours {
            let c = colour.map(f32::from);
            let mut best = (0, f32::INFINITY);
            for (i, part) in self.parts.iter().enumerate() {
                let cost = part.cost(c);
                if cost < best.1 {
                    best = (i, cost);
                }
            }
            moments[best.0].add(*colour);
        }
        Self::fit(&moments, colours.len())
    }

    fn fit(moments: &[Moments], all: usize) -> Self {
        Self {
            parts: moments
                .iter()
                .filter_map(|m| Gaussian::fit(m, all as u64))
                .collect(),
        }
    }

    /// −ln of the density at a colour, without the constant that all mixtures share.
    pub fn cost(&self, colour: Rgb) -> f32 {
        let c = colour.map(f32::from);
        let mut costs = [f32::INFINITY; PARTS];
        let mut least = f32::INFINITY;
        for (slot, part) in costs.iter_mut().zip(&self.parts) {
            *slot = part.cost(c);
            least = least.min(*slot);
        }
        // A part that is 3000 times less likely than the likeliest changes nothing.
        let sum: f32 = costs
            .iter()
            .map(|cost| cost - least)
            .filter(|above| *above < 8.0)
            .map(|above| (-above).exp())
            .sum();
        least - sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_likelier_under_the_mixture_that_has_seen_it() {
        let reds: Vec<Rgb> = (0..200u8).map(|i| [200 + i % 30, 20, i % 9]).collect();
        let mixed: Vec<Rgb> = (0..200u8)
            .map(|i| {
                if i % 2 == 0 {
                    [10, 10, 200]
                } else {
                    [20, 220, 30]
                }
            })
            .collect();
        let (a, b) = (
            ColourModel::learn(&reds).expect("colours"),
            ColourModel::learn(&mixed).expect("colours"),
        );
        assert!(a.cost([210, 20, 4]) < b.cost([210, 20, 4]));
        assert!(b.cost([10, 10, 200]) < a.cost([10, 10, 200]));
        assert!(b.cost([20, 220, 30]) < a.cost([20, 220, 30]));
    }

    #[test]
    fn one_flat_colour_has_a_finite_cost_everywhere() {
        let model = ColourModel::learn(&[[7, 7, 7]; 50]).expect("colours");
        assert!(model.cost([7, 7, 7]).is_finite());
        assert!(model.cost([255, 0, 255]).is_finite());
        assert!(model.cost([7, 7, 7]) < model.cost([8, 7, 7]));
    }
}
