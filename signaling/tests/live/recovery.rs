//! An administrator whose computer is lost, at a real server: the machine's token and the root's word
//! together bring him back, and neither does alone (T9, T57, S56).

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ed25519_dalek::{Signer as _, SigningKey};
use tasuki_protocol::admin::{
    ADMIN_PROOF, ADMINS_PATH, AddAdmin, AdminAdded, ENROL_PATH, EnrolAdmin, JOIN_PATH, OPERATORS_PATH,
    Problem, ProblemCode, RECOVER_PATH, RecoverAdmin, recovery_proof,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Answer, World, device_key};
use crate::ledger::{Read, read_until};
use crate::organisation::{lock_key, root_key};
use crate::second::{as_admin, joined};

fn ordered(data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args(["recovery-token", "--json", "--data"]).arg(data).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().unwrap()
}

/// What the server's machine makes, beside the running server or without it.
pub(crate) fn token(data: &Path) -> String {
    let output = ordered(data);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["expires_in"], 900);
    made["token"].as_str().unwrap().to_owned()
}

pub(crate) fn enrol(token: &str, name: &str, key: &SigningKey) -> EnrolAdmin {
    EnrolAdmin {
        token: token.to_owned(),
        name: name.to_owned(),
        password: ADMIN_PASSWORD.to_owned(),
        key: device_key(key),
        proof: Blob(key.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes()).to_bytes().to_vec()),
    }
}

/// With the word of `root` for `named` at `tenant` with `worded`.
fn recover(
    enrol: EnrolAdmin,
    root: &SigningKey,
    (tenant, worded, named): (TenantId, &str, &SigningKey),
) -> RecoverAdmin {
    let word = recovery_proof(tenant, worded, &device_key(named));
    RecoverAdmin { enrol, root: Blob(root.sign(word.as_bytes()).to_bytes().to_vec()) }
}

fn code(answer: &Answer) -> ProblemCode {
    serde_json::from_slice::<Problem>(&answer.body).unwrap().code
}

fn did(event: &Event, wanted: AdminAction) -> bool {
    matches!(event, Event::AdminDid { action, .. } if *action == wanted)
}

#[tokio::test]
async fn t57_a_token_of_the_servers_machine_and_the_roots_word_open_nothing_alone() {
    let world = World::start().await;
    let (tenant, new) = (world.done.tenant, SigningKey::from_bytes(&[71; 32]));
    let made = token(&world.data());
    let good = || enrol(&made, "back", &new);
    let mut refused = vec![
        (recover(good(), &lock_key(), (tenant, &made, &new)), ProblemCode::Document),
        (recover(good(), &new, (tenant, &made, &new)), ProblemCode::Document),
        (recover(good(), &root_key(), (TenantId([9; 8]), &made, &new)), ProblemCode::Document),
        (recover(good(), &root_key(), (tenant, "recovery-other", &new)), ProblemCode::Document),
        (recover(good(), &root_key(), (tenant, &made, &world.admin)), ProblemCode::Document),
    ];
    // Another's signature under the enrolment, and a password that everybody tries first.
    let forged = EnrolAdmin { proof: Blob(vec![7; 64]), ..good() };
    refused.push((recover(forged, &root_key(), (tenant, &made, &new)), ProblemCode::SignIn));
    for guess in ["recovery-", "recovery-AAAA", "", &made[..made.len() - 1]] {
        let order = recover(enrol(guess, "back", &new), &root_key(), (tenant, guess, &new));
        refused.push((order, ProblemCode::SignIn));
    }
    for (order, why) in &refused {
        assert_eq!(code(&world.post(RECOVER_PATH, order, &[]).await), *why);
    }
    assert_eq!(world.post(JOIN_PATH, &good(), &[]).await.status, 401);
    assert_eq!(world.post(ENROL_PATH, &good(), &[]).await.status, 404);
    let invited = world.admin_post(ADMINS_PATH, &AddAdmin { name: "taro".to_owned() }).await;
    let AdminAdded { token: invitation, .. } = serde_json::from_slice(&invited.body).unwrap();
    let order = recover(enrol(&invitation, "x", &new), &root_key(), (tenant, &invitation, &new));
    assert_eq!(code(&world.post(RECOVER_PATH, &order, &[]).await), ProblemCode::SignIn);
    // One of another server.
    let other = World::start().await;
    let foreign = token(&other.data());
    let order = recover(enrol(&foreign, "back", &new), &root_key(), (tenant, &foreign, &new));
    assert_eq!(code(&world.post(RECOVER_PATH, &order, &[]).await), ProblemCode::SignIn);
    let expire =
        "UPDATE admin_tokens SET expires = (SELECT steady FROM anchor) WHERE kind = 'recovery'";
    sqlx::query(expire).execute(&mut database(&world).await).await.unwrap();
    let order = recover(good(), &root_key(), (tenant, &made, &new));
    assert_eq!(code(&world.post(RECOVER_PATH, &order, &[]).await), ProblemCode::SignIn, "expired");
    assert_eq!(world.admin_get(OPERATORS_PATH).await.status, 200, "nothing has changed");
    let told =
        |event: &Event| matches!(event, Event::AdminRefused { path, .. } if path == RECOVER_PATH);
    let all = refused.len() + 3;
    let count = |read: &Read| read.entries.iter().flatten().filter(|entry| told(&entry.event)).count();
    let mut read = read_until(&world, told).await;
    while count(&read) < all {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        read = read_until(&world, told).await;
    }
    assert_eq!(count(&read), all, "whoever had the token and not the root, and whoever had none");
}

#[tokio::test]
async fn s56_who_comes_back_shuts_everybody_else_out_and_the_ledger_tells_of_it() {
    let mut world = World::start().await;
    let (tenant, new) = (world.done.tenant, SigningKey::from_bytes(&[72; 32]));
    let colleague = SigningKey::from_bytes(&[73; 32]);
    assert_eq!(joined(&world, "taro", &colleague).await.status, 201);
    let invited = world.admin_post(ADMINS_PATH, &AddAdmin { name: "jiro".to_owned() }).await;
    let AdminAdded { token: invitation, .. } = serde_json::from_slice(&invited.body).unwrap();
    let (first, made) = (token(&world.data()), token(&world.data()));
    // The name is that of the account whose computer is lost.
    let order = |made: &str| recover(enrol(made, "admin", &new), &root_key(), (tenant, made, &new));
    assert_eq!(code(&world.post(RECOVER_PATH, &order(&first), &[]).await), ProblemCode::SignIn);
    let (one, other) = (order(&made), order(&made));
    let (one, other) =
        tokio::join!(world.post(RECOVER_PATH, &one, &[]), world.post(RECOVER_PATH, &other, &[]));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401], "a token works once, at one moment too");
    assert_eq!(code(&world.admin_get(OPERATORS_PATH).await), ProblemCode::Unauthorised);
    let nobody = as_admin(&world, &colleague, ADMINS_PATH, &AddAdmin { name: "x".to_owned() }).await;
    assert_eq!(code(&nobody), ProblemCode::Unauthorised);
    let late = enrol(&invitation, "jiro", &colleague);
    assert_eq!(world.post(JOIN_PATH, &late, &[]).await.status, 401);
    world.admin = new;
    assert_eq!(world.admin_get(OPERATORS_PATH).await.status, 200);
    let read = read_until(&world, |event| did(event, AdminAction::AdminRecovered)).await;
    let acts: Vec<&Event> = read.entries.iter().flatten().map(|entry| &entry.event).collect();
    let place = |wanted| acts.iter().position(|event| did(event, wanted)).expect("a record");
    assert!(place(AdminAction::RecoveryTokenMade) < place(AdminAction::AdminRecovered));
    let made = acts.iter().filter(|event| did(event, AdminAction::RecoveryTokenMade)).count();
    assert_eq!(made, 2, "each token");
}

/// Nobody used it, and the server did not run.
#[tokio::test]
async fn s56_a_token_that_nobody_uses_is_in_the_ledger_all_the_same() {
    let mut world = World::start().await;
    let made = |event: &Event| did(event, AdminAction::RecoveryTokenMade);
    token(&world.data());
    read_until(&world, made).await;
    world.stop().await;
    token(&world.data());
    world.run().await;
    let twice = || async {
        let read = read_until(&world, made).await;
        read.entries.iter().flatten().filter(|entry| made(&entry.event)).count() == 2
    };
    while !twice().await {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn where_no_keys_could_be_lost_there_is_no_token() {
    let world = World::uninitialised().await;
    let nowhere = world.folder.path().join("nowhere");
    for (data, code) in [(world.data(), 16), (nowhere, 3)] {
        let output = ordered(&data);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
    }
}
