//! Who has proven all of himself and comes from elsewhere, or at another hour, is told so; nobody else is (S63, T52).

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ChangeOperator, Hours, LimitOperator, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH,
    OPERATORS_PATH, OperatorAdded, OperatorChange, OperatorList, ProblemCode,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::LoginFailure;
use tasuki_protocol::login::{Authenticator, LoginAnswer};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::OPERATOR_PATH;

use crate::acts::database;
use crate::client::{PASSWORD, World, unix};
use crate::ledger::read_until;
use crate::second::{code, digits, key, limited, tomorrow, with_authenticator, with_digits};

pub(crate) fn at_nine_on(day: u8) -> Limits {
    let (zone, days) = ("Asia/Tokyo".to_owned(), vec![day]);
    let hours = Some(Hours { zone, days, from: 9 * 60, until: 18 * 60 });
    Limits { hours, ..Limits::default() }
}

pub(crate) fn elsewhere() -> Limits {
    Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() }
}

pub(crate) fn another_card() -> Limits {
    Limits { macs: vec!["02:00:00:00:00:01".to_owned()], ..Limits::default() }
}

async fn enrolled(world: &World, device: &SigningKey) {
    let enrolment = world.add_operator("hanako", &[Mode::View]).await;
    world.enrol_device("hanako", device, &enrolment).await;
}

pub(crate) async fn new_code(world: &World) -> String {
    let order = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::NewCode };
    let answer = world.admin_post(OPERATOR_CHANGES_PATH, &order).await;
    serde_json::from_slice::<OperatorAdded>(&answer.body).unwrap().enrolment
}

async fn suspended_until(world: &World) -> Option<u64> {
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    list.operators[0].suspended_until
}

/// The ninth hour of `tomorrow()`'s day in Tokyo, which has no other clock in summer.
pub(crate) fn next_opening() -> u64 {
    let day = |unix: u64| (unix / 86_400 + 3) % 7 + 1;
    let nine = (unix() / 86_400) * 86_400;
    (0..8).map(|days| nine + days * 86_400).find(|at| day(*at) == u64::from(tomorrow())).unwrap()
}

#[tokio::test]
async fn s63_who_is_right_at_the_wrong_hour_or_place_is_told_which_and_ten_in_a_row_lock_nobody() {
    let world = World::start().await;
    let device = key(81);
    enrolled(&world, &device).await;
    let zone = "Asia/Tokyo".to_owned();
    let hours = LoginAnswer::OutsideHours { opens: Some(next_opening()), zone };
    let each = [
        (at_nine_on(tomorrow()), hours),
        (elsewhere(), LoginAnswer::OutsideAddresses),
        (another_card(), LoginAnswer::OutsideHardware),
    ];
    for (limits, told) in each {
        limited(&world, limits).await;
        for _ in 0..10 {
            assert_eq!(world.login("hanako", PASSWORD, &device, None).await.login(), told);
        }
        assert_eq!(suspended_until(&world).await, None);
    }
    limited(&world, Limits::default()).await;
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
    // S55: what kept him out stands there, and that nobody was locked.
    let read = read_until(&world, |event| matches!(event, Event::LoggedIn { .. })).await;
    let events = || read.entries.iter().flatten().map(|entry| &entry.event);
    let why = |event: &Event| {
        let Event::LoginFailed { why, account, .. } = event else { return None };
        (account == "hanako").then_some(*why)
    };
    let seen: Vec<LoginFailure> = events().filter_map(why).collect();
    assert_eq!(
        seen,
        [[LoginFailure::Hours; 10], [LoginFailure::Place; 10], [LoginFailure::Place; 10]].concat()
    );
    assert!(!events().any(|event| matches!(event, Event::LockedOut { .. })));
}

/// T52: a stranger, a guesser and a device that waits get one answer at any hour and from anywhere, and are counted.
#[tokio::test]
async fn t52_t51_whoever_has_not_proven_all_learns_nothing_of_limits_and_is_locked_as_ever() {
    let world = World::start().await;
    let (device, stranger, waiting) = (key(82), key(83), key(84));
    enrolled(&world, &device).await;
    let more = new_code(&world).await;
    let answer = world.login("hanako", PASSWORD, &waiting, Some(&more)).await;
    assert_eq!(answer.login(), LoginAnswer::DevicePending);
    let unknown = world.login("nobody", PASSWORD, &stranger, None).await;
    for limits in [at_nine_on(tomorrow()), elsewhere(), another_card()] {
        limited(&world, limits).await;
        assert_eq!(world.login("hanako", PASSWORD, &stranger, None).await, unknown);
        assert_eq!(world.login("hanako", PASSWORD, &waiting, None).await, unknown);
    }
    // Six tries from devices that are none have locked those, and the enrolled one is still asked.
    limited(&world, elsewhere()).await;
    for _ in 0..2 {
        assert_eq!(world.login("hanako", "wrong", &device, None).await, unknown);
        let right = world.login("hanako", PASSWORD, &device, None).await;
        assert_eq!(right.login(), LoginAnswer::OutsideAddresses, "which forgives no guess");
    }
    assert_eq!(world.login("hanako", "wrong", &device, None).await, unknown);
    for password in [PASSWORD, "wrong"] {
        let answer = world.login("hanako", password, &device, None).await.login();
        assert!(matches!(answer, LoginAnswer::Locked { .. }), "{answer:?}");
    }
}

/// S63: whose first sign-in comes at the wrong hour, from the wrong place or with the wrong card is told which, is not
/// counted and keeps his code: he would else look for what he typed wrong until he is locked out.
#[tokio::test]
async fn s63_a_first_sign_in_outside_of_the_limits_is_told_so_and_keeps_its_code() {
    let world = World::start().await;
    let (device, enrolment) = (key(85), world.add_operator("hanako", &[Mode::View]).await);
    let with = |code: &str| {
        let (world, device, code) = (&world, &device, code.to_owned());
        async move { world.login("hanako", PASSWORD, device, Some(&code)).await }
    };
    for _ in 0..2 {
        limited(&world, at_nine_on(tomorrow())).await;
        assert!(matches!(with(&enrolment).await.login(), LoginAnswer::OutsideHours { .. }));
        limited(&world, elsewhere()).await;
        assert_eq!(with(&enrolment).await.login(), LoginAnswer::OutsideAddresses);
        limited(&world, another_card()).await;
        assert_eq!(with(&enrolment).await.login(), LoginAnswer::OutsideHardware);
    }
    let wrong = with("of nobody").await;
    assert_eq!((wrong.status, code(&wrong)), (401, ProblemCode::SignIn));
    limited(&world, Limits::default()).await;
    assert_eq!(with(&enrolment).await.login(), LoginAnswer::DevicePending);
}

/// T52: where the account has an authenticator its digits are proven first, and count; where it has none, nobody
/// from elsewhere sets one up.
#[tokio::test]
async fn t52_s62_limits_are_told_after_the_authenticators_digits_alone() {
    let world = World::start().await;
    let (device, other) = (key(85), key(86));
    let uri = with_authenticator(&world, &device).await;
    limited(&world, elsewhere()).await;
    assert_eq!(with_digits(&world, &device, None).await.login(), LoginAnswer::NeedsTotp);
    let wrong = with_digits(&world, &device, Some("000000".to_owned())).await;
    assert_eq!((wrong.status, code(&wrong)), (401, ProblemCode::SignIn));
    let right = with_digits(&world, &device, Some(digits(&uri, 1))).await;
    assert_eq!(right.login(), LoginAnswer::OutsideAddresses);
    let again = with_digits(&world, &device, Some(digits(&uri, 1))).await;
    assert_eq!(code(&again), ProblemCode::DigitsUsed, "they count once all the same");

    let enrolment = world.add_operator("taro", &[Mode::View]).await;
    world.enrol_device("taro", &other, &enrolment).await;
    let order = LimitOperator { operator: "taro".to_owned(), limits: elsewhere() };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    let asked = world.login_with("taro", PASSWORD, &other, |request| {
        request.authenticator = Authenticator::SetUp;
    });
    assert_eq!(asked.await.login(), LoginAnswer::OutsideAddresses);
}

/// S66, T62: as an administrator's: who cannot be let in is not hidden, and has new limits from who sees it.
#[tokio::test]
async fn s66_an_operator_whose_limits_cannot_be_read_is_listed_and_kept_out_until_they_are_set_anew() {
    let world = World::start().await;
    let device = key(84);
    enrolled(&world, &device).await;
    limited(&world, Limits { addresses: vec!["127.0.0.1".to_owned()], ..Limits::default() }).await;
    let signed_in = world.login("hanako", PASSWORD, &device, None).await.signed_in();
    let spoil = "UPDATE operators SET limits = x'00112233'";
    sqlx::query(spoil).execute(&mut database(&world).await).await.unwrap();
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    let [entry] = &list.operators[..] else { panic!("{list:?}") };
    assert_eq!(
        (entry.operator.as_str(), &entry.limits, entry.hours_left_s),
        ("hanako", &None, Some(0))
    );
    let told = world.login("hanako", PASSWORD, &device, None).await.login();
    assert_eq!(told, LoginAnswer::LimitsUnreadable, "nobody can tell from where she may");
    let limits = |event: &Event| matches!(event, Event::LoginFailed { account, why: LoginFailure::Limits, .. } if account == "hanako");
    read_until(&world, limits).await;
    let stranger = world.login("hanako", PASSWORD, &key(85), None).await;
    assert_eq!(stranger, world.login("nobody", PASSWORD, &key(85), None).await, "T52");
    assert_eq!(world.login("hanako", "not hers", &device, None).await.status, 401);
    let bearer = format!("Bearer {}", signed_in.token);
    let comes = world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await;
    assert!(comes.is_err(), "nor does she act where she was signed in");
    limited(&world, Limits::default()).await;
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
}
