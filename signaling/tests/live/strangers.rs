//! Wrong sign-ins from one address: so many are looked at, and those that come after them suspend nobody (R5, T51-T53).

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{OPERATORS_PATH, OperatorList, ProblemCode};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::login::{LOGIN_PATH, LoginAnswer, LoginRequest};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::RefusalReason;

use crate::client::{Answer, PASSWORD, World, login_request, proven_login, request_over};
use crate::ledger::read_until;
use crate::organisation::lock_key;
use crate::second::{code, digits, key, with_authenticator};
use crate::too_often::from_elsewhere;

/// As a server has it where nobody said otherwise.
const DEFAULT: (&str, &str) = ("wrong_logins_per_address", "10");

async fn elsewhere(
    world: &World,
    name: &str,
    password: &str,
    device: &SigningKey,
    alter: impl FnOnce(&mut LoginRequest),
) -> Answer {
    by_way_of(world, &[], (name, password), device, alter).await
}

/// With what a proxy there says.
async fn by_way_of(
    world: &World,
    headers: &[(&str, &str)],
    (name, password): (&str, &str),
    device: &SigningKey,
    alter: impl FnOnce(&mut LoginRequest),
) -> Answer {
    let stream = from_elsewhere(world).await;
    let body = proven_login(&stream, login_request(name, password, device), device, alter);
    request_over(stream, "POST", LOGIN_PATH, body, headers).await
}

#[track_caller]
fn assert_too_many_wrong(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, 429, "{text}");
    assert_eq!(code(answer), ProblemCode::TooManyWrong);
    assert!(answer.headers.iter().any(|name| name == "retry-after"), "{:?}", answer.headers);
}

async fn suspended(world: &World) -> Vec<String> {
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    let suspended = list.operators.into_iter().filter(|entry| entry.suspended_until.is_some());
    suspended.map(|entry| entry.operator).collect()
}

/// T53, T52: whoever has one address suspends a few names and then none, and learns of none whether it is there; new
/// devices elsewhere and approved ones at his own address get in.
#[tokio::test]
async fn t53_t52_one_address_suspends_few_accounts_and_keeps_out_nobody_but_its_own_strangers() {
    let world = World::with(&[DEFAULT]).await;
    let (hers, stranger, new) = (key(51), key(9), key(10));
    let authenticator = with_authenticator(&world, &hers).await;
    let mut codes = Vec::new();
    for name in ["jiro", "saburo", "taro"] {
        codes.push(world.add_operator(name, &[Mode::View]).await);
    }
    let wrong = async |name| elsewhere(&world, name, "wrong", &stranger, |_| {}).await;
    let uniform = wrong("nobody").await;
    assert_eq!(uniform.status, 401);
    for name in ["jiro", "jiro", "jiro", "saburo", "saburo", "saburo", "taro", "taro", "nobody"] {
        assert_eq!(wrong(name).await, uniform);
    }
    let refused = wrong("taro").await;
    assert_too_many_wrong(&refused);
    for name in ["nobody", "jiro", "hanako", "taro"] {
        for password in ["wrong", PASSWORD] {
            let answer = elsewhere(&world, name, password, &stranger, |_| {}).await;
            assert_eq!(answer, refused, "{name}");
        }
    }
    for _ in 0..40 {
        assert_too_many_wrong(&wrong("taro").await);
    }
    assert_eq!(suspended(&world).await, ["jiro", "saburo"]);
    let taros = codes.pop();
    let from_there = elsewhere(&world, "taro", PASSWORD, &new, |request| {
        request.enrolment = taros.clone();
    });
    assert_too_many_wrong(&from_there.await);
    let from_here = world.login("taro", PASSWORD, &new, taros.as_deref()).await;
    assert_eq!(from_here.login(), LoginAnswer::DevicePending, "another address has its own");
    // Her device with its second factor is asked as ever, from there too, and has its own count.
    let with = async |password, steps| {
        let digits = Some(digits(&authenticator, steps));
        elsewhere(&world, "hanako", password, &hers, |request| request.totp = digits).await
    };
    assert_eq!(with("wrong", 1).await, uniform);
    with(PASSWORD, 1).await.signed_in();
    // What was looked at is in the ledger, one by one; of what was not so much that nobody fills it.
    let read = read_until(&world, |event| matches!(event, Event::LoggedIn { .. })).await;
    let count = |wanted: &dyn Fn(&Event) -> bool| {
        read.entries.iter().flatten().filter(|entry| wanted(&entry.event)).count()
    };
    let failed =
        |event: &Event| matches!(event, Event::LoginFailed { from, .. } if from == "127.0.0.2");
    assert_eq!(count(&failed), 10 + 1);
    let (reason, from) = (RefusalReason::SlowDown, Some("127.0.0.2".to_owned()));
    let refused = Event::RequestRefused { reason, from };
    assert!((20..40).contains(&count(&|event| *event == refused)), "of 50");
}

/// T51: nor are more looked at where all come at one moment.
#[tokio::test]
async fn t51_of_fifty_tries_of_one_address_at_one_moment_ten_are_looked_at() {
    let world = World::with(&[DEFAULT, ("lock_after", "100")]).await;
    world.add_operator("hanako", &[Mode::View]).await;
    let stranger = key(9);
    let tries = (0..50).map(|_| elsewhere(&world, "hanako", "wrong", &stranger, |_| {}));
    let answers = futures_util::future::join_all(tries).await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(401), with(429)), (10, 40));
    let looked_at = |event: &Event| matches!(event, Event::LoginFailed { .. });
    let read = read_until(&world, looked_at).await;
    assert_eq!(read.entries.iter().flatten().filter(|entry| looked_at(&entry.event)).count(), 10);
}

/// What is right is no wrong try: a device that waits asks as often as it likes, and is in once it is approved, whoever was
/// wrong from its address.
#[tokio::test]
async fn s64_a_device_that_waits_spends_nothing_and_once_approved_is_stopped_by_nobody() {
    let world = World::with(&[("wrong_logins_per_address", "1")]).await;
    let device = key(12);
    let enrolment = world.add_operator("hanako", &[Mode::View]).await;
    for with in [Some(enrolment.as_str()), None, None, None] {
        let answer = world.login("hanako", PASSWORD, &device, with).await;
        assert_eq!(answer.login(), LoginAnswer::DevicePending);
    }
    assert_eq!(world.login("nobody", "wrong", &key(9), None).await.status, 401);
    assert_too_many_wrong(&world.login("hanako", PASSWORD, &device, None).await);
    let certificate = world.certificate("hanako", &device);
    assert_eq!(world.approve(&certificate, &lock_key()).await.status, 204);
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
}

/// T54: behind a proxy that is configured each client has his own, and all of an IPv6 /64 have one.
#[tokio::test]
async fn t54_wrong_sign_ins_behind_a_proxy_are_counted_by_client_and_ipv6_by_network() {
    let settings = [("wrong_logins_per_address", "3"), ("proxies", "127.0.0.2/32")];
    let world = World::with(&settings).await;
    let wrong = async |client: &str| {
        let headers = [("x-forwarded-for", client)];
        by_way_of(&world, &headers, ("nobody", "wrong"), &key(9), |_| {}).await
    };
    for client in ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:8000::3"] {
        assert_eq!(wrong(client).await.status, 401);
    }
    assert_too_many_wrong(&wrong("2001:db8:0:1::4").await);
    for client in ["2001:db8:0:2::1", "198.51.100.7", "::ffff:198.51.100.7", "198.51.100.7"] {
        assert_eq!(wrong(client).await.status, 401, "{client}");
    }
    assert_too_many_wrong(&wrong("::ffff:198.51.100.7").await);
}
