//! What paths are keyed with: all of it from the pairing's transcript.

use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::pairing::Hello;
use tasuki_protocol::session_keys::SessionKeys;
use tasuki_protocol::signal::Leg;
use tasuki_protocol::turn::TurnCredential;

use crate::core::path::{DirectFacts, IceSide, RelayFacts, TurnFacts, VideoRole};

/// Longest ICE name or password taken from a hello (RFC 8839 §5.4).
const MAX_ICE_CHARS: usize = 256;

#[derive(Debug)]
pub(in crate::core) struct PathKeys {
    role: Role,
    keys: SessionKeys,
    fingerprint: Digest,
    ufrag: String,
    pwd: String,
}

impl PathKeys {
    pub(in crate::core) fn new(role: Role, peer: &Hello, keys: SessionKeys) -> Self {
        Self {
            role,
            keys,
            fingerprint: peer.dtls_fingerprint,
            ufrag: peer.ice_ufrag.chars().take(MAX_ICE_CHARS).collect(),
            pwd: peer.ice_pwd.chars().take(MAX_ICE_CHARS).collect(),
        }
    }

    pub(super) fn direct(&self, video: VideoRole) -> DirectFacts {
        DirectFacts {
            side: self.side(),
            remote_fingerprint: self.fingerprint,
            remote_ufrag: self.ufrag.clone(),
            remote_pwd: self.pwd.clone(),
            own_proof: self.keys.path_proof(self.role),
            peer_proof: self.keys.path_proof(self.role.other()),
            video,
        }
    }

    pub(super) fn relay(&self, leg: Leg) -> RelayFacts {
        let (psk, prologue) = (self.keys.leg_psk(leg.number), self.keys.leg_prologue(leg.number));
        RelayFacts { leg, psk, prologue, side: self.side() }
    }

    /// What a leg's ticket is worth to a direct path, where the relay speaks TURN.
    pub(super) fn turn(leg: &Leg) -> Option<TurnFacts> {
        let credential = TurnCredential::of(&leg.ticket.0)?;
        let host = leg.relay.as_ref().map(|relay| relay.host.clone());
        Some(TurnFacts { host, port: leg.turn?, credential })
    }

    fn side(&self) -> IceSide {
        match self.role {
            Role::Operator => IceSide::Controlling,
            Role::Agent => IceSide::Controlled,
        }
    }
}
