//! A policy from an administrator's signature to the end of what was wider, over TLS.

use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_PROOF, ADMINS_PATH, AddAdmin, AdminAdded, AdminChange, ChangeAdmin,
    EnrolAdmin, JOIN_PATH, Problem, ProblemCode,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::policy::exchange::{
    EndSession, POLICY_HISTORY_PATH, POLICY_PATH, PolicyHistory, PolicyPublished, PolicyState,
    SESSIONS_PATH, SessionList, SessionStage,
};
use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};
use tasuki_protocol::terms::Requirement;

use crate::client::{ADMIN_PASSWORD, Answer, PASSWORD, World, device_key, unix};
use crate::pairing::{open, pair};

pub(crate) fn envelope(world: &World, key: &SigningKey, version: u64, rules: &str) -> Vec<u8> {
    let rules: RuleBook = serde_json::from_str(rules).unwrap();
    let tenant = world.done.tenant;
    dsse::sign(&Policy { v: POLICY_FORM, tenant, version, issued_at: unix(), rules }, key)
}

pub(crate) async fn publish(world: &World, key: &SigningKey, version: u64, rules: &str) -> Answer {
    let body = envelope(world, key, version, rules);
    world.ask_as(&world.admin, ("POST", POLICY_PATH, body), &[]).await
}

async fn fetch<T: serde::de::DeserializeOwned>(world: &World, path: &str) -> T {
    let answer = world.admin_get(path).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// The operator's word that both have met travels on another connection than an administrator's.
async fn until_paired(world: &World) {
    for _ in 0..200 {
        let list: SessionList = fetch(world, SESSIONS_PATH).await;
        if list.sessions.iter().any(|entry| entry.stage == SessionStage::Paired) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody met");
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, code: ProblemCode) {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem.code, code, "{}", answer.status);
}

#[tokio::test]
async fn s69_who_must_give_a_reason_is_told_so_when_he_signs_in() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let told = async || {
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await;
        answer.signed_in().reason
    };
    assert_eq!(told().await, Requirement::Optional);
    let rules = r#"{"note":"why","operator":{"hanako":{"reason":"required"}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    assert_eq!(told().await, Requirement::Required);
}

/// S66: a window offers no mode that he could only be refused.
#[tokio::test]
async fn s66_at_his_sign_in_he_is_told_the_modes_that_account_and_policy_both_give_him() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let told = async || {
        let answer = world.login("hanako", PASSWORD, &operator.device, None).await;
        answer.signed_in().modes
    };
    let all = told().await;
    assert!(all.contains(&Mode::View) && all.contains(&Mode::Control), "{all:?}");
    let rules = r#"{"note":"less","default":{"modes":["view","show"]},"operator":{"hanako":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    assert_eq!(told().await, [Mode::View]);
}

#[tokio::test]
async fn t17_s56_a_published_policy_is_in_force_at_once_and_after_a_restart() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let state: PolicyState = fetch(&world, POLICY_PATH).await;
    assert_eq!((state.version, state.envelope), (0, None));
    let rules = r#"{"note":"no more control","operator":{"hanako":{"modes":["view"]}}}"#;
    let answer = publish(&world, &world.admin, 1, rules).await;
    assert_eq!(answer.status, 201);
    let refused = ServerToOperator::Refused { reason: RefusalReason::Mode };
    let ask = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
    operator.socket.say(&ask).await;
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, refused);
    world.stop().await;
    world.run().await;
    let mut again = world.operator_socket(&operator.token, &operator.device).await;
    again.say(&ask).await;
    assert_eq!(again.hear::<ServerToOperator>().await, refused);
    let history: PolicyHistory = fetch(&world, POLICY_HISTORY_PATH).await;
    let notes: Vec<_> = history.versions.iter().map(|v| (v.version, v.note.as_str())).collect();
    assert_eq!(notes, [(1, "no more control")]);
    assert_eq!(history.versions[0].signer_name.as_deref(), Some("admin"));
}

#[tokio::test]
async fn s52_a_policy_that_changes_a_thousand_sections_is_published_and_its_record_fits() {
    let world = World::start().await;
    let sections: Vec<String> =
        (0..1000).map(|n| format!(r#""operator-{n:04}":{{"modes":["view"]}}"#)).collect();
    let rules = format!(r#"{{"operator":{{{}}}}}"#, sections.join(","));
    let answer = publish(&world, &world.admin, 1, &rules).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
}

#[tokio::test]
async fn t17_a_running_session_that_is_wider_ends_at_both_ends_and_a_narrower_goes_on() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    until_paired(&world).await;
    let wider = publish(&world, &world.admin, 1, r#"{"default":{"read_clipboard":true}}"#).await;
    assert_eq!(serde_json::from_slice::<PolicyPublished>(&wider.body).unwrap().ended, 0);
    let narrower = publish(&world, &world.admin, 2, r#"{"default":{"screenshot":false}}"#).await;
    assert_eq!(serde_json::from_slice::<PolicyPublished>(&narrower.body).unwrap().ended, 1);
    let reason = CloseReason::Withdrawn;
    let closed = ServerToOperator::Closed { session: room.session, reason };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
    assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
}

#[tokio::test]
async fn a_policy_by_a_stranger_out_of_turn_of_another_tenant_or_widening_itself_changes_nothing() {
    let world = World::start().await;
    let stranger = SigningKey::from_bytes(&[99; 32]);
    refused(&publish(&world, &stranger, 1, "{}").await, ProblemCode::Policy);
    refused(&publish(&world, &world.admin, 2, "{}").await, ProblemCode::Conflict);
    let widening = r#"{"default":{"chat":false},"operator":{"a":{"chat":true}}}"#;
    refused(&publish(&world, &world.admin, 1, widening).await, ProblemCode::Policy);
    let (v, tenant, rules) = (POLICY_FORM, TenantId([9; 8]), RuleBook::default());
    let foreign = Policy { v, tenant, version: 1, issued_at: unix(), rules };
    let body = dsse::sign(&foreign, &world.admin);
    let foreign = world.ask_as(&world.admin, ("POST", POLICY_PATH, body), &[]).await;
    refused(&foreign, ProblemCode::Policy);
    assert_eq!(publish(&world, &world.admin, 1, "{}").await.status, 201);
    refused(&publish(&world, &world.admin, 1, "{}").await, ProblemCode::Conflict);
    let state: PolicyState = fetch(&world, POLICY_PATH).await;
    assert_eq!(state.version, 1);
    // The body is signed, but not the request: nobody is let in by a policy alone.
    let body = envelope(&world, &world.admin, 2, "{}");
    let bare = world.request("POST", POLICY_PATH, body, &[]).await;
    assert_eq!(bare.status, 401);
    let large = world.request("POST", POLICY_PATH, vec![b'x'; 512 * 1024], &[]).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn a_policy_counts_by_nobody_who_was_disabled_and_waits_until_its_publisher_is_confirmed() {
    let world = World::with(&[("confirm_s", "3")]).await;
    let second = SigningKey::from_bytes(&[61; 32]);
    let invited = world.admin_post(ADMINS_PATH, &AddAdmin { name: "taro".to_owned() }).await;
    let AdminAdded { token, .. } = serde_json::from_slice(&invited.body).unwrap();
    let proof = second.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes());
    let body = EnrolAdmin {
        token,
        name: "taro".to_owned(),
        password: ADMIN_PASSWORD.to_owned(),
        key: device_key(&second),
        proof: Blob(proof.to_bytes().to_vec()),
    };
    assert_eq!(world.post(JOIN_PATH, &body, &[]).await.status, 201);
    assert_eq!(publish(&world, &second, 1, "{}").await.status, 201);
    let disable = ChangeAdmin { name: "taro".to_owned(), change: AdminChange::Disable };
    assert_eq!(world.admin_post(ADMIN_CHANGES_PATH, &disable).await.status, 204);
    refused(&publish(&world, &second, 2, "{}").await, ProblemCode::Policy);
    for _ in 0..100 {
        let answer = publish(&world, &second, 2, "{}").await;
        if answer.status == 403 {
            refused(&answer, ProblemCode::Confirm);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a policy is taken however long ago its publisher signed in");
}

#[tokio::test]
async fn t62_a_policys_names_are_not_to_be_read_in_the_database() {
    let world = World::start().await;
    let rules = r#"{"operator":{"canary-hanako":{"chat":false}},"note":"canary-note"}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    for name in ["tasuki.db", "tasuki.db-wal"] {
        let bytes = std::fs::read(world.data().join(name)).unwrap_or_default();
        for canary in ["canary-hanako", "canary-note", "Y2FuYXJ5"] {
            assert!(!bytes.windows(canary.len()).any(|w| w == canary.as_bytes()), "{name} {canary}");
        }
    }
}

#[tokio::test]
async fn s65_an_administrator_sees_what_runs_and_ends_it_at_once() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    until_paired(&world).await;
    let waiting = open(&world, &mut operator, Mode::Show).await;
    let list: SessionList = fetch(&world, SESSIONS_PATH).await;
    let seen: Vec<_> = list.sessions.iter().map(|s| (s.session, s.stage, s.mode)).collect();
    let paired = (room.session, SessionStage::Paired, Mode::View);
    assert_eq!(seen, [paired, (waiting.session, SessionStage::Waiting, Mode::Show)]);
    assert_eq!(list.sessions[0].operator, "hanako");
    let end = EndSession { session: room.session };
    assert_eq!(world.admin_post(SESSIONS_PATH, &end).await.status, 204);
    let reason = CloseReason::Withdrawn;
    assert_eq!(session.agent.hear::<ServerToAgent>().await, ServerToAgent::Closed { reason });
    let closed = ServerToOperator::Closed { session: room.session, reason };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
    refused(&world.admin_post(SESSIONS_PATH, &end).await, ProblemCode::NotFound);
    assert_eq!(world.post(SESSIONS_PATH, &end, &[]).await.status, 401);
}
