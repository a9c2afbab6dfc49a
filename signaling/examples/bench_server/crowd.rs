//! Pairings, and a crowd of agents whose sessions rest.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, ServerToOperator};
use tokio::task::JoinHandle;

use crate::client::{Operator, Socket, World};
use crate::pairing::{Room, open, pair};
use crate::server::Server;
use crate::{Figure, Wishes};

/// Operators who pair side by side.
const OPERATORS: usize = 20;
/// Pairings that are timed one by one while the crowd rests.
const TIMED: usize = 200;

/// Everybody who is there; gone when dropped.
pub(crate) struct Crowd {
    resting: Vec<JoinHandle<()>>,
    /// Tickets under which ends of sessions deliver records.
    pub(crate) tickets: Vec<(tasuki_protocol::ids::SessionId, tasuki_protocol::blob::Blob)>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.resting.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) async fn measure(world: &World, server: &Server, wishes: &Wishes) -> (Vec<Figure>, Crowd) {
    let mut operators = Vec::new();
    for number in 0..OPERATORS {
        operators.push(world.operator(&format!("operator-{number}")).await);
    }
    let resident = server.resident_mb();
    let (began, before) = (Instant::now(), server.cpu_seconds());
    let each = wishes.agents.div_ceil(OPERATORS);
    let pairing = operators.into_iter().map(|operator| pair_many(world, operator, each));
    let paired = futures_util::future::join_all(pairing).await;
    let (passed, cpu) = (began.elapsed().as_secs_f64(), server.cpu_seconds() - before);
    let there = each * OPERATORS;
    eprintln!("{there} pairings in {passed:.0} s");
    let resting = paired.into_iter().flatten().collect();
    let mut crowd = Crowd { resting, tickets: Vec::new() };
    let mut figures = vec![
        Figure::plain("pairings a second", format!("{:.0}", there as f64 / passed)),
        Figure::plain("the same for a CPU-second of the server", format!("{:.0}", there as f64 / cpu)),
    ];
    figures.extend(at_rest(server, there, resident, wishes.seconds).await);
    let operator = world.operator("timed").await;
    figures.push(timed(world, operator, &mut crowd).await);
    (figures, crowd)
}

/// One operator's sessions, one after another; everybody stays.
async fn pair_many(world: &World, mut operator: Operator, times: usize) -> Vec<JoinHandle<()>> {
    let mut resting = Vec::with_capacity(times + 1);
    for _ in 0..times {
        let mut room = open(world, &mut operator, Mode::View).await;
        let session = pair(world, &mut operator, &mut room).await;
        resting.push(tokio::spawn(rest(session.agent)));
    }
    resting.push(tokio::spawn(rest(operator.socket)));
    resting
}

/// Answers pings, and says nothing else.
async fn rest(mut socket: Socket) {
    while let Some(Ok(_)) = socket.0.next().await {}
}

async fn at_rest(server: &Server, there: usize, before_mb: f64, seconds: u64) -> Vec<Figure> {
    // What pairing left behind comes to rest first.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (began, before) = (Instant::now(), server.cpu_seconds());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let share = 100.0 * (server.cpu_seconds() - before) / began.elapsed().as_secs_f64();
    let resident = server.resident_mb();
    vec![
        Figure::aimed(
            &format!("memory with {there} agents in resting sessions (without them {before_mb:.0} MB)"),
            format!("{resident:.0} MB"),
            "500 MB for 10,000",
            resident <= 500.0,
        ),
        Figure::plain(
            "of which each takes, with its TLS and HTTP connection, a read buffer, its line and its session",
            format!("{:.0} kB", 1000.0 * (resident - before_mb) / there as f64),
        ),
        Figure::aimed(
            "their share of one core",
            format!("{share:.1} %"),
            "10 % for 10,000",
            share <= 10.0,
        ),
    ]
}

/// From an operator's wish to two paired ends, while all the others rest.
async fn timed(world: &World, mut operator: Operator, crowd: &mut Crowd) -> Figure {
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        let began = Instant::now();
        let mut room: Room = open(world, &mut operator, Mode::View).await;
        let session = pair(world, &mut operator, &mut room).await;
        times.push(began.elapsed());
        operator.socket.say(&OperatorToServer::NeedLedgerTicket { session: room.session }).await;
        let ServerToOperator::LedgerTicket { session: of, ticket } = operator.socket.hear().await
        else {
            panic!("no ticket")
        };
        crowd.tickets.push((of, ticket));
        crowd.resting.push(tokio::spawn(rest(session.agent)));
    }
    crowd.resting.push(tokio::spawn(rest(operator.socket)));
    times.sort();
    let worst = times[TIMED * 95 / 100].as_secs_f64() * 1000.0;
    let middle = times[TIMED / 2].as_secs_f64() * 1000.0;
    Figure::aimed(
        "a pairing beside them, both ends' work included",
        format!("{middle:.0} ms, 95 of 100 within {worst:.0} ms"),
        "500 ms",
        worst <= 500.0,
    )
}
