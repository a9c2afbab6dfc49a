//! Which 16x16 blocks of a picture changed: the unit of VP8's activity map.
//!
//! A set of places and no more: it does not know pixels, monitors or time.

/// The edge of a block, in pixels: a VP8 macroblock.
pub const BLOCK: usize = 16;

/// A set of 16x16 blocks of a picture. The last column and row may be cut by the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedBlocks {
    cols: usize,
    rows: usize,
    marks: Vec<u8>,
}

/// Blocks `first..end` of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub row: usize,
    pub first: usize,
    pub end: usize,
}

/// A rectangle in pixels; `right` and `bottom` lie just outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    pub fn height(&self) -> usize {
        self.bottom - self.top
    }
}

impl ChangedBlocks {
    /// No block of a picture of `width` x `height` pixels.
    pub fn none(width: u16, height: u16) -> Self {
        let cols = usize::from(width).div_ceil(BLOCK);
        let rows = usize::from(height).div_ceil(BLOCK);
        Self { cols, rows, marks: vec![0; cols * rows] }
    }

    /// Every block of a picture of `width` x `height` pixels.
    pub fn all(width: u16, height: u16) -> Self {
        let mut blocks = Self::none(width, height);
        blocks.marks.fill(1);
        blocks
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// One byte a block, row by row: 1 is in the set, 0 is not.
    pub fn marks(&self) -> &[u8] {
        &self.marks
    }

    pub fn contains(&self, col: usize, row: usize) -> bool {
        col < self.cols && row < self.rows && self.marks[row * self.cols + col] != 0
    }

    pub fn insert(&mut self, col: usize, row: usize) {
        if col < self.cols && row < self.rows {
            self.marks[row * self.cols + col] = 1;
        }
    }

    /// Marks every block that the rectangle touches; what lies outside is ignored.
    pub fn insert_area(&mut self, area: Area) {
        if area.left >= area.right || area.top >= area.bottom {
            return;
        }
        let first = (area.left / BLOCK).min(self.cols);
        let end = area.right.div_ceil(BLOCK).min(self.cols);
        for row in (area.top / BLOCK)..area.bottom.div_ceil(BLOCK).min(self.rows) {
            self.marks[row * self.cols + first..row * self.cols + end].fill(1);
        }
    }

    /// Adds the blocks of `other`, a set of the same picture size.
    pub fn union(&mut self, other: &Self) {
        debug_assert_eq!((self.cols, self.rows), (other.cols, other.rows));
        for (mark, more) in self.marks.iter_mut().zip(&other.marks) {
            *mark |= more;
        }
    }

    pub fn clear(&mut self) {
        self.marks.fill(0);
    }

    pub fn is_empty(&self) -> bool {
        self.marks.iter().all(|mark| *mark == 0)
    }

    pub fn count(&self) -> usize {
        self.marks.iter().map(|mark| usize::from(*mark)).sum()
    }

    pub fn total(&self) -> usize {
        self.marks.len()
    }

    /// The blocks `first..end` that hold every marked block of `row`.
    pub fn span(&self, row: usize) -> Option<Run> {
        let marks = self.marks.get(row * self.cols..(row + 1) * self.cols)?;
        let first = marks.iter().position(|mark| *mark != 0)?;
        let end = marks.iter().rposition(|mark| *mark != 0)? + 1;
        Some(Run { row, first, end })
    }

    /// The rows that hold a marked block, neighbours joined, as block rows `start..end`.
    pub fn bands(&self) -> Vec<std::ops::Range<usize>> {
        let mut bands: Vec<std::ops::Range<usize>> = Vec::new();
        for row in (0..self.rows).filter(|row| self.span(*row).is_some()) {
            match bands.last_mut() {
                Some(band) if band.end == row => band.end = row + 1,
                Some(_) | None => bands.push(row..row + 1),
            }
        }
        bands
    }

    /// The smallest rectangle of whole blocks around the set, cut at `width` x `height` pixels.
    pub fn bounds(&self, width: u16, height: u16) -> Option<Area> {
        let spans: Vec<Run> = (0..self.rows).filter_map(|row| self.span(row)).collect();
        let (top, bottom) = (spans.first()?.row, spans.last()?.row + 1);
        let left = spans.iter().map(|run| run.first).min()?;
        let right = spans.iter().map(|run| run.end).max()?;
        Some(Area {
            left: left * BLOCK,
            top: top * BLOCK,
            right: (right * BLOCK).min(usize::from(width)),
            bottom: (bottom * BLOCK).min(usize::from(height)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_marks_the_blocks_it_touches_and_ignores_the_rest() {
        let mut blocks = ChangedBlocks::none(100, 50);
        blocks.insert_area(Area { left: 15, top: 16, right: 17, bottom: 17 });
        assert!(blocks.contains(0, 1) && blocks.contains(1, 1));
        assert_eq!(blocks.count(), 2);
        blocks.insert_area(Area { left: 90, top: 40, right: 9000, bottom: 9000 });
        assert_eq!(blocks.count(), 2 + 2 * 2);
        blocks.insert_area(Area { left: 20, top: 20, right: 20, bottom: 30 });
        blocks.insert_area(Area { left: 5000, top: 5000, right: 5001, bottom: 5001 });
        assert_eq!(blocks.count(), 6);
    }

    #[test]
    fn bands_and_bounds_hold_every_block() {
        let mut blocks = ChangedBlocks::none(100, 100);
        assert_eq!(blocks.bounds(100, 100), None);
        blocks.insert(2, 1);
        blocks.insert(3, 2);
        blocks.insert(6, 6);
        assert_eq!(blocks.bands(), vec![1..3, 6..7]);
        let all = blocks.bounds(100, 100);
        assert_eq!(all, Some(Area { left: 32, top: 16, right: 100, bottom: 100 }));
        assert_eq!(blocks.span(1), Some(Run { row: 1, first: 2, end: 3 }));
    }
}
