//! Sessions whose operator stays away, and operators who vanish while the database stands still (T17, F4).

use std::time::Duration;

use futures_util::future::join_all;
use tasuki_protocol::admin::{ChangeOperator, OPERATOR_CHANGES_PATH, OperatorChange};
use tasuki_protocol::policy::exchange::{SESSIONS_PATH, SessionList, SessionStage};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AGENT_PATH, AgentToServer, CloseReason, OperatorToServer, Presence, ServerToAgent,
};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{PASSWORD, World};
use crate::pairing::{open, pair};

/// T17.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn disable(world: &World) {
    let order = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204);
}

async fn listed(world: &World) -> Vec<SessionStage> {
    let listed = world.admin_get(SESSIONS_PATH).await;
    let listed: SessionList = serde_json::from_slice(&listed.body).unwrap();
    listed.sessions.iter().map(|entry| entry.stage).collect()
}

#[tokio::test]
async fn t17_a_session_whose_operator_stays_away_is_listed_and_ends_when_he_is_disabled() {
    let world = World::with(&[("resume_grace_s", "1")]).await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    drop(operator.socket);
    let presence = Presence::Gone;
    assert_eq!(
        session.agent.hear::<ServerToAgent>().await,
        ServerToAgent::OperatorPresence { presence }
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(listed(&world).await, [SessionStage::Paired]);
    disable(&world).await;
    let heard = timeout(AT_ONCE, session.agent.hear::<ServerToAgent>()).await.expect("it ends");
    assert_eq!(heard, ServerToAgent::Closed { reason: CloseReason::Withdrawn });
    assert_eq!(listed(&world).await, []);
}

#[tokio::test]
async fn t17_what_ended_while_the_agent_was_away_is_told_when_it_comes_back() {
    let world = World::with(&[("resume_grace_s", "1")]).await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let session = pair(&world, &mut operator, &mut room).await;
    drop(session.agent);
    operator.socket.say(&OperatorToServer::Close { session: room.session }).await;
    while !listed(&world).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&AgentToServer::Resume { session: room.session, token: session.agent_resume }).await;
    let closed = ServerToAgent::Closed { reason: CloseReason::OtherEnd };
    assert_eq!(agent.hear::<ServerToAgent>().await, closed);
}

/// F4, T5: every connection to the database waits, and nobody needs one to know that somebody is gone.
#[tokio::test]
async fn f4_an_operator_who_vanishes_is_gone_at_once_though_the_database_stands_still() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let mut own = database(&world).await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut own).await.unwrap();
    // Each wants to write, and waits with a connection in its hand.
    let tries = join_all((0..12).map(|_| world.login("hanako", "wrong", &operator.device, None)));
    let gone = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(operator.socket);
        let heard = timeout(Duration::from_secs(1), session.agent.hear::<ServerToAgent>()).await;
        sqlx::query("ROLLBACK").execute(&mut own).await.unwrap();
        heard
    };
    let (_, heard) = tokio::join!(tries, gone);
    let presence = Presence::Gone;
    assert_eq!(heard.expect("at once"), ServerToAgent::OperatorPresence { presence });
}

/// T65: nobody keeps a token of which he was never told.
#[tokio::test]
async fn t65_a_sign_in_that_fails_behind_its_token_leaves_none() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let mut own = database(&world).await;
    let tokens = || sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM tokens");
    let before = tokens().fetch_one(&mut own).await.unwrap();
    sqlx::query("ALTER TABLE policies RENAME TO mislaid").execute(&mut own).await.unwrap();
    let refused = world.login("hanako", PASSWORD, &operator.device, None).await;
    assert_eq!(refused.status, 503);
    assert_eq!(tokens().fetch_one(&mut own).await.unwrap(), before);
    sqlx::query("ALTER TABLE mislaid RENAME TO policies").execute(&mut own).await.unwrap();
    world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
}
