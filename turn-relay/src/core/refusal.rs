//! Why a connection is turned away, and how little of that its bearer is told (T45).

use tasuki_protocol::ticket::{RelayAnswer, TicketRefused};

/// Why a connection was turned away; for the log and the counters. The
/// bearer learns only what [`Refusal::answer`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("the ticket was not issued by this relay's server")]
    Forged,
    #[error("the ticket has expired, or the clocks of server and relay differ")]
    Expired,
    #[error("the ticket was used before")]
    Used,
    #[error("this end of the leg is taken")]
    Taken,
    #[error("the other end did not come")]
    Alone,
    #[error("no ticket came in time")]
    Late,
    #[error("a newer connection took the place of this one, which had shown no ticket")]
    Displaced,
    #[error("the relay is full")]
    Full,
    #[error("too many connections from one address")]
    AddressFull,
    #[error("too many legs of one session")]
    SessionFull,
}

impl Refusal {
    /// The one byte said to the bearer, if any.
    pub fn answer(self) -> Option<RelayAnswer> {
        match self {
            Self::Forged | Self::Expired | Self::Used | Self::Taken | Self::Alone => {
                Some(RelayAnswer::Refused)
            }
            Self::Full | Self::AddressFull | Self::SessionFull => Some(RelayAnswer::Busy),
            Self::Late | Self::Displaced => None,
        }
    }
}

impl From<TicketRefused> for Refusal {
    fn from(refused: TicketRefused) -> Self {
        match refused {
            TicketRefused::Forged => Self::Forged,
            TicketRefused::Expired => Self::Expired,
        }
    }
}
