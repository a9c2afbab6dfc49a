//! What is taken away is gone at once, whatever was begun under it: a lock key, an administrator and whom he
//! invited, an operator and his devices, a password (T14, T17, T55, T57).

use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_PROOF, ADMINS_PATH, AddAdmin, AdminAdded, AdminChange, ChangeAdmin,
    ChangeOperator, EnrolAdmin, JOIN_PATH, OPERATOR_CHANGES_PATH, OperatorChange, Problem, ProblemCode,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::certificate::{Certificate, Revocations};
use tasuki_protocol::devices::{DEVICES_PATH, DeviceList, DeviceState, REVOKE_PATH, RevokeDevices};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::LoginFailure;
use tasuki_protocol::login::{ChangePassword, LoginAnswer, PASSWORD_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{CloseReason, ServerToAgent, ServerToOperator};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Answer, PASSWORD, World, device_key, unix};
use crate::ledger::read_until;
use crate::organisation::{lock_key, root_key};
use crate::outside::new_code;
use crate::pairing::{open, pair};
use crate::second::joined;
use crate::standing::ask;

/// T17: within which what was taken away has ended.
const AT_ONCE: Duration = Duration::from_secs(5);

fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

async fn states(world: &World) -> Vec<DeviceState> {
    let devices = world.admin_get(DEVICES_PATH).await;
    let devices: DeviceList = serde_json::from_slice(&devices.body).unwrap();
    devices.devices.iter().map(|device| device.state).collect()
}

async fn revoke(world: &World, version: u64, devices: Vec<DeviceKey>) -> Answer {
    revoke_by(world, version, devices, &lock_key()).await
}

async fn revoke_by(world: &World, version: u64, devices: Vec<DeviceKey>, by: &SigningKey) -> Answer {
    let (v, tenant, issued_at) = (PROTOCOL_VERSION, world.done.tenant, unix());
    let list = Revocations { v, tenant, version, devices, issued_at };
    let order = RevokeDevices { revocations: Blob(dsse::sign(&list, by)), bundle: None };
    world.admin_post(REVOKE_PATH, &order).await
}

/// T14, T17: as `key rotate lock --drop-old` does it.
#[tokio::test]
async fn t17_with_a_lock_key_that_is_dropped_all_that_it_certified_is_out_at_once() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let other = SigningKey::from_bytes(&[24; 32]);
    let lock_keys = vec![device_key(&other), device_key(&lock_key())];
    let kept = Bundle { version: 2, lock_keys, ..world.bundle() };
    assert_eq!(world.publish(&kept, &[&root_key()]).await.status, 204);
    assert_eq!(states(&world).await, [DeviceState::Approved], "the old one counts beside the new one");
    let dropped = Bundle { version: 3, lock_keys: vec![device_key(&other)], ..kept };
    assert_eq!(world.publish(&dropped, &[&root_key()]).await.status, 204);
    let reason = CloseReason::Withdrawn;
    let heard = timeout(AT_ONCE, session.agent.hear::<ServerToAgent>()).await.expect("it ends");
    assert_eq!(heard, ServerToAgent::Closed { reason });
    let closed = ServerToOperator::Closed { session: room.session, reason };
    assert_eq!(timeout(AT_ONCE, operator.socket.hear::<ServerToOperator>()).await.unwrap(), closed);
    assert_eq!(operator.socket.next().await, None);
    for _ in 0..2 {
        assert_eq!(states(&world).await, [DeviceState::Expired]);
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
        assert_eq!(answer, LoginAnswer::DevicePending, "it waits, as one whose time is over");
        world.stop().await;
        world.run().await;
    }
    let certificate = world.certificate("hanako", &operator.device);
    assert_eq!(code(&world.approve(&certificate, &lock_key()).await), ProblemCode::Document);
    assert_eq!(world.approve(&certificate, &other).await.status, 204);
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
}

/// T57: whom somebody has invited who is no administrator any more does not come in by it.
#[tokio::test]
async fn t57_an_invitation_ends_with_the_administrator_who_made_it() {
    let world = World::start().await;
    let (taro, guest) = (SigningKey::from_bytes(&[61; 32]), SigningKey::from_bytes(&[62; 32]));
    assert_eq!(joined(&world, "taro", &taro).await.status, 201);
    for change in [AdminChange::Disable, AdminChange::Remove] {
        let order = AddAdmin { name: "jiro".to_owned() };
        let invited = world.admin_post(ADMINS_PATH, &order).await;
        let AdminAdded { token, .. } = serde_json::from_slice(&invited.body).unwrap();
        let proof = guest.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes());
        let join = EnrolAdmin {
            token,
            name: "jiro".to_owned(),
            password: ADMIN_PASSWORD.to_owned(),
            key: device_key(&guest),
            proof: Blob(proof.to_bytes().to_vec()),
        };
        let order = ChangeAdmin { name: "taro".to_owned(), change };
        assert_eq!(world.admin_post(ADMIN_CHANGES_PATH, &order).await.status, 204);
        assert_eq!(world.post(JOIN_PATH, &join, &[]).await.status, 401, "{change:?}");
    }
}

/// T17: an account takes no device with it that agents would take for months yet.
#[tokio::test]
async fn t17_an_account_goes_only_once_its_devices_are_on_the_list() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let taro = world.operator("taro").await;
    let remove = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Remove };
    let refused = world.admin_post(OPERATOR_CHANGES_PATH, &remove).await;
    assert_eq!((refused.status, code(&refused)), (409, ProblemCode::Certified));
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
    assert_eq!(revoke(&world, 1, vec![device_key(&operator.device)]).await.status, 204);
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &remove).await.status, 204);
    assert_eq!(states(&world).await, [DeviceState::Approved], "taro's");
    // Made anew for less than before, and over: agents take the one before for as long as it was made for.
    let of_taro = Certificate { not_after: unix() + 60, ..world.certificate("taro", &taro.device) };
    assert_eq!(world.approve(&of_taro, &lock_key()).await.status, 204);
    let mut own = database(&world).await;
    let until = sqlx::query_scalar("SELECT certified_until FROM devices");
    let until: i64 = until.fetch_one(&mut own).await.unwrap();
    assert!(until.unsigned_abs() > unix() + 3600, "{until}");
    sqlx::query("UPDATE devices SET not_after = 1").execute(&mut own).await.unwrap();
    let remove = ChangeOperator { operator: "taro".to_owned(), change: OperatorChange::Remove };
    let refused = world.admin_post(OPERATOR_CHANGES_PATH, &remove).await;
    assert_eq!((refused.status, code(&refused)), (409, ProblemCode::Certified));
    // Those that are over by every clock are no reason to keep an account.
    sqlx::query("UPDATE devices SET certified_until = 1").execute(&mut own).await.unwrap();
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &remove).await.status, 204);
}

/// T14, T17: the key of a removed account's device is out, whoever has it and whatever the account is called.
#[tokio::test]
async fn t17_a_revoked_key_does_not_come_back_with_a_new_account() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    assert_eq!(revoke(&world, 1, vec![device_key(&operator.device)]).await.status, 204);
    let remove = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Remove };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &remove).await.status, 204);
    let enrolment = world.add_operator("hanako", &Mode::ALL).await;
    // The new account's password is no more to it than a wrong one.
    let wrong = world.login("hanako", "wrong", &operator.device, Some(&enrolment)).await;
    let right = world.login("hanako", PASSWORD, &operator.device, Some(&enrolment)).await;
    assert_eq!(right, wrong);
    assert!(states(&world).await.is_empty(), "it waits for nobody");
    let certificate = world.certificate("hanako", &operator.device);
    assert_eq!(code(&world.approve(&certificate, &lock_key()).await), ProblemCode::Document);
    let new = SigningKey::from_bytes(&[71; 32]);
    world.enrol_device("hanako", &new, &enrolment).await;
    world.login("hanako", PASSWORD, &new, None).await.signed_in();
}

/// S64, T53: who types all of it right at a computer that was revoked is told what it is, and locks nobody; so the next
/// computer comes in. T52: nobody else is told.
#[tokio::test]
async fn t52_s64_a_revoked_device_is_told_so_with_the_right_password_alone_and_counts_against_nobody() {
    let world = World::start().await;
    let (operator, next) = (world.operator("hanako").await, SigningKey::from_bytes(&[72; 32]));
    let code = new_code(&world).await;
    assert_eq!(revoke(&world, 1, vec![device_key(&operator.device)]).await.status, 204);
    let unknown = world.login("nobody", PASSWORD, &operator.device, None).await;
    for _ in 0..5 {
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
        assert_eq!(answer, LoginAnswer::DeviceRevoked);
    }
    assert_eq!(world.login("hanako", "wrong", &operator.device, None).await, unknown);
    // T52: of other accounts than its own it learns nothing, and tries count.
    world.operator("taro").await;
    for password in [PASSWORD, "wrong", PASSWORD] {
        assert_eq!(world.login("taro", password, &operator.device, None).await, unknown);
    }
    // Named, by somebody who does not have its key.
    let named = world.login_with("hanako", PASSWORD, &next, |request| {
        request.device = device_key(&operator.device);
    });
    assert_eq!(named.await, unknown);
    let answer = world.login("hanako", PASSWORD, &next, Some(&code)).await.login();
    assert_eq!(answer, LoginAnswer::DevicePending, "two of the seven were counted");
    let read = read_until(
        &world,
        |event| matches!(event, Event::DeviceEnrolled { device } if *device == device_key(&next)),
    );
    let read = read.await;
    let why = |event: &Event| {
        let Event::LoginFailed { why, account, .. } = event else { return None };
        (account == "hanako").then_some(*why)
    };
    let seen: Vec<LoginFailure> =
        read.entries.iter().flatten().filter_map(|entry| why(&entry.event)).collect();
    let wanted = [vec![LoginFailure::Device; 5], vec![LoginFailure::Password; 2]].concat();
    assert_eq!(seen, wanted);
}

/// T17: of two administrators who revoke at once the second one's list does not take back the first one's.
#[tokio::test]
async fn t17_a_list_that_lacks_what_was_revoked_meanwhile_is_not_taken() {
    let world = World::start().await;
    let (hanako, taro) = (world.operator("hanako").await, world.operator("taro").await);
    let (hanako, taro) = (device_key(&hanako.device), device_key(&taro.device));
    assert_eq!(revoke(&world, 1, vec![hanako]).await.status, 204);
    let refused = revoke(&world, 2, vec![taro]).await;
    assert_eq!((refused.status, code(&refused)), (409, ProblemCode::Conflict));
    assert_eq!(states(&world).await, [DeviceState::Revoked, DeviceState::Approved]);
    assert_eq!(revoke(&world, 2, vec![taro, hanako]).await.status, 204);
    assert_eq!(states(&world).await, [DeviceState::Revoked, DeviceState::Revoked]);
}

/// T17: numbers do not begin again after the last one, which would bring back who was revoked.
#[tokio::test]
async fn t17_after_the_last_number_no_list_of_revoked_devices_is_taken_until_its_key_is_dropped() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let device = device_key(&operator.device);
    assert_eq!(revoke(&world, u64::MAX, vec![device]).await.status, 204);
    for version in [0, 1, u64::MAX] {
        assert_eq!(
            code(&revoke(&world, version, Vec::new()).await),
            ProblemCode::Document,
            "{version}"
        );
    }
    assert_eq!(states(&world).await, [DeviceState::Revoked]);
    // Whoever had the key that signed it has it no more, and numbers go on from there.
    let other = SigningKey::from_bytes(&[24; 32]);
    let dropped = Bundle { version: 2, lock_keys: vec![device_key(&other)], ..world.bundle() };
    assert_eq!(world.publish(&dropped, &[&root_key()]).await.status, 204);
    for version in [7, 8] {
        assert_eq!(revoke_by(&world, version, vec![device], &other).await.status, 204, "{version}");
        world.stop().await;
        world.run().await;
    }
}

/// T55: a new password is set by who knew the old one as it was then, and is in still.
#[tokio::test]
async fn t55_a_new_password_begun_under_the_old_one_comes_to_nothing_once_that_was_changed() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let old: String = {
        let mut own = database(&world).await;
        sqlx::query_scalar("SELECT password FROM operators").fetch_one(&mut own).await.unwrap()
    };
    world.make_passwords_dear().await;
    let (mine, thiefs) = ("another horse without a battery", "a third horse for whoever took it");
    let of = (operator.token.as_str(), &operator.device);
    let change = |old: &str, new: &str| {
        let (old, new) = (old.to_owned(), new.to_owned());
        ask(&world, of, PASSWORD_PATH, &[], |proof| ChangePassword { old, new, proof })
    };
    // The hash says its own cost; so it is made anew at the dear one.
    assert_eq!(change(PASSWORD, mine).await.status, 204);
    let running = world.running.as_ref().unwrap();
    let before = running.hashes();
    let mut own = database(&world).await;
    let meanwhile = async {
        while running.hashes() == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sqlx::query("UPDATE operators SET password = ?").bind(old).execute(&mut own).await.unwrap();
    };
    let (answer, ()) = tokio::join!(change(mine, thiefs), meanwhile);
    assert_eq!(code(&answer), ProblemCode::SignIn);
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
}
