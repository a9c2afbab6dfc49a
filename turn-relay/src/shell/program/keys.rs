//! Reads the certificate, its private key and the ticket key from files.
//!
//! It never prints what it read: a failure names the file, not its content.

use std::path::{Path, PathBuf};

use rustls::ServerConfig;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tasuki_protocol::ticket::TicketKey;
use zeroize::Zeroizing;

use super::failure::{Failure, KeyFile};
use crate::shell::tls;

/// # Errors
/// A file cannot be read, holds no such thing, or the two do not belong together.
pub fn tls_config(certificate: &Path, key: &Path) -> Result<ServerConfig, Failure> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| pem_failure(KeyFile::Certificate, certificate, &error))?;
    if chain.is_empty() {
        return Err(damaged(KeyFile::Certificate, certificate));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| pem_failure(KeyFile::PrivateKey, key, &error))?;
    tls::server_config(chain, private).map_err(|error| {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            let (certificate, key) = (certificate.to_owned(), key.to_owned());
            return Failure::KeyMismatch { certificate, key };
        }
        if matches!(error, rustls::Error::InvalidCertificate(_)) {
            return damaged(KeyFile::Certificate, certificate);
        }
        damaged(KeyFile::PrivateKey, key)
    })
}

/// 32 raw bytes, or 64 hexadecimal digits with or without a line end.
///
/// # Errors
/// The file cannot be read, or is neither.
pub fn ticket_key(path: &Path) -> Result<TicketKey, Failure> {
    let bytes = std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| unreadable(KeyFile::TicketKey, path, error.kind()))?;
    if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(TicketKey::from_bytes(raw));
    }
    from_hex(bytes.trim_ascii())
        .map(|key| TicketKey::from_bytes(*key))
        .ok_or_else(|| damaged(KeyFile::TicketKey, path))
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    if text.len() != key.len() * 2 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = (nibble(pair[0])? * 16 + nibble(pair[1])?) as u8;
    }
    Some(key)
}

fn pem_failure(file: KeyFile, path: &Path, error: &pem::Error) -> Failure {
    if let pem::Error::Io(error) = error {
        return unreadable(file, path, error.kind());
    }
    damaged(file, path)
}

fn unreadable(file: KeyFile, path: &Path, kind: std::io::ErrorKind) -> Failure {
    Failure::KeyUnreadable { file, path: PathBuf::from(path), why: kind.into() }
}

fn damaged(file: KeyFile, path: &Path) -> Failure {
    Failure::KeyDamaged { file, path: PathBuf::from(path) }
}
