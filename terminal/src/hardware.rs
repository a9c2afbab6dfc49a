//! The hardware addresses of this computer, as its system names them. R4: whoever runs it can make it say others.

use std::fs::{self, DirEntry};

/// Of more network cards nobody is told.
const MOST: usize = 16;

/// In order, without those of cards that have none.
pub fn addresses() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let read = |entry: DirEntry| fs::read_to_string(entry.path().join("address")).ok();
    let mut addresses: Vec<String> = entries
        .filter_map(read)
        .map(|text| text.trim().to_owned())
        .filter(|text| text.len() == 17 && text != "00:00:00:00:00:00")
        .take(MOST)
        .collect();
    addresses.sort();
    addresses
}
