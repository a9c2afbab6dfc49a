//! Where the organisation's keys are: on the administrator's computer, and nowhere else (R9).

use std::fs;

use tasuki_admin::vault::{Master, Passphrase};
use tasuki_protocol::keys::Vault;
use tasuki_tests::stack::{House, all_bytes_below};
use tasuki_tests::tapping::encodings;

/// As the vault has it now.
fn master(house: &House) -> Master {
    let vault = fs::read(house.folder().join("admin/vault.json")).expect("the vault");
    let vault: Vault = serde_json::from_slice(&vault).expect("a vault");
    Master::unwrap(&vault, &Passphrase::entered(house.secrets()[0])).expect("its passphrase")
}

/// R9: neither in the server's folder, nor in a log that tells everything, is what the keys grow from, or the
/// private half of one, also after each was changed.
#[test]
fn r9_no_private_half_of_the_organisations_keys_ever_comes_to_the_server() {
    let mut house = House::set_up().expect("a house");
    house.restart_talkative_server().expect("it comes up");
    house.sign_in_administrator().expect("signed in");
    let mut secrets: Vec<[u8; 32]> = Vec::new();
    let mut note = |master: &Master| {
        secrets.extend([*master.bytes(), master.root().to_bytes(), master.lock().to_bytes()]);
    };
    note(&master(&house));
    for kind in ["lock", "log", "root"] {
        house.administrate(&["key", "rotate", kind]).expect("changed");
        note(&master(&house));
    }
    let mut there = all_bytes_below(&house.folder().join("server")).expect("its folder");
    there.extend(house.server.log().tail(usize::MAX).into_bytes());
    let is_there = |needle: &[u8]| there.windows(needle.len()).any(|window| window == needle);
    let root = master(&house).root().verifying_key().to_bytes();
    assert!(encodings(&root).iter().any(|needle| is_there(needle)), "the public half is");
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 7, "two masters, each with its root and its lock, and one lock more");
    for needle in secrets.iter().flat_map(|secret| encodings(secret)) {
        assert!(!is_there(&needle), "a private half is at the server");
    }
}
