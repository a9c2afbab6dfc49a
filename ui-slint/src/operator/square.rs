//! A link as a square code (ISO/IEC 18004), for another computer's camera.
//!
//! Decides the quiet zone and how much damage it bears. Knows no session.

use qrcode::{Color, EcLevel, QrCode};
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};

/// The light border that readers need, in modules.
const QUIET: usize = 4;

/// One pixel a module; `None` for nothing, and for more than a code can hold.
pub(super) fn of(text: &str) -> Option<Image> {
    if text.is_empty() {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width() + 2 * QUIET;
    let side = u32::try_from(width).ok()?;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    let light = Rgb8Pixel { r: 255, g: 255, b: 255 };
    pixels.make_mut_slice().fill(light);
    for (at, colour) in code.to_colors().into_iter().enumerate() {
        let (x, y) = (at % code.width() + QUIET, at / code.width() + QUIET);
        if colour == Color::Dark {
            pixels.make_mut_slice()[y * width + x] = Rgb8Pixel { r: 0, g: 0, b: 0 };
        }
    }
    Some(Image::from_rgb8(pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_square_with_a_quiet_border() {
        let image = of("tasuki://join/48291#5306126").unwrap();
        let side = usize::try_from(image.size().width).unwrap();
        assert_eq!(image.size().width, image.size().height);
        let pixels = image.to_rgb8().unwrap();
        let at = |x: usize, y: usize| pixels.as_slice()[y * side + x].r;
        assert!((0..side).all(|along| at(along, QUIET - 1) == 255 && at(QUIET - 1, along) == 255));
        // The three finders: their outer corners are dark.
        let far = side - QUIET - 1;
        assert_eq!([at(QUIET, QUIET), at(far, QUIET), at(QUIET, far)], [0, 0, 0]);
        assert!(of("").is_none());
        assert!(of(&"x".repeat(10_000)).is_none());
    }
}
