//! In how many ways a secret can be written down.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Hexadecimal in both cases, base64 at each of its alignments and in both alphabets, a list of
/// bytes, and the bytes themselves; what is too short to be looked for is left out.
pub fn encodings(canary: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = canary.iter().map(|byte| format!("{byte:02x}")).collect();
    let listed = format!("{canary:?}");
    let mut all = vec![hex.to_uppercase(), hex, listed.trim_matches(['[', ']']).to_owned()];
    for pad in 0..3 {
        let text = STANDARD.encode([vec![b' '; pad], canary.to_vec()].concat());
        let middle = text.get(4..text.len().saturating_sub(4)).unwrap_or_default().to_owned();
        all.extend([middle.replace('+', "-").replace('/', "_"), middle]);
    }
    let mut all: Vec<Vec<u8>> = all.into_iter().map(String::into_bytes).collect();
    all.push(canary.to_vec());
    all.retain(|needle| needle.len() >= 8);
    all
}
