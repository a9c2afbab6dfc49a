//! What a sign-in is worth once something has changed under it: groups, certificates, passwords, places, or
//! the disk that is to keep a record of it (S56, T17, T51, T54, T55, T65).

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ADMIN_PASSWORD_PATH, ChangeAdminPassword, ChangeGroup,
    GROUPS_PATH, GroupChange, LimitOperator, Limits, OPERATOR_LIMITS_PATH, OPERATORS_PATH, Problem,
    ProblemCode,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::ledger::wire::{AskCheckpoint, CHECKPOINT_PATH};
use tasuki_protocol::login::{
    Authenticator, CONFIRM_PATH, ChangePassword, Confirmation, LOGOUT_PATH, LoginAnswer, PASSWORD_PATH,
    SignOut,
};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, DEVICE_PROOF, OPERATOR_PATH, OperatorToServer, RefusalReason,
    ServerToAgent, ServerToOperator,
};

use tokio_tungstenite::tungstenite::Error;

use crate::acts::database;
use crate::client::{
    ADMIN_PASSWORD, Answer, Operator, PASSWORD, Socket, World, exporter, request_over,
};
use crate::lifetimes::age;
use crate::organisation::lock_key;
use crate::pairing::{hellos, open, pair};
use crate::policy::publish;
use crate::second::{digits, digits_spent_by, log_in};

/// What a signed-in operator asks over a connection of his own, with the device's proof in it.
pub(crate) async fn ask<T: serde::Serialize>(
    world: &World,
    (token, device): (&str, &SigningKey),
    path: &str,
    headers: &[(&str, &str)],
    body: impl FnOnce(Blob) -> T,
) -> Answer {
    let stream = world.tls().await;
    let digest = Sha256::digest(token.as_bytes());
    let signed = [DEVICE_PROOF, exporter(&stream).as_slice(), digest.as_slice()].concat();
    let body = serde_json::to_vec(&body(Blob(device.sign(&signed).to_bytes().to_vec()))).unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    request_over(stream, "POST", path, body, &headers).await
}

fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

async fn sign_out(world: &World, operator: &Operator) -> Answer {
    let of = (operator.token.as_str(), &operator.device);
    ask(world, of, LOGOUT_PATH, &[], |proof| SignOut { proof }).await
}

pub(crate) async fn change_password(world: &World, operator: &Operator, new: &str) -> Answer {
    let of = (operator.token.as_str(), &operator.device);
    let (old, new) = (PASSWORD.to_owned(), new.to_owned());
    ask(world, of, PASSWORD_PATH, &[], |proof| ChangePassword { old, new, proof }).await
}

async fn group(world: &World, name: &str, change: GroupChange) {
    let order = ChangeGroup { group: name.to_owned(), change };
    assert_eq!(world.admin_post(GROUPS_PATH, &order).await.status, 204);
}

/// T17: who joins a group that forbids something loses that at once, and nobody else does; who leaves it, or
/// whose group is gone, has it back without coming again.
#[tokio::test]
async fn t17_a_change_of_groups_acts_at_once_on_who_is_here_and_on_his_sessions() {
    let world = World::start().await;
    let member = |name: &str| name.to_owned();
    group(&world, "trainees", GroupChange::Add).await;
    let rules = r#"{"group":{"trainees":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    let (mut operator, mut other) = (world.operator("hanako").await, world.operator("taro").await);
    let mut his = open(&world, &mut other, Mode::Control).await;
    let mut untouched = pair(&world, &mut other, &mut his).await;
    let reason = CloseReason::Withdrawn;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Mode };
    for has_it_back in [GroupChange::Leave { operator: member("hanako") }, GroupChange::Remove] {
        let mut room = open(&world, &mut operator, Mode::Control).await;
        let mut session = pair(&world, &mut operator, &mut room).await;
        group(&world, "trainees", GroupChange::Join { operator: member("hanako") }).await;
        assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
        let closed = ServerToOperator::Closed { session: room.session, reason };
        assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
        let ask = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
        operator.socket.say(&ask).await;
        assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
        group(&world, "trainees", has_it_back).await;
    }
    open(&world, &mut operator, Mode::Control).await;
    // Taro is in his session still.
    untouched.agent.say(&AgentToServer::NeedLedgerTicket).await;
    let heard: ServerToAgent = untouched.agent.hear().await;
    assert!(matches!(heard, ServerToAgent::LedgerTicket { .. }), "{heard:?}");
}

/// T17: a certificate that allows less ends what rests on more.
#[tokio::test]
async fn t17_a_certificate_made_anew_with_less_ends_at_once_what_is_wider() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let same = world.certificate("hanako", &operator.device);
    assert_eq!(world.approve(&same, &lock_key()).await.status, 204);
    let rights = Rights::of(&Capability::ALL).without(Capability::Screenshot);
    let less = Certificate { rights, ..same };
    assert_eq!(world.approve(&less, &lock_key()).await.status, 204);
    let reason = CloseReason::Withdrawn;
    assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
    let closed = ServerToOperator::Closed { session: room.session, reason };
    assert_eq!(operator.socket.hear_of_sessions().await, closed);
    open(&world, &mut operator, Mode::View).await;
}

/// A connection that was let in by a token and has not proved itself; gives what it is to sign.
async fn at_the_door(world: &World, operator: &Operator) -> (Socket, Blob) {
    let bearer = format!("Bearer {}", operator.token);
    let mut socket = world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.unwrap();
    let ServerToOperator::Challenge { challenge } = socket.hear().await else { panic!() };
    let digest = Sha256::digest(operator.token.as_bytes());
    let message = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
    (socket, Blob(operator.device.sign(&message).to_bytes().to_vec()))
}

/// T55: a token that is gone opens nothing, also where its connection was there before.
#[tokio::test]
async fn t55_a_sign_out_or_a_new_password_ends_connections_that_wait_to_prove_themselves() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let (mut waiting, signature) = at_the_door(&world, &operator).await;
    let mine = world.login("hanako", PASSWORD, &operator.device, None).await.signed_in().token;
    let changing = Operator {
        socket: world.operator_socket(&mine, &operator.device).await,
        device: operator.device.clone(),
        token: mine,
    };
    let new = "another horse without a battery";
    assert_eq!(change_password(&world, &changing, new).await.status, 204);
    waiting.say(&OperatorToServer::Prove { signature }).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::SignIn };
    assert_eq!(waiting.hear::<ServerToOperator>().await, refused);

    operator.token = world.login("hanako", new, &operator.device, None).await.signed_in().token;
    let (mut waiting, signature) = at_the_door(&world, &operator).await;
    // Not by whoever has the token and not the device.
    let bearer = format!("Bearer {}", operator.token);
    let bare = world.post(LOGOUT_PATH, &json!({}), &[("authorization", &bearer)]).await;
    assert_eq!(bare.status, 400);
    let thief = (operator.token.as_str(), &SigningKey::from_bytes(&[99; 32]));
    let stolen = ask(&world, thief, LOGOUT_PATH, &[], |proof| SignOut { proof }).await;
    assert_eq!(code(&stolen), ProblemCode::SignIn);
    assert_eq!(sign_out(&world, &operator).await.status, 204);
    waiting.say(&OperatorToServer::Prove { signature }).await;
    assert_eq!(waiting.hear::<ServerToOperator>().await, refused);
}

/// T55: a password that was right when it was looked at, and is another when the token would be made.
#[tokio::test]
async fn t55_a_sign_in_begun_under_the_old_password_comes_to_nothing_under_the_new_one() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let old: String = {
        let mut own = database(&world).await;
        sqlx::query_scalar("SELECT password FROM operators").fetch_one(&mut own).await.unwrap()
    };
    world.make_passwords_dear().await;
    // The hash says its own cost; so it is made anew at the dear one, by changing to the same.
    let changed = change_password(&world, &operator, "another horse without a battery").await;
    assert_eq!(changed.status, 204);
    let running = world.running.as_ref().unwrap();
    let (before, device) = (running.hashes(), &operator.device);
    let mut own = database(&world).await;
    let login = world.login("hanako", "another horse without a battery", device, None);
    let meanwhile = async {
        while running.hashes() == before {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let change = sqlx::query("UPDATE operators SET password = ?").bind(old);
        change.execute(&mut own).await.unwrap();
        sqlx::query("DELETE FROM tokens").execute(&mut own).await.unwrap();
    };
    let (answer, ()) = tokio::join!(login, meanwhile);
    assert_eq!(code(&answer), ProblemCode::SignIn);
    world.login("hanako", PASSWORD, device, None).await.signed_in();
}

/// T17: an administrator's, too.
#[tokio::test]
async fn t17_an_administrators_sign_in_begun_under_the_old_password_comes_to_nothing_under_the_new_one()
{
    let mut world = World::start().await;
    world.make_passwords_dear().await;
    // The hash says its own cost; so it is made anew at the dear one.
    let new = "nine lemons on a tin roof";
    let order = ChangeAdminPassword { old: ADMIN_PASSWORD.to_owned(), new: new.to_owned() };
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    assert_eq!(world.admin_post(ADMIN_PASSWORD_PATH, &order).await.status, 204);
    let running = world.running.as_ref().unwrap();
    let before = running.hashes();
    let mut own = database(&world).await;
    let request = log_in(new);
    let login = world.admin_post(ADMIN_LOGIN_PATH, &request);
    let meanwhile = async {
        while running.hashes() == before {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let change = sqlx::query("UPDATE admins SET password = 'another'");
        change.execute(&mut own).await.unwrap();
        sqlx::query("DELETE FROM admin_sessions").execute(&mut own).await.unwrap();
    };
    let (answer, ()) = tokio::join!(login, meanwhile);
    assert_eq!(code(&answer), ProblemCode::SignIn);
    assert_eq!(code(&world.admin_get(OPERATORS_PATH).await), ProblemCode::AdminSignIn);
}

/// T51: one factor of two resets nothing of what was tried at the other.
#[tokio::test]
async fn t51_whoever_knows_the_password_guesses_at_digits_three_times_and_no_more() {
    let world = World::start().await;
    let device = SigningKey::from_bytes(&[51; 32]);
    let code_for_device = world.add_operator("hanako", &Mode::ALL).await;
    world.enrol_device("hanako", &device, &code_for_device).await;
    let set_up = |digits: Option<String>| {
        world.login_with("hanako", PASSWORD, &device, move |request| {
            request.authenticator = Authenticator::SetUp;
            request.totp = digits;
        })
    };
    let LoginAnswer::TotpSetup { uri } = set_up(None).await.login() else { panic!() };
    let token = set_up(Some(digits(&uri, 0))).await.signed_in().token;
    let of = (token.as_str(), &device);
    let guess = |digits: String| {
        let totp = Some(digits);
        ask(&world, of, CONFIRM_PATH, &[], |proof| Confirmation { password: None, totp, proof })
    };
    let unusable = || {
        let (old, new) = (PASSWORD.to_owned(), "short".to_owned());
        ask(&world, of, PASSWORD_PATH, &[], |proof| ChangePassword { old, new, proof })
    };
    for _ in 0..3 {
        assert_eq!(code(&guess("000000".to_owned()).await), ProblemCode::SignIn);
        let answer = code(&unusable().await);
        assert!(matches!(answer, ProblemCode::Unusable | ProblemCode::SignIn), "{answer:?}");
    }
    assert_eq!(code(&guess(digits(&uri, 1)).await), ProblemCode::SignIn, "not suspended");
}

/// S62: where there is an authenticator, its digits are what is looked at, and no password is a second look.
#[tokio::test]
async fn s62_the_second_look_is_at_an_authenticators_digits_where_there_is_one() {
    let world = World::with(&[("lock_after", "100")]).await;
    let device = SigningKey::from_bytes(&[51; 32]);
    let (uri, token, spent) = digits_spent_by(&world, &device).await;
    age(&world, "tokens", "confirmed", 601).await;
    let socket = world.operator_socket(&token, &device).await;
    let mut operator = Operator { device, token, socket };
    let wish = OperatorToServer::OpenRoom {
        mode: Mode::Manage,
        hellos: hellos(&world, &operator),
        reason: None,
    };
    operator.socket.say(&wish).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Confirm };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    let confirm = |password: Option<&str>, totp: Option<String>| {
        let (of, password) = ((operator.token.as_str(), &operator.device), password.map(str::to_owned));
        ask(&world, of, CONFIRM_PATH, &[], |proof| Confirmation { password, totp, proof })
    };
    for (password, digits) in [
        (Some(PASSWORD), None),
        (None, Some("000000".to_owned())),
        (Some(PASSWORD), Some("000000".to_owned())),
        (None, Some(spent)),
    ] {
        assert_eq!(confirm(password, digits.clone()).await.status, 401, "{password:?} {digits:?}");
    }
    assert_eq!(confirm(None, Some(digits(&uri, 1))).await.status, 204);
    open(&world, &mut operator, Mode::Manage).await;
}

async fn limit(world: &World, network: &str) {
    let limits = Limits { addresses: vec![network.to_owned()], ..Limits::default() };
    let order = LimitOperator { operator: "hanako".to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
}

/// F16: a computer that is suspended is told so, and takes nobody's turn to have a password hashed.
#[tokio::test]
async fn f16_sign_ins_of_a_suspended_computer_cost_no_hash() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let hashes = || world.running.as_ref().unwrap().hashes();
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "wrong", &operator.device, None).await.status, 401);
    }
    let before = hashes();
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
    assert!(matches!(answer, LoginAnswer::Locked { .. }), "{answer:?}");
    assert_eq!(hashes(), before);
}

/// S63, T54: a token stands for what its sign-in declared, and hardware addresses were not asked for then.
#[tokio::test]
async fn s63_t54_new_hardware_addresses_end_the_sign_in_that_was_made_without_them() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let of = (operator.token.as_str(), &operator.device);
    let again = async || {
        let body = |proof| Confirmation { password: Some(PASSWORD.to_owned()), totp: None, proof };
        ask(&world, of, CONFIRM_PATH, &[], body).await
    };
    assert_eq!(again().await.status, 204);
    let macs = vec!["02:00:00:00:00:01".to_owned()];
    let limits = Limits { macs, ..Limits::default() };
    let order = LimitOperator { operator: "hanako".to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    let answer = again().await;
    assert_eq!((answer.status, code(&answer)), (401, ProblemCode::SignIn));
}

/// T54: a token counts where its account may be used, at every request; and of several header lines
/// none is one that the asker wrote himself.
#[tokio::test]
async fn t54_a_token_is_worth_nothing_from_elsewhere_and_a_forged_line_before_the_proxys_own_is_none() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let operator = world.operator("hanako").await;
    let of = (operator.token.as_str(), &operator.device);
    limit(&world, "192.0.2.0/24").await;
    let by = "x-forwarded-for";
    for (headers, status) in [
        (vec![], 401),
        (vec![(by, "203.0.113.9")], 401),
        (vec![(by, "192.0.2.7"), (by, "203.0.113.9")], 401),
        (vec![(by, "192.0.2.7, 203.0.113.9")], 401),
        (vec![(by, "203.0.113.9"), (by, "192.0.2.7")], 204),
        (vec![(by, "192.0.2.7")], 204),
    ] {
        let body = |proof| Confirmation { password: Some(PASSWORD.to_owned()), totp: None, proof };
        let answer = ask(&world, of, CONFIRM_PATH, &headers, body).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    // Where a line that lives begins, and where the ledger is followed, too.
    let bearer = format!("Bearer {}", operator.token);
    for (from, is_in) in [("203.0.113.9", false), ("192.0.2.7", true)] {
        let headers = [("authorization", bearer.as_str()), (by, from)];
        let opened = world.socket(OPERATOR_PATH, &headers).await;
        match opened {
            Ok(mut socket) => {
                assert!(is_in, "{from}");
                assert!(matches!(socket.hear().await, ServerToOperator::Challenge { .. }));
            }
            Err(Error::Http(answer)) => assert!(!is_in && answer.status() == 401, "{from}: {answer:?}"),
            Err(other) => panic!("{from}: {other}"),
        }
        let answer = world.post(CHECKPOINT_PATH, &AskCheckpoint { known: 0 }, &headers).await;
        assert_eq!(answer.status, if is_in { 200 } else { 401 }, "{from}");
    }
}

/// S56, T65: what cannot be recorded is not done: nobody is signed in, out, or has another password by it.
#[tokio::test]
async fn s56_t65_no_sign_in_no_sign_out_and_no_new_password_without_its_record() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut own = database(&world).await;
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    let no_record = "CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(FAIL, 'full'); END";
    sqlx::query(no_record).execute(&mut own).await.unwrap();
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 503);
    assert_eq!(sign_out(&world, &operator).await.status, 503);
    let new = "another horse without a battery";
    assert_eq!(change_password(&world, &operator, new).await.status, 503);
    sqlx::query("DROP TRIGGER full").execute(&mut own).await.unwrap();
    assert_eq!(code(&world.admin_get(OPERATORS_PATH).await), ProblemCode::AdminSignIn);
    // His token and his line are as they were.
    open(&world, &mut operator, Mode::View).await;
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    assert_eq!(change_password(&world, &operator, new).await.status, 204);
}
