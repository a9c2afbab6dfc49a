//! Ledgers made up record by record, as a server would have exported them.

use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, Role, SessionId, TenantId};
use tasuki_protocol::keys::{Kdf, Wrapped, WrappedLogKey, digest_of_wrapped};
use tasuki_protocol::ledger::audit::{EXPORT_MAGIC, Header, Item};
use tasuki_protocol::ledger::checkpoint::Checkpoint;
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::keys::DataKey;
use tasuki_protocol::ledger::record::{FromEnd, Opened, Place, seal, seal_at_end};
use tasuki_protocol::ledger::tree::{Frontier, Hash};
use tasuki_protocol::ledger::wire::StoredRow;
use tasuki_protocol::log_key::{LogPublicKey, LogSecretKey};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal;

pub(crate) const TENANT: TenantId = TenantId([1; 8]);
/// 2026-07-01 00:00:00 UTC.
pub(crate) const BEGAN: u64 = 1_782_864_000_000;
pub(crate) const NOTHING_BEFORE: Hash = Digest([0; 32]);

pub(crate) fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[21; 32])
}

pub(crate) fn checkpoint_key() -> SigningKey {
    SigningKey::from_bytes(&[24; 32])
}

pub(crate) fn log_key() -> LogSecretKey {
    LogSecretKey::from_bytes([23; 32])
}

pub(crate) fn public(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

pub(crate) fn bundle(root: &SigningKey) -> Bundle {
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
        checkpoint_keys: vec![public(&checkpoint_key())],
        lock_keys: vec![DeviceKey([3; 32])],
        log_keys: vec![log_key().public()],
        wrapped_log_keys: None,
        least_list: None,
        earlier_decrees: Vec::new(),
        issued_at: 1,
        expires_at: 2,
    }
}

/// The log key as `tasuki-admin init` wraps it, at the least cost that the program accepts: the
/// tests open it often.
fn wrapped(passphrase: &str) -> WrappedLogKey {
    let kdf = Kdf { memory_kib: 19 * 1024, passes: 1, lanes: 1, salt: Blob(vec![6; 16]) };
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    argon2.hash_password_into(passphrase.as_bytes(), &kdf.salt.0, &mut key).unwrap();
    let public = log_key().public();
    let costs = format!("{} {} {}", kdf.memory_kib, kdf.passes, kdf.lanes);
    let context = [b"tasuki-log-key-v1".as_slice(), &TENANT.0, &public.0.0].concat();
    let bound = [costs.as_bytes(), &kdf.salt.0, &context].concat();
    let payload = Payload { msg: &log_key().to_bytes(), aad: &bound };
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(key));
    let sealed = cipher.encrypt(&Nonce::from([8; 12]), payload).unwrap();
    let by = |kdf, sealed| Wrapped { kdf, nonce: Blob(vec![8; 12]), sealed: Blob(sealed) };
    WrappedLogKey {
        v: PROTOCOL_VERSION,
        tenant: TENANT,
        public,
        created_at: 1,
        by_passphrase: by(Some(kdf), sealed),
        by_master: by(None, vec![0; 48]),
    }
}

/// What a server would have written, a checkpoint behind each record.
pub(crate) struct Ledger {
    pub(crate) items: Vec<Item>,
    frontier: Frontier,
    before: Hash,
    key: DataKey,
    key_digest: Hash,
    ends: u8,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self::with_wrapped(Vec::new(), &log_key().public())
    }

    /// With its log key under `passphrase`, as the server keeps it.
    pub(crate) fn under(passphrase: &str) -> Self {
        Self::sealed_to(&log_key().public(), passphrase)
    }

    /// With records for the holder of a log key that may not be in it.
    pub(crate) fn sealed_to(to: &LogPublicKey, passphrase: &str) -> Self {
        Self::with_wrapped(vec![Blob(signal::encode(&wrapped(passphrase)).into_bytes())], to)
    }

    fn with_wrapped(wrapped: Vec<Blob>, to: &LogPublicKey) -> Self {
        let seed = Seed::from_bytes([5; 32]);
        let key = DataKey::new(&seed);
        let envelope = key.seal(std::slice::from_ref(to), TENANT, &seed).unwrap();
        let digest = digest_of_wrapped(wrapped.iter().map(|key| key.0.as_slice()));
        let signed = Bundle { wrapped_log_keys: Some(digest), ..bundle(&root_key()) };
        let header = Header {
            bundle: Blob(dsse::sign(&signed, &root_key())),
            wrapped,
            from: 0,
            before: NOTHING_BEFORE,
        };
        let key_digest = envelope.digest();
        let items = vec![Item::Header(header), Item::Key(envelope)];
        let (frontier, before) = (Frontier::default(), NOTHING_BEFORE);
        Self { items, frontier, before, key, key_digest, ends: 0 }
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// One record `minute` minutes after the beginning.
    pub(crate) fn server(&mut self, minute: u64, entry: Entry) {
        let class = entry.event.class();
        self.put(minute, Opened::Entry(entry), class);
    }

    pub(crate) fn end(
        &mut self,
        minute: u64,
        (session, role, number): (SessionId, Role, u64),
        event: Event,
    ) {
        self.ends += 1;
        let seed = Seed::from_bytes([100 + self.ends; 32]);
        let entry = Entry { by: Witness::Server, session: None, operator: None, event };
        let to = [log_key().public()];
        let sealed = seal_at_end(&entry, (session, role, number), &to, TENANT, &seed).unwrap();
        let class = tasuki_protocol::ledger::event::Class::Content;
        self.put(minute, Opened::FromEnd(FromEnd { session, role, number, sealed }), class);
    }

    fn put(&mut self, minute: u64, opened: Opened, class: tasuki_protocol::ledger::event::Class) {
        let place = Place { seq: self.size(), at: BEGAN + minute * 60_000, class };
        let row = seal(&opened, place, self.before, &self.key, self.key_digest, TENANT).unwrap();
        let leaf = row.leaf(TENANT);
        self.before = leaf;
        self.frontier.push(leaf, |_, _| {});
        self.items.push(Item::Record(StoredRow { leaf, row: Some(row) }));
        self.items.push(Item::Checkpoint(self.note()));
    }

    /// The newest checkpoint.
    pub(crate) fn note(&self) -> String {
        let (size, root) = (self.size(), self.frontier.root());
        Checkpoint { tenant: TENANT, size, root, at: BEGAN / 1000 }.sign(&checkpoint_key())
    }

    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        write(folder, &self.items)
    }
}

pub(crate) fn write(folder: &Path, items: &[Item]) -> PathBuf {
    let file = folder.join("ledger.export");
    let bytes = items.iter().fold(EXPORT_MAGIC.to_vec(), |all, item| [all, item.frame()].concat());
    std::fs::write(&file, bytes).unwrap();
    file
}

/// The record of an operator's act that the server saw.
pub(crate) fn seen(operator: &str, session: Option<SessionId>, event: Event) -> Entry {
    Entry::server(event).of(session, Some(operator.to_owned()))
}
