//! The organisation's keys in tests' hands: what `tasuki-admin` does with them, and what nobody
//! should.

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::devices::{APPROVE_PATH, ApproveDevice};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::keys::{
    Kdf, PUBLISH_PATH, PublishBundle, SERVER_KEYS_PATH, ServerKeys, Wrapped, WrappedLogKey,
};
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::{Capability, Mode, Rights};

use crate::client::{Answer, PASSWORD, World, device_key, unix};

impl World {
    /// Without the organisation's keys.
    pub(crate) async fn uninitialised() -> Self {
        Self::begun(&[]).await
    }

    pub(crate) async fn server_keys(&self) -> ServerKeys {
        let answer = self.admin_get(SERVER_KEYS_PATH).await;
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// What `tasuki-admin init` does, with keys that tests know.
    pub(crate) async fn initialise(&self) {
        let answer = self.publish(&self.first_bundle().await, &[&root_key()]).await;
        assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
    }

    pub(crate) async fn first_bundle(&self) -> Bundle {
        let keys = self.server_keys().await;
        Bundle {
            v: PROTOCOL_VERSION,
            version: 1,
            tenant: keys.tenant,
            organisation: keys.organisation,
            host: keys.host,
            port: keys.port,
            root: device_key(&root_key()),
            server_pins: vec![keys.server_pin],
            manifest_keys: vec![keys.manifest_key],
            checkpoint_keys: vec![keys.checkpoint_key],
            lock_keys: vec![device_key(&lock_key())],
            log_keys: vec![LogSecretKey::from_bytes([23; 32]).public()],
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: unix(),
            expires_at: unix() + 86_400,
        }
    }

    pub(crate) async fn publish(&self, bundle: &Bundle, roots: &[&SigningKey]) -> Answer {
        self.publish_after(&[], bundle, roots).await
    }

    /// With envelopes by which the root changed before it.
    pub(crate) async fn publish_after(
        &self,
        handovers: &[Vec<u8>],
        bundle: &Bundle,
        roots: &[&SigningKey],
    ) -> Answer {
        let log_keys = bundle.log_keys.iter().map(|public| WrappedLogKey {
            v: PROTOCOL_VERSION,
            tenant: bundle.tenant,
            public: public.clone(),
            created_at: unix(),
            by_passphrase: wrapped(true),
            by_master: wrapped(false),
        });
        let order = PublishBundle {
            bundle: Blob(dsse::sign_by_all(bundle, roots)),
            log_keys: log_keys.collect(),
            handovers: handovers.iter().cloned().map(Blob).collect(),
        };
        self.admin_post(PUBLISH_PATH, &order).await
    }

    /// A certificate of the lock key, for all that the account may.
    pub(crate) fn certificate(&self, name: &str, device: &SigningKey) -> Certificate {
        Certificate {
            v: PROTOCOL_VERSION,
            tenant: self.done.tenant,
            operator: name.to_owned(),
            display_name: format!("Operator {name}"),
            device: device_key(device),
            modes: Mode::ALL.to_vec(),
            rights: Rights::of(&Capability::ALL),
            not_before: unix(),
            not_after: unix() + 86_400,
        }
    }

    pub(crate) async fn approve(&self, certificate: &Certificate, by: &SigningKey) -> Answer {
        let certificate = Blob(dsse::sign(certificate, by));
        self.admin_post(APPROVE_PATH, &ApproveDevice { certificate }).await
    }

    /// A device that has asked with its code, and was approved.
    pub(crate) async fn enrol_device(&self, name: &str, device: &SigningKey, code: &str) {
        let answer = self.login(name, PASSWORD, device, Some(code)).await;
        assert_eq!(answer.login(), LoginAnswer::DevicePending);
        let certificate = self.certificate(name, device);
        assert_eq!(self.approve(&certificate, &lock_key()).await.status, 204);
    }

    pub(crate) fn bundle(&self) -> Bundle {
        let envelope = std::fs::read(self.data().join(BUNDLE_FILE)).unwrap();
        Bundle::open_first(&envelope).unwrap()
    }

    pub(crate) fn authorities(&self) -> Authorities {
        let bundle = self.bundle();
        Authorities {
            tenant: bundle.tenant,
            manifest_keys: bundle.manifest_keys,
            lock_keys: bundle.lock_keys,
            revoked: Vec::new(),
            unix: unix(),
        }
    }
}

pub(crate) fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[21; 32])
}

pub(crate) fn lock_key() -> SigningKey {
    SigningKey::from_bytes(&[22; 32])
}

/// Of the right form; nobody opens it.
fn wrapped(by_passphrase: bool) -> Wrapped {
    let kdf = Kdf { memory_kib: 64 * 1024, passes: 3, lanes: 1, salt: Blob(vec![0; 16]) };
    Wrapped { kdf: by_passphrase.then_some(kdf), nonce: Blob(vec![0; 12]), sealed: Blob(vec![0; 48]) }
}
