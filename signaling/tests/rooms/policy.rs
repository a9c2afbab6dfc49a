//! What a policy does to numbers and sessions, and that what is explained is what is done.

use std::time::Instant;

use ed25519_dalek::SigningKey;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::grant::Standing;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::manifest::{Abilities, Binding, VerifiedManifest};
use tasuki_protocol::policy::decide::{ServerLimits, Subject};
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook, Rules};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};
use tasuki_protocol::terms::{AddressDisclosure, Approval, Requirement};
use tasuki_signaling::core::rooms::{ConnectionId, Input, Operator, OperatorId, Outcome, Output};

use crate::hall::{Hall, LENGTH_S, TENANT, device, hellos, join, only, to_agent, to_operator};

const LIMITS: ServerLimits =
    ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: LENGTH_S };
const ABLE: Abilities = Abilities { application_selection: true, recording: true };

fn policy(version: u64, rules: &str) -> Policy {
    let rules: RuleBook = serde_json::from_str(rules).unwrap();
    Policy { v: POLICY_FORM, tenant: TENANT, version, issued_at: 0, rules }
}

pub(crate) fn publish(hall: &mut Hall, version: u64, rules: &str) -> Vec<Output> {
    let policy = policy(version, rules);
    policy.check(TENANT).unwrap();
    hall.turn(Input::PolicyChanged { policy: Box::new(policy) })
}

fn open(hall: &mut Hall, operator: ConnectionId, reason: Option<&str>) -> ServerToOperator {
    let reason = reason.map(str::to_owned);
    let message = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: hellos(1), reason };
    let outputs = hall.say(operator, message);
    only(to_operator(&outputs, operator))
}

#[test]
fn s69_no_number_is_given_out_for_a_mode_an_hour_or_without_a_reason_that_the_policy_wants() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let refused = |reason| ServerToOperator::Refused { reason };
    publish(&mut hall, 1, r#"{"operator":{"op1":{"modes":["view"]}}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Mode));
    publish(&mut hall, 2, r#"{"default":{"reason":"required"}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Reason));
    assert_eq!(open(&mut hall, operator, Some("bad\u{202E}")), refused(RefusalReason::Reason));
    assert!(matches!(open(&mut hall, operator, Some("#1234")), ServerToOperator::RoomOpened { .. }));
    publish(&mut hall, 3, r#"{"default":{"hours":["mon 03:00-03:01","tue 03:00-03:01"]}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Hours));
}

#[test]
fn t17_a_narrower_policy_ends_what_is_wider_at_once_and_nothing_else() {
    let mut hall = Hall::new();
    let (first, second) = (hall.operator(1), hall.operator(2));
    let (room, other) = (hall.open(first, 1), hall.open(second, 2));
    let agent = hall.pair(first, room, 1);
    hall.pair(second, other, 2);
    let outputs = publish(&mut hall, 1, r#"{"operator":{"op1":{"screenshot":false}}}"#);
    let reason = CloseReason::Withdrawn;
    let session = room.0;
    assert_eq!(to_operator(&outputs, first), [ServerToOperator::Closed { session, reason }]);
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, second), []);
    assert_eq!(hall.rooms.occupancy(), 1);
}

#[test]
fn t17_a_wider_policy_changes_no_running_session_and_the_next_one_has_it() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    publish(&mut hall, 1, r#"{"default":{"read_clipboard":false}}"#);
    let room = hall.open(operator, 1);
    hall.pair(operator, room, 1);
    let outputs = publish(&mut hall, 2, r#"{"default":{"read_clipboard":true}}"#);
    assert_eq!(to_operator(&outputs, operator), []);
    assert_eq!(hall.rooms.occupancy(), 1);
}

/// T17: the policy of the moment in which the attempt begins counts, and not of when it was asked for.
#[test]
fn t17_an_attempt_whose_rights_were_narrowed_while_it_was_written_down_starts_nothing() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    hall.database = None;
    let (agent, outputs) = hall.knock(1, locator);
    let write = outputs.iter().find_map(|output| match output {
        Output::Persist { write, .. } => Some(*write),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Keep { .. }
        | Output::Note(_) => None,
    });
    publish(&mut hall, 1, r#"{"default":{"screenshot":false}}"#);
    let written = Input::Written { write: write.unwrap(), outcome: Outcome::Durable };
    let outputs = hall.turn(written);
    assert_eq!(to_operator(&outputs, operator), [], "nobody has arrived");
    let met: Vec<ServerToAgent> = to_agent(&outputs, agent);
    assert!(matches!(met.as_slice(), [ServerToAgent::Met { .. }]), "as at a dead number: {met:?}");
    // The number is good for another, under the rights of now.
    hall.database = Some(Outcome::Durable);
    hall.pair(operator, (session, locator), 2);
    assert_eq!(hall.rooms.present().len(), 1);
}

/// T17: somebody's other groups, or a narrower certificate, as a narrower policy.
#[test]
fn t17_who_is_in_other_groups_loses_what_they_do_not_allow_and_nobody_else() {
    let mut hall = Hall::new();
    let (first, second) = (hall.operator(1), hall.operator(2));
    publish(&mut hall, 1, r#"{"group":{"silent":{"screenshot":false}}}"#);
    let (room, other) = (hall.open(first, 1), hall.open(second, 2));
    let agent = hall.pair(first, room, 1);
    hall.pair(second, other, 2);
    let same = hall.as_operator(1);
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(same.clone()) });
    assert!(outputs.is_empty(), "{outputs:?}");
    let now = Operator { groups: vec!["silent".to_owned()], ..same };
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(now) });
    let reason = CloseReason::Withdrawn;
    assert_eq!(to_operator(&outputs, first), [ServerToOperator::Closed { session: room.0, reason }]);
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, second), []);
    assert_eq!(hall.rooms.occupancy(), 1);
    let without = Operator { modes: vec![Mode::View], ..hall.as_operator(2) };
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(without) });
    assert_eq!(to_operator(&outputs, second), [ServerToOperator::Closed { session: other.0, reason }]);
}

#[test]
fn an_older_policy_that_comes_late_does_not_replace_a_newer() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    publish(&mut hall, 2, r#"{"default":{"modes":["view"]}}"#);
    publish(&mut hall, 1, "{}");
    let refused = ServerToOperator::Refused { reason: RefusalReason::Mode };
    assert_eq!(open(&mut hall, operator, None), refused);
}

#[test]
fn a_number_that_can_lead_to_no_session_any_more_dies_with_its_mode() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, _) = hall.open(operator, 1);
    let outputs = publish(&mut hall, 1, r#"{"default":{"modes":["view"]}}"#);
    let reason = CloseReason::Withdrawn;
    assert_eq!(to_operator(&outputs, operator), [ServerToOperator::Closed { session, reason }]);
}

fn switch() -> impl Strategy<Value = Option<bool>> {
    option::of(any::<bool>())
}

fn approval() -> impl Strategy<Value = Option<Approval>> {
    option::of(select(vec![Approval::Never, Approval::Ask, Approval::Allow]))
}

fn requirement() -> impl Strategy<Value = Option<Requirement>> {
    option::of(select(vec![Requirement::Off, Requirement::Optional, Requirement::Required]))
}

fn rules() -> impl Strategy<Value = Rules> {
    use AddressDisclosure as D;
    let disclosure = option::of(select(vec![D::RelayOnly, D::Public, D::All]));
    let modes = option::weighted(0.4, subsequence(Mode::ALL.to_vec(), 1..=5));
    let hours = ["daily 00:00-12:00", "daily 12:00-24:00", "mon-fri 08:00-20:00 Asia/Tokyo"];
    let windows = subsequence(hours.map(|text| text.parse().unwrap()).to_vec(), 1..=3);
    let base = option::weighted(0.2, select(Preset::ALL.to_vec()));
    let more = (base, modes, option::weighted(0.2, windows), option::of(1u16..=480), disclosure);
    let demands = (requirement(), requirement(), requirement());
    (vec(switch(), 9), (approval(), approval()), demands, more).prop_map(
        |(switches, (fetch_files, send_files), demands, more)| Rules {
            base: more.0,
            modes: more.1,
            see_screen: switches[0],
            operate: switches[1],
            choose_screen: switches[2],
            fetch_files,
            send_files,
            read_clipboard: switches[3],
            write_clipboard: switches[4],
            screenshot: switches[5],
            chat: switches[6],
            point: switches[7],
            reconnect: switches[8],
            recording: demands.0,
            application_selection: demands.1,
            address_disclosure: more.4,
            hours: more.2,
            max_minutes: more.3,
            reason: demands.2,
        },
    )
}

fn rule_book() -> impl Strategy<Value = RuleBook> {
    let section = || option::weighted(0.7, rules());
    (rules(), section(), section(), section()).prop_map(|(default, group, other, own)| {
        let mut book = RuleBook { default, ..RuleBook::default() };
        for (name, rules) in [("desk", group), ("elsewhere", other)] {
            book.group.0.extend(rules.map(|rules| (name.to_owned(), rules)));
        }
        book.operator.0.extend(own.map(|rules| ("op1".to_owned(), rules)));
        book
    })
}

/// The manifest that the agent's host would get, checked as it checks it, and everything granted.
fn at_the_host(policy: &Policy, operator: &Operator, mode: Mode) -> Option<(VerifiedManifest, Rights)> {
    let mut hall = Hall::new();
    hall.turn(Input::PolicyChanged { policy: Box::new(policy.clone()) });
    let connection = hall.connection();
    hall.turn(Input::OperatorHere { connection, operator: operator.clone() });
    let reason = Some("#1".to_owned());
    let message = OperatorToServer::OpenRoom { mode, hellos: HELLOS.with(Clone::clone), reason };
    let outputs = hall.say(connection, message);
    let ServerToOperator::RoomOpened { session, locator, .. } = only(to_operator(&outputs, connection))
    else {
        return None;
    };
    let (_, outputs) = hall.knock(1, locator);
    let ServerToOperator::Arrived { manifest, .. } = only(to_operator(&outputs, connection)) else {
        panic!("the operator hears of nobody");
    };
    let AgentToServer::Join { hello, .. } = join(locator) else { unreachable!() };
    let agent = Hello::decode(&hello.0).unwrap();
    let binding = Binding {
        tenant: TENANT,
        session,
        operator_key: operator.device,
        agent_key: agent.device,
        challenge: agent.challenge,
    };
    let public = |key: &SigningKey| DeviceKey(key.verifying_key().to_bytes());
    let authorities = Authorities {
        tenant: TENANT,
        manifest_keys: vec![public(&SigningKey::from_bytes(&[8; 32]))],
        lock_keys: vec![public(&lock_key())],
        revoked: Vec::new(),
        unix: hall.unix(),
    };
    let now = Instant::now();
    let verified = VerifiedManifest::verify(&manifest.0, &authorities, &binding, ABLE, now).unwrap();
    let consent = Consent {
        transcript: Digest([0; 32]),
        manifest: verified.digest(),
        shown: Digest([0; 32]),
        answer: Answer::Accepted,
        granted: Rights::of(&Capability::ALL),
    };
    let (all, standing) = (Rights::of(&Capability::ALL), Standing::of(&consent));
    let rights = verified.effective(all, &consent, &standing, now).rights();
    Some((verified, rights))
}

fn lock_key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

/// A certificate of the operator's device that has these rights.
fn certified(rights: Rights) -> (Rights, Vec<u8>) {
    let certificate = Certificate {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        device: device(1),
        operator: "op1".to_owned(),
        display_name: "Operator 1".to_owned(),
        modes: Mode::ALL.to_vec(),
        rights,
        not_before: 0,
        not_after: 24 * 3600,
    };
    (rights, dsse::sign(&certificate, &lock_key()))
}

thread_local! {
    static HELLOS: Vec<tasuki_protocol::blob::Blob> = hellos(1);
}

#[test]
fn s69_s70_explain_says_of_ten_thousand_policies_what_the_host_then_does() {
    let seed = proptest::test_runner::RngSeed::Fixed(0x7A5u64);
    let config =
        Config { cases: 10_000, failure_persistence: None, rng_seed: seed, ..Config::default() };
    // What a certificate has not, no policy gives (T16).
    let certified = [Rights::of(&Capability::ALL), Mode::View.ceiling()].map(certified);
    let operator = Operator {
        id: OperatorId(1),
        name: "op1".to_owned(),
        display_name: "Operator 1".to_owned(),
        modes: vec![Mode::Manage, Mode::Control, Mode::View, Mode::Share, Mode::Show],
        groups: vec!["desk".to_owned()],
        device: device(1),
        rights: Rights::NONE,
        certificate: Vec::new(),
        // Mode Manage asks for it, and this test is not about that.
        confirmed_until: Instant::now() + std::time::Duration::from_secs(24 * 3600),
        until: Instant::now() + std::time::Duration::from_secs(24 * 3600),
    };
    let sessions = std::cell::Cell::new(0);
    let all = (rule_book(), select(Mode::ALL.to_vec()), select(certified.to_vec()));
    TestRunner::new(config)
        .run(&all, |(rules, mode, (rights, certificate))| {
            let operator = Operator { rights, certificate, ..operator.clone() };
            let policy = Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules };
            let host = at_the_host(&policy, &operator, mode);
            let subject = Subject {
                operator: "op1",
                groups: &operator.groups,
                modes: &operator.modes,
                certified: operator.rights,
            };
            let unix = host.as_ref().map_or(Hall::new().unix(), |(v, _)| v.manifest().issued_at);
            let explained = policy.decide(&subject, mode, LIMITS, unix);
            prop_assert_eq!(explained.outcome.is_ok(), host.is_some());
            let Some((verified, rights)) = host else { return Ok(()) };
            sessions.set(sessions.get() + 1);
            let manifest = verified.manifest();
            let word = |key: Key| {
                explained.decided.iter().find(|d| d.key == key).map(|d| d.value.clone()).unwrap()
            };
            for (key, capability) in SWITCHES {
                prop_assert_eq!(word(key), rights.has(capability).to_string(), "{:?}", key);
            }
            let spelled = |approval| format!("{approval:?}").to_lowercase();
            prop_assert_eq!(word(Key::FetchFiles), spelled(manifest.files.fetch));
            prop_assert_eq!(word(Key::SendFiles), spelled(manifest.files.send));
            let spelled = |requirement| format!("{requirement:?}").to_lowercase();
            prop_assert_eq!(word(Key::Recording), spelled(manifest.recording));
            prop_assert_eq!(rights.has(Capability::Record), manifest.recording != Requirement::Off);
            prop_assert_eq!(word(Key::ApplicationSelection), spelled(manifest.application_selection));
            let disclosed = serde_json::to_value(manifest.address_disclosure).unwrap();
            prop_assert_eq!(word(Key::AddressDisclosure), disclosed.as_str().unwrap());
            let most: u64 = word(Key::MaxMinutes).parse().unwrap();
            prop_assert!(manifest.length <= most * 60);
            Ok(())
        })
        .unwrap();
    let sessions = sessions.get();
    assert!(sessions > 1_000, "{sessions} of the policies allowed a session");
}

const SWITCHES: [(Key, Capability); 9] = [
    (Key::SeeScreen, Capability::SeeScreen),
    (Key::Operate, Capability::Operate),
    (Key::ChooseScreen, Capability::ChooseScreen),
    (Key::ReadClipboard, Capability::ReadClipboard),
    (Key::WriteClipboard, Capability::WriteClipboard),
    (Key::Screenshot, Capability::Screenshot),
    (Key::Chat, Capability::Chat),
    (Key::Point, Capability::Point),
    (Key::Reconnect, Capability::Reconnect),
];
