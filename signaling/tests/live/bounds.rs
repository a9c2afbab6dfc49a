//! Promises with a figure or a place in them, over TLS: seconds, hours, zones, addresses, costs, tenants
//! (S52, S63-S65, S69, T8, T17, T51, T52, T54, T56, T62).

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use sha1::{Digest as _, Sha1};
use tasuki_protocol::admin::{Hours, Limits, OPERATORS_PATH, Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::Revocations;
use tasuki_protocol::devices::{REVOKE_PATH, RevokeDevices};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{PROTOCOL_VERSION, SessionId, TenantId};
use tasuki_protocol::ledger::audit::{Acknowledgement, Tombstone};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::ledger::wire::{ACKNOWLEDGE_PATH, Decree, PRUNE_PATH};
use tasuki_protocol::ledger::words::LoginFailure;
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::{CONFIRM_PATH, Confirmation, LoginAnswer};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use crate::acts::database;
use crate::backup::encodings_of_bytes;
use crate::client::{Answer, DEAR, PASSWORD, World, device_key, new_operator, unix};
use crate::ledger::{read_until, read_until_entry};
use crate::organisation::{lock_key, root_key};
use crate::pairing::{open, pair};
use crate::policy::publish;
use crate::second::limited;
use crate::standing::ask;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

/// T56: another operator's session is to a second one what no session at all is, whatever he says of it;
/// and it goes on.
#[tokio::test]
async fn t56_of_anothers_session_an_operator_hears_what_he_hears_of_none() {
    let world = World::start().await;
    let rules = r#"{"operator":{"taro":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    let mut hanako = world.operator("hanako").await;
    let mut taro = world.operator("taro").await;
    let mut room = open(&world, &mut hanako, Mode::View).await;
    let mut session = pair(&world, &mut hanako, &mut room).await;
    let token = room.resume;
    let ways: [fn(SessionId, tasuki_protocol::signal::ResumeToken) -> OperatorToServer; 7] = [
        |session, _| OperatorToServer::Forward { session, body: Blob(vec![7; 9]) },
        |session, _| OperatorToServer::PairingFailed { session, attempt: 0 },
        |session, _| OperatorToServer::Paired { session },
        |session, _| OperatorToServer::NeedLeg { session },
        |session, _| OperatorToServer::NeedLedgerTicket { session },
        |session, _| OperatorToServer::RelayTimes { session, times: vec![Some(1)] },
        |session, _| OperatorToServer::Close { session },
    ];
    // What he may not is answered at once, so that everything before it has been.
    let last = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
    let over = ServerToOperator::Refused { reason: RefusalReason::Mode };
    for way in ways {
        let mut heard = Vec::new();
        for id in [room.session, SessionId([9; 16])] {
            taro.socket.say(&way(id, token)).await;
            taro.socket.say(&last).await;
            let mut answers = Vec::new();
            loop {
                let answer: ServerToOperator = taro.socket.hear().await;
                if answer == over {
                    break;
                }
                answers.push(answer);
            }
            heard.push(answers);
        }
        assert_eq!(heard[0], heard[1], "{:?}", way(room.session, token));
    }
    let body = Blob(b"goes on".to_vec());
    session.agent.say(&AgentToServer::Forward { body: body.clone() }).await;
    let forwarded = ServerToOperator::Forwarded { session: room.session, body };
    assert_eq!(hanako.socket.hear::<ServerToOperator>().await, forwarded);
}

/// T54: what a stranger writes into a proxy's header counts for nothing where no proxy is configured.
#[tokio::test]
async fn t54_a_forwarding_header_is_heeded_from_nobody_where_no_proxy_is_configured() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    limited(&world, Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() }).await;
    let of = (operator.token.as_str(), &operator.device);
    let headers = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
    let body = |proof| Confirmation { password: Some(PASSWORD.to_owned()), totp: None, proof };
    assert_eq!(ask(&world, of, CONFIRM_PATH, &headers, body).await.status, 401);
    let place = |event: &Event| matches!(event, Event::LoginFailed { from, why: LoginFailure::Place, .. } if from == "127.0.0.1");
    read_until(&world, place).await;
}

/// A password of a breach is refused by name; where the list is not there no password is taken, and it is
/// the server that says so.
#[tokio::test]
async fn a_list_of_breached_passwords_is_asked_and_one_that_is_gone_lets_nothing_through() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("breached.txt");
    let breached = "three blind mice in a row";
    let hash = |password: &str| -> String {
        Sha1::digest(password).iter().map(|byte| format!("{byte:02X}")).collect()
    };
    let mut lines = [breached, "another one", "and a third"].map(|word| format!("{}:7", hash(word)));
    lines.sort();
    std::fs::write(&file, lines.join("\r\n")).unwrap();
    let world = World::with(&[("breached_passwords", file.to_str().unwrap())]).await;
    let mut order = new_operator("hanako", &[Mode::View]);
    breached.clone_into(&mut order.password);
    let refused = world.admin_post(OPERATORS_PATH, &order).await;
    assert_eq!((refused.status, code(&refused)), (422, ProblemCode::Breached));
    let other = new_operator("hanako", &[Mode::View]);
    std::fs::remove_file(&file).unwrap();
    let refused = world.admin_post(OPERATORS_PATH, &other).await;
    assert_eq!((refused.status, code(&refused)), (503, ProblemCode::Busy));
    std::fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(world.admin_post(OPERATORS_PATH, &other).await.status, 201);
}

/// Minutes since midnight in Tokyo, two hours around now, within the day.
fn around_now_in_tokyo() -> (u16, u16) {
    let now = u16::try_from((unix() / 60 + 9 * 60) % 1440).unwrap();
    (now.saturating_sub(120), (now + 120).min(1440))
}

/// S63: allowed hours are those of their zone.
#[tokio::test]
async fn s63_hours_that_hold_now_in_tokyo_let_in_under_tokyos_clock_and_not_under_greenwichs() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let (from, until) = around_now_in_tokyo();
    for (zone, is_in) in [("Asia/Tokyo", true), ("UTC", false)] {
        let hours = Hours { zone: zone.to_owned(), days: (1..=7).collect(), from, until };
        limited(&world, Limits { hours: Some(hours), ..Limits::default() }).await;
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
        assert_eq!(matches!(answer, LoginAnswer::SignedIn(_)), is_in, "{answer:?}");
    }
}

/// S69: a policy's hours and the longest session are the server's to keep.
#[tokio::test]
async fn s69_a_policys_hours_and_the_longest_session_hold_over_tls() {
    let world = World::with(&[("session_length_s", "5")]).await;
    let mut operator = world.operator("hanako").await;
    let (from, until) = around_now_in_tokyo();
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let window = format!("daily {}-{}", clock(from), clock(until));
    let ask_for = OperatorToServer::OpenRoom { mode: Mode::View, hellos: Vec::new(), reason: None };
    let rules = format!(r#"{{"default":{{"hours":["{window} UTC"]}}}}"#);
    assert_eq!(publish(&world, &world.admin, 1, &rules).await.status, 201);
    operator.socket.say(&ask_for).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Hours };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    let rules = format!(r#"{{"default":{{"hours":["{window} Asia/Tokyo"]}}}}"#);
    assert_eq!(publish(&world, &world.admin, 2, &rules).await.status, 201);
    let mut room = open(&world, &mut operator, Mode::View).await;
    let begun = Instant::now();
    let mut session = pair(&world, &mut operator, &mut room).await;
    let reason = CloseReason::TimeOver;
    assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// T62: a password is kept under Argon2id at its cost, and checked with a pepper that lies elsewhere.
#[tokio::test]
async fn t62_a_stored_password_is_argon2id_and_worth_nothing_without_the_pepper() {
    let mut world = World::with(&DEAR).await;
    let operator = world.operator("hanako").await;
    let mut own = database(&world).await;
    let stored: String =
        sqlx::query_scalar("SELECT password FROM operators").fetch_one(&mut own).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=65536,t=3,p="), "{stored}");
    let pepper = world.data().join("pepper.key");
    let right = std::fs::read(&pepper).unwrap();
    let mut wrong = right.clone();
    // In hexadecimal.
    wrong[0] = if right[0] == b'0' { b'1' } else { b'0' };
    for (bytes, status) in [(&wrong, 401), (&right, 200)] {
        world.stop().await;
        std::fs::write(&pepper, bytes).unwrap();
        world.run().await;
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await;
        assert_eq!(answer.status, status);
    }
}

/// S64: as many failures as the settings say.
#[tokio::test]
async fn s64_an_account_is_suspended_after_as_many_failures_as_the_settings_say() {
    let world = World::with(&[("lock_after", "5")]).await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    for (failures, status) in [(4, 200), (5, 401)] {
        for _ in 0..failures {
            let answer = world.login("hanako", "wrong", &key(1), Some(&code)).await;
            assert_eq!(answer.status, 401);
        }
        let answer = world.login("hanako", PASSWORD, &key(1), Some(&code)).await;
        assert_eq!(answer.status, status, "after {failures}");
        let mut own = database(&world).await;
        sqlx::query("DELETE FROM failures").execute(&mut own).await.unwrap();
    }
}

/// T8: the name that end users read is as clean as the one that he signs in with.
#[tokio::test]
async fn t8_a_shown_name_with_control_characters_or_hidden_ones_is_refused() {
    let world = World::start().await;
    for shown in ["Hana\u{7}ko", "Hana\nko", "Hana\u{1b}[2Jko", "Hana\u{202e}ko", "Hana\u{200b}ko", ""]
    {
        let mut order = new_operator("hanako", &[Mode::View]);
        shown.clone_into(&mut order.display_name);
        let refused = world.admin_post(OPERATORS_PATH, &order).await;
        assert_eq!((refused.status, code(&refused)), (422, ProblemCode::Unusable), "{shown:?}");
    }
    world.add_operator("hanako", &[Mode::View]).await;
}

/// T56, T69: what the root key said to another organisation is nothing here, nor a policy or a list of
/// revoked devices that is another's.
#[tokio::test]
async fn t56_documents_of_another_tenant_change_nothing() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let read = read_until_entry(&world, |entry| matches!(entry.event, Event::LoggedIn { .. })).await;
    let root = {
        let mut frontier = Frontier::default();
        read.page.rows[..2].iter().for_each(|row| frontier.push(row.leaf, |_, _| {}));
        frontier.root()
    };
    let theirs = TenantId([9; 8]);
    let stone = |tenant| Tombstone {
        tenant,
        before: 2,
        root,
        admin: "admin".to_owned(),
        reason: "retention".to_owned(),
        at: 1,
    };
    let decree = |stone: &Tombstone| Decree { envelope: Blob(dsse::sign(stone, &root_key())) };
    let answer = world.admin_post(PRUNE_PATH, &decree(&stone(theirs))).await;
    assert_eq!((answer.status, code(&answer)), (422, ProblemCode::Unusable));
    let word = |tenant| Acknowledgement {
        tenant,
        lost: 9,
        size: 2,
        root,
        admin: "admin".to_owned(),
        reason: "the disk broke".to_owned(),
        at: 1,
    };
    let decree_of = |word: &Acknowledgement| Decree { envelope: Blob(dsse::sign(word, &root_key())) };
    let answer = world.admin_post(ACKNOWLEDGE_PATH, &decree_of(&word(theirs))).await;
    assert_eq!((answer.status, code(&answer)), (422, ProblemCode::Unusable));
    let list = |tenant| Revocations {
        v: PROTOCOL_VERSION,
        tenant,
        version: 1,
        devices: vec![device_key(&operator.device)],
        issued_at: unix(),
    };
    let order = |tenant| RevokeDevices {
        revocations: Blob(dsse::sign(&list(tenant), &lock_key())),
        bundle: None,
    };
    let answer = world.admin_post(REVOKE_PATH, &order(theirs)).await;
    assert_eq!((answer.status, code(&answer)), (422, ProblemCode::Document));
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    // The same of this tenant are taken: the tenant alone was wrong.
    let own = world.done.tenant;
    assert_eq!(world.admin_post(PRUNE_PATH, &decree(&stone(own))).await.status, 204);
    assert_eq!(world.admin_post(REVOKE_PATH, &order(own)).await.status, 204);
}

/// T62, T63: no key file of the server opens a record, and none of them is in a backup, however it is written.
#[tokio::test]
async fn t63_no_key_of_the_servers_folder_opens_a_record_or_is_in_a_backup() {
    let world = World::start().await;
    world.operator("hanako").await;
    let read = read_until(&world, |event| matches!(event, Event::LoggedIn { .. })).await;
    let backup = world.folder.path().join("taken");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args(["backup", "--data"]).arg(world.data()).arg(&backup);
    assert!(command.output().unwrap().status.success());
    let backup = std::fs::read(backup).unwrap();
    let tenant = world.bundle().tenant;
    let opens = |bytes: [u8; 32]| {
        let secret = LogSecretKey::from_bytes(bytes);
        read.page.keys.iter().any(|envelope| envelope.open(&secret, tenant).is_ok())
    };
    assert!(opens([23; 32]), "the log key does");
    let mut tried = Vec::new();
    for file in std::fs::read_dir(world.data()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".key") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for window in bytes.windows(32) {
            assert!(!opens(window.try_into().unwrap()), "{name} opens a record");
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter(|line| !line.starts_with("-----")).map(str::as_bytes);
        let parts = if text.contains("-----BEGIN") { lines.collect() } else { vec![&bytes[..]] };
        for needle in parts.into_iter().filter(|part| part.len() >= 16).flat_map(encodings_of_bytes) {
            assert!(!backup.windows(needle.len()).any(|w| w == needle), "{name} is in the backup");
        }
        tried.push(name);
    }
    for name in ["names.key", "pepper.key"] {
        assert!(tried.iter().any(|tried| tried == name), "{tried:?}");
    }
}
