//! The relayed paths: connections to a relay whose real lobby says who is joined.
//!
//! A stream delivers in order, or hangs while the way is cut. TLS is left out: the
//! relay forwards what it cannot read either way.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tasuki_peer::core::path::{PathCommand, PathEnd, PathEvent, PathId, PathKind, RelayFacts};
use tasuki_peer::core::relay_leg::RelayLeg;
use tasuki_protocol::ids::Role;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::ticket::TicketKey;
use tasuki_turn_relay::core::address::AddressBlock;
use tasuki_turn_relay::core::limits::Limits;
use tasuki_turn_relay::core::lobby::{ConnectionId, Input, Lobby, Now, Output};

use super::super::server::EPOCH;
use super::Air;

type Events = VecDeque<(Role, PathId, PathEvent)>;

/// From the first packet to the other end's arrival, as the shell has it.
const JOINED_WITHIN: Duration = Duration::from_secs(15);
/// What buffers between an end and the other hold together.
const WINDOW: usize = 64 * 1024;
/// How soon a connection that does not get through is tried again by TCP.
const RETRY: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Streams {
    ticket_key: TicketKey,
    seed: Seed,
    /// `None` while the relay is down.
    lobby: Option<Lobby>,
    ends: BTreeMap<u64, End>,
    next: u64,
    agenda: BTreeMap<(Instant, u64), (u64, Due)>,
    sequence: u64,
    began: Option<Instant>,
}

#[derive(Debug)]
struct End {
    role: Role,
    id: PathId,
    facts: RelayFacts,
    until: Instant,
    leg: Option<RelayLeg>,
    /// Once joined.
    with: Option<u64>,
    on_the_way: usize,
    /// In order, while the way is cut.
    held: VecDeque<Sent>,
    last_arrival: Option<Instant>,
}

#[derive(Debug)]
enum Sent {
    Bytes(Vec<u8>),
    /// The connection was closed behind what it carried.
    End,
}

#[derive(Debug)]
enum Due {
    /// The connection reaches the relay, with its ticket.
    Presented,
    Joined {
        with: u64,
    },
    Refused,
    /// From the end `of`.
    Arrives {
        of: u64,
        sent: Sent,
    },
}

impl Streams {
    pub(super) fn new(ticket_key: TicketKey, seed: Seed) -> Self {
        let lobby = Some(Lobby::new(ticket_key.clone(), Limits::default()));
        let (ends, agenda) = Default::default();
        Self { ticket_key, seed, lobby, ends, next: 1, agenda, sequence: 0, began: None }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let legs = self.ends.values().filter_map(|end| match &end.leg {
            Some(leg) => leg.deadline(),
            None => Some(end.until),
        });
        let lobby = self.lobby.as_ref().and_then(Lobby::deadline);
        legs.chain(agenda).chain(lobby).min()
    }

    pub(super) fn advance(&mut self, air: &mut Air<'_>, events: &mut Events) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= air.now) {
            let (connection, due) = entry.remove();
            self.happen(connection, due, air, events);
        }
        let connections: Vec<u64> = self.ends.keys().copied().collect();
        for connection in connections {
            self.let_time_pass(connection, air, events);
        }
        if self.lobby.as_ref().and_then(Lobby::deadline).is_some_and(|due| due <= air.now) {
            self.at_the_relay(Input::Tick, air);
        }
    }

    fn let_time_pass(&mut self, connection: u64, air: &mut Air<'_>, events: &mut Events) {
        let Some(end) = self.ends.get_mut(&connection) else { return };
        match &mut end.leg {
            Some(leg) if leg.deadline().is_some_and(|due| due <= air.now) => {
                leg.handle_timeout(air.now);
                self.pump(connection, air, events);
            }
            None if end.until <= air.now => {
                let down = PathEvent::Down(PathEnd::NotReached(JOINED_WITHIN));
                events.push_back((end.role, end.id, down));
                self.hang_up(connection, air);
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn dial(
        &mut self,
        role: Role,
        id: PathId,
        facts: RelayFacts,
        air: &mut Air<'_>,
        events: &mut Events,
    ) {
        self.began.get_or_insert(air.now);
        if self.lobby.is_none() {
            let down = PathEvent::Down(PathEnd::Network("connection refused".to_owned()));
            return events.push_back((role, id, down));
        }
        let connection = self.next;
        self.next += 1;
        let end = End {
            role,
            id,
            facts,
            until: air.now + JOINED_WITHIN,
            leg: None,
            with: None,
            on_the_way: 0,
            held: VecDeque::new(),
            last_arrival: None,
        };
        self.ends.insert(connection, end);
        self.plan(air.now + air.weather.latency, connection, Due::Presented);
    }

    fn happen(&mut self, connection: u64, due: Due, air: &mut Air<'_>, events: &mut Events) {
        match due {
            Due::Presented => self.presented(connection, air, events),
            Due::Joined { with } => self.joined(connection, with, air, events),
            Due::Refused => {
                if let Some(end) = self.ends.remove(&connection) {
                    events.push_back((end.role, end.id, PathEvent::Down(PathEnd::RelayRefused)));
                }
            }
            Due::Arrives { of, sent } => {
                if let (Some(end), Sent::Bytes(bytes)) = (self.ends.get_mut(&of), &sent) {
                    end.on_the_way -= bytes.len();
                }
                self.arrives(connection, sent, air, events);
                self.pump(of, air, events);
            }
        }
    }

    fn presented(&mut self, connection: u64, air: &mut Air<'_>, events: &mut Events) {
        let Some(end) = self.ends.get(&connection) else { return };
        if air.is_cut(end.role, PathKind::Relayed) {
            return self.plan(air.now + RETRY, connection, Due::Presented);
        }
        if self.lobby.is_none() {
            let down = PathEvent::Down(PathEnd::Network("connection refused".to_owned()));
            events.push_back((end.role, end.id, down));
            self.ends.remove(&connection);
            return;
        }
        let from = AddressBlock::from(IpAddr::from([198, 51, 100, end.role as u8]));
        let ticket = end.facts.leg.ticket.0.clone();
        self.at_the_relay(Input::Opened { connection: ConnectionId(connection), from }, air);
        let presented = Input::Presented { connection: ConnectionId(connection), sealed: &ticket };
        self.at_the_relay(presented, air);
    }

    fn at_the_relay(&mut self, input: Input<'_>, air: &Air<'_>) {
        let since = self.began.map_or(Duration::ZERO, |began| air.now - began);
        let now = Now { instant: air.now, since_1970: Duration::from_secs(EPOCH) + since };
        let Some(lobby) = &mut self.lobby else { return };
        let outputs: Vec<Output> = lobby.turn(input, now).collect();
        let answered = air.now + air.weather.latency;
        for output in outputs {
            match output {
                Output::Join { operator, agent } => {
                    self.plan(answered, operator.0, Due::Joined { with: agent.0 });
                    self.plan(answered, agent.0, Due::Joined { with: operator.0 });
                }
                Output::Refuse { connection, why: _ } => {
                    self.plan(answered, connection.0, Due::Refused);
                }
                Output::Close { connection } => self.end_behind(connection.0, air),
            }
        }
    }

    /// The other end learns of the end behind all that came before it.
    fn end_behind(&mut self, connection: u64, air: &Air<'_>) {
        let behind = self.ends.get(&connection).and_then(|end| end.last_arrival);
        let at = (air.now + air.weather.latency).max(behind.unwrap_or(air.now));
        self.plan(at, connection, Due::Arrives { of: 0, sent: Sent::End });
    }

    fn joined(&mut self, connection: u64, with: u64, air: &mut Air<'_>, events: &mut Events) {
        let seed = self.seed.child(&format!("leg {connection}"));
        let Some(end) = self.ends.get_mut(&connection) else { return };
        end.with = Some(with);
        let suite = "TLS13_AES_256_GCM_SHA384".to_owned();
        end.leg = Some(RelayLeg::new(&end.facts, suite, &seed, air.now));
        self.pump(connection, air, events);
        self.release(with, air);
    }

    pub(super) fn command(
        &mut self,
        role: Role,
        id: PathId,
        command: PathCommand,
        air: &mut Air<'_>,
        events: &mut Events,
    ) {
        let mut ends = self.ends.iter();
        let Some(connection) = ends
            .find_map(|(connection, end)| ((end.role, end.id) == (role, id)).then_some(*connection))
        else {
            return;
        };
        let Some(end) = self.ends.get_mut(&connection) else { return };
        match &mut end.leg {
            Some(leg) => leg.handle_command(command, air.now),
            None if command == PathCommand::Close => {
                events.push_back((role, id, PathEvent::Down(PathEnd::ClosedHere)));
                return self.hang_up(connection, air);
            }
            None => {}
        }
        self.pump(connection, air, events);
    }

    fn arrives(&mut self, connection: u64, sent: Sent, air: &mut Air<'_>, events: &mut Events) {
        let Some(end) = self.ends.get_mut(&connection) else { return };
        let Some(leg) = &mut end.leg else { return };
        match sent {
            Sent::Bytes(bytes) => leg.handle_bytes(&bytes, air.now),
            Sent::End => leg.handle_end(),
        }
        self.pump(connection, air, events);
    }

    /// Takes what the leg has to send, as far as the stream has room, and to tell.
    fn pump(&mut self, connection: u64, air: &mut Air<'_>, events: &mut Events) {
        let Some(end) = self.ends.get_mut(&connection) else { return };
        let Some(leg) = &mut end.leg else { return };
        while end.on_the_way < WINDOW
            && let Some(bytes) = leg.next_bytes(air.now)
        {
            end.on_the_way += bytes.len();
            end.held.push_back(Sent::Bytes(bytes));
        }
        let (role, id) = (end.role, end.id);
        events.extend(std::iter::from_fn(|| leg.poll_event()).map(|event| (role, id, event)));
        let over = leg.is_over();
        self.release(connection, air);
        if over {
            self.hang_up(connection, air);
        }
    }

    /// What was written leaves, unless the way is cut.
    fn release(&mut self, connection: u64, air: &mut Air<'_>) {
        let Some(end) = self.ends.get_mut(&connection) else { return };
        let Some(with) = end.with.filter(|_| !air.is_cut(end.role, PathKind::Relayed)) else { return };
        let held = std::mem::take(&mut end.held);
        for sent in held {
            let arrival = air.now + air.weather.latency;
            let Some(other) = self.ends.get_mut(&with) else { return };
            let at = other.last_arrival.map_or(arrival, |last| last.max(arrival));
            other.last_arrival = Some(at);
            self.plan(at, with, Due::Arrives { of: connection, sent });
        }
    }

    pub(super) fn heal(&mut self, air: &mut Air<'_>) {
        let connections: Vec<u64> = self.ends.keys().copied().collect();
        for connection in connections {
            self.release(connection, air);
        }
    }

    fn hang_up(&mut self, connection: u64, air: &mut Air<'_>) {
        if self.ends.remove(&connection).is_some() {
            self.at_the_relay(Input::Closed { connection: ConnectionId(connection) }, air);
        }
    }

    pub(super) fn kill(&mut self, role: Role, air: &mut Air<'_>, _events: &mut Events) {
        let of_role = self.ends.iter().filter(|(_, end)| end.role == role);
        for connection in of_role.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            self.hang_up(connection, air);
        }
    }

    pub(super) fn kill_relay(&mut self, air: &mut Air<'_>, events: &mut Events) {
        self.lobby = None;
        for end in std::mem::take(&mut self.ends).into_values() {
            match end.leg {
                Some(mut leg) => {
                    leg.handle_end();
                    let told = std::iter::from_fn(|| leg.poll_event());
                    events.extend(told.map(|event| (end.role, end.id, event)));
                }
                None => {
                    let down = PathEvent::Down(PathEnd::Network("reset".to_owned()));
                    events.push_back((end.role, end.id, down));
                }
            }
        }
        self.agenda.retain(|(at, _), _| *at < air.now);
    }

    pub(super) fn restart_relay(&mut self) {
        if self.lobby.is_none() {
            self.lobby = Some(Lobby::new(self.ticket_key.clone(), Limits::default()));
        }
    }

    fn plan(&mut self, at: Instant, connection: u64, due: Due) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), (connection, due));
    }
}
