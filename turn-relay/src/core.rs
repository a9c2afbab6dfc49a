//! What a relay decides: who may be joined with whom, and what a STUN or TURN request is told.
//!
//! Everything here is told the time, the bytes and the seed. It knows no
//! socket, no clock and no file; and it never learns what a session is about:
//! no manifest, mode, right or person has a name in this crate.

pub mod address;
pub mod bucket;
pub mod frame;
pub mod limits;
pub mod lobby;
pub mod refusal;
pub mod seats;
pub mod stun;
pub mod turn;
pub mod used;
