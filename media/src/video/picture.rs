//! The viewer's picture: frames in, RGBA out, and which blocks of it are new.
//!
//! Keeps the cursor beside the picture, because the host does not paint it in.
//! Knows no window and no link.

use tasuki_protocol::screen::{CursorPosition, CursorShape};

use crate::blocks::{BLOCK, ChangedBlocks};
use crate::i420::I420;
use crate::vp8::{CodecError, Decoder};

/// What a viewer shows. Empty (0x0) until the first key frame.
#[derive(Debug)]
pub struct Picture {
    decoder: Decoder,
    planes: I420,
    rgba: Vec<u8>,
    cursor: Option<CursorShape>,
    position: CursorPosition,
}

/// Whether a saved picture shows the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithCursor {
    Shown,
    Hidden,
}

/// Why a picture could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("there is no picture yet: wait for the first frame")]
    Empty,
    #[error("the picture could not be written as PNG")]
    Png(#[from] png::EncodingError),
}

impl Picture {
    /// # Errors
    /// Only when the decoder has no memory.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: Decoder::new()?,
            planes: I420::new(0, 0),
            rgba: Vec::new(),
            cursor: None,
            position: CursorPosition(None),
        })
    }

    pub fn width(&self) -> u16 {
        self.planes.width()
    }

    pub fn height(&self) -> u16 {
        self.planes.height()
    }

    /// `width * height * 4` bytes, opaque.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Decodes the next frame and says which blocks differ from before; all of
    /// them when the size changed.
    ///
    /// # Errors
    /// [`CodecError`]: the peer's fault; the picture stays as it was, ask for a key frame.
    pub fn show(&mut self, frame: &[u8]) -> Result<ChangedBlocks, CodecError> {
        let newer = self.decoder.decode(frame)?;
        let (width, height) = (newer.width, newer.height);
        let mut changed = ChangedBlocks::none(width, height);
        if (self.planes.width(), self.planes.height()) != (width, height) {
            self.planes = I420::new(width, height);
            self.rgba = vec![0; usize::from(width) * usize::from(height) * 4];
            changed = ChangedBlocks::all(width, height);
        }
        self.planes.adopt(&newer, &mut changed);
        for band in changed.bands() {
            let bottom = (band.end * BLOCK).min(height.into());
            self.planes.view().write_rgba(&mut self.rgba, band.start * BLOCK, bottom);
        }
        Ok(changed)
    }

    /// An insane shape ([`CursorShape::is_sane`]) is ignored.
    pub fn set_cursor_shape(&mut self, shape: CursorShape) {
        if shape.is_sane() {
            self.cursor = Some(shape);
        }
    }

    pub fn set_cursor_position(&mut self, position: CursorPosition) {
        self.position = position;
    }

    pub fn cursor(&self) -> (Option<&CursorShape>, CursorPosition) {
        (self.cursor.as_ref(), self.position)
    }

    /// The picture as a PNG file's bytes. S22.
    ///
    /// # Errors
    /// [`PictureError::Empty`] before the first frame.
    pub fn png(&self, cursor: WithCursor) -> Result<Vec<u8>, PictureError> {
        if self.rgba.is_empty() {
            return Err(PictureError::Empty);
        }
        let mut rgba = self.rgba.clone();
        if let (WithCursor::Shown, Some(shape), Some(place)) = (cursor, &self.cursor, self.position.0) {
            draw(&mut rgba, (self.width(), self.height()), shape, place);
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width().into(), self.height().into());
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.write_header()?.write_image_data(&rgba)?;
        Ok(file)
    }
}

/// Lays a premultiplied shape over the picture, its hot spot at `place`.
fn draw(rgba: &mut [u8], (width, height): (u16, u16), shape: &CursorShape, place: (u16, u16)) {
    let stride = usize::from(shape.width.max(1)) * 4;
    for (line, y) in shape.rgba.chunks_exact(stride).zip(i32::from(place.1) - i32::from(shape.hot_y)..)
    {
        for (over, x) in
            line.as_chunks::<4>().0.iter().zip(i32::from(place.0) - i32::from(shape.hot_x)..)
        {
            let inside = (0..i32::from(width)).contains(&x) && (0..i32::from(height)).contains(&y);
            if !inside {
                continue;
            }
            let at = (y as usize * usize::from(width) + x as usize) * 4;
            for (under, over_channel) in rgba[at..at + 3].iter_mut().zip(over) {
                let rest = u16::from(*under) * u16::from(255 - over[3]) / 255;
                *under = (u16::from(*over_channel) + rest).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_drawn_over_the_picture_and_cut_at_its_edge() {
        let mut rgba = vec![100; 4 * 4 * 4];
        let shape = CursorShape {
            width: 2,
            height: 2,
            hot_x: 1,
            hot_y: 1,
            rgba: [[200, 0, 0, 255]; 4].concat(),
        };
        draw(&mut rgba, (4, 4), &shape, (0, 0));
        assert_eq!(rgba[..4], [200, 0, 0, 100]);
        assert_eq!(rgba[4..8], [100; 4]);
        let half = CursorShape { rgba: [[50, 0, 0, 128]; 4].concat(), ..shape };
        draw(&mut rgba, (4, 4), &half, (3, 3));
        assert_eq!(rgba[4 * 15], 50 + (100u16 * 127 / 255) as u8);
    }

    #[test]
    fn there_is_nothing_to_save_before_the_first_frame() {
        let picture = Picture::new().expect("a decoder");
        assert!(matches!(picture.png(WithCursor::Shown), Err(PictureError::Empty)));
    }
}
