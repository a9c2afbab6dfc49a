//! Where the organisation's keys are: on the administrator's computer, and nowhere else (R9).

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;

use ed25519_dalek::SigningKey;
use tasuki_admin::client::Client;
use tasuki_admin::profile::{Place, Profile};
use tasuki_admin::vault::{Master, Passphrase};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::keys::{LOG_KEYS_PATH, Vault, WrappedLogKey, WrappedLogKeys};
use tasuki_protocol::ledger::audit::Item;
use tasuki_protocol::ledger::export::Splitter;
use tasuki_protocol::ledger::keys::SealedKey;
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_tests::running::until;
use tasuki_tests::stack::{House, all_bytes_below};
use tasuki_tests::tapping::encodings;

/// As the vault has it now.
pub(crate) fn master(house: &House, passphrase: &str) -> Master {
    let vault = fs::read(house.folder().join("admin/vault.json")).expect("the vault");
    let vault: Vault = serde_json::from_slice(&vault).expect("a vault");
    Master::unwrap(&vault, &Passphrase::entered(passphrase)).expect("its passphrase")
}

/// Private halves of log keys that this master has wrapped; not those of the one before it.
pub(crate) fn opened_log_keys(house: &House, master: &Master) -> Vec<[u8; 32]> {
    let wrapped = wrapped_log_keys(house);
    wrapped.iter().filter_map(|key| Some(master.unwrap_log_key(key).ok()?.to_bytes())).collect()
}

/// As the server keeps them for administrators.
fn wrapped_log_keys(house: &House) -> Vec<WrappedLogKey> {
    let profile = Profile::at(house.folder().join("admin"));
    let place = Place::of(&profile.bundle(None).expect("a bundle"));
    let key: SigningKey = profile.key().expect("a key");
    let client = Client { place: &place, key: Some(&key), sign_in: Some(&profile) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let kept = runtime.block_on(client.fetch::<WrappedLogKeys>(LOG_KEYS_PATH)).expect("the keys");
    kept.log_keys
}

/// All that a process holds and may write to (proc(5)): its memory, without the program and its libraries.
fn memory_of(process: u32) -> Vec<u8> {
    let file = |name: &str| File::open(format!("/proc/{process}/{name}")).expect("its memory");
    let memory = file("mem");
    let mut all = Vec::new();
    for line in BufReader::new(file("maps")).lines() {
        let line = line.expect("a line");
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        let Some((from, to)) = range.split_once('-').filter(|_| rights.starts_with("rw")) else {
            continue;
        };
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("its size")];
        // What was given back meanwhile is not there any more.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            all.extend(bytes);
        }
    }
    all
}

/// Whether one of `needles` is there, by their first two bytes: once through, however many they are.
pub(crate) fn any_in(bytes: &[u8], needles: &[Vec<u8>]) -> bool {
    let mut begins: Vec<Vec<&[u8]>> = vec![Vec::new(); 1 << 16];
    let place = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    for needle in needles {
        begins[place(needle)].push(needle);
    }
    let at =
        |at: usize| begins[place(&bytes[at..])].iter().any(|needle| bytes[at..].starts_with(needle));
    (0..bytes.len().saturating_sub(1)).any(at)
}

/// The data keys of the ledger, the newest last, as the holder of these log keys opens them from an export.
fn data_keys(house: &House, log_keys: &[[u8; 32]]) -> Vec<Vec<u8>> {
    let file = house.folder().join("keys.export");
    house.administrate(&["audit", "export", file.to_str().expect("a name")]).expect("exported");
    let mut export = Splitter::default();
    export.push(&fs::read(&file).expect("the export"));
    fs::remove_file(file).expect("read");
    let (mut tenant, mut keys) = (None, Vec::new());
    while let Some(item) = export.item().expect("an item") {
        match item {
            Item::Header(header) => {
                tenant = Some(Bundle::open_first(&header.bundle.0).expect("a bundle").tenant);
            }
            Item::Key(envelope) => {
                let (sealed, tenant) = (Vec::<SealedKey>::from(envelope), tenant.expect("a head"));
                let open = |key: &[u8; 32]| {
                    let key = LogSecretKey::from_bytes(*key);
                    let open = |seal: &SealedKey| {
                        key.open(b"tasuki-data-key-v1", &tenant.0, &seal.sealed.0).ok()
                    };
                    sealed.iter().find_map(open)
                };
                keys.push(log_keys.iter().find_map(open).expect("a log key opens it"));
            }
            Item::Tombstone(_) | Item::Acknowledgement(_) | Item::Record(_) | Item::Checkpoint(_) => {}
        }
    }
    keys
}

/// T63: a key that records are sealed with is not in the server's folder, nor in a log that tells everything, whether it
/// is in use, was thrown away while the server ran, or was another run's; and in its memory is the one in use alone.
#[test]
fn t63_no_data_key_is_written_down_at_the_server() {
    let mut house = House::set_up().expect("a house");
    house.restart_talkative_server().expect("it comes up");
    house.sign_in_administrator().expect("signed in");
    // Records that are sealed to another log key are so under a data key of its own.
    house.administrate(&["key", "rotate", "log", "--yes"]).expect("changed");
    let log_keys = opened_log_keys(&house, &master(&house, house.secrets()[0]));
    // One of the run before, and two of this one; an export ends where a checkpoint does.
    let keys = until("a checkpoint over a record under the newest key", || {
        let keys = data_keys(&house, &log_keys);
        Ok((keys.len() >= 3).then_some(keys))
    });
    let keys = keys.expect("signed");
    let mut there = all_bytes_below(&house.folder().join("server")).expect("its folder");
    there.extend(house.server.log().tail(usize::MAX).into_bytes());
    for (at, key) in keys.iter().enumerate() {
        assert!(!any_in(&there, &encodings(key)), "data key {at} of {} is written down", keys.len());
    }
    let hex = |key: &Vec<u8>| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let memory = memory_of(house.server.id());
    let held = keys.iter().filter(|key| any_in(&memory, &[(*key).clone(), hex(key).into_bytes()]));
    assert_eq!(held.count(), 1, "of {} the one in use", keys.len());
}

/// R9, S49, S50: neither in the server's folder, nor in a log that tells everything, nor in its memory is what
/// the keys grow from, or the private half of one, also after each was changed.
#[test]
fn r9_s49_s50_no_private_half_of_the_organisations_keys_ever_comes_to_the_server() {
    let mut house = House::set_up().expect("a house");
    house.restart_talkative_server().expect("it comes up");
    house.sign_in_administrator().expect("signed in");
    let mut secrets: Vec<[u8; 32]> = Vec::new();
    let mut note = |house: &House| {
        let master = master(house, house.secrets()[0]);
        secrets.extend([*master.bytes(), master.root().to_bytes(), master.lock().to_bytes()]);
        secrets.extend(opened_log_keys(house, &master));
    };
    note(&house);
    for kind in ["lock", "log", "root"] {
        house.administrate(&["key", "rotate", kind, "--yes"]).expect("changed");
        note(&house);
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(
        secrets.len(),
        9,
        "two masters, each with its root and its lock, one lock more, two log keys"
    );
    let root = master(&house, house.secrets()[0]).root().verifying_key().to_bytes();
    let memory = memory_of(house.server.id());
    assert!(any_in(&memory, &[root.to_vec()]), "the public half is, as bytes");
    let mut there = all_bytes_below(&house.folder().join("server")).expect("its folder");
    there.extend(house.server.log().tail(usize::MAX).into_bytes());
    assert!(any_in(&there, &encodings(&root)), "the public half is");
    let needles: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
    assert!(!any_in(&there, &needles), "a private half is at the server");
    let hex = |secret: &[u8; 32]| secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let raw = secrets.iter().flat_map(|secret| [secret.to_vec(), hex(secret).into_bytes()]);
    assert!(!any_in(&memory, &raw.collect::<Vec<_>>()), "a private half is in the server's memory");
}
