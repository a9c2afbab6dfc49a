//! What the device of somebody who has nothing running is told, and what becomes of it (S63, T52, T54, T55).

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{
    ChangeOperator, LimitOperator, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OperatorChange,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::wire::{AskCheckpoint, CHECKPOINT_PATH};
use tasuki_protocol::ledger::words::LoginFailure;
use tasuki_protocol::login::{CONFIRM_PATH, LOGOUT_PATH, SignOut};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    CloseReason, DEVICE_PROOF, OPERATOR_PATH, OperatorToServer, RefusalReason, ServerToAgent,
    ServerToOperator,
};
use tokio_tungstenite::tungstenite::Error;

use crate::client::{PASSWORD, Socket, World, unix};
use crate::ledger::read_until;
use crate::organisation::lock_key;
use crate::outside::{at_nine_on, elsewhere, new_code, next_opening};
use crate::pairing::{open, pair};
use crate::second::{key, limited, tomorrow};
use crate::standing::ask;

const BY: &str = "x-forwarded-for";

/// Who knocks with a token and a key, and what he is answered; the status where there is no line.
async fn knocked(
    world: &World,
    (token, device): (&str, &SigningKey),
    from: &str,
) -> Result<(ServerToOperator, Socket), u16> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), (BY, from)];
    let mut socket = match world.socket(OPERATOR_PATH, &headers).await {
        Ok(socket) => socket,
        Err(Error::Http(answer)) => return Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    };
    let ServerToOperator::Challenge { challenge } = socket.hear().await else { panic!() };
    let digest = Sha256::digest(token.as_bytes());
    let message = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
    let signature = Blob(device.sign(&message).to_bytes().to_vec());
    socket.say(&OperatorToServer::Prove { signature }).await;
    Ok((socket.hear().await, socket))
}

const OFFICE: &str = "192.0.2.7";
const HOME: &str = "198.51.100.7";

/// S63: its sign-in is as good as before, and the hour is not. T52: whoever has the token alone hears at any hour what he
/// hears at every other.
#[tokio::test]
async fn s63_t52_a_device_that_proves_itself_is_told_when_its_hours_begin_and_nobody_else_is() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let operator = world.operator("hanako").await;
    let (own, thief) = ((operator.token.as_str(), &operator.device), key(91));
    let stolen = (operator.token.as_str(), &thief);
    let refused = ServerToOperator::Refused { reason: RefusalReason::SignIn };
    let heard = |who: (&str, &SigningKey), from: &'static str| {
        let (world, (token, device)) = (&world, (who.0.to_owned(), who.1.clone()));
        async move {
            let (told, mut socket) = knocked(world, (&token, &device), from).await?;
            if !matches!(told, ServerToOperator::Ready { .. }) {
                assert_eq!(socket.next().await, None, "and is hung up on");
            }
            Ok(told)
        }
    };
    assert!(matches!(heard(own, OFFICE).await, Ok(ServerToOperator::Ready { .. })));
    assert_eq!(heard(stolen, OFFICE).await, Ok(refused.clone()));

    limited(&world, at_nine_on(tomorrow())).await;
    let zone = "Asia/Tokyo".to_owned();
    let told = ServerToOperator::OutsideHours { opens: Some(next_opening()), zone };
    assert_eq!(heard(own, OFFICE).await, Ok(told));
    assert_eq!(heard(stolen, OFFICE).await, Ok(refused), "as at any hour");

    // Nor by any other path: each answers as it does at every hour.
    let bearer = format!("Bearer {}", operator.token);
    let headers = [("authorization", bearer.as_str()), (BY, OFFICE)];
    let checkpoint = world.post(CHECKPOINT_PATH, &AskCheckpoint { known: 0 }, &headers).await;
    assert_eq!(checkpoint.status, 200);
    for path in [CONFIRM_PATH, LOGOUT_PATH] {
        let junk = world.request("POST", path, b"{}".to_vec(), &headers).await;
        assert_eq!(junk.status, 400, "{path}");
    }

    // Where more than the hour is wrong nobody hears of the hour.
    limited(&world, Limits { addresses: elsewhere().addresses, ..at_nine_on(tomorrow()) }).await;
    assert_eq!(heard(own, HOME).await, Err(401));
    limited(&world, at_nine_on(tomorrow())).await;
    let order = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204);
    assert_eq!(heard(own, OFFICE).await, Err(401));

    // S55: what kept him out.
    let is_told = |event: &Event| matches!(event, Event::LoginFailed { account, why: LoginFailure::Hours, .. } if account == "hanako");
    read_until(&world, is_told).await;
}

/// T55: who signs out after his hours is signed out, and not refused and left with a token that lives.
#[tokio::test]
async fn t55_a_sign_out_outside_of_the_hours_ends_the_token() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let operator = world.operator("hanako").await;
    limited(&world, at_nine_on(tomorrow())).await;
    let own = (operator.token.as_str(), &operator.device);
    let signed_out = ask(&world, own, LOGOUT_PATH, &[(BY, OFFICE)], |proof| SignOut { proof }).await;
    assert_eq!(signed_out.status, 204);
    limited(&world, Limits::default()).await;
    let again = knocked(&world, own, OFFICE).await.map(|(told, _)| told);
    assert_eq!(again, Err(401));
}

/// S37: whoever waits learns that his device was approved anew, and sees the new date.
#[tokio::test]
async fn s37_a_device_that_waits_is_told_of_its_new_certificate() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let operator = world.operator("hanako").await;
    let own = (operator.token.as_str(), &operator.device);
    let Ok((ServerToOperator::Ready { certified_until }, mut waits)) =
        knocked(&world, own, OFFICE).await
    else {
        panic!("he is not let in")
    };
    assert!(certified_until.abs_diff(unix() + 86_400) < 600, "{certified_until}");
    let later = certified_until + 40 * 86_400;
    let renewed = Certificate { not_after: later, ..world.certificate("hanako", &operator.device) };
    assert_eq!(world.approve(&renewed, &lock_key()).await.status, 204);
    let ready = ServerToOperator::Ready { certified_until: later };
    assert_eq!(waits.hear::<ServerToOperator>().await, ready);
    let again = knocked(&world, own, OFFICE).await.map(|(told, _)| told);
    assert_eq!(again, Ok(ready));
}

/// T54: a window that waits at home is no session there: it is closed, and ends none of the office's.
#[tokio::test]
async fn t54_a_window_that_waits_outside_new_limits_ends_no_session_that_is_within_them() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let mut operator = world.operator("hanako").await;
    let at_home = key(92);
    let code = new_code(&world).await;
    world.enrol_device("hanako", &at_home, &code).await;
    let token = world.login("hanako", PASSWORD, &at_home, None).await.signed_in().token;
    let own = (operator.token.as_str(), &operator.device);
    operator.socket = knocked(&world, own, OFFICE).await.expect("he is let in").1;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let (_, mut waits) = knocked(&world, (&token, &at_home), HOME).await.expect("it is let in");

    let limit = |network: &str| {
        let limits = Limits { addresses: vec![network.to_owned()], ..Limits::default() };
        let order = LimitOperator { operator: "hanako".to_owned(), limits };
        let world = &world;
        async move {
            assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
        }
    };
    limit("192.0.2.0/24").await;
    assert_eq!(waits.next().await, None);
    assert_eq!(knocked(&world, (&token, &at_home), HOME).await.err(), Some(401));
    // The office's session hears of its next end first.
    limit("203.0.113.0/24").await;
    let heard = session.agent.hear::<ServerToAgent>().await;
    assert_eq!(heard, ServerToAgent::Closed { reason: CloseReason::Withdrawn });
}
