//! A picture at the size of a window, cut into tiles: which tiles are stale, and
//! what stands in each.
//!
//! Scales tile by tile with the same filter as the whole, so that no seam shows and
//! a typed letter costs a tile and not a picture. Knows no window and no thread.

use crate::blocks::{Area, BLOCK, ChangedBlocks};
use crate::scaling::{Part, SUPPORT, Scaler};

/// Of a tile, in pixels of the window. A window looks at every tile again for each picture, begins each line of one
/// anew, and paints the whole of one for a letter: a few, wide, and low.
pub const TILE: Extent = Extent { width: 512, height: 128 };

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    pub width: u16,
    pub height: u16,
}

impl Extent {
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

/// Where a tile lies in the window's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub index: usize,
    pub left: u16,
    pub top: u16,
    pub width: u16,
    pub height: u16,
}

/// Cuts a picture of `source` pixels, shown as `target` pixels.
#[derive(Debug)]
pub struct Tiling {
    source: Extent,
    target: Extent,
    scaler: Scaler,
}

impl Default for Tiling {
    fn default() -> Self {
        Self::new(Extent::default(), Extent::default())
    }
}

impl Tiling {
    pub fn new(source: Extent, target: Extent) -> Self {
        let sides = |extent: Extent| (extent.width.into(), extent.height.into());
        let scaler = match source == target {
            true => Scaler::default(),
            false => Scaler::new(sides(source), sides(target)),
        };
        Self { source, target, scaler }
    }

    pub fn source(&self) -> Extent {
        self.source
    }

    pub fn target(&self) -> Extent {
        self.target
    }

    /// All tiles, row by row; their `index` counts from 0.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> {
        let Extent { width, height } = self.target;
        let columns = usize::from(width.div_ceil(TILE.width));
        let places = (0..height.div_ceil(TILE.height))
            .flat_map(move |row| (0..width.div_ceil(TILE.width)).map(move |column| (row, column)));
        places.map(move |(row, column)| {
            let (left, top) = (column * TILE.width, row * TILE.height);
            Tile {
                index: usize::from(row) * columns + usize::from(column),
                left,
                top,
                width: TILE.width.min(width - left),
                height: TILE.height.min(height - top),
            }
        })
    }

    /// Whether any of the source that `tile` is made of is in `changed`.
    pub fn is_stale(&self, tile: Tile, changed: &ChangedBlocks) -> bool {
        let Some(area) = self.origin(tile) else { return false };
        let (first, end) = (area.left / BLOCK, area.right.div_ceil(BLOCK));
        (area.top / BLOCK..area.bottom.div_ceil(BLOCK))
            .any(|row| (first..end).any(|column| changed.contains(column, row)))
    }

    /// Writes the tile's red, green and blue into `rgb`, `width * height * 3` bytes.
    /// `rgba` is the whole source. Does nothing where sizes do not fit.
    pub fn paint(&mut self, rgba: &[u8], tile: Tile, rgb: &mut [u8]) {
        let fits = rgba.len() == bytes(self.source, 4)
            && rgb.len() == usize::from(tile.width) * usize::from(tile.height) * 3;
        if !fits || self.source.is_empty() {
            return;
        }
        let length = usize::from(tile.width) * 3;
        self.lines(rgba, tile, |y, line| drop_alpha(line, &mut rgb[y * length..][..length]));
    }

    /// Writes the tile as blue, green, red and 255, a line to each `stride` bytes of `sheet`, for a screen that takes
    /// pixels as they are. As [`Self::paint`] in all else.
    pub fn paint_for_screen(&mut self, rgba: &[u8], tile: Tile, sheet: &mut [u8], stride: usize) {
        let (length, lines) = (usize::from(tile.width) * 4, usize::from(tile.height));
        let fits = rgba.len() == bytes(self.source, 4)
            && lines > 0
            && length <= stride
            && sheet.len() >= (lines - 1) * stride + length;
        if fits && !self.source.is_empty() {
            self.lines(rgba, tile, |y, line| turn(line, &mut sheet[y * stride..][..length]));
        }
    }

    /// Gives each line of the tile to `take`: red, green, blue and alpha.
    fn lines(&mut self, rgba: &[u8], tile: Tile, mut take: impl FnMut(usize, &[u8])) {
        let (left, top) = (usize::from(tile.left), usize::from(tile.top));
        let (width, height) = (usize::from(tile.width), usize::from(tile.height));
        if self.source != self.target {
            return self.scaler.paint(rgba, Part { left, top, width, height }, take);
        }
        let stride = usize::from(self.source.width) * 4;
        for y in 0..height {
            let from = (top + y) * stride + left * 4;
            take(y, &rgba[from..from + width * 4]);
        }
    }

    /// Pixels of the source for one of the target.
    fn scales(&self) -> (f64, f64) {
        let ratio = |from: u16, to: u16| f64::from(from) / f64::from(to.max(1));
        (ratio(self.source.width, self.target.width), ratio(self.source.height, self.target.height))
    }

    /// The pixels of the source that `tile` is made of.
    fn origin(&self, tile: Tile) -> Option<Area> {
        let (across, down) = self.scales();
        let side = |start: u16, length: u16, scale: f64, limit: u16| {
            let reach = if self.source == self.target { 0.0 } else { SUPPORT * scale.max(1.0) + 1.0 };
            let first = (f64::from(start) * scale - reach).max(0.0).floor();
            let end = (f64::from(start + length) * scale + reach).ceil().min(f64::from(limit));
            (first as usize, end as usize)
        };
        let (left, right) = side(tile.left, tile.width, across, self.source.width);
        let (top, bottom) = side(tile.top, tile.height, down, self.source.height);
        (left < right && top < bottom).then_some(Area { left, top, right, bottom })
    }
}

fn bytes(extent: Extent, pixel: usize) -> usize {
    usize::from(extent.width) * usize::from(extent.height) * pixel
}

fn turn(rgba: &[u8], bgrx: &mut [u8]) {
    for (from, to) in rgba.as_chunks::<4>().0.iter().zip(bgrx.as_chunks_mut::<4>().0) {
        let pixel = u32::from_le_bytes(*from);
        let turned = (pixel & 0xFF) << 16 | (pixel & 0xFF00) | (pixel >> 16 & 0xFF) | 0xFF00_0000;
        *to = turned.to_le_bytes();
    }
}

/// Four pixels at a time: a byte at a time cost three times as much.
fn drop_alpha(rgba: &[u8], rgb: &mut [u8]) {
    let (fours, rest) = rgba.as_chunks::<16>();
    let (twelves, tail) = rgb.as_chunks_mut::<12>();
    for (from, to) in fours.iter().zip(twelves) {
        let pixels = u128::from_le_bytes(*from);
        let two = |pixels: u64| (pixels & 0xFF_FFFF) | ((pixels >> 8) & 0xFFFF_FF00_0000);
        let (first, last) = (two(pixels as u64), two((pixels >> 64) as u64));
        to[..8].copy_from_slice(&(first | (last << 48)).to_le_bytes());
        to[8..].copy_from_slice(&((last >> 16) as u32).to_le_bytes());
    }
    for (from, to) in rest.as_chunks::<4>().0.iter().zip(tail.as_chunks_mut::<3>().0) {
        *to = [from[0], from[1], from[2]];
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    const SOURCE: Extent = Extent { width: 800, height: 600 };

    fn picture() -> Vec<u8> {
        let pixels = (0..600u32).flat_map(|y| (0..800u32).map(move |x| (x, y)));
        pixels
            .flat_map(|(x, y)| [(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x ^ y) % 256) as u8, 255])
            .collect()
    }

    fn whole(tiling: &mut Tiling, rgba: &[u8]) -> Vec<u8> {
        let target = tiling.target();
        let mut all = vec![0; bytes(target, 3)];
        for tile in tiling.tiles().collect::<Vec<_>>() {
            let mut rgb = vec![0; usize::from(tile.width) * usize::from(tile.height) * 3];
            tiling.paint(rgba, tile, &mut rgb);
            for (line, y) in rgb.chunks_exact(usize::from(tile.width) * 3).zip(tile.top..) {
                let at = (usize::from(y) * usize::from(target.width) + usize::from(tile.left)) * 3;
                all[at..at + line.len()].copy_from_slice(line);
            }
        }
        all
    }

    fn without_alpha(rgba: &[u8]) -> Vec<u8> {
        rgba.chunks(4).flat_map(|pixel| &pixel[..3]).copied().collect()
    }

    #[test]
    fn each_pixel_loses_its_alpha_and_nothing_else_whatever_their_number() {
        for pixels in 0..23 {
            let rgba: Vec<u8> = (0..pixels * 4).map(|at| (at * 37 + 11) as u8).collect();
            let mut rgb = vec![0; pixels * 3];
            drop_alpha(&rgba, &mut rgb);
            assert_eq!(rgb, without_alpha(&rgba), "{pixels} pixels");
        }
    }

    #[test]
    fn any_part_for_the_screen_has_the_colours_of_the_tiles_and_nothing_is_written_beside_it() {
        for target in [SOURCE, Extent { width: 622, height: 466 }] {
            let (mut tiling, rgba) = (Tiling::new(SOURCE, target), noise(SOURCE));
            let all = whole(&mut tiling, &rgba);
            let part = Tile { index: 0, left: 131, top: 77, width: 333, height: 205 };
            let stride = 340 * 4;
            let mut sheet = vec![7; stride * 205];
            tiling.paint_for_screen(&rgba, part, &mut sheet, stride);
            for (y, line) in sheet.chunks(stride).enumerate() {
                let (ours, beside) = line.split_at(333 * 4);
                assert!(beside.iter().all(|byte| *byte == 7));
                let at = ((77 + y) * usize::from(target.width) + 131) * 3;
                let colours = all[at..at + 333 * 3].chunks(3).map(|it| [it[2], it[1], it[0], 255]);
                assert!(ours.as_chunks::<4>().0.iter().copied().eq(colours), "line {y} of {target:?}");
            }
            // What does not fit is not begun.
            let mut small = vec![7; stride * 204];
            tiling.paint_for_screen(&rgba, part, &mut small, stride);
            assert!(small.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn tiles_at_one_to_one_are_the_picture_itself() {
        let mut tiling = Tiling::new(SOURCE, SOURCE);
        let rgba = picture();
        assert_eq!(whole(&mut tiling, &rgba), without_alpha(&rgba));
    }

    /// Letters' edges: nothing is sharper.
    fn noise(size: Extent) -> Vec<u8> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..bytes(size, 4)).map(|_| next()).collect()
    }

    /// Catmull-Rom in fractions, by its definition.
    fn exact(rgba: &[u8], source: Extent, target: Extent) -> Vec<f64> {
        let weights = |at: usize, from: usize, to: usize| -> Vec<(usize, f64)> {
            let scale = from as f64 / to as f64;
            let blur = scale.max(1.0);
            let centre = (at as f64 + 0.5) * scale;
            let curve = |x: f64| match x.abs() {
                x if x < 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
                x if x < 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
                _ => 0.0,
            };
            let all: Vec<(usize, f64)> = (0..from)
                .map(|pixel| (pixel, curve((pixel as f64 + 0.5 - centre) / blur)))
                .filter(|(_, weight)| *weight != 0.0)
                .collect();
            let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
            all.into_iter().map(|(pixel, weight)| (pixel, weight / sum)).collect()
        };
        let [from, to] =
            [source, target].map(|size| (usize::from(size.width), usize::from(size.height)));
        let across: Vec<_> = (0..to.0).map(|x| weights(x, from.0, to.0)).collect();
        let mut scaled = Vec::with_capacity(to.0 * to.1 * 3);
        for y in 0..to.1 {
            let mut row = vec![0.0; from.0 * 3];
            for (line, weight) in weights(y, from.1, to.1) {
                for (at, sum) in row.iter_mut().enumerate() {
                    *sum += weight * f64::from(rgba[line * from.0 * 4 + at / 3 * 4 + at % 3]);
                }
            }
            for weights in &across {
                for colour in 0..3 {
                    let sum: f64 = weights.iter().map(|(x, weight)| weight * row[x * 3 + colour]).sum();
                    scaled.push(sum.clamp(0.0, 255.0));
                }
            }
        }
        scaled
    }

    #[test]
    fn tiles_of_a_picture_are_as_sharp_as_the_whole_at_any_size_and_meet_without_a_seam() {
        let extent = |width, height| Extent { width, height };
        for (source, target) in [
            (SOURCE, extent(622, 466)),
            (extent(1920, 1080), extent(1440, 810)),
            (extent(1366, 768), extent(1365, 767)),
            (extent(640, 400), extent(1280, 800)),
            (extent(1280, 800), extent(300, 187)),
            (extent(2560, 300), extent(257, 30)),
            // Here a pixel of the target lies on one of the source now and then.
            (extent(400, 300), extent(1200, 900)),
            (extent(600, 400), extent(1000, 667)),
            (extent(320, 240), extent(960, 432)),
        ] {
            for rgba in [noise(source), noise(source).iter().map(|it| it / 128 * 255).collect()] {
                let tiled = whole(&mut Tiling::new(source, target), &rgba);
                let row = usize::from(target.width) * 3;
                let is_edge = |at: usize| {
                    let (x, y) = (at % row, at / row);
                    x < 3 || x >= row - 3 || y == 0 || y == usize::from(target.height) - 1
                };
                for (at, (ours, exact)) in tiled.iter().zip(exact(&rgba, source, target)).enumerate() {
                    // At an edge nothing is made up to sharpen by.
                    let apart = (f64::from(*ours) - exact).abs();
                    assert!(apart < 1.0 || is_edge(at), "{at} of {target:?}: {ours}, {exact}");
                }
            }
        }
    }

    #[test]
    fn a_picture_of_few_pixels_is_scaled_too() {
        for (source, target) in
            [((1, 1), (9, 9)), ((5, 3), (20, 13)), ((2, 500), (7, 77)), ((900, 2), (30, 1))]
        {
            let extent = |(width, height)| Extent { width, height };
            let (source, target) = (extent(source), extent(target));
            let mut tiling = Tiling::new(source, target);
            let grey = vec![90; bytes(source, 4)];
            assert!(whole(&mut tiling, &grey).iter().all(|it| it.abs_diff(90) <= 1), "{target:?}");
        }
    }

    /// Of this size the last row once reached beyond the source by a rounded bit.
    #[test]
    fn no_tile_is_left_black() {
        let (source, target) =
            (Extent { width: 1760, height: 840 }, Extent { width: 1000, height: 477 });
        let white = vec![255; bytes(source, 4)];
        let mut tiling = Tiling::new(source, target);
        for tile in tiling.tiles().collect::<Vec<Tile>>() {
            let mut rgb = vec![0; usize::from(tile.width) * usize::from(tile.height) * 3];
            tiling.paint(&white, tile, &mut rgb);
            assert!(rgb.iter().all(|it| *it > 250), "{tile:?}");
        }
    }

    #[test]
    fn a_tile_is_stale_exactly_when_its_pixels_would_differ() {
        let target = Extent { width: 700, height: 530 };
        let mut tiling = Tiling::new(SOURCE, target);
        let rgba = picture();
        let mut other = rgba.clone();
        let mut changed = ChangedBlocks::none(800, 600);
        changed.insert(16, 12);
        for y in 192..208 {
            for x in 256..272 {
                other[(y * 800 + x) * 4] ^= 0x80;
            }
        }
        for tile in tiling.tiles().collect::<Vec<_>>() {
            let size = usize::from(tile.width) * usize::from(tile.height) * 3;
            let (mut before, mut after) = (vec![0; size], vec![0; size]);
            tiling.paint(&rgba, tile, &mut before);
            tiling.paint(&other, tile, &mut after);
            let differs = before != after;
            assert!(!differs || tiling.is_stale(tile, &changed), "tile {} was missed", tile.index);
        }
        let stale = tiling.tiles().filter(|tile| tiling.is_stale(*tile, &changed)).count();
        assert!((1..=4).contains(&stale), "{stale} tiles for one block");
    }

    #[test]
    fn a_picture_of_another_size_than_said_is_not_painted() {
        let mut tiling = Tiling::new(SOURCE, SOURCE);
        let tile = tiling.tiles().next().unwrap();
        let mut rgb = vec![9; usize::from(tile.width) * usize::from(tile.height) * 3];
        tiling.paint(&[0; 16], tile, &mut rgb);
        assert!(rgb.iter().all(|byte| *byte == 9));
    }
}
