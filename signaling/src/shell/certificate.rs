//! What stands in the server's certificate: until when, and for which names.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::ids::Digest;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) begins: i64,
    pub(crate) ends: i64,
    pub(crate) names: Vec<String>,
    /// SHA-256 of its SubjectPublicKeyInfo: what every program pins.
    pub(crate) pin: Digest,
}

/// SHA-256 of the first certificate in `pem`.
pub(crate) fn leaf(pem: &[u8]) -> Option<Digest> {
    let leaf = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    Some(Digest(Sha256::digest(&leaf).into()))
}

/// Of the first certificate in `pem`; `None` if there is none that can be read.
pub(crate) fn facts(pem: &[u8]) -> Option<Facts> {
    let leaf = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    let (_, leaf) = X509Certificate::from_der(&leaf).ok()?;
    let validity = leaf.validity();
    let names = leaf.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
    Some(Facts {
        begins: validity.not_before.timestamp(),
        ends: validity.not_after.timestamp(),
        names: names.unwrap_or_default(),
        pin: Digest(Sha256::digest(leaf.public_key().raw).into()),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(name) = name {
        return Some((*name).to_owned());
    }
    let GeneralName::IPAddress(bytes) = name else { return None };
    let v4 = <[u8; 4]>::try_from(*bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
    let v6 = <[u8; 16]>::try_from(*bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
    v4.or(v6).ok()
}

/// Whether the certificate is for `host`; a wildcard stands for one label.
pub(crate) fn is_for(facts: &Facts, host: &str) -> bool {
    let matches = |name: &String| {
        name.eq_ignore_ascii_case(host)
            || name.strip_prefix("*.").is_some_and(|rest| {
                host.split_once('.').is_some_and(|(_, tail)| tail.eq_ignore_ascii_case(rest))
            })
    };
    facts.names.iter().any(matches)
}
