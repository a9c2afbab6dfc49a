//! Why a request is refused, as RFC 8656's error codes.
//!
//! No reason phrase: it would tell a stranger more and make the answer longer (T49).

/// An error of STUN or TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    #[error("the request lacks something or contradicts itself")]
    BadRequest,
    #[error("no credential, or a forged or expired one")]
    Unauthorized,
    #[error("the peer is no address of this session")]
    Forbidden,
    #[error("an attribute that must be understood is not")]
    UnknownAttribute,
    #[error("an allocation is there already, or is not")]
    Mismatch,
    #[error("the nonce is not this address's, or too old")]
    StaleNonce,
    #[error("no relayed address of that family here")]
    FamilyNotSupported,
    #[error("the allocation belongs to another credential")]
    WrongCredentials,
    #[error("only UDP is relayed")]
    TransportNotSupported,
    #[error("the peer's family is not the allocation's")]
    FamilyMismatch,
    #[error("too many allocations of one end or one address")]
    QuotaReached,
    #[error("the relay is full")]
    InsufficientCapacity,
}

impl Fault {
    /// RFC 8489 §14.8, RFC 8656 §18.
    pub fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::UnknownAttribute => 420,
            Self::Mismatch => 437,
            Self::StaleNonce => 438,
            Self::FamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::TransportNotSupported => 442,
            Self::FamilyMismatch => 443,
            Self::QuotaReached => 486,
            Self::InsufficientCapacity => 508,
        }
    }

    /// Whether the asker is told realm and nonce, to ask again with them.
    pub(crate) fn challenges(self) -> bool {
        matches!(self, Self::Unauthorized | Self::StaleNonce)
    }
}
