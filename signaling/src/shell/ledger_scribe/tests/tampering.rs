//! A database that was stolen, shortened, reordered, rolled back or restarted.

use super::*;

/// S47, T62: neither the database nor its journal shows a word of a record, in any encoding.
#[tokio::test]
async fn a_stolen_database_shows_no_canary_in_any_encoding() {
    use base64::Engine;
    let desk = start().await;
    desk.chat(CANARY).await;
    let utf16 = |big: bool| -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        CANARY.encode_utf16().flat_map(order).collect()
    };
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut needles = vec![CANARY.as_bytes().to_vec(), utf16(true), utf16(false)];
    needles.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    // Base64 at each of its three alignments, without the characters that mix with neighbours.
    for pad in 0..3 {
        let padded = [vec![b' '; pad], CANARY.as_bytes().to_vec()].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(padded);
        needles.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for needle in &needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{} shows {:?}", path.display(), String::from_utf8_lossy(needle));
        }
    }
}

/// T64: each kind of tampering, by somebody who holds the database, is found and named.
#[tokio::test]
async fn every_tampering_is_found_and_the_first_bad_record_is_named() {
    let cases: [(&[&'static str], Finding); 8] = [
        (&["UPDATE ledger SET sealed = x'00' WHERE seq = 3"], Finding::Changed(3)),
        (&["UPDATE ledger SET at = at + 1 WHERE seq = 2"], Finding::Changed(2)),
        (&["UPDATE ledger SET class = 1 WHERE seq = 4"], Finding::Changed(4)),
        (&["DELETE FROM ledger WHERE seq = 3"], Finding::OutOfOrder { expected: 3, found: 4 }),
        (&["UPDATE ledger SET sealed = NULL, key = NULL WHERE seq < 2"], Finding::Removed(0)),
        (
            &[
                "UPDATE ledger SET seq = -1 WHERE seq = 2",
                "UPDATE ledger SET seq = 2 WHERE seq = 3",
                "UPDATE ledger SET seq = 3 WHERE seq = -1",
            ],
            Finding::Changed(2),
        ),
        (
            &["INSERT INTO ledger SELECT 6, at, class, key, sealed, leaf FROM ledger WHERE seq = 5"],
            Finding::Changed(6),
        ),
        (&["DELETE FROM ledger_keys"], Finding::KeyMissing(0)),
    ];
    for (statements, expected) in cases {
        let folder = written(6).await;
        run(&folder, statements).await;
        assert_eq!(audit(&folder, &[]).await, Err(expected), "{statements:?}");
    }
}

/// T64, T67: truncation with its checkpoints, a fork, a rollback and another key are found by
/// whoever kept a checkpoint.
#[tokio::test]
async fn a_kept_checkpoint_shows_what_the_database_no_longer_does() {
    let folder = written(6).await;
    let kept = note(&folder).await;
    let shortened = ["DELETE FROM ledger WHERE seq >= 4", "DELETE FROM ledger_checkpoints"];
    run(&folder, &shortened).await;
    let cut = audit(&folder, std::slice::from_ref(&kept)).await;
    assert_eq!(cut, Err(Finding::Truncated { have: 4, signed: 6 }));

    let other = written(7).await;
    let fork = audit(&other, std::slice::from_ref(&kept)).await;
    assert_eq!(fork, Err(Finding::Forked(6)));

    let folder = written(2).await;
    let replaced = tasuki_protocol::ledger::checkpoint::Checkpoint {
        tenant: TENANT,
        size: 2,
        root: Store::over(pool(&folder).await).root_at(2).await.unwrap(),
        at: 1,
    };
    let note = replaced.sign(&checkpoint_key(5));
    let store = Store::over(pool(&folder).await);
    store.keep_note(2, &note).await.unwrap();
    let found = audit(&folder, &[]).await;
    assert!(matches!(found, Err(Finding::Checkpoint { size: 1, .. })), "{found:?}");
}

/// F1, T64: the ledger goes on where it was, and proves that it grew.
#[tokio::test]
async fn a_restarted_ledger_goes_on_and_proves_that_it_grew() {
    let folder = written(5).await;
    let early = note(&folder).await;
    let desk = begin(folder).await;
    desk.chat("after the restart").await;
    let ledger = desk.ledger.clone();
    let folder = desk.stop_with(ledger).await;
    assert_eq!(audit(&folder, std::slice::from_ref(&early)).await.unwrap().size, 6);
    let store = Store::over(pool(&folder).await);
    let opened = |note: &str| {
        let keys = [public(&checkpoint_key(3))];
        tasuki_protocol::ledger::checkpoint::Checkpoint::open(note, TENANT, &keys).unwrap()
    };
    let (old, new) = (opened(&early), opened(&note(&folder).await));
    let proof = store.consistency(old.size, new.size).await.unwrap();
    let grew = tasuki_protocol::ledger::tree::is_consistent(
        (old.size, old.root),
        (new.size, new.root),
        &proof,
    );
    assert!(grew);
}

impl Desk {
    async fn stop_with(self, ledger: Ledger) -> TempDir {
        drop(ledger);
        self.stop().await
    }
}
