//! What an auditor waits for: the shipped `tasuki-admin audit verify` over an exported ledger, without its key.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::keys::digest_of_wrapped;
use tasuki_protocol::ledger::audit::{EXPORT_MAGIC, Header, Item};
use tasuki_protocol::ledger::event::Entry;
use tasuki_protocol::ledger::record::Opened;
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::ledger::wire::StoredRow;
use tasuki_protocol::log_key::{LogPublicKey, LogSecretKey};
use tasuki_protocol::seed::Seed;
use tasuki_signaling::core::ledger::{Book, Moment, NOTHING_BEFORE, Write};

use crate::Figure;
use crate::records::happened;
use crate::server::seconds_of;

/// Records between two checkpoints.
const BETWEEN_NOTES: u64 = 1000;
const TENANT: TenantId = TenantId([1; 8]);
/// How often a program that runs is looked at.
const LOOK: Duration = Duration::from_millis(5);

pub(crate) fn verified(records: u64) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.export");
    let bytes = exported(&file, records);
    let admin = std::env::current_exe().unwrap().parent().unwrap().with_file_name("tasuki-admin");
    let mut verify = Command::new(admin);
    verify.arg("--profile").arg(folder.path()).args(["audit", "verify", "--file"]).arg(&file);
    let (seconds, resident) = spent(&mut verify);
    let (hashing, _) = spent(Command::new("sha256sum").arg(&file));
    vec![
        Figure::plain(
            &format!("`tasuki-admin audit verify` of {records} records ({} MB)", bytes / 1_000_000),
            format!(
                "{seconds:.1} s of CPU, {:.0} a second, {resident:.0} MB resident",
                records as f64 / seconds
            ),
        ),
        Figure::plain(
            "its CPU time beside `sha256sum` of the same file",
            format!("{:.1} times", seconds / hashing),
        ),
    ]
}

/// As a server would have written it; gives its size in bytes.
fn exported(file: &Path, records: u64) -> u64 {
    const LOT: u64 = 100;
    let (root, signer) = (SigningKey::from_bytes(&[9; 32]), SigningKey::from_bytes(&[3; 32]));
    let log_key = LogSecretKey::from_bytes([2; 32]).public();
    let mut out = BufWriter::new(File::create(file).unwrap());
    out.write_all(EXPORT_MAGIC).unwrap();
    let bundle = Blob(dsse::sign(&bundle(&root, &signer, log_key.clone()), &root));
    let header = Header { bundle, wrapped: Vec::new(), from: 0, before: NOTHING_BEFORE };
    out.write_all(&Item::Header(header).frame()).unwrap();
    let seed = Seed::from_bytes([4; 32]);
    let mut book = Book::new(TENANT, vec![log_key], seed, Frontier::default(), NOTHING_BEFORE);
    let (start, entry) = (Instant::now(), Opened::Entry(Entry::server(happened())));
    while book.size() < records {
        let at = Duration::from_millis(book.size());
        let moment = Moment { instant: start + at, unix_ms: 1_700_000_000_000 + book.size() };
        let mut draft = book.draft(LOT, moment).unwrap();
        for _ in 0..LOT {
            draft.append(&entry, happened().class()).unwrap();
        }
        for frame in draft.writes.iter().filter_map(frame) {
            out.write_all(&frame).unwrap();
        }
        book.commit(draft);
        if book.size().is_multiple_of(BETWEEN_NOTES) || book.size() >= records {
            let note = Item::Checkpoint(book.checkpoint(moment).sign(&signer));
            out.write_all(&note.frame()).unwrap();
        }
    }
    out.into_inner().unwrap().metadata().unwrap().len()
}

fn bundle(root: &SigningKey, signer: &SigningKey, log_key: LogPublicKey) -> Bundle {
    let public = |key: &SigningKey| DeviceKey(key.verifying_key().to_bytes());
    Bundle {
        v: PROTOCOL_VERSION,
        version: 1,
        tenant: TENANT,
        organisation: "Example KK".to_owned(),
        host: "help.example".to_owned(),
        port: 443,
        root: public(root),
        server_pins: vec![Digest([1; 32])],
        manifest_keys: vec![DeviceKey([2; 32])],
        checkpoint_keys: vec![public(signer)],
        lock_keys: vec![DeviceKey([3; 32])],
        log_keys: vec![log_key],
        wrapped_log_keys: Some(digest_of_wrapped(std::iter::empty::<&[u8]>())),
        least_list: None,
        earlier_decrees: Vec::new(),
        issued_at: 1,
        expires_at: 2,
    }
}

fn frame(write: &Write) -> Option<Vec<u8>> {
    match write {
        Write::Key(_, envelope) => Some(Item::Key(envelope.clone()).frame()),
        Write::Row(row, leaf) => {
            Some(Item::Record(StoredRow { leaf: *leaf, row: Some(row.clone()) }).frame())
        }
        Write::Node(..) => None,
    }
}

/// Seconds of CPU that a program took until it ended well, user and system, and how many MB it held at most.
fn spent(command: &mut Command) -> (f64, f64) {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0.0;
    loop {
        let status = std::fs::read_to_string(&status).unwrap();
        if let Some(line) = status.lines().find(|line| line.starts_with("VmHWM")) {
            most = line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1000.0;
        }
        // Ended, and nobody has asked how: all that it took stands there still.
        if status.lines().any(|line| line.starts_with("State:") && line.contains("zombie")) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    let seconds = seconds_of(child.id());
    assert!(child.wait().unwrap().success(), "{command:?}");
    (seconds, most)
}
