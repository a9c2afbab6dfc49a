//! Decides which two connections are joined, and who is turned away (T45).
//!
//! Two connections are joined when both showed a genuine, unexpired, unused
//! ticket of the same session and leg with opposite roles; nothing else joins.
//! It refuses to know who the bearers are, what they may do and what they send.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{Ticket, TicketKey};

use super::address::AddressBlock;
use super::limits::Limits;
use super::refusal::Refusal;
pub use super::seats::ConnectionId;
use super::seats::{Leg, Seat, Seats, Stage};
use super::used::{Presented, UsedTickets};

/// Both clocks, as told: one for patience, one for tickets.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub instant: Instant,
    pub since_1970: Duration,
}

impl Now {
    /// Seconds since 1970, as tickets count.
    pub fn unix(&self) -> u64 {
        self.since_1970.as_secs()
    }
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A connection was accepted. Its name is larger than every earlier one.
    Opened { connection: ConnectionId, from: AddressBlock },
    /// A whole ticket frame was read from it.
    Presented { connection: ConnectionId, sealed: &'a [u8] },
    /// It is gone, or the shell gave it up.
    Closed { connection: ConnectionId },
    /// Only time has passed.
    Tick,
}

/// What the shell must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Answer `Joined` to both and forward between them from now on.
    Join { operator: ConnectionId, agent: ConnectionId },
    /// Answer as [`Refusal::answer`] says and close.
    Refuse { connection: ConnectionId, why: Refusal },
    /// The other end is gone: close without a word.
    Close { connection: ConnectionId },
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Waiting { connection: ConnectionId, role: Role },
    Joined,
}

/// Counts of what is here now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    pub arriving: usize,
    pub waiting: usize,
    pub pairs: usize,
    pub connections: usize,
    pub remembered_tickets: usize,
}

/// The room in which ends find each other.
#[derive(Debug)]
pub struct Lobby {
    key: TicketKey,
    limits: Limits,
    seats: Seats,
    legs: HashMap<Leg, Place>,
    sessions: HashMap<SessionId, usize>,
    waiting: usize,
    used: UsedTickets,
    outputs: Vec<Output>,
}

impl Lobby {
    pub fn new(key: TicketKey, limits: Limits) -> Self {
        let used = UsedTickets::new(limits.remembered_tickets);
        Self {
            key,
            limits,
            seats: Seats::default(),
            legs: HashMap::new(),
            sessions: HashMap::new(),
            waiting: 0,
            used,
            outputs: Vec::new(),
        }
    }

    /// Takes one event in; what comes out must all be done before the next.
    #[must_use = "outputs that are not done leave connections hanging"]
    pub fn turn(&mut self, input: Input<'_>, now: Now) -> std::vec::Drain<'_, Output> {
        self.used.forget(now.unix());
        while let Some(connection) = self.seats.overdue(now.instant) {
            self.give_up(connection);
        }
        match input {
            Input::Opened { connection, from } => self.open(connection, from, now),
            Input::Presented { connection, sealed } => self.present(connection, sealed, now),
            Input::Closed { connection } => self.close(connection),
            Input::Tick => {}
        }
        self.outputs.drain(..)
    }

    /// When `turn` wants to be called again though nothing else happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.seats.deadline()
    }

    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            arriving: self.seats.arriving(),
            waiting: self.waiting,
            pairs: self.legs.len() - self.waiting,
            connections: self.seats.len(),
            remembered_tickets: self.used.len(),
        }
    }

    fn open(&mut self, connection: ConnectionId, from: AddressBlock, now: Now) {
        if self.seats.arriving_from(from) >= self.limits.arriving_per_address {
            self.displace(self.seats.longest_arriving_from(from));
        } else if self.seats.arriving() >= self.limits.arriving {
            self.displace(self.seats.longest_arriving());
        }
        let until = now.instant + self.limits.present_within;
        self.seats.put(connection, Seat { block: from, stage: Stage::Arriving { until } });
    }

    fn displace(&mut self, oldest: Option<ConnectionId>) {
        if let Some(connection) = oldest {
            self.refuse(connection, Refusal::Displaced);
        }
    }

    fn present(&mut self, connection: ConnectionId, sealed: &[u8], now: Now) {
        let Some(Seat { block, stage: Stage::Arriving { .. } }) = self.seats.seat(connection) else {
            return;
        };
        match self.judge(block, sealed, now) {
            Ok((ticket, None)) => self.wait(connection, block, &ticket, now),
            Ok((ticket, Some(other))) => self.join(connection, block, &ticket, other),
            Err(why) => self.refuse(connection, why),
        }
    }

    /// The ticket, now burned, and who waits for its bearer. A quota refuses
    /// before the ticket is burned, so that another relay can still be tried.
    fn judge(
        &mut self,
        block: AddressBlock,
        sealed: &[u8],
        now: Now,
    ) -> Result<(Ticket, Option<ConnectionId>), Refusal> {
        let ticket = self.key.open(sealed, now.unix())?;
        match self.used.look_up(&ticket) {
            Presented::Fresh => {}
            Presented::Before => return Err(Refusal::Used),
            Presented::MemoryFull => return Err(Refusal::Full),
        }
        if self.seats.proven_from(block) >= self.limits.per_address {
            return Err(Refusal::AddressFull);
        }
        let place = self.legs.get(&leg_of(&ticket)).copied();
        if place.is_none() {
            self.check_room_for_a_leg(ticket.session)?;
        }
        self.used.burn(&ticket);
        match place {
            None => Ok((ticket, None)),
            Some(Place::Waiting { connection, role }) if role == ticket.role.other() => {
                Ok((ticket, Some(connection)))
            }
            Some(Place::Waiting { .. } | Place::Joined) => Err(Refusal::Taken),
        }
    }

    fn check_room_for_a_leg(&self, session: SessionId) -> Result<(), Refusal> {
        if self.waiting >= self.limits.waiting || self.legs.len() >= self.limits.pairs {
            return Err(Refusal::Full);
        }
        if self.sessions.get(&session).copied().unwrap_or(0) >= self.limits.legs_per_session {
            return Err(Refusal::SessionFull);
        }
        Ok(())
    }

    fn wait(&mut self, connection: ConnectionId, block: AddressBlock, ticket: &Ticket, now: Now) {
        let leg = leg_of(ticket);
        let left = Duration::from_secs(ticket.expires).saturating_sub(now.since_1970);
        let until = now.instant + self.limits.wait.min(left);
        let role = ticket.role;
        self.seats.put(connection, Seat { block, stage: Stage::Waiting { leg, until } });
        self.legs.insert(leg, Place::Waiting { connection, role });
        *self.sessions.entry(leg.session).or_default() += 1;
        self.waiting += 1;
    }

    fn join(
        &mut self,
        connection: ConnectionId,
        block: AddressBlock,
        ticket: &Ticket,
        other: ConnectionId,
    ) {
        let leg = leg_of(ticket);
        let Some(first) = self.seats.seat(other) else {
            return;
        };
        self.seats.put(other, Seat { stage: Stage::Joined { leg, with: connection }, ..first });
        self.seats.put(connection, Seat { block, stage: Stage::Joined { leg, with: other } });
        self.legs.insert(leg, Place::Joined);
        self.waiting -= 1;
        let (operator, agent) = match ticket.role {
            Role::Operator => (connection, other),
            Role::Agent => (other, connection),
        };
        self.outputs.push(Output::Join { operator, agent });
    }

    fn give_up(&mut self, connection: ConnectionId) {
        let why = match self.seats.seat(connection).map(|seat| seat.stage) {
            Some(Stage::Waiting { .. }) => Refusal::Alone,
            Some(Stage::Arriving { .. } | Stage::Joined { .. }) | None => Refusal::Late,
        };
        self.refuse(connection, why);
    }

    fn refuse(&mut self, connection: ConnectionId, why: Refusal) {
        self.close(connection);
        self.outputs.push(Output::Refuse { connection, why });
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(seat) = self.seats.remove(connection) else {
            return;
        };
        match seat.stage {
            Stage::Arriving { .. } => {}
            Stage::Waiting { leg, .. } => {
                self.waiting -= 1;
                self.clear(leg);
            }
            Stage::Joined { leg, with } => {
                self.clear(leg);
                self.seats.remove(with);
                self.outputs.push(Output::Close { connection: with });
            }
        }
    }

    fn clear(&mut self, leg: Leg) {
        self.legs.remove(&leg);
        if let Some(count) = self.sessions.get_mut(&leg.session) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&leg.session);
            }
        }
    }
}

fn leg_of(ticket: &Ticket) -> Leg {
    Leg { session: ticket.session, number: ticket.leg }
}
