//! The second factor, the second look, own passwords, limits, groups and further
//! administrators (S62, S63, S71, T51, T52, T54, T55).

use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ADMIN_PROOF, ADMINS_PATH, AddAdmin,
    AdminAdded, AdminChange, AdminLogin, AdminLoginAnswer, ChangeAdmin, ChangeGroup, EnrolAdmin,
    GROUPS_PATH, GroupChange, GroupList, Hours, JOIN_PATH, LimitOperator, Limits, OPERATOR_LIMITS_PATH,
    OPERATORS_PATH, Problem, ProblemCode,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::login::{
    Authenticator, CONFIRM_PATH, ChangePassword, Confirmation, LoginAnswer, PASSWORD_PATH,
};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{DEVICE_PROOF, OperatorToServer, RefusalReason, ServerToOperator};
use totp_rs::{Builder, Secret};

use crate::acts::database;
use crate::client::{
    ADMIN_PASSWORD, Answer, Operator, PASSWORD, World, device_key, exporter, request_over, unix,
};
use crate::ledger::read_until;
use crate::pairing::{hellos, open};

pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

pub(crate) fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

/// The digits of `steps` steps of 30 seconds from now.
pub(crate) fn digits(uri: &str, steps: u64) -> String {
    let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    totp.generate(unix() + 30 * steps).to_string()
}

pub(crate) async fn with_digits(world: &World, device: &SigningKey, digits: Option<String>) -> Answer {
    world.login_with("hanako", PASSWORD, device, |request| request.totp = digits).await
}

/// An account with an authenticator; gives its address.
pub(crate) async fn with_authenticator(world: &World, device: &SigningKey) -> String {
    digits_spent_by(world, device).await.0
}

/// As [`with_authenticator`]; gives the token, too, and the digits that were spent on it.
pub(crate) async fn digits_spent_by(world: &World, device: &SigningKey) -> (String, String, String) {
    let enrolment = world.add_operator("hanako", &Mode::ALL).await;
    world.enrol_device("hanako", device, &enrolment).await;
    let set_up = |digits: Option<String>| {
        world.login_with("hanako", PASSWORD, device, move |request| {
            request.authenticator = Authenticator::SetUp;
            request.totp = digits;
        })
    };
    let LoginAnswer::TotpSetup { uri } = set_up(None).await.login() else { panic!() };
    assert!(uri.starts_with("otpauth://totp/Example%20KK:hanako?secret="), "{uri}");
    assert_eq!(set_up(Some("000000".to_owned())).await.status, 401);
    let spent = digits(&uri, 0);
    let token = set_up(Some(spent.clone())).await.signed_in().token;
    (uri, token, spent)
}

#[tokio::test]
async fn s62_an_authenticators_digits_are_asked_for_count_once_and_share_the_lock() {
    let world = World::start().await;
    let device = key(51);
    let (uri, _, spent) = digits_spent_by(&world, &device).await;
    assert_eq!(with_digits(&world, &device, None).await.login(), LoginAnswer::NeedsTotp);
    let used = with_digits(&world, &device, Some(spent)).await;
    assert_eq!((used.status, code(&used)), (401, ProblemCode::DigitsUsed));
    with_digits(&world, &device, Some(digits(&uri, 1))).await.signed_in();
    let used = with_digits(&world, &device, Some(digits(&uri, 1))).await;
    assert_eq!((used.status, code(&used)), (401, ProblemCode::DigitsUsed));
    // T51: asking for the digits in between forgives nothing.
    assert_eq!(with_digits(&world, &device, None).await.login(), LoginAnswer::NeedsTotp);
    assert_eq!(with_digits(&world, &device, Some("000000".to_owned())).await.status, 401);
    assert_eq!(with_digits(&world, &device, None).await.login(), LoginAnswer::NeedsTotp);
    assert_eq!(with_digits(&world, &device, Some("000000".to_owned())).await.status, 401);
    let answer = with_digits(&world, &device, Some(digits(&uri, 1))).await.login();
    assert!(matches!(answer, LoginAnswer::Locked { .. }), "{answer:?}");
}

#[tokio::test]
async fn t52_a_stranger_never_learns_that_digits_would_be_asked_for() {
    let world = World::start().await;
    with_authenticator(&world, &key(51)).await;
    let unknown = world.login("nobody", PASSWORD, &key(52), None).await;
    assert_eq!(world.login("hanako", PASSWORD, &key(52), None).await, unknown);
    assert_eq!(world.login("hanako", "wrong", &key(52), None).await, unknown);
}

#[tokio::test]
async fn t55_a_login_overheard_is_worth_nothing_on_another_connection() {
    let world = World::start().await;
    let device = key(53);
    let enrolment = world.add_operator("hanako", &[Mode::View]).await;
    world.enrol_device("hanako", &device, &enrolment).await;
    let replayed = world.login_with("hanako", PASSWORD, &device, |_| {}).await;
    replayed.signed_in();
    // The same proof as on another connection: signed over other bytes.
    let stream = world.tls().await;
    let wrong = exporter(&world.tls().await);
    let signed = [DEVICE_PROOF, wrong.as_slice(), b"hanako"].concat();
    let body = json!({
        "version": tasuki_protocol::ids::PROTOCOL_VERSION, "operator": "hanako",
        "password": PASSWORD, "device": device_key(&device),
        "proof": Blob(device.sign(&signed).to_bytes().to_vec()), "enrolment": null,
        "totp": null, "authenticator": "keep", "macs": [],
    });
    let body = serde_json::to_vec(&body).unwrap();
    let path = tasuki_protocol::login::LOGIN_PATH;
    assert_eq!(request_over(stream, "POST", path, body, &[]).await.status, 401);
}

async fn bearer_post<T: serde::Serialize>(
    world: &World,
    operator: &Operator,
    by: &SigningKey,
    path: &str,
    body: impl FnOnce(Blob) -> T,
) -> Answer {
    let stream = world.tls().await;
    let digest = Sha256::digest(operator.token.as_bytes());
    let signed = [DEVICE_PROOF, exporter(&stream).as_slice(), digest.as_slice()].concat();
    let body = serde_json::to_vec(&body(Blob(by.sign(&signed).to_bytes().to_vec()))).unwrap();
    let bearer = format!("Bearer {}", operator.token);
    request_over(stream, "POST", path, body, &[("authorization", &bearer)]).await
}

#[tokio::test]
async fn manage_asks_for_a_second_look_that_the_tokens_own_device_must_give() {
    let world = World::with(&[("confirm_s", "6")]).await;
    let mut operator = world.operator("hanako").await;
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    let ask = OperatorToServer::OpenRoom {
        mode: Mode::Manage,
        hellos: hellos(&world, &operator),
        reason: None,
    };
    operator.socket.say(&ask).await;
    let refused = ServerToOperator::Refused { reason: RefusalReason::Confirm };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    open(&world, &mut operator, Mode::Control).await;
    let confirm = |password: &str, by: SigningKey| {
        let (world, operator, password) = (&world, &operator, password.to_owned());
        async move {
            bearer_post(world, operator, &by, CONFIRM_PATH, |proof| Confirmation {
                password: Some(password),
                totp: None,
                proof,
            })
            .await
        }
    };
    assert_eq!(confirm("wrong", operator.device.clone()).await.status, 401);
    assert_eq!(confirm(PASSWORD, key(99)).await.status, 401);
    assert_eq!(confirm(PASSWORD, operator.device.clone()).await.status, 204);
    open(&world, &mut operator, Mode::Manage).await;
}

#[tokio::test]
async fn an_operator_changes_his_own_password_within_the_rules() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let change = |old: &str, new: &str| {
        let (world, operator) = (&world, &operator);
        let (old, new) = (old.to_owned(), new.to_owned());
        async move {
            let by = operator.device.clone();
            let body = |proof| ChangePassword { old, new, proof };
            bearer_post(world, operator, &by, PASSWORD_PATH, body).await
        }
    };
    let new = "another horse without a battery";
    assert_eq!(code(&change("wrong", new).await), ProblemCode::SignIn);
    assert_eq!(code(&change(PASSWORD, "short").await), ProblemCode::Unusable);
    assert_eq!(code(&change(PASSWORD, "hanakohanakohanako").await), ProblemCode::Breached);
    assert_eq!(change(PASSWORD, new).await.status, 204);
    assert_eq!(world.login("hanako", PASSWORD, &operator.device, None).await.status, 401);
    world.login("hanako", new, &operator.device, None).await.signed_in();
    // S52, S56: it is the operator's own act, and no administrator's.
    let read = read_until(&world, |event| matches!(event, Event::PasswordChanged)).await;
    let mut changes = 0;
    for entry in read.entries.iter().flatten() {
        if entry.event == Event::PasswordChanged {
            assert_eq!(entry.operator.as_deref(), Some("hanako"));
            changes += 1;
        }
        if let Event::AdminDid { admin, .. } = &entry.event {
            assert_eq!(admin, "admin", "{entry:?}");
        }
    }
    assert_eq!(changes, 1);
}

async fn limit(world: &World, limits: Limits) -> Answer {
    let order = LimitOperator { operator: "hanako".to_owned(), limits };
    world.admin_post(OPERATOR_LIMITS_PATH, &order).await
}

pub(crate) async fn limited(world: &World, limits: Limits) {
    assert_eq!(limit(world, limits).await.status, 204);
}

#[tokio::test]
async fn s63_t54_limits_act_on_logins_and_on_what_lives() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let mut operator = world.operator("hanako").await;
    let device = operator.device.clone();
    let addresses = |text: &str| Limits { addresses: vec![text.to_owned()], ..Limits::default() };
    assert_eq!(code(&limit(&world, addresses("nonsense")).await), ProblemCode::Unusable);
    let out = async {
        assert_eq!(limit(&world, addresses("192.0.2.0/24")).await.status, 204);
        assert_eq!(operator.socket.next().await, None);
    };
    let five = std::time::Duration::from_secs(5);
    tokio::time::timeout(five, out).await.expect("within five seconds");
    let from_elsewhere = world.login("hanako", PASSWORD, &device, None).await.login();
    assert_eq!(from_elsewhere, LoginAnswer::OutsideAddresses);
    assert_eq!(limit(&world, addresses("::ffff:127.0.0.1")).await.status, 204);
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
    let macs = Limits { macs: vec!["02:00:00:00:00:01".to_owned()], ..Limits::default() };
    assert_eq!(limit(&world, macs).await.status, 204);
    let with_another = world.login("hanako", PASSWORD, &device, None).await.login();
    assert_eq!(with_another, LoginAnswer::OutsideHardware);
    let declared = world.login_with("hanako", PASSWORD, &device, |request| {
        request.macs = vec!["02-00-00-00-00-01".to_owned()];
    });
    declared.await.signed_in();
    let never = Hours { zone: "Asia/Tokyo".to_owned(), days: vec![tomorrow()], from: 0, until: 1440 };
    let hours = Limits { hours: Some(never), ..Limits::default() };
    assert_eq!(limit(&world, hours).await.status, 204);
    let at_the_wrong_hour = world.login("hanako", PASSWORD, &device, None).await.login();
    assert!(matches!(at_the_wrong_hour, LoginAnswer::OutsideHours { .. }), "{at_the_wrong_hour:?}");
}

/// A day of the week that is not today anywhere on earth, within a day either side.
pub(crate) fn tomorrow() -> u8 {
    let days = unix() / 86_400 + 3;
    // 1970-01-01 was a Thursday, which is day 4.
    u8::try_from((days + 3) % 7 + 1).unwrap()
}

#[tokio::test]
async fn groups_have_members_and_forget_who_is_removed() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    let change = |change| {
        let order = ChangeGroup { group: "一次受付".to_owned(), change };
        let world = &world;
        async move { world.admin_post(GROUPS_PATH, &order).await.status }
    };
    let join = |name: &str| GroupChange::Join { operator: name.to_owned() };
    assert_eq!(change(join("hanako")).await, 404);
    assert_eq!(change(GroupChange::Add).await, 204);
    assert_eq!(change(GroupChange::Add).await, 409);
    assert_eq!(change(join("nobody")).await, 404);
    assert_eq!(change(join("hanako")).await, 204);
    assert_eq!(change(join("hanako")).await, 200, "she was in it");
    let list = || async {
        let answer = world.admin_get(GROUPS_PATH).await;
        serde_json::from_slice::<GroupList>(&answer.body).unwrap().groups
    };
    assert_eq!(list().await[0].operators, ["hanako"]);
    assert_eq!(change(GroupChange::Leave { operator: "hanako".to_owned() }).await, 204);
    assert!(list().await[0].operators.is_empty());
    assert_eq!(change(GroupChange::Remove).await, 204);
    assert!(list().await.is_empty());
}

pub(crate) async fn as_admin<T: serde::Serialize>(
    world: &World,
    key: &SigningKey,
    path: &str,
    body: &T,
) -> Answer {
    let body = serde_json::to_vec(body).unwrap();
    world.ask_as(key, ("POST", path, body), &[]).await
}

pub(crate) fn log_in(password: &str) -> AdminLogin {
    let (totp, macs) = (None, Vec::new());
    AdminLogin { password: password.to_owned(), totp, authenticator: Authenticator::Keep, macs }
}

#[tokio::test]
async fn s56_administrators_sign_in_out_and_are_locked_like_everybody() {
    let world = World::start().await;
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    assert_eq!(code(&world.admin_get(OPERATORS_PATH).await), ProblemCode::AdminSignIn);
    let answer = world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await;
    let answer = serde_json::from_slice::<AdminLoginAnswer>(&answer.body).unwrap();
    assert!(matches!(answer, AdminLoginAnswer::SignedIn { .. }));
    assert_eq!(world.admin_get(OPERATORS_PATH).await.status, 200);
    for _ in 0..3 {
        let answer = world.admin_post(ADMIN_LOGIN_PATH, &log_in("wrong")).await;
        assert_eq!((answer.status, code(&answer)), (401, ProblemCode::SignIn));
    }
    let answer = world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await;
    let answer = serde_json::from_slice::<AdminLoginAnswer>(&answer.body).unwrap();
    assert!(matches!(answer, AdminLoginAnswer::Locked { .. }));
}

/// An administrator who came by an invitation.
pub(crate) async fn joined(world: &World, name: &str, key: &SigningKey) -> Answer {
    let order = AddAdmin { name: name.to_owned() };
    let added = world.admin_post(ADMINS_PATH, &order).await;
    if added.status != 201 {
        return added;
    }
    let AdminAdded { token, .. } = serde_json::from_slice(&added.body).unwrap();
    let join = EnrolAdmin {
        proof: Blob(key.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes()).to_bytes().to_vec()),
        token,
        name: order.name,
        password: ADMIN_PASSWORD.to_owned(),
        key: device_key(key),
    };
    world.post(JOIN_PATH, &join, &[]).await
}

#[tokio::test]
async fn a_second_administrator_comes_by_token_and_nobody_removes_himself() {
    let world = World::start().await;
    let order = AddAdmin { name: "taro".to_owned() };
    let added = world.admin_post(ADMINS_PATH, &order).await;
    let added: AdminAdded = serde_json::from_slice(&added.body).unwrap();
    let second = key(61);
    let enrol = |token: &str, name: &str| EnrolAdmin {
        token: token.to_owned(),
        name: name.to_owned(),
        password: ADMIN_PASSWORD.to_owned(),
        key: device_key(&second),
        proof: Blob(second.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes()).to_bytes().to_vec()),
    };
    assert_eq!(world.post(JOIN_PATH, &enrol("guess", "taro"), &[]).await.status, 401);
    // He was invited under his own name; another uses no invitation up.
    for name in ["admin", "jiro", "Taro"] {
        let refused = world.post(JOIN_PATH, &enrol(&added.token, name), &[]).await;
        assert_eq!((refused.status, code(&refused)), (403, ProblemCode::OtherName), "{name}");
    }
    assert_eq!(world.post(JOIN_PATH, &enrol(&added.token, "taro"), &[]).await.status, 201);
    assert_eq!(world.post(JOIN_PATH, &enrol(&added.token, "jiro"), &[]).await.status, 401);
    let change = |name: &str, change| ChangeAdmin { name: name.to_owned(), change };
    let himself = change("taro", AdminChange::Remove);
    let refused = as_admin(&world, &second, ADMIN_CHANGES_PATH, &himself).await;
    assert_eq!((refused.status, code(&refused)), (409, ProblemCode::Yourself));
    let first = change("admin", AdminChange::Disable);
    assert_eq!(as_admin(&world, &second, ADMIN_CHANGES_PATH, &first).await.status, 204);
    assert_eq!(code(&world.admin_get(OPERATORS_PATH).await), ProblemCode::Unauthorised);
}

/// S56: each has a valid request under way when the other's is done; whose comes second is nobody
/// any more.
#[tokio::test]
async fn two_administrators_who_disable_each_other_at_one_moment_leave_one() {
    let world = World::start().await;
    let second = key(61);
    assert_eq!(joined(&world, "taro", &second).await.status, 201);
    let mut own = database(&world).await;
    let kept = "CREATE TEMP TABLE kept AS SELECT * FROM admin_sessions";
    sqlx::query(kept).execute(&mut own).await.unwrap();
    let order = |name: &str, change| ChangeAdmin { name: name.to_owned(), change };
    for round in 0..12 {
        let change = if round == 11 { AdminChange::Remove } else { AdminChange::Disable };
        let (first, other) = (order("taro", change), order("admin", change));
        let (first, other) = tokio::join!(
            as_admin(&world, &world.admin, ADMIN_CHANGES_PATH, &first),
            as_admin(&world, &second, ADMIN_CHANGES_PATH, &other)
        );
        let done = [&first, &other].into_iter().filter(|answer| answer.status == 204).count();
        assert_eq!(done, 1, "round {round}: {} and {}", first.status, other.status);
        let refused = if first.status == 204 { other } else { first };
        // The other's act came before this one's signature, its session or its commit.
        let nobody = [ProblemCode::Unauthorised, ProblemCode::AdminSignIn, ProblemCode::Confirm];
        assert!(nobody.contains(&code(&refused)), "round {round}: {refused:?}");
        let enabled = "SELECT COUNT(*) FROM admins WHERE state = 'enabled'";
        let enabled: i64 = sqlx::query_scalar(enabled).fetch_one(&mut own).await.unwrap();
        assert_eq!(enabled, 1, "round {round}");
        for restored in [
            "UPDATE admins SET state = 'enabled'",
            "INSERT OR IGNORE INTO admin_sessions SELECT * FROM kept",
        ] {
            sqlx::query(restored).execute(&mut own).await.unwrap();
        }
    }
}
