//! The paths between the two ends, as far as a session sees them: attempts that
//! meet or do not, packets that are lost, repeated, late; video that needs room.
//!
//! A direct path loses and reorders; a relayed leg delivers in order or hangs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tasuki_peer::core::path::{DirectFacts, IceSide, PathId, PathKind, RelayFacts};
use tasuki_protocol::ids::Role;
use tasuki_protocol::ticket::{TICKET_LIFETIME_S, TicketKey};

use super::dice::{Chance, Dice};
use super::wires::Air;

/// What the way between the ends is like.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub latency: Duration,
    /// Up to so much more, each time anew: packets overtake each other.
    pub jitter: Duration,
    pub loss_percent: u8,
    pub repeat_percent: u8,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(15),
            jitter: Duration::from_millis(4),
            loss_percent: 0,
            repeat_percent: 0,
        }
    }
}

/// Whether the two ends' address translators let a direct path through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    Open,
    /// Both symmetric, or UDP forbidden.
    Closed,
}

#[derive(Debug)]
pub struct Network {
    pub weather: Weather,
    pub nat: Nat,
    pub relay: RelayState,
    /// Directions in which nothing passes, on any path, named by the sender.
    pub cut: BTreeSet<Sender>,
    attempts: Vec<Attempt>,
    used_tickets: BTreeSet<Vec<u8>>,
    ticket_key: TicketKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    Runs,
    Down,
}

/// One direction of one kind of path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    pub operator: Whose,
    pub kind: PathKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    Operators,
    Agents,
}

impl Whose {
    pub fn of(role: Role) -> Self {
        match role {
            Role::Operator => Self::Operators,
            Role::Agent => Self::Agents,
        }
    }
}

#[derive(Debug)]
struct Attempt {
    role: Role,
    id: PathId,
    facts: Facts,
    other: Other,
}

/// The other end's attempt, as seen from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    NotYet,
    Met(PathId),
    /// It was closed there; what it sent before still arrives.
    Left,
}

#[derive(Debug, Clone)]
enum Facts {
    Direct(DirectFacts),
    Relayed(RelayFacts),
}

impl Facts {
    fn kind(&self) -> PathKind {
        match self {
            Self::Direct(_) => PathKind::Direct,
            Self::Relayed(_) => PathKind::Relayed,
        }
    }
}

/// How a transmission fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    After(Duration),
    Twice(Duration, Duration),
    Lost,
    /// Kept by a reliable path until the way is free.
    Held,
}

impl Network {
    pub fn new(ticket_key: TicketKey) -> Self {
        Self {
            weather: Weather::default(),
            nat: Nat::Open,
            relay: RelayState::Runs,
            cut: BTreeSet::new(),
            attempts: Vec::new(),
            used_tickets: BTreeSet::new(),
            ticket_key,
        }
    }

    /// The same weather and the same cuts, for real paths.
    pub fn air<'a>(&'a self, now: Instant, dice: &'a mut Dice) -> Air<'a> {
        Air { now, weather: self.weather, cut: &self.cut, dice }
    }

    pub fn open_direct(&mut self, role: Role, id: PathId, facts: DirectFacts) {
        self.attempts.push(Attempt { role, id, facts: Facts::Direct(facts), other: Other::NotYet });
    }

    /// Whether the relay lets the bearer in: single use, its own session and role.
    pub fn open_relay(&mut self, role: Role, id: PathId, facts: RelayFacts, unix: u64) -> Admission {
        let ticket = self.ticket_key.open(&facts.leg.ticket.0, unix);
        let fits = ticket.is_ok_and(|ticket| {
            ticket.role == role
                && ticket.leg == facts.leg.number
                && ticket.expires <= unix + TICKET_LIFETIME_S
        });
        let fresh = self.used_tickets.insert(facts.leg.ticket.0.clone());
        if self.relay == RelayState::Down || !fits || !fresh {
            return Admission::Refused;
        }
        self.attempts.push(Attempt { role, id, facts: Facts::Relayed(facts), other: Other::NotYet });
        Admission::Waits
    }

    /// Attempts of the two ends that can meet now, each pair once.
    pub fn meet(&mut self) -> Vec<(PathId, PathId)> {
        let mut met = Vec::new();
        for place in 0..self.attempts.len() {
            let operators = &self.attempts[place];
            if operators.role != Role::Operator || operators.other != Other::NotYet {
                continue;
            }
            let Some(other) = self.attempts.iter().position(|agents| {
                agents.role == Role::Agent
                    && agents.other == Other::NotYet
                    && self.fit(operators, agents)
            }) else {
                continue;
            };
            let (operators, agents) = (self.attempts[place].id, self.attempts[other].id);
            self.attempts[place].other = Other::Met(agents);
            self.attempts[other].other = Other::Met(operators);
            met.push((operators, agents));
        }
        met
    }

    fn fit(&self, operators: &Attempt, agents: &Attempt) -> bool {
        let kind = operators.facts.kind();
        let free = [Whose::Operators, Whose::Agents]
            .into_iter()
            .all(|operator| !self.cut.contains(&Sender { operator, kind }));
        free && match (&operators.facts, &agents.facts) {
            (Facts::Direct(one), Facts::Direct(two)) => {
                self.nat == Nat::Open
                    && one.own_proof == two.peer_proof
                    && one.peer_proof == two.own_proof
                    && (one.side, two.side) == (IceSide::Controlling, IceSide::Controlled)
                    && one.video != two.video
            }
            (Facts::Relayed(one), Facts::Relayed(two)) => {
                self.relay == RelayState::Runs
                    && one.leg.number == two.leg.number
                    && one.psk == two.psk
                    && one.prologue == two.prologue
            }
            (Facts::Direct(_), Facts::Relayed(_)) | (Facts::Relayed(_), Facts::Direct(_)) => false,
        }
    }

    fn find(&self, role: Role, id: PathId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.role == role && attempt.id == id)
    }

    pub fn kind(&self, role: Role, id: PathId) -> Option<PathKind> {
        self.find(role, id).map(|attempt| attempt.facts.kind())
    }

    pub fn ids(&self, role: Role) -> Vec<PathId> {
        self.attempts.iter().filter(|attempt| attempt.role == role).map(|a| a.id).collect()
    }

    pub fn peer(&self, role: Role, id: PathId) -> Option<PathId> {
        match self.find(role, id)?.other {
            Other::Met(peer) => Some(peer),
            Other::NotYet | Other::Left => None,
        }
    }

    /// Forgets one end's attempt; the other end's, if they had met.
    pub fn close(&mut self, role: Role, id: PathId) -> Option<PathId> {
        let peer = self.peer(role, id);
        self.attempts.retain(|attempt| !(attempt.role == role && attempt.id == id));
        for attempt in &mut self.attempts {
            if attempt.role == role.other() && Some(attempt.id) == peer {
                attempt.other = Other::Left;
            }
        }
        peer
    }

    /// All legs through the relay break.
    pub fn relay_dies(&mut self) -> Vec<(Role, PathId)> {
        self.relay = RelayState::Down;
        let relayed = |attempt: &&Attempt| attempt.facts.kind() == PathKind::Relayed;
        let broken = self.attempts.iter().filter(relayed).map(|a| (a.role, a.id)).collect();
        self.attempts.retain(|attempt| !relayed(&attempt));
        broken
    }

    pub fn fate(&self, role: Role, kind: PathKind, dice: &mut Dice) -> Fate {
        let cut = self.cut.contains(&Sender { operator: Whose::of(role), kind });
        let jitter = u64::try_from(self.weather.jitter.as_micros()).unwrap_or_default();
        let mut late = || self.weather.latency + Duration::from_micros(dice.below(jitter));
        match kind {
            PathKind::Relayed if cut => Fate::Held,
            PathKind::Relayed => Fate::After(self.weather.latency),
            PathKind::Direct if cut => Fate::Lost,
            PathKind::Direct => {
                let (one, two) = (late(), late());
                if dice.happens(self.weather.loss_percent) == Chance::Happens {
                    Fate::Lost
                } else if dice.happens(self.weather.repeat_percent) == Chance::Happens {
                    Fate::Twice(one, two)
                } else {
                    Fate::After(one)
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Waits,
    Refused,
}
