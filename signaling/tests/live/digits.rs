//! Digits of an authenticator that have counted, and that were mistyped (S62, T52).

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::login::{Authenticator, LoginAnswer};
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::client::{PASSWORD, World, device_key};
use crate::second::{code, digits, key, with_authenticator};

/// T52: that digits have counted is said to nobody but who has all the rest of the sign-in.
#[tokio::test]
async fn t52_used_digits_are_called_so_on_the_approved_device_alone() {
    let world = World::start().await;
    let device = key(51);
    let uri = with_authenticator(&world, &device).await;
    let with = async |password: &str, device: &SigningKey, code: String| {
        world.login_with("hanako", password, device, move |request| request.totp = Some(code)).await
    };
    let used = with(PASSWORD, &device, digits(&uri, 0)).await;
    assert_eq!(code(&used), ProblemCode::DigitsUsed);
    let wrong = with("wrong", &device, digits(&uri, 0)).await;
    assert_eq!(code(&wrong), ProblemCode::SignIn, "nor with a wrong password");
    let stranger = with(PASSWORD, &key(52), digits(&uri, 0)).await;
    assert_eq!(stranger, with(PASSWORD, &key(52), "000000".to_owned()).await);
    assert_eq!(stranger, world.login("nobody", PASSWORD, &key(52), None).await);
    // He names the right device, and has not its key.
    let other = key(52);
    let pretends = world.login_with("hanako", PASSWORD, &other, |request| {
        request.totp = Some(digits(&uri, 0));
        request.device = device_key(&device);
    });
    assert_eq!(pretends.await, stranger);
    // It was one of three tries, as wrong digits are; the device's third suspends it.
    let last = with(PASSWORD, &device, "000000".to_owned()).await;
    assert_eq!(code(&last), ProblemCode::SignIn);
    let answer = with(PASSWORD, &device, digits(&uri, 1)).await.login();
    assert!(matches!(answer, LoginAnswer::Locked { .. }), "{answer:?}");
}

/// Whoever sees the secret guesses nothing: slips at the set-up suspend nobody.
#[tokio::test]
async fn s62_digits_mistyped_at_the_set_up_do_not_suspend() {
    let world = World::start().await;
    let device = key(51);
    let enrolment = world.add_operator("hanako", &Mode::ALL).await;
    world.enrol_device("hanako", &device, &enrolment).await;
    let set_up = |digits: Option<String>| {
        world.login_with("hanako", PASSWORD, &device, move |request| {
            request.authenticator = Authenticator::SetUp;
            request.totp = digits;
        })
    };
    let LoginAnswer::TotpSetup { uri } = set_up(None).await.login() else { panic!() };
    for _ in 0..4 {
        let slip = set_up(Some("000000".to_owned())).await;
        assert_eq!((slip.status, code(&slip)), (401, ProblemCode::SignIn));
    }
    set_up(Some(digits(&uri, 0))).await.signed_in();
    // A wrong password counts at the set-up, too.
    for _ in 0..3 {
        assert_eq!(world.login("hanako", "wrong", &device, None).await.status, 401);
    }
    let answer = world.login("hanako", PASSWORD, &device, None).await.login();
    assert!(matches!(answer, LoginAnswer::Locked { .. }), "{answer:?}");
}

/// S62, T62: an authenticator that the server cannot read any more is none that nobody has: who knows the password alone
/// is not let in, and sets no new one up.
#[tokio::test]
async fn s62_an_authenticator_that_cannot_be_read_lets_nobody_in_with_the_password_alone() {
    let world = World::start().await;
    let device = key(51);
    with_authenticator(&world, &device).await;
    let damaged = sqlx::query("UPDATE operators SET totp = x'00'");
    damaged.execute(&mut database(&world).await).await.unwrap();
    for wish in [Authenticator::Keep, Authenticator::SetUp] {
        let answer =
            world.login_with("hanako", PASSWORD, &device, |request| request.authenticator = wish);
        let answer = answer.await;
        assert_eq!((answer.status, code(&answer)), (503, ProblemCode::Busy), "{wish:?}");
    }
}
