//! Signed documents: Ed25519 over the exact bytes and their declared type.
//!
//! The envelope is DSSE v1 (pre-authentication encoding). The bytes received are
//! verified first and parsed afterwards; nothing is ever signed or checked over
//! a re-serialisation (threats B5). One key has one purpose: each document has
//! its own payload type, and a manifest never passes as anything else.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::DeviceKey;

/// The most bytes that a signed document may have, unless its type says otherwise. T15.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024;
/// The most bytes that the envelope of such a document may have. T15.
pub const MAX_ENVELOPE_BYTES: usize = MAX_DOCUMENT_BYTES + MAX_DOCUMENT_BYTES / 2;

/// A document that can be signed: strict JSON under a type name of its own.
pub trait Document: Serialize + DeserializeOwned {
    const PAYLOAD_TYPE: &'static str;
    /// The most bytes that it may have. T15.
    const MAX_BYTES: usize = MAX_DOCUMENT_BYTES;
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: Blob,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    keyid: DeviceKey,
    sig: Blob,
}

/// The envelope of `document`, signed by `key`.
pub fn sign<D: Document>(document: &D, key: &SigningKey) -> Vec<u8> {
    let payload = serde_json::to_vec(document).unwrap_or_default();
    let signature = key.sign(&pae(D::PAYLOAD_TYPE, &payload));
    let envelope = Envelope {
        payload_type: D::PAYLOAD_TYPE.to_owned(),
        payload: Blob(payload),
        signatures: vec![EnvelopeSignature {
            keyid: DeviceKey(key.verifying_key().to_bytes()),
            sig: Blob(signature.to_bytes().to_vec()),
        }],
    };
    serde_json::to_vec(&envelope).unwrap_or_default()
}

/// The document in `envelope`, once one of `trusted` is known to have signed it.
///
/// # Errors
/// See [`DocumentRefused`]; each is final, nothing may be used of the document.
pub fn open<D: Document>(envelope: &[u8], trusted: &[DeviceKey]) -> Result<D, DocumentRefused> {
    let envelope = parse_envelope::<D>(envelope)?;
    if envelope.payload_type != D::PAYLOAD_TYPE {
        return Err(DocumentRefused::OtherType);
    }
    if envelope.payload.0.len() > D::MAX_BYTES {
        return Err(DocumentRefused::TooLarge);
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(DocumentRefused::Malformed);
    };
    if !trusted.contains(&signature.keyid) {
        return Err(DocumentRefused::UnknownKey);
    }
    let key = VerifyingKey::from_bytes(&signature.keyid.0).map_err(|_| DocumentRefused::UnknownKey)?;
    let bytes = Signature::from_slice(&signature.sig.0).map_err(|_| DocumentRefused::Forged)?;
    key.verify_strict(&pae(D::PAYLOAD_TYPE, &envelope.payload.0), &bytes)
        .map_err(|_| DocumentRefused::Forged)?;
    strict_json(&envelope.payload.0)
}

/// As [`open`], trusting the key that the document itself names: for the first
/// sight of a document whose signer is then pinned or compared by the caller.
///
/// # Errors
/// As [`open`].
pub fn open_self_signed<D: Document>(envelope: &[u8]) -> Result<(D, DeviceKey), DocumentRefused> {
    let named = parse_envelope::<D>(envelope)?.signatures.first().map(|s| s.keyid);
    let signer = named.ok_or(DocumentRefused::Malformed)?;
    open(envelope, &[signer]).map(|document| (document, signer))
}

/// JSON that is one object, no field unknown or twice, nothing behind it. T15.
///
/// # Errors
/// [`DocumentRefused::Malformed`].
pub fn strict_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DocumentRefused> {
    if bytes.first() != Some(&b'{') {
        return Err(DocumentRefused::Malformed);
    }
    serde_json::from_slice(bytes).map_err(|_| DocumentRefused::Malformed)
}

/// Why a signed document counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DocumentRefused {
    #[error("the document is too large")]
    TooLarge,
    #[error("the document is not in the strict form")]
    Malformed,
    #[error("the document is of another type")]
    OtherType,
    #[error("the document was signed by a key that is not trusted for it")]
    UnknownKey,
    #[error("the signature does not match the document")]
    Forged,
}

/// The payload grows by a third in base64; the rest is for type, key and signature.
fn parse_envelope<D: Document>(bytes: &[u8]) -> Result<Envelope, DocumentRefused> {
    if bytes.len() > D::MAX_BYTES + D::MAX_BYTES / 2 {
        return Err(DocumentRefused::TooLarge);
    }
    strict_json(bytes)
}

fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}
