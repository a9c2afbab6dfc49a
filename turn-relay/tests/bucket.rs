//! Token buckets on told instants: bursts, rates, and neighbours left alone.

use std::time::{Duration, Instant};

use std::hash::{BuildHasherDefault, DefaultHasher};
use tasuki_turn_relay::core::address::AddressBlock;
use tasuki_turn_relay::core::bucket::{AddressRate, Bucket};

#[test]
fn a_bucket_gives_its_burst_and_then_its_rate() {
    let start = Instant::now();
    let mut bucket = Bucket::new(10, 5, start);
    let passed = (0..20).filter(|_| bucket.take(1, start).is_ok()).count();
    assert_eq!(passed, 5);

    let later = start + Duration::from_secs(1);
    let passed = (0..20).filter(|_| bucket.take(1, later).is_ok()).count();
    assert_eq!(passed, 5, "never more than the capacity");
}

#[test]
fn an_empty_bucket_says_when_it_is_worth_asking_again() {
    let start = Instant::now();
    let mut bucket = Bucket::new(1000, 1000, start);
    bucket.take(3000, start).unwrap();
    let again = bucket.take(1, start).unwrap_err();
    assert!(again > start + Duration::from_millis(1999));
    assert!(bucket.take(1, again + Duration::from_millis(1)).is_ok());
}

#[test]
fn a_clock_that_is_told_backwards_gives_nothing_away() {
    let start = Instant::now() + Duration::from_secs(100);
    let mut bucket = Bucket::new(1, 1, start);
    bucket.take(1, start).unwrap();
    assert!(bucket.take(1, start - Duration::from_secs(50)).is_err());
    assert!(bucket.take(1, start).is_err());
}

#[test]
fn one_address_that_asks_too_often_leaves_the_others_alone() {
    let now = Instant::now();
    let seed = BuildHasherDefault::<DefaultHasher>::default();
    let mut rate = AddressRate::new(seed, 10, 5, now);
    let loud = AddressBlock::V6(1);
    assert_eq!((0..100).filter(|_| rate.allows(loud, now)).count(), 5);
    assert!(rate.allows(AddressBlock::V6(2), now));
}
