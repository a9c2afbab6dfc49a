//! What the ledger says of each administrator's act, and of refusals that nobody but the server sees (S56, S55).

use std::time::Duration;

use ed25519_dalek::SigningKey;
use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ChangeGroup, ChangeOperator, GROUPS_PATH, GroupChange, Hours,
    Limits, OPERATOR_CHANGES_PATH, OperatorAdded, OperatorChange, Outcome,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::{Certificate, Revocations};
use tasuki_protocol::devices::{REVOKE_PATH, RevokeDevices};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{Challenge, PROTOCOL_VERSION, SessionId};
use tasuki_protocol::keys::{PREPARE_KEY_PATH, PrepareKey, ServerKeyKind};
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::wire::{CHECKPOINT_PATH, END_ROWS_PATH};
use tasuki_protocol::ledger::words::{AdminAction, LoginFailure};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{
    AGENT_PATH, AgentToServer, OperatorToServer, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Answer, PASSWORD, World, unix};
use crate::ledger::{read_until, read_until_entry};
use crate::organisation::{lock_key, root_key};
use crate::pairing::{open, pair};
use crate::policy::publish;
use crate::second::{limited, tomorrow};

/// T17, T54.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn changed(world: &World, change: OperatorChange) -> Answer {
    let order = ChangeOperator { operator: "hanako".to_owned(), change };
    let answer = world.admin_post(OPERATOR_CHANGES_PATH, &order).await;
    assert!(matches!(answer.status, 201 | 204), "{change:?}: {}", answer.status);
    answer
}

/// S56: what is so already is answered as done, and leaves no row ([`told_of`] has none).
async fn unchanged(world: &World, change: OperatorChange) {
    let order = ChangeOperator { operator: "hanako".to_owned(), change };
    let answer = world.admin_post(OPERATOR_CHANGES_PATH, &order).await;
    let outcome: Outcome = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, outcome.changed), (200, false), "{change:?}");
}

async fn grouped(world: &World, change: GroupChange) {
    let order = ChangeGroup { group: "desk".to_owned(), change };
    assert_eq!(world.admin_post(GROUPS_PATH, &order).await.status, 204, "{order:?}");
}

/// A device of hanako's in, with less than the account has, and out again; gives its certificate.
async fn certified_and_revoked(world: &World, code: &str) -> Certificate {
    let device = SigningKey::from_bytes(&[77; 32]);
    assert_eq!(
        world.login("hanako", PASSWORD, &device, Some(code)).await.login(),
        LoginAnswer::DevicePending
    );
    let certificate = Certificate {
        modes: vec![Mode::View],
        rights: Rights::of(&Capability::ALL).without(Capability::FetchFiles),
        ..world.certificate("hanako", &device)
    };
    assert_eq!(world.approve(&certificate, &lock_key()).await.status, 204);
    let list = Revocations {
        v: PROTOCOL_VERSION,
        tenant: world.done.tenant,
        version: 1,
        devices: vec![certificate.device],
        issued_at: unix(),
    };
    let order = RevokeDevices { revocations: Blob(dsse::sign(&list, &lock_key())), bundle: None };
    assert_eq!(world.admin_post(REVOKE_PATH, &order).await.status, 204);
    certificate
}

/// New manifest keys, made and put into use.
async fn keys_rotated(world: &World) {
    let order = PrepareKey { kind: ServerKeyKind::Manifest };
    assert_eq!(world.admin_post(PREPARE_KEY_PATH, &order).await.status, 200);
    let keys = world.server_keys().await;
    let bundle = Bundle {
        version: 2,
        manifest_keys: vec![keys.prepared.manifest_key.unwrap(), keys.manifest_key],
        checkpoint_keys: vec![keys.prepared.checkpoint_key.unwrap(), keys.checkpoint_key],
        ..world.bundle()
    };
    assert_eq!(world.publish(&bundle, &[&root_key()]).await.status, 204);
}

fn told_of(certificate: &Certificate) -> Vec<(AdminAction, String, String)> {
    let (device, until) = (certificate.device, certificate.not_after);
    let of_certificate = format!(
        "device={device}, modes=view, without=fetch_files, until={until}, name=Operator hanako"
    );
    let of_device = format!("device={device}");
    let expected = [
        (AdminAction::OperatorAdded, "hanako", "modes=view control, name=Operator hanako"),
        (AdminAction::OperatorDisabled, "hanako", ""),
        (AdminAction::OperatorEnabled, "hanako", ""),
        (AdminAction::CodeIssued, "hanako", ""),
        (AdminAction::OperatorUnlocked, "hanako", ""),
        (AdminAction::AuthenticatorForgotten, "hanako", ""),
        (
            AdminAction::OperatorChanged,
            "hanako",
            "addresses=127.0.0.0/8 192.0.2.7, hours=mon tue wed thu fri sat sun 00:00-24:00 Asia/Tokyo",
        ),
        (AdminAction::OperatorChanged, "hanako", "lifted"),
        (AdminAction::GroupChanged, "desk", "added"),
        (AdminAction::GroupChanged, "desk: hanako", "joined"),
        (AdminAction::GroupChanged, "desk: hanako", "left"),
        (AdminAction::GroupChanged, "desk", "removed"),
        (AdminAction::DeviceApproved, "hanako", of_certificate.as_str()),
        (AdminAction::DeviceRevoked, "hanako", of_device.as_str()),
        (AdminAction::KeyRotated, "", "prepared=manifest"),
        (AdminAction::BundlePublished, "version 2", "new=manifest, new=checkpoint"),
        (AdminAction::OperatorRemoved, "hanako", ""),
    ];
    expected.map(|(action, target, detail)| (action, target.to_owned(), detail.to_owned())).to_vec()
}

/// S56: who did what to whom, and what became of it, of every act on operators, groups, devices and keys, in its order.
#[tokio::test]
async fn s56_the_ledger_tells_each_act_from_every_other_and_what_it_made() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View, Mode::Control]).await;
    changed(&world, OperatorChange::Disable).await;
    changed(&world, OperatorChange::Enable).await;
    unchanged(&world, OperatorChange::Enable).await;
    let code = changed(&world, OperatorChange::NewCode).await;
    let code = serde_json::from_slice::<OperatorAdded>(&code.body).unwrap().enrolment;
    unchanged(&world, OperatorChange::Unlock).await;
    let guess = world.login("hanako", "not hers", &SigningKey::from_bytes(&[77; 32]), None).await;
    assert_eq!(guess.status, 401);
    changed(&world, OperatorChange::Unlock).await;
    unchanged(&world, OperatorChange::Unlock).await;
    unchanged(&world, OperatorChange::ForgetAuthenticator).await;
    let set_up = "UPDATE operators SET totp = x'00'";
    sqlx::query(set_up).execute(&mut database(&world).await).await.unwrap();
    changed(&world, OperatorChange::ForgetAuthenticator).await;
    unchanged(&world, OperatorChange::ForgetAuthenticator).await;
    let hours = Hours { zone: "Asia/Tokyo".to_owned(), days: (1..=7).collect(), from: 0, until: 1440 };
    let limits = Limits {
        addresses: vec!["127.0.0.0/8".to_owned(), "192.0.2.7".to_owned()],
        macs: Vec::new(),
        hours: Some(hours),
    };
    limited(&world, limits).await;
    limited(&world, Limits::default()).await;
    let hanako = || "hanako".to_owned();
    for change in [
        GroupChange::Add,
        GroupChange::Join { operator: hanako() },
        GroupChange::Leave { operator: hanako() },
        GroupChange::Remove,
    ] {
        grouped(&world, change).await;
    }
    let certificate = certified_and_revoked(&world, &code).await;
    keys_rotated(&world).await;
    changed(&world, OperatorChange::Remove).await;

    let removed =
        |event: &Event| matches!(event, Event::AdminDid { action: AdminAction::OperatorRemoved, .. });
    let read = read_until(&world, removed).await;
    let mut acts = Vec::new();
    for entry in read.entries.iter().flatten() {
        if let Event::AdminDid { admin, action, target, detail } = &entry.event {
            assert_eq!(admin, "admin", "{entry:?}");
            acts.push((*action, target.clone(), detail.clone()));
        }
    }
    let before = acts.iter().position(|(action, ..)| *action == AdminAction::OperatorAdded).unwrap();
    assert_eq!(acts[before..], told_of(&certificate));
}

/// S52: an administrator's sign-in and sign-out have their address like everybody's.
#[tokio::test]
async fn s52_where_an_administrator_signed_in_and_out_is_in_the_ledger() {
    let world = World::start().await;
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    let login =
        json!({ "password": ADMIN_PASSWORD, "totp": null, "authenticator": "keep", "macs": [] });
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &login).await.status, 200);
    let own = |event: &Event| {
        let Event::AdminDid { action, detail, .. } = event else { return None };
        let is_own = matches!(action, AdminAction::LoggedIn | AdminAction::LoggedOut);
        is_own.then(|| (*action, detail.clone()))
    };
    let out = |event: &Event| own(event).is_some_and(|(action, _)| action == AdminAction::LoggedOut);
    let read = read_until(&world, out).await;
    let seen: Vec<_> = read.entries.iter().flatten().filter_map(|entry| own(&entry.event)).collect();
    assert!(seen.len() >= 2, "{seen:?}");
    for (action, detail) in seen {
        assert_eq!(detail, "from=127.0.0.1", "{action:?}");
    }
}

/// S55, S62: a wrong code for a new device is told from a device that came with none.
#[tokio::test]
async fn s55_a_wrong_code_for_a_device_is_called_that_in_the_ledger() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    let device = SigningKey::from_bytes(&[78; 32]);
    for code in [None, Some("a wrong code")] {
        assert_eq!(world.login("hanako", PASSWORD, &device, code).await.status, 401);
    }
    let why = |event: &Event| {
        let Event::LoginFailed { why, .. } = event else { return None };
        Some(*why)
    };
    let read = read_until(&world, |event| why(event) == Some(LoginFailure::EnrolmentCode)).await;
    let seen: Vec<_> = read.entries.iter().flatten().filter_map(|entry| why(&entry.event)).collect();
    assert_eq!(seen, [LoginFailure::Device, LoginFailure::EnrolmentCode]);
}

/// S55: who comes with a ticket, a token or a way back that is none leaves a row, with his address; and not one for each
/// of a thousand tries.
#[tokio::test]
async fn s55_a_forged_ticket_token_or_way_back_is_in_the_ledger_and_does_not_fill_it() {
    let world = World::start().await;
    let forged = json!({ "ticket": "AAAA", "rows": [], "known": 0 });
    let forged_answer = world.post(END_ROWS_PATH, &forged, &[]).await;
    assert_eq!(forged_answer.status, 401, "{}", String::from_utf8_lossy(&forged_answer.body));
    let bearer = [("authorization", "Bearer nobodys")];
    assert_eq!(world.post(CHECKPOINT_PATH, &json!({ "known": 0 }), &bearer).await.status, 401);
    for _ in 0..60 {
        world.post(CHECKPOINT_PATH, &json!({ "known": 0 }), &bearer).await;
    }
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    let (session, token) = (SessionId([9; 16]), ResumeToken(Challenge([9; 32])));
    agent.say(&AgentToServer::Resume { session, token }).await;
    let reason = RefusalReason::Session;
    assert_eq!(agent.hear::<ServerToAgent>().await, ServerToAgent::Refused { reason });
    let refused = |event: &Event| {
        let Event::RequestRefused { reason, from } = event else { return None };
        Some((*reason, from.clone().unwrap_or_default()))
    };
    let of_agent = |event: &Event| refused(event).is_some_and(|(why, _)| why == reason);
    let read = read_until(&world, of_agent).await;
    let seen: Vec<_> =
        read.entries.iter().flatten().filter_map(|entry| refused(&entry.event)).collect();
    let sign_ins = seen.iter().filter(|(why, _)| *why == RefusalReason::SignIn).count();
    assert!((2..40).contains(&sign_ins), "{seen:?}");
    assert!(seen.iter().all(|(_, from)| from == "127.0.0.1"), "{seen:?}");
}

/// T54: limits that he is within cost an operator nothing that runs; others end it at once.
#[tokio::test]
async fn t54_new_limits_end_the_sessions_of_who_is_outside_them_and_no_others() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let at = |network: &str| Limits { addresses: vec![network.to_owned()], ..Limits::default() };
    for within in [at("127.0.0.0/8"), Limits::default(), at("127.0.0.1")] {
        limited(&world, within).await;
    }
    // What is heard next is an answer to this, and no end.
    session.agent.say(&AgentToServer::NeedLedgerTicket).await;
    let heard = timeout(AT_ONCE, session.agent.hear::<ServerToAgent>()).await.expect("an answer");
    assert!(matches!(heard, ServerToAgent::LedgerTicket { .. }), "{heard:?}");
    limited(&world, at("192.0.2.0/24")).await;
    let reason = tasuki_protocol::signal::CloseReason::Withdrawn;
    let heard = timeout(AT_ONCE, session.agent.hear::<ServerToAgent>()).await.expect("within 5 s");
    assert_eq!(heard, ServerToAgent::Closed { reason });
}

/// S53, T56: each reason for which an operator is refused something stands there under his name; another's session is no
/// more to him than one that never was.
#[tokio::test]
async fn s53_t56_each_reason_to_refuse_an_operator_is_in_the_ledger() {
    let world = World::start().await;
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(tomorrow()) - 1];
    let rules = format!(
        r#"{{"operator":{{"hanako":{{"reason":"required","modes":["view","manage"]}},
            "taro":{{"hours":["{day} 00:00-00:01"]}}}}}}"#
    );
    let mut jiro = world.operator("jiro").await;
    let room = open(&world, &mut jiro, Mode::View).await;
    let hanako = world.operator("hanako").await;
    assert_eq!(publish(&world, &world.admin, 1, &rules).await.status, 201);
    let long_ago = "UPDATE tokens SET confirmed = confirmed - 1000000";
    sqlx::query(long_ago).execute(&mut database(&world).await).await.unwrap();
    let mut socket = world.operator_socket(&hanako.token, &hanako.device).await;
    let ask = |mode, reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        OperatorToServer::OpenRoom { mode, hellos: Vec::new(), reason }
    };
    let asked = [
        (ask(Mode::Control, Some("asked for it")), RefusalReason::Mode),
        (ask(Mode::View, None), RefusalReason::Reason),
        (ask(Mode::Manage, Some("asked for it")), RefusalReason::Confirm),
        (OperatorToServer::NeedLedgerTicket { session: room.session }, RefusalReason::Session),
    ];
    for (asked, reason) in &asked {
        socket.say(asked).await;
        let told: ServerToOperator = socket.hear().await;
        assert_eq!(told, ServerToOperator::Refused { reason: *reason });
    }
    socket.say(&json!({ "type": "nonsense" })).await;
    let reason = RefusalReason::Message;
    assert_eq!(socket.hear::<ServerToOperator>().await, ServerToOperator::Refused { reason });
    assert_eq!(socket.next().await, None, "who speaks nonsense is not listened to any longer");
    let mut taro = world.operator("taro").await;
    taro.socket.say(&ask(Mode::View, None)).await;
    let reason = RefusalReason::Hours;
    assert_eq!(taro.socket.hear::<ServerToOperator>().await, ServerToOperator::Refused { reason });

    let of = |entry: &Entry| {
        let Event::RequestRefused { reason, from: None } = &entry.event else { return None };
        Some((entry.operator.clone().expect("a name"), *reason))
    };
    let is_last = |entry: &Entry| of(entry).is_some_and(|(_, why)| why == RefusalReason::Hours);
    let read = read_until_entry(&world, is_last).await;
    let seen: Vec<_> = read.entries.iter().flatten().filter_map(of).collect();
    let mut expected: Vec<_> =
        asked.into_iter().map(|(_, reason)| ("hanako".to_owned(), reason)).collect();
    expected.push(("hanako".to_owned(), RefusalReason::Message));
    expected.push(("taro".to_owned(), RefusalReason::Hours));
    assert_eq!(seen, expected);
}
