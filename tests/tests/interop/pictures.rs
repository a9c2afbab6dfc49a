//! Pictures that move, and whether what arrived shows them.

use tasuki_media::{
    blocks::ChangedBlocks,
    i420::I420,
    screen::Pixels,
    vp8::{Bitrate, Coding, Decoder, Encoder},
};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 240;
/// Frames of one showing.
const COUNT: usize = 8;
/// In decibels; below it a picture is another.
const ALIKE: f64 = 30.0;

/// What was drawn, and its VP8 frames: a key frame and those that build on it.
pub(crate) struct Showing {
    drawn: Vec<I420>,
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Showing {
    pub(crate) fn draw() -> Self {
        let mut encoder = Encoder::new(WIDTH, HEIGHT, Bitrate(4_000_000)).unwrap();
        let all = ChangedBlocks::all(WIDTH, HEIGHT);
        let drawn: Vec<I420> = (0..COUNT).map(|n| picture(n, &all)).collect();
        let code = |(n, picture): (usize, &I420)| {
            let coding = if n == 0 { Coding::Key } else { Coding::Delta(&all) };
            encoder.encode(picture, coding).unwrap().bytes
        };
        let frames: Vec<Vec<u8>> = drawn.iter().enumerate().map(code).collect();
        // Else nothing here shows that a frame of many RTP packets is put together.
        assert!(frames[0].len() > 3 * 1200, "{}", frames[0].len());
        Self { drawn, frames }
    }

    /// Decodes what arrived and compares it with what was drawn.
    pub(crate) fn assert_shown_by(&self, arrived: &[Vec<u8>]) {
        assert_eq!(arrived.len(), self.drawn.len());
        let mut decoder = Decoder::new().unwrap();
        for (n, (frame, drawn)) in arrived.iter().zip(&self.drawn).enumerate() {
            let seen = decoder.decode(frame).unwrap();
            assert_eq!((seen.width, seen.height), (WIDTH, HEIGHT));
            let likeness = likeness(seen.y, seen.y_stride, drawn);
            assert!(likeness > ALIKE, "frame {n}: {likeness} dB");
            let other = &self.drawn[(n + COUNT / 2) % COUNT];
            assert!(self::likeness(seen.y, seen.y_stride, other) < likeness, "frame {n}");
        }
    }
}

/// A shade with stripes, and a square that is elsewhere in every picture.
fn picture(n: usize, all: &ChangedBlocks) -> I420 {
    let (width, height) = (usize::from(WIDTH), usize::from(HEIGHT));
    let mut bgra = vec![0; width * height * 4];
    for (at, pixel) in bgra.chunks_exact_mut(4).enumerate() {
        let (x, y) = (at % width, at / width);
        let stripes = if (x / 3 + y / 5) % 2 == 0 { 60 } else { 140 };
        let inside = (n * 30..n * 30 + 64).contains(&x) && (80..144).contains(&y);
        let level = if inside { 250 } else { stripes + (x * y) % 50 };
        pixel[..3].fill(level as u8);
    }
    let mut picture = I420::new(WIDTH, HEIGHT);
    picture.update(&Pixels {
        bgra: &bgra,
        stride: width * 4,
        width: WIDTH,
        height: HEIGHT,
        changed: all,
    });
    picture
}

/// Peak signal-to-noise ratio of the luma, in decibels.
fn likeness(seen: &[u8], stride: usize, drawn: &I420) -> f64 {
    let drawn = drawn.view();
    let width = usize::from(WIDTH);
    let rows = seen.chunks(stride).zip(drawn.y.chunks(drawn.y_stride)).take(HEIGHT.into());
    let squares: f64 = rows
        .flat_map(|(a, b)| a[..width].iter().zip(&b[..width]))
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
        .sum();
    let mean = squares / f64::from(WIDTH) / f64::from(HEIGHT);
    10.0 * (255.0 * 255.0 / mean.max(1e-6)).log10()
}
