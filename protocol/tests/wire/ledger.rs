//! The words of the ledger: what a record of today says in ten years.

use tasuki_protocol::{
    blob::Blob,
    consent::Answer,
    ids::{DeviceKey, Digest, TenantId},
    ledger::{
        audit::{Header, Item},
        event::{Event, Witness},
        keys::DataKey,
        wire::StoredRow,
        words::{
            AdminAction, Direction, FileVerdict, LockedOut, LoginFailure, LogoutCause, Overwrote,
            ReadPurpose, Repeated,
        },
    },
    log_key::LogSecretKey,
    message::EndReason,
    rights::{Capability, Mode, Rights},
    seed::Seed,
    signal::{CloseReason, RefusalReason},
};

use crate::Snapshots;

const K: DeviceKey = DeviceKey([1; 32]);
const D: Digest = Digest([2; 32]);

fn t() -> String {
    "t".to_owned()
}

#[test]
fn records_of_the_server_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json(
        "Event::ServerStarted",
        &E::ServerStarted { version: t() },
        r#"{"type":"server_started","version":"t"}"#,
    );
    all.json("Event::ServerStopped", &E::ServerStopped, r#"{"type":"server_stopped"}"#);
    all.json(
        "Event::ClockStepped",
        &E::ClockStepped { by_ms: -5 },
        r#"{"type":"clock_stepped","by_ms":-5}"#,
    );
    all.json(
        "Event::Restored",
        &E::Restored { size: 7, backup_at: 8 },
        r#"{"type":"restored","size":7,"backup_at":8}"#,
    );
    all.json("Event::Missed", &E::Missed { count: 3, of: None }, r#"{"type":"missed","count":3}"#);
    let counted = E::Missed { count: 2, of: Some(Repeated::Refusals) };
    all.json("Event::Missed of", &counted, r#"{"type":"missed","count":2,"of":"refusals"}"#);
    all.json("Event::LoggedIn", &E::LoggedIn { from: t(), device: K, mac: None }, r#"{"type":"logged_in","from":"t","device":"0101010101010101010101010101010101010101010101010101010101010101"}"#);
    all.json(
        "Event::LoginFailed",
        &E::LoginFailed {
            account: t(),
            from: t(),
            device: K,
            mac: Some(t()),
            why: LoginFailure::Password,
        },
        r#"{"type":"login_failed","account":"t","from":"t","device":"0101010101010101010101010101010101010101010101010101010101010101","mac":"t","why":"password"}"#,
    );
    all.json(
        "Event::LockedOut",
        &E::LockedOut { from: t(), until: 9, who: LockedOut::UnknownDevices },
        r#"{"type":"locked_out","from":"t","until":9,"who":"unknown_devices"}"#,
    );
    all.json(
        "Event::LoggedOut",
        &E::LoggedOut { why: LogoutCause::Asked },
        r#"{"type":"logged_out","why":"asked"}"#,
    );
    all.json("Event::PasswordChanged", &E::PasswordChanged, r#"{"type":"password_changed"}"#);
    all.json("Event::DeviceEnrolled", &E::DeviceEnrolled { device: K }, r#"{"type":"device_enrolled","device":"0101010101010101010101010101010101010101010101010101010101010101"}"#);
    all.assert_same();
}

#[test]
fn records_of_administrators_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json(
        "Event::AdminDid",
        &E::AdminDid { admin: t(), action: AdminAction::OperatorAdded, target: t(), detail: t() },
        r#"{"type":"admin_did","admin":"t","action":"operator_added","target":"t","detail":"t"}"#,
    );
    all.json(
        "Event::AdminRefused",
        &E::AdminRefused { from: t(), path: t(), admin: Some(t()), to_confirm: false },
        r#"{"type":"admin_refused","from":"t","path":"t","admin":"t"}"#,
    );
    all.json(
        "Event::LedgerRead",
        &E::LedgerRead { admin: t(), purpose: ReadPurpose::List, from: 0, to: 5 },
        r#"{"type":"ledger_read","admin":"t","purpose":"list","from":0,"to":5}"#,
    );
    all.json(
        "Event::Reviewed",
        &E::Reviewed { admin: t(), up_to: 5, note: t() },
        r#"{"type":"reviewed","admin":"t","up_to":5,"note":"t"}"#,
    );
    all.json(
        "Event::Pruned",
        &E::Pruned { admin: t(), before: 5, reason: t() },
        r#"{"type":"pruned","admin":"t","before":5,"reason":"t"}"#,
    );
    all.json(
        "Event::RestoreAcknowledged",
        &E::RestoreAcknowledged { admin: t(), from: 9, to: 5, reason: t() },
        r#"{"type":"restore_acknowledged","admin":"t","from":9,"to":5,"reason":"t"}"#,
    );
    all.assert_same();
}

#[test]
fn records_of_sessions_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json(
        "Event::RoomOpened",
        &E::RoomOpened { mode: Mode::View, policy: 1, reason: Some(t()) },
        r#"{"type":"room_opened","mode":"view","policy":1,"reason":"t"}"#,
    );
    all.json(
        "Event::PairingTried",
        &E::PairingTried { attempt: 1, from: t() },
        r#"{"type":"pairing_tried","attempt":1,"from":"t"}"#,
    );
    all.json(
        "Event::PairingFailed",
        &E::PairingFailed { attempt: 1 },
        r#"{"type":"pairing_failed","attempt":1}"#,
    );
    all.json(
        "Event::TooManyGuesses",
        &E::TooManyGuesses { from: t() },
        r#"{"type":"too_many_guesses","from":"t"}"#,
    );
    all.json("Event::Paired", &E::Paired { agent: K, from: t() }, r#"{"type":"paired","agent":"0101010101010101010101010101010101010101010101010101010101010101","from":"t"}"#);
    all.json(
        "Event::RequestRefused",
        &E::RequestRefused { reason: RefusalReason::Mode, from: None },
        r#"{"type":"request_refused","reason":"mode"}"#,
    );
    all.json(
        "Event::SessionClosed",
        &E::SessionClosed { reason: CloseReason::OtherEnd, by: Some(Witness::Agent) },
        r#"{"type":"session_closed","reason":"other_end","by":"agent"}"#,
    );
    all.json("Event::SessionTakenUp", &E::SessionTakenUp, r#"{"type":"session_taken_up"}"#);
    all.assert_same();
}

#[test]
fn records_of_consent_and_rights_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json("Event::ConsentAsked", &E::ConsentAsked { mode: Mode::View, shown: D }, r#"{"type":"consent_asked","mode":"view","shown":"0202020202020202020202020202020202020202020202020202020202020202"}"#);
    all.json(
        "Event::ConsentAnswered",
        &E::ConsentAnswered {
            mode: Mode::View,
            answer: Answer::Accepted,
            granted: Rights::of(&[Capability::SeeScreen]),
        },
        r#"{"type":"consent_answered","mode":"view","answer":"accepted","granted":["see_screen"]}"#,
    );
    all.json(
        "Event::RightAsked",
        &E::RightAsked { right: Capability::Operate },
        r#"{"type":"right_asked","right":"operate"}"#,
    );
    all.json(
        "Event::RightGranted",
        &E::RightGranted { right: Capability::Operate },
        r#"{"type":"right_granted","right":"operate"}"#,
    );
    all.json(
        "Event::RightRevoked",
        &E::RightRevoked { right: Capability::Operate },
        r#"{"type":"right_revoked","right":"operate"}"#,
    );
    all.json(
        "Event::ModeChanged",
        &E::ModeChanged { mode: Mode::Control },
        r#"{"type":"mode_changed","mode":"control"}"#,
    );
    all.json(
        "Event::Refused",
        &E::Refused { right: Capability::Operate },
        r#"{"type":"refused","right":"operate"}"#,
    );
    all.json(
        "Event::Violation",
        &E::Violation { right: Capability::Operate, count: 2 },
        r#"{"type":"violation","right":"operate","count":2}"#,
    );
    all.json("Event::TranscriptMismatch", &E::TranscriptMismatch, r#"{"type":"transcript_mismatch"}"#);
    all.assert_same();
}

#[test]
fn records_of_what_the_ends_did_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json(
        "Event::ScreenshotTaken",
        &E::ScreenshotTaken { path: Some(t()) },
        r#"{"type":"screenshot_taken","path":"t"}"#,
    );
    all.json(
        "Event::FileMoved",
        &E::FileMoved {
            direction: Direction::ToUser,
            path: t(),
            size: 5,
            sha256: D,
            overwrote: Overwrote::Announced,
            verdict: FileVerdict::Delivered,
        },
        r#"{"type":"file_moved","direction":"to_user","path":"t","size":5,"sha256":"0202020202020202020202020202020202020202020202020202020202020202","overwrote":"announced","verdict":"delivered"}"#,
    );
    all.json(
        "Event::ClipboardMoved",
        &E::ClipboardMoved { direction: Direction::ToOperator, kind: t(), size: 5 },
        r#"{"type":"clipboard_moved","direction":"to_operator","kind":"t","size":5}"#,
    );
    all.json("Event::ChatLine", &E::ChatLine { line: t() }, r#"{"type":"chat_line","line":"t"}"#);
    all.json("Event::Customer", &E::Customer { name: t() }, r#"{"type":"customer","name":"t"}"#);
    all.json("Event::Note", &E::Note { text: t() }, r#"{"type":"note","text":"t"}"#);
    all.json(
        "Event::RecordingStarted",
        &E::RecordingStarted { name: t() },
        r#"{"type":"recording_started","name":"t"}"#,
    );
    all.json(
        "Event::RecordingStopped",
        &E::RecordingStopped { name: t(), seconds: 5, size: 6 },
        r#"{"type":"recording_stopped","name":"t","seconds":5,"size":6}"#,
    );
    all.assert_same();
}

#[test]
fn records_of_connections_keep_their_words() {
    use Event as E;
    let mut all = Snapshots::default();
    all.json(
        "Event::Connected",
        &E::Connected {
            own_version: t(),
            peer_version: t(),
            path: t(),
            data_cipher: t(),
            media_cipher: t(),
            policy: 1,
            disclosed: vec![t()],
        },
        r#"{"type":"connected","own_version":"t","peer_version":"t","path":"t","data_cipher":"t","media_cipher":"t","policy":1,"disclosed":["t"]}"#,
    );
    all.json(
        "Event::Disconnected",
        &E::Disconnected { path: t(), why: t() },
        r#"{"type":"disconnected","path":"t","why":"t"}"#,
    );
    all.json(
        "Event::ReceiptKept",
        &E::ReceiptKept {
            sha256: D,
            lasted_s: 9,
            operator_version: t(),
            agent_version: t(),
            policy: 1,
            signed_by: vec![Witness::Agent],
        },
        r#"{"type":"receipt_kept","sha256":"0202020202020202020202020202020202020202020202020202020202020202","lasted_s":9,"operator_version":"t","agent_version":"t","policy":1,"signed_by":["agent"]}"#,
    );
    all.json(
        "Event::LedgerRolledBack",
        &E::LedgerRolledBack { seen: 9, found: 5 },
        r#"{"type":"ledger_rolled_back","seen":9,"found":5}"#,
    );
    all.json(
        "Event::Ended",
        &E::Ended { reason: EndReason::UserEnded, by: Witness::Agent },
        r#"{"type":"ended","reason":"user_ended","by":"agent"}"#,
    );
    all.assert_same();
}

/// An exported file's items, by the byte that opens each.
#[test]
fn items_of_an_export_keep_their_numbers() {
    let (seed, key) = (Seed::from_bytes([1; 32]), LogSecretKey::from_bytes([1; 32]).public());
    let envelope = DataKey::new(&seed).seal(&[key], TenantId([1; 8]), &seed);
    let header = Header { bundle: Blob::default(), wrapped: Vec::new(), from: 0, before: D };
    let mut all = Snapshots::default();
    let first = |item: Item| item.frame()[4];
    all.byte("Item::Header", first(Item::Header(header)), 0);
    all.byte("Item::Tombstone", first(Item::Tombstone(Blob::default())), 1);
    all.byte("Item::Key", first(Item::Key(envelope.expect("one key"))), 2);
    all.byte("Item::Record", first(Item::Record(StoredRow { leaf: D, row: None })), 3);
    all.byte("Item::Checkpoint", first(Item::Checkpoint(t())), 4);
    all.byte("Item::Acknowledgement", first(Item::Acknowledgement(Blob::default())), 5);
    all.assert_same();
}
