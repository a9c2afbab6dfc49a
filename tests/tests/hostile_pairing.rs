//! A server that lies, a guesser, and manifests that must not count: what happens
//! at the door before a person is asked anything.

use std::time::Duration;

use tasuki_peer::core::Peer;
use tasuki_peer::core::io::{EndedBy, Output, ServerRequest, SessionEvent};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, Role, SessionId, TenantId};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::{self, EndReason, EndToEnd, Forwarded};
use tasuki_protocol::objection::Objection;
use tasuki_protocol::pairing::PairMessage;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{AgentToServer, MAX_FORWARD, OperatorToServer};
use tasuki_protocol::terms::{Approval, FileRules, Requirement};
use tasuki_tests::hostile::middle::{Lies, Middle, News};
use tasuki_tests::hostile::puppet::{Puppet, events};
use tasuki_tests::hostile::{agent_key, facts, key, locator, public};

/// One way to lie, and its name.
type Change<T> = (&'static str, fn(&mut T));

fn asked(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::AskConsent(_)))
}

fn paired(outputs: &[Output]) -> bool {
    events(outputs).iter().any(|event| matches!(event, SessionEvent::Paired { .. }))
}

fn withdrawn(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::WithdrawQuestion))
}

/// What an end logs when it has found out.
fn detection(event: &SessionEvent) -> bool {
    matches!(
        event,
        SessionEvent::WrongNumber { .. }
            | SessionEvent::TranscriptMismatch
            | SessionEvent::ManifestRefused { .. }
    )
}

/// What an end has the server write down (T7, T16).
fn objections(outputs: &[Output]) -> Vec<Objection> {
    let said = outputs.iter().filter_map(|output| {
        let Output::ToServer(
            ServerRequest::Operator(OperatorToServer::Object { why, .. })
            | ServerRequest::Agent(AgentToServer::Object { why }),
        ) = output
        else {
            return None;
        };
        Some(*why)
    });
    said.collect()
}

/// Longer than either end waits for the other at the door.
const PATIENCE: Duration = Duration::from_secs(31);

/// T7: each end by itself gives up and says why, and nothing was opened or asked for the attempt.
/// An agent that is told nothing by its server has only the silence, which ends it as well.
fn assert_detected(name: &str, lies: Lies<'_>) {
    for news in [News::Told, News::KeptBack] {
        let mut middle = Middle::run(Mode::Control, Lies { news, ..lies });
        middle.wait(PATIENCE);
        assert!(!asked(&middle.agent_log), "{name}: a person was asked");
        assert_given_up(&format!("{name}, {news:?}"), &middle, news);
    }
}

#[track_caller]
fn assert_given_up(name: &str, middle: &Middle<'_>, news: News) {
    for role in [Role::Operator, Role::Agent] {
        let opened = |output: &Output| {
            matches!(output, Output::OpenDirect(..) | Output::OpenRelay(..) | Output::Desktop(_))
        };
        assert!(!middle.log(role).iter().any(opened), "{name}: {role:?} opened something");
    }
    let told = events(&middle.operator_log);
    assert!(!paired(&middle.operator_log), "{name}: the operator's end believes it is paired");
    assert!(told.iter().any(detection), "{name}: the operator is not told: {told:?}");
    for role in [Role::Operator, Role::Agent] {
        let log = middle.log(role);
        let is_mismatch = |event: &SessionEvent| matches!(event, SessionEvent::TranscriptMismatch);
        let found_out = !paired(log) && events(log).iter().any(is_mismatch);
        let objected = objections(log).contains(&Objection::TranscriptMismatch);
        assert_eq!(objected, found_out, "{name}: {role:?} has it written down");
    }
    let told = events(&middle.agent_log);
    assert!(middle.agent.as_ref().is_some_and(Peer::is_over), "{name}: the agent goes on: {told:?}");
    let ended = told.iter().any(|event| matches!(event, SessionEvent::Ended { .. }));
    assert!(ended, "{name}: the agent's person is not told: {told:?}");
    assert!(news == News::KeptBack || told.iter().any(detection), "{name}: not told why: {told:?}");
}

#[test]
fn an_honest_server_brings_the_ends_together_and_the_person_is_asked() {
    for mode in Mode::ALL {
        let middle = Middle::run(mode, Lies::NONE);
        assert!(asked(&middle.agent_log), "{mode}");
        assert!(paired(&middle.operator_log) && paired(&middle.agent_log), "{mode}");
    }
}

/// T61: until its person is asked, an agent's end has told its server the version, the number and keys of this one call;
/// what it says besides is for the other end.
#[test]
fn t61_before_the_question_an_agents_end_tells_the_server_its_version_the_number_and_keys() {
    for mode in Mode::ALL {
        let middle = Middle::run(mode, Lies::NONE);
        let question = middle.agent_log.iter().position(|o| matches!(o, Output::AskConsent(_)));
        let before = &middle.agent_log[..question.expect("a question")];
        let said = before.iter().filter_map(|output| {
            let Output::ToServer(ServerRequest::Agent(message)) = output else { return None };
            Some(message)
        });
        let (mut joins, mut tags) = (0, 0);
        for message in said {
            match message {
                AgentToServer::Join { version, locator: at, hello } => {
                    joins += 1;
                    assert_eq!((*version, *at), (PROTOCOL_VERSION, locator()));
                    let (own, facts) = (Hello::decode(&hello.0).expect("a hello"), facts(3));
                    assert_eq!(own.dtls_fingerprint, facts.dtls_fingerprint);
                    assert_eq!((own.ice_ufrag, own.ice_pwd), (facts.ice_ufrag, facts.ice_pwd));
                    assert_eq!(own.device, public(&agent_key()));
                }
                AgentToServer::Forward { body } => {
                    let body = message::decode::<Forwarded>(&body.0, MAX_FORWARD).expect("one of ours");
                    let is_tag = matches!(
                        body,
                        Forwarded::Pairing(
                            PairMessage::AgentConfirm { .. } | PairMessage::AgentReady { .. }
                        )
                    );
                    tags += usize::from(is_tag);
                    assert!(is_tag || matches!(body, Forwarded::Sealed(_)), "{mode}: {body:?}");
                }
                AgentToServer::Resume { .. }
                | AgentToServer::RelayTimes { .. }
                | AgentToServer::NeedLedgerTicket
                | AgentToServer::Object { .. }
                | AgentToServer::Close => panic!("{mode}: {message:?}"),
            }
        }
        assert_eq!((joins, tags), (1, 2), "{mode}");
    }
}

#[test]
fn t7_every_swap_in_either_hello_is_detected_before_consent() {
    let swaps: [Change<Hello>; 7] = [
        ("fingerprint", |hello| hello.dtls_fingerprint = Digest([0xEE; 32])),
        ("exchange key", |hello| hello.exchange = DeviceKey([9; 32])),
        ("device key", |hello| hello.device = public(&key(77))),
        ("ICE name", |hello| hello.ice_ufrag = "evil".to_owned()),
        ("ICE password", |hello| hello.ice_pwd = "evil-evil-evil-evil-evil".to_owned()),
        ("challenge", |hello| hello.challenge = Challenge([0xEE; 32])),
        ("PAKE", |hello| hello.pake = Blob(hello.pake.0.iter().rev().copied().collect())),
    ];
    for (name, swap) in swaps {
        assert_detected(name, Lies { operator_hello: &swap, ..Lies::NONE });
        assert_detected(name, Lies { agent_hello: &swap, ..Lies::NONE });
    }
}

#[test]
fn t7_another_session_or_role_is_detected_before_consent() {
    let session_at_agent = SessionId([0xEE; 16]);
    assert_detected("session", Lies { session_at_agent, ..Lies::NONE });
    let swap = |hello: &mut Hello| hello.role = hello.role.other();
    assert_detected("operator's role", Lies { operator_hello: &swap, ..Lies::NONE });
    assert_detected("agent's role", Lies { agent_hello: &swap, ..Lies::NONE });
}

#[test]
fn t7_t46_bytes_of_every_part_of_the_pairing_altered_on_the_way_are_detected() {
    for (from, place) in [(Role::Agent, 0), (Role::Operator, 0)] {
        for byte in [0, 1, 2, 10, 40, 60] {
            let flip = flip(from, place, byte);
            assert_detected(&format!("{from:?} {place} {byte}"), Lies { pairing: &flip, ..Lies::NONE });
        }
    }
}

/// The agent's last word is for the operator's end: its person may be asked already. The question
/// goes as soon as the agent hears that the other end did not believe it, or with the silence.
#[test]
fn t7_t46_a_question_is_withdrawn_when_the_agents_last_word_was_altered_on_the_way() {
    let mut written = 0;
    for news in [News::Told, News::KeptBack] {
        for byte in [0, 1, 2, 10, 40, 60] {
            let flip = flip(Role::Agent, 1, byte);
            let mut middle = Middle::run(Mode::Control, Lies { pairing: &flip, news, ..Lies::NONE });
            assert!(asked(&middle.agent_log), "{byte}");
            middle.wait(PATIENCE);
            if news == News::KeptBack {
                middle.wait(Duration::from_secs(120));
            }
            assert!(withdrawn(&middle.agent_log), "{byte} {news:?}: still asked");
            written += objections(&middle.operator_log).len();
            assert_given_up(&format!("{byte} {news:?}"), &middle, news);
        }
    }
    assert!(written > 0, "what was altered in the words themselves is written down");
}

fn flip(from: Role, place: usize, byte: usize) -> impl Fn(Role, usize, &mut Vec<u8>) {
    move |who, count, body| {
        if who == from && count == place {
            let at = byte % body.len();
            body[at] ^= 1;
        }
    }
}

/// A server has the key for manifests, and can sign what it likes: for another agent, another
/// session, or more than the mode. The operator's end does not hand it on.
#[test]
fn t7_t13_a_manifest_that_the_server_makes_for_somebody_else_ends_the_attempt_at_both_ends() {
    let lies: [Change<Manifest>; 5] = [
        ("another agent's key", |manifest| manifest.agent_key = public(&key(77))),
        ("another operator's key", |manifest| manifest.operator_key = public(&key(77))),
        ("another session", |manifest| manifest.session = SessionId([9; 16])),
        ("another mode", |manifest| manifest.mode = Mode::Manage),
        ("more than the mode", |manifest| manifest.capabilities = Rights::of(&Capability::ALL)),
    ];
    for (name, lie) in lies {
        assert_detected(name, Lies { manifest: &lie, ..Lies::NONE });
        let middle = Middle::run(Mode::Control, Lies { manifest: &lie, ..Lies::NONE });
        let refused = |event: &SessionEvent| matches!(event, SessionEvent::ManifestRefused { .. });
        assert!(events(&middle.operator_log).iter().any(refused), "{name}");
        assert!(middle.operator.is_over(), "{name}");
    }
}

/// T18: and without one there is no session.
#[test]
fn t13_t14_t15_t16_a_manifest_that_does_not_hold_is_refused_whole_by_both_ends() {
    let bad: [(Change<Manifest>, Objection); 14] = [
        (("tenant", |m| m.tenant = TenantId([9; 8])), Objection::ManifestBinding),
        (("session", |m| m.session = SessionId([9; 16])), Objection::ManifestBinding),
        (("operator's key", |m| m.operator_key = public(&key(77))), Objection::ManifestBinding),
        (("agent's key", |m| m.agent_key = public(&key(77))), Objection::ManifestBinding),
        (("challenge", |m| m.challenge = Challenge([9; 32])), Objection::ManifestBinding),
        (("version", |m| m.v = 2), Objection::ManifestVersion),
        (
            ("wider than its mode", |m| m.capabilities = Rights::of(&Capability::ALL)),
            Objection::ManifestTooWide,
        ),
        (("too long to start", |m| m.start_within = 901), Objection::ManifestTimes),
        (("no time to start", |m| m.start_within = 0), Objection::ManifestTimes),
        (("over 8 hours", |m| m.length = 8 * 3600 + 1), Objection::ManifestTimes),
        (("no time at all", |m| m.length = 0), Objection::ManifestTimes),
        (
            ("deceptive name", |m| m.operator_name = "Bank\u{202E}gro.live".to_owned()),
            Objection::ManifestName,
        ),
        (("recording demanded", |m| m.recording = Requirement::Required), Objection::ManifestDemand),
        (
            ("applications demanded", |m| m.application_selection = Requirement::Required),
            Objection::ManifestDemand,
        ),
    ];
    for ((name, alter), why) in bad {
        for mode in [Mode::View, Mode::Share] {
            for puppet in [Puppet::as_operator(mode, &alter), Puppet::as_agent(mode, &alter)] {
                let refused = puppet
                    .events()
                    .iter()
                    .any(|event| matches!(event, SessionEvent::ManifestRefused { .. }));
                assert!(refused, "{name}: {:?} took it", puppet.role);
                assert!(puppet.peer.is_over() && !asked(&puppet.log), "{name}");
                assert_eq!(objections(&puppet.log), [why], "{name}: {:?}", puppet.role);
            }
        }
    }
}

#[test]
fn s1_an_operator_is_not_given_another_mode_than_it_asked_for() {
    let puppet = Puppet::as_agent(Mode::View, &|m| {
        m.mode = Mode::Manage;
        m.capabilities = Mode::Manage.ceiling();
        m.files = FileRules::of(m.capabilities, Approval::Ask);
    });
    assert!(puppet.peer.is_over());
}

#[test]
fn s29_a_consent_that_was_not_given_for_this_very_session_starts_nothing() {
    let granted = Mode::Control.ceiling();
    let honest = |puppet: &Puppet| Consent {
        transcript: puppet.transcript(),
        manifest: puppet.manifest_digest(),
        shown: Digest([7; 32]),
        answer: Answer::Accepted,
        granted,
    };
    let forgeries: [Change<Consent>; 3] = [
        ("another pairing's", |consent| consent.transcript = Digest([9; 32])),
        ("another manifest's", |consent| consent.manifest = Digest([9; 32])),
        ("wider than the manifest", |consent| consent.granted = Rights::of(&Capability::ALL)),
    ];
    for (name, forge) in forgeries {
        let mut puppet = Puppet::as_agent(Mode::Control, &|_| {});
        let mut consent = honest(&puppet);
        forge(&mut consent);
        puppet.say_consent(&consent, &agent_key());
        assert_over(name, &puppet, EndReason::Violation);
    }
    let mut puppet = Puppet::as_agent(Mode::Control, &|_| {});
    let consent = honest(&puppet);
    puppet.say_consent(&consent, &key(99));
    assert_over("another key's", &puppet, EndReason::Violation);

    let mut puppet = Puppet::as_agent(Mode::Control, &|_| {});
    let consent = honest(&puppet);
    puppet.say_consent(&consent, &agent_key());
    assert!(!puppet.peer.is_over(), "the honest one counts");
}

fn assert_over(name: &str, puppet: &Puppet, reason: EndReason) {
    let ended = SessionEvent::Ended { reason, by: EndedBy::OtherEnd };
    assert!(puppet.events().contains(&ended), "{name}: {:?}", puppet.events());
    assert!(!puppet.log.iter().any(opened), "{name}: something started");
}

#[test]
fn s29_s30_no_word_of_the_operators_end_stands_for_the_click() {
    let mut puppet = Puppet::as_operator(Mode::Control, &|_| {});
    // An operator's end that claims the consent itself has no effect on the agent.
    puppet.say_sealed(&EndToEnd::Consent { envelope: Blob(vec![1, 2, 3]) });
    puppet.say_sealed(&EndToEnd::Candidate { line: "1 1 udp 1 203.0.113.1 1 typ host".to_owned() });
    assert!(!puppet.log.iter().any(opened), "S29: nothing starts without the click");
    assert!(!puppet.peer.is_over());
}

fn opened(output: &Output) -> bool {
    matches!(output, Output::OpenDirect(..) | Output::OpenRelay(..) | Output::Desktop(_))
}

/// S30: a server that kept what was sealed once cannot say it again, before the click or after it.
#[test]
fn s30_t46_a_sealed_body_said_to_its_end_a_second_time_finishes_the_line() {
    let candidate = EndToEnd::Candidate { line: "1 1 udp 1 203.0.113.1 1 typ host".to_owned() };
    let mut puppet = Puppet::as_operator(Mode::Control, &|_| {});
    let body = puppet.seal(&candidate).expect("it is paired");
    puppet.forward(body.clone());
    assert!(!puppet.peer.is_over(), "once it may be said");
    puppet.forward(body);
    assert!(puppet.peer.is_over() && withdrawn(&puppet.log));
    assert!(puppet.events().contains(&SessionEvent::TranscriptMismatch));
    assert!(!puppet.log.iter().any(opened));

    // The person's own yes, kept by the server and said to another run of the operator's end: it
    // was sealed under other keys.
    let mut first = Puppet::as_agent(Mode::Control, &|_| {});
    let consent = first.word(Answer::Accepted, Mode::Control.ceiling());
    let envelope = Blob(dsse::sign(&consent, &agent_key()));
    let kept = first.seal(&EndToEnd::Consent { envelope }).expect("it is paired");
    first.forward(kept.clone());
    assert!(first.log.iter().any(opened), "in its own session it counts");
    let mut second = Puppet::as_agent_of(9, Mode::Control, &|_| {});
    second.forward(kept);
    assert!(second.events().contains(&SessionEvent::TranscriptMismatch));
    assert!(second.peer.is_over() && !second.log.iter().any(opened));
}
