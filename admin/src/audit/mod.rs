//! The ledger in an administrator's hands: verified without a key, opened with one.
//!
//! The private half of a log key is unwrapped here and nowhere else (R9, S49). What is
//! shown was written by strangers, and is neutralised first (T66).

pub mod export;
pub mod fault;
mod fault_words;
pub(crate) mod field_words;
pub mod filter;
pub(crate) mod kept;
pub mod neutral;
pub mod reading;
pub mod record;
pub mod source;
mod texts;
pub mod times;
pub mod words;

pub(crate) use self::fault_words::fault as sentence;
