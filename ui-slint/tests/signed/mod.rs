//! An organisation's signed file.

#![allow(dead_code, reason = "each test program uses another part")]

use ed25519_dalek::SigningKey;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::log_key::LogSecretKey;

pub(crate) const ORGANISATION: &str = "Example Help Desk";

/// As an administrator signs it.
pub(crate) fn bundle(v: u16) -> Vec<u8> {
    sign(&Bundle { v, ..plain() })
}

pub(crate) fn bundle_until(expires_at: u64) -> Vec<u8> {
    sign(&Bundle { expires_at, ..plain() })
}

fn plain() -> Bundle {
    let root = root();
    let public = |key: &SigningKey| DeviceKey(key.verifying_key().to_bytes());
    let keys = || vec![public(&root)];
    Bundle {
        v: PROTOCOL_VERSION,
        version: 1,
        tenant: TenantId([7; 8]),
        organisation: ORGANISATION.to_owned(),
        host: "localhost".to_owned(),
        port: 1,
        root: public(&root),
        server_pins: vec![Digest([1; 32])],
        manifest_keys: keys(),
        checkpoint_keys: keys(),
        lock_keys: keys(),
        log_keys: vec![LogSecretKey::from_bytes([14; 32]).public()],
        wrapped_log_keys: None,
        least_list: None,
        earlier_decrees: Vec::new(),
        issued_at: 0,
        expires_at: u64::MAX,
    }
}

fn sign(bundle: &Bundle) -> Vec<u8> {
    dsse::sign(bundle, &root())
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[12; 32])
}
