//! What a server for tests says is newer in what programs trust.

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, ListMark, TrustNews};
use tasuki_protocol::certificate::Revocations;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::PROTOCOL_VERSION;

use super::server::{LOCK_KEY, ROOT_KEY, Server, TENANT, public};

impl Server {
    /// From now on it shows a bundle of this version, good until `expires_at`, that asks for the list of revoked
    /// devices of version `least`; and the list of version `shown`.
    pub(crate) fn tells(&self, (version, expires_at): (u64, u64), least: u64, shown: Option<u64>) {
        let bundle = Bundle {
            version,
            expires_at,
            least_list: Some(ListMark { version: least, by: public(LOCK_KEY) }),
            ..self.first_bundle(self.pin, "localhost", PROTOCOL_VERSION)
        };
        let list = |version| Revocations {
            v: PROTOCOL_VERSION,
            tenant: TENANT,
            version,
            devices: vec![public([99; 32])],
            issued_at: 0,
        };
        let news = TrustNews {
            bundle: Blob(dsse::sign(&bundle, &SigningKey::from_bytes(&ROOT_KEY))),
            handovers: Vec::new(),
            revocations: shown
                .map(|version| Blob(dsse::sign(&list(version), &SigningKey::from_bytes(&LOCK_KEY)))),
        };
        *self.news.lock().unwrap() = Some(news);
    }
}
