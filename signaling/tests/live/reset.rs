//! What an administrator mends of accounts: a forgotten password, a name, modes, his own password, an invitation.

use std::time::Duration;

use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_PASSWORD_PATH, ADMINS_PATH, AddAdmin, AdminAdded, ChangeAdminPassword,
    INVITATIONS_PATH, InvitationList, NameOperator, OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH,
    OPERATORS_PATH, OperatorList, ProblemCode, ResetPassword, WithdrawInvitations,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{CloseReason, ServerToAgent};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Answer, PASSWORD, World, unix};
use crate::ledger::read_until;
use crate::organisation::lock_key;
use crate::pairing::{open, pair};
use crate::second::{code, joined, key, log_in};

const NEW: &str = "a quiet morning in the harbour";

async fn reset(world: &World, operator: &str, password: &str) -> Answer {
    let order = ResetPassword { operator: operator.to_owned(), password: password.to_owned() };
    world.admin_post(OPERATOR_PASSWORD_PATH, &order).await
}

async fn name(world: &World, display_name: Option<&str>, modes: Option<&[Mode]>) -> Answer {
    let order = NameOperator {
        operator: "hanako".to_owned(),
        display_name: display_name.map(str::to_owned),
        modes: modes.map(<[Mode]>::to_vec),
    };
    world.admin_post(OPERATOR_NAMING_PATH, &order).await
}

/// S64, S65: who came by the old password is out within five seconds, and who was locked for want of it is in.
#[tokio::test]
async fn s65_a_reset_password_ends_all_that_lives_by_the_old_one_and_lifts_the_suspension() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "forgotten", &operator.device, None).await.status, 401);
    }
    assert_eq!(code(&reset(&world, "hanako", "short").await), ProblemCode::Unusable);
    assert_eq!(code(&reset(&world, "nobody", NEW).await), ProblemCode::NotFound);
    let out = async {
        assert_eq!(reset(&world, "hanako", NEW).await.status, 204);
        let reason = CloseReason::Withdrawn;
        assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
        while operator.socket.next().await.is_some() {}
    };
    timeout(Duration::from_secs(5), out).await.expect("within five seconds");
    let bearer = format!("Bearer {}", operator.token);
    let path = tasuki_protocol::signal::OPERATOR_PATH;
    assert!(world.socket(path, &[("authorization", &bearer)]).await.is_err(), "the token is none");
    world.login("hanako", NEW, &operator.device, None).await.signed_in();
    assert_eq!(world.login("hanako", PASSWORD, &operator.device, None).await.status, 401);
    let is_reset = |event: &Event| acted(event) == Some((AdminAction::PasswordReset, "hanako", ""));
    read_until(&world, is_reset).await;
}

fn acted(event: &Event) -> Option<(AdminAction, &str, &str)> {
    let Event::AdminDid { action, target, detail, .. } = event else { return None };
    Some((*action, target.as_str(), detail.as_str()))
}

/// S66, T8: fewer modes act at once, also on what lives; more of them, and another name, wait for a certificate.
#[tokio::test]
async fn s66_t8_a_changed_name_and_wider_modes_wait_for_a_certificate_and_narrower_ones_do_not() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    world.add_operator("taro", &[Mode::View]).await;
    assert_eq!(code(&name(&world, None, None).await), ProblemCode::Unusable);
    assert_eq!(code(&name(&world, None, Some(&[])).await), ProblemCode::Unusable);
    assert_eq!(code(&name(&world, Some("Operator tar0"), None).await), ProblemCode::Taken);
    assert_eq!(code(&name(&world, Some("Example KK"), None).await), ProblemCode::Taken);
    assert_eq!(code(&name(&world, Some("han\u{202e}ako"), None).await), ProblemCode::Unusable);
    // The line goes on: a session can be opened with the certificate of before, under its name.
    assert_eq!(name(&world, Some("Hanako Suzuki"), None).await.status, 204);
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let narrow = async {
        assert_eq!(name(&world, None, Some(&[Mode::View])).await.status, 204);
        let reason = CloseReason::Withdrawn;
        assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
    };
    timeout(Duration::from_secs(5), narrow).await.expect("within five seconds");
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(list.operators[0].display_name, "Hanako Suzuki");
    assert_eq!(list.operators[0].modes, [Mode::View]);
    // A new certificate has the new name; one with the old name is not taken any more.
    let old = world.certificate("hanako", &operator.device);
    assert_eq!(code(&world.approve(&old, &lock_key()).await), ProblemCode::Document);
    let new = tasuki_protocol::certificate::Certificate {
        display_name: "Hanako Suzuki".to_owned(),
        modes: vec![Mode::View],
        ..old
    };
    assert_eq!(world.approve(&new, &lock_key()).await.status, 204);
    let mut operator = crate::client::Operator {
        socket: world.operator_socket(&operator.token, &operator.device).await,
        ..operator
    };
    open(&world, &mut operator, Mode::View).await;
    let told = ["name=Hanako Suzuki", "modes=view"];
    for detail in told {
        let is_told =
            |event: &Event| acted(event) == Some((AdminAction::OperatorChanged, "hanako", detail));
        read_until(&world, is_told).await;
    }
}

/// S66, T51: the old one is asked for, counted, and no other administrator's is touched.
#[tokio::test]
async fn t51_an_administrators_own_password_changes_by_the_old_one_alone() {
    let world = World::start().await;
    let change = async |old: &str, new: &str| {
        let order = ChangeAdminPassword { old: old.to_owned(), new: new.to_owned() };
        world.admin_post(ADMIN_PASSWORD_PATH, &order).await
    };
    assert_eq!(code(&change(ADMIN_PASSWORD, "short").await), ProblemCode::Unusable);
    assert_eq!(code(&change("wrong", NEW).await), ProblemCode::SignIn);
    assert_eq!(change(ADMIN_PASSWORD, NEW).await.status, 204);
    let copied = world.admin_get(INVITATIONS_PATH).await;
    assert_eq!(code(&copied), ProblemCode::AdminSignIn, "whoever has the key alone is out");
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 401);
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(NEW)).await.status, 200);
    for _ in 0..3 {
        assert_eq!(code(&change(ADMIN_PASSWORD, PASSWORD).await), ProblemCode::SignIn);
    }
    assert_eq!(code(&change(NEW, PASSWORD).await), ProblemCode::SignIn, "suspended, and not told so");
    let is_changed = |event: &Event| acted(event) == Some((AdminAction::PasswordChanged, "admin", ""));
    let read = read_until(&world, is_changed).await;
    let refused = |event: &Event| matches!(event, Event::AdminRefused { path, .. } if path == ADMIN_PASSWORD_PATH);
    let events = || read.entries.iter().flatten().map(|entry| &entry.event);
    assert_eq!(
        events().filter(|event| refused(event)).count(),
        1,
        "the short one; a guess has its own"
    );
    let long_ago = "UPDATE admin_sessions SET confirmed = confirmed - 1000000";
    sqlx::query(long_ago).execute(&mut database(&world).await).await.unwrap();
    assert_eq!(code(&change(NEW, PASSWORD).await), ProblemCode::Confirm);
}

async fn invitations(world: &World) -> Vec<(String, String)> {
    let answer = world.admin_get(INVITATIONS_PATH).await;
    let list: InvitationList = serde_json::from_slice(&answer.body).unwrap();
    let day = unix()..=unix() + 24 * 3600;
    assert!(list.invitations.iter().all(|open| day.contains(&open.until)));
    list.invitations.into_iter().map(|open| (open.name, open.by)).collect()
}

/// T57: an open door is seen, and can be shut.
#[tokio::test]
async fn t57_open_invitations_are_listed_and_one_that_is_withdrawn_lets_nobody_in() {
    let world = World::start().await;
    let invite =
        async |name: &str| world.admin_post(ADMINS_PATH, &AddAdmin { name: name.to_owned() }).await;
    assert_eq!(code(&invite("admin").await), ProblemCode::Taken, "he is there");
    assert_eq!(code(&invite("Admin").await), ProblemCode::Taken, "and looks like him");
    for name in ["taro", "taro", "jiro"] {
        assert_eq!(invite(name).await.status, 201);
    }
    let open = |names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "admin".to_owned())).collect()
    };
    assert_eq!(invitations(&world).await, open(&["taro", "taro", "jiro"]));
    let withdraw = async |name: &str| {
        let order = WithdrawInvitations { name: name.to_owned() };
        world.admin_post(INVITATIONS_PATH, &order).await
    };
    let last: AdminAdded = serde_json::from_slice(&invite("taro").await.body).unwrap();
    assert_eq!(withdraw("taro").await.status, 204);
    assert_eq!(code(&withdraw("taro").await), ProblemCode::NotFound);
    assert_eq!(invitations(&world).await, open(&["jiro"]));
    let taken = json!({ "token": last.token, "by": "administrator" });
    assert_eq!(world.post(tasuki_protocol::admin::TOKEN_PATH, &taken, &[]).await.status, 401);
    assert_eq!(joined(&world, "saburo", &key(71)).await.status, 201);
    assert_eq!(invitations(&world).await, open(&["jiro"]), "a used one is none");
    let withdrawn =
        |event: &Event| acted(event) == Some((AdminAction::InvitationWithdrawn, "taro", ""));
    read_until(&world, withdrawn).await;
}

/// S63: the end of the device's certificate comes with the sign-in, so that nobody is surprised by it.
#[tokio::test]
async fn s63_a_sign_in_says_until_when_the_device_is_certified() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    let latest = world.certificate("hanako", &operator.device).not_after;
    assert!((latest - 60..=latest).contains(&answer.certified_until.unwrap()), "{answer:?}");
}
