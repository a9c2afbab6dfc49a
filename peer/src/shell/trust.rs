//! Which server this program trusts: the signed bundle, under the root key pinned at its
//! first use and along that root's handovers; and the list of revoked devices.
//!
//! Decides what a bundle must fulfil. Nothing unsigned (a file's name, the
//! environment, an argument) changes server, keys or pins afterwards, and nothing
//! older takes the place of what was seen (T70).

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, BundleRefused, Known, ListMark, TrustNews};
use tasuki_protocol::certificate::Authorities;
use tasuki_protocol::dsse::{MAX_ENVELOPE_BYTES, strict_json};
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::revoked::{RevokedDevices, in_force, note_list};
use tasuki_protocol::signal;

use super::fault::Fault;
use super::profile::Profile;

/// Where the computer's administrator puts the bundle for all users.
pub const SYSTEM_FOLDER: &str = "/etc/tasuki";
/// The newest list, as earlier versions kept it.
const REVOCATIONS_FILE: &str = "revocations.json";
const REVOKED_FILE: &str = "revoked.json";

/// A bundle whose signature held, by the root that this user's programs know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    pub bundle: Bundle,
    pub file: PathBuf,
    /// Devices whose certificates count no more.
    revoked: RevokedDevices,
    /// The lists that said so.
    lists: Vec<ListMark>,
}

/// What of it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptRevoked {
    tenant: TenantId,
    devices: RevokedDevices,
    /// A file of before they were asked for does not say.
    #[serde(default)]
    lists: Vec<ListMark>,
}

impl Trust {
    /// Reads `file`, or the newest bundle found in [`SYSTEM_FOLDER`] and the profile.
    ///
    /// # Errors
    /// [`Fault::NotSetUp`] without a bundle, [`Fault::Bundle`] for one that does not
    /// hold, [`Fault::OtherRoot`] for one of another organisation, [`Fault::OldBundle`]
    /// for one that is older than what was seen before.
    pub fn load(file: Option<&Path>, profile: &Profile) -> Result<Self, Fault> {
        let known = profile.known()?;
        let (bundle, file) = match file {
            Some(file) => match open(file, known.as_ref(), profile) {
                Ok(bundle) => (bundle, file.to_owned()),
                // Whoever names the file he was once given goes on with what was followed since.
                Err(Fault::OldBundle { file }) => {
                    find(known.as_ref(), profile).map_err(|_| Fault::OldBundle { file })?
                }
                Err(Fault::OtherRoot { file, pin }) => {
                    let since = followed_since(&file, known.as_ref(), profile);
                    since.ok_or(Fault::OtherRoot { file, pin })?
                }
                Err(fault) => return Err(fault),
            },
            None => find(known.as_ref(), profile)?,
        };
        if known != Some(bundle.known()) {
            profile.keep_known(&bundle.known())?;
        }
        keep(&bundle, &file, profile)?;
        let KeptRevoked { devices: revoked, lists, .. } = kept_revoked(bundle.tenant, profile)?;
        let mut trust = Self { bundle, file, revoked, lists };
        if let Ok(envelope) = read(&profile.state.join(REVOCATIONS_FILE)) {
            trust.heed(&Blob(envelope));
        }
        Ok(trust)
    }

    pub(super) fn follow(&mut self, news: &TrustNews, profile: &Profile) -> Result<(), Fault> {
        let newest = news.bundle(&self.bundle.known());
        let newest = newest.map_err(|refused| {
            // No file is newer than the one that is here.
            let went_back = matches!(refused, BundleRefused::Rollback { .. });
            if went_back { Fault::ServerWentBack } else { fault(refused, &self.file, profile) }
        })?;
        if newest.version > self.bundle.version {
            profile.write(BUNDLE_FILE, &news.bundle.0)?;
            profile.keep_known(&newest.known())?;
            self.bundle = newest;
        }
        if let Some(list) = &news.revocations
            && self.heed(list)
        {
            let (tenant, devices, lists) =
                (self.bundle.tenant, self.revoked.clone(), self.lists.clone());
            let kept = signal::encode(&KeptRevoked { tenant, devices, lists });
            profile.write(REVOKED_FILE, kept.as_bytes())?;
        }
        Ok(())
    }

    /// Adds what a list says to what was heard before. One that does not hold is as none, and what one leaves out
    /// stays: whatever its number, no list takes another's word back (T17).
    fn heed(&mut self, envelope: &Blob) -> bool {
        let Some((list, by)) = in_force(envelope, &self.bundle) else { return false };
        let before = (self.revoked.clone(), self.lists.clone());
        self.revoked.heed(&list, by, unix());
        // A key that was dropped never comes back.
        self.lists.retain(|mark| self.bundle.lock_keys.contains(&mark.by));
        note_list(&mut self.lists, ListMark { version: list.version, by });
        (&self.revoked, &self.lists) != (&before.0, &before.1)
    }

    /// Whether the list of revoked devices was seen that the bundle asks for: without it a certificate may be one
    /// that was taken back, and no operator is known (T14).
    pub(super) fn knows_who_is_out(&self) -> bool {
        self.bundle.is_content_with(&self.lists)
    }

    /// Whose word counts in sessions of this program; nobody's of operators, while it is not known who is out.
    pub fn authorities(&self) -> Authorities {
        let lock_keys = if self.knows_who_is_out() { &self.bundle.lock_keys[..] } else { &[] };
        Authorities {
            tenant: self.bundle.tenant,
            manifest_keys: self.bundle.manifest_keys.clone(),
            lock_keys: lock_keys.to_vec(),
            revoked: self.revoked.devices(&self.bundle.lock_keys),
            unix: unix(),
        }
    }
}

pub(super) fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What this user's programs have heard to be out. A file that cannot be read is no empty one.
fn kept_revoked(tenant: TenantId, profile: &Profile) -> Result<KeptRevoked, Fault> {
    let none = || KeptRevoked { tenant, devices: RevokedDevices::default(), lists: Vec::new() };
    let file = profile.state.join(REVOKED_FILE);
    let kept = match std::fs::read(&file) {
        Ok(kept) => kept,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(none()),
        Err(why) => return Err(Fault::Profile { file, why: why.to_string() }),
    };
    let kept: KeptRevoked = strict_json(&kept).map_err(|_| Fault::damaged(&file))?;
    Ok(if kept.tenant == tenant { kept } else { none() })
}

/// The next program finds the bundle without being told; nothing newer is written over.
fn keep(bundle: &Bundle, file: &Path, profile: &Profile) -> Result<(), Fault> {
    let kept = profile.state.join(BUNDLE_FILE);
    let before = read(&kept).ok().and_then(|envelope| Bundle::open_first(&envelope).ok());
    if kept == file || before.is_some_and(|before| before.version >= bundle.version) {
        return Ok(());
    }
    profile.write(BUNDLE_FILE, &read(file)?)
}

/// What this user's programs have followed since they were given `file`, where that is of the same organisation and
/// its root was another by then: nothing of it counts, only that it is no other's.
fn followed_since(file: &Path, known: Option<&Known>, profile: &Profile) -> Option<(Bundle, PathBuf)> {
    let given = Bundle::open_first(&read(file).ok()?).ok()?;
    let (newest, place) = find(known, profile).ok()?;
    (given.tenant == newest.tenant && given.version < newest.version).then_some((newest, place))
}

/// The newest bundle that holds; if none does, what is wrong with the first.
fn find(known: Option<&Known>, profile: &Profile) -> Result<(Bundle, PathBuf), Fault> {
    let places = [Path::new(SYSTEM_FOLDER), &profile.config, &profile.state];
    let mut first_fault = None;
    let mut newest: Option<(Bundle, PathBuf)> = None;
    for file in places.map(|folder| folder.join(BUNDLE_FILE)).into_iter().filter(|f| f.exists()) {
        match open(&file, known, profile) {
            Ok(bundle) if newest.as_ref().is_none_or(|(old, _)| old.version < bundle.version) => {
                newest = Some((bundle, file));
            }
            Ok(_) => {}
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    newest.ok_or_else(|| first_fault.unwrap_or(Fault::NotSetUp))
}

fn open(file: &Path, known: Option<&Known>, profile: &Profile) -> Result<Bundle, Fault> {
    let envelope = read(file)?;
    let opened = match known {
        Some(known) => Bundle::open(&envelope, known),
        None => Bundle::open_first(&envelope),
    };
    opened.map_err(|refused| fault(refused, file, profile))
}

fn fault(refused: BundleRefused, file: &Path, profile: &Profile) -> Fault {
    let file = file.to_owned();
    match refused {
        BundleRefused::OtherRoot => Fault::OtherRoot { file, pin: profile.root_pin() },
        BundleRefused::Rollback { .. } => Fault::OldBundle { file },
        BundleRefused::Version { theirs } => Fault::OtherVersion { theirs },
        BundleRefused::Document(_) | BundleRefused::Unusable => {
            Fault::Bundle { file, why: refused.to_string() }
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |why: std::io::Error| {
        if why.kind() == ErrorKind::NotFound {
            return Fault::NoSuchBundle { file: file.to_owned() };
        }
        Fault::Bundle { file: file.to_owned(), why: why.to_string() }
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_ENVELOPE_BYTES).unwrap_or(u64::MAX) + 1;
    std::fs::File::open(file).map_err(fault)?.take(limit).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes.trim_ascii().to_vec())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use tasuki_protocol::certificate::Revocations;
    use tasuki_protocol::dsse;
    use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
    use tasuki_protocol::log_key::LogSecretKey;

    pub(in crate::shell) fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn public(n: u8) -> DeviceKey {
        DeviceKey(key(n).verifying_key().to_bytes())
    }

    pub(in crate::shell) fn bundle(organisation: &str, root: u8, version: u64) -> Bundle {
        Bundle {
            v: PROTOCOL_VERSION,
            version,
            tenant: TenantId([1; 8]),
            organisation: organisation.to_owned(),
            host: "help.example".to_owned(),
            port: 443,
            root: public(root),
            server_pins: vec![Digest([2; 32])],
            manifest_keys: vec![public(50)],
            checkpoint_keys: vec![public(51)],
            lock_keys: vec![public(52)],
            log_keys: vec![LogSecretKey::from_bytes([1; 32]).public()],
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: 0,
            expires_at: u64::MAX,
        }
    }

    fn signed(organisation: &str, root: u8, version: u64) -> Vec<u8> {
        dsse::sign(&bundle(organisation, root, version), &key(root))
    }

    struct Place {
        folder: tempfile::TempDir,
        profile: Profile,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let profile = Profile::at(folder.path());
            Self { folder, profile }
        }

        fn load(&self, envelope: &[u8]) -> Result<Trust, Fault> {
            let file = self.folder.path().join("given.json");
            std::fs::write(&file, envelope).unwrap();
            Trust::load(Some(&file), &self.profile)
        }
    }

    #[test]
    fn t70_a_bundle_under_another_root_is_refused_once_one_is_known() {
        let place = Place::new();
        assert!(place.load(&signed("Example", 1, 1)).is_ok());
        assert!(matches!(place.load(&signed("Example", 2, 2)), Err(Fault::OtherRoot { .. })));
        assert!(place.load(&signed("Example", 1, 1)).is_ok());
    }

    #[test]
    fn t70_an_older_bundle_never_takes_the_place_of_a_newer_one_that_was_seen() {
        let place = Place::new();
        assert!(place.load(&signed("Example", 1, 5)).is_ok());
        assert_eq!(place.load(&signed("Example", 1, 4)).unwrap().bundle.version, 5);
        assert_eq!(Trust::load(None, &place.profile).unwrap().bundle.version, 5);
        // Somebody puts an old file where the newest was kept: nothing is trusted at all.
        std::fs::write(place.profile.state.join(BUNDLE_FILE), signed("Example", 1, 4)).unwrap();
        assert!(matches!(place.load(&signed("Example", 1, 4)), Err(Fault::OldBundle { .. })));
        assert!(matches!(Trust::load(None, &place.profile), Err(Fault::OldBundle { .. })));
        assert_eq!(place.load(&signed("Example", 1, 6)).unwrap().bundle.version, 6);
    }

    #[test]
    fn t69_a_new_root_is_followed_only_along_its_handovers() {
        let place = Place::new();
        let mut trust = place.load(&signed("Example", 1, 1)).unwrap();
        let handover = |to: u8, by: &[u8], version| {
            let keys: Vec<SigningKey> = by.iter().map(|n| key(*n)).collect();
            let keys: Vec<&SigningKey> = keys.iter().collect();
            Blob(dsse::sign_by_all(&bundle("Example", to, version), &keys))
        };
        let news = |handovers: Vec<Blob>, bundle: Vec<u8>| TrustNews {
            bundle: Blob(bundle),
            handovers,
            revocations: None,
        };
        let chain = vec![handover(2, &[2, 1], 2), handover(3, &[3, 2], 3)];
        let strange = news(vec![handover(2, &[2], 2)], signed("Example", 2, 3));
        assert!(matches!(trust.follow(&strange, &place.profile), Err(Fault::OtherRoot { .. })));
        let gap = news(chain[1..].to_vec(), signed("Example", 3, 4));
        assert!(matches!(trust.follow(&gap, &place.profile), Err(Fault::OtherRoot { .. })));
        trust.follow(&news(chain, signed("Example", 3, 4)), &place.profile).unwrap();
        assert_eq!((trust.bundle.root, trust.bundle.version), (public(3), 4));
        assert!(matches!(place.load(&signed("Example", 1, 9)), Err(Fault::OtherRoot { .. })));
        assert!(Trust::load(None, &place.profile).is_ok());
        // Started with the file that it was given at first, it goes on with what it has followed.
        assert_eq!(place.load(&signed("Example", 1, 1)).unwrap().bundle.root, public(3));
        let other = Bundle { tenant: TenantId([2; 8]), ..bundle("Example", 1, 1) };
        let other = dsse::sign(&other, &key(1));
        assert!(matches!(place.load(&other), Err(Fault::OtherRoot { .. })));
    }

    fn listing(version: u64, devices: &[u8], by: u8) -> Option<Blob> {
        let devices = devices.iter().map(|n| public(*n)).collect();
        let (v, tenant) = (PROTOCOL_VERSION, TenantId([1; 8]));
        let list = Revocations { v, tenant, version, devices, issued_at: 0 };
        Some(Blob(dsse::sign(&list, &key(by))))
    }

    #[test]
    fn t17_what_was_revoked_stays_so_whatever_a_later_list_leaves_out_or_a_server_forgets() {
        let place = Place::new();
        let mut trust = place.load(&signed("Example", 1, 1)).unwrap();
        let list = |version, devices: &[u8], by| TrustNews {
            bundle: Blob(signed("Example", 1, 1)),
            handovers: Vec::new(),
            revocations: listing(version, devices, by),
        };
        trust.follow(&list(2, &[7, 8], 52), &place.profile).unwrap();
        for forgotten in
            [list(1, &[], 52), list(3, &[], 52), list(u64::MAX, &[], 52), list(3, &[9], 50)]
        {
            trust.follow(&forgotten, &place.profile).unwrap();
            assert_eq!(trust.authorities().revoked, [public(7), public(8)]);
        }
        trust.follow(&list(3, &[9], 52), &place.profile).unwrap();
        let again = place.load(&signed("Example", 1, 1)).unwrap();
        assert_eq!(again.authorities().revoked, [public(9), public(7), public(8)]);
    }

    #[test]
    fn t14_where_the_list_is_not_shown_that_the_bundle_asks_for_no_operator_is_known() {
        let place = Place::new();
        let mark = |version, by| Some(ListMark { version, by: public(by) });
        let bundle = |version, least_list| Bundle { least_list, ..bundle("Example", 1, version) };
        let asking = dsse::sign(&bundle(2, mark(5, 52)), &key(1));
        let mut trust = place.load(&asking).unwrap();
        let news = |revocations| TrustNews {
            bundle: Blob(asking.clone()),
            handovers: Vec::new(),
            revocations,
        };
        let knows = |trust: &Trust| !trust.authorities().lock_keys.is_empty();
        assert!(!knows(&trust), "at a first run nothing was seen");
        for withheld in [None, listing(4, &[7], 52), listing(9, &[7], 53)] {
            trust.follow(&news(withheld.clone()), &place.profile).unwrap();
            assert!(!knows(&trust) && !trust.knows_who_is_out(), "{withheld:?}");
        }
        trust.follow(&news(listing(5, &[8, 7], 52)), &place.profile).unwrap();
        assert!(knows(&trust));
        assert_eq!(trust.authorities().revoked, [public(8), public(7)]);
        // What was seen once is not asked for again, and a list of before is none the less heeded.
        assert!(knows(&place.load(&asking).unwrap()));
        trust.follow(&news(None), &place.profile).unwrap();
        assert!(knows(&trust));
        // With the key that signed it goes what it asks for.
        let dropped = Bundle { lock_keys: vec![public(53)], ..bundle(3, mark(5, 52)) };
        let fresh = Place::new();
        assert!(knows(&fresh.load(&dsse::sign(&dropped, &key(1))).unwrap()));
        let asking = Bundle { lock_keys: vec![public(53)], ..bundle(4, mark(6, 53)) };
        let mut trust = place.load(&dsse::sign(&asking, &key(1))).unwrap();
        assert!(!knows(&trust), "a list under a dropped key is none");
        let news = TrustNews {
            bundle: Blob(dsse::sign(&asking, &key(1))),
            handovers: Vec::new(),
            revocations: listing(7, &[9], 53),
        };
        trust.follow(&news, &place.profile).unwrap();
        assert!(knows(&trust));
    }

    #[test]
    fn t17_what_a_dropped_lock_key_revoked_is_in_again() {
        let place = Place::new();
        let mut trust = place.load(&signed("Example", 1, 1)).unwrap();
        let dropped = Bundle { lock_keys: vec![public(53)], ..bundle("Example", 1, 2) };
        for (bundle, version, by, out) in [
            (bundle("Example", 1, 1), u64::MAX, 52, vec![public(7)]),
            (dropped.clone(), u64::MAX, 52, vec![]),
            (dropped, 1, 53, vec![public(7)]),
        ] {
            let (bundle, revocations) = (dsse::sign(&bundle, &key(1)), listing(version, &[7], by));
            let news = TrustNews { bundle: Blob(bundle), handovers: Vec::new(), revocations };
            trust.follow(&news, &place.profile).unwrap();
            assert_eq!(trust.authorities().revoked, out, "{version} {by}");
        }
    }

    #[test]
    fn a_bundle_with_any_byte_changed_is_refused_and_pins_nothing() {
        let place = Place::new();
        let good = signed("Example", 1, 1);
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(place.load(&bad).is_err(), "byte {at}");
        }
        assert_eq!(place.profile.known(), Ok(None));
    }

    #[test]
    fn t8_an_organisation_whose_name_deceives_is_refused() {
        let place = Place::new();
        let loaded = place.load(&signed("Exa\u{202E}mple", 1, 1));
        assert!(matches!(loaded, Err(Fault::Bundle { .. })));
    }
}
