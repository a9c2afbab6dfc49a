//! What is explained of a policy is what is done under it, for policies of every kind.

use std::time::Instant;

use ed25519_dalek::SigningKey;
use proptest::collection::vec;
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
use tasuki_protocol::manifest::{Abilities, Binding, VerifiedManifest};
use tasuki_protocol::policy::decide::{Section, ServerLimits, Source, Subject};
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook, Rules};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToOperator};
use tasuki_protocol::terms::{AddressDisclosure, Approval, Requirement};
use tasuki_signaling::core::rooms::{Input, Operator, OperatorId};

use crate::hall::{Hall, LENGTH_S, TENANT, device, hellos, join, only, to_operator};

const LIMITS: ServerLimits =
    ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: LENGTH_S };
const ABLE: Abilities = Abilities { application_selection: true, recording: true };

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

/// A computer's own maximum, of what it may decide for itself; mostly it has none.
fn maximum() -> impl Strategy<Value = LocalMaximum> {
    option::weighted(0.3, rules()).prop_map(|own| {
        let own = own.map(|rules| Rules {
            hours: None,
            address_disclosure: None,
            max_minutes: None,
            reason: None,
            recording: rules.recording.filter(|recording| *recording != Requirement::Required),
            ..rules
        });
        own.map_or_else(LocalMaximum::default, |rules| LocalMaximum::default().and(rules).unwrap())
    })
}

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

/// The manifest that the agent's host would get, checked as it checks it, and everything granted; and what is
/// left of that under the computer's own maximum.
fn at_the_host(
    policy: &Policy,
    operator: &Operator,
    mode: Mode,
    maximum: &LocalMaximum,
) -> Option<(VerifiedManifest, Rights, Option<Rights>)> {
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
    let here = verified.clone().under(maximum, ABLE).ok();
    let here = here.map(|verified| verified.effective(all, &consent, &standing, now).rights());
    Some((verified, rights, here))
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

/// Whose account may all modes, and whose certificate is another each time.
fn op1() -> Operator {
    Operator {
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
        certified_until: 0,
    }
}

#[test]
fn s69_s70_explain_says_of_ten_thousand_policies_what_the_host_then_does() {
    let seed = proptest::test_runner::RngSeed::Fixed(0x7A5u64);
    let config =
        Config { cases: 10_000, failure_persistence: None, rng_seed: seed, ..Config::default() };
    // What a certificate has not, no policy gives (T16).
    let certified = [Rights::of(&Capability::ALL), Mode::View.ceiling()].map(certified);
    let operator = op1();
    let sessions = std::cell::Cell::new(0);
    let all = (rule_book(), select(Mode::ALL.to_vec()), select(certified.to_vec()), maximum());
    TestRunner::new(config)
        .run(&all, |(rules, mode, (rights, certificate), maximum)| {
            let operator = Operator { rights, certificate, ..operator.clone() };
            let policy = Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules };
            let host = at_the_host(&policy, &operator, mode, &maximum);
            let subject = Subject {
                operator: "op1",
                groups: &operator.groups,
                modes: &operator.modes,
                certified: operator.rights,
            };
            let unix = host.as_ref().map_or(Hall::new().unix(), |(v, ..)| v.manifest().issued_at);
            let explained = policy.decide(&subject, mode, LIMITS, unix);
            prop_assert_eq!(explained.outcome.is_ok(), host.is_some());
            each_decides_what_is_said_of_it(&policy, &subject, mode, unix)?;
            let Some((verified, rights, here)) = host else { return Ok(()) };
            sessions.set(sessions.get() + 1);
            let recording = verified.manifest().recording;
            prop_assert_eq!(here.is_some(), maximum.admits(mode, recording), "the computer's own word");
            if let Some(here) = here {
                prop_assert_eq!(here, rights.and(maximum.rights(mode)));
            }
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
