//! The tenant bundle: which server, which keys. What an agent and an operator's
//! program trust, in one document signed by the tenant's root key, which lives on
//! the administrator's machine and never on the server.
//!
//! Nothing unsigned (a file's name, the environment, a link) changes what stands
//! here once a bundle is present, and no older bundle takes the place of a newer
//! one (T69, T70).

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::dsse::{self, Document, DocumentRefused};
use crate::ids::{DeviceKey, Digest, PROTOCOL_VERSION, TenantId};
use crate::log_key::LogPublicKey;
use crate::showable::is_showable_name;

/// The file name by which programs look for it in their configuration folder.
pub const BUNDLE_FILE: &str = "tenant.json";
/// `GET` → [`TrustNews`], for programs that hold a bundle already.
pub const TRUST_PATH: &str = "/v1/trust";
/// The most keys of one kind: the one in use, the one before, the one to come, and one to spare.
pub const MAX_KEYS: usize = 4;
/// The most words of former roots that go on counting: half of them about removals, half about restores.
pub const MAX_EARLIER_DECREES: usize = 64;
/// By how much a reader's clock may be wrong, in seconds, before a document's dates bind it. F12.
pub const CLOCK_TOLERANCE_S: u64 = 25 * 3600;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    pub v: u16,
    /// Rises with every change; a reader never goes back to a lower one.
    pub version: u64,
    pub tenant: TenantId,
    /// Shown to people as the organisation's name. T8.
    pub organisation: String,
    pub host: String,
    pub port: u16,
    /// The key that signs this and the next bundle.
    pub root: DeviceKey,
    /// SHA-256 of the server certificate's SubjectPublicKeyInfo (RFC 7469's pin), the one
    /// in use first. S72.
    pub server_pins: Vec<Digest>,
    /// Keys that may sign manifests.
    pub manifest_keys: Vec<DeviceKey>,
    /// Keys that may sign the log's checkpoints.
    pub checkpoint_keys: Vec<DeviceKey>,
    /// Keys that may sign operators' device certificates and their revocation.
    pub lock_keys: Vec<DeviceKey>,
    /// To whom log records are sealed: the newest first.
    pub log_keys: Vec<LogPublicKey>,
    /// What the server keeps of their private halves ([`crate::keys::digest_of_wrapped`]): an exported ledger
    /// has them in it, and whoever holds the file alone sees whether they are whole (S57).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped_log_keys: Option<Digest>,
    /// Whoever has seen no list of revoked devices as new as this believes no certificate: a server that leaves it
    /// out brings nobody back (T14). None: nothing was ever revoked, or by a program of before it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_list: Option<ListMark>,
    /// What former roots said of the ledger ([`crate::ledger::audit::Tombstone`], [`crate::ledger::audit::Acknowledgement`])
    /// and this one signs for: SHA-256 of each envelope. Nothing that a former root signs from then on counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_decrees: Vec<Digest>,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds. Afterwards a program asks for a newer one and does nothing else.
    pub expires_at: u64,
}

/// One list of revoked devices among all of an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListMark {
    pub version: u64,
    /// The lock key that signed it: what is asked for by a list is asked for no longer than that key is in force.
    pub by: DeviceKey,
}

impl Document for Bundle {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.bundle.v1+json";
}

/// What a program remembers of the bundles it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub root: DeviceKey,
    /// The highest version seen.
    pub version: u64,
}

/// What a server tells a program that holds a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustNews {
    /// The newest bundle's envelope.
    pub bundle: Blob,
    /// Bundles by which the root changed, oldest first: each signed by the root before it too.
    pub handovers: Vec<Blob>,
    /// The newest [`crate::certificate::Revocations`], if there ever was one.
    pub revocations: Option<Blob>,
}

impl Bundle {
    /// The bundle in `envelope`, for a program that knows none yet: its root is then pinned.
    ///
    /// # Errors
    /// See [`BundleRefused`].
    pub fn open_first(envelope: &[u8]) -> Result<Self, BundleRefused> {
        open(envelope).map(|(bundle, _)| bundle)
    }

    /// The bundle in `envelope`, for a program that knows an earlier one.
    ///
    /// # Errors
    /// [`BundleRefused::OtherRoot`] if the known root has neither signed it nor its handover,
    /// [`BundleRefused::Rollback`] for an older one; see [`BundleRefused`].
    pub fn open(envelope: &[u8], known: &Known) -> Result<Self, BundleRefused> {
        let (bundle, signers) = open(envelope)?;
        if !signers.contains(&known.root) {
            return Err(BundleRefused::OtherRoot);
        }
        if bundle.version < known.version {
            return Err(BundleRefused::Rollback { known: known.version, given: bundle.version });
        }
        Ok(bundle)
    }

    pub fn known(&self) -> Known {
        Known { root: self.root, version: self.version }
    }

    /// Whether it is past its time on a clock that says `unix`, give or take a day.
    pub fn is_expired(&self, unix: u64) -> bool {
        unix > self.expires_at.saturating_add(CLOCK_TOLERANCE_S)
    }

    /// Whether somebody who has seen these lists, and no newer ones, may believe a certificate.
    pub fn is_content_with(&self, seen: &[ListMark]) -> bool {
        let in_force = |mark: &ListMark| self.lock_keys.contains(&mark.by);
        self.least_list
            .filter(in_force)
            .is_none_or(|least| seen.iter().any(|mark| in_force(mark) && mark.version >= least.version))
    }

    /// From this bundle on nobody is content with less than `list`, unless it is asked for more already.
    #[must_use]
    pub fn asking_for(self, list: Option<ListMark>) -> Self {
        let Some(list) = list.filter(|list| self.lock_keys.contains(&list.by)) else { return self };
        if self.least_list.is_some() && !self.is_content_with(&[list]) {
            return self;
        }
        Self { least_list: Some(list), ..self }
    }

    fn is_usable(&self) -> bool {
        let few = |count: usize| (1..=MAX_KEYS).contains(&count);
        self.version > 0
            && !self.host.is_empty()
            && is_showable_name(&self.organisation)
            && few(self.server_pins.len())
            && few(self.manifest_keys.len())
            && few(self.checkpoint_keys.len())
            && few(self.lock_keys.len())
            && few(self.log_keys.len())
            && self.earlier_decrees.len() <= MAX_EARLIER_DECREES
    }
}

impl TrustNews {
    /// The newest bundle, for a program that knows `known`, along the chain of roots.
    ///
    /// # Errors
    /// As [`Bundle::open`], of the first link that does not hold.
    pub fn bundle(&self, known: &Known) -> Result<Bundle, BundleRefused> {
        let mut known = *known;
        for handover in &self.handovers {
            match Bundle::open(&handover.0, &known) {
                Ok(bundle) => known = bundle.known(),
                // Handed over before this program's time.
                Err(BundleRefused::Rollback { .. } | BundleRefused::OtherRoot) => {}
                Err(refused) => return Err(refused),
            }
        }
        Bundle::open(&self.bundle.0, &known)
    }

    /// The bundles by which `root` and the roots before it came, newest first, as far as they are shown: each is signed
    /// by the root that it brought and by the one before that, so that nobody else can add one.
    pub fn successions(&self, root: DeviceKey) -> Vec<Bundle> {
        let (mut heirs, mut came) = (vec![root], Vec::new());
        for handover in self.handovers.iter().rev() {
            let Ok((bundle, signers)) = open(&handover.0) else { continue };
            if heirs.contains(&bundle.root) && signers.len() > 1 {
                heirs = signers.into_iter().filter(|signer| *signer != bundle.root).collect();
                came.push(bundle);
            }
        }
        came
    }
}

fn open(envelope: &[u8]) -> Result<(Bundle, Vec<DeviceKey>), BundleRefused> {
    if let Some(theirs) = dsse::payload_version(envelope).filter(|v| *v != PROTOCOL_VERSION) {
        return Err(BundleRefused::Version { theirs });
    }
    let (bundle, signers) = dsse::open_cosigned::<Bundle>(envelope)?;
    if !signers.contains(&bundle.root) {
        return Err(BundleRefused::OtherRoot);
    }
    if bundle.is_usable() { Ok((bundle, signers)) } else { Err(BundleRefused::Unusable) }
}

/// Why a bundle changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BundleRefused {
    #[error(transparent)]
    Document(#[from] DocumentRefused),
    #[error("the bundle is of protocol version {theirs}")]
    Version { theirs: u16 },
    #[error("the bundle was not signed by the known organisation's root key")]
    OtherRoot,
    #[error("the bundle is version {given}, and version {known} is known already")]
    Rollback { known: u64, given: u64 },
    #[error("the bundle lacks a key, a host or a name that can be shown")]
    Unusable,
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::log_key::LogSecretKey;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(&[byte; 32])
    }

    fn public(byte: u8) -> DeviceKey {
        DeviceKey(key(byte).verifying_key().to_bytes())
    }

    fn signed(version: u64, root: u8, by: &[u8]) -> Blob {
        let bundle = Bundle {
            v: PROTOCOL_VERSION,
            version,
            tenant: TenantId([1; 8]),
            organisation: "Example KK".to_owned(),
            host: "localhost".to_owned(),
            port: 443,
            root: public(root),
            server_pins: vec![Digest([2; 32])],
            manifest_keys: vec![public(3)],
            checkpoint_keys: vec![public(4)],
            lock_keys: vec![public(5)],
            log_keys: vec![LogSecretKey::from_bytes([6; 32]).public()],
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: version,
            expires_at: 1000,
        };
        let keys: Vec<SigningKey> = by.iter().copied().map(key).collect();
        Blob(dsse::sign_by_all(&bundle, &keys.iter().collect::<Vec<_>>()))
    }

    /// T69: whoever runs the server shows documents; which of them were handovers their signatures say.
    #[test]
    fn t69_no_root_came_by_a_bundle_that_the_root_before_it_has_not_signed() {
        let chain = [signed(2, 20, &[20, 10]), signed(5, 30, &[30, 20]), signed(7, 40, &[40, 30])];
        let came = |shown: Vec<Blob>| {
            let news = TrustNews { bundle: signed(9, 40, &[40]), handovers: shown, revocations: None };
            let came = news.successions(public(40));
            came.iter().map(|bundle| (bundle.version, bundle.root)).collect::<Vec<_>>()
        };
        let true_ones = [(7, public(40)), (5, public(30)), (2, public(20))];
        assert_eq!(came(chain.to_vec()), true_ones);
        // A stranger's, by himself and with another of his; and a bundle of the same root that hands nothing over.
        for strange in [signed(8, 66, &[66]), signed(8, 66, &[66, 67]), signed(8, 40, &[40])] {
            for at in 0..=chain.len() {
                let mut shown = chain.to_vec();
                shown.insert(at, strange.clone());
                assert_eq!(came(shown), true_ones, "at {at}");
            }
        }
        // What is hidden takes with it what only it led to.
        assert_eq!(came(vec![chain[0].clone(), chain[2].clone()]), true_ones[..1]);
    }
}
