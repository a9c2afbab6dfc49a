//! Which devices an end has seen to be out: what one list said stays, whatever a later one leaves out (T14, T17).
//!
//! A list counts under the key that signed it, and no longer than that key does. It refuses to know where it is kept.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::bundle::{Bundle, ListMark};
use crate::certificate::{MAX_CERTIFICATE_LIFE, MAX_REVOKED, Revocations};
use crate::ids::DeviceKey;

/// More than a list holds, for whose place in one a later device took.
const KEPT: usize = 8 * MAX_REVOKED;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevokedDevices {
    /// The newest first.
    words: Vec<Word>,
}

/// That one device is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    device: DeviceKey,
    /// By then its certificate is over whatever it says, in unix seconds.
    until: u64,
    /// The lock key that said so; none: this end's own person, whose word always counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<DeviceKey>,
}

impl RevokedDevices {
    /// This end's person says so.
    pub fn add(&mut self, device: DeviceKey, now: u64) {
        self.hear(device, None, now);
    }

    /// Takes over what `list` says, which `by` signed.
    pub fn heed(&mut self, list: &Revocations, by: DeviceKey, now: u64) {
        for device in list.devices.iter().rev() {
            self.hear(*device, Some(by), now.min(list.issued_at));
        }
    }

    fn hear(&mut self, device: DeviceKey, by: Option<DeviceKey>, now: u64) {
        if self.words.iter().any(|word| (word.device, word.by) == (device, by)) {
            return;
        }
        let until = now.saturating_add(MAX_CERTIFICATE_LIFE.as_secs());
        self.words.insert(0, Word { device, until, by });
        self.words = most_needed(&self.words, KEPT);
    }

    /// Who is out while `lock_keys` are in force, the newest first.
    pub fn devices(&self, lock_keys: &[DeviceKey]) -> Vec<DeviceKey> {
        self.in_force(lock_keys).iter().map(|word| word.device).collect()
    }

    /// As [`Self::devices`]; where they are more than a list holds, those go whose certificates end first, and of
    /// those that end together the ones that were revoked first.
    pub fn list(&self, lock_keys: &[DeviceKey]) -> Vec<DeviceKey> {
        let needed = most_needed(&self.in_force(lock_keys), MAX_REVOKED);
        needed.iter().map(|word| word.device).collect()
    }

    /// One word for each device.
    fn in_force(&self, lock_keys: &[DeviceKey]) -> Vec<Word> {
        let mut counting: Vec<Word> = Vec::new();
        let counts = |word: &&Word| word.by.is_none_or(|by| lock_keys.contains(&by));
        for word in self.words.iter().filter(counts) {
            if !counting.iter().any(|earlier| earlier.device == word.device) {
                counting.push(*word);
            }
        }
        counting
    }
}

/// Notes that `list` was seen: of the lists of one key, the newest.
pub fn note_list(seen: &mut Vec<ListMark>, list: ListMark) {
    match seen.iter_mut().find(|mark| mark.by == list.by) {
        Some(mark) => mark.version = mark.version.max(list.version),
        None => seen.push(list),
    }
}

fn most_needed(words: &[Word], most: usize) -> Vec<Word> {
    let mut kept = words.to_vec();
    while kept.len() > most {
        let places = kept.iter().enumerate();
        let Some((place, _)) = places.min_by_key(|(place, word)| (word.until, Reverse(*place))) else {
            break;
        };
        kept.remove(place);
    }
    kept
}

/// The list in `envelope`, if one of the lock keys in force signed it, and which. Under a key that was dropped
/// nobody heeds a list any more, nor any certificate of its time.
pub fn in_force(envelope: &Blob, bundle: &Bundle) -> Option<(Revocations, DeviceKey)> {
    let signed = |key: &DeviceKey| {
        let list = Revocations::open(&envelope.0, bundle.tenant, &[*key], 0).ok()?;
        Some((list, *key))
    };
    bundle.lock_keys.iter().find_map(signed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PROTOCOL_VERSION, TenantId};

    const NOW: u64 = 1_800_000_000;
    const LIFE: u64 = MAX_CERTIFICATE_LIFE.as_secs();
    const LOCK: DeviceKey = DeviceKey([0xaa; 32]);
    const OTHER: DeviceKey = DeviceKey([0xbb; 32]);

    fn device(n: usize) -> DeviceKey {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        DeviceKey(bytes)
    }

    fn list(devices: &[usize]) -> Revocations {
        let devices = devices.iter().copied().map(device).collect();
        let (v, tenant) = (PROTOCOL_VERSION, TenantId([1; 8]));
        Revocations { v, tenant, version: 1, devices, issued_at: NOW }
    }

    #[test]
    fn t17_what_one_list_said_stays_whatever_a_later_one_leaves_out() {
        let mut revoked = RevokedDevices::default();
        revoked.heed(&list(&[2, 1]), LOCK, NOW);
        revoked.heed(&list(&[3]), LOCK, NOW);
        revoked.heed(&list(&[]), LOCK, NOW);
        assert_eq!(revoked.devices(&[LOCK]), [3, 2, 1].map(device));
    }

    #[test]
    fn t17_what_a_dropped_key_said_counts_no_more_and_what_was_said_again_or_here_does() {
        let mut revoked = RevokedDevices::default();
        revoked.heed(&list(&[1, 2]), LOCK, NOW);
        revoked.heed(&list(&[2]), OTHER, NOW);
        revoked.add(device(3), NOW);
        assert_eq!(revoked.list(&[OTHER]), [3, 2].map(device));
        assert_eq!(revoked.list(&[OTHER, LOCK]), [3, 2, 1].map(device));
    }

    #[test]
    fn t17_where_a_list_is_full_the_device_goes_whose_certificate_ends_first() {
        let mut revoked = RevokedDevices::default();
        for n in (0..MAX_REVOKED).rev() {
            revoked.add(device(n), if n == 40 { NOW - LIFE } else { NOW });
        }
        let full: Vec<DeviceKey> = (0..MAX_REVOKED).map(device).collect();
        assert_eq!(revoked.list(&[]), full);
        revoked.add(device(500), NOW);
        revoked.add(device(501), NOW);
        let kept = revoked.list(&[]);
        assert!(kept.len() == MAX_REVOKED && kept.starts_with(&[501, 500].map(device)));
        let gone: Vec<&DeviceKey> = full.iter().filter(|device| !kept.contains(device)).collect();
        assert_eq!(gone, [&device(40), &device(MAX_REVOKED - 1)]);
        // They are not forgotten here, only on the list.
        assert_eq!(revoked.devices(&[]).len(), MAX_REVOKED + 2);
    }
}
