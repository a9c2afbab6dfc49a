//! Which devices are out, as far as this computer has seen or ordered it. Every list goes on from there, so
//! that a server whose database is older, or that withholds a list, takes nothing back by it (T14, T17). What
//! a computer sees for the first time nobody but the server vouches for: then a person does, once.
//!
//! It refuses to know why a server does not show a list.

use std::fs;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, CLOCK_TOLERANCE_S};
use tasuki_protocol::certificate::Revocations;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::revoked::{RevokedDevices, in_force};
use tasuki_protocol::signal;

use crate::fault::Fault;
use crate::profile::Profile;

const REVOKED: &str = "revoked.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    tenant: TenantId,
    /// Of the newest list.
    version: u64,
    devices: RevokedDevices,
    /// That there is no list but what stands here was said by somebody else than a server. A file of before this was
    /// asked does not say.
    #[serde(default)]
    is_vouched_for: Option<bool>,
}

impl Revoked {
    pub fn none(tenant: TenantId) -> Self {
        Self { tenant, version: 0, devices: RevokedDevices::default(), is_vouched_for: Some(false) }
    }

    /// Where the organisation's keys were made a moment ago: nobody can have revoked anything.
    pub fn at_the_beginning(tenant: TenantId) -> Self {
        Self { is_vouched_for: Some(true), ..Self::none(tenant) }
    }

    pub fn is_vouched_for(&self) -> bool {
        self.is_vouched_for.unwrap_or(self.devices != RevokedDevices::default())
    }

    pub fn vouch(&mut self) {
        self.is_vouched_for = Some(true);
    }

    /// Which devices are out, the newest first.
    pub fn devices(&self, bundle: &Bundle) -> Vec<DeviceKey> {
        self.devices.devices(&bundle.lock_keys)
    }

    /// Takes a device for one that is out.
    pub fn add(&mut self, device: DeviceKey, now: u64) {
        self.devices.add(device, now);
    }

    /// Takes over what `list` says, which `by` signed, a key that may. A number that no clock has come to
    /// is not gone on from later: the key that signed it may be dropped for that very number.
    pub fn heed(&mut self, list: &Revocations, by: DeviceKey, now: u64) {
        self.devices.heed(list, by, now);
        if list.version <= now.saturating_add(CLOCK_TOLERANCE_S) {
            self.version = self.version.max(list.version);
        }
    }

    /// The list that comes after all that were seen here, and after one of version `newest`. Versions count
    /// seconds, as bundles' do that go on from what a server has lost: so none is above it that was made in
    /// the usual way, seen on this computer or not. `None`: after that one there is no number.
    pub fn next(&mut self, newest: u64, lock_keys: &[DeviceKey], now: u64) -> Option<Revocations> {
        let version = self.version.max(newest).checked_add(1)?.max(now);
        self.version = self.version.max(version.min(now.saturating_add(CLOCK_TOLERANCE_S)));
        let (v, tenant, devices) = (PROTOCOL_VERSION, self.tenant, self.devices.list(lock_keys));
        Some(Revocations { v, tenant, version, devices, issued_at: now })
    }
}

impl Profile {
    /// # Errors
    /// [`Fault::DamagedKey`]: what was seen is not to be read any more.
    pub fn revoked(&self, tenant: TenantId) -> Result<Revoked, Fault> {
        let file = self.folder().join(REVOKED);
        let kept = match fs::read(&file) {
            Ok(kept) => kept,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Revoked::none(tenant)),
            Err(_) => return Err(Fault::DamagedKey(file)),
        };
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
        let in_force = envelope.and_then(|envelope| in_force(envelope, bundle));
        let Some((list, by)) = in_force else { return Ok(()) };
        let before = self.revoked(bundle.tenant)?;
        let mut after = before.clone();
        after.heed(&list, by, now);
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
    const LOCK: DeviceKey = DeviceKey([0xaa; 32]);

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
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
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
            let newest = shown.as_ref().and_then(|shown| in_force(shown, &bundle));
            let newest = newest.map_or(0, |(list, _)| list.version);
            let next = revoked.next(newest, &bundle.lock_keys, NOW).unwrap();
            assert_eq!((next.version, next.devices), (NOW, vec![device(1), device(2)]), "{shown:?}");
        }
        assert_eq!(profile.revoked(TenantId([9; 8])).unwrap(), Revoked::none(TenantId([9; 8])));
    }

    #[test]
    fn t17_each_list_is_above_every_one_before_and_has_what_two_computers_have_added() {
        let mut revoked = Revoked::none(TENANT);
        revoked.heed(&list(3, &[2, 1]), LOCK, NOW);
        revoked.heed(&list(NOW + 5, &[4, 1]), LOCK, NOW);
        revoked.add(device(9), NOW);
        let first = revoked.next(NOW + 5, &[LOCK], NOW).unwrap();
        assert_eq!(first.version, NOW + 6);
        assert_eq!(first.devices, [9, 4, 2, 1].map(device));
        // The server has lost all of it, and the clock goes on.
        assert_eq!(revoked.next(0, &[LOCK], NOW + 2).unwrap().version, NOW + 7);
        assert_eq!(revoked.next(2, &[LOCK], NOW + 60).unwrap().version, NOW + 60);
    }

    #[test]
    fn t17_a_number_that_no_clock_has_come_to_is_not_gone_on_from_once_its_key_is_dropped() {
        let mut revoked = Revoked::none(TENANT);
        let ahead = NOW + 400 * 24 * 3600;
        revoked.heed(&list(ahead, &[1]), LOCK, NOW);
        assert_eq!(
            revoked.next(ahead, &[LOCK], NOW).unwrap().version,
            ahead + 1,
            "while its key is in force"
        );
        assert!(revoked.next(0, &[LOCK], NOW).unwrap().version <= NOW + CLOCK_TOLERANCE_S + 1);
        revoked.heed(&list(u64::MAX, &[2]), LOCK, NOW);
        assert_eq!(revoked.next(u64::MAX, &[LOCK], NOW), None);
        assert!(revoked.next(0, &[LOCK], NOW).unwrap().version <= NOW + CLOCK_TOLERANCE_S + 2);
    }

    #[test]
    fn t17_what_was_seen_and_cannot_be_read_is_no_empty_list() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path().to_owned());
        assert_eq!(profile.revoked(TENANT).unwrap(), Revoked::none(TENANT));
        fs::create_dir(folder.path().join(REVOKED)).unwrap();
        assert!(matches!(profile.revoked(TENANT), Err(Fault::DamagedKey(_))));
    }
}
