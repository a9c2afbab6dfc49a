//! A TURN client over UDP (RFC 8656): an address at a relay, and channels to the other end's.
//!
//! Told the time and what the server sent; returns what to send it, what happened and the next
//! deadline. Channels only, which stand for permissions too (§12); nothing is sent through the
//! relay but to addresses that the session named. It refuses to know what it carries.

mod allocations;
mod channels;
mod family;
mod message;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun_rs::{Algorithm, AlgorithmId, HMACKey};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::stun::Transaction;
use tasuki_protocol::turn::{TURN_REALM, TurnCredential};

pub use allocations::{Allocations, Place, Received};
use channels::Channels;
pub use channels::MOST_CHANNELS;
use family::Family;
use message::{Answer, Heard, Key, Method, Request, UDP, attribute};

/// How long a server may leave a request unanswered, and how long one that was silent is not
/// asked whether it is still there.
pub const DEAD_AFTER: Duration = Duration::from_secs(5);
const ASKED_AFTER: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// What a server may call the lifetime of an allocation, in seconds.
const LEAST_LIFETIME: u32 = 30;
const MOST_LIFETIME: u32 = 3600;
/// How often one request is asked again with another nonce.
const MOST_CHALLENGES: u8 = 4;
/// What fits a datagram of a path with its channel's number.
const MOST_DATA: usize = 1500;

const UNAUTHORIZED: u16 = 401;
const STALE_NONCE: u16 = 438;
const FAMILY_NOT_SUPPORTED: u16 = 440;

/// What a client is given once, at its birth.
#[derive(Debug)]
pub struct TurnSetup {
    pub place: Place,
    pub credential: TurnCredential,
    /// Sockets of this end: no relay gives away one of them.
    pub own: Vec<SocketAddr>,
    /// Of its transactions' numbers.
    pub seed: Seed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnEvent {
    /// What is sent to this address at the relay comes here.
    Allocated(SocketAddr),
    /// Final.
    Gone(TurnEnd),
}

/// Why a relay is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnEnd {
    #[error("the relay does not answer over UDP")]
    Silent,
    #[error("the relay refused: {0}")]
    Refused(u16),
    #[error("the relay's answer makes no sense")]
    Nonsense,
}

/// One allocation, or an attempt at it.
#[derive(Debug)]
pub struct TurnClient {
    place: Place,
    credential: TurnCredential,
    own: Vec<SocketAddr>,
    key: Key,
    seed: Seed,
    drawn: u64,
    nonce: Option<Vec<u8>>,
    /// Of the relayed address: a name inside the relay, so that both ends take IPv4's where there is one.
    family: Family,
    stage: Stage,
    pending: Vec<Pending>,
    channels: Channels,
    heard: Instant,
    transmits: VecDeque<Vec<u8>>,
    events: VecDeque<TurnEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    Standing { relayed: SocketAddr, refresh: Instant },
    Over,
}

/// What is asked for; of each at most one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Allocate,
    Refresh,
    Bind(u16),
}

#[derive(Debug)]
struct Pending {
    ask: Ask,
    transaction: Transaction,
    bytes: Vec<u8>,
    since: Instant,
    next: Instant,
    wait: Duration,
    challenges: u8,
}

impl TurnClient {
    /// Begins to ask. `None` where the credential is no text that a password may be.
    pub fn new(setup: TurnSetup, now: Instant) -> Option<Self> {
        let TurnSetup { place, credential, own, seed } = setup;
        let md5 = Algorithm::from(AlgorithmId::MD5);
        let key = HMACKey::new_long_term(&credential.name, TURN_REALM, &credential.password, md5);
        let mut client = Self {
            place,
            key: Key(key.ok()?.as_bytes().to_vec()),
            credential,
            own,
            seed,
            drawn: 0,
            nonce: None,
            family: Family::V4,
            stage: Stage::Asking,
            pending: Vec::new(),
            channels: Channels::default(),
            heard: now,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        client.ask(Ask::Allocate, now);
        Some(client)
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether a server was there at all.
    pub fn is_answered(&self) -> bool {
        self.nonce.is_some()
    }

    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    pub fn relayed(&self) -> Option<SocketAddr> {
        match self.stage {
            Stage::Standing { relayed, .. } => Some(relayed),
            Stage::Asking | Stage::Over => None,
        }
    }

    /// What came from [`Place::server`] to [`Place::local`]: who sent it through the relay, and what.
    pub fn handle_datagram<'a>(
        &mut self,
        bytes: &'a [u8],
        now: Instant,
    ) -> Option<(SocketAddr, &'a [u8])> {
        if self.is_over() {
            return None;
        }
        match message::read(bytes)? {
            Heard::Channel { number, data } => {
                let peer = self.channels.peer_of(number)?;
                self.heard = now;
                Some((peer, data))
            }
            Heard::Answer(answer) => {
                self.on_answer(&answer, now);
                None
            }
        }
    }

    /// An address of the other end at its relay: a way to it is asked for.
    pub fn heed(&mut self, peer: SocketAddr, now: Instant) {
        if self.is_over() {
            return;
        }
        let number = self.channels.add(peer);
        if let (Some(number), Stage::Standing { .. }) = (number, self.stage) {
            self.bind(number, now);
        }
    }

    /// What to send to the server, so that it sends `data` to `peer`; `None` where no way leads
    /// there yet, as if the network had lost it.
    pub fn wrap(&self, peer: SocketAddr, data: &[u8]) -> Option<Vec<u8>> {
        let number = self.channels.bound_to(peer)?;
        let length = u16::try_from(data.len()).ok().filter(|_| data.len() <= MOST_DATA)?;
        Some([&number.to_be_bytes(), &length.to_be_bytes(), data].concat())
    }

    /// Gives the address back. Nothing is awaited.
    pub fn close(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Standing { .. }) {
            let (bytes, _) = self.write(Ask::Refresh, Some(0));
            self.transmits.push_back(bytes);
        }
        self.heard = now;
        self.stage = Stage::Over;
        self.pending.clear();
    }

    /// Lets time pass. Harmless at any moment.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.pending.iter().any(|pending| now >= pending.since + DEAD_AFTER) {
            return self.end(TurnEnd::Silent);
        }
        for pending in self.pending.iter_mut().filter(|pending| now >= pending.next) {
            pending.wait *= 2;
            pending.next = now + pending.wait;
            self.transmits.push_back(pending.bytes.clone());
        }
        if self.refresh_due().is_some_and(|due| now >= due) {
            self.ask(Ask::Refresh, now);
        }
        for number in self.channels.due(now) {
            self.channels.bound(number, now);
            self.bind(number, now);
        }
    }

    /// When [`Self::handle_timeout`] must be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        let waiting = self.pending.iter().map(|pending| pending.next.min(pending.since + DEAD_AFTER));
        let rest = [self.channels.deadline(), self.refresh_due()];
        if self.is_over() { None } else { waiting.chain(rest.into_iter().flatten()).min() }
    }

    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    fn refresh_due(&self) -> Option<Instant> {
        let Stage::Standing { refresh, .. } = self.stage else { return None };
        let asked = self.pending.iter().any(|pending| pending.ask == Ask::Refresh);
        (!asked).then(|| refresh.min(self.heard + ASKED_AFTER))
    }

    fn bind(&mut self, number: u16, now: Instant) {
        if !self.pending.iter().any(|pending| pending.ask == Ask::Bind(number)) {
            self.ask(Ask::Bind(number), now);
        }
    }

    fn ask(&mut self, ask: Ask, now: Instant) {
        let (bytes, transaction) = self.write(ask, None);
        self.transmits.push_back(bytes.clone());
        let (wait, next) = (FIRST_WAIT, now + FIRST_WAIT);
        self.pending.push(Pending { ask, transaction, bytes, since: now, next, wait, challenges: 0 });
    }

    fn write(&mut self, ask: Ask, lifetime: Option<u32>) -> (Vec<u8>, Transaction) {
        let transaction = self.seed.derive(&format!("transaction {}", self.drawn));
        self.drawn += 1;
        let mut request = match ask {
            Ask::Allocate => Request::new(Method::Allocate, &transaction)
                .with(attribute::TRANSPORT, &UDP)
                .with(attribute::FAMILY, &self.family.requested()),
            Ask::Refresh => Request::new(Method::Refresh, &transaction),
            Ask::Bind(number) => {
                let [high, low] = number.to_be_bytes();
                let request = Request::new(Method::ChannelBind, &transaction)
                    .with(attribute::CHANNEL, &[high, low, 0, 0]);
                match self.channels.peer_of(number) {
                    Some(peer) => request.with_peer(peer),
                    None => request,
                }
            }
        };
        if let Some(seconds) = lifetime {
            request = request.with(attribute::LIFETIME, &seconds.to_be_bytes());
        }
        if let Some(nonce) = &self.nonce {
            request = request
                .with(attribute::USERNAME, self.credential.name.as_bytes())
                .with(attribute::REALM, TURN_REALM.as_bytes())
                .with(attribute::NONCE, nonce)
                .sealed(&self.key);
        }
        (request.into_bytes(), transaction)
    }

    /// What carries no seal is believed where a server cannot seal (RFC 8489 §9.2.5): a nonce is
    /// asked for, or the name is not known. Whoever could forge that could drop everything.
    fn on_answer(&mut self, answer: &Answer<'_>, now: Instant) {
        let asked = self.pending.iter().position(|pending| {
            pending.transaction == answer.transaction && pending.ask.method() == answer.method
        });
        let Some(place) = asked else { return };
        let challenged = self.nonce.is_none();
        match (answer.error, answer.is_sealed_with(&self.key)) {
            (None, true) => self.succeeded(place, answer, now),
            (Some(STALE_NONCE), _) => self.challenged(place, answer, now),
            (Some(UNAUTHORIZED), false) if challenged => self.challenged(place, answer, now),
            (Some(FAMILY_NOT_SUPPORTED), true) if self.family == Family::V4 => {
                self.family = Family::V6;
                self.pending.remove(place);
                self.ask(Ask::Allocate, now);
            }
            (Some(code), true) => self.refused(place, code),
            // What stands is taken away by a seal or by silence.
            (Some(code @ UNAUTHORIZED), false) if self.stage == Stage::Asking => {
                self.refused(place, code);
            }
            (None | Some(_), false) => {}
        }
    }

    fn challenged(&mut self, place: usize, answer: &Answer<'_>, now: Instant) {
        let (Some(realm), Some(nonce)) = (answer.realm, answer.nonce) else { return };
        let mut pending = self.pending.remove(place);
        pending.challenges += 1;
        if pending.challenges > MOST_CHALLENGES || realm != TURN_REALM.as_bytes() {
            return self.end(TurnEnd::Refused(answer.error.unwrap_or(STALE_NONCE)));
        }
        self.nonce = Some(nonce.to_vec());
        (pending.bytes, pending.transaction) = self.write(pending.ask, None);
        pending.next = now + pending.wait;
        self.transmits.push_back(pending.bytes.clone());
        self.pending.push(pending);
    }

    fn succeeded(&mut self, place: usize, answer: &Answer<'_>, now: Instant) {
        let pending = self.pending.remove(place);
        self.heard = now;
        match pending.ask {
            Ask::Allocate => self.allocated(answer, now),
            Ask::Refresh => {
                if let Stage::Standing { refresh, .. } = &mut self.stage {
                    *refresh = now + half_of(answer.lifetime);
                }
            }
            Ask::Bind(number) => self.channels.bound(number, now),
        }
    }

    fn allocated(&mut self, answer: &Answer<'_>, now: Instant) {
        let usable = |given: &SocketAddr| self.family.may_give(*given, self.place, &self.own);
        let Some(relayed) = answer.relayed.filter(usable) else { return self.end(TurnEnd::Nonsense) };
        self.stage = Stage::Standing { relayed, refresh: now + half_of(answer.lifetime) };
        self.events.push_back(TurnEvent::Allocated(relayed));
        for number in self.channels.numbers() {
            self.bind(number, now);
        }
    }

    /// Without a channel the others may still serve; without an allocation nothing does.
    fn refused(&mut self, place: usize, code: u16) {
        match self.pending.remove(place).ask {
            Ask::Allocate | Ask::Refresh => self.end(TurnEnd::Refused(code)),
            Ask::Bind(number) => self.channels.refused(number),
        }
    }

    fn end(&mut self, why: TurnEnd) {
        self.stage = Stage::Over;
        self.pending.clear();
        self.events.push_back(TurnEvent::Gone(why));
    }
}

impl Ask {
    fn method(self) -> Method {
        match self {
            Self::Allocate => Method::Allocate,
            Self::Refresh => Method::Refresh,
            Self::Bind(_) => Method::ChannelBind,
        }
    }
}

fn half_of(lifetime: Option<u32>) -> Duration {
    let seconds = lifetime.unwrap_or(LEAST_LIFETIME).clamp(LEAST_LIFETIME, MOST_LIFETIME);
    Duration::from_secs(u64::from(seconds) / 2)
}
