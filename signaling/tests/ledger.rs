//! The ledger's pen: numbers, keys and what a clock that steps leaves behind.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use tasuki_protocol::ids::TenantId;
use tasuki_protocol::ledger::event::{Class, Entry, Event};
use tasuki_protocol::ledger::record::{Opened, open};
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::seed::Seed;
use tasuki_signaling::core::ledger::{
    Book, Draft, KEY_ROWS, Moment, NOTHING_BEFORE, Unwritable, Write,
};

const TENANT: TenantId = TenantId([1; 8]);

fn secret() -> LogSecretKey {
    LogSecretKey::from_bytes([2; 32])
}

fn book() -> Book {
    let seed = Seed::from_bytes([3; 32]);
    Book::new(TENANT, vec![secret().public()], seed, Frontier::default(), NOTHING_BEFORE)
}

fn start() -> Moment {
    Moment { instant: Instant::now(), unix_ms: 1_700_000_000_000 }
}

fn later(moment: Moment, passed: Duration) -> Moment {
    let ms = u64::try_from(passed.as_millis()).unwrap();
    Moment { instant: moment.instant + passed, unix_ms: moment.unix_ms + ms }
}

fn record() -> Opened {
    Opened::Entry(Entry::server(Event::ServerStopped))
}

fn keys(draft: &Draft) -> usize {
    draft.writes.iter().filter(|write| matches!(write, Write::Key(..))).count()
}

#[test]
fn t63_a_row_opens_with_the_log_key_after_the_leaf_before_it() {
    let mut book = book();
    let mut draft = book.draft(2, start()).unwrap();
    draft.append(&record(), Class::Server).unwrap();
    draft.append(&record(), Class::Server).unwrap();
    let mut key = None;
    let mut before = NOTHING_BEFORE;
    for write in &draft.writes {
        match write {
            Write::Key(_, envelope) => key = envelope.open(&secret(), TENANT).ok(),
            Write::Row(row, leaf) => {
                assert_eq!(open(row, before, key.as_ref().unwrap(), TENANT), Ok(record()));
                before = *leaf;
            }
            Write::Node(..) => {}
        }
    }
    book.commit(draft);
    assert_eq!(book.size(), 2);
}

#[test]
fn a_key_serves_ten_minutes_and_a_thousand_rows_and_none_after_a_failure() {
    let (mut book, now) = (book(), start());
    let first = book.draft(1, now).unwrap();
    assert_eq!(keys(&first), 1);
    book.commit(first);
    let second = book.draft(1, later(now, Duration::from_secs(599))).unwrap();
    assert_eq!(keys(&second), 0);
    book.commit(second);
    let third = book.draft(1, later(now, Duration::from_secs(600))).unwrap();
    assert_eq!(keys(&third), 1);
    drop(third);
    let after_failure = book.draft(1, later(now, Duration::from_secs(601))).unwrap();
    assert_eq!(keys(&after_failure), 1, "a nonce would be used twice");
    book.commit(after_failure);
    let full = book.draft(KEY_ROWS, later(now, Duration::from_secs(602))).unwrap();
    assert_eq!(keys(&full), 1);
}

#[test]
fn a_clock_that_steps_is_noted_before_what_follows() {
    let (mut book, now) = (book(), start());
    let draft = book.draft(1, now).unwrap();
    book.commit(draft);
    let mut back = later(now, Duration::from_secs(60));
    back.unix_ms -= 3_600_000;
    let draft = book.draft(1, back).unwrap();
    let rows = draft.writes.iter().filter(|write| matches!(write, Write::Row(..)));
    assert_eq!(rows.count(), 1);
    book.commit(draft);
    let steady = book.draft(1, later(back, Duration::from_secs(9))).unwrap();
    assert!(!steady.writes.iter().any(|write| matches!(write, Write::Row(..))));
}

#[test]
fn t65_without_a_log_key_nothing_is_written() {
    let seed = Seed::from_bytes([3; 32]);
    let mut book = Book::new(TENANT, Vec::new(), seed, Frontier::default(), NOTHING_BEFORE);
    assert_eq!(book.draft(1, start()).map(|_| ()), Err(Unwritable::NoKey));
}
