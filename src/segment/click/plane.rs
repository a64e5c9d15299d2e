//! Square planes of numbers: means over windows, and twice the size.

/// A plane of half the size, of whose cells `value` tells, at a cell of the whole size: bilinear, pixel
/// centres aligned, as the network's own last step.
pub fn between(value: impl Fn(usize) -> f32, half: usize, x: usize, y: usize) -> f32 {
    let ((x0, x1, fx), (y0, y1, fy)) = (near(x, half), near(y, half));
    let row = |y: usize| value(y * half + x0) * (1.0 - fx) + value(y * half + x1) * fx;
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
    let mut between = Vec::new();
    for (y, row) in out.chunks_exact_mut(2 * half).enumerate() {
        double_row(plane, half, y, &mut between, row);
    }
    out
}

/// A row of what [`doubled`] makes of a plane; `row` is the room for it.
pub fn double_row(plane: &[f32], half: usize, y: usize, row: &mut Vec<f32>, out: &mut [f32]) {
    let (y0, y1, part) = near(y, half);
    let (upper, lower) = (&plane[y0 * half..][..half], &plane[y1 * half..][..half]);
    // The row between two, with its ends once more on either side.
    row.resize(half + 2, 0.0);
    for ((value, a), b) in row[1..=half].iter_mut().zip(upper).zip(lower) {
        *value = a * (1.0 - part) + b * part;
    }
    (row[0], row[half + 1]) = (row[1], row[half]);
    for (pair, near) in out.chunks_exact_mut(2).zip(row.windows(3)) {
        pair[0] = 0.25 * near[0] + 0.75 * near[1];
        pair[1] = 0.75 * near[1] + 0.25 * near[2];
    }
}

/// Gives `take`, cell by cell, the mean over the square of `2 * reach + 1` around each, of what lies in
/// the plane. `of` are a cell's numbers: they are summed side by side, which wide instructions do at
/// once.
pub fn means<Cell, const N: usize>(
    cells: &[Cell],
    size: usize,
    reach: usize,
    of: impl Fn(&Cell) -> [f32; N],
    mut take: impl FnMut(&[f32; N]),
) {
    // How many cells of a line the window holds, as a factor.
    let share: Vec<f32> = (0..size)
        .map(|i| ((i + reach).min(size - 1) + 1 - i.saturating_sub(reach)) as f32)
        .map(f32::recip)
        .collect();
    let row = |y: usize| &cells[y * size..][..size];
    // The sums of each column's cells in the window's rows go down the plane with it. Beyond the
    // plane they stay 0, so that a window may reach there.
    let mut columns = vec![[0.0; N]; size + 2 * reach + 1];
    let enter = |columns: &mut [[f32; N]], y: usize| {
        for (sums, cell) in columns[reach + 1..].iter_mut().zip(row(y)) {
            add(sums, &of(cell));
        }
    };
    for y in 0..reach.min(size) {
        enter(&mut columns, y);
    }
    for y in 0..size {
        if y + reach < size {
            enter(&mut columns, y + reach);
        }
        if y > reach {
            for (sums, cell) in columns[reach + 1..].iter_mut().zip(row(y - reach - 1)) {
                subtract(sums, &of(cell));
            }
        }
        let (window, entering) = columns.split_at(2 * reach + 1);
        let mut sum = [0.0; N];
        for column in window {
            add(&mut sum, column);
        }
        for ((left, entered), across) in columns.iter().zip(entering).zip(&share) {
            let share = across * share[y];
            let mut mean = [0.0; N];
            for k in 0..N {
                sum[k] += entered[k] - left[k];
                mean[k] = sum[k] * share;
            }
            take(&mean);
        }
    }
}

fn add<const N: usize>(sums: &mut [f32; N], values: &[f32; N]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

fn subtract<const N: usize>(sums: &mut [f32; N], values: &[f32; N]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum -= value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_of_what_lies_in_the_plane() {
        let plane: Vec<f32> = (0..25).map(|v| v as f32).collect();
        let means = |reach| {
            let mut found = Vec::new();
            means(&plane, 5, reach, |v| [*v, 2.0 * v], |m| found.push(*m));
            found
        };
        let near = means(1);
        let corner = (18.0 + 19.0 + 23.0 + 24.0) / 4.0;
        for (at, mean) in [(0, 3.0), (12, 12.0), (24, corner)] {
            let [found, twice] = near[at];
            assert!((found - mean).abs() < 1e-5, "{at}: {found}");
            assert!((twice - 2.0 * mean).abs() < 1e-5, "{at}: {twice}");
        }
        for [mean, _] in means(7) {
            assert!((mean - 12.0).abs() < 1e-5, "the window holds all: {mean}");
        }
    }

    #[test]
    fn a_doubled_plane_lies_between_the_cells_of_the_plane() {
        let half = 7;
        let plane: Vec<f32> = (0..half * half).map(|i| (i * i % 11) as f32).collect();
        for (i, value) in doubled(&plane, half).iter().enumerate() {
            let expected = between(|i| plane[i], half, i % (2 * half), i / (2 * half));
            assert!((value - expected).abs() < 1e-5, "{i}: {value} {expected}");
        }
    }
}
