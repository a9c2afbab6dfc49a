//! Every limit of the rooms, and its default.
//!
//! It refuses to know where a value came from.

use std::time::Duration;

use tasuki_protocol::number::NUMBER_LIFETIME_S;

use super::guesses::Limits;
use super::pace::Allowance;

#[derive(Debug, Clone)]
pub struct Settings {
    /// T5.
    pub number_lifetime: Duration,
    /// From a join to its refusal, whatever the reason (T6).
    pub answer_after: Duration,
    /// From a join to a pairing, once the operator's end has answered the agent's proof.
    pub pairing_within: Duration,
    /// How long a paired end may stay away.
    pub resume_grace: Duration,
    /// Ended sessions of which agents are told that were away.
    pub farewells: usize,
    pub guesses: Limits,
    /// Numbers that one operator may have open at a time.
    pub open_numbers: usize,
    pub openings: Allowance,
    /// Messages of one connection.
    pub messages: Allowance,
    /// Relayed legs of one session.
    pub legs: Allowance,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            number_lifetime: Duration::from_secs(NUMBER_LIFETIME_S),
            answer_after: Duration::from_secs(2),
            pairing_within: Duration::from_secs(10),
            resume_grace: Duration::from_secs(120),
            farewells: 16_384,
            guesses: Limits { per_address: 10, overall: 100 },
            open_numbers: 8,
            openings: Allowance { burst: 60, per_second: 0.2 },
            messages: Allowance { burst: 256, per_second: 64.0 },
            legs: Allowance { burst: 6, per_second: 0.5 },
        }
    }
}
