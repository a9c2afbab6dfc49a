//! What is explained of a policy is what is done under it, for policies of every kind.

use std::cell::Cell;
use std::time::Instant;

use ed25519_dalek::SigningKey;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::grant::Standing;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION};
use tasuki_protocol::manifest::{Abilities, Binding, ManifestRefused, VerifiedManifest};
use tasuki_protocol::policy::decide::{Decision, Denial, Section, ServerLimits, Source, Subject};
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::policy::{POLICY_FORM, Policy, Rules};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, RefusalReason, ServerToOperator};
use tasuki_protocol::terms::{AddressDisclosure, Requirement};
use tasuki_signaling::core::rooms::{Input, Operator, OperatorId};

use crate::drawn::{maximum, rule_book};
use crate::hall::{Hall, LENGTH_S, TENANT, device, hellos, join, only, to_operator};

const LIMITS: ServerLimits =
    ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: LENGTH_S };
/// A host of a later version: what it is sent can be looked at also where those of today refuse it.
const ABLE: Abilities = Abilities { application_selection: true, recording: true };
const OURS: Abilities = Abilities::OF_THIS_VERSION;
const DAY_S: u64 = 24 * 3600;

/// S70: what is said to have decided did: without it, something else decides.
fn each_decides_what_is_said_of_it(
    policy: &Policy,
    subject: &Subject<'_>,
    mode: Mode,
    unix: u64,
) -> Result<(), TestCaseError> {
    for decided in policy.decide(subject, mode, LIMITS, unix).decided {
        let (Source::Rule(section) | Source::Base(section, _)) = &decided.by else { continue };
        let mut without = policy.clone();
        match section {
            Section::Default => without.rules.default = Rules::default(),
            Section::Group(name) => drop(without.rules.group.0.remove(name)),
            Section::Operator(name) => drop(without.rules.operator.0.remove(name)),
        }
        let now = without.decide(subject, mode, LIMITS, unix).decided;
        let now = now.into_iter().find(|other| other.key == decided.key).unwrap();
        prop_assert_ne!(&now, &decided, "{} decides nothing", section);
    }
    Ok(())
}

/// What an operator asks for, and when.
#[derive(Debug, Clone)]
struct Wish {
    mode: Mode,
    reason: Option<String>,
    /// Seconds since 1970.
    unix: u64,
}

/// Of two weeks, on and off the hour.
fn wish() -> impl Strategy<Value = Wish> {
    let reason = option::weighted(0.8, Just("#1".to_owned()));
    (select(Mode::ALL.to_vec()), reason, 0..14 * DAY_S).prop_map(|(mode, reason, unix)| Wish {
        mode,
        reason,
        unix,
    })
}

/// What the agent's host makes of the manifest that it gets, everything granted.
struct AtHost {
    verified: VerifiedManifest,
    rights: Rights,
    /// What is left under the computer's own maximum; nothing where that refuses.
    here: Option<Rights>,
    /// Whether a program of this version begins such a session.
    begins: bool,
}

fn at_the_host(
    policy: &Policy,
    operator: &Operator,
    wish: &Wish,
    maximum: &LocalMaximum,
) -> Result<AtHost, RefusalReason> {
    let mut hall = Hall::new();
    hall.began = wish.unix;
    hall.turn(Input::PolicyChanged { policy: Box::new(policy.clone()) });
    let connection = hall.connection();
    hall.turn(Input::OperatorHere { connection, operator: operator.clone() });
    let hellos = HELLOS.with(Clone::clone);
    let message = OperatorToServer::OpenRoom { mode: wish.mode, hellos, reason: wish.reason.clone() };
    let outputs = hall.say(connection, message);
    let answer = only(to_operator(&outputs, connection));
    if let ServerToOperator::Refused { reason } = answer {
        return Err(reason);
    }
    let ServerToOperator::RoomOpened { session, locator, .. } = answer else { panic!("{answer:?}") };
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
    let verify = |able| VerifiedManifest::verify(&manifest.0, &authorities, &binding, able, now);
    let (begins, verified) = match verify(OURS) {
        Ok(verified) => (true, verified),
        Err(refused) => {
            assert_eq!(refused, ManifestRefused::Demand);
            (false, verify(ABLE).unwrap())
        }
    };
    let consent = Consent {
        transcript: Digest([0; 32]),
        manifest: verified.digest(),
        shown: Digest([0; 32]),
        answer: Answer::Accepted,
        granted: Rights::of(&Capability::ALL),
    };
    let (all, standing) = (Rights::of(&Capability::ALL), Standing::of(&consent));
    let rights = verified.effective(all, &consent, &standing, now).rights();
    let here = verified.clone().under(maximum, ABLE).ok();
    let here = here.map(|verified| verified.effective(all, &consent, &standing, now).rights());
    Ok(AtHost { verified, rights, here, begins })
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
        not_after: 15 * DAY_S,
    };
    (rights, dsse::sign(&certificate, &lock_key()))
}

thread_local! {
    static HELLOS: Vec<tasuki_protocol::blob::Blob> = hellos(1);
}

/// Whose account may these modes and is in these groups, and whose certificate is one of two: what it has not, no policy
/// gives (T16).
fn operator() -> impl Strategy<Value = Operator> {
    let certified = [Rights::of(&Capability::ALL), Mode::View.ceiling()].map(certified);
    let groups = ["desk", "elsewhere", "nowhere"].map(str::to_owned).to_vec();
    let modes = prop_oneof![Just(Mode::ALL.to_vec()), subsequence(Mode::ALL.to_vec(), 1..=4)];
    (select(certified.to_vec()), subsequence(groups, 0..=3), modes).prop_map(
        |((rights, certificate), groups, modes)| Operator {
            rights,
            certificate,
            groups,
            modes,
            ..op1()
        },
    )
}

fn op1() -> Operator {
    Operator {
        id: OperatorId(1),
        name: "op1".to_owned(),
        display_name: "Operator 1".to_owned(),
        modes: Vec::new(),
        groups: Vec::new(),
        device: device(1),
        rights: Rights::NONE,
        certificate: Vec::new(),
        // Mode Manage asks for it, and this test is not about that.
        confirmed_until: Instant::now() + std::time::Duration::from_secs(24 * 3600),
        until: Instant::now() + std::time::Duration::from_secs(24 * 3600),
        certified_until: 0,
    }
}

fn word(explained: &Decision, key: Key) -> &str {
    &explained.decided.iter().find(|decided| decided.key == key).unwrap().value
}

/// Whether there is a number, and why not; and whether a session begins by it, as `policy explain` says (`allowed`).
fn the_answer_is_what_happens(
    explained: &Decision,
    wish: &Wish,
    host: &Result<AtHost, RefusalReason>,
) -> Result<(), TestCaseError> {
    let asks = word(explained, Key::Reason) == "required" && wish.reason.is_none();
    let refusal = match explained.outcome {
        Err(Denial::Mode) => Some(RefusalReason::Mode),
        Err(Denial::Hours) => Some(RefusalReason::Hours),
        Ok(_) if asks => Some(RefusalReason::Reason),
        Ok(_) => None,
    };
    let refused = host.as_ref().err().copied();
    prop_assert_eq!(refused, refusal);
    let by_mode = refused == Some(RefusalReason::Mode);
    prop_assert_eq!(word(explained, Key::Modes), (!by_mode).to_string());
    if !by_mode {
        let by_hours = refused == Some(RefusalReason::Hours);
        prop_assert_eq!(word(explained, Key::Hours), (!by_hours).to_string());
    }
    if let (Ok(grant), Ok(host)) = (&explained.outcome, host) {
        let unmet = OURS.lacking(Some(grant.recording), Some(grant.application_selection));
        prop_assert_eq!(unmet.is_empty(), host.begins, "{:?}", unmet);
    }
    Ok(())
}

/// S69: to the second as long as the shortest of what limits it, and not past the end of the hours.
fn the_length_is_exact(
    (explained, host): (&Decision, &AtHost),
    is_open: impl Fn(u64) -> bool,
) -> Result<(), TestCaseError> {
    let (length, issued) = (host.verified.manifest().length, host.verified.manifest().issued_at);
    let minutes: u64 = word(explained, Key::MaxMinutes).parse().unwrap();
    let most = (minutes * 60).min(LENGTH_S);
    prop_assert!(length <= most && is_open(issued + length - 1), "{} of {}", length, most);
    prop_assert!(length == most || !is_open(issued + length), "{} of {}", length, most);
    Ok(())
}

fn each_right_is_as_explained(explained: &Decision, host: &AtHost) -> Result<(), TestCaseError> {
    let (manifest, rights) = (host.verified.manifest(), host.rights);
    let word = |key| word(explained, key);
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
    Ok(())
}

/// How often the host did what, so that nothing is said of cases that never came.
#[derive(Debug, Default)]
struct Seen {
    sessions: Cell<u32>,
    refused: Cell<u32>,
    demanding: Cell<u32>,
    cut_by_hours: Cell<u32>,
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

#[test]
fn s69_s70_explain_says_of_ten_thousand_policies_what_the_host_then_does() {
    let seed = proptest::test_runner::RngSeed::Fixed(0x7A5u64);
    let config =
        Config { cases: 10_000, failure_persistence: None, rng_seed: seed, ..Config::default() };
    let seen = Seen::default();
    TestRunner::new(config)
        .run(&(rule_book(), wish(), operator(), maximum()), |(rules, wish, operator, maximum)| {
            let policy = Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules };
            let host = at_the_host(&policy, &operator, &wish, &maximum);
            let subject = Subject {
                operator: "op1",
                groups: &operator.groups,
                modes: &operator.modes,
                certified: operator.rights,
            };
            let at = |unix| policy.decide(&subject, wish.mode, LIMITS, unix);
            let explained = at(wish.unix);
            the_answer_is_what_happens(&explained, &wish, &host)?;
            each_decides_what_is_said_of_it(&policy, &subject, wish.mode, wish.unix)?;
            let Ok(host) = host else {
                one_more(&seen.refused);
                return Ok(());
            };
            one_more(if host.begins { &seen.sessions } else { &seen.demanding });
            let manifest = host.verified.manifest();
            prop_assert_eq!(manifest.issued_at, wish.unix);
            the_length_is_exact((&explained, &host), |unix| at(unix).outcome.is_ok())?;
            if manifest.length % 60 != 0 {
                one_more(&seen.cut_by_hours);
            }
            each_right_is_as_explained(&explained, &host)?;
            let admitted = maximum.admits(wish.mode, manifest.recording);
            prop_assert_eq!(host.here.is_some(), admitted, "the computer's own word");
            if let Some(here) = host.here {
                prop_assert_eq!(here, host.rights.and(maximum.rights(wish.mode)));
            }
            Ok(())
        })
        .unwrap();
    let enough =
        [(&seen.sessions, 500), (&seen.refused, 500), (&seen.demanding, 500), (&seen.cut_by_hours, 20)];
    assert!(enough.iter().all(|(count, least)| count.get() >= *least), "{seen:?}");
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
