//! When a still area is worth sending again, better.
//!
//! The activity map leaves blocks that do not change as coarse as they were in
//! motion. So once an area has been still for 300 ms it is coded again in few
//! passes with finer quantisers, each within what the link carries in a tenth
//! of a second. Pure: is told the time, the codec's results and the budget.

use std::time::Duration;

use crate::blocks::ChangedBlocks;
use crate::vp8::{Bitrate, Quantizer};

/// How long a block must be still before it is refined.
pub const STILL: Duration = Duration::from_millis(300);
/// Between two passes, so that other frames and the link get their turn.
const BETWEEN: Duration = Duration::from_millis(100);
/// The passes: no coarser than this, then than that. Text at 4 is above 40 dB.
const PASSES: [Quantizer; 2] = [Quantizer(20), Quantizer(4)];
/// A pass may use the link for this long.
const PASS_SECONDS: f64 = 0.1;
/// Bytes of a refined block, until passes have shown better; text needs about this.
const FIRST_GUESS: f64 = 60.0;
/// However thin the link, a pass brings something.
const FEWEST_BLOCKS: usize = 64;

/// The refinement of one picture size. Times are counted from any fixed moment.
#[derive(Debug)]
pub struct Refinement {
    blocks: Vec<Block>,
    cols: usize,
    nothing: ChangedBlocks,
    not_before: Duration,
    bytes_a_block: f64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    quantizer: Quantizer,
    changed_at: Duration,
}

/// What to code next: these blocks, no coarser than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    pub blocks: ChangedBlocks,
    pub coarsest: Quantizer,
}

impl Refinement {
    /// Nothing of the picture is coarse yet: the first frame says what is.
    pub fn new(width: u16, height: u16) -> Self {
        let nothing = ChangedBlocks::none(width, height);
        let block = Block { quantizer: Quantizer::FINEST, changed_at: Duration::ZERO };
        Self {
            blocks: vec![block; nothing.total()],
            cols: nothing.cols(),
            nothing,
            not_before: Duration::ZERO,
            bytes_a_block: FIRST_GUESS,
        }
    }

    /// A frame was coded because these blocks changed.
    pub fn changed(&mut self, blocks: &ChangedBlocks, quantizer: Quantizer, now: Duration) {
        for (block, mark) in self.blocks.iter_mut().zip(blocks.marks()) {
            if *mark != 0 {
                *block = Block { quantizer, changed_at: now };
            }
        }
    }

    /// A pass was coded, with this outcome.
    pub fn refined(&mut self, pass: &Pass, quantizer: Quantizer, bytes: usize, now: Duration) {
        for (block, mark) in self.blocks.iter_mut().zip(pass.blocks.marks()) {
            if *mark != 0 {
                block.quantizer = quantizer.min(pass.coarsest);
            }
        }
        self.not_before = now + BETWEEN;
        let seen = bytes as f64 / pass.blocks.count().max(1) as f64;
        self.bytes_a_block = (self.bytes_a_block + seen.clamp(4.0, 400.0)) / 2.0;
    }

    /// When the next pass is worth asking for; `None` when all that was shown is sharp.
    pub fn due(&self) -> Option<Duration> {
        let coarse = self.blocks.iter().filter(|block| is_coarse(block));
        let first = coarse.map(|block| block.changed_at + STILL).min()?;
        Some(first.max(self.not_before))
    }

    /// The pass that is due `now`, if one is: the coarsest still blocks first.
    pub fn pass(&self, now: Duration, bitrate: Bitrate) -> Option<Pass> {
        if now < self.due()? {
            return None;
        }
        let still = |block: &Block| now >= block.changed_at + STILL;
        let coarsest = PASSES
            .into_iter()
            .find(|aim| self.blocks.iter().any(|b| still(b) && b.quantizer > *aim))?;
        let room = f64::from(bitrate.0) / 8.0 * PASS_SECONDS / self.bytes_a_block;
        let mut blocks = self.nothing.clone();
        let chosen = self.blocks.iter().enumerate();
        let chosen = chosen.filter(|(_, block)| still(block) && block.quantizer > coarsest);
        for (place, _) in chosen.take((room as usize).max(FEWEST_BLOCKS)) {
            blocks.insert(place % self.cols, place / self.cols);
        }
        Some(Pass { blocks, coarsest })
    }
}

fn is_coarse(block: &Block) -> bool {
    block.quantizer > PASSES[PASSES.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Bitrate = Bitrate(100_000_000);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn nothing_is_due_until_something_coarse_was_coded() {
        let mut refinement = Refinement::new(64, 64);
        assert_eq!(refinement.due(), None);
        refinement.changed(&ChangedBlocks::all(64, 64), Quantizer(3), at(10));
        assert_eq!(refinement.due(), None);
        refinement.changed(&ChangedBlocks::all(64, 64), Quantizer(40), at(10));
        assert_eq!(refinement.due(), Some(at(310)));
        assert_eq!(refinement.pass(at(309), FAST), None);
    }

    #[test]
    fn a_still_area_gets_finer_in_passes_and_then_rests() {
        let mut refinement = Refinement::new(64, 64);
        refinement.changed(&ChangedBlocks::all(64, 64), Quantizer(40), at(0));
        let mut coarsest = Vec::new();
        while let Some(due) = refinement.due() {
            let pass = refinement.pass(due, FAST).expect("a pass that is due");
            assert_eq!(pass.blocks.count(), 16);
            refinement.refined(&pass, pass.coarsest, 900, due);
            coarsest.push((due, pass.coarsest));
        }
        assert_eq!(coarsest, vec![(at(300), Quantizer(20)), (at(400), Quantizer(4))]);
    }

    #[test]
    fn blocks_that_move_again_wait_while_the_others_are_refined() {
        let mut refinement = Refinement::new(64, 64);
        refinement.changed(&ChangedBlocks::all(64, 64), Quantizer(40), at(0));
        let mut moving = ChangedBlocks::none(64, 64);
        moving.insert(2, 1);
        refinement.changed(&moving, Quantizer(40), at(200));
        let pass = refinement.pass(at(300), FAST).expect("a pass that is due");
        assert!(!pass.blocks.contains(2, 1));
        assert_eq!(pass.blocks.count(), 15);
    }

    #[test]
    fn a_thin_link_gets_small_passes_until_all_is_done() {
        let mut refinement = Refinement::new(640, 640);
        refinement.changed(&ChangedBlocks::all(640, 640), Quantizer(40), at(0));
        let mut passes = 0;
        while let Some(due) = refinement.due() {
            let pass = refinement.pass(due, Bitrate(1_000_000)).expect("a pass that is due");
            let blocks = pass.blocks.count();
            assert!(blocks <= 300, "{blocks} blocks in one pass");
            refinement.refined(&pass, pass.coarsest, blocks * 60, due);
            passes += 1;
            assert!(passes < 100, "it never ends");
        }
        assert!(passes >= 10);
    }
}
