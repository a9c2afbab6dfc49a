//! The picture as VP8 sees it: one plane of light, two of colour at half size.
//!
//! Converts only the rows of blocks that changed. BT.601, limited range: what
//! every VP8 decoder takes for granted.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};

use crate::blocks::{BLOCK, ChangedBlocks};
use crate::screen::Pixels;

/// An owned picture. Odd sizes keep a last column and row of colour of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420 {
    width: u16,
    height: u16,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// A borrowed picture. A plane's stride is in bytes; `u` and `v` share theirs.
#[derive(Debug, Clone, Copy)]
pub struct I420View<'a> {
    pub width: u16,
    pub height: u16,
    pub y: &'a [u8],
    pub y_stride: usize,
    pub u: &'a [u8],
    pub v: &'a [u8],
    pub uv_stride: usize,
}

impl I420 {
    /// A black picture.
    pub fn new(width: u16, height: u16) -> Self {
        let (w, h) = (usize::from(width), usize::from(height));
        let chroma = w.div_ceil(2) * h.div_ceil(2);
        Self { width, height, y: vec![16; w * h], u: vec![128; chroma], v: vec![128; chroma] }
    }

    pub fn width(&self) -> u16 {
        self.width
    }

    pub fn height(&self) -> u16 {
        self.height
    }

    pub fn view(&self) -> I420View<'_> {
        let (y_stride, uv_stride) = self.strides();
        I420View {
            width: self.width,
            height: self.height,
            y: &self.y,
            y_stride,
            u: &self.u,
            v: &self.v,
            uv_stride,
        }
    }

    /// Converts the rows of blocks that `pixels` says have changed.
    ///
    /// # Panics
    /// When the sizes differ or the slice is shorter than it says: a caller's mistake.
    pub fn update(&mut self, pixels: &Pixels<'_>) {
        assert_eq!((self.width, self.height), (pixels.width, pixels.height));
        for band in pixels.changed.bands() {
            self.convert(pixels, band.start * BLOCK, (band.end * BLOCK).min(self.height.into()));
        }
    }

    /// Rows `top..bottom` in pixels; `top` is even.
    fn convert(&mut self, pixels: &Pixels<'_>, top: usize, bottom: usize) {
        let (y_stride, uv_stride) = self.strides();
        let colour = top / 2 * uv_stride..bottom.div_ceil(2) * uv_stride;
        let mut planes = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut self.y[top * y_stride..bottom * y_stride]),
            y_stride: y_stride as u32,
            u_plane: BufferStoreMut::Borrowed(&mut self.u[colour.clone()]),
            u_stride: uv_stride as u32,
            v_plane: BufferStoreMut::Borrowed(&mut self.v[colour]),
            v_stride: uv_stride as u32,
            width: u32::from(self.width),
            height: (bottom - top) as u32,
        };
        let done = yuv::bgra_to_yuv420(
            &mut planes,
            &pixels.bgra[top * pixels.stride..bottom * pixels.stride],
            pixels.stride as u32,
            YuvRange::Limited,
            YuvStandardMatrix::Bt601,
            YuvConversionMode::Balanced,
        );
        done.unwrap_or_else(|fault| unreachable!("the slices were cut to fit: {fault}"));
    }

    /// Takes over what differs in `newer`, a picture of the same size, and says where.
    pub fn adopt(&mut self, newer: &I420View<'_>, changed: &mut ChangedBlocks) {
        for row in 0..changed.rows() {
            if !self.row_differs(newer, row) {
                continue;
            }
            for col in 0..changed.cols() {
                if self.adopt_block(newer, col, row) {
                    changed.insert(col, row);
                }
            }
        }
    }

    /// Most rows of a desktop are the same: whole lines are compared faster than blocks.
    fn row_differs(&self, newer: &I420View<'_>, row: usize) -> bool {
        let (y_stride, uv_stride) = self.strides();
        let (top, bottom) = (row * BLOCK, ((row + 1) * BLOCK).min(self.height.into()));
        let differ = |mine: &[u8], stride: usize, new: &[u8], new_stride: usize, line: usize| {
            mine[line * stride..][..stride] != new[line * new_stride..][..stride]
        };
        (top..bottom).any(|line| differ(&self.y, y_stride, newer.y, newer.y_stride, line))
            || (top / 2..bottom.div_ceil(2)).any(|line| {
                differ(&self.u, uv_stride, newer.u, newer.uv_stride, line)
                    || differ(&self.v, uv_stride, newer.v, newer.uv_stride, line)
            })
    }

    fn adopt_block(&mut self, newer: &I420View<'_>, col: usize, row: usize) -> bool {
        let (y_stride, uv_stride) = self.strides();
        let (x, y) = (col * BLOCK, row * BLOCK);
        let (w, h) = (usize::from(self.width), usize::from(self.height));
        let light = Patch { x, y, width: BLOCK.min(w - x), height: BLOCK.min(h - y) };
        let colour = light.halved();
        let mut differs = light.adopt(&mut self.y, y_stride, newer.y, newer.y_stride);
        differs |= colour.adopt(&mut self.u, uv_stride, newer.u, newer.uv_stride);
        differs |= colour.adopt(&mut self.v, uv_stride, newer.v, newer.uv_stride);
        differs
    }

    fn strides(&self) -> (usize, usize) {
        (self.width.into(), usize::from(self.width).div_ceil(2))
    }
}

impl I420View<'_> {
    /// Writes rows `top..bottom` (`top` even) as RGBA, `width * 4` bytes a row, into a whole picture's buffer.
    ///
    /// # Panics
    /// When `rgba` is not `width * height * 4` bytes long: a caller's mistake.
    pub fn write_rgba(&self, rgba: &mut [u8], top: usize, bottom: usize) {
        let stride = usize::from(self.width) * 4;
        assert_eq!(rgba.len(), stride * usize::from(self.height));
        let planes = YuvPlanarImage {
            y_plane: &self.y[top * self.y_stride..],
            y_stride: self.y_stride as u32,
            u_plane: &self.u[top / 2 * self.uv_stride..],
            u_stride: self.uv_stride as u32,
            v_plane: &self.v[top / 2 * self.uv_stride..],
            v_stride: self.uv_stride as u32,
            width: u32::from(self.width),
            height: (bottom - top) as u32,
        };
        let done = yuv::yuv420_to_rgba(
            &planes,
            &mut rgba[top * stride..bottom * stride],
            stride as u32,
            YuvRange::Limited,
            YuvStandardMatrix::Bt601,
        );
        done.unwrap_or_else(|fault| unreachable!("the slices were cut to fit: {fault}"));
    }
}

#[derive(Debug, Clone, Copy)]
struct Patch {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Patch {
    fn halved(self) -> Self {
        Self {
            x: self.x / 2,
            y: self.y / 2,
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
        }
    }

    fn adopt(self, mine: &mut [u8], stride: usize, newer: &[u8], newer_stride: usize) -> bool {
        let mut differs = false;
        for line in self.y..self.y + self.height {
            let old = &mut mine[line * stride + self.x..][..self.width];
            let new = &newer[line * newer_stride + self.x..][..self.width];
            if old != new {
                old.copy_from_slice(new);
                differs = true;
            }
        }
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u16, height: u16, level: u8) -> Vec<u8> {
        vec![level; usize::from(width) * usize::from(height) * 4]
    }

    #[test]
    fn odd_sizes_keep_their_last_row_and_column() {
        let (width, height) = (33, 17);
        let bgra = grey(width, height, 200);
        let changed = ChangedBlocks::all(width, height);
        let stride = usize::from(width) * 4;
        let mut picture = I420::new(width, height);
        picture.update(&Pixels { bgra: &bgra, stride, width, height, changed: &changed });
        let mut rgba = vec![0; stride * usize::from(height)];
        picture.view().write_rgba(&mut rgba, 0, height.into());
        let worst = rgba.chunks_exact(4).map(|p| p[0].abs_diff(200)).max();
        assert!(worst <= Some(2), "{worst:?}");
    }

    #[test]
    fn only_changed_rows_of_blocks_are_converted() {
        let (width, height) = (64, 64);
        let bgra = grey(width, height, 255);
        let mut changed = ChangedBlocks::none(width, height);
        changed.insert(1, 2);
        let mut picture = I420::new(width, height);
        picture.update(&Pixels { bgra: &bgra, stride: 256, width, height, changed: &changed });
        let view = picture.view();
        assert_eq!(view.y[31 * 64], 16);
        assert!(view.y[32 * 64] > 230 && view.y[47 * 64 + 63] > 230);
        assert_eq!(view.y[48 * 64], 16);
    }

    #[test]
    fn adopting_a_newer_picture_says_where_it_differs() {
        let mut mine = I420::new(40, 40);
        let mut newer = I420::new(40, 40);
        newer.y[39 * 40 + 39] = 99;
        newer.u[0] = 1;
        let mut changed = ChangedBlocks::none(40, 40);
        mine.adopt(&newer.view(), &mut changed);
        assert_eq!(mine, newer);
        assert_eq!(changed.count(), 2);
        assert!(changed.contains(0, 0) && changed.contains(2, 2));
    }
}
