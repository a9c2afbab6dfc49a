//! Names of things that cross a wire: one type each, so that none is taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The protocol spoken by this build. Peers of another version are refused
/// with both numbers named, so that the person knows which side to update.
pub const PROTOCOL_VERSION: u16 = 1;

/// Which end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Operator,
    Agent,
}

impl Role {
    pub fn other(self) -> Self {
        match self {
            Self::Operator => Self::Agent,
            Self::Agent => Self::Operator,
        }
    }
}

macro_rules! hex_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            pub const LEN: usize = $len;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                let bytes = text.as_bytes();
                if bytes.len() != $len * 2 {
                    return Err(NotHex);
                }
                let mut out = [0; $len];
                for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                    *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
                }
                Ok(Self(out))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_str(self)
                } else {
                    serde::Serialize::serialize(&self.0[..], s)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    <String as Deserialize>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
                } else {
                    let bytes = <Vec<u8> as Deserialize>::deserialize(d)?;
                    bytes.try_into().map(Self).map_err(|_| serde::de::Error::custom(NotHex))
                }
            }
        }
    };
}

hex_bytes!(
    /// A company that runs Tasuki for its operators.
    TenantId,
    8
);
hex_bytes!(
    /// One session, from the room's opening to its end. Unguessable, never listed to clients.
    SessionId,
    16
);
hex_bytes!(
    /// An Ed25519 public key: an operator's device, or an agent's run.
    DeviceKey,
    32
);
hex_bytes!(
    /// 32 random bytes of an agent's run; a manifest that carries another is a replay (T13).
    Challenge,
    32
);
hex_bytes!(
    /// A SHA-256 value.
    Digest,
    32
);
hex_bytes!(
    /// The first bytes of the SHA-256 of a log key's public half: which key opens a row.
    LogKid,
    8
);

/// What a fixed-length hexadecimal name must look like, and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hexadecimal value of the right length")]
pub struct NotHex;

fn nibble(c: u8) -> Result<u8, NotHex> {
    match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(NotHex),
    }
}
