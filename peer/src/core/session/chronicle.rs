//! What the receipt will say: gathered while the session runs, the same at both ends.
//!
//! Keeps documents as they were signed. Decides nothing and asks nobody.

use std::time::Instant;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::CLOCK_TOLERANCE_S;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::receipt::{
    Ender, MAX_ENTRIES, MAX_WORD_BYTES, RECEIPT_VERSION, Receipt, ReceiptAddress, ReceiptPath,
    ReceiptPathKind, Software,
};

use crate::core::io::EndedBy;
use crate::core::path::{Ciphers, PathKind};

/// What was signed before the session began.
#[derive(Debug, Clone)]
pub(in crate::core) struct Evidence {
    pub(in crate::core) session: SessionId,
    pub(in crate::core) transcript: Digest,
    pub(in crate::core) manifest: Blob,
    pub(in crate::core) consent: Blob,
}

#[derive(Debug)]
pub(super) struct Chronicle {
    organisation: String,
    evidence: Evidence,
    began: Instant,
    began_at: u64,
    changes: Vec<Blob>,
    screenshots: Vec<u64>,
    paths: Vec<ReceiptPath>,
    omitted: u32,
}

impl Chronicle {
    pub(super) fn new(organisation: String, evidence: Evidence, began: Instant, began_at: u64) -> Self {
        Self {
            organisation,
            evidence,
            began,
            began_at,
            changes: Vec::new(),
            screenshots: Vec::new(),
            paths: Vec::new(),
            omitted: 0,
        }
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn began_at(&self) -> u64 {
        self.began_at
    }

    pub(super) fn after(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs()
    }

    pub(super) fn changed(&mut self, envelope: Blob) {
        note(&mut self.changes, envelope, &mut self.omitted);
    }

    pub(super) fn screenshot(&mut self, now: Instant) {
        let after = self.after(now);
        note(&mut self.screenshots, after, &mut self.omitted);
    }

    pub(super) fn path(&mut self, kind: PathKind, ciphers: &Ciphers, now: Instant) {
        let kind = match kind {
            PathKind::Direct => ReceiptPathKind::Direct,
            PathKind::Relayed => ReceiptPathKind::Relayed,
        };
        let ciphers = match ciphers {
            Ciphers::Direct { dtls, srtp } => [dtls, srtp],
            Ciphers::Relayed { noise, tls } => [noise, tls],
        };
        let ciphers = ciphers.map(|name| word(name)).to_vec();
        let path = ReceiptPath { after_s: self.after(now), kind, ciphers };
        note(&mut self.paths, path, &mut self.omitted);
    }

    /// The receipt, once all is over.
    pub(super) fn receipt(&self, ending: &Ending, addresses: Vec<ReceiptAddress>) -> Receipt {
        let Evidence { session, transcript, manifest, consent } = self.evidence.clone();
        let mut omitted = self.omitted;
        let mut listed = Vec::new();
        addresses.into_iter().for_each(|address| note(&mut listed, address, &mut omitted));
        Receipt {
            v: RECEIPT_VERSION,
            session,
            transcript,
            organisation: self.organisation.clone(),
            manifest,
            consent,
            changes: self.changes.clone(),
            began_at: self.began_at,
            lasted_s: ending.after_s,
            screenshots: self.screenshots.clone(),
            files: Vec::new(),
            paths: self.paths.clone(),
            addresses: listed,
            software: ending.software.clone(),
            reason: ending.reason,
            ended_by: ending.by,
            omitted,
        }
    }
}

/// How a session ended, as the receipt says it.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) reason: EndReason,
    pub(super) by: Ender,
    pub(super) after_s: u64,
    pub(super) software: Software,
}

/// The same at both ends, however each sees it.
pub(super) fn ender(own: Role, reason: EndReason, by: EndedBy) -> Ender {
    let of = |role| match role {
        Role::Operator => Ender::Operator,
        Role::Agent => Ender::Agent,
    };
    match (reason, by) {
        (EndReason::TimeOver | EndReason::ConnectionLost, _) => Ender::Nobody,
        (_, EndedBy::ThisEnd) => of(own),
        (_, EndedBy::OtherEnd) => of(own.other()),
        (_, EndedBy::Server) => Ender::Server,
    }
}

/// A word of the other end's, as it may stand in a document.
pub(super) fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_WORD_BYTES).collect()
}

/// What two ends may have seen of one length: the end, and the consent, take their time from one to the other.
const LENGTH_TOLERANCE_S: u64 = 10;

/// Whether two ends can put their names under the same: all but what each sees for itself. Clocks and lengths are each
/// end's own, and near each other.
pub(super) fn agrees(role: Role, own: &Receipt, offered: &Receipt) -> bool {
    let version = |receipt: &Receipt| match role {
        Role::Operator => receipt.software.operator.clone(),
        Role::Agent => receipt.software.agent.clone(),
    };
    own.v == offered.v
        && own.session == offered.session
        && own.transcript == offered.transcript
        && own.organisation == offered.organisation
        && own.manifest == offered.manifest
        && own.consent == offered.consent
        && own.changes == offered.changes
        && own.screenshots.len() == offered.screenshots.len()
        && own.files == offered.files
        && own.reason == offered.reason
        && own.ended_by == offered.ended_by
        && own.began_at.abs_diff(offered.began_at) <= CLOCK_TOLERANCE_S
        && own.lasted_s.abs_diff(offered.lasted_s) <= LENGTH_TOLERANCE_S
        && version(own) == version(offered)
}

fn note<T>(list: &mut Vec<T>, entry: T, omitted: &mut u32) {
    if list.len() < MAX_ENTRIES {
        list.push(entry);
    } else {
        *omitted = omitted.saturating_add(1);
    }
}
