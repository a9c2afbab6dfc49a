//! The organisation's keys at a real server: what it takes, what it refuses, what it does until
//! they are there (T14, T17, T69, T70, S65).

use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{BUNDLE_PATH, Problem, ProblemCode};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, ListMark, TRUST_PATH, TrustNews};
use tasuki_protocol::certificate::{Certificate, Revocations};
use tasuki_protocol::devices::{
    APPROVE_PATH, ApproveDevice, DEVICES_PATH, DeviceList, DeviceState, REVOKE_PATH, RevokeDevices,
};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{self, DeviceKey, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::keys::{PREPARE_KEY_PATH, PrepareKey, ServerKeyKind};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::login::{LOGIN_PATH, LoginAnswer};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AGENT_PATH, CloseReason, DEVICE_PROOF, OPERATOR_PATH, OperatorToServer, RefusalReason,
    ServerToAgent, ServerToOperator,
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::Error;

use crate::acts::database;
use crate::client::{Answer, Operator, PASSWORD, World, device_key, unix};
use crate::ledger::read_until;
use crate::organisation::{lock_key, root_key};
use crate::pairing::{open, pair};

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

async fn news(world: &World) -> TrustNews {
    serde_json::from_slice(&world.get(TRUST_PATH, &[]).await.body).unwrap()
}

#[tokio::test]
async fn a_server_without_the_organisations_keys_says_so_and_serves_nobody() {
    let world = World::uninitialised().await;
    assert!(!world.running.as_ref().unwrap().is_initialised());
    for path in [BUNDLE_PATH, TRUST_PATH] {
        let answer = world.get(path, &[]).await;
        assert_eq!((answer.status, code(&answer)), (503, ProblemCode::NotInitialised), "{path}");
    }
    let answer = world.post(LOGIN_PATH, &json!({}), &[]).await;
    assert_eq!(code(&answer), ProblemCode::NotInitialised);
    for path in [AGENT_PATH, OPERATOR_PATH] {
        match world.socket(path, &[("authorization", "Bearer x")]).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 503),
            Ok(_) => panic!("{path} was served"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn t70_a_bundle_must_go_on_from_the_one_before_and_name_this_servers_keys() {
    let world = World::start().await;
    let first = world.bundle();
    let next = Bundle { version: 2, ..first.clone() };
    let stranger = key(66);
    let refused = |answer: Answer| assert_eq!(code(&answer), ProblemCode::Document);
    refused(world.publish(&first, &[&root_key()]).await);
    refused(world.publish(&next, &[&stranger]).await);
    let foreign = Bundle { root: device_key(&stranger), ..next.clone() };
    refused(world.publish(&foreign, &[&stranger]).await);
    let no_manifest = Bundle { manifest_keys: vec![DeviceKey([9; 32])], ..next.clone() };
    refused(world.publish(&no_manifest, &[&root_key()]).await);
    let mut not_first = next.clone();
    not_first.manifest_keys.insert(0, DeviceKey([9; 32]));
    refused(world.publish(&not_first, &[&root_key()]).await);
    let no_pin = Bundle { server_pins: vec![ids::Digest([9; 32])], ..next.clone() };
    refused(world.publish(&no_pin, &[&root_key()]).await);
    let tenant = Bundle { tenant: TenantId([9; 8]), ..next.clone() };
    refused(world.publish(&tenant, &[&root_key()]).await);
    assert_eq!(world.bundle(), first);
    assert_eq!(world.publish(&next, &[&root_key()]).await.status, 204);
    assert_eq!(news(&world).await.bundle(&first.known()), Ok(next));
}

/// T69: what is committed is not called refused, or an administrator would throw away the root that goes on
/// from it; whatever the disk did not take is made good at the next start.
#[tokio::test]
async fn t69_a_bundle_that_is_committed_is_acknowledged_although_its_file_cannot_be_written() {
    let mut world = World::start().await;
    let (first, new_root) = (world.bundle(), key(31));
    let file = world.data().join(BUNDLE_FILE);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let next = Bundle { version: 2, root: device_key(&new_root), ..first.clone() };
    assert_eq!(world.publish(&next, &[&new_root, &root_key()]).await.status, 204);
    assert_eq!(news(&world).await.bundle(&first.known()), Ok(next.clone()));
    world.stop().await;
    std::fs::remove_dir(&file).unwrap();
    world.run().await;
    assert_eq!(news(&world).await.bundle(&first.known()), Ok(next.clone()));
    assert_eq!(world.bundle(), next);
}

#[tokio::test]
async fn t69_a_new_root_takes_over_only_with_the_old_ones_word_and_survives_a_restart() {
    let mut world = World::start().await;
    let first = world.bundle();
    let new_root = key(31);
    let next = Bundle { version: 2, root: device_key(&new_root), ..first.clone() };
    assert_eq!(code(&world.publish(&next, &[&new_root]).await), ProblemCode::Document);
    assert_eq!(world.publish(&next, &[&new_root, &root_key()]).await.status, 204);
    let third = Bundle { version: 3, ..next };
    assert_eq!(world.publish(&third, &[&new_root]).await.status, 204);
    world.stop().await;
    world.run().await;
    assert_eq!(news(&world).await.bundle(&first.known()), Ok(third));
}

/// Of a server that came back from before two changes of the root.
#[tokio::test]
async fn t69_lost_handovers_lead_a_server_on_only_whole_in_order_and_signed_by_each_root_before() {
    let mut world = World::start().await;
    let first = world.bundle();
    let (second, third, stranger) = (key(31), key(32), key(66));
    let of = |version, root: &SigningKey| Bundle { version, root: device_key(root), ..first.clone() };
    let signed = |bundle: &Bundle, by: &[&SigningKey]| dsse::sign_by_all(bundle, by);
    let one = signed(&of(2, &second), &[&second, &root_key()]);
    let two = signed(&of(3, &third), &[&third, &second]);
    let forged = signed(&of(2, &second), &[&second, &stranger]);
    let same = signed(&of(4, &third), &[&third]);
    let last = of(9, &third);
    for handovers in [
        vec![],
        vec![one.clone()],
        vec![two.clone()],
        vec![two.clone(), one.clone()],
        vec![forged, two.clone()],
        vec![one.clone(), two.clone(), same],
        vec![one.clone(), two.clone(), two.clone()],
        vec![b"{}".to_vec()],
    ] {
        let answer = world.publish_after(&handovers, &last, &[&third]).await;
        assert_eq!(code(&answer), ProblemCode::Document, "{}", handovers.len());
    }
    let both = [one, two];
    let not_above = world.publish_after(&both, &of(3, &third), &[&third]).await;
    assert_eq!(code(&not_above), ProblemCode::Document);
    assert_eq!(news(&world).await.bundle(&first.known()), Ok(first.clone()), "nothing was taken");
    assert_eq!(world.publish_after(&both, &last, &[&third]).await.status, 204);
    for _ in 0..2 {
        let told = news(&world).await;
        assert_eq!(told.bundle(&first.known()), Ok(last.clone()));
        assert_eq!(told.bundle(&of(5, &third).known()), Ok(last.clone()));
        world.stop().await;
        world.run().await;
    }
}

#[tokio::test]
async fn a_prepared_manifest_key_signs_from_the_bundle_on_that_names_it_first() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let before = world.server_keys().await;
    let order = PrepareKey { kind: ServerKeyKind::Manifest };
    assert_eq!(world.admin_post(PREPARE_KEY_PATH, &order).await.status, 200);
    assert_eq!(world.admin_post(PREPARE_KEY_PATH, &order).await.status, 200);
    let prepared = world.server_keys().await;
    assert_eq!(prepared.manifest_key, before.manifest_key);
    let next = prepared.prepared.manifest_key.unwrap();
    let first = world.bundle();
    let bundle = Bundle {
        version: 2,
        manifest_keys: vec![next, before.manifest_key],
        checkpoint_keys: vec![prepared.prepared.checkpoint_key.unwrap(), before.checkpoint_key],
        ..first
    };
    assert_eq!(world.publish(&bundle, &[&root_key()]).await.status, 204);
    assert_eq!(world.server_keys().await.manifest_key, next);
    let mut room = open(&world, &mut operator, Mode::View).await;
    let session = pair(&world, &mut operator, &mut room).await;
    let manifest = &session.at_agent.manifest;
    let signer = dsse::open_self_signed::<tasuki_protocol::manifest::Manifest>(manifest).unwrap().1;
    assert_eq!(signer, next);
    world.stop().await;
    world.run().await;
    assert_eq!(world.server_keys().await.manifest_key, next);
}

#[tokio::test]
async fn t14_only_a_certificate_of_the_lock_key_for_a_waiting_device_is_taken() {
    let world = World::start().await;
    let enrolment = world.add_operator("hanako", &[Mode::View]).await;
    let device = key(41);
    let good = world.certificate("hanako", &device);
    assert_eq!(code(&world.approve(&good, &lock_key()).await), ProblemCode::NotFound);
    world.login("hanako", PASSWORD, &device, Some(&enrolment)).await.login();
    for (by, wrong) in [
        (root_key(), good.clone()),
        (device.clone(), good.clone()),
        (lock_key(), Certificate { tenant: TenantId([9; 8]), ..good.clone() }),
        (lock_key(), Certificate { display_name: "Bank of Japan".to_owned(), ..good.clone() }),
        (lock_key(), Certificate { not_after: unix() + 100 * 86_400, ..good.clone() }),
        (lock_key(), Certificate { not_before: 0, not_after: 1, ..good.clone() }),
    ] {
        assert_eq!(code(&world.approve(&wrong, &by).await), ProblemCode::Document, "{wrong:?}");
    }
    let other = Certificate { operator: "taro".to_owned(), ..good.clone() };
    assert_eq!(code(&world.approve(&other, &lock_key()).await), ProblemCode::NotFound);
    let broken = ApproveDevice { certificate: Blob(b"{}".to_vec()) };
    assert_eq!(code(&world.admin_post(APPROVE_PATH, &broken).await), ProblemCode::Document);
    assert_eq!(world.approve(&good, &lock_key()).await.status, 204);
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
}

/// T17: within five seconds.
#[tokio::test]
async fn t17_a_revoked_device_loses_its_session_its_token_and_its_way_in_at_once() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut other = world.operator("taro").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let list = |version| Revocations {
        v: PROTOCOL_VERSION,
        tenant: world.done.tenant,
        version,
        devices: vec![device_key(&operator.device)],
        issued_at: unix(),
    };
    let order = |version, by: &SigningKey| RevokeDevices {
        revocations: Blob(dsse::sign(&list(version), by)),
        bundle: None,
    };
    let refused = world.admin_post(REVOKE_PATH, &order(1, &root_key())).await;
    assert_eq!(code(&refused), ProblemCode::Document);
    let bearer = format!("Bearer {}", operator.token);
    let out = async {
        assert_eq!(world.admin_post(REVOKE_PATH, &order(1, &lock_key())).await.status, 204);
        let reason = CloseReason::Withdrawn;
        assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
        let closed = ServerToOperator::Closed { session: room.session, reason };
        assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
        assert_eq!(operator.socket.next().await, None);
        world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await
    };
    let again = timeout(Duration::from_secs(5), out).await.expect("within five seconds");
    assert!(matches!(again, Err(Error::Http(response)) if response.status().as_u16() == 401));
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
    assert_eq!(answer, LoginAnswer::DeviceRevoked);
    let certificate = world.certificate("hanako", &operator.device);
    assert_eq!(code(&world.approve(&certificate, &lock_key()).await), ProblemCode::Document);
    let old = world.admin_post(REVOKE_PATH, &order(1, &lock_key())).await;
    assert_eq!(code(&old), ProblemCode::Document);
    let devices = world.admin_get(DEVICES_PATH).await;
    let devices: DeviceList = serde_json::from_slice(&devices.body).unwrap();
    let states: Vec<DeviceState> = devices.devices.iter().map(|device| device.state).collect();
    assert_eq!(states, [DeviceState::Revoked, DeviceState::Approved]);
    assert_eq!(news(&world).await.revocations, devices.revocations);
    open(&world, &mut other, Mode::View).await;
}

/// T14, F5: a list and the bundle that asks for it are in force together or neither, and the bundle changes nothing else.
#[tokio::test]
async fn t14_f5_a_list_and_the_bundle_that_asks_for_it_are_taken_together_or_not_at_all() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let before = news(&world).await;
    let known = Bundle::open_first(&before.bundle.0).unwrap();
    let list = Revocations {
        v: PROTOCOL_VERSION,
        tenant: world.done.tenant,
        version: 7,
        devices: vec![device_key(&operator.device)],
        issued_at: unix(),
    };
    let by = device_key(&lock_key());
    let asking = Bundle {
        version: known.version + 1,
        least_list: Some(ListMark { version: 7, by }),
        ..known.clone()
    };
    let order = |bundle: &Bundle| RevokeDevices {
        revocations: Blob(dsse::sign(&list, &lock_key())),
        bundle: Some(Blob(dsse::sign(bundle, &root_key()))),
    };
    let other = Bundle { organisation: "Another".to_owned(), ..asking.clone() };
    let pins = Bundle { server_pins: vec![ids::Digest([9; 32])], ..asking.clone() };
    let stale = Bundle { version: known.version, ..asking.clone() };
    let silent = Bundle { least_list: None, ..asking.clone() };
    let ahead = Bundle { least_list: Some(ListMark { version: 8, by }), ..asking.clone() };
    for wrong in [other, pins, stale, silent, ahead] {
        let refused = world.admin_post(REVOKE_PATH, &order(&wrong)).await;
        assert_eq!(code(&refused), ProblemCode::Conflict);
        assert_eq!(news(&world).await, before);
    }
    let answer = world.admin_post(REVOKE_PATH, &order(&asking)).await;
    assert_eq!(answer.status, 204);
    let after = news(&world).await;
    let bundle = Bundle::open(&after.bundle.0, &known.known()).unwrap();
    let version = asking.version;
    assert_eq!((bundle, after.revocations.is_some()), (asking, true));
    // S56: the bundle that came with the list has no other record.
    let told = |event: &Event| {
        let Event::AdminDid { action, detail, .. } = event else { return false };
        let first = detail.split(", ").next();
        *action == AdminAction::DeviceRevoked && first == Some(&format!("bundle={version}"))
    };
    read_until(&world, told).await;
}

/// T14, T62: who writes the database gives no device another's certificate, and no account
/// another's device with all that belongs to it.
#[tokio::test]
async fn t14_a_certificate_or_a_device_in_anothers_row_opens_nothing() {
    let world = World::start().await;
    let (hanako, taro) = (world.operator("hanako").await, world.operator("taro").await);
    let mut own = database(&world).await;
    let certificates = "UPDATE devices SET certificate = moved.certificate
         FROM (SELECT operator, certificate FROM devices) AS moved
         WHERE moved.operator <> devices.operator";
    let accounts = "UPDATE devices SET operator = (SELECT SUM(id) FROM operators) - operator";
    let tokens = "UPDATE tokens SET operator = (SELECT SUM(id) FROM operators) - operator";
    for exchange in [&[certificates] as &[&'static str], &[accounts, tokens]] {
        // Twice the same brings everything back.
        for is_exchanged in [true, false] {
            for statement in exchange {
                sqlx::query(*statement).execute(&mut own).await.unwrap();
            }
            for operator in [&hanako, &taro] {
                let answer = knocked(&world, operator).await;
                let refused = ServerToOperator::Refused { reason: RefusalReason::SignIn };
                let is_in = matches!(answer, ServerToOperator::Ready { .. });
                assert_eq!(is_in, !is_exchanged, "{exchange:?}: {answer:?}");
                assert!(is_in || answer == refused, "{exchange:?}: {answer:?}");
            }
        }
    }
}

/// What a device hears that proves itself with its own token and key.
async fn knocked(world: &World, operator: &Operator) -> ServerToOperator {
    let bearer = format!("Bearer {}", operator.token);
    let mut socket = world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.unwrap();
    let ServerToOperator::Challenge { challenge } = socket.hear().await else { panic!() };
    let digest = Sha256::digest(operator.token.as_bytes());
    let message = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
    let signature = Blob(operator.device.sign(&message).to_bytes().to_vec());
    socket.say(&OperatorToServer::Prove { signature }).await;
    socket.hear().await
}
