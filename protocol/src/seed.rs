//! Randomness as a value: drawn once outside, stretched by label inside.
//!
//! A core that needs a nonce, a key and a challenge takes one [`Seed`] and
//! derives each under its own label, so that a test replays a run exactly.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 bytes from the operating system's generator, used for one purpose.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// An independent value for `label` (HKDF-SHA256, RFC 5869).
    pub fn derive<const N: usize>(&self, label: &str) -> [u8; N] {
        expand(&Hkdf::new(Some(b"tasuki-seed-v1"), &self.0), label.as_bytes())
    }

    /// A seed of its own for a part that draws values itself.
    pub fn child(&self, label: &str) -> Self {
        Self(self.derive(label))
    }

    /// `digits` decimal digits, uniform to within 2^-64.
    pub fn digits(&self, label: &str, digits: u32) -> u64 {
        let wide = u128::from_be_bytes(self.derive(label));
        let range = u128::from(10u64.pow(digits));
        u64::try_from(wide % range).unwrap_or_default()
    }
}

pub(crate) fn expand<const N: usize>(prk: &Hkdf<Sha256>, label: &[u8]) -> [u8; N] {
    const { assert!(N <= 255 * 32) };
    let mut out = [0; N];
    let Ok(()) = prk.expand(label, &mut out) else { unreachable!("HKDF gives up to 255 blocks") };
    out
}
