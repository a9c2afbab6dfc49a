//! From where and when administrators sign in, and act while they are signed in: as operators (S62, S63, T54).

use ed25519_dalek::SigningKey;
use serde::Serialize;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_LIMITS_PATH, ADMIN_LOGIN_PATH, ADMINS_PATH, AdminChange, AdminList,
    AdminLogin, AdminLoginAnswer, ChangeAdmin, LimitAdmin, Limits, OPERATORS_PATH, ProblemCode,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{AdminAction, LoginFailure};
use tasuki_protocol::login::Authenticator;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Answer, World};
use crate::ledger::read_until;
use crate::outside::{another_card, at_nine_on, elsewhere, next_opening};
use crate::second::{code, digits, joined, key, log_in, tomorrow};

const BY: &str = "x-forwarded-for";
const INSIDE: [(&str, &str); 1] = [(BY, "192.0.2.7")];

/// With a proxy in front, that says where requests come from.
async fn with_taro(taro: &SigningKey) -> World {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    assert_eq!(joined(&world, "taro", taro).await.status, 201);
    world
}

async fn list(world: &World, key: &SigningKey, from: &[(&str, &str)]) -> Answer {
    world.ask_as(key, ("GET", OPERATORS_PATH, Vec::new()), from).await
}

async fn post<T: Serialize>(
    world: &World,
    key: &SigningKey,
    (path, body): (&str, &T),
    from: &[(&str, &str)],
) -> Answer {
    let body = serde_json::to_vec(body).unwrap();
    world.ask_as(key, ("POST", path, body), from).await
}

async fn sign_in(
    world: &World,
    key: &SigningKey,
    request: &AdminLogin,
    from: &[(&str, &str)],
) -> AdminLoginAnswer {
    let answer = post(world, key, (ADMIN_LOGIN_PATH, request), from).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

async fn limit(world: &World, name: &str, limits: Limits, macs: &[&str]) -> Answer {
    let macs = macs.iter().map(|text| (*text).to_owned()).collect();
    world.admin_post(ADMIN_LIMITS_PATH, &LimitAdmin { name: name.to_owned(), limits, macs }).await
}

async fn entry(world: &World, name: &str) -> (Limits, Option<u64>) {
    let answer = world.admin_get(ADMINS_PATH).await;
    let list: AdminList = serde_json::from_slice(&answer.body).unwrap();
    let entry = list.admins.into_iter().find(|admin| admin.name == name).unwrap();
    (entry.limits.expect("they can be read"), entry.suspended_until)
}

#[tokio::test]
async fn s63_an_administrator_at_the_wrong_hour_or_place_is_told_which_and_is_not_counted() {
    let taro = key(91);
    let world = with_taro(&taro).await;
    let zone = "Asia/Tokyo".to_owned();
    let hours = AdminLoginAnswer::OutsideHours { opens: Some(next_opening()), zone };
    let each = [
        (at_nine_on(tomorrow()), hours),
        (elsewhere(), AdminLoginAnswer::OutsideAddresses),
        (another_card(), AdminLoginAnswer::OutsideHardware),
    ];
    for (limits, told) in each {
        assert_eq!(limit(&world, "taro", limits.clone(), &[]).await.status, 204);
        for _ in 0..5 {
            assert!(sign_in(&world, &taro, &log_in(ADMIN_PASSWORD), &[]).await == told);
        }
        let wrong = post(&world, &taro, (ADMIN_LOGIN_PATH, &log_in("wrong")), &[]).await;
        assert_eq!(
            (wrong.status, code(&wrong)),
            (401, ProblemCode::SignIn),
            "who proves nothing learns nothing"
        );
        assert_eq!(entry(&world, "taro").await, (limits, None));
        let order = ChangeAdmin { name: "taro".to_owned(), change: AdminChange::Unlock };
        assert_eq!(world.admin_post(ADMIN_CHANGES_PATH, &order).await.status, 204);
    }
    let declared = AdminLogin { macs: vec!["02-00-00-00-00-01".to_owned()], ..log_in(ADMIN_PASSWORD) };
    let answer = sign_in(&world, &taro, &declared, &[]).await;
    assert!(matches!(answer, AdminLoginAnswer::SignedIn { .. }), "{answer:?}");
    // S55, S56: what kept him out stands there, and who limited him, to what.
    let is_in = |event: &Event| matches!(event, Event::AdminDid { admin, action: AdminAction::LoggedIn, detail, .. } if admin == "taro" && detail.ends_with("mac=02-00-00-00-00-01"));
    let read = read_until(&world, is_in).await;
    let events: Vec<&Event> = read.entries.iter().flatten().map(|entry| &entry.event).collect();
    let why = |event: &&Event| {
        let Event::LoginFailed { why, account, .. } = event else { return None };
        (account == "taro").then_some(*why)
    };
    let seen: Vec<LoginFailure> = events.iter().filter_map(why).collect();
    let five = |why| [vec![why; 5], vec![LoginFailure::Password]].concat();
    let wanted = [five(LoginFailure::Hours), five(LoginFailure::Place), five(LoginFailure::Place)];
    assert_eq!(seen, wanted.concat());
    let set = |event: &&Event| {
        let Event::AdminDid { admin, action, target, detail } = event else { return None };
        let told = [admin, target, detail].map(String::clone);
        (*action == AdminAction::AdminLimited).then_some(told)
    };
    let set: Vec<_> = events.iter().filter_map(set).collect();
    assert_eq!(set[1], ["admin", "taro", "addresses=192.0.2.0/24"]);
    assert_eq!(set.len(), 3);
}

#[tokio::test]
async fn t54_an_administrator_acts_from_within_his_limits_alone_as_soon_as_they_are_set() {
    let taro = key(92);
    let world = with_taro(&taro).await;
    assert_eq!(list(&world, &taro, &[]).await.status, 200);
    assert_eq!(limit(&world, "taro", elsewhere(), &[]).await.status, 204);
    for (from, status) in [
        (vec![], 401),
        (vec![(BY, "203.0.113.9")], 401),
        (vec![(BY, "192.0.2.7"), (BY, "203.0.113.9")], 401),
        (vec![(BY, "203.0.113.9"), (BY, "192.0.2.7")], 200),
        (INSIDE.to_vec(), 200),
    ] {
        let answer = list(&world, &taro, &from).await;
        assert_eq!(answer.status, status, "{from:?}");
        if status == 401 {
            assert_eq!(code(&answer), ProblemCode::AdminSignIn);
        }
        let answer = sign_in(&world, &taro, &log_in(ADMIN_PASSWORD), &from).await;
        assert_eq!(matches!(answer, AdminLoginAnswer::SignedIn { .. }), status == 200, "{from:?}");
    }
    // The hours end what is open, too, and a hardware address asks for a sign-in that declares it.
    assert_eq!(limit(&world, "taro", at_nine_on(tomorrow()), &[]).await.status, 204);
    assert_eq!(list(&world, &taro, &INSIDE).await.status, 401);
    assert_eq!(limit(&world, "taro", Limits::default(), &[]).await.status, 204);
    assert_eq!(list(&world, &taro, &INSIDE).await.status, 200);
    assert_eq!(limit(&world, "taro", another_card(), &[]).await.status, 204);
    assert_eq!(list(&world, &taro, &INSIDE).await.status, 401);
}

#[tokio::test]
async fn s62_nobody_shuts_himself_out_by_limits_of_his_own() {
    let world = World::start().await;
    let here = || Limits { addresses: vec!["127.0.0.0/8".to_owned()], ..another_card() };
    for outside in [elsewhere(), at_nine_on(tomorrow()), another_card(), here()] {
        let answer = limit(&world, "admin", outside, &["02:00:00:00:00:02"]).await;
        assert_eq!((answer.status, code(&answer)), (409, ProblemCode::Yourself));
        assert_eq!(entry(&world, "admin").await.0, Limits::default());
    }
    let nonsense = Limits { addresses: vec!["nonsense".to_owned()], ..Limits::default() };
    assert_eq!(code(&limit(&world, "admin", nonsense, &[]).await), ProblemCode::Unusable);
    assert_eq!(code(&limit(&world, "nobody", here(), &[]).await), ProblemCode::NotFound);
    assert_eq!(limit(&world, "admin", here(), &["02:00:00:00:00:01"]).await.status, 204);
    let declared = AdminLogin { macs: vec!["02:00:00:00:00:01".to_owned()], ..log_in(ADMIN_PASSWORD) };
    let answer = sign_in(&world, &world.admin, &declared, &[]).await;
    assert!(matches!(answer, AdminLoginAnswer::SignedIn { .. }), "{answer:?}");
    assert_eq!(entry(&world, "admin").await.0, here());
}

/// T52: where there is an authenticator its digits come before what the limits are, and count; from elsewhere nobody
/// sets one up.
#[tokio::test]
async fn t52_an_administrators_limits_are_told_after_his_digits_alone() {
    let taro = key(93);
    let world = with_taro(&taro).await;
    let set_up =
        |totp| AdminLogin { totp, authenticator: Authenticator::SetUp, ..log_in(ADMIN_PASSWORD) };
    assert_eq!(limit(&world, "taro", elsewhere(), &[]).await.status, 204);
    let answer = sign_in(&world, &taro, &set_up(None), &[]).await;
    assert!(answer == AdminLoginAnswer::OutsideAddresses, "{answer:?}");
    let AdminLoginAnswer::TotpSetup { uri } = sign_in(&world, &taro, &set_up(None), &INSIDE).await
    else {
        panic!("inside he does")
    };
    let confirmed = sign_in(&world, &taro, &set_up(Some(digits(&uri, 0))), &INSIDE).await;
    assert!(matches!(confirmed, AdminLoginAnswer::SignedIn { .. }), "{confirmed:?}");

    let with = |totp| AdminLogin { totp, ..log_in(ADMIN_PASSWORD) };
    assert!(sign_in(&world, &taro, &with(None), &[]).await == AdminLoginAnswer::NeedsTotp);
    let guessed = with(Some("000000".to_owned()));
    assert_eq!(post(&world, &taro, (ADMIN_LOGIN_PATH, &guessed), &[]).await.status, 401);
    let right = with(Some(digits(&uri, 1)));
    assert!(sign_in(&world, &taro, &right, &[]).await == AdminLoginAnswer::OutsideAddresses);
    let again = post(&world, &taro, (ADMIN_LOGIN_PATH, &right), &[]).await;
    assert_eq!(code(&again), ProblemCode::DigitsUsed, "they count once all the same");
}

/// S63: who is shut out at the same moment shuts nobody out, so that one administrator is always left.
#[tokio::test]
async fn s63_of_two_administrators_who_limit_each_other_at_one_moment_one_is_left() {
    let taro = key(91);
    let world = with_taro(&taro).await;
    let mut own = database(&world).await;
    for round in 0..12 {
        let order =
            |name: &str| LimitAdmin { name: name.to_owned(), limits: elsewhere(), macs: Vec::new() };
        let (first, other) = (order("taro"), order("admin"));
        let (first, other) = tokio::join!(
            post(&world, &world.admin, (ADMIN_LIMITS_PATH, &first), &[]),
            post(&world, &taro, (ADMIN_LIMITS_PATH, &other), &[])
        );
        let statuses = [first.status, other.status];
        assert_eq!(
            statuses.iter().filter(|status| **status == 204).count(),
            1,
            "{round}: {statuses:?}"
        );
        sqlx::query("UPDATE admins SET limits = NULL").execute(&mut own).await.unwrap();
    }
}

/// S66, T62: whose limits cannot be opened is not let in, and is not hidden: his colleagues see him and that, and set them anew.
#[tokio::test]
async fn s66_an_administrator_whose_limits_cannot_be_read_is_listed_and_kept_out() {
    let taro = key(91);
    let world = with_taro(&taro).await;
    let mut own = database(&world).await;
    let spoil = "UPDATE admins SET limits = x'00112233' WHERE key = ?";
    let public = taro.verifying_key().to_bytes().to_vec();
    let spoilt = sqlx::query(spoil).bind(public).execute(&mut own).await.unwrap();
    assert_eq!(spoilt.rows_affected(), 1);
    let answer = world.admin_get(ADMINS_PATH).await;
    let listed: AdminList = serde_json::from_slice(&answer.body).unwrap();
    let limits = listed.admins.into_iter().map(|admin| (admin.name, admin.limits));
    let expected = [("admin".to_owned(), Some(Limits::default())), ("taro".to_owned(), None)];
    assert_eq!(limits.collect::<Vec<_>>(), expected);
    let told = sign_in(&world, &taro, &log_in(ADMIN_PASSWORD), &[]).await;
    assert!(told == AdminLoginAnswer::LimitsUnreadable, "{told:?}");
    let wrong = post(&world, &taro, (ADMIN_LOGIN_PATH, &log_in("not his")), &[]).await;
    assert_eq!(wrong.status, 401, "and a guesser learns nothing of it");
    assert_ne!(list(&world, &taro, &[]).await.status, 200, "nor does he act where he was signed in");
    assert_eq!(limit(&world, "taro", Limits::default(), &[]).await.status, 204);
    let answer = sign_in(&world, &taro, &log_in(ADMIN_PASSWORD), &[]).await;
    assert!(matches!(answer, AdminLoginAnswer::SignedIn { .. }), "{answer:?}");
}
