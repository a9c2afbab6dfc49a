//! Which devices are out, as far as this computer has seen or ordered it. Every list goes on from there, so
//! that a server whose database is older, or that withholds a list, takes nothing back by it (T14, T17). What
//! a computer sees for the first time nobody but the server vouches for: then a person does, once.
//!
//! It refuses to know why a server does not show a list.

use std::cmp::Reverse;
use std::fs;

use serde::{Deserialize, Serialize};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, CLOCK_TOLERANCE_S};
use tasuki_protocol::certificate::{MAX_CERTIFICATE_LIFE, MAX_REVOKED, Revocations};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::signal;

use crate::fault::Fault;
use crate::profile::Profile;

const REVOKED: &str = "revoked.json";
/// More than a list holds, for whose place in one a later device took.
const KEPT: usize = 4 * MAX_REVOKED;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    tenant: TenantId,
    /// Of the newest list.
    version: u64,
    /// The newest first.
    devices: Vec<Out>,
    /// That there is no list but what stands here was said by somebody else than a server.
    #[serde(default)]
    is_vouched_for: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    device: DeviceKey,
    /// By then its certificate is over whatever it says, in unix seconds.
    until: u64,
}

impl Revoked {
    pub fn none(tenant: TenantId) -> Self {
        Self { tenant, version: 0, devices: Vec::new(), is_vouched_for: false }
    }

    /// Where the organisation's keys were made a moment ago: nobody can have revoked anything.
    pub fn at_the_beginning(tenant: TenantId) -> Self {
        Self { is_vouched_for: true, ..Self::none(tenant) }
    }

    pub fn is_vouched_for(&self) -> bool {
        self.is_vouched_for
    }

    pub fn vouch(&mut self) {
        self.is_vouched_for = true;
    }

    /// How many devices are out.
    pub fn count(&self) -> usize {
        self.devices.len()
    }

    pub fn has(&self, device: &DeviceKey) -> bool {
        self.devices.iter().any(|out| out.device == *device)
    }

    /// Takes a device for one that is out.
    pub fn add(&mut self, device: DeviceKey, now: u64) {
        if !self.has(&device) {
            let until = now.saturating_add(MAX_CERTIFICATE_LIFE.as_secs());
            self.devices.insert(0, Out { device, until });
            self.devices = most_needed(&self.devices, KEPT);
        }
    }

    /// Takes over what `list` says, which was signed by a key that may. A number that no clock has come to
    /// is not gone on from later: the key that signed it may be dropped for that very number.
    pub fn heed(&mut self, list: &Revocations, now: u64) {
        for device in list.devices.iter().rev() {
            self.add(*device, now.min(list.issued_at));
        }
        if list.version <= now.saturating_add(CLOCK_TOLERANCE_S) {
            self.version = self.version.max(list.version);
        }
    }

    /// The list that comes after all that were seen here, and after one of version `newest`. Versions count
    /// seconds, as bundles' do that go on from what a server has lost: so none is above it that was made in
    /// the usual way, seen on this computer or not. `None`: after that one there is no number.
    pub fn next(&mut self, newest: u64, now: u64) -> Option<Revocations> {
        let version = self.version.max(newest).checked_add(1)?.max(now);
        self.version = self.version.max(version.min(now.saturating_add(CLOCK_TOLERANCE_S)));
        Some(Revocations {
            v: PROTOCOL_VERSION,
            tenant: self.tenant,
            version,
            devices: most_needed(&self.devices, MAX_REVOKED).iter().map(|out| out.device).collect(),
            issued_at: now,
        })
    }
}

/// The list in `envelope`, if one of the lock keys in force signed it. Under a key that was dropped nobody
/// heeds a list any more, nor any certificate of its time.
pub fn in_force(envelope: Option<&Blob>, bundle: &Bundle) -> Option<Revocations> {
    Revocations::open(&envelope?.0, bundle.tenant, &bundle.lock_keys, 0).ok()
}

/// Where there are more than `most`, those go whose certificates end first, and of those that end together
/// the ones that were revoked first.
fn most_needed(devices: &[Out], most: usize) -> Vec<Out> {
    let mut kept = devices.to_vec();
    while kept.len() > most {
        let places = kept.iter().enumerate();
        let Some((place, _)) = places.min_by_key(|(place, out)| (out.until, Reverse(*place))) else {
            break;
        };
        kept.remove(place);
    }
    kept
}

impl Profile {
    /// # Errors
    /// [`Fault::DamagedKey`]: what was seen is not to be read any more.
    pub fn revoked(&self, tenant: TenantId) -> Result<Revoked, Fault> {
        let file = self.folder().join(REVOKED);
        let Ok(kept) = fs::read(&file) else { return Ok(Revoked::none(tenant)) };
        let kept: Revoked = strict_json(&kept).map_err(|_| Fault::DamagedKey(file))?;
        Ok(if kept.tenant == tenant { kept } else { Revoked::none(tenant) })
    }

    pub fn keep_revoked(&self, revoked: &Revoked) -> Result<(), Fault> {
        self.write(REVOKED, signal::encode(revoked).as_bytes())
    }

    /// Remembers what a server shows, so that it stays when the server forgets it.
    pub fn heed_revocations(
        &self,
        envelope: Option<&Blob>,
        bundle: &Bundle,
        now: u64,
    ) -> Result<(), Fault> {
        let Some(list) = in_force(envelope, bundle) else { return Ok(()) };
        let before = self.revoked(bundle.tenant)?;
        let mut after = before.clone();
        after.heed(&list, now);
        if after == before { Ok(()) } else { self.keep_revoked(&after) }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use tasuki_protocol::dsse;
    use tasuki_protocol::ids::Digest;

    use super::*;

    const TENANT: TenantId = TenantId([1; 8]);
    const NOW: u64 = 1_800_000_000;
    const LIFE: u64 = MAX_CERTIFICATE_LIFE.as_secs();

    fn device(n: usize) -> DeviceKey {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        DeviceKey(bytes)
    }

    fn list(version: u64, devices: &[usize]) -> Revocations {
        let devices = devices.iter().copied().map(device).collect();
        Revocations { v: PROTOCOL_VERSION, tenant: TENANT, version, devices, issued_at: NOW }
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn bundle(lock_keys: &[u8]) -> Bundle {
        let public = |n: &u8| DeviceKey(key(*n).verifying_key().to_bytes());
        Bundle {
            v: PROTOCOL_VERSION,
            version: 1,
            tenant: TENANT,
            organisation: "Example Help".to_owned(),
            host: "localhost".to_owned(),
            port: 443,
            root: public(&1),
            server_pins: vec![Digest([2; 32])],
            manifest_keys: Vec::new(),
            checkpoint_keys: Vec::new(),
            lock_keys: lock_keys.iter().map(public).collect(),
            log_keys: Vec::new(),
            issued_at: 0,
            expires_at: 0,
        }
    }

    fn signed(list: &Revocations, by: u8) -> Blob {
        Blob(dsse::sign(list, &key(by)))
    }

    #[test]
    fn t17_a_list_of_any_other_key_or_tenant_or_a_withheld_one_takes_no_device_off_and_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path().to_owned());
        let bundle = bundle(&[5, 6]);
        let seen = signed(&list(7, &[1, 2]), 6);
        profile.heed_revocations(Some(&seen), &bundle, NOW).unwrap();
        let foreign = Revocations { tenant: TenantId([9; 8]), ..list(NOW + 9, &[3]) };
        let older = signed(&list(6, &[]), 5);
        for shown in [
            None,
            Some(signed(&list(u64::MAX, &[3]), 66)),
            Some(signed(&foreign, 5)),
            Some(older),
            Some(Blob(b"{}".to_vec())),
        ] {
            profile.heed_revocations(shown.as_ref(), &bundle, NOW).unwrap();
            let mut revoked = profile.revoked(TENANT).unwrap();
            let newest = in_force(shown.as_ref(), &bundle).map_or(0, |list| list.version);
            let next = revoked.next(newest, NOW).unwrap();
            assert_eq!((next.version, next.devices), (NOW, vec![device(1), device(2)]), "{shown:?}");
        }
        assert_eq!(profile.revoked(TenantId([9; 8])).unwrap(), Revoked::none(TenantId([9; 8])));
    }

    #[test]
    fn t17_each_list_is_above_every_one_before_and_has_what_two_computers_have_added() {
        let mut revoked = Revoked::none(TENANT);
        revoked.heed(&list(3, &[2, 1]), NOW);
        revoked.heed(&list(NOW + 5, &[4, 1]), NOW);
        revoked.add(device(9), NOW);
        let first = revoked.next(NOW + 5, NOW).unwrap();
        assert_eq!(first.version, NOW + 6);
        assert_eq!(first.devices, [9, 4, 2, 1].map(device));
        // The server has lost all of it, and the clock goes on.
        assert_eq!(revoked.next(0, NOW + 2).unwrap().version, NOW + 7);
        assert_eq!(revoked.next(2, NOW + 60).unwrap().version, NOW + 60);
    }

    #[test]
    fn t17_a_number_that_no_clock_has_come_to_is_not_gone_on_from_once_its_key_is_dropped() {
        let mut revoked = Revoked::none(TENANT);
        let ahead = NOW + 400 * 24 * 3600;
        revoked.heed(&list(ahead, &[1]), NOW);
        assert_eq!(revoked.next(ahead, NOW).unwrap().version, ahead + 1, "while its key is in force");
        assert!(revoked.next(0, NOW).unwrap().version <= NOW + CLOCK_TOLERANCE_S + 1);
        revoked.heed(&list(u64::MAX, &[2]), NOW);
        assert_eq!(revoked.next(u64::MAX, NOW), None);
        assert!(revoked.next(0, NOW).unwrap().version <= NOW + CLOCK_TOLERANCE_S + 2);
    }

    #[test]
    fn t17_where_a_list_is_full_the_device_goes_whose_certificate_ends_first() {
        let mut revoked = Revoked::none(TENANT);
        for n in (0..MAX_REVOKED).rev() {
            revoked.add(device(n), if n == 40 { NOW - LIFE } else { NOW });
        }
        let full: Vec<DeviceKey> = (0..MAX_REVOKED).map(device).collect();
        assert_eq!(revoked.next(0, NOW).unwrap().devices, full);
        revoked.add(device(500), NOW);
        revoked.add(device(501), NOW);
        let kept = revoked.next(0, NOW).unwrap().devices;
        assert!(kept.len() == MAX_REVOKED && kept.starts_with(&[501, 500].map(device)));
        let gone: Vec<&DeviceKey> = full.iter().filter(|device| !kept.contains(device)).collect();
        assert_eq!(gone, [&device(40), &device(MAX_REVOKED - 1)]);
        // They are not forgotten here, only on the list.
        assert_eq!(revoked.devices.len(), MAX_REVOKED + 2);
    }
}
