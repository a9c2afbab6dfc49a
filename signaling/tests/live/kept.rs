//! Sessions that were running when the server was killed or stopped: known again, and ended as ever (F2, T17).

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::Row as _;
use tasuki_protocol::admin::{
    ChangeOperator, Hours, LimitOperator, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH,
    OperatorChange,
};
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::policy::exchange::{EndSession, SESSIONS_PATH, SessionEntry, SessionList};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AGENT_PATH, AgentToServer, CloseReason, OperatorToServer, RefusalReason, ResumeToken,
    ServerToAgent, ServerToOperator,
};
use tokio::time::timeout;

use crate::acts::database;
use crate::backup::{done, move_database_away, program};
use crate::client::{Operator, PATIENCE, Socket, World};
use crate::crash::Process;
use crate::ledger::read_until_entry;
use crate::pairing::{Room, open, pair};

/// T17.
const AT_ONCE: Duration = Duration::from_secs(5);
const REFUSED: ServerToAgent = ServerToAgent::Refused { reason: RefusalReason::Session };

async fn listed(world: &World) -> Vec<SessionEntry> {
    let listed = world.admin_get(SESSIONS_PATH).await;
    serde_json::from_slice::<SessionList>(&listed.body).unwrap().sessions
}

async fn rows(world: &World) -> i64 {
    let mut own = database(world).await;
    sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(&mut own).await.unwrap()
}

async fn until_rows(world: &World, wanted: i64) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while rows(world).await != wanted {
        assert!(tokio::time::Instant::now() < end, "{} rows, not {wanted}", rows(world).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A session that is on disk, its agent's token, and its agent.
async fn running(world: &World, operator: &mut Operator) -> (Room, ResumeToken, Socket) {
    let before = rows(world).await;
    let mut room = open(world, operator, Mode::Control).await;
    let session = pair(world, operator, &mut room).await;
    until_rows(world, before + 1).await;
    (room, session.agent_resume, session.agent)
}

async fn comes_back(world: &World, session: SessionId, token: ResumeToken) -> (Socket, ServerToAgent) {
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&AgentToServer::Resume { session, token }).await;
    let told = agent.hear().await;
    (agent, told)
}

async fn ends_at(agent: &mut Socket) {
    loop {
        let heard = timeout(AT_ONCE, agent.hear::<ServerToAgent>()).await.expect("it ends");
        if heard == (ServerToAgent::Closed { reason: CloseReason::Withdrawn }) {
            return;
        }
    }
}

#[tokio::test]
async fn f2_t17_a_session_of_a_killed_server_is_listed_and_ended_after_its_restart() {
    let mut world = World::start().await;
    let (server, mut operator) = Process::with_operator(&mut world).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(running(&world, &mut operator).await);
    }
    let as_they_were = listed(&world).await;
    server.kill();
    let server = Process::start(&world);
    // Those of one second stand in any order.
    let told = |entry: &SessionEntry| {
        (entry.session, (entry.operator.clone(), entry.mode, entry.stage, entry.reason.clone()))
    };
    let by_session = |listed: &[SessionEntry]| listed.iter().map(told).collect::<BTreeMap<_, _>>();
    assert_eq!(by_session(&listed(&world).await), by_session(&as_they_were));
    let mut agents = Vec::new();
    for (room, token, _) in &sessions {
        let (agent, told) = comes_back(&world, room.session, *token).await;
        assert_eq!(told, ServerToAgent::Resumed);
        agents.push(agent);
    }
    // The operator too, to one of them.
    let mut again = world.operator_socket(&operator.token, &operator.device).await;
    let (session, token) = (sessions[0].0.session, sessions[0].1);
    let resume = sessions[0].0.resume;
    again.say(&OperatorToServer::Resume { session, token: resume }).await;
    assert_eq!(again.hear::<ServerToOperator>().await, ServerToOperator::Resumed { session });

    let ended = world.admin_post(SESSIONS_PATH, &EndSession { session }).await;
    assert_eq!(ended.status, 204);
    ends_at(&mut agents[0]).await;
    let order = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204);
    for agent in &mut agents[1..] {
        ends_at(agent).await;
    }
    assert_eq!(listed(&world).await, []);
    // What was acknowledged as over stays so, though nobody had time for anything else.
    server.kill();
    world.run().await;
    assert_eq!(rows(&world).await, 0);
    assert_eq!(comes_back(&world, session, token).await.1, REFUSED);
    let of = |entry: &Entry| entry.session == Some(session);
    let read = read_until_entry(&world, |entry| of(entry) && is_closed(entry)).await;
    let story = read.entries.iter().flatten().filter(|entry| of(entry));
    let taken_up = story.filter(|entry| matches!(entry.event, Event::SessionTakenUp));
    assert_eq!(taken_up.count(), 1);
}

fn is_closed(entry: &Entry) -> bool {
    matches!(entry.event, Event::SessionClosed { .. })
}

#[tokio::test]
async fn f2_a_session_outlives_a_server_that_is_stopped_and_started_as_often_as_that_is() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let (room, token, _agent) = running(&world, &mut operator).await;
    for _ in 0..2 {
        world.stop().await;
        world.run().await;
        assert_eq!(listed(&world).await.len(), 1);
    }
    let (mut agent, told) = comes_back(&world, room.session, token).await;
    assert_eq!(told, ServerToAgent::Resumed);
    agent.say(&AgentToServer::Close).await;
    until_rows(&world, 0).await;
}

/// T17: a backup has the session as it ran then, and nobody knows what ended it since.
#[tokio::test]
async fn t17_a_backup_that_comes_back_brings_no_session_with_it() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let (room, token, _agent) = running(&world, &mut operator).await;
    let file = world.folder.path().join("with-a-session");
    done(&program("backup", &world.data(), &file));
    operator.socket.say(&OperatorToServer::Close { session: room.session }).await;
    until_rows(&world, 0).await;
    world.stop().await;
    move_database_away(&world);
    done(&program("restore", &world.data(), &file));
    world.run().await;
    assert_eq!(rows(&world).await, 0);
    assert_eq!(comes_back(&world, room.session, token).await.1, REFUSED);
}

/// T62: a row speaks of its own session alone, and only under this server's key; a copy of the database tells no token.
#[tokio::test]
async fn t62_a_row_that_is_not_this_servers_own_word_is_no_session() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let one = running(&world, &mut operator).await;
    let other = running(&world, &mut operator).await;
    world.stop().await;
    {
        let mut own = database(&world).await;
        let read = sqlx::query("SELECT session, kept FROM sessions").fetch_all(&mut own).await.unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>)> = read.iter().map(|row| (row.get(0), row.get(1))).collect();
        let words = |token: &ResumeToken| serde_json::to_vec(token).unwrap();
        let secrets = [words(&one.1), words(&other.1), words(&one.0.resume), b"hanako".to_vec()];
        for secret in secrets {
            let secret =
                secret.strip_prefix(b"\"").map_or(&secret[..], |inner| &inner[..inner.len() - 1]);
            assert!(!rows.iter().any(|(_, kept)| kept.windows(secret.len()).any(|at| at == secret)));
        }
        // One row's words under the other's name, and one that was touched.
        let mut touched = rows[1].1.clone();
        *touched.last_mut().unwrap() ^= 1;
        for (session, kept) in [(&rows[0].0, rows[1].1.clone()), (&rows[1].0, touched)] {
            let update = sqlx::query("UPDATE sessions SET kept = ? WHERE session = ?");
            update.bind(kept).bind(session.clone()).execute(&mut own).await.unwrap();
        }
    }
    world.run().await;
    assert_eq!((listed(&world).await, rows(&world).await), (vec![], 0));
    for (room, token, _) in [one, other] {
        assert_eq!(comes_back(&world, room.session, token).await.1, REFUSED);
    }
}

/// A row in a form of a later version is no session of this one, and takes no other with it.
#[tokio::test]
async fn f2_a_row_in_another_form_is_over_and_the_others_go_on() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let one = running(&world, &mut operator).await;
    let other = running(&world, &mut operator).await;
    world.stop().await;
    {
        let mut own = database(&world).await;
        let update = sqlx::query("UPDATE sessions SET form = form + 1 WHERE session = ?");
        let updated = update.bind(one.0.session.0.to_vec()).execute(&mut own).await.unwrap();
        assert_eq!(updated.rows_affected(), 1);
    }
    world.run().await;
    assert_eq!((listed(&world).await.len(), rows(&world).await), (1, 1));
    assert_eq!(comes_back(&world, one.0.session, one.1).await.1, REFUSED);
    assert_eq!(comes_back(&world, other.0.session, other.1).await.1, ServerToAgent::Resumed);
}

/// T17, F4: what ended while the disk took nothing is over on it too, as soon as it takes anything.
#[tokio::test]
async fn t17_a_session_that_ended_while_nothing_could_be_written_does_not_come_back() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let (over, token, _agent) = running(&world, &mut operator).await;
    let (goes_on, _, _other) = running(&world, &mut operator).await;
    {
        let mut own = database(&world).await;
        sqlx::query("ALTER TABLE sessions RENAME TO mislaid").execute(&mut own).await.unwrap();
        operator.socket.say(&OperatorToServer::Close { session: over.session }).await;
        let ended = async {
            while listed(&world).await.len() != 1 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, ended).await.expect("it ends all the same");
        // Its writer has seen that this cannot be written: an act behind it in the queue is on disk.
        world.add_operator("jiro", &[Mode::View]).await;
        sqlx::query("ALTER TABLE mislaid RENAME TO sessions").execute(&mut own).await.unwrap();
    }
    until_rows(&world, 1).await;
    world.stop().await;
    world.run().await;
    let left: Vec<SessionId> = listed(&world).await.iter().map(|entry| entry.session).collect();
    assert_eq!(left, [goes_on.session]);
    assert_eq!(comes_back(&world, over.session, token).await.1, REFUSED);
}

/// T55: whoever signs out, or is signed out, has nothing that comes back, though the server dies with the answer.
#[tokio::test]
async fn t55_what_ends_an_operators_sessions_takes_their_rows_with_it() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    running(&world, &mut operator).await;
    let limits = Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() };
    let order = LimitOperator { operator: "hanako".to_owned(), limits };
    let mut own = database(&world).await;
    let stuck =
        "CREATE TRIGGER stuck BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    sqlx::query(stuck).execute(&mut own).await.unwrap();
    assert_ne!(
        world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status,
        204,
        "one without the other"
    );
    sqlx::query("DROP TRIGGER stuck").execute(&mut own).await.unwrap();
    assert_eq!(rows(&world).await, 1);
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    assert_eq!(rows(&world).await, 0, "with the act itself");
}

/// T54: after a restart nobody knows from where an operator spoke who has not come back. Limits to hours that hold, and
/// limits that are lifted, leave his sessions; a limit to addresses ends them.
#[tokio::test]
async fn t54_after_a_restart_only_a_limit_to_addresses_ends_who_has_not_come_back() {
    let mut world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let (room, token, _agent) = running(&world, &mut operator).await;
    world.stop().await;
    world.run().await;
    let all = Hours { zone: "UTC".to_owned(), days: (1..=7).collect(), from: 0, until: 1440 };
    let limit = async |limits: Limits| {
        let order = LimitOperator { operator: "hanako".to_owned(), limits };
        assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
        rows(&world).await
    };
    assert_eq!(limit(Limits { hours: Some(all), ..Limits::default() }).await, 1, "his hours hold");
    assert_eq!(limit(Limits::default()).await, 1, "nothing is limited");
    let (_agent, told) = comes_back(&world, room.session, token).await;
    assert_eq!(told, ServerToAgent::Resumed);
    let addresses = vec!["192.0.2.0/24".to_owned()];
    assert_eq!(limit(Limits { addresses, ..Limits::default() }).await, 0, "he may be anywhere");
}
