//! The JSON that programs and the server say to each other.

use tasuki_protocol::{
    blob::Blob,
    ids::{Challenge, Digest, SessionId},
    ledger::event::{Event, Witness},
    number::Locator,
    objection::Objection,
    rights::Mode,
    signal::{
        AgentToServer, CloseReason, Leg, OperatorToServer, Presence, RefusalReason, RelayAddress,
        ResumeToken, ServerToAgent, ServerToOperator,
    },
};

use crate::Snapshots;

fn session() -> SessionId {
    SessionId([0x5e; 16])
}

fn blob() -> Blob {
    Blob(vec![0xaa, 0xbb])
}

fn token() -> ResumeToken {
    ResumeToken(Challenge([0x70; 32]))
}

fn locator() -> Locator {
    Locator::try_from(42).expect("42 is a locator")
}

fn relay() -> RelayAddress {
    RelayAddress { host: "r.example".to_owned(), port: 443, pin: Digest([0xab; 32]) }
}

fn leg() -> Leg {
    Leg { number: 1, relay: None, turn: None, ticket: blob() }
}

#[test]
fn an_operators_messages_keep_their_words() {
    use OperatorToServer as O;
    let mut all = Snapshots::default();
    let session = session();
    all.json(
        "OperatorToServer::Prove",
        &O::Prove { signature: blob() },
        r#"{"type":"prove","signature":"qrs="}"#,
    );
    all.json(
        "OperatorToServer::OpenRoom",
        &O::OpenRoom { mode: Mode::View, hellos: vec![blob()], reason: None },
        r#"{"type":"open_room","mode":"view","hellos":["qrs="]}"#,
    );
    all.json("OperatorToServer::Resume", &O::Resume { session, token: token() }, r#"{"type":"resume","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","token":"7070707070707070707070707070707070707070707070707070707070707070"}"#);
    all.json(
        "OperatorToServer::Forward",
        &O::Forward { session, body: blob() },
        r#"{"type":"forward","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","body":"qrs="}"#,
    );
    all.json(
        "OperatorToServer::PairingFailed",
        &O::PairingFailed { session, attempt: 2 },
        r#"{"type":"pairing_failed","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","attempt":2}"#,
    );
    all.json(
        "OperatorToServer::Paired",
        &O::Paired { session },
        r#"{"type":"paired","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}"#,
    );
    all.json(
        "OperatorToServer::NeedLeg",
        &O::NeedLeg { session },
        r#"{"type":"need_leg","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}"#,
    );
    all.json(
        "OperatorToServer::RelayTimes",
        &O::RelayTimes { session, times: vec![Some(12), None] },
        r#"{"type":"relay_times","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","times":[12,null]}"#,
    );
    all.json(
        "OperatorToServer::NeedLedgerTicket",
        &O::NeedLedgerTicket { session },
        r#"{"type":"need_ledger_ticket","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}"#,
    );
    all.json(
        "OperatorToServer::Object",
        &O::Object { session, attempt: 2, why: Objection::ManifestTooWide },
        r#"{"type":"object","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","attempt":2,"why":"manifest_too_wide"}"#,
    );
    all.json(
        "OperatorToServer::Close",
        &O::Close { session },
        r#"{"type":"close","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}"#,
    );
    all.assert_same();
}

#[test]
fn what_an_operator_is_told_keeps_its_words() {
    use ServerToOperator as S;
    let mut all = Snapshots::default();
    let session = session();
    all.json("ServerToOperator::Challenge", &S::Challenge { challenge: Challenge([0xc0; 32]) }, r#"{"type":"challenge","challenge":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"}"#);
    let ready = S::Ready { certified_until: 9 };
    all.json("ServerToOperator::Ready", &ready, r#"{"type":"ready","certified_until":9}"#);
    let hours = S::OutsideHours { opens: Some(9), zone: "Asia/Tokyo".to_owned() };
    all.json(
        "ServerToOperator::OutsideHours",
        &hours,
        r#"{"type":"outside_hours","opens":9,"zone":"Asia/Tokyo"}"#,
    );
    let opened = S::RoomOpened { session, locator: locator(), resume: token(), expires_in: 600 };
    all.json("ServerToOperator::RoomOpened", &opened, r#"{"type":"room_opened","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","locator":42,"resume":"7070707070707070707070707070707070707070707070707070707070707070","expires_in":600}"#);
    let arrived = S::Arrived { session, attempt: 1, hello: blob(), manifest: blob() };
    all.json("ServerToOperator::Arrived", &arrived, r#"{"type":"arrived","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","attempt":1,"hello":"qrs=","manifest":"qrs="}"#);
    all.json(
        "ServerToOperator::Forwarded",
        &S::Forwarded { session, body: blob() },
        r#"{"type":"forwarded","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","body":"qrs="}"#,
    );
    all.json("ServerToOperator::Leg", &S::Leg { session, leg: leg() }, r#"{"type":"leg","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","leg":{"number":1,"relay":null,"turn":null,"ticket":"qrs="}}"#);
    all.json(
        "ServerToOperator::Relays",
        &S::Relays { session, relays: vec![relay()] },
        r#"{"type":"relays","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","relays":[{"host":"r.example","port":443,"pin":"abababababababababababababababababababababababababababababababab"}]}"#,
    );
    all.json(
        "ServerToOperator::LedgerTicket",
        &S::LedgerTicket { session, ticket: blob() },
        r#"{"type":"ledger_ticket","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","ticket":"qrs="}"#,
    );
    all.json(
        "ServerToOperator::Resumed",
        &S::Resumed { session },
        r#"{"type":"resumed","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}"#,
    );
    let gone = S::AgentPresence { session, presence: Presence::Gone };
    all.json(
        "ServerToOperator::AgentPresence",
        &gone,
        r#"{"type":"agent_presence","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","presence":"gone"}"#,
    );
    let closed = S::Closed { session, reason: CloseReason::Lost };
    all.json(
        "ServerToOperator::Closed",
        &closed,
        r#"{"type":"closed","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","reason":"lost"}"#,
    );
    let refused = S::Refused { reason: RefusalReason::Mode };
    all.json("ServerToOperator::Refused", &refused, r#"{"type":"refused","reason":"mode"}"#);
    all.assert_same();
}

#[test]
fn an_agents_messages_keep_their_words() {
    use AgentToServer as A;
    let mut all = Snapshots::default();
    let join = A::Join { version: 1, locator: locator(), hello: blob() };
    all.json(
        "AgentToServer::Join",
        &join,
        r#"{"type":"join","version":1,"locator":42,"hello":"qrs="}"#,
    );
    let resume = A::Resume { session: session(), token: token() };
    all.json("AgentToServer::Resume", &resume, r#"{"type":"resume","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","token":"7070707070707070707070707070707070707070707070707070707070707070"}"#);
    all.json(
        "AgentToServer::Forward",
        &A::Forward { body: blob() },
        r#"{"type":"forward","body":"qrs="}"#,
    );
    all.json(
        "AgentToServer::RelayTimes",
        &A::RelayTimes { times: vec![None, Some(0)] },
        r#"{"type":"relay_times","times":[null,0]}"#,
    );
    all.json(
        "AgentToServer::NeedLedgerTicket",
        &A::NeedLedgerTicket,
        r#"{"type":"need_ledger_ticket"}"#,
    );
    all.json(
        "AgentToServer::Object",
        &A::Object { why: Objection::TranscriptMismatch },
        r#"{"type":"object","why":"transcript_mismatch"}"#,
    );
    all.json("AgentToServer::Close", &A::Close, r#"{"type":"close"}"#);
    all.assert_same();
}

#[test]
fn what_an_agent_is_told_keeps_its_words() {
    use ServerToAgent as S;
    let mut all = Snapshots::default();
    let met = S::Met { session: session(), resume: token(), hello: blob() };
    all.json("ServerToAgent::Met", &met, r#"{"type":"met","session":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","resume":"7070707070707070707070707070707070707070707070707070707070707070","hello":"qrs="}"#);
    all.json(
        "ServerToAgent::Forwarded",
        &S::Forwarded { body: blob() },
        r#"{"type":"forwarded","body":"qrs="}"#,
    );
    all.json(
        "ServerToAgent::Leg",
        &S::Leg { leg: Leg { turn: Some(3478), ..leg() } },
        r#"{"type":"leg","leg":{"number":1,"relay":null,"turn":3478,"ticket":"qrs="}}"#,
    );
    all.json(
        "ServerToAgent::Relays",
        &S::Relays { relays: vec![relay()] },
        r#"{"type":"relays","relays":[{"host":"r.example","port":443,"pin":"abababababababababababababababababababababababababababababababab"}]}"#,
    );
    all.json(
        "ServerToAgent::LedgerTicket",
        &S::LedgerTicket { ticket: blob() },
        r#"{"type":"ledger_ticket","ticket":"qrs="}"#,
    );
    all.json("ServerToAgent::Resumed", &S::Resumed, r#"{"type":"resumed"}"#);
    let here = S::OperatorPresence { presence: Presence::Here };
    all.json(
        "ServerToAgent::OperatorPresence",
        &here,
        r#"{"type":"operator_presence","presence":"here"}"#,
    );
    all.json(
        "ServerToAgent::Closed",
        &S::Closed { reason: CloseReason::Expired },
        r#"{"type":"closed","reason":"expired"}"#,
    );
    let refused = S::Refused { reason: RefusalReason::Number };
    all.json("ServerToAgent::Refused", &refused, r#"{"type":"refused","reason":"number"}"#);
    all.assert_same();
}

#[test]
fn reasons_keep_their_words() {
    use {CloseReason as C, RefusalReason as R};
    let mut all = Snapshots::default();
    all.json("Presence::Here", &Presence::Here, r#""here""#);
    all.json("Presence::Gone", &Presence::Gone, r#""gone""#);
    all.json("CloseReason::Expired", &C::Expired, r#""expired""#);
    all.json("CloseReason::TooManyAttempts", &C::TooManyAttempts, r#""too_many_attempts""#);
    all.json("CloseReason::OtherEnd", &C::OtherEnd, r#""other_end""#);
    all.json("CloseReason::Withdrawn", &C::Withdrawn, r#""withdrawn""#);
    all.json("CloseReason::Lost", &C::Lost, r#""lost""#);
    all.json("CloseReason::TimeOver", &C::TimeOver, r#""time_over""#);
    all.json("RefusalReason::Number", &R::Number, r#""number""#);
    all.json("RefusalReason::SlowDown", &R::SlowDown, r#""slow_down""#);
    all.json("RefusalReason::Version", &R::Version { server: 2 }, r#"{"version":{"server":2}}"#);
    all.json("RefusalReason::Mode", &R::Mode, r#""mode""#);
    all.json("RefusalReason::Hours", &R::Hours, r#""hours""#);
    all.json("RefusalReason::Reason", &R::Reason, r#""reason""#);
    all.json("RefusalReason::SignIn", &R::SignIn, r#""sign_in""#);
    all.json("RefusalReason::Confirm", &R::Confirm, r#""confirm""#);
    all.json("RefusalReason::Session", &R::Session, r#""session""#);
    all.json("RefusalReason::Unavailable", &R::Unavailable, r#""unavailable""#);
    all.json("RefusalReason::Message", &R::Message, r#""message""#);
    all.assert_same();
}

#[test]
fn objections_keep_their_words() {
    use Objection as O;
    let mut all = Snapshots::default();
    all.json("Objection::TranscriptMismatch", &O::TranscriptMismatch, r#""transcript_mismatch""#);
    all.json("Objection::ManifestForged", &O::ManifestForged, r#""manifest_forged""#);
    all.json("Objection::ManifestVersion", &O::ManifestVersion, r#""manifest_version""#);
    all.json("Objection::ManifestCertificate", &O::ManifestCertificate, r#""manifest_certificate""#);
    all.json(
        "Objection::ManifestNotCertified",
        &O::ManifestNotCertified,
        r#""manifest_not_certified""#,
    );
    all.json("Objection::ManifestBinding", &O::ManifestBinding, r#""manifest_binding""#);
    all.json("Objection::ManifestName", &O::ManifestName, r#""manifest_name""#);
    all.json("Objection::ManifestTimes", &O::ManifestTimes, r#""manifest_times""#);
    all.json("Objection::ManifestTooWide", &O::ManifestTooWide, r#""manifest_too_wide""#);
    all.json("Objection::ManifestDemand", &O::ManifestDemand, r#""manifest_demand""#);
    all.json("Objection::ManifestLocal", &O::ManifestLocal, r#""manifest_local""#);
    let (by, why) = (Witness::Agent, O::ManifestTooWide);
    all.json(
        "Event::PairingRefused",
        &Event::PairingRefused { by, attempt: 1, why },
        r#"{"type":"pairing_refused","by":"agent","attempt":1,"why":"manifest_too_wide"}"#,
    );
    all.assert_same();
}
