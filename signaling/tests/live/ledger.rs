//! The ledger over TLS: everything is in it, an administrator reads it, nobody else does.

use std::collections::HashMap;

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::audit::{Auditor, Tombstone, Verified};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::keys::DataKey;
use tasuki_protocol::ledger::record::{Opened, open as open_row};
use tasuki_protocol::ledger::tree::Hash;
use tasuki_protocol::ledger::wire::{
    Decree, END_ROWS_PATH, EndRows, LedgerOpened, OPEN_LEDGER_PATH, OpenLedger, PRUNE_PATH,
    READ_ROWS_PATH, REVIEW_PATH, ReadRows, Review, RowsPage,
};
use tasuki_protocol::ledger::words::{AdminAction, LockedOut, LoginFailure, ReadPurpose, Witness};
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::policy::exchange::{EndSession, SESSIONS_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToOperator};

use crate::client::{Operator, PASSWORD, PATIENCE, World, device_key};
use crate::organisation::root_key;
use crate::pairing::{REASON, open, pair};
use crate::policy::publish;

/// The ledger up to its newest checkpoint, opened and verified: what the server itself said, and nothing where
/// records are gone or an end's.
pub(crate) struct Read {
    pub(crate) entries: Vec<Option<Entry>>,
    verified: Verified,
    opened: LedgerOpened,
    pub(crate) page: RowsPage,
}

async fn read(world: &World) -> Read {
    let ask = OpenLedger { purpose: ReadPurpose::List, from: 0, to: u64::MAX };
    let answer = world.admin_post(OPEN_LEDGER_PATH, &ask).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let opened: LedgerOpened = serde_json::from_slice(&answer.body).unwrap();
    let page = all_rows(world, &opened).await;
    let verified = verify(world, &opened, &page);
    let secret = LogSecretKey::from_bytes([23; 32]);
    let tenant = world.bundle().tenant;
    let mut before: Hash = opened.before;
    let mut entries = Vec::new();
    let keys: HashMap<Hash, DataKey> =
        page.keys.iter().map(|key| (key.digest(), key.open(&secret, tenant).unwrap())).collect();
    for stored in &page.rows {
        entries.push(stored.row.as_ref().and_then(|row| {
            let key = &keys[&row.key];
            let Opened::Entry(entry) = open_row(row, before, key, tenant).unwrap() else { return None };
            Some(entry)
        }));
        before = stored.leaf;
    }
    Read { entries, verified, opened, page }
}

/// Page by page, as one.
async fn all_rows(world: &World, opened: &LedgerOpened) -> RowsPage {
    let mut all = RowsPage { rows: Vec::new(), keys: Vec::new(), notes: Vec::new() };
    while (all.rows.len() as u64) < opened.to {
        let from = all.rows.len() as u64;
        let ask = ReadRows { reading: opened.reading.clone(), from, count: 1000 };
        let answer = world.admin_post(READ_ROWS_PATH, &ask).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let page: RowsPage = serde_json::from_slice(&answer.body).unwrap();
        assert!(!page.rows.is_empty(), "no row at {from}");
        all.rows.extend(page.rows);
        all.keys.extend(page.keys);
        all.notes.extend(page.notes);
    }
    all
}

fn verify(world: &World, opened: &LedgerOpened, page: &RowsPage) -> Verified {
    let bundle = world.bundle();
    let word = RootsWord::of_root(device_key(&root_key()));
    let mut auditor = Auditor::new(bundle.tenant, bundle.checkpoint_keys, word);
    opened.tombstones.iter().for_each(|stone| auditor.tombstone(&stone.0).unwrap());
    page.keys.iter().for_each(|key| auditor.key(key));
    let mut notes = page.notes.iter().peekable();
    for (at, stored) in page.rows.iter().enumerate() {
        auditor.record(stored).unwrap();
        let size = (at + 1).to_string();
        while let Some(note) = notes.next_if(|note| note.lines().nth(1) == Some(&size)) {
            auditor.checkpoint(note).unwrap();
        }
    }
    auditor.finish().unwrap()
}

/// Reads until `wanted` is in a checkpoint.
pub(crate) async fn read_until(world: &World, wanted: impl Fn(&Event) -> bool) -> Read {
    read_until_entry(world, |entry| wanted(&entry.event)).await
}

/// As [`read_until`], of whatever an entry says.
pub(crate) async fn read_until_entry(world: &World, wanted: impl Fn(&Entry) -> bool) -> Read {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let read = read(world).await;
        if read.entries.iter().flatten().any(&wanted) {
            return read;
        }
        assert!(tokio::time::Instant::now() < end, "it never came into the ledger");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Opens a number and gives it up: the end of a session is signed at once.
pub(crate) async fn come_and_go(world: &World, operator: &mut Operator) -> SessionId {
    let room = open(world, operator, Mode::View).await;
    operator.socket.say(&OperatorToServer::Close { session: room.session }).await;
    room.session
}

/// Nobody waits for the first checkpoint to be due.
#[tokio::test]
async fn a_ledger_can_be_read_and_verified_from_its_first_record_on() {
    let world = World::start().await;
    let read = read(&world).await;
    let is_first = |entry: &Option<Entry>| {
        entry.as_ref().is_some_and(|entry| {
            matches!(&entry.event, Event::AdminDid { action: AdminAction::AdminEnrolled, .. })
        })
    };
    assert!(read.entries.first().is_some_and(is_first), "{:?}", read.entries);
}

/// S52, S53, S55, S56, T63: sign-ins with their address, failures, a suspension, numbers and the
/// reading itself are there, for the holder of the log key.
#[tokio::test]
async fn what_happens_at_the_server_is_in_the_ledger_in_its_order() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let stranger = SigningKey::from_bytes(&[99; 32]);
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "wrong password", &stranger, None).await.status, 401);
    }
    assert_eq!(world.login("nobody", PASSWORD, &stranger, None).await.status, 401);
    let session = come_and_go(&world, &mut operator).await;
    read_until(&world, |event| matches!(event, Event::SessionClosed { .. })).await;
    come_and_go(&world, &mut operator).await;
    let read = read_until(&world, |event| matches!(event, Event::LedgerRead { .. })).await;
    let of = |wanted: fn(&Event) -> bool| -> Vec<Entry> {
        read.entries.iter().flatten().filter(|entry| wanted(&entry.event)).cloned().collect()
    };
    let signed_in = of(|event| matches!(event, Event::LoggedIn { .. }));
    assert_eq!(signed_in.len(), 1);
    assert_eq!(signed_in[0].operator.as_deref(), Some("hanako"));
    let Event::LoggedIn { from, device, .. } = &signed_in[0].event else { panic!() };
    assert_eq!((from.as_str(), *device), ("127.0.0.1", device_key(&operator.device)));
    let failed: Vec<(String, LoginFailure)> = of(|event| matches!(event, Event::LoginFailed { .. }))
        .into_iter()
        .map(|entry| {
            let Event::LoginFailed { account, why, .. } = entry.event else { panic!() };
            (account, why)
        })
        .collect();
    let hers = || ("hanako".to_owned(), LoginFailure::Password);
    let nobodys = ("nobody".to_owned(), LoginFailure::UnknownAccount);
    assert_eq!(failed, [hers(), hers(), hers(), nobodys], "S52: whose, and why");
    let locked = of(|event| matches!(event, Event::LockedOut { .. }));
    assert_eq!(locked.len(), 1);
    let Event::LockedOut { who, .. } = &locked[0].event else { panic!() };
    assert_eq!(*who, LockedOut::UnknownDevices);
    let opened = of(|event| matches!(event, Event::RoomOpened { .. }));
    assert_eq!(opened[0].session, Some(session));
    assert_eq!(opened[0].operator.as_deref(), Some("hanako"));
    let Event::RoomOpened { reason, .. } = &opened[0].event else { panic!() };
    assert_eq!(reason.as_deref(), Some(REASON), "S53: why, in the operator's words");
    assert!(!of(|event| matches!(event, Event::AdminDid { .. })).is_empty());
    assert_eq!(read.verified.size, read.opened.to);
}

/// S53: who ended it: the operator, the customer, or neither of them.
#[tokio::test]
async fn s53_a_session_that_is_over_names_the_end_that_ended_it() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let by_operator = come_and_go(&world, &mut operator).await;

    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    session.agent.say(&AgentToServer::Close).await;
    let closed: ServerToOperator = operator.socket.hear().await;
    assert!(matches!(closed, ServerToOperator::Closed { .. }), "{closed:?}");

    let ended = open(&world, &mut operator, Mode::View).await.session;
    let order = EndSession { session: ended };
    assert_eq!(world.admin_post(SESSIONS_PATH, &order).await.status, 204);
    let is_last = |entry: &Entry| {
        entry.session == Some(ended) && matches!(entry.event, Event::SessionClosed { .. })
    };
    let read = read_until_entry(&world, is_last).await;
    let by = |session: SessionId| {
        let of_it = read.entries.iter().flatten().filter(|entry| entry.session == Some(session));
        let by = of_it.filter_map(|entry| {
            let Event::SessionClosed { by, .. } = &entry.event else { return None };
            Some(*by)
        });
        by.collect::<Vec<_>>()
    };
    assert_eq!(by(by_operator), [Some(Witness::Operator)]);
    assert_eq!(by(room.session), [Some(Witness::Agent)]);
    assert_eq!(by(ended), [None], "an administrator's end is neither's");
}

/// S54, S56: an act of an administrator names him and whom it concerned; a device that waits has
/// asked once, however often it looks, and looking is nobody's act.
#[tokio::test]
async fn what_administrators_do_is_recorded_under_their_names_and_waiting_is_not() {
    let world = World::start().await;
    let code = world.add_operator("taro", &[Mode::View]).await;
    let device = SigningKey::from_bytes(&[98; 32]);
    for _ in 0..3 {
        let answer = world.login("taro", PASSWORD, &device, Some(&code)).await;
        assert_eq!(answer.login(), LoginAnswer::DevicePending);
    }
    let mut operator = world.operator("hanako").await;
    assert_eq!(publish(&world, &world.admin, 1, r#"{"note":"all as it was"}"#).await.status, 201);
    let ended = open(&world, &mut operator, Mode::View).await.session;
    let order = EndSession { session: ended };
    assert_eq!(world.admin_post(SESSIONS_PATH, &order).await.status, 204);
    operator.socket.hear::<ServerToOperator>().await;
    come_and_go(&world, &mut operator).await;
    let is_end =
        |event: &Event| matches!(event, Event::AdminDid { action: AdminAction::SessionEnded, .. });
    let read = read_until(&world, is_end).await;
    let events = || read.entries.iter().flatten().map(|entry| &entry.event);
    let mut acts = Vec::new();
    for event in events() {
        if let Event::AdminDid { admin, action, target, .. } = event {
            assert_eq!(admin, "admin", "{event:?}");
            acts.push((*action, target.clone()));
        }
    }
    for (action, target) in [
        (AdminAction::OperatorAdded, "taro".to_owned()),
        (AdminAction::DeviceApproved, "hanako".to_owned()),
        (AdminAction::PolicyPublished, "version 1".to_owned()),
        (AdminAction::SessionEnded, ended.to_string()),
    ] {
        assert!(acts.contains(&(action, target)), "{action:?}: {acts:?}");
    }
    let asked = read.entries.iter().flatten().filter(|entry| {
        let of_taro = entry.operator.as_deref() == Some("taro");
        of_taro && matches!(entry.event, Event::DeviceEnrolled { .. })
    });
    assert_eq!(asked.count(), 1);
}

/// S49, S56, T56: who is no administrator reads nothing; who has opened nothing reads nothing;
/// a ticket that the server did not make delivers nothing.
#[tokio::test]
async fn nobody_reads_or_writes_the_ledger_without_his_right_to() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    come_and_go(&world, &mut operator).await;
    read_until(&world, |event| matches!(event, Event::SessionClosed { .. })).await;
    let ask = OpenLedger { purpose: ReadPurpose::List, from: 0, to: 9 };
    assert_eq!(world.post(OPEN_LEDGER_PATH, &ask, &[]).await.status, 401);
    let bearer = format!("Bearer {}", operator.token);
    let as_operator = world.post(OPEN_LEDGER_PATH, &ask, &[("authorization", &bearer)]).await;
    assert_eq!(as_operator.status, 401);
    let unopened = ReadRows { reading: Blob(vec![0; 16]), from: 0, count: 10 };
    assert_eq!(world.admin_post(READ_ROWS_PATH, &unopened).await.status, 404);
    let forged = EndRows { ticket: Blob(vec![7; 57]), known: 0, rows: Vec::new() };
    assert_eq!(world.post(END_ROWS_PATH, &forged, &[]).await.status, 401);
}

/// S92, S95, T64: a review is a record; of what was removed no file has a byte; what the root key's tombstone takes away stays verifiable,
/// and nobody else's word takes anything away.
#[tokio::test]
async fn s95_records_are_pruned_for_good_on_the_root_keys_word_alone_and_reviews_are_kept() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    come_and_go(&world, &mut operator).await;
    let full = read_until(&world, |event| matches!(event, Event::SessionClosed { .. })).await;
    let review = Review { up_to: full.verified.size, note: "monthly".to_owned() };
    assert_eq!(world.admin_post(REVIEW_PATH, &review).await.status, 204);
    let ahead = Review { up_to: 1_000_000, note: String::new() };
    assert_eq!(world.admin_post(REVIEW_PATH, &ahead).await.status, 422);

    let before = 3;
    let root = {
        let mut frontier = tasuki_protocol::ledger::tree::Frontier::default();
        full.page.rows[..3].iter().for_each(|row| frontier.push(row.leaf, |_, _| {}));
        frontier.root()
    };
    let stone = Tombstone {
        tenant: world.bundle().tenant,
        before,
        root,
        admin: "admin".to_owned(),
        reason: "retention".to_owned(),
        at: 1,
    };
    let prune = |key: &SigningKey, stone: &Tombstone| Decree { envelope: Blob(dsse::sign(stone, key)) };
    assert_eq!(world.admin_post(PRUNE_PATH, &prune(&world.admin, &stone)).await.status, 401);
    let of_another = Tombstone { root: full.page.rows[0].leaf, ..stone.clone() };
    assert_eq!(world.admin_post(PRUNE_PATH, &prune(&root_key(), &of_another)).await.status, 422);
    let contents: Vec<Blob> =
        full.page.rows[..3].iter().map(|stored| stored.row.as_ref().unwrap().sealed.clone()).collect();
    let left = || {
        let files = ["tasuki.db", "tasuki.db-wal"].map(|name| world.data().join(name));
        let all: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
        let is_there = |Blob(part): &&Blob| all.windows(part.len()).any(|bytes| bytes == part);
        contents.iter().filter(is_there).count()
    };
    assert_eq!(left(), 3, "each is in the database or in its journal");
    assert_eq!(world.admin_post(PRUNE_PATH, &prune(&root_key(), &stone)).await.status, 204);
    // Somebody may have been reading: then it is tried again.
    let end = tokio::time::Instant::now() + PATIENCE;
    while left() > 0 {
        assert!(
            tokio::time::Instant::now() < end,
            "{} of what was removed is on the disk still",
            left()
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let pruned = read_until(&world, |event| matches!(event, Event::Pruned { .. })).await;
    assert_eq!(pruned.verified.pruned, 3);
    // T69: a root that was changed takes nothing away any more.
    let (next, next_stone) = (SigningKey::from_bytes(&[31; 32]), Tombstone { at: 2, ..stone.clone() });
    let stones = [prune(&root_key(), &stone).envelope];
    let earlier_decrees = RootsWord::of(&world.bundle()).handed_on::<Tombstone>(&stones, |_| true);
    let root = device_key(&next);
    let handed_over = Bundle { version: 2, root, earlier_decrees, ..world.bundle() };
    assert_eq!(world.publish(&handed_over, &[&next, &root_key()]).await.status, 204);
    assert_eq!(world.admin_post(PRUNE_PATH, &prune(&root_key(), &next_stone)).await.status, 401);
    assert_eq!(world.admin_post(PRUNE_PATH, &prune(&next, &next_stone)).await.status, 204);
    assert!(pruned.entries[..3].iter().all(Option::is_none));
    assert!(pruned.entries.iter().flatten().any(|e| matches!(e.event, Event::Reviewed { .. })));
}
