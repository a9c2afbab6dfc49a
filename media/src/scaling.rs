//! Scales a part of a picture by Catmull-Rom, in whole numbers.
//!
//! Down first, rows being what a processor is quick with, then across. What a part is made of reaches beyond its edges,
//! so that parts of one picture meet without a seam. Knows no tile and no window.

use std::ops::Range;

use crate::lanes::{Eight, Lanes};

/// How far Catmull-Rom looks, in pixels of the coarser of the two grids.
pub(crate) const SUPPORT: f64 = 2.0;
/// A byte becomes a number of 15 bits; a product with a weight keeps 6 of its binary places.
const BYTE_BITS: u32 = 7;
/// A weight of 1, which is one too many for its type.
const ONE: f64 = 32768.0;
/// Less than this of a pixel is none of it.
const NOTHING: f64 = 1e-5;
/// Of red, green, blue and alpha.
const PIXEL: usize = 4;

/// Which pixels of the source each one of the target is made of, along one axis.
#[derive(Debug, Default)]
struct Taps {
    /// Of each one; even.
    count: usize,
    starts: Vec<usize>,
    /// `count` of each.
    weights: Vec<i16>,
    source: usize,
}

impl Taps {
    fn new(source: usize, target: usize) -> Self {
        let mut looks: Vec<_> = (0..target).map(|at| look(at, source, target)).collect();
        // What is made later begins no earlier, though less may count for it: rows are read once.
        let mut next = source;
        for (first, weights) in looks.iter_mut().rev() {
            let early = first.saturating_sub(next);
            weights.splice(..0, std::iter::repeat_n(0.0, early));
            *first -= early;
            next = *first;
        }
        let count = looks.iter().map(|(_, weights)| weights.len()).max().unwrap_or(0);
        let count = count.max(1).next_multiple_of(2);
        let mut taps = Self { count, starts: Vec::new(), weights: Vec::new(), source };
        for (first, weights) in looks {
            let start = first.min(source.saturating_sub(count));
            let end = taps.weights.len() + count;
            taps.weights.resize(taps.weights.len() + first - start, 0);
            taps.weights.extend(weights.iter().map(|weight| (weight * ONE).round() as i16));
            taps.weights.resize(end, 0);
            taps.starts.push(start);
        }
        taps
    }

    fn weights(&self, at: usize) -> &[i16] {
        &self.weights[at * self.count..][..self.count]
    }
}

/// The first pixel that counts for the one `at`, and the weights from there on.
fn look(at: usize, source: usize, target: usize) -> (usize, Vec<f64>) {
    let scale = source as f64 / target as f64;
    let blur = scale.max(1.0);
    let centre = (at as f64 + 0.5) * scale;
    let first = (centre - SUPPORT * blur).floor().max(0.0) as usize;
    let end = ((centre + SUPPORT * blur).ceil() as usize).min(source);
    let mut weights: Vec<f64> =
        (first..end).map(|pixel| catmull_rom((pixel as f64 + 0.5 - centre) / blur)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    let is_nothing = |weight: &f64| weight.abs() < NOTHING;
    let before = weights.iter().take_while(|weight| is_nothing(weight)).count();
    weights.drain(..before);
    let after = weights.iter().rev().take_while(|weight| is_nothing(weight)).count();
    weights.truncate(weights.len() - after);
    // At an edge what lies beyond it would have to be made up to sharpen by.
    match weights.iter().position(|weight| *weight > 1.0) {
        Some(at) => (first + before + at, vec![1.0]),
        None => (first + before, weights),
    }
}

fn catmull_rom(distance: f64) -> f64 {
    let x = distance.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < SUPPORT {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

/// The part of the target to be painted, in its pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Scales parts of pictures of one size to another.
#[derive(Debug, Default)]
pub(crate) struct Scaler {
    across: Taps,
    /// `across`'s weights, each for the four numbers of a pixel, two pixels at a time.
    pairs: Vec<Eight>,
    down: Taps,
    /// The rows of the source that are looked at, each at its number's rest.
    rows: Vec<Vec<Eight>>,
    sums: Vec<Eight>,
    line: Vec<[u8; PIXEL]>,
}

impl Scaler {
    pub(crate) fn new(source: (usize, usize), target: (usize, usize)) -> Self {
        let (across, down) = (Taps::new(source.0, target.0), Taps::new(source.1, target.1));
        let pair = |two: &[i16]| std::array::from_fn(|lane| two[lane / PIXEL]);
        let pairs = across.weights.chunks_exact(2).map(pair).collect();
        let rows = vec![Vec::new(); down.count];
        Self { across, pairs, down, rows, ..Self::default() }
    }

    /// Gives each line of the part to `take`, red, green, blue and alpha. `rgba` is the whole source.
    pub(crate) fn paint(&mut self, rgba: &[u8], part: Part, mut take: impl FnMut(usize, &[u8])) {
        let columns = part.left..part.left + part.width;
        let Some(last) = columns.end.checked_sub(1) else { return };
        let left = self.across.starts[part.left];
        let width = self.across.starts[last] + self.across.count - left;
        for row in &mut self.rows {
            row.resize(width.div_ceil(2), [0; 8]);
        }
        self.sums.resize(width.div_ceil(2), [0; 8]);
        self.line.resize(part.width, [0; PIXEL]);
        let stride = self.across.source * PIXEL;
        let from = left * PIXEL..(left + width).min(self.across.source) * PIXEL;
        let mut read = self.down.starts[part.top];
        for y in 0..part.height {
            let start = self.down.starts[part.top + y];
            read = read.max(start);
            while read < (start + self.down.count).min(self.down.source) {
                let row = &rgba[read * stride..][from.clone()];
                widen(row, self.rows[read % self.down.count].as_flattened_mut());
                read += 1;
            }
            self.weigh(start, part.top + y);
            self.gather(left, columns.clone());
            take(y, self.line.as_flattened());
        }
    }

    /// Down: `sums` becomes what the target's row `y` is made of, from the row `start` on.
    fn weigh(&mut self, start: usize, y: usize) {
        let count = self.down.count;
        // Each product is rounded down, by half a place on the average.
        self.sums.fill([count as i16 / 2; 8]);
        let row = |tap: usize| self.rows[(start + tap) % count].as_slice();
        let (sixes, rest) = self.down.weights(y).as_chunks::<6>();
        for (some, weights) in sixes.iter().enumerate() {
            add_six(std::array::from_fn(|tap| row(some * 6 + tap)), weights, &mut self.sums);
        }
        for (some, weights) in rest.as_chunks::<2>().0.iter().enumerate() {
            let done = sixes.len() * 6 + some * 2;
            add_two([row(done), row(done + 1)], weights, &mut self.sums);
        }
    }

    /// Across: `line` becomes the target's pixels of these `columns`.
    fn gather(&mut self, left: usize, columns: Range<usize>) {
        // The two counts of pixels that are met most are known to the compiler.
        match self.across.count / 2 {
            2 => self.gather_pairs::<2>(left, columns),
            3 => self.gather_pairs::<3>(left, columns),
            pairs => {
                let begun = self.begun();
                let sums = self.sums.as_flattened();
                let weights = self.pairs[columns.start * pairs..].chunks_exact(pairs);
                let starts = &self.across.starts[columns];
                for ((start, weights), pixel) in starts.iter().zip(weights).zip(&mut self.line) {
                    let at = &sums[(start - left) * PIXEL..];
                    *pixel = products(begun, at, weights).folded_bytes();
                }
            }
        }
    }

    fn gather_pairs<const PAIRS: usize>(&mut self, left: usize, columns: Range<usize>) {
        let begun = self.begun();
        let sums = self.sums.as_flattened();
        let weights = self.pairs[columns.start * PAIRS..].as_chunks::<PAIRS>().0;
        let starts = &self.across.starts[columns];
        for ((start, weights), pixel) in starts.iter().zip(weights).zip(&mut self.line) {
            let at = &sums[(start - left) * PIXEL..][..PAIRS * 8];
            *pixel = products(begun, at, weights).folded_bytes();
        }
    }

    /// Half of what is divided by, and half of what rounding takes away, each in two halves.
    fn begun(&self) -> Lanes {
        Lanes::all(8 + self.across.count as i16 / 4)
    }
}

fn add_two([a, b]: [&[Eight]; 2], weights: &[i16; 2], to: &mut [Eight]) {
    let [wa, wb] = weights.map(Lanes::all);
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        let sum = Lanes::of(to).plus_product(Lanes::of(a), wa);
        sum.plus_product(Lanes::of(b), wb).write(to);
    }
}

/// As thrice two, without the sums' way to memory and back.
fn add_six([a, b, c, d, e, f]: [&[Eight]; 6], weights: &[i16; 6], to: &mut [Eight]) {
    let [wa, wb, wc, wd, we, wf] = weights.map(Lanes::all);
    let (first, last) = (a.iter().zip(b).zip(c), d.iter().zip(e).zip(f));
    for ((to, ((a, b), c)), ((d, e), f)) in to.iter_mut().zip(first).zip(last) {
        let sum = Lanes::of(to).plus_product(Lanes::of(a), wa).plus_product(Lanes::of(b), wb);
        let sum = sum.plus_product(Lanes::of(c), wc).plus_product(Lanes::of(d), wd);
        sum.plus_product(Lanes::of(e), we).plus_product(Lanes::of(f), wf).write(to);
    }
}

#[inline(always)]
fn products(begun: Lanes, numbers: &[i16], weights: &[Eight]) -> Lanes {
    let pairs = numbers.as_chunks::<8>().0.iter().zip(weights);
    pairs.fold(begun, |sum, (pair, weights)| sum.plus_product(Lanes::of(pair), Lanes::of(weights)))
}

fn widen(bytes: &[u8], to: &mut [i16]) {
    for (byte, number) in bytes.iter().zip(to) {
        *number = i16::from(*byte) << BYTE_BITS;
    }
}
