//! Free ports and whole folders, for who sets programs up. Knows no program.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

/// A port that nobody listens on now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Below what systems give to outgoing connections, and elsewhere in every process.
    let first = std::process::id().wrapping_mul(97);
    let next = || first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 12_000 + 20_000;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let ports = std::iter::repeat_with(next).take(12_000).filter_map(|port| u16::try_from(port).ok());
    ports.into_iter().find(is_free).context("no port is free")
}

/// Every byte below a folder, for looking for what must not stand there.
///
/// # Errors
/// A file cannot be read.
pub fn all_bytes_below(folder: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            bytes.extend(all_bytes_below(&path)?);
        } else if path.is_file() {
            bytes.extend(fs::read(&path)?);
        }
    }
    Ok(bytes)
}
