//! The lobby on a told clock: any script of events against a plain model (T45),
//! and the quotas one by one.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{RelayAnswer, Ticket, TicketKey};
use tasuki_turn_relay::Limits;
use tasuki_turn_relay::core::address::AddressBlock;
use tasuki_turn_relay::core::frame::{MAX_FRAME_BYTES, ticket_frame};
use tasuki_turn_relay::core::lobby::{ConnectionId, Input, Lobby, Now, Output};
use tasuki_turn_relay::core::refusal::Refusal;

const EPOCH: Duration = Duration::from_secs(1_800_000_000);

struct Desk {
    lobby: Lobby,
    start: Instant,
    elapsed: Duration,
    next: u64,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        let lobby = Lobby::new(TicketKey::from_bytes([7; 32]), limits);
        Self { lobby, start: Instant::now(), elapsed: Duration::ZERO, next: 0 }
    }

    fn now(&self) -> Now {
        Now { instant: self.start + self.elapsed, since_1970: EPOCH + self.elapsed }
    }

    fn turn(&mut self, input: Input<'_>) -> Vec<Output> {
        let now = self.now();
        self.lobby.turn(input, now).collect()
    }

    fn open(&mut self, from: u64) -> (ConnectionId, Vec<Output>) {
        self.next += 1;
        let connection = ConnectionId(self.next);
        let from = AddressBlock::V6(from);
        (connection, self.turn(Input::Opened { connection, from }))
    }

    fn present(&mut self, connection: ConnectionId, ticket: &Ticket) -> Vec<Output> {
        let sealed = TicketKey::from_bytes([7; 32]).seal(ticket);
        self.turn(Input::Presented { connection, sealed: &sealed })
    }

    fn ticket(&mut self, session: u8, leg: u32, role: Role) -> Ticket {
        self.next += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.next.to_le_bytes());
        let expires = self.now().unix() + 60;
        Ticket { session: SessionId([session; 16]), leg, role, expires, nonce }
    }

    fn bring(&mut self, from: u64, session: u8, leg: u32, role: Role) -> (ConnectionId, Vec<Output>) {
        let (connection, mut outputs) = self.open(from);
        let ticket = self.ticket(session, leg, role);
        outputs.extend(self.present(connection, &ticket));
        (connection, outputs)
    }
}

fn refused(connection: ConnectionId, why: Refusal) -> Vec<Output> {
    vec![Output::Refuse { connection, why }]
}

#[test]
fn an_end_waits_its_time_but_never_beyond_its_ticket() {
    let mut desk = Desk::new(Limits::default());
    let (patient, _) = desk.bring(1, 1, 0, Role::Agent);
    assert_eq!(desk.lobby.deadline(), Some(desk.start + Duration::from_secs(30)));
    desk.elapsed = Duration::from_secs(30);
    assert_eq!(desk.turn(Input::Tick), refused(patient, Refusal::Alone));

    let (hasty, _) = desk.open(1);
    let mut ticket = desk.ticket(2, 0, Role::Agent);
    ticket.expires = desk.now().unix() + 5;
    desk.present(hasty, &ticket);
    assert_eq!(desk.lobby.deadline(), Some(desk.start + Duration::from_secs(35)));
}

#[test]
fn t45_a_ticket_that_expired_while_its_bearer_waited_joins_nobody() {
    let mut desk = Desk::new(Limits::default());
    desk.elapsed = Duration::from_millis(900);
    let (hasty, _) = desk.open(1);
    let mut ticket = desk.ticket(1, 0, Role::Agent);
    ticket.expires = desk.now().unix() + 4;
    desk.present(hasty, &ticket);
    desk.elapsed = Duration::from_millis(4_000);
    assert_eq!(desk.bring(1, 1, 0, Role::Operator).1, refused(hasty, Refusal::Alone));
}

#[test]
fn f15_a_connection_without_a_ticket_is_dropped_after_its_time() {
    let mut desk = Desk::new(Limits::default());
    let (silent, _) = desk.open(1);
    desk.elapsed = Duration::from_millis(7_999);
    assert_eq!(desk.turn(Input::Tick), []);
    desk.elapsed = Duration::from_secs(8);
    assert_eq!(desk.turn(Input::Tick), refused(silent, Refusal::Late));
    assert_eq!(desk.lobby.deadline(), None);
}

#[test]
fn f15_a_flood_of_silent_connections_displaces_itself_and_not_a_stranger() {
    let limits = Limits { arriving_per_address: 3, arriving: 5, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let (honest, _) = desk.open(9);
    let flood: Vec<_> = (0..3).map(|_| desk.open(1).0).collect();
    let (_, outputs) = desk.open(1);
    assert_eq!(outputs, refused(flood[0], Refusal::Displaced));
    let ticket = desk.ticket(1, 0, Role::Agent);
    assert_eq!(desk.present(honest, &ticket), []);
    assert_eq!(desk.lobby.occupancy().waiting, 1);
}

#[test]
fn above_the_overall_limit_the_longest_silent_connection_gives_way() {
    let limits = Limits { arriving: 2, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let (first, _) = desk.open(1);
    desk.open(2);
    assert_eq!(desk.open(3).1, refused(first, Refusal::Displaced));
    assert_eq!(desk.lobby.occupancy().arriving, 2);
}

#[test]
fn a_full_relay_says_busy_and_does_not_burn_the_ticket() {
    let limits = Limits { waiting: 1, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let (waiting, _) = desk.bring(1, 1, 0, Role::Agent);
    let ticket = desk.ticket(2, 0, Role::Agent);
    let (second, _) = desk.open(2);
    assert_eq!(desk.present(second, &ticket), refused(second, Refusal::Full));
    assert_eq!(Refusal::Full.answer(), Some(RelayAnswer::Busy));

    desk.turn(Input::Closed { connection: waiting });
    let (again, _) = desk.open(2);
    assert_eq!(desk.present(again, &ticket), []);
    assert_eq!(desk.lobby.occupancy().waiting, 1);
}

#[test]
fn who_waits_has_its_place_when_the_other_end_comes() {
    let limits = Limits { pairs: 1, ..Limits::default() };
    let mut desk = Desk::new(limits);
    let (agent, _) = desk.bring(1, 1, 0, Role::Agent);
    let (other, outputs) = desk.bring(1, 2, 0, Role::Agent);
    assert_eq!(outputs, refused(other, Refusal::Full));
    let (operator, outputs) = desk.bring(2, 1, 0, Role::Operator);
    assert_eq!(outputs, [Output::Join { operator, agent }]);
}

#[test]
fn one_session_cannot_fill_the_relay_nor_can_one_address() {
    let limits = Limits { legs_per_session: 2, per_address: 3, ..Limits::default() };
    let mut desk = Desk::new(limits);
    desk.bring(1, 1, 0, Role::Agent);
    desk.bring(1, 1, 1, Role::Agent);
    let (third, outputs) = desk.bring(1, 1, 2, Role::Agent);
    assert_eq!(outputs, refused(third, Refusal::SessionFull));
    desk.bring(1, 2, 0, Role::Agent);
    let (fourth, outputs) = desk.bring(1, 3, 0, Role::Agent);
    assert_eq!(outputs, refused(fourth, Refusal::AddressFull));
    assert_eq!(desk.bring(2, 3, 0, Role::Agent).1, []);
}

#[test]
fn a_full_memory_of_used_tickets_refuses_until_some_expire() {
    let limits = Limits { remembered_tickets: 1, ..Limits::default() };
    let mut desk = Desk::new(limits);
    desk.bring(1, 1, 0, Role::Agent);
    let (full, outputs) = desk.bring(1, 2, 0, Role::Agent);
    assert_eq!(outputs, refused(full, Refusal::Full));
    desk.elapsed = Duration::from_secs(60);
    let (late, outputs) = desk.bring(1, 2, 0, Role::Agent);
    assert_eq!(outputs, refused(ConnectionId(1), Refusal::Alone), "the first gave up");
    assert_eq!(desk.turn(Input::Closed { connection: late }), []);
}

#[derive(Debug, Clone)]
enum Step {
    Open {
        from: u64,
    },
    Present {
        who: usize,
        session: u8,
        leg: u32,
        operator: bool,
        age: u64,
        reuse: Option<usize>,
        forged: bool,
    },
    Junk {
        who: usize,
        bytes: Vec<u8>,
    },
    Close {
        who: usize,
    },
    Pass {
        milliseconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3u64).prop_map(|from| Step::Open { from }),
        6 => (any::<usize>(), 0..3u8, 0..2u32, any::<bool>(), 0..70u64,
              proptest::option::weighted(0.2, any::<usize>()), proptest::bool::weighted(0.1))
            .prop_map(|(who, session, leg, operator, age, reuse, forged)| Step::Present {
                who, session, leg, operator, age, reuse, forged
            }),
        1 => (any::<usize>(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(who, bytes)| Step::Junk { who, bytes }),
        2 => any::<usize>().prop_map(|who| Step::Close { who }),
        1 => (0..20_000u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
    ]
}

/// What must hold whatever the lobby decides.
#[derive(Default)]
struct Model {
    open: Vec<ConnectionId>,
    shown: HashMap<ConnectionId, Ticket>,
    issued: Vec<Ticket>,
    joined_tickets: HashSet<[u8; 16]>,
    partner: HashMap<ConnectionId, ConnectionId>,
}

impl Model {
    fn pick(&self, who: usize) -> Option<ConnectionId> {
        (!self.open.is_empty()).then(|| self.open[who % self.open.len()])
    }

    fn gone(&mut self, connection: ConnectionId) {
        self.open.retain(|&other| other != connection);
        self.shown.remove(&connection);
    }

    fn see(&mut self, output: Output, now: Now) -> Result<(), TestCaseError> {
        match output {
            Output::Join { operator, agent } => {
                let (one, other) = (&self.shown[&operator], &self.shown[&agent]);
                prop_assert_eq!((one.session, one.leg), (other.session, other.leg));
                prop_assert_eq!((one.role, other.role), (Role::Operator, Role::Agent));
                prop_assert!(one.expires > now.unix() && other.expires > now.unix());
                prop_assert!(self.joined_tickets.insert(one.nonce), "a ticket joined twice");
                prop_assert!(self.joined_tickets.insert(other.nonce), "a ticket joined twice");
                self.partner.insert(operator, agent);
                self.partner.insert(agent, operator);
            }
            Output::Refuse { connection, .. } => {
                prop_assert!(self.open.contains(&connection), "refused a stranger");
                prop_assert!(!self.partner.contains_key(&connection), "refused a joined end");
                self.gone(connection);
            }
            Output::Close { connection } => {
                let other = self.partner.remove(&connection);
                prop_assert!(other.is_some_and(|other| !self.open.contains(&other)));
                self.gone(connection);
            }
        }
        Ok(())
    }
}

fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let limits = Limits {
        arriving: 8,
        arriving_per_address: 5,
        waiting: 4,
        pairs: 6,
        per_address: 7,
        legs_per_session: 2,
        remembered_tickets: 20,
        ..Limits::default()
    };
    let mut desk = Desk::new(limits.clone());
    let mut model = Model::default();
    for step in steps {
        let outputs = apply(step, &mut desk, &mut model);
        let now = desk.now();
        for output in outputs {
            model.see(output, now)?;
        }
        let here = desk.lobby.occupancy();
        prop_assert_eq!(here.connections, model.open.len());
        prop_assert_eq!(
            here.pairs * 2,
            model.open.iter().filter(|c| model.partner.contains_key(c)).count()
        );
        prop_assert!(here.arriving <= limits.arriving && here.waiting <= limits.waiting);
        prop_assert!(here.pairs + here.waiting <= limits.pairs);
        prop_assert!(here.remembered_tickets <= limits.remembered_tickets);
        prop_assert!(desk.lobby.deadline().is_none_or(|deadline| deadline > now.instant));
        prop_assert!(here.arriving + here.waiting == 0 || desk.lobby.deadline().is_some());
    }
    for connection in model.open.clone() {
        for output in desk.turn(Input::Closed { connection }) {
            let closes = matches!(output, Output::Close { .. });
            prop_assert!(closes, "ending one end only closes the other");
        }
    }
    prop_assert_eq!(desk.lobby.occupancy().connections, 0);
    prop_assert_eq!((desk.lobby.occupancy().pairs, desk.lobby.occupancy().waiting), (0, 0));
    prop_assert_eq!(desk.lobby.deadline(), None, "nothing is left behind");
    Ok(())
}

fn apply(step: Step, desk: &mut Desk, model: &mut Model) -> Vec<Output> {
    match step {
        Step::Open { from } => {
            let (connection, outputs) = desk.open(from);
            model.open.push(connection);
            outputs
        }
        Step::Present { who, session, leg, operator, age, reuse, forged } => {
            let Some(connection) = model.pick(who) else {
                return Vec::new();
            };
            let role = if operator { Role::Operator } else { Role::Agent };
            let mut ticket = desk.ticket(session, leg, role);
            ticket.expires -= age;
            if let (Some(reuse), false) = (reuse, model.issued.is_empty()) {
                ticket = model.issued[reuse % model.issued.len()].clone();
            }
            model.issued.push(ticket.clone());
            let key = TicketKey::from_bytes(if forged { [8; 32] } else { [7; 32] });
            let sealed = key.seal(&ticket);
            model.shown.entry(connection).or_insert(ticket);
            desk.turn(Input::Presented { connection, sealed: &sealed })
        }
        Step::Junk { who, bytes } => {
            let Some(connection) = model.pick(who) else {
                return Vec::new();
            };
            desk.turn(Input::Presented { connection, sealed: &bytes })
        }
        Step::Close { who } => {
            let Some(connection) = model.pick(who) else {
                return Vec::new();
            };
            model.gone(connection);
            let outputs = desk.turn(Input::Closed { connection });
            model.partner.remove(&connection);
            outputs
        }
        Step::Pass { milliseconds } => {
            desk.elapsed += Duration::from_millis(milliseconds);
            desk.turn(Input::Tick)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn t45_no_script_of_events_joins_two_that_do_not_belong_together(
        steps in proptest::collection::vec(step(), 0..120)
    ) {
        play(steps)?;
    }

    #[test]
    fn no_bytes_make_the_ticket_frame_panic_or_hand_out_more_than_came(
        bytes in proptest::collection::vec(any::<u8>(), 0..400)
    ) {
        if let Ok(Some(frame)) = ticket_frame(&bytes) {
            prop_assert_eq!(2 + frame.sealed.len() + frame.rest.len(), bytes.len());
            prop_assert!(2 + frame.sealed.len() <= MAX_FRAME_BYTES);
        }
    }

    #[test]
    fn t45_no_bytes_are_taken_for_a_ticket(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut desk = Desk::new(Limits::default());
        let (connection, _) = desk.open(1);
        let outputs = desk.turn(Input::Presented { connection, sealed: &bytes });
        prop_assert_eq!(outputs, refused(connection, Refusal::Forged));
    }
}
