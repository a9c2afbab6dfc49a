//! How far this end is from each relay: the time that a connection takes, by the way that a session's
//! would go.
//!
//! Decides nothing: the server puts both ends' times together and chooses. Nothing but a connection
//! is made, and it is dropped at once.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::signal::{
    AgentToServer, OperatorToServer, RelayAddress, ServerToAgent, ServerToOperator,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::dial::{self, Callee};
use super::proxy::Proxies;
use crate::core::io::{ServerMessage, ServerRequest};

/// More relays are not measured: they count as out of reach.
const MOST: usize = 16;
/// A relay that is farther is no choice.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a server wants to know; the operator's end says for which session.
#[derive(Debug)]
pub(super) struct Question {
    session: Option<SessionId>,
    relays: Vec<RelayAddress>,
}

pub(super) fn question(message: &ServerMessage) -> Option<Question> {
    match message {
        ServerMessage::Operator(ServerToOperator::Relays { session, relays }) => {
            Some(Question { session: Some(*session), relays: relays.clone() })
        }
        ServerMessage::Agent(ServerToAgent::Relays { relays }) => {
            Some(Question { session: None, relays: relays.clone() })
        }
        ServerMessage::Operator(_) | ServerMessage::Agent(_) => None,
    }
}

/// Measures all of them side by side, and says so.
pub(super) async fn answer(asked: Question, proxies: Proxies, answer: mpsc::Sender<ServerRequest>) {
    let mut times = vec![None; asked.relays.len()];
    let mut tries = JoinSet::new();
    for (place, relay) in asked.relays.into_iter().take(MOST).enumerate() {
        let proxies = proxies.clone();
        tries.spawn(async move { (place, time(relay, &proxies).await) });
    }
    while let Some(tried) = tries.join_next().await {
        if let Ok((place, time)) = tried {
            times[place] = time;
        }
    }
    let request = match asked.session {
        Some(session) => ServerRequest::Operator(OperatorToServer::RelayTimes { session, times }),
        None => ServerRequest::Agent(AgentToServer::RelayTimes { times }),
    };
    // The connection to the server may be gone meanwhile: nobody asks any more.
    let _ = answer.send(request).await;
}

/// In milliseconds; the name was looked up before.
async fn time(relay: RelayAddress, proxies: &Proxies) -> Option<u16> {
    let callee = Callee { host: relay.host, port: relay.port, pins: vec![relay.pin] };
    let reached = async {
        dial::reach(&callee, proxies).await.ok()?;
        let begin = Instant::now();
        dial::reach(&callee, proxies).await.ok()?;
        u16::try_from(begin.elapsed().as_millis()).ok()
    };
    tokio::time::timeout(PATIENCE, reached).await.ok()?
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::ids::Digest;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn s84_what_answers_has_a_time_and_what_does_not_has_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().port();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let at = |port| RelayAddress { host: "127.0.0.1".to_owned(), port, pin: Digest([0; 32]) };
        let relays = vec![at(closed), at(open)];
        let message = ServerMessage::Agent(ServerToAgent::Relays { relays });
        let (say, mut said) = mpsc::channel(1);
        answer(question(&message).unwrap(), Proxies::Straight, say).await;
        let Some(ServerRequest::Agent(AgentToServer::RelayTimes { times })) = said.recv().await else {
            panic!("no answer");
        };
        assert!(matches!(times[..], [None, Some(_)]), "{times:?}");
    }
}
