//! Pictures of a screen: read, written, compared.
//!
//! Decides how alike two pictures are. Refuses to know where they came from.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};

/// Red, green and blue, a byte each, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

pub type Rgb = [u8; 3];

impl Picture {
    pub fn plain(width: usize, height: usize, colour: Rgb) -> Self {
        Self { width, height, rgb: colour.repeat(width * height) }
    }

    /// # Errors
    /// No PNG there, or one of another kind than 8 bits of colour.
    pub fn load(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info()?;
        let mut data = vec![0; reader.output_buffer_size().context("a picture too large")?];
        let info = reader.next_frame(&mut data)?;
        ensure!(info.bit_depth == png::BitDepth::Eight, "{} has not 8 bits", path.display());
        data.truncate(info.buffer_size());
        let rgb = match info.color_type {
            png::ColorType::Rgb => data,
            png::ColorType::Rgba => without_every_fourth(&data),
            png::ColorType::Grayscale | png::ColorType::Indexed | png::ColorType::GrayscaleAlpha => {
                bail!("{} is not in full colour", path.display())
            }
        };
        Ok(Self { width: info.width as usize, height: info.height as usize, rgb })
    }

    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&self.rgb)?;
        Ok(())
    }

    /// From X's 32 bits a pixel, little end first: blue, green, red, and a byte that means nothing.
    pub fn from_bgrx(width: usize, height: usize, data: &[u8]) -> Self {
        let rgb = data.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect();
        Self { width, height, rgb }
    }

    pub fn at(&self, x: usize, y: usize) -> Rgb {
        let start = (y * self.width + x) * 3;
        [self.rgb[start], self.rgb[start + 1], self.rgb[start + 2]]
    }

    /// Whether each channel at a point is within `by` of `colour`.
    pub fn is_near(&self, (x, y): (usize, usize), colour: Rgb, by: u8) -> bool {
        self.at(x, y).iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= by)
    }

    /// Peak signal-to-noise ratio of the brightness (BT.601) in decibels: 99 where nothing
    /// differs, about 30 where a person sees no difference at arm's length.
    ///
    /// # Errors
    /// They differ in size.
    pub fn likeness(&self, other: &Self) -> Result<f64> {
        ensure!(
            (self.width, self.height) == (other.width, other.height),
            "{self:?} and {other:?} differ in size"
        );
        let pixels = self.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3));
        let squares: f64 = pixels.map(|(a, b)| (brightness(a) - brightness(b)).powi(2)).sum();
        let mean = squares / (self.width * self.height) as f64;
        Ok(if mean == 0.0 { 99.0 } else { (10.0 * (255.0 * 255.0 / mean).log10()).min(99.0) })
    }

    /// How many different colours there are; a screen that shows something has more than a few.
    pub fn colours(&self) -> usize {
        let mut all: Vec<&[u8]> = self.rgb.chunks_exact(3).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    }

    #[must_use]
    pub fn half(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| self.at(2 * x + i, 2 * y + j));
                rgb.extend((0..3).map(|c| {
                    let sum: u16 = four.iter().map(|pixel| u16::from(pixel[c])).sum();
                    (sum / 4) as u8
                }));
            }
        }
        Self { width, height, rgb }
    }

    /// Lays `other` over this one with its corner at (x, y), cut at the edges.
    pub fn lay(&mut self, other: &Self, (x, y): (usize, usize)) {
        let width = other.width.min(self.width.saturating_sub(x));
        for row in 0..other.height.min(self.height.saturating_sub(y)) {
            let from = row * other.width * 3;
            let to = ((y + row) * self.width + x) * 3;
            self.rgb[to..to + width * 3].copy_from_slice(&other.rgb[from..from + width * 3]);
        }
    }
}

fn brightness(pixel: &[u8]) -> f64 {
    0.299 * f64::from(pixel[0]) + 0.587 * f64::from(pixel[1]) + 0.114 * f64::from(pixel[2])
}

fn without_every_fourth(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let mut picture = Picture::plain(5, 3, [1, 2, 3]);
        picture.lay(&Picture::plain(9, 1, [200, 100, 0]), (3, 2));
        picture.save(&path).unwrap();
        assert_eq!(Picture::load(&path).unwrap(), picture);
        assert_eq!(picture.at(4, 2), [200, 100, 0]);
        assert_eq!(picture.at(2, 2), [1, 2, 3]);
    }

    #[test]
    fn likeness_falls_with_the_difference() {
        let grey = Picture::plain(64, 64, [128; 3]);
        let nearly = Picture::plain(64, 64, [130; 3]);
        let white = Picture::plain(64, 64, [255; 3]);
        assert!(grey.likeness(&grey).unwrap() > 98.0);
        assert!(grey.likeness(&nearly).unwrap() > 40.0);
        assert!(grey.likeness(&white).unwrap() < 10.0);
        assert!(grey.likeness(&grey.half()).is_err());
    }
}
