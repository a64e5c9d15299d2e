//! Crops of a picture shrunk.

use std::array;

use rayon::prelude::*;

use super::nearest_byte;
use crate::core::geometry::Size;
use crate::core::image::Image;

/// So many bytes add up to what two bytes hold.
const MOST_ROWS: usize = 257;
/// Values behind a row of sums: four are taken at a time, and of two pixels more than it may have.
const SPARE: usize = 7;

/// Each cell is the average of the `scale` x `scale` pixels it covers; cells that lie beyond the
/// picture shrunk as a whole are black.
pub fn averaged(image: &Image, scale: f64, x0: i64, y0: i64, side: usize) -> Image {
    let size = image.size();
    let spans = |start: i64, length: u32| -> Vec<Option<Span>> {
        let cells = (f64::from(length) / scale).round() as i64;
        let cell = |i| span(start + i, cells, scale, length);
        (0..side as i64).map(cell).collect()
    };
    let (columns, rows) = (spans(x0, size.width), spans(y0, size.height));
    // Those on the picture lie side by side.
    let black = columns.iter().take_while(|column| column.is_none()).count();
    let columns: Vec<Span> = columns.into_iter().flatten().collect();
    let from = columns.first().map_or(0, |column| column.from);
    let to = columns.last().map_or(0, |column| column.to);
    let width = 3 * (to - from) as usize;
    let row = |y: u32| &image.row(y)[3 * from as usize..][..width];
    let (across, values) = (Across::new(&columns), 3 * columns.len());
    let mut pixels = vec![0; 3 * side * side];
    pixels.par_chunks_mut(3 * side).zip(&rows).for_each_init(
        || {
            let (sums, means) = (vec![0.0; width + SPARE], vec![0.0; values + 1]);
            (sums, vec![0; width], means)
        },
        |(sums, whole, means), (out, rows)| {
            let Some(rows) = rows else { return };
            // Down the columns first, whole rows at a time: the compiler makes wide
            // instructions of that.
            rows.sum(row, sums, whole);
            across.means(sums, means);
            for (byte, mean) in out[3 * black..].iter_mut().zip(&means[..values]) {
                *byte = nearest_byte(*mean);
            }
        },
    );
    Image::from_rgb(Size::new(side as u32, side as u32), pixels)
}

fn add_weighted<T: Copy + Into<f32>>(sums: &mut [f32], weight: f32, values: &[T]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * (*value).into();
    }
}

fn add(sums: &mut [u16], row: &[u8]) {
    for (sum, byte) in sums.iter_mut().zip(row) {
        *sum += u16::from(*byte);
    }
}

/// The pixels of one axis that a cell covers; the first and the last in part. A single one is the
/// first.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
    first: f32,
    inner: f32,
    last: f32,
}

fn span(cell: i64, cells: i64, scale: f64, length: u32) -> Option<Span> {
    if cell < 0 || cell >= cells {
        return None;
    }
    let low = cell as f64 * scale;
    let high = (low + scale).min(f64::from(length));
    let (from, to) = (low.floor(), high.ceil());
    let whole = high - low;
    let part = |covered: f64| (covered / whole) as f32;
    let one = to - from <= 1.0;
    Some(Span {
        from: from as u32,
        to: to as u32,
        first: if one { 1.0 } else { part(from + 1.0 - low) },
        inner: part(1.0),
        last: if one { 0.0 } else { part(high - (to - 1.0)) },
    })
}

impl Span {
    /// The weighted sum of the rows it covers; `whole` is room for those that count alike.
    fn sum<'a>(&self, row: impl Fn(u32) -> &'a [u8], sums: &mut [f32], whole: &mut [u16]) {
        let ends = [row(self.from), row(self.to - 1)];
        let inner: Vec<u32> = (self.from + 1..self.to - 1).collect();
        match *inner {
            [] => {
                for ((sum, a), b) in sums.iter_mut().zip(ends[0]).zip(ends[1]) {
                    *sum = self.first * f32::from(*a) + self.last * f32::from(*b);
                }
            }
            [y] => self.sum_with(ends, row(y), sums),
            _ => {
                // Rows that count alike are added up as bytes are, many at once.
                for (i, few) in inner.chunks(MOST_ROWS).enumerate() {
                    whole.fill(0);
                    for y in few {
                        add(whole, row(*y));
                    }
                    if i == 0 {
                        self.sum_with(ends, whole, sums);
                    } else {
                        add_weighted(sums, self.inner, whole);
                    }
                }
            }
        }
    }

    fn sum_with<T: Copy + Into<f32>>(&self, ends: [&[u8]; 2], inner: &[T], sums: &mut [f32]) {
        let ends = ends[0].iter().zip(ends[1]);
        for ((sum, (a, b)), inner) in sums.iter_mut().zip(ends).zip(inner) {
            let ends = self.first * f32::from(*a) + self.last * f32::from(*b);
            *sum = ends + self.inner * (*inner).into();
        }
    }
}

/// The columns of a crop whose cells average the pixels of a row.
///
/// Four values at a time, as wide instructions take them: the next cell writes over the last.
struct Across {
    /// How many pixels a cell covers at most.
    most: u32,
    cells: Vec<Cell>,
}

/// What a cell averages of a row.
struct Cell {
    /// The values of its first pixel and of its last.
    first: usize,
    last: usize,
    /// Of the sum of its pixels, and what the first and the last count more than that.
    weights: [f32; 3],
    /// 1 where the second pixel, and the third, lie before the last, else 0.
    between: [f32; 2],
}

impl Across {
    fn new(columns: &[Span]) -> Self {
        let start = columns.first().map_or(0, |column| column.from);
        let lengths = columns.iter().map(|column| column.to - column.from);
        Self {
            most: lengths.max().unwrap_or(0),
            cells: columns.iter().map(|c| Cell::new(c, start)).collect(),
        }
    }

    /// The means of a row, which goes on for `SPARE` values.
    fn means(&self, row: &[f32], means: &mut [f32]) {
        // Where all cells take as many steps, none is guessed wrong.
        match self.most {
            ..=3 => self.weigh(row, means, |cell, sum| cell.add_few::<1>(row, sum)),
            4 => self.weigh(row, means, |cell, sum| cell.add_few::<2>(row, sum)),
            _ => self.weigh(row, means, |cell, sum| cell.add_many(row, sum)),
        }
    }

    /// `add` adds to a cell's first pixel those between it and the last.
    fn weigh(&self, row: &[f32], means: &mut [f32], add: impl Fn(&Cell, &mut [f32; 4])) {
        for (i, cell) in self.cells.iter().enumerate() {
            let (first, last) = (four(row, cell.first), four(row, cell.last));
            let mut sum = first;
            add(cell, &mut sum);
            let [inner, more_first, more_last] = cell.weights;
            let mean: [f32; 4] = array::from_fn(|k| {
                inner * (sum[k] + last[k]) + more_first * first[k] + more_last * last[k]
            });
            means[3 * i..][..4].copy_from_slice(&mean);
        }
    }
}

impl Cell {
    /// A column's, in a row of which the first pixel is number `start`.
    fn new(column: &Span, start: u32) -> Self {
        let Span {
            from,
            to,
            first,
            inner,
            last,
        } = *column;
        let one = to - from == 1;
        Self {
            first: 3 * (from - start) as usize,
            last: 3 * (to - 1 - start) as usize,
            weights: if one {
                [0.0, 1.0, 0.0]
            } else {
                [inner, first - inner, last - inner]
            },
            between: [2, 3].map(|before| if to - from > before { 1.0 } else { 0.0 }),
        }
    }

    fn add_few<const BETWEEN: usize>(&self, row: &[f32], sum: &mut [f32; 4]) {
        let pixels = &row[self.first..][..3 * BETWEEN + 4];
        for (i, count) in self.between[..BETWEEN].iter().enumerate() {
            let rgb = four(pixels, 3 * (i + 1));
            for k in 0..4 {
                sum[k] += count * rgb[k];
            }
        }
    }

    fn add_many(&self, row: &[f32], sum: &mut [f32; 4]) {
        for i in 1..(self.last - self.first) / 3 {
            let rgb = four(row, self.first + 3 * i);
            for k in 0..4 {
                sum[k] += rgb[k];
            }
        }
    }
}

fn four(row: &[f32], at: usize) -> [f32; 4] {
    let four = &row[at..][..4];
    array::from_fn(|k| four[k])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_a_shrunk_picture_is_the_mean_of_the_pixels_it_covers() {
        let size = Size::new(700, 900);
        let value = |x: u32, y: u32| (x * 7 + y * y * 3 + x * y) % 256;
        let pixels = (0..size.height)
            .flat_map(|y| (0..size.width).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y) as u8, 255, 0])
            .collect();
        let image = Image::from_rgb(size, pixels);
        for scale in [1.6, 2.0, 7.3, 300.0] {
            let side = (700.0 / scale) as usize;
            let found = averaged(&image, scale, 0, 0, side);
            for (i, rgb) in found.pixels().chunks_exact(3).enumerate() {
                let start = |cell: usize| cell as f64 * scale;
                let shares = |from: f64, length: u32| -> Vec<(u32, f64)> {
                    let to = (from + scale).min(f64::from(length));
                    (from as u32..to.ceil() as u32)
                        .map(|at| (at, to.min(f64::from(at + 1)) - from.max(f64::from(at))))
                        .collect()
                };
                let columns = shares(start(i % side), size.width);
                let rows = shares(start(i / side), size.height);
                let (mut sum, mut area) = (0.0, 0.0);
                for (y, down) in &rows {
                    for (x, across) in &columns {
                        sum += f64::from(value(*x, *y)) * down * across;
                        area += down * across;
                    }
                }
                let off = (f64::from(rgb[0]) - sum / area).abs();
                assert!(off < 0.51, "{scale}: {i}: {} {}", rgb[0], sum / area);
                assert_eq!(&rgb[1..], [255, 0]);
            }
        }
    }
}
