//! Every byte of an exported ledger is covered by something, the wrapped log keys too (S57, T64).

use std::path::Path;

use tasuki_admin::audit::fault::AuditFault;
use tasuki_admin::audit::reading::{Passed, Trust, pass, read};
use tasuki_admin::audit::source::Source;
use tasuki_admin::fault::Fault;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ledger::audit::{Acknowledgement, Finding, Item, Tombstone};
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::log_key::LogSecretKey;

use crate::ledger::{BEGAN, Ledger, TENANT, bundle, root_key, write};
use crate::reading::{PASSPHRASE, run};

/// One of each kind of item: head with wrapped keys, acknowledgement, tombstone, data key, two records, their checkpoints.
fn one_of_each() -> Vec<Item> {
    let mut ledger = Ledger::under(PASSPHRASE);
    ledger.server(0, Entry::server(Event::Missed { count: 1, of: None }));
    let root = ledger.root();
    ledger.server(1, Entry::server(Event::Missed { count: 2, of: None }));
    let stone = Tombstone {
        tenant: TENANT,
        before: 1,
        root,
        admin: "admin".to_owned(),
        reason: "retention".to_owned(),
        at: 1,
    };
    let word = Acknowledgement {
        tenant: TENANT,
        lost: 3,
        size: 1,
        root,
        admin: "admin".to_owned(),
        reason: "the disk broke".to_owned(),
        at: 1,
    };
    let mut items = ledger.items;
    items.insert(1, Item::Acknowledgement(Blob(dsse::sign(&word, &root_key()))));
    items.insert(1, Item::Tombstone(Blob(dsse::sign(&stone, &root_key()))));
    if let Some(Item::Record(stored)) = items.iter_mut().find(|item| matches!(item, Item::Record(_))) {
        stored.row = None;
    }
    items
}

async fn verdict(file: &Path) -> Result<Passed, Fault> {
    let trust = Trust::Known(Box::new(bundle(&root_key())));
    pass(&mut Source::file(file)?, &trust, &[], |_| Ok(())).await
}

fn holds(passed: &Result<Passed, Fault>) -> bool {
    matches!(passed, Ok(Passed { verdict: Some(Ok(_)), .. }))
}

#[tokio::test]
async fn s57_no_byte_of_an_export_can_be_changed_without_its_being_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &one_of_each());
    assert!(holds(&verdict(&file).await), "{:?}", verdict(&file).await);
    let whole = std::fs::read(&file).unwrap();
    let mut unseen = Vec::new();
    for at in 0..whole.len() {
        // The lowest bit, and the one by which letters differ from capitals.
        for bit in [1, 0x20] {
            let mut changed = whole.clone();
            changed[at] ^= bit;
            std::fs::write(&file, &changed).unwrap();
            if holds(&verdict(&file).await) {
                unseen.push((at, bit));
            }
        }
    }
    let near: Vec<String> = unseen.iter().take(8).map(|(at, _)| around(&whole, *at)).collect();
    assert_eq!(unseen, [], "of {} bytes; around: {near:#?}", whole.len());
}

fn around(whole: &[u8], at: usize) -> String {
    let part = &whole[at.saturating_sub(20)..whole.len().min(at + 20)];
    part.escape_ascii().to_string()
}

/// T59: whose keys the root did not sign for cost not one password hash, however many there are; and where an older
/// bundle signs for none, no more than an organisation could ever have.
#[tokio::test]
async fn t59_keys_that_the_root_did_not_sign_for_cost_no_hashes_and_others_a_bounded_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = one_of_each();
    let Some(Item::Header(header)) = items.first_mut() else { panic!("no head") };
    header.wrapped = vec![header.wrapped[0].clone(); 100];
    let asked_for = async |items: &[Item]| {
        let file = write(folder.path(), items);
        let trust = Trust::Known(Box::new(bundle(&root_key())));
        let mut asked_for = None;
        let mut source = Source::file(&file).unwrap();
        let read = read(&mut source, &trust, |wrapped| {
            asked_for = Some(wrapped.len());
            Ok(Vec::new())
        });
        let fault = read.await.err();
        (asked_for, fault)
    };
    let (hashed, fault) = asked_for(&items).await;
    assert_eq!(hashed, None, "{fault:?}");
    let Some(Fault::Audit(why)) = fault else { panic!("{fault:?}") };
    assert!(matches!(*why, AuditFault::Found(Finding::WrappedKeys)), "{why:?}");

    let Some(Item::Header(header)) = items.first_mut() else { panic!("no head") };
    header.bundle = Blob(dsse::sign(&bundle(&root_key()), &root_key()));
    assert_eq!(asked_for(&items).await.0, Some(64));
}

/// Where something may be left out or put in between, too.
#[tokio::test]
async fn s57_no_item_of_an_export_can_be_left_out_or_stand_twice_without_its_being_said() {
    let folder = tempfile::tempdir().unwrap();
    let items = one_of_each();
    for at in 0..items.len() {
        let mut fewer = items.clone();
        let gone = fewer.remove(at);
        let more = [&items[..=at], &items[at..]].concat();
        let is_last = at + 1 == items.len();
        for (items, how) in [(fewer, "left out"), (more, "twice")] {
            // A checkpoint in between, and anything that only says again what stands there, takes nothing away.
            let says_nothing_new = how == "twice" && !matches!(gone, Item::Header(_) | Item::Record(_));
            let is_one_of_several = matches!(gone, Item::Checkpoint(_)) && !is_last;
            // Nor does less of what was taken on: the record of it stands in the ledger.
            let tells_less = matches!(gone, Item::Acknowledgement(_));
            let may = says_nothing_new || is_one_of_several || tells_less;
            let file = write(folder.path(), &items);
            assert_eq!(holds(&verdict(&file).await), may, "item {at} {how}: {gone:?}");
        }
    }
}

#[test]
fn s57_changed_log_keys_are_told_by_their_name_and_not_as_a_wrong_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = one_of_each();
    let Some(Item::Header(header)) = items.first_mut() else { panic!("no head") };
    let key = &mut header.wrapped[0].0;
    let sealed = key.windows(10).position(|part| part == b"\"sealed\":\"").unwrap() + 14;
    key[sealed] = if key[sealed] == b'A' { b'B' } else { b'A' };
    let mut none = items.clone();
    let Some(Item::Header(header)) = none.first_mut() else { panic!("no head") };
    header.wrapped.clear();
    write(folder.path(), &none);
    let output = run(folder.path(), &["verify"], PASSPHRASE);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(10), "left out: {said}");
    assert!(said.contains("wrapped log keys"), "{said}");

    write(folder.path(), &items);
    for arguments in [&["verify"][..], &["list"]] {
        let output = run(folder.path(), arguments, PASSPHRASE);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(10), "{said}");
        assert!(said.contains("wrapped log keys"), "{said}");
    }
}

/// After `key rotate log` somebody puts the head back to the bundle and the log keys of before, both signed for by the root.
#[tokio::test]
async fn s57_a_head_that_is_put_back_to_an_older_bundle_and_its_log_keys_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let newer = LogSecretKey::from_bytes([29; 32]).public();
    let mut ledger = Ledger::sealed_to(&newer, PASSPHRASE);
    ledger.server(0, Entry::server(Event::Missed { count: 1, of: None }));
    let file = ledger.write(folder.path());
    let day = 24 * 3600;
    let known = |issued_at| Bundle {
        version: 2,
        log_keys: vec![newer.clone()],
        issued_at,
        ..bundle(&root_key())
    };
    for (issued_at, whole) in [(BEGAN / 1000 - day, false), (BEGAN / 1000 + day, true)] {
        let trust = Trust::Known(Box::new(known(issued_at)));
        let passed = pass(&mut Source::file(&file).unwrap(), &trust, &[], |_| Ok(())).await;
        let verdict = passed.unwrap().verdict.unwrap();
        let expected = if whole { Ok(()) } else { Err(Finding::WrappedKeys) };
        assert_eq!(verdict.map(drop), expected, "the newer bundle is of {issued_at}");
    }
    // Who knows no bundle is told how much of it nobody can read.
    let output = run(folder.path(), &["verify"], PASSPHRASE);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 of the records' keys"), "{said}");
    write(folder.path(), &one_of_each());
    let output = run(folder.path(), &["verify"], PASSPHRASE);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !said.contains("records' keys"), "{said}");
}

/// An organisation that was made before its bundle signed for them is told what to do, and nothing of a change.
#[test]
fn s57_log_keys_that_the_bundle_is_too_old_to_sign_for_are_told_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = one_of_each();
    let Some(Item::Header(header)) = items.first_mut() else { panic!("no head") };
    header.bundle = Blob(dsse::sign(&bundle(&root_key()), &root_key()));
    write(folder.path(), &items);
    let output = run(folder.path(), &["verify"], PASSPHRASE);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("tasuki-admin key rotate log") && !said.contains("changed"), "{said}");
}
