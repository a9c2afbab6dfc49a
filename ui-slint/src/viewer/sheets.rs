//! What tiles are painted on: two sheets each, of which the window looks at one.
//!
//! A fresh buffer is filled with black a pixel at a time before anything is painted on it, which costs as much
//! as the painting. A sheet that the window still looks at is left as it is, and another one taken.

use slint::{Rgb8Pixel, SharedPixelBuffer};
use tasuki_media::tiling::{Tile, Tiling};

/// Of all tiles of one tiling.
#[derive(Debug, Default)]
pub struct Sheets {
    /// The sheet that is painted on next comes first.
    pairs: Vec<[Option<SharedPixelBuffer<Rgb8Pixel>>; 2]>,
}

impl Sheets {
    /// Paints a tile of `rgba`, the whole source of `tiling`.
    pub fn paint(
        &mut self,
        tiling: &mut Tiling,
        rgba: &[u8],
        tile: Tile,
    ) -> SharedPixelBuffer<Rgb8Pixel> {
        let (width, height) = (u32::from(tile.width), u32::from(tile.height));
        if self.pairs.len() <= tile.index {
            self.pairs.resize(tile.index + 1, [None, None]);
        }
        let pair = &mut self.pairs[tile.index];
        let kept = pair[0].take().filter(|sheet| (sheet.width(), sheet.height()) == (width, height));
        let mut sheet = kept.unwrap_or_else(|| SharedPixelBuffer::new(width, height));
        tiling.paint(rgba, tile, sheet.make_mut_bytes());
        pair[0] = Some(sheet.clone());
        pair.swap(0, 1);
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_media::tiling::Extent;

    const SIZE: Extent = Extent { width: 300, height: 20 };

    fn picture(shade: u8) -> Vec<u8> {
        vec![shade; 300 * 20 * 4]
    }

    #[test]
    fn a_sheet_is_painted_on_again_once_nobody_looks_at_it_and_never_before() {
        let mut tiling = Tiling::new(SIZE, SIZE);
        let tile = tiling.tiles().last().unwrap();
        let mut sheets = Sheets::default();
        let mut paint = |shade| sheets.paint(&mut tiling, &picture(shade), tile);

        let first = paint(1);
        let place = first.as_bytes().as_ptr();
        let second = paint(2);
        drop(first);
        let third = paint(3);
        assert_eq!(third.as_bytes().as_ptr(), place, "nobody looked at the first one");
        let _fourth = paint(4);
        let fifth = paint(5);
        assert!(second.as_bytes().iter().all(|byte| *byte == 2), "it was looked at all the time");
        assert!(third.as_bytes().iter().all(|byte| *byte == 3), "it was looked at all the time");
        assert!(fifth.as_bytes().iter().all(|byte| *byte == 5));
    }

    #[test]
    fn a_tile_of_another_size_gets_another_sheet() {
        let mut sheets = Sheets::default();
        for width in [20, 40] {
            let size = Extent { width, height: 30 };
            let mut tiling = Tiling::new(size, size);
            let tile = tiling.tiles().next().unwrap();
            let rgba = vec![7; usize::from(width) * 30 * 4];
            let sheet = sheets.paint(&mut tiling, &rgba, tile);
            assert_eq!((sheet.width(), sheet.height()), (width.into(), 30));
            assert!(sheet.as_bytes().iter().all(|byte| *byte == 7));
        }
    }
}
