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
/// The most bytes that the envelope of such a document may have.
pub const MAX_ENVELOPE_BYTES: usize = envelope_bytes(MAX_DOCUMENT_BYTES);

/// A document that can be signed: strict JSON under a type name of its own.
pub trait Document: Serialize + DeserializeOwned {
    const PAYLOAD_TYPE: &'static str;
    /// The most bytes of its payload.
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
    sign_by_all(document, &[key])
}

/// The envelope of `document` under a signature of each key: for a document by which
/// one key hands over to another.
pub fn sign_by_all<D: Document>(document: &D, keys: &[&SigningKey]) -> Vec<u8> {
    let payload = serde_json::to_vec(document).unwrap_or_default();
    let signatures = keys.iter().map(|key| signature(D::PAYLOAD_TYPE, &payload, key)).collect();
    let payload_type = D::PAYLOAD_TYPE.to_owned();
    let envelope = Envelope { payload_type, payload: Blob(payload), signatures };
    serde_json::to_vec(&envelope).unwrap_or_default()
}

/// The same envelope with `key`'s signature behind those that it has.
///
/// # Errors
/// As [`open_cosigned`]: what does not hold is not signed.
pub fn cosign<D: Document>(envelope: &[u8], key: &SigningKey) -> Result<Vec<u8>, DocumentRefused> {
    open_cosigned::<D>(envelope)?;
    let mut envelope = parse_envelope::<D>(envelope)?;
    envelope.signatures.push(signature(D::PAYLOAD_TYPE, &envelope.payload.0, key));
    Ok(serde_json::to_vec(&envelope).unwrap_or_default())
}

fn signature(payload_type: &str, payload: &[u8], key: &SigningKey) -> EnvelopeSignature {
    let signature = key.sign(&pae(payload_type, payload));
    EnvelopeSignature {
        keyid: DeviceKey(key.verifying_key().to_bytes()),
        sig: Blob(signature.to_bytes().to_vec()),
    }
}

/// The document in `envelope`, once one of `trusted` is known to have signed it.
///
/// # Errors
/// See [`DocumentRefused`]; each is final, nothing may be used of the document.
pub fn open<D: Document>(envelope: &[u8], trusted: &[DeviceKey]) -> Result<D, DocumentRefused> {
    let envelope = parse_envelope::<D>(envelope)?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(DocumentRefused::Malformed);
    };
    if !trusted.contains(&signature.keyid) {
        return Err(DocumentRefused::UnknownKey);
    }
    verify(&envelope, signature)?;
    strict_json(&envelope.payload.0)
}

/// The document and who signed it: one or two, each once, every signature good.
/// Whether they are whom one expects is for the caller to ask.
///
/// # Errors
/// As [`open`].
pub fn open_cosigned<D: Document>(envelope: &[u8]) -> Result<(D, Vec<DeviceKey>), DocumentRefused> {
    let envelope = parse_envelope::<D>(envelope)?;
    let signers: Vec<DeviceKey> = envelope.signatures.iter().map(|s| s.keyid).collect();
    match signers.as_slice() {
        [_] => {}
        [first, second] if first != second => {}
        _ => return Err(DocumentRefused::Malformed),
    }
    envelope.signatures.iter().try_for_each(|signature| verify(&envelope, signature))?;
    Ok((strict_json(&envelope.payload.0)?, signers))
}

fn verify(envelope: &Envelope, signature: &EnvelopeSignature) -> Result<(), DocumentRefused> {
    let key = VerifyingKey::from_bytes(&signature.keyid.0).map_err(|_| DocumentRefused::UnknownKey)?;
    let bytes = Signature::from_slice(&signature.sig.0).map_err(|_| DocumentRefused::Forged)?;
    key.verify_strict(&pae(&envelope.payload_type, &envelope.payload.0), &bytes)
        .map_err(|_| DocumentRefused::Forged)
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

/// The version that a document claims, its signature not looked at: only to say
/// "another version" instead of "malformed".
pub fn payload_version(envelope: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u16,
    }
    let envelope: Envelope = strict_json(envelope).ok()?;
    serde_json::from_slice::<Versioned>(&envelope.payload.0).ok().map(|document| document.v)
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

/// Base64 makes four bytes of three; the rest is for signatures and the type.
const fn envelope_bytes(payload: usize) -> usize {
    payload + payload / 2
}

/// Of the right type and size; nothing of it is verified yet.
fn parse_envelope<D: Document>(bytes: &[u8]) -> Result<Envelope, DocumentRefused> {
    if bytes.len() > envelope_bytes(D::MAX_BYTES) {
        return Err(DocumentRefused::TooLarge);
    }
    let envelope: Envelope = strict_json(bytes)?;
    if envelope.payload_type != D::PAYLOAD_TYPE {
        return Err(DocumentRefused::OtherType);
    }
    if envelope.payload.0.len() > D::MAX_BYTES {
        return Err(DocumentRefused::TooLarge);
    }
    Ok(envelope)
}

fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}
