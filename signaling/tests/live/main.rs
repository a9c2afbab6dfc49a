//! A real server over TLS, and what good and bad clients get from it.

#![allow(clippy::unwrap_used)]

mod accounts;
mod acme;
mod acts;
mod alerts;
mod api;
mod at_once;
mod at_the_same_time;
mod backup;
mod bounds;
mod client;
mod clock;
mod crash;
mod deeds;
mod deep;
mod described;
mod digits;
mod durable;
mod farewell;
mod faults;
mod flood;
mod folder;
mod full_disk;
mod hidden;
mod hostile;
mod http;
mod ill;
mod ipv6;
mod kept;
mod ledger;
mod lifetimes;
mod logs;
mod objections;
mod older;
mod operations;
mod organisation;
mod outside;
mod pairing;
mod policy;
mod recorded;
mod recovery;
mod reset;
mod second;
mod slow;
mod standing;
mod stolen;
mod storm;
mod taken_away;
mod timing;
mod told;
mod too_often;
mod trust;
#[path = "../../../turn-relay/tests/support/turn.rs"]
mod turn;
mod units;
