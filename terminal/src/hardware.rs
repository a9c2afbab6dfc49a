//! The hardware addresses of this computer, as its system names them. R4: whoever runs it can make it say others.

use std::fs::{self, DirEntry};
use std::path::Path;

/// Of more network cards nobody is told.
const MOST: usize = 16;

/// Those of cards that one can touch first, then those that programs made up; each kind in order, and of too many the
/// same ones every time. Without those of cards that have none.
pub fn addresses() -> Vec<String> {
    listed_in(Path::new("/sys/class/net"))
}

fn listed_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let read = |entry: DirEntry| {
        let address = fs::read_to_string(entry.path().join("address")).ok()?.trim().to_owned();
        // What has no bus behind it: bridges, containers' ends, tunnels. Some get another address at each start.
        let is_virtual = !entry.path().join("device").exists();
        let has_one = address.len() == 17 && address != "00:00:00:00:00:00";
        has_one.then_some((is_virtual, address))
    };
    let mut cards: Vec<(bool, String)> = entries.filter_map(read).collect();
    cards.sort();
    let mut addresses: Vec<String> = Vec::new();
    for (_, address) in cards {
        // A bond or a bridge has that of one of its cards.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.truncate(MOST);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(folder: &Path, name: &str, address: &str, has_device: bool) {
        let card = folder.join(name);
        fs::create_dir_all(if has_device { card.join("device") } else { card.clone() }).unwrap();
        fs::write(card.join("address"), format!("{address}\n")).unwrap();
    }

    /// R4, S63: on a computer with many containers its own cards are declared, and always the same.
    #[test]
    fn s63_real_cards_are_declared_before_virtual_ones_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let virtual_ones = |from: u8| (from..40).map(|at| format!("02:42:00:00:00:{at:02x}"));
        for (at, address) in virtual_ones(0).enumerate() {
            card(folder.path(), &format!("veth{at}"), &address, false);
        }
        card(folder.path(), "lo", "00:00:00:00:00:00", false);
        card(folder.path(), "ib0", "80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:6e:f6:41", true);
        card(folder.path(), "enp3s0", "f4:00:00:00:00:02", true);
        card(folder.path(), "wlp2s0", "f4:00:00:00:00:01", true);
        card(folder.path(), "bond0", "f4:00:00:00:00:01", false);
        let told = listed_in(folder.path());
        assert_eq!(told[..2], ["f4:00:00:00:00:01", "f4:00:00:00:00:02"]);
        assert!(told[2..].iter().cloned().eq(virtual_ones(0).take(MOST - 2)), "{told:?}");
    }

    #[test]
    fn a_computer_without_network_cards_declares_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(listed_in(&folder.path().join("net")).is_empty());
    }
}
