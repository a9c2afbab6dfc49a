//! `audit verify`, as an auditor runs it who has a file and nothing else (S57, T64).

use std::path::Path;
use std::process::{Command, Output};

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::keys::digest_of_wrapped;
use tasuki_protocol::ledger::audit::{Item, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::{Entry, Event};
use tempfile::TempDir;

use crate::ledger::{Ledger, NOTHING_BEFORE, TENANT, bundle, root_key, write};

pub(crate) fn admin(profile: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-admin"));
    command.args(["--lang", "en", "--profile"]).arg(profile).args(arguments);
    command.env_remove("TASUKI_ADMIN_PROFILE").env("TZ", "UTC");
    command
}

fn verify(folder: &TempDir, more: &[&str]) -> Output {
    let mut command = admin(&folder.path().join("profile"), &["audit", "verify", "--file"]);
    command.arg(folder.path().join("ledger.export")).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn six() -> Ledger {
    let mut ledger = Ledger::new();
    for count in 0..6 {
        ledger.server(count, Entry::server(Event::Missed { count, of: None }));
    }
    // One checkpoint, behind the last: what the records themselves show is told first.
    let last = ledger.items.len() - 1;
    let mut at = 0;
    ledger.items.retain(|item| {
        at += 1;
        at > last || !matches!(item, Item::Checkpoint(_))
    });
    ledger
}

/// Which items are records.
fn record(items: &[Item], seq: usize) -> usize {
    let places = items.iter().enumerate().filter(|(_, item)| matches!(item, Item::Record(_)));
    places.map(|(at, _)| at).nth(seq).unwrap()
}

#[test]
fn s57_an_auditor_with_nothing_but_the_file_verifies_it_and_is_told_whose_root_key_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    six().write(folder.path());
    let output = verify(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("Example KK") && said(&output).contains("6 records"));
    assert!(said(&output).contains(&bundle(&root_key()).root.to_string()));
}

#[test]
fn s57_an_auditor_who_holds_the_bundle_is_not_shown_another_organisations_ledger() {
    let folder = tempfile::tempdir().unwrap();
    six().write(folder.path());
    let bundle_file = |root: &SigningKey| {
        let file = folder.path().join("tenant.json");
        std::fs::write(&file, dsse::sign(&bundle(root), root)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let own = bundle_file(&root_key());
    assert_eq!(verify(&folder, &["--bundle", &own]).status.code(), Some(0));
    let other = bundle_file(&SigningKey::from_bytes(&[66; 32]));
    let output = verify(&folder, &["--bundle", &other]);
    assert_eq!(output.status.code(), Some(10));
    assert!(said(&output).contains("another organisation"), "{}", said(&output));
}

/// S57: whose a file is nobody can tell whose head is damaged; it is not called another organisation's.
#[test]
fn s57_an_export_whose_head_is_damaged_is_not_taken_for_another_organisations() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = six().items;
    let Some(Item::Header(header)) = items.first_mut() else { panic!() };
    let middle = header.bundle.0.len() / 2;
    header.bundle.0[middle] ^= 1;
    write(folder.path(), &items);
    let own = folder.path().join("tenant.json");
    std::fs::write(&own, dsse::sign(&bundle(&root_key()), &root_key())).unwrap();
    let own = own.to_str().unwrap();
    for (language, damaged) in [("en", "is damaged or was changed"), ("ja", "壊れているか書き換え")]
    {
        for more in [&["--lang", language] as &[&str], &["--lang", language, "--bundle", own]] {
            let output = verify(&folder, more);
            assert_eq!(output.status.code(), Some(10));
            let said = said(&output);
            assert!(said.contains(damaged) && !said.contains("is another organisation's"), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}

/// A report into a folder that is not there says so: the file need not be there yet.
#[test]
fn a_report_into_a_folder_that_is_not_there_names_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    crate::reading::ledger().write(folder.path());
    let out = folder.path().join("reports/july.html");
    let out = out.to_str().unwrap();
    for (language, words) in [("en", "There is no folder"), ("ja", "フォルダー")] {
        let arguments = ["report", "--format", "html", "--out", out, "--lang", language];
        let output = crate::reading::run(folder.path(), &arguments, crate::reading::PASSPHRASE);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(words) && !said.contains("july.html"), "{said}");
    }
}

type Tampering = fn(&mut Vec<Item>);

/// Each with what the auditor is told.
const TAMPERINGS: [(&str, Tampering, &str); 8] = [
    ("a byte", |items| change(items, 3, |row| row.sealed.0[40] ^= 1), "record 3 was changed"),
    ("a time", |items| change(items, 3, |row| row.place.at += 1), "record 3 was changed"),
    (
        "one taken out",
        |items| drop(items.remove(record(items, 2))),
        "record 2 is missing, or stands elsewhere: record 3",
    ),
    (
        "two swapped",
        |items| {
            let (one, other) = (record(items, 1), record(items, 4));
            items.swap(one, other);
        },
        "record 1 is missing, or stands elsewhere: record 4",
    ),
    (
        "one twice",
        |items| items.insert(record(items, 4), items[record(items, 3)].clone()),
        "record 4 is missing, or stands elsewhere: record 3",
    ),
    ("the end cut off", |items| drop(items.remove(record(items, 5))), "the records end at 5"),
    ("a key taken out", |items| drop(items.remove(1)), "record 0 names a data key"),
    (
        "content taken out",
        |items| {
            let at = record(items, 0);
            if let Item::Record(stored) = &mut items[at] {
                stored.row = None;
            }
        },
        "record 0 was removed",
    ),
];

fn change(items: &mut [Item], seq: usize, alter: fn(&mut tasuki_protocol::ledger::record::Row)) {
    let at = record(items, seq);
    if let Item::Record(stored) = &mut items[at] {
        stored.row.as_mut().into_iter().for_each(alter);
    }
}

#[test]
fn t64_every_tampering_with_a_file_is_found_and_the_first_bad_record_named() {
    for (name, tamper, told) in TAMPERINGS {
        let folder = tempfile::tempdir().unwrap();
        let mut items = six().items;
        tamper(&mut items);
        write(folder.path(), &items);
        let output = verify(&folder, &[]);
        assert_eq!(output.status.code(), Some(10), "{name}: {}", said(&output));
        assert!(said(&output).contains(told), "{name}: {}", said(&output));
        assert_eq!(said(&output).lines().count(), 1, "{name}: one sentence");
    }
}

/// A server that writes its ledger anew under its own good keys is caught by whoever kept a note.
#[test]
fn t64_a_fork_and_a_shortened_ledger_are_found_by_an_old_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let path = note.to_str().unwrap().to_owned();
    std::fs::write(&note, six().note()).unwrap();
    let mut grown = six();
    grown.server(9, Entry::server(Event::ServerStopped));
    grown.write(folder.path());
    assert_eq!(verify(&folder, &["--checkpoint", &path]).status.code(), Some(0));
    let mut fork = Ledger::new();
    (0..8).for_each(|count| {
        fork.server(count, Entry::server(Event::Missed { count: count + 1, of: None }))
    });
    fork.write(folder.path());
    assert_eq!(verify(&folder, &[]).status.code(), Some(0), "by itself it looks sound");
    let output = verify(&folder, &["--checkpoint", &path]);
    assert_eq!(output.status.code(), Some(10));
    assert!(said(&output).contains("another than the one whose checkpoint"), "{}", said(&output));
    let mut short = Ledger::new();
    (0..3).for_each(|count| short.server(count, Entry::server(Event::Missed { count, of: None })));
    short.write(folder.path());
    let output = verify(&folder, &["--checkpoint", &path]);
    assert_eq!(output.status.code(), Some(10));
    assert!(said(&output).contains("end at 3"), "{}", said(&output));
}

#[test]
fn s95_what_a_signed_tombstone_took_away_verifies_and_nobody_elses_word_counts() {
    let mut two = Ledger::new();
    (0..2).for_each(|count| two.server(count, Entry::server(Event::Missed { count, of: None })));
    for (signer, code) in [(root_key(), 0), (SigningKey::from_bytes(&[66; 32]), 10)] {
        let folder = tempfile::tempdir().unwrap();
        let stone = Tombstone {
            tenant: TENANT,
            before: 2,
            root: two.root(),
            admin: "admin".to_owned(),
            reason: "retention".to_owned(),
            at: 1,
        };
        let mut items = six().items;
        for seq in 0..2 {
            let at = record(&items, seq);
            if let Item::Record(stored) = &mut items[at] {
                stored.row = None;
            }
        }
        items.insert(1, Item::Tombstone(Blob(dsse::sign(&stone, &signer))));
        write(folder.path(), &items);
        let output = verify(&folder, &["--json"]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert_eq!(said(&output).contains("\"pruned\":2"), code == 0, "{}", said(&output));
    }
}

/// T69, T64: what the root before this one took away holds where this one signed for it. Who has the old root
/// takes nothing away with it: not of what came since, nor of before, whatever date he writes.
#[test]
fn t69_a_former_roots_tombstone_counts_if_the_new_root_signed_for_it_and_no_later_one_does() {
    let of = |before: u64| {
        let mut part = Ledger::new();
        (0..before)
            .for_each(|count| part.server(count, Entry::server(Event::Missed { count, of: None })));
        let (admin, reason) = ("admin".to_owned(), "retention".to_owned());
        let stone = Tombstone { tenant: TENANT, before, root: part.root(), admin, reason, at: 1 };
        Blob(dsse::sign(&stone, &root_key()))
    };
    let next = SigningKey::from_bytes(&[67; 32]);
    let signed_for = RootsWord::of(&bundle(&root_key())).handed_on::<Tombstone>(&[of(2)], |_| true);
    for (stones, gone, earlier, code) in [
        (vec![of(2)], 2, signed_for.clone(), 0),
        // As of a bundle that says nothing of it.
        (vec![of(2)], 2, Vec::new(), 10),
        (vec![of(2), of(4)], 4, signed_for.clone(), 10),
        (vec![of(1)], 1, signed_for.clone(), 10),
        // It is there, and nobody leans on it.
        (vec![of(2), of(4)], 2, signed_for, 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut items = six().items;
        let Item::Header(header) = &mut items[0] else { panic!() };
        let wrapped_log_keys = Some(digest_of_wrapped(std::iter::empty()));
        let signed = Bundle { wrapped_log_keys, earlier_decrees: earlier, ..bundle(&next) };
        header.bundle = Blob(dsse::sign(&signed, &next));
        for seq in 0..gone {
            let at = record(&items, seq);
            if let Item::Record(stored) = &mut items[at] {
                stored.row = None;
            }
        }
        items.splice(1..1, stones.into_iter().map(Item::Tombstone));
        write(folder.path(), &items);
        let output = verify(&folder, &["--json"]);
        assert_eq!(output.status.code(), Some(code), "{gone} gone: {}", said(&output));
    }
}

/// T64: a word about a ledger that never came so far says nothing of what is missing from this one.
#[test]
fn t64_a_tombstone_of_a_size_that_the_ledger_never_had_excuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = Ledger::new();
    (0..9).for_each(|count| other.server(count, Entry::server(Event::Missed { count, of: None })));
    let (admin, reason) = ("admin".to_owned(), "retention".to_owned());
    let stone = Tombstone { tenant: TENANT, before: 9, root: other.root(), admin, reason, at: 1 };
    let mut items = six().items;
    for seq in 0..2 {
        let at = record(&items, seq);
        if let Item::Record(stored) = &mut items[at] {
            stored.row = None;
        }
    }
    items.insert(1, Item::Tombstone(Blob(dsse::sign(&stone, &root_key()))));
    write(folder.path(), &items);
    let output = verify(&folder, &["--json"]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
}

#[test]
fn a_file_that_is_damaged_or_of_another_kind_is_told_in_one_sentence_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.export");
    let check = |bytes: &[u8], english: &str, japanese: &str| {
        std::fs::write(&file, bytes).unwrap();
        for (language, told) in [("en", english), ("ja", japanese)] {
            let output = verify(&folder, &["--lang", language]);
            assert_eq!(output.status.code(), Some(3), "{}", said(&output));
            assert!(said(&output).contains(told), "{}", said(&output));
            assert_eq!(said(&output).lines().count(), 1);
        }
    };
    check(b"PK\x03\x04", "is no exported ledger", "書き出しファイルではありません");
    let whole = std::fs::read(six().write(folder.path())).unwrap();
    check(&whole[..whole.len() - 7], "damaged or cut short", "壊れているか途中で切れています");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(verify(&folder, &[]).status.code(), Some(3));
    let mut partial = six().items;
    if let Item::Header(header) = &mut partial[0] {
        (header.from, header.before) = (4, NOTHING_BEFORE);
    }
    write(folder.path(), &partial);
    let output = verify(&folder, &[]);
    assert_eq!(output.status.code(), Some(7));
    assert!(said(&output).contains("begins at record 4"), "{}", said(&output));
}
