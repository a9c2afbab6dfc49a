//! Backups: whole while the server works, refused when damaged or foreign, and silent to a thief.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasuki_protocol::admin::{
    ChangeGroup, GROUPS_PATH, GroupChange, LimitOperator, Limits, OPERATOR_LIMITS_PATH,
};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, ServerToOperator};
use tasuki_signaling::shell::setup::{SetUp, set_up};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ledger::audit::{Acknowledgement, Tombstone};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::ledger::wire::{
    ACKNOWLEDGE_PATH, ADMIN_CHECKPOINT_PATH, AskCheckpoint, CheckpointAnswer, Decree, END_ROWS_PATH,
    EndRowsTaken, PRUNE_PATH,
};

use crate::client::{PASSWORD, World};
use crate::durable::rows;
use crate::ledger::{come_and_go, read_until};
use crate::organisation::root_key;
use crate::pairing::{open, pair};

pub(crate) fn program(verb: &str, data: &Path, file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args([verb, "--data"]).arg(data).arg(file).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().unwrap()
}

#[track_caller]
pub(crate) fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
pub(crate) fn refused(output: &Output, code: i32) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
}

#[tokio::test]
async fn a_backup_of_a_working_server_comes_back_whole_and_signs_everybody_out() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let file = world.folder.path().join("one.backup");
    let (data, out) = (world.data(), file.clone());
    let making = tokio::task::spawn_blocking(move || program("backup", &data, &out));
    while !making.is_finished() {
        world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    }
    done(&making.await.unwrap());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others could read it");
    refused(&program("backup", &world.data(), &file), 13);
    refused(&program("restore", &world.data(), &file), 6);
    for end in ["copy", "new"] {
        let (second, theirs) = (file.with_file_name("two"), file.with_file_name(format!("two.{end}")));
        std::fs::write(&theirs, "somebody's").unwrap();
        refused(&program("backup", &world.data(), &second), 13);
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "somebody's", "{end}");
        std::fs::remove_file(&theirs).unwrap();
    }
    let left = std::fs::read_dir(world.folder.path()).unwrap().count();
    assert_eq!(left, 2, "beside the folder and the backup something was left");
    world.add_operator("taro", &[Mode::View]).await;
    world.stop().await;
    refused(&program("restore", &world.data(), &file), 13);
    move_database_away(&world);
    done(&program("restore", &world.data(), &file));
    refused(&program("restore", &world.data(), &file), 13);
    world.run().await;
    let again = world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    world.operator_socket(&again.token, &operator.device).await;
    let listed = world.admin_get(tasuki_protocol::admin::OPERATORS_PATH).await;
    assert_eq!(listed.status, 401, "an administrator's session of then revived");
    let taro = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(world.login("taro", PASSWORD, &taro, None).await.status, 401, "he came afterwards");
}

/// F21: a session's end has delivered more than the backup has: what it says from then on is in the ledger.
#[tokio::test]
async fn f21_a_session_whose_records_a_restore_took_back_goes_on_being_recorded() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let session = pair(&world, &mut operator, &mut room).await;
    operator.socket.say(&OperatorToServer::NeedLedgerTicket { session: room.session }).await;
    let ServerToOperator::LedgerTicket { ticket, .. } = operator.socket.hear().await else { panic!() };
    let next = async |world: &World, number: u64| {
        let answer = world.post(END_ROWS_PATH, &rows(world, room.session, &ticket, number), &[]).await;
        serde_json::from_slice::<EndRowsTaken>(&answer.body).unwrap().next
    };
    assert_eq!(next(&world, 0).await, 1);
    let file = world.folder.path().join("one.backup");
    done(&program("backup", &world.data(), &file));
    assert_eq!((next(&world, 1).await, next(&world, 2).await), (2, 3));
    drop(session);
    world.stop().await;
    move_database_away(&world);
    done(&program("restore", &world.data(), &file));
    world.run().await;
    assert_eq!(next(&world, 3).await, 4, "the end has the two between no more");
    assert_eq!(next(&world, 5).await, 4, "and keeps back nothing");
}

/// T57: a token that `setup` printed long ago lets nobody in after a restore.
#[tokio::test]
async fn t57_a_backup_without_an_administrator_comes_back_with_another_token_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("early"));
    let printed = set_up(SetUp {
        data: data.clone(),
        host: "localhost".to_owned(),
        port: 1,
        organisation: None,
        certificate: None,
    });
    let old = printed.await.unwrap().admin_token;
    done(&program("backup", &data, &file));
    for name in ["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"] {
        std::fs::remove_file(data.join(name)).ok();
    }
    let restored = program("restore", &data, &file);
    done(&restored);
    let said = String::from_utf8(restored.stdout).unwrap();
    let new = said.lines().last().unwrap().trim();
    assert!(new.len() == old.len() && new != old, "{said}");
    let options = SqliteConnectOptions::new().filename(data.join("tasuki.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let rows = sqlx::query("SELECT hash FROM admin_tokens").fetch_all(&pool).await.unwrap();
    let hashes: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(hashes, [Sha256::digest(new).to_vec()]);
}

pub(crate) fn move_database_away(world: &World) {
    let away = world.folder.path().join("away");
    std::fs::create_dir_all(&away).unwrap();
    for name in ["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"] {
        std::fs::rename(world.data().join(name), away.join(name)).ok();
    }
}

#[tokio::test]
async fn a_damaged_cut_longer_or_foreign_backup_is_refused_and_changes_nothing() {
    let mut world = World::start().await;
    world.stop().await;
    let other = World::start().await;
    let folder = world.folder.path().to_owned();
    let (file, foreign) = (folder.join("good"), folder.join("foreign"));
    done(&program("backup", &world.data(), &file));
    done(&program("backup", &other.data(), &foreign));
    let nowhere = program("backup", &world.data(), &folder.join("no such folder/good"));
    refused(&nowhere, 3);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("There is no folder"), "{nowhere:?}");
    let good = std::fs::read(&file).unwrap();
    move_database_away(&world);
    let bad = folder.join("bad");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let places = [0, 40, good.len() / 2, good.len() - 1];
    let mut spoilt: Vec<Vec<u8>> = places.into_iter().map(flipped).collect();
    spoilt.extend([good[..good.len() - 1].to_vec(), good[..100].to_vec(), Vec::new()]);
    spoilt.push([good.as_slice(), b"x"].concat());
    for bytes in spoilt {
        std::fs::write(&bad, bytes).unwrap();
        refused(&program("restore", &world.data(), &bad), 14);
    }
    refused(&program("restore", &world.data(), &foreign), 15);
    refused(&program("restore", &world.data(), &folder.join("nowhere")), 11);
    let no_keys = folder.join("no keys");
    std::fs::create_dir(&no_keys).unwrap();
    refused(&program("restore", &no_keys, &file), 3);
    for entry in std::fs::read_dir(world.data()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains(".db"), "{name} was left");
    }
    done(&program("restore", &world.data(), &file));
    world.run().await;
}

/// Everything under which a text can be found again.
pub(crate) fn encodings(canary: &str) -> Vec<Vec<u8>> {
    let utf16 = |big: bool| -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        canary.encode_utf16().flat_map(order).collect()
    };
    [encodings_of_bytes(canary.as_bytes()), vec![utf16(true), utf16(false)]].concat()
}

/// Everything under which bytes can be found again.
pub(crate) fn encodings_of_bytes(canary: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = canary.iter().map(|byte| format!("{byte:02x}")).collect();
    // As Debug prints bytes.
    let listed = format!("{canary:?}");
    let mut all = vec![canary.to_vec(), listed.trim_matches(['[', ']']).as_bytes().to_vec()];
    all.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    for pad in 0..3 {
        // Without the characters that mix with their neighbours.
        let text = STANDARD.encode([vec![b' '; pad], canary.to_vec()].concat());
        let middle = text.as_bytes()[4..text.len() - 4].to_vec();
        all.push(middle.iter().map(|b| if *b == b'+' { b'-' } else { *b }).collect());
        // A document inside a document.
        let twice = STANDARD.encode(&middle);
        all.push(twice.as_bytes()[4..twice.len() - 4].to_vec());
        all.push(middle);
    }
    // What is shorter stands in any bytes by chance.
    all.retain(|needle| needle.len() >= 8);
    all
}

const DECREED: [&str; 2] = ["canary-administrator", "canary-reason-of-a-decree"];

/// What the root key says of the ledger, with names and reasons in it.
async fn decrees(world: &World) -> [(&'static str, Vec<u8>); 2] {
    let mut operator = world.operator("somebody").await;
    come_and_go(world, &mut operator).await;
    let read = read_until(world, |event| matches!(event, Event::SessionClosed { .. })).await;
    let mut frontier = Frontier::default();
    frontier.push(read.page.rows[0].leaf, |_, _| {});
    let (tenant, root, at) = (world.bundle().tenant, frontier.root(), 1);
    let [admin, reason] = DECREED.map(str::to_owned);
    let stone = Tombstone { tenant, before: 1, root, admin: admin.clone(), reason: reason.clone(), at };
    let word = Acknowledgement { tenant, lost: 9, size: 1, root, admin, reason, at };
    [(PRUNE_PATH, dsse::sign(&stone, &root_key())), (ACKNOWLEDGE_PATH, dsse::sign(&word, &root_key()))]
}

/// T62: what an earlier version kept of decrees as they came is sealed when the server starts,
/// and is handed out as it was.
#[tokio::test]
async fn t62_decrees_that_lay_open_are_sealed_by_the_next_start() {
    let mut world = World::start().await;
    let [_, (_, document)] = decrees(&world).await;
    world.stop().await;
    let options = SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let insert = "INSERT INTO ledger_decrees (kind, document) VALUES ('acknowledgement', ?)";
    sqlx::query(insert).bind(document.clone()).execute(&pool).await.unwrap();
    world.run().await;
    let answer = world.admin_post(ADMIN_CHECKPOINT_PATH, &AskCheckpoint { known: 0 }).await;
    let answer: CheckpointAnswer = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.acknowledgements, [Blob(document)]);
    let kept = sqlx::query("SELECT document FROM ledger_decrees").fetch_one(&pool).await.unwrap();
    let kept: Vec<u8> = kept.get(0);
    for needle in DECREED.iter().flat_map(|canary| encodings(canary)) {
        assert!(!kept.windows(needle.len()).any(|window| window == needle));
    }
}

/// What a thief has who finds no key: database, journals and a backup.
pub(crate) fn stolen(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let backup = world.folder.path().join("stolen");
    done(&program("backup", &world.data(), &backup));
    let files = ["tasuki.db", "tasuki.db-wal", "tasuki.db-shm"].map(|name| world.data().join(name));
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.is_empty(), "{}", file.display());
        (file, bytes)
    };
    files.into_iter().chain([backup]).map(read).collect()
}

/// S48, T62: who takes database, journal and backup, and no key file, learns nobody's name,
/// group, address or password.
#[tokio::test]
async fn t62_s48_a_stolen_database_and_backup_reveal_no_canary_in_any_encoding() {
    let world = World::start().await;
    let name = "canary-hanako-yamada";
    let operator = world.operator(name).await;
    let group = |change| ChangeGroup { group: "canary-group-desk".to_owned(), change };
    assert_eq!(world.admin_post(GROUPS_PATH, &group(GroupChange::Add)).await.status, 204);
    let join = group(GroupChange::Join { operator: name.to_owned() });
    assert_eq!(world.admin_post(GROUPS_PATH, &join).await.status, 204);
    world.login(name, PASSWORD, &operator.device, None).await.signed_in();
    for (path, document) in decrees(&world).await {
        let decree = Decree { envelope: Blob(document) };
        assert_eq!(world.admin_post(path, &decree).await.status, 204);
    }
    let limits = Limits { addresses: vec!["192.0.2.77/32".to_owned()], ..Limits::default() };
    let order = LimitOperator { operator: name.to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    for (file, bytes) in stolen(&world) {
        for canary in
            [name, "canary-group-desk", DECREED[0], DECREED[1], "192.0.2.77", "127.0.0.1", PASSWORD]
        {
            for needle in encodings(canary) {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                let text = String::from_utf8_lossy(&needle).into_owned();
                assert!(!found, "{} shows {canary} as {text:?}", file.display());
            }
        }
    }
}
