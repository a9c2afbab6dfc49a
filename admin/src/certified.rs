//! How far the certificate of each device goes that was signed on this computer, or that a server shows of it: the next
//! one goes no further unless that is said (S37, T16).
//!
//! It refuses to know names, and what an account may.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::devices::{DeviceEntry, DeviceState};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::rights::{Capability, Mode};

use crate::profile::Profile;

/// How far a certificate goes, where that is less than the account. S37.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// None: as far as the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Vec<Mode>>,
    /// Rights that no policy can give.
    pub without: Vec<Capability>,
}

/// A certificate that was signed here and that a server has, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub operator: String,
    pub ceiling: Ceiling,
    /// SHA-256 of its envelope.
    certificate: Digest,
}

impl Signed {
    pub fn new(operator: &str, ceiling: Ceiling, envelope: &[u8]) -> Self {
        Self { operator: operator.to_owned(), ceiling, certificate: digest(envelope) }
    }
}

/// What is known of the certificate that a device has, before the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    ceiling: Ceiling,
    /// The modes of a certificate that somebody else signed, or that is not to be seen.
    others: Option<Vec<Mode>>,
}

impl Before {
    /// Of a device that `kept` was signed for here last, whose certificate is `shown` in force now; for one that never
    /// had any, `newest` is the ceiling of its operator's newest one.
    fn of(
        entry: &DeviceEntry,
        kept: Option<Signed>,
        (shown, newest): (Option<(Digest, Certificate)>, Ceiling),
    ) -> Self {
        let is_first = entry.not_after.is_none() && entry.state == DeviceState::Pending;
        let (ceiling, ours) = match kept {
            Some(kept) => (kept.ceiling, Some(kept.certificate)),
            None if is_first => return Self { ceiling: newest, others: None },
            None => (Ceiling::default(), None),
        };
        match shown {
            Some((shown, _)) if ours == Some(shown) => Self { ceiling, others: None },
            Some((_, certificate)) => {
                let mut without = ceiling.without;
                let more = withheld(&certificate).into_iter().filter(|right| !without.contains(right));
                let more: Vec<Capability> = more.collect();
                without.extend(more);
                let ceiling = Ceiling { modes: ceiling.modes, without };
                Self { ceiling, others: Some(certificate.modes) }
            }
            None => Self { ceiling, others: ours.is_none().then(Vec::new) },
        }
    }

    /// How far the next one goes: what is said now, else as far as this one.
    pub fn ceiling(&self, modes: Option<Vec<Mode>>, without: Option<Vec<Capability>>) -> Ceiling {
        let before = self.ceiling.clone();
        Ceiling { modes: modes.or(before.modes), without: without.unwrap_or(before.without) }
    }

    /// Its modes, where `modes` are more than those and it was not signed here; none where it is not to be seen.
    pub fn narrower_than(&self, modes: &[Mode]) -> Option<&[Mode]> {
        let others = self.others.as_deref()?;
        modes.iter().any(|mode| !others.contains(mode)).then_some(others)
    }
}

impl Profile {
    /// What is known of the device's certificate.
    pub fn before(&self, bundle: &Bundle, entry: &DeviceEntry) -> Before {
        let kept = self.signed(bundle.tenant, entry.device);
        let shown =
            entry.certificate.as_ref().map(|envelope| digest(&envelope.0)).zip(opened(bundle, entry));
        Before::of(entry, kept, (shown, self.newest_ceiling(bundle.tenant, &entry.operator)))
    }
}

/// What a server issues the device's manifests by, where the organisation's lock key has signed it.
pub(crate) fn opened(bundle: &Bundle, entry: &DeviceEntry) -> Option<Certificate> {
    let envelope = entry.certificate.as_ref()?;
    let certificate: Certificate = dsse::open(&envelope.0, &bundle.lock_keys).ok()?;
    let is_its = certificate.operator == entry.operator && certificate.device == entry.device;
    is_its.then_some(certificate)
}

/// Rights that it gives no policy a say in.
pub(crate) fn withheld(certificate: &Certificate) -> Vec<Capability> {
    Capability::ALL.into_iter().filter(|right| !certificate.rights.has(*right)).collect()
}

fn digest(envelope: &[u8]) -> Digest {
    Digest(Sha256::digest(envelope).into())
}
