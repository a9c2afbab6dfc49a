//! The ledger: what happened, written by a server that cannot read it.
//!
//! An [`event::Entry`] is padded and sealed ([`record`]) to the tenant's log keys
//! ([`keys`]); its leaf goes into an RFC 6962 tree ([`tree`]) whose checkpoints are
//! signed ([`checkpoint`]). What happens at the ends is sealed there. The server
//! appends and proves; only the holder of a log key's private half reads (T63).

pub mod audit;
pub mod checkpoint;
pub mod decree;
pub mod event;
pub mod export;
pub mod follow;
pub mod keys;
pub mod record;
pub mod tree;
pub mod wire;
pub mod words;
