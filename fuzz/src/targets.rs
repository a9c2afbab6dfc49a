//! Every decoder that reads what a stranger wrote: one line each.
//!
//! Shared by the fuzzer (`./dev fuzz`) and by the ordinary test that replays the committed corpus
//! (`tests/tests/fuzz_replay.rs`). A target must survive any bytes; where a value can be encoded
//! again, what it decodes to must come back the same.

#[path = "requests.rs"]
pub(crate) mod requests;
#[path = "server.rs"]
mod server;
#[path = "streams.rs"]
mod streams;

use std::fmt::Debug;

use requests::api_request;
use serde::{Serialize, de::DeserializeOwned};
use server::{breached_list, forwarded_for, limits, policy, policy_file, server_settings};
use streams::{leg_stream, remote_candidate, stun_request, ticket_frame, turn_answer, vp8};
use tasuki_protocol::{
    admin::{AddOperator, AdminLoginAnswer, AdminSignIn, EnrolAdmin, Problem, RecoverAdmin},
    backup::BackupHead,
    bundle::{Bundle, TrustNews},
    certificate::{Certificate, Revocations},
    consent::Consent,
    dsse::{self, Document},
    grant::RightsChange,
    http_answer::{self, Answer},
    ids::{DeviceKey, Digest, TenantId},
    input::InputEvent,
    keys::{PublishBundle, ServerKeys, Vault, WrappedLogKey},
    ledger::{
        audit::{Acknowledgement, Auditor, Item, Tombstone},
        checkpoint::Checkpoint,
        decree::RootsWord,
        event::Entry,
        export::Splitter,
        keys::DataKey,
        record::{self, FromEnd, Opened, Row},
        wire::{
            Decree, EndRows, EndRowsTaken, EndTicketKey, LedgerOpened, OpenLedger, ReadRows, Review,
            RowsPage,
        },
    },
    leg::{LegRecord, MAX_RECORD_BYTES},
    link::JoinLink,
    login::{LoginAnswer, LoginRequest},
    manifest::Manifest,
    message::{self, EndToEnd, Forwarded, MAX_PACKET_BYTES, Packet},
    number::SessionNumber,
    pairing::Hello,
    receipt::{CheckedReceipt, Receipt},
    screen::{CursorPosition, CursorShape, Layout},
    seed::Seed,
    signal::{self, AgentToServer, OperatorToServer, ServerToAgent, ServerToOperator},
    ticket::{RelayAnswer, TicketKey},
    turn::MAX_TURN_NAME_BYTES,
    words,
};
use tasuki_turn_relay::core::{
    stun::binding_request,
    turn::{message as turn, stream},
};

const TENANT: TenantId = TenantId([1; 8]);

/// A decoder under its name, which is also its corpus folder's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) decode: fn(&[u8]),
}

const fn target(name: &'static str, decode: fn(&[u8])) -> Target {
    Target { name, decode }
}

#[rustfmt::skip]
pub(crate) const TARGETS: &[Target] = &[
    target("ticket", ticket),
    target("turn_message", turn_message),
    target("turn_answer", turn_answer),
    target("relay_answer", relay_answer),
    target("hello", hello),
    target("number", number),
    target("join_link", join_link),
    target("packet", binary::<Packet>),
    target("end_to_end", binary::<EndToEnd>),
    target("forwarded", binary::<Forwarded>),
    target("leg_record", leg_record),
    target("input_event", binary::<InputEvent>),
    target("layout", layout),
    target("cursor_shape", cursor_shape),
    target("cursor_position", binary::<CursorPosition>),
    target("operator_to_server", json::<OperatorToServer>),
    target("server_to_operator", json::<ServerToOperator>),
    target("agent_to_server", json::<AgentToServer>),
    target("server_to_agent", json::<ServerToAgent>),
    target("login_request", json::<LoginRequest>),
    target("login_answer", answer),
    target("admin_request", admin_request),
    target("api_request", api_request),
    target("manifest", document::<Manifest>),
    target("consent", document::<Consent>),
    target("policy", policy),
    target("backup_head", backup_head),
    target("http_answer", http_answer),
    target("rights_change", document::<RightsChange>),
    target("receipt", receipt),
    target("bundle", bundle),
    target("certificate", document::<Certificate>),
    target("revocations", document::<Revocations>),
    target("key_papers", key_papers),
    target("words", written_words),
    target("ledger_row", ledger_row),
    target("ledger_entry", ledger_entry),
    target("ledger_item", binary_item),
    target("ledger_export", ledger_export),
    target("ledger_request", ledger_request),
    target("ledger_note", ledger_note),
    target("ledger_decree", ledger_decree),
    target("vp8", vp8),
    target("leg_stream", leg_stream),
    target("remote_candidate", remote_candidate),
    target("ticket_frame", ticket_frame),
    target("stun", stun_request),
    target("limits", limits),
    target("forwarded_for", forwarded_for),
    target("server_settings", server_settings),
    target("policy_file", policy_file),
    target("breached_list", breached_list),
];

/// Also sealed as its server would have sealed it, so that the bytes reach behind the tag.
fn ticket(bytes: &[u8]) {
    const NOW: u64 = 1_000;
    let key = TicketKey::from_bytes([7; 32]);
    let _ = key.open(bytes, NOW);
    let Ok(ticket) = postcard::from_bytes(bytes) else { return };
    if let Ok(opened) = key.open(&key.seal(&ticket), NOW) {
        assert_eq!(opened, ticket);
        assert!(opened.expires > NOW);
    }
}

fn relay_answer(bytes: &[u8]) {
    for byte in bytes {
        if let Ok(answer) = RelayAnswer::try_from(*byte) {
            assert_eq!(answer as u8, *byte);
        }
    }
}

fn hello(bytes: &[u8]) {
    if let Ok(hello) = Hello::decode(bytes) {
        assert_eq!(Hello::decode(&hello.encode()).as_ref(), Ok(&hello));
    }
}

/// What a program makes of a sign-in's answer.
fn answer(bytes: &[u8]) {
    if let Ok(answer) = serde_json::from_slice::<LoginAnswer>(bytes) {
        let text = signal::encode(&answer);
        assert_eq!(serde_json::from_str::<LoginAnswer>(&text).ok().as_ref(), Some(&answer));
    }
}

/// From a datagram, and from a stream.
fn turn_message(bytes: &[u8]) {
    let _ = binding_request(bytes);
    if let Ok(Some(length)) = stream::message_length(bytes) {
        assert!(length <= stream::MOST_MESSAGE_BYTES);
    }
    let Some(message) = turn::read(bytes) else { return };
    assert!(message.data.clone().is_none_or(|data| data.end <= bytes.len()));
    assert!(message.peers().count() <= bytes.len() / 12);
    let key = TicketKey::from_bytes([1; 32]);
    if let Some(Ok((_, credential))) = message.name.map(|name| key.open_turn(name, 1_000)) {
        assert!(credential.name.len() <= MAX_TURN_NAME_BYTES);
    }
}

/// As a file, and as a server's news.
fn bundle(bytes: &[u8]) {
    document::<Bundle>(bytes);
    let opened = Bundle::open_first(bytes);
    if let Ok(bundle) = &opened {
        assert_eq!(Bundle::open(bytes, &bundle.known()).as_ref(), Ok(bundle));
    }
    if let Ok(news) = dsse::strict_json::<TrustNews>(bytes)
        && let Ok(bundle) = Bundle::open_first(&news.bundle.0)
    {
        let _ = news.bundle(&bundle.known());
    }
}

/// What lies on an administrator's disk or at a server.
fn key_papers(bytes: &[u8]) {
    json::<Vault>(bytes);
    json::<WrappedLogKey>(bytes);
    json::<PublishBundle>(bytes);
    json::<ServerKeys>(bytes);
    if let Ok(vault) = dsse::strict_json::<Vault>(bytes)
        && let Some(kdf) = &vault.master.kdf
        && kdf.is_sane()
    {
        assert_eq!(kdf.salt.0.len(), 16);
    }
}

/// Recovery words, as a person types them.
fn written_words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(read) = words::read(text) {
        assert_eq!(words::read(&words::spell(&read)), Ok(read));
    }
}

/// What a person types.
fn number(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(number) = text.parse::<SessionNumber>() {
        assert_eq!(number.to_string().parse::<SessionNumber>().as_ref(), Ok(&number));
    }
}

/// What another program hands over as an address.
fn join_link(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(link) = text.parse::<JoinLink>() {
        assert_eq!(link.to_string().parse::<JoinLink>().as_ref(), Ok(&link));
    }
}

fn leg_record(bytes: &[u8]) {
    if let Ok(record) = message::decode::<LegRecord>(bytes, MAX_RECORD_BYTES) {
        assert_eq!(message::decode(&message::encode(&record), usize::MAX).as_ref(), Ok(&record));
    }
}

fn layout(bytes: &[u8]) {
    binary::<Layout>(bytes);
    if let Ok(layout) = message::decode::<Layout>(bytes, MAX_PACKET_BYTES) {
        assert!(!layout.is_sane() || layout.shown_monitor().is_some());
    }
}

fn cursor_shape(bytes: &[u8]) {
    binary::<CursorShape>(bytes);
    if let Ok(shape) = message::decode::<CursorShape>(bytes, MAX_PACKET_BYTES) {
        assert!(!shape.is_sane() || shape.rgba.len() <= 256 * 256 * 4);
    }
}

fn backup_head(bytes: &[u8]) {
    let Some((head, used)) = BackupHead::decode(bytes) else { return };
    assert!(used <= bytes.len());
    if let Some((again, _)) = BackupHead::decode(&head.encode()) {
        assert_eq!(again, head);
    }
}

fn admin_request(bytes: &[u8]) {
    json::<EnrolAdmin>(bytes);
    json::<RecoverAdmin>(bytes);
    json::<AddOperator>(bytes);
    json::<Problem>(bytes);
    json::<AdminLoginAnswer>(bytes);
    json::<AdminSignIn>(bytes);
}

/// Nothing opens a tunnel or switches but a whole head with nothing behind it.
fn http_answer(bytes: &[u8]) {
    if let Ok(Some(answer)) = http_answer::read(bytes) {
        let stands = matches!(answer, Answer::Open | Answer::Switched);
        assert!(!stands || bytes.ends_with(b"\r\n\r\n"));
    }
}

/// A row as it is stored and exported, closed and with a key that never made it.
fn ledger_row(bytes: &[u8]) {
    binary::<Row>(bytes);
    binary::<FromEnd>(bytes);
    let Ok(row) = message::decode::<Row>(bytes, MAX_PACKET_BYTES) else { return };
    let _ = row.leaf(TENANT);
    let key = DataKey::new(&Seed::from_bytes([1; 32]));
    let _ = record::open(&row, Digest([0; 32]), &key, TENANT);
    let opened = Opened::FromEnd(match message::decode(&row.sealed.0, MAX_PACKET_BYTES) {
        Ok(from_end) => from_end,
        Err(_) => return,
    });
    if let Ok(sealed) = record::seal(&opened, row.place, Digest([0; 32]), &key, row.key, TENANT) {
        assert_eq!(record::open(&sealed, Digest([0; 32]), &key, TENANT), Ok(opened));
    }
}

fn ledger_entry(bytes: &[u8]) {
    let Ok(entry) = Entry::decode(bytes) else { return };
    if let Ok(again) = entry.encode() {
        assert_eq!(Entry::decode(&again), Ok(entry));
    }
}

fn binary_item(bytes: &[u8]) {
    let Ok(item) = Item::decode(bytes) else { return };
    assert_eq!(Item::decode(&item.frame()[4..]).as_ref(), Ok(&item));
    let word = RootsWord::of_root(DeviceKey([1; 32]));
    let mut auditor = Auditor::new(TENANT, vec![DeviceKey([1; 32])], word);
    match item {
        Item::Header(_) => {}
        Item::Tombstone(stone) => drop(auditor.tombstone(&stone.0)),
        Item::Key(envelope) => auditor.key(&envelope),
        Item::Record(stored) => drop(auditor.record(&stored)),
        Item::Checkpoint(note) => drop(auditor.checkpoint(&note)),
        Item::Acknowledgement(word) => drop(auditor.acknowledgement(&word.0)),
    }
}

/// A file of which nothing is believed, in two pieces.
fn ledger_export(bytes: &[u8]) {
    let mut splitter = Splitter::default();
    let (one, other) = bytes.split_at(bytes.len() / 2);
    for piece in [one, other] {
        splitter.push(piece);
        loop {
            match splitter.item() {
                Ok(Some(item)) => assert_eq!(Item::decode(&item.frame()[4..]), Ok(item)),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    let _ = splitter.finish();
}

fn ledger_request(bytes: &[u8]) {
    json::<EndRows>(bytes);
    json::<EndRowsTaken>(bytes);
    json::<OpenLedger>(bytes);
    json::<LedgerOpened>(bytes);
    json::<ReadRows>(bytes);
    json::<RowsPage>(bytes);
    json::<Review>(bytes);
    json::<Decree>(bytes);
    let key = EndTicketKey::new(&Seed::from_bytes([1; 32]));
    if let Some(ticket) = key.open(bytes, 0) {
        assert_eq!(key.seal(&ticket), bytes);
    }
}

fn ledger_note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Checkpoint::open(text, TENANT, &[DeviceKey([1; 32])]);
    let _ = Checkpoint::of_kept(text, TENANT);
}

fn ledger_decree(bytes: &[u8]) {
    document::<Tombstone>(bytes);
    document::<Acknowledgement>(bytes);
}

/// A binary message, which must survive being encoded again.
fn binary<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(value) = message::decode::<T>(bytes, MAX_PACKET_BYTES) else { return };
    assert_eq!(message::decode(&message::encode(&value), usize::MAX).as_ref(), Ok(&value));
}

/// A message of strict JSON, which must survive being encoded again.
fn json<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(value) = signal::decode::<T>(text) else { return };
    assert_eq!(signal::decode(&signal::encode(&value)).as_ref(), Ok(&value));
}

/// With all that was signed in it.
fn receipt(bytes: &[u8]) {
    document::<Receipt>(bytes);
    let _ = dsse::open_cosigned::<Receipt>(bytes);
    if let Ok(checked) = CheckedReceipt::open(bytes) {
        assert!((1..=2).contains(&checked.signed_by.len()));
    }
}

/// A signed document: the envelope, and what stands in it behind a good signature.
fn document<T: Document + PartialEq + Debug>(bytes: &[u8]) {
    let _ = dsse::open::<T>(bytes, &[DeviceKey([1; 32])]);
    let _ = dsse::open_self_signed::<T>(bytes);
    let Ok(document) = dsse::strict_json::<T>(bytes) else { return };
    let again = serde_json::to_vec(&document).expect("what was decoded can be encoded");
    assert_eq!(dsse::strict_json(&again).as_ref(), Ok(&document));
}
