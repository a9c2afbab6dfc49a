//! What an end turned away from at the door is in the ledger of a real server, and a flood of it is not (T7, T16).

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::objection::Objection;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AGENT_PATH, AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent,
    ServerToOperator,
};

use crate::client::{Operator, Socket, World};
use crate::ledger::read_until_entry;
use crate::pairing::{Room, agent_offer, join, open, secret};

const WHY: Objection = Objection::ManifestTooWide;

/// An agent at the number, which has forwarded something; whether the operator's end has answered it.
async fn at_the_door(world: &World, operator: &mut Operator, room: &Room, answered: bool) -> Socket {
    let (offer, _) = agent_offer(world, &secret(1), 50);
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&join(room.locator, &offer)).await;
    let met: ServerToAgent = agent.hear().await;
    assert!(matches!(met, ServerToAgent::Met { .. }), "{met:?}");
    let arrived: ServerToOperator = operator.socket.hear().await;
    assert!(matches!(arrived, ServerToOperator::Arrived { .. }), "{arrived:?}");
    let (session, body) = (room.session, Blob(vec![1, 2, 3]));
    if answered {
        operator.socket.say(&OperatorToServer::Forward { session, body: body.clone() }).await;
        assert_eq!(agent.hear::<ServerToAgent>().await, ServerToAgent::Forwarded { body });
    }
    agent
}

#[tokio::test]
async fn t7_t16_what_the_ends_turn_away_from_is_in_the_ledger_under_the_operator_and_once() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let room = open(&world, &mut operator, Mode::Control).await;
    // Of whom nobody knows that he has the number.
    let mut stranger = at_the_door(&world, &mut operator, &room, false).await;
    for _ in 0..50 {
        stranger.say(&AgentToServer::Object { why: WHY }).await;
    }
    let reason = RefusalReason::Number;
    assert_eq!(stranger.hear::<ServerToAgent>().await, ServerToAgent::Refused { reason });
    let mut agent = at_the_door(&world, &mut operator, &room, true).await;
    for _ in 0..50 {
        agent.say(&AgentToServer::Object { why: WHY }).await;
    }
    let last = at_the_door(&world, &mut operator, &room, true).await;
    let (session, why) = (room.session, Objection::TranscriptMismatch);
    for _ in 0..50 {
        operator.socket.say(&OperatorToServer::Object { session, attempt: 2, why }).await;
    }
    let of = |entry: &Entry| entry.session == Some(session);
    let is_closed = |entry: &Entry| of(entry) && matches!(entry.event, Event::SessionClosed { .. });
    let read = read_until_entry(&world, is_closed).await;
    let told = read.entries.iter().flatten().filter(|entry| of(entry)).filter_map(|entry| {
        let Event::PairingRefused { by, attempt, why } = entry.event else { return None };
        assert_eq!((entry.by, entry.operator.as_deref()), (Witness::Server, Some("hanako")));
        Some((by, attempt, why))
    });
    let expected = [(Witness::Agent, 1, WHY), (Witness::Operator, 2, why)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let reasons: Vec<CloseReason> = read
        .entries
        .iter()
        .flatten()
        .filter(|e| is_closed(e))
        .filter_map(|e| {
            let Event::SessionClosed { reason, .. } = e.event else { return None };
            Some(reason)
        })
        .collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    drop(last);
}
