//! Square planes of numbers: means over windows, half and twice the size.

/// A plane of half the size at a cell of the whole size: bilinear, pixel centres aligned, as the
/// network's own last step.
pub fn between(plane: &[f32], half: usize, x: usize, y: usize) -> f32 {
    let ((x0, x1, fx), (y0, y1, fy)) = (near(x, half), near(y, half));
    let row = |y: usize| plane[y * half + x0] * (1.0 - fx) + plane[y * half + x1] * fx;
    row(y0) * (1.0 - fy) + row(y1) * fy
}

/// The two cells of half the size that a cell lies between, and how much of the second it is: three
/// quarters of the nearer one, a quarter of the other.
fn near(at: usize, half: usize) -> (usize, usize, f32) {
    let low = at.div_ceil(2);
    let part = if at.is_multiple_of(2) { 0.75 } else { 0.25 };
    (low.saturating_sub(1), low.min(half - 1), part)
}

/// A plane of half the size at every cell of the whole size, as [`between`] gives them.
pub fn doubled(plane: &[f32], half: usize) -> Vec<f32> {
    let mut out = vec![0.0; 4 * half * half];
    // A row between two, with its ends once more on either side.
    let mut row = vec![0.0; half + 2];
    for (y, line) in out.chunks_exact_mut(2 * half).enumerate() {
        let (y0, y1, part) = near(y, half);
        let (upper, lower) = (&plane[y0 * half..][..half], &plane[y1 * half..][..half]);
        for ((value, a), b) in row[1..=half].iter_mut().zip(upper).zip(lower) {
            *value = a * (1.0 - part) + b * part;
        }
        (row[0], row[half + 1]) = (row[1], row[half]);
        for (pair, near) in line.chunks_exact_mut(2).zip(row.windows(3)) {
            pair[0] = 0.25 * near[0] + 0.75 * near[1];
            pair[1] = 0.75 * near[1] + 0.25 * near[2];
        }
    }
    out
}

/// Means of two by two cells, times a factor.
pub fn halved(plane: &[f32], size: usize, factor: f32) -> Vec<f32> {
    let half = size / 2;
    let mut out = Vec::with_capacity(half * half);
    for rows in plane.chunks_exact(2 * size) {
        let (upper, lower) = rows.split_at(size);
        for (a, b) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
            out.push(factor * (a[0] + a[1] + b[0] + b[1]) / 4.0);
        }
    }
    out
}

/// Mean over the square of `2 * reach + 1` around each cell, of what lies in the plane.
pub fn means(plane: &[f32], size: usize, reach: usize) -> Vec<f32> {
    // How many cells of a line the window holds, as a factor.
    let share: Vec<f32> = (0..size)
        .map(|i| ((i + reach).min(size - 1) + 1 - i.saturating_sub(reach)) as f32)
        .map(f32::recip)
        .collect();
    let mut out = vec![0.0; size * size];
    // The sums of each column's cells in the window's rows go down the plane with it.
    let mut columns = vec![0.0; size];
    let row = |y: usize| &plane[y * size..][..size];
    for y in 0..reach.min(size) {
        add(&mut columns, row(y));
    }
    for (y, means) in out.chunks_exact_mut(size).enumerate() {
        if y + reach < size {
            add(&mut columns, row(y + reach));
        }
        if y > reach {
            for (sum, value) in columns.iter_mut().zip(row(y - reach - 1)) {
                *sum -= value;
            }
        }
        let mut sum: f32 = columns[..reach.min(size)].iter().sum();
        for (x, mean) in means.iter_mut().enumerate() {
            if x + reach < size {
                sum += columns[x + reach];
            }
            if x > reach {
                sum -= columns[x - reach - 1];
            }
            *mean = sum * share[x] * share[y];
        }
    }
    out
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_of_what_lies_in_the_plane() {
        let plane: Vec<f32> = (0..25).map(|v| v as f32).collect();
        let near = means(&plane, 5, 1);
        let corner = (18.0 + 19.0 + 23.0 + 24.0) / 4.0;
        for (at, mean) in [(0, 3.0), (12, 12.0), (24, corner)] {
            assert!((near[at] - mean).abs() < 1e-5, "{at}: {}", near[at]);
        }
        for mean in means(&plane, 5, 7) {
            assert!((mean - 12.0).abs() < 1e-5, "the window holds all: {mean}");
        }
    }

    #[test]
    fn a_doubled_plane_lies_between_the_cells_of_the_plane() {
        let half = 7;
        let plane: Vec<f32> = (0..half * half).map(|i| (i * i % 11) as f32).collect();
        for (i, value) in doubled(&plane, half).iter().enumerate() {
            let expected = between(&plane, half, i % (2 * half), i / (2 * half));
            assert!((value - expected).abs() < 1e-5, "{i}: {value} {expected}");
        }
    }
}
