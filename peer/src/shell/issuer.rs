//! Who made a certificate that is not the pinned one: to tell a company's TLS
//! inspection from a stranger at the server's address (S84).
//!
//! Decides words for people only. Whatever it finds, the connection is refused.

use rustls_pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

/// What certificates of this product's own authorities are called.
const OWN_AUTHORITY: &str = "Tasuki CA of ";
const MOST_LETTERS: usize = 64;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// UTF8String, PrintableString, T61String, IA5String (X.680 §8.4).
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
/// id-at-commonName and id-at-organizationName (X.520 §6.2.2, §6.4.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// The issuer's name, if the certificate bears the server's own name and is not of
/// an authority like the server's: made on the way.
pub(super) fn of_inspector(cert: &CertificateDer<'_>, server: &ServerName<'_>) -> Option<String> {
    let parsed = EndEntityCert::try_from(cert).ok()?;
    parsed.verify_is_valid_for_subject_name(server).ok()?;
    if parsed.issuer() == parsed.subject() {
        // Devices have an authority; what signs itself is another server.
        return None;
    }
    let issuer = name(parsed.issuer())?;
    (!issuer.starts_with(OWN_AUTHORITY)).then_some(issuer)
}

/// The common name, else the organisation (RFC 5280 §4.1.2.4): `name` is the
/// content of an RDNSequence.
fn name(name: &[u8]) -> Option<String> {
    let mut found = [None, None];
    for relative in Elements(name) {
        let (tag, attributes) = relative?;
        for attribute in Elements(attributes).filter(|_| tag == SET) {
            let (SEQUENCE, pair) = attribute? else { continue };
            let mut parts = Elements(pair);
            let Some(Some((OBJECT_IDENTIFIER, kind))) = parts.next() else { continue };
            let Some(Some((tag, text))) = parts.next() else { continue };
            if kind == COMMON_NAME && TEXTS.contains(&tag) {
                found[0] = Some(harmless(text));
            } else if kind == ORGANIZATION && TEXTS.contains(&tag) {
                found[1] = Some(harmless(text));
            }
        }
    }
    let [common, organisation] = found;
    common.or(organisation).filter(|name| !name.is_empty())
}

fn harmless(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let kept = text.chars().filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation() || *c == ' ');
    kept.take(MOST_LETTERS).collect::<String>().trim().to_owned()
}

/// DER elements one after the other (X.690 §8.1): tag and content, `None` for
/// what is none, and then no more.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Option<(u8, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let element = element(self.0);
        self.0 = element.map_or(&[], |(_, _, rest)| rest);
        Some(element.map(|(tag, content, _)| (tag, content)))
    }
}

fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (&length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    use rcgen::{CertificateParams, DnType, Issuer, KeyPair};

    fn made_by(authority: &str, host: &str) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "Network Security");
        params.distinguished_name.push(DnType::CommonName, authority);
        let issuer = Issuer::new(params, KeyPair::generate().unwrap());
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
        leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone()
    }

    fn inspector(authority: &str, host: &str) -> Option<String> {
        of_inspector(&made_by(authority, host), &ServerName::try_from("help.example").unwrap())
    }

    #[test]
    fn s84_a_certificate_made_on_the_way_names_its_maker() {
        assert_eq!(inspector("Proxy CA\u{202e}\n", "help.example").as_deref(), Some("Proxy CA"));
        assert_eq!(inspector("Proxy CA", "other.example"), None);
        assert_eq!(inspector("Tasuki CA of Example", "help.example"), None);
    }

    #[test]
    fn names_that_are_none_are_told_as_none() {
        let named = [0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x13, 0x01, b'X'];
        assert_eq!(name(&named).as_deref(), Some("X"));
        for cut in 0..named.len() {
            assert_eq!(name(&named[..cut]), None);
        }
        for place in 0..named.len() {
            for bit in 0..8 {
                let mut bad = named;
                bad[place] ^= 1 << bit;
                let _ = name(&bad);
            }
        }
    }
}
