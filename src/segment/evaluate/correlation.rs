//! Whether two lists of numbers rise together.

/// The place of each value in their order; equal ones share theirs.
pub fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let place = |value: &f64| {
        let below = values.iter().filter(|v| *v < value).count();
        let equal = values.iter().filter(|v| v.total_cmp(value).is_eq()).count();
        below as f64 + equal as f64 / 2.0
    };
    values.iter().map(place).collect()
}

/// Pearson's correlation; 0 where one of the two does not vary.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        values.iter().map(|v| v - mean).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (dot(&a, &a) * dot(&b, &b)).sqrt();
    if spread > 0.0 {
        dot(&a, &b) / spread
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_rise_together_or_against_each_other() {
        let a = ranks([0.1, 0.5, 0.5, 9.0].into_iter());
        assert_eq!(a, [0.5, 2.0, 2.0, 3.5]);
        let b = ranks([5.0, 3.0, 3.0, -1.0].into_iter());
        assert!((correlation(&a, &b) + 1.0).abs() < 1e-12);
        assert!(correlation(&a, &[1.0; 4]).abs() < 1e-12);
    }
}
