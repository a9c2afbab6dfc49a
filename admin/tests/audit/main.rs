//! The audit commands on exported ledgers, good ones and such as somebody changed.

#![allow(clippy::unwrap_used)]

mod flipping;
mod forms;
mod ledger;
mod lengths;
mod reading;
mod reporting;
mod verifying;
