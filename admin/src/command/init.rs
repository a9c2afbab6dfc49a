//! The first administrator's enrolment.

use ed25519_dalek::{Signer, SigningKey};
use tasuki_protocol::admin::{ADMIN_PROOF, ENROL_PATH, EnrolAdmin};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::DeviceKey;
use zeroize::Zeroizing;

use super::{Printed, Settings, random};
use crate::client::Client;
use crate::fault::Fault;
use crate::prompt;

pub(super) async fn enrol(settings: &Settings, name: &str) -> Result<Printed, Fault> {
    let language = settings.language();
    let profile = settings.profile();
    let trusted = profile.trust(settings.bundle.as_deref())?;
    let token = prompt::secret(&language.ask_token())?;
    let key = match profile.key() {
        Ok(key) => key,
        Err(Fault::NotEnrolled(_)) => SigningKey::from_bytes(&*random::<32>()?),
        Err(fault) => return Err(fault),
    };
    let signed = Zeroizing::new([ADMIN_PROOF, "\n", token.as_str()].concat());
    let request = EnrolAdmin {
        token: token.to_string(),
        name: name.to_owned(),
        key: DeviceKey(key.verifying_key().to_bytes()),
        proof: Blob(key.sign(signed.as_bytes()).to_bytes().to_vec()),
    };
    // Kept before the server takes it: an administrator's key that nobody holds is a lost server.
    profile.keep(&key, &trusted)?;
    let client = Client { bundle: &trusted.bundle, key: None };
    client.post::<serde_json::Value>(ENROL_PATH, &request).await?;
    Ok(Printed {
        text: language.enrolled(&trusted.bundle.organisation),
        json: serde_json::json!({ "organisation": trusted.bundle.organisation, "key": request.key }),
    })
}
