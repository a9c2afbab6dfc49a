//! What the viewer may do now: the manifest, the click and this machine's own
//! maximum, asked afresh for every act.

use std::time::Instant;

use tasuki_protocol::consent::Consent;
use tasuki_protocol::grant::{RightsChange, Stand, Standing};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::manifest::{Manifest, VerifiedManifest};
use tasuki_protocol::rights::{Capability, EffectiveRights, Permit, Right, Rights};

/// All that this program can do for a viewer, whatever the manifest allows.
/// Files, clipboard, drawing, recording and coming back are not among it: an
/// act that wants them is refused like any other without its right.
pub fn able() -> Rights {
    Rights::of(&[
        Capability::SeeScreen,
        Capability::Operate,
        Capability::ChooseScreen,
        Capability::Screenshot,
        Capability::Chat,
    ])
}

#[derive(Debug)]
pub(super) struct Authority {
    manifest: VerifiedManifest,
    consent: Consent,
    standing: Standing,
    local: Rights,
}

impl Authority {
    /// `local` is this machine's maximum where it hosts; where it looks, it only
    /// keeps this end from asking for what it could not use.
    pub(super) fn new(manifest: VerifiedManifest, consent: Consent, local: Rights) -> Self {
        let standing = Standing::of(&consent);
        Self { manifest, consent, standing, local: local.and(able()) }
    }

    /// A word of the host's person after the first.
    pub(super) fn apply(&mut self, change: &RightsChange, now: Instant) {
        self.standing.apply(change, now);
    }

    /// The most that any word of the host's person can open.
    pub(super) fn grantable(&self) -> Rights {
        self.contract().and(self.local)
    }

    /// What mode and manifest allow; both ends know it.
    pub(super) fn contract(&self) -> Rights {
        let manifest = self.manifest.manifest();
        manifest.mode.ceiling().and(manifest.capabilities)
    }

    pub(super) fn stand(&self, capability: Capability, now: Instant) -> Stand {
        self.standing.stand(capability, now)
    }

    /// When the next right ends by itself.
    pub(super) fn next_end(&self, now: Instant) -> Option<Instant> {
        self.standing.next_end(now)
    }

    pub(super) fn rights(&self, now: Instant) -> Rights {
        self.effective(now).rights()
    }

    /// By which a change is bound to this session.
    pub(super) fn bond(&self) -> (Digest, Digest) {
        (self.consent.transcript, self.consent.manifest)
    }

    pub(super) fn effective(&self, now: Instant) -> EffectiveRights {
        self.manifest.effective(self.local, &self.consent, &self.standing, now)
    }

    pub(super) fn permit<C: Right>(&self, now: Instant) -> Option<Permit<C>> {
        self.effective(now).permit::<C>()
    }

    pub(super) fn allows(&self, capability: Capability, now: Instant) -> bool {
        self.effective(now).rights().has(capability)
    }

    /// The moment at which every right ends.
    pub(super) fn ends(&self) -> Instant {
        self.manifest.ends()
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.manifest.manifest()
    }
}
