//! A QR code in the terminal, two modules a character, dark on light whatever the terminal's
//! colours are.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// `None` for a text that no code holds.
pub fn code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    // The renderer draws what is light, so that a dark terminal shows it right side up.
    let mut drawing = code.render::<Dense1x2>();
    Some(drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_square_of_blocks() {
        let drawn = code("otpauth://totp/Example:hanako?secret=ABCDEFGH").unwrap();
        let rows: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
        assert!(rows.len() > 15 && rows.iter().all(|width| *width == rows[0]));
        assert!(rows[0] <= 80);
    }
}
