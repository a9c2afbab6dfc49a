//! The one place where this program draws randomness.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::fault::Fault;

/// # Errors
/// The system gives none.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Fault> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| Fault::File {
        file: PathBuf::from("/dev/urandom"),
        why: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}
