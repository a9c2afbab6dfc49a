//! The picture as last seen, and what a fresh piece of it changes.
//!
//! Damage tells too much (a repaint of the same pixels, whole windows): only
//! blocks whose colours differ count. Knows nothing of where pieces come from.

use crate::blocks::{Area, BLOCK, ChangedBlocks};

/// Red, green and blue of two pixels; the fourth byte of a pixel means nothing.
const COLOURS: u64 = 0x00FF_FFFF_00FF_FFFF;

#[derive(Debug)]
pub(crate) struct Canvas {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) bgra: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let bgra = vec![0; usize::from(width) * usize::from(height) * 4];
        Self { width, height, bgra }
    }

    pub(crate) fn stride(&self) -> usize {
        usize::from(self.width) * 4
    }

    /// Takes over `piece`, the tightly packed pixels of `area` (its corner on the
    /// block grid), and marks the blocks that differ.
    pub(crate) fn absorb(&mut self, area: Area, piece: &[u8], changed: &mut ChangedBlocks) {
        for top in (area.top..area.bottom).step_by(BLOCK) {
            for left in (area.left..area.right).step_by(BLOCK) {
                let block = Area {
                    left,
                    top,
                    right: (left + BLOCK).min(area.right),
                    bottom: (top + BLOCK).min(area.bottom),
                };
                if self.absorb_block(block, area, piece) {
                    changed.insert(left / BLOCK, top / BLOCK);
                }
            }
        }
    }

    fn absorb_block(&mut self, block: Area, area: Area, piece: &[u8]) -> bool {
        let (stride, piece_stride) = (self.stride(), area.width() * 4);
        let length = block.width() * 4;
        let mut differs = false;
        for y in block.top..block.bottom {
            let from = (y - area.top) * piece_stride + (block.left - area.left) * 4;
            let fresh = &piece[from..from + length];
            let known = &mut self.bgra[y * stride + block.left * 4..][..length];
            if differs || differ(known, fresh) {
                known.copy_from_slice(fresh);
                differs = true;
            }
        }
        differs
    }
}

fn differ(known: &[u8], fresh: &[u8]) -> bool {
    let (known, known_rest) = known.as_chunks::<8>();
    let (fresh, fresh_rest) = fresh.as_chunks::<8>();
    let mut difference = 0;
    for (a, b) in known.iter().zip(fresh) {
        difference |= (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)) & COLOURS;
    }
    difference != 0 || known_rest.get(..3) != fresh_rest.get(..3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_whose_colours_differ_are_marked() {
        let mut canvas = Canvas::new(50, 40);
        let mut changed = ChangedBlocks::none(50, 40);
        let area = Area { left: 16, top: 16, right: 50, bottom: 40 };
        let mut piece = vec![0; area.width() * area.height() * 4];
        piece[3] = 0xFF;
        canvas.absorb(area, &piece, &mut changed);
        assert!(changed.is_empty(), "the fourth byte means nothing");
        let last = piece.len() - 4;
        piece[last] = 9;
        canvas.absorb(area, &piece, &mut changed);
        assert_eq!(changed.count(), 1);
        assert!(changed.contains(3, 2));
        assert_eq!(canvas.bgra[canvas.bgra.len() - 4], 9);
        changed.clear();
        canvas.absorb(area, &piece, &mut changed);
        assert!(changed.is_empty());
    }
}
