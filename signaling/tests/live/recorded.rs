//! What the ledger says of refusals, of the ends of sign-ins, of terminals, of failed pairings and of
//! what the server's machine does (S52, S53, S55, S56, S63, S79).

use std::process::{Command, Stdio};

use ed25519_dalek::SigningKey;
use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_HEADER, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ChangeOperator, Hours,
    Limits, OPERATOR_CHANGES_PATH, OPERATORS_PATH, OperatorChange,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::devices::{APPROVE_PATH, DEVICES_PATH};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{AdminAction, LockedOut, LoginFailure, LogoutCause};
use tasuki_protocol::login::{CONFIRM_PATH, Confirmation, LOGOUT_PATH, LoginAnswer, SignOut};
use tasuki_protocol::number::Locator;
use tasuki_protocol::policy::exchange::{POLICY_PATH, SESSIONS_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AGENT_PATH, OPERATOR_PATH, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Operator, PASSWORD, World, new_operator, unix};
use crate::http::admin_header;
use crate::ledger::{Read, come_and_go, read_until, read_until_entry};
use crate::pairing::{agent_offer, join, open, secret};
use crate::policy::publish;
use crate::second::{limited, log_in, tomorrow};
use crate::standing::ask;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// What `of` makes of the records, in their order.
fn those<T>(read: &Read, of: impl Fn(&Event) -> Option<T>) -> Vec<T> {
    read.entries.iter().flatten().filter_map(|entry| of(&entry.event)).collect()
}

/// S56: an administrator who is refused, and whoever poses as one, stands there with what he wanted; to be asked is no refusal.
#[tokio::test]
async fn s56_every_refusal_of_an_administrators_request_is_in_the_ledger() {
    let world = World::start().await;
    let nothing = crate::refused::in_every_way(&world).await;
    let refused = |event: &Event| {
        let Event::AdminRefused { from, path, admin, to_confirm: false } = event else { return None };
        assert_eq!(from, "127.0.0.1");
        Some((path.clone(), admin.clone()))
    };
    let is_last = |event: &Event| refused(event).is_some_and(|(path, _)| path == DEVICES_PATH);
    let read = read_until(&world, is_last).await;
    let admin = || Some("admin".to_owned());
    let expected = [
        (OPERATORS_PATH, None),
        (ADMIN_CHANGES_PATH, admin()),
        (POLICY_PATH, admin()),
        (OPERATORS_PATH, admin()),
        (APPROVE_PATH, admin()),
        (SESSIONS_PATH, admin()),
        (DEVICES_PATH, admin()),
    ];
    let expected = expected.map(|(path, admin)| (path.to_owned(), admin));
    assert_eq!(those(&read, refused), expected);
    assert_eq!(those(&read, failure), [LoginFailure::Password]);
    let asked = |event: &Event| {
        let Event::AdminRefused { path, admin, to_confirm: true, .. } = event else { return None };
        Some((path.clone(), admin.clone()))
    };
    assert_eq!(
        those(&read, asked),
        [(POLICY_PATH.to_owned(), admin())],
        "as asked, and not as refused"
    );

    // Nobody fills the ledger, and nobody hides an administrator's refusal behind his own.
    for _ in 0..100 {
        let stranger = admin_header(&key(99), unix(), "GET", OPERATORS_PATH, b"");
        assert_eq!(world.get(OPERATORS_PATH, &[(ADMIN_HEADER, &stranger)]).await.status, 401);
    }
    assert_eq!(world.admin_post(SESSIONS_PATH, &nothing).await.status, 404);
    let twice = |read: &Read| {
        let paths = those(read, refused).into_iter().map(|(path, _)| path);
        paths.filter(|path| path == SESSIONS_PATH).count() == 2
    };
    let mut read = read_until(&world, is_last).await;
    while !twice(&read) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        read = read_until(&world, is_last).await;
    }
    let strangers = those(&read, refused).into_iter().filter(|(_, admin)| admin.is_none()).count();
    assert!((20..60).contains(&strangers), "{strangers} of a hundred");
}

fn failure(event: &Event) -> Option<LoginFailure> {
    if let Event::LoginFailed { why, .. } = event { Some(*why) } else { None }
}

fn elsewhere() -> Limits {
    Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() }
}

fn another_day() -> Limits {
    let zone = "Asia/Tokyo".to_owned();
    let hours = Hours { zone, days: vec![tomorrow()], from: 0, until: 1440 };
    Limits { hours: Some(hours), ..Limits::default() }
}

/// S63, T54, T55: a token in a thief's hands, from elsewhere, or at the wrong hour; and what an operator asks
/// for that he may not.
#[tokio::test]
async fn s63_t54_t55_a_token_that_is_not_taken_and_a_request_that_is_refused_are_in_the_ledger() {
    let world = World::start().await;
    let rules = r#"{"operator":{"hanako":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    let mut operator = world.operator("hanako").await;
    let ask_more = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
    operator.socket.say(&ask_more).await;
    let reason = RefusalReason::Mode;
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, ServerToOperator::Refused { reason });
    let bearer = format!("Bearer {}", operator.token);
    let mut thief = world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.unwrap();
    thief.hear::<ServerToOperator>().await;
    thief.say(&OperatorToServer::Prove { signature: Blob(vec![0; 64]) }).await;
    thief.hear::<ServerToOperator>().await;
    let of = (operator.token.as_str(), &operator.device);
    let confirm = || {
        let body = |proof| Confirmation { password: Some(PASSWORD.to_owned()), totp: None, proof };
        ask(&world, of, CONFIRM_PATH, &[], body)
    };
    for limits in [elsewhere(), another_day()] {
        limited(&world, limits).await;
        assert_eq!(confirm().await.status, 401);
    }
    limited(&world, Limits::default()).await;
    assert_eq!(confirm().await.status, 204, "and nobody was suspended by it");
    let read = read_until(&world, |event| failure(event) == Some(LoginFailure::Hours)).await;
    let seen = those(&read, |event| {
        let Event::LoginFailed { account, from, device, why, .. } = event else { return None };
        assert_eq!((account.as_str(), from.as_str()), ("hanako", "127.0.0.1"));
        assert_eq!(*device, crate::client::device_key(&operator.device));
        Some(*why)
    });
    assert_eq!(seen, [LoginFailure::Device, LoginFailure::Place, LoginFailure::Hours]);
    let refused = read.entries.iter().flatten().find(|entry| {
        let reason = RefusalReason::Mode;
        entry.event == Event::RequestRefused { reason, from: None }
    });
    assert_eq!(refused.expect("a refused request").operator.as_deref(), Some("hanako"));
}

/// S52: who signed out, whose time was over, and who was thrown out are told apart.
#[tokio::test]
async fn s52_a_sign_out_is_in_the_ledger_with_its_cause() {
    let world = World::start().await;
    let hanako = world.operator("hanako").await;
    let of = (hanako.token.as_str(), &hanako.device);
    assert_eq!(ask(&world, of, LOGOUT_PATH, &[], |proof| SignOut { proof }).await.status, 204);
    let mut jiro = world.operator("jiro").await;
    let disable = ChangeOperator { operator: "jiro".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &disable).await.status, 204);
    assert_eq!(jiro.socket.next().await, None);
    let taro = world.operator("taro").await;
    // Twelve hours are the most; some seconds are left of them.
    let age = "UPDATE tokens SET created = created - (12 * 3600 - 5)";
    sqlx::query(age).execute(&mut database(&world).await).await.unwrap();
    let mut last = world.operator_socket(&taro.token, &taro.device).await;
    assert_eq!(last.next().await, None);
    let cause = |event: &Event| {
        if let Event::LoggedOut { why } = event { Some(*why) } else { None }
    };
    let is_last = |event: &Event| cause(event) == Some(LogoutCause::Expired);
    let read = read_until(&world, is_last).await;
    let mut outs = Vec::new();
    for entry in read.entries.iter().flatten() {
        outs.extend(cause(&entry.event).map(|why| (entry.operator.clone().unwrap(), why)));
    }
    let expected = [
        ("hanako", LogoutCause::Asked),
        ("jiro", LogoutCause::Revoked),
        ("taro", LogoutCause::Expired),
    ];
    assert_eq!(outs, expected.map(|(who, why)| (who.to_owned(), why)));
}

fn backup(world: &World, name: &str) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args(["backup", "--json", "--data"]).arg(world.data());
    command.arg(world.folder.path().join(name)).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["recorded"].clone()
}

/// S56, S79: before there is a key to record under, nothing is done but what leads there, and that is told of then.
#[tokio::test]
async fn s56_what_leads_to_the_first_keys_is_in_the_ledger_and_nothing_else_was_done_before() {
    let world = World::uninitialised().await;
    let early = new_operator("early", &[Mode::View]);
    assert_eq!(world.admin_post(OPERATORS_PATH, &early).await.status, 503);
    assert_eq!(backup(&world, "early"), true);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    world.initialise().await;
    let act = |event: &Event| {
        let Event::AdminDid { admin, action, .. } = event else { return None };
        Some((*action, admin.clone()))
    };
    let last = |event: &Event| act(event).is_some_and(|(did, _)| did == AdminAction::BackupMade);
    let expected = [
        (AdminAction::AdminEnrolled, "admin"),
        (AdminAction::BundlePublished, "admin"),
        (AdminAction::BackupMade, "tasuki-server backup"),
    ];
    let acts = those(&read_until(&world, last).await, act);
    assert_eq!(acts, expected.map(|(action, who)| (action, who.to_owned())));
}

/// S79: what stands at the server's machine and copies its database stands in the ledger, whether the server
/// runs or not; where no row can be written the copy is made all the same, and that is said.
#[tokio::test]
async fn s79_a_backup_that_the_machine_makes_is_in_the_ledger() {
    let mut world = World::start().await;
    let made = |event: &Event| {
        let Event::AdminDid { admin, action, detail, .. } = event else { return None };
        (*action == AdminAction::BackupMade).then(|| (admin.clone(), detail.clone()))
    };
    assert_eq!(backup(&world, "running"), true);
    read_until(&world, |event| made(event).is_some()).await;
    world.stop().await;
    assert_eq!(backup(&world, "stopped"), true);
    world.run().await;
    let mut told = Vec::new();
    while told.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        told = those(&read_until(&world, |event| made(event).is_some()).await, made);
    }
    for (admin, detail) in told {
        assert_eq!(admin, "tasuki-server backup");
        assert!(detail.starts_with("system user "), "{detail}");
    }
    world.stop().await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON backups BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::query(full).execute(&mut database(&world).await).await.unwrap();
    assert_eq!(backup(&world, "full"), false);
    assert!(world.folder.path().join("full").exists());
}

/// S52, S55, S56: administrators' own sign-ins stand there like everybody's.
#[tokio::test]
async fn s56_administrators_sign_ins_failures_and_suspension_are_in_the_ledger() {
    let world = World::start().await;
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    for _ in 0..3 {
        assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in("wrong")).await.status, 401);
    }
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    let read = read_until(&world, |event| failure(event) == Some(LoginFailure::Locked)).await;
    let seen = those(&read, |event| {
        if let Event::AdminDid { admin, action, .. } = event {
            assert_eq!(admin, "admin");
            let own = matches!(action, AdminAction::LoggedIn | AdminAction::LoggedOut);
            return own.then(|| format!("{action:?}"));
        }
        if let Event::LoginFailed { account, from, why, .. } = event {
            assert_eq!((account.as_str(), from.as_str()), ("admin", "127.0.0.1"));
            return Some(format!("{why:?}"));
        }
        let Event::LockedOut { from, until, .. } = event else { return None };
        assert_eq!(from, "127.0.0.1");
        assert!(*until > unix());
        Some("LockedOut".to_owned())
    });
    let expected = ["LoggedOut", "LoggedIn", "Password", "Password", "Password", "LockedOut", "Locked"];
    assert_eq!(seen, expected);
}

/// S52, S63: a refusal by place, by terminal, by hours or of a disabled account is told apart, with the
/// hardware address that the terminal declared.
#[tokio::test]
async fn s52_s63_refusals_by_place_terminal_and_hours_are_in_the_ledger_with_the_declared_address() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let mac = "02-00-00-00-00-01";
    let declared = || {
        world.login_with("hanako", PASSWORD, &operator.device, |request| {
            request.macs = vec![mac.to_owned()];
        })
    };
    declared().await.signed_in();
    let other_terminal = Limits { macs: vec!["02:00:00:00:00:02".to_owned()], ..Limits::default() };
    for limits in [elsewhere(), other_terminal, another_day()] {
        limited(&world, limits).await;
        let kept_out = declared().await.login();
        assert!(!matches!(kept_out, LoginAnswer::SignedIn(_)), "{kept_out:?}");
    }
    limited(&world, Limits::default()).await;
    let disable = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &disable).await.status, 204);
    assert_eq!(declared().await.status, 401);
    let read = read_until(&world, |event| failure(event) == Some(LoginFailure::Disabled)).await;
    let ins =
        those(
            &read,
            |event| {
                if let Event::LoggedIn { mac, .. } = event { Some(mac.clone()) } else { None }
            },
        );
    assert_eq!(ins, [None, Some(mac.to_owned())]);
    let failed = those(&read, |event| {
        let Event::LoginFailed { mac: shown, why, .. } = event else { return None };
        assert_eq!(shown.as_deref(), Some(mac));
        Some(*why)
    });
    let place = LoginFailure::Place;
    assert_eq!(failed, [place, place, LoginFailure::Hours, LoginFailure::Disabled]);
}

/// S53: tries at numbers, pairings that failed, floods of them, and the server's own start and stop.
#[tokio::test]
async fn s53_t6_tries_at_numbers_floods_starts_and_stops_are_in_the_ledger() {
    let mut world = World::with(&[("joins_per_address", "3")]).await;
    let Operator { device, token, socket } = world.operator("hanako").await;
    drop(socket);
    world.stop().await;
    world.run().await;
    let socket = world.operator_socket(&token, &device).await;
    let mut operator = Operator { device, token, socket };
    let room = open(&world, &mut operator, Mode::View).await;
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&join(room.locator, &agent_offer(&world, &secret(2), 60).0)).await;
    let arrived: ServerToOperator = operator.socket.hear().await;
    let ServerToOperator::Arrived { session, attempt, .. } = arrived else { panic!("{arrived:?}") };
    operator.socket.say(&OperatorToServer::PairingFailed { session, attempt }).await;
    let dead = Locator::try_from((u32::from(room.locator) + 1) % Locator::COUNT).unwrap();
    let reason = RefusalReason::SlowDown;
    let mut heard = ServerToAgent::Refused { reason: RefusalReason::Number };
    for seed in 61..70 {
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        agent.say(&join(dead, &agent_offer(&world, &secret(2), seed).0)).await;
        heard = agent.hear().await;
        if heard == (ServerToAgent::Refused { reason }) {
            break;
        }
    }
    assert_eq!(heard, ServerToAgent::Refused { reason });
    come_and_go(&world, &mut operator).await;
    let flood = |event: &Event| matches!(event, Event::TooManyGuesses { .. });
    let read = read_until_entry(&world, |entry| flood(&entry.event)).await;
    let of = |wanted: &Event| read.entries.iter().flatten().find(|entry| entry.event == *wanted);
    let from = "127.0.0.1".to_owned();
    for event in [Event::PairingTried { attempt, from: from.clone() }, Event::PairingFailed { attempt }]
    {
        let entry = of(&event).unwrap_or_else(|| panic!("no {event:?}"));
        assert_eq!((entry.session, entry.operator.as_deref()), (Some(session), Some("hanako")));
    }
    assert!(of(&Event::TooManyGuesses { from }).is_some());
    let runs = those(&read, |event| {
        if let Event::ServerStarted { version } = event {
            return Some(format!("started {version}"));
        }
        (*event == Event::ServerStopped).then(|| "stopped".to_owned())
    });
    assert_eq!(runs, ["stopped".to_owned(), format!("started {}", env!("CARGO_PKG_VERSION"))]);
}

/// T51: of tries that come at one moment no more are looked at than suspend; the others are told to be of a
/// suspended account.
#[tokio::test]
async fn t51_a_failure_is_counted_before_the_password_is_looked_at() {
    let world = World::start().await;
    let code = world.add_operator("hanako", &[Mode::View]).await;
    let device = key(1);
    let tries = (0..50).map(|_| world.login("hanako", "wrong", &device, Some(&code)));
    let answers = futures_util::future::join_all(tries).await;
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(refused > 3, "{refused}");
    // Whoever was only kept waiting is no failure.
    let all = |read: &Read| those(read, failure).len() == refused;
    let mut read = read_until(&world, |event| matches!(event, Event::LockedOut { .. })).await;
    while !all(&read) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        read = read_until(&world, |event| matches!(event, Event::LockedOut { .. })).await;
    }
    let looked_at = those(&read, failure).into_iter().filter(|why| *why != LoginFailure::Locked);
    assert_eq!(looked_at.count(), 3);
    let locked =
        those(&read, |event| if let Event::LockedOut { who, .. } = event { Some(*who) } else { None });
    assert_eq!(locked, [LockedOut::UnknownDevices]);
}
