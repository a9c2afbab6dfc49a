//! What is wrong with a certificate and a key that somebody gives to `setup`: each with its way out. There is no backup
//! yet that they could be put back from.

use std::path::{Path, PathBuf};

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
const KEY: &[u8] = b"PRIVATE KEY-----";
/// How a file in DER begins: a SEQUENCE with a long length.
const DER: [u8; 2] = [0x30, 0x82];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPair {
    #[error(
        "The two are in each other's place: {0} holds a key and {1} a certificate. Swap --cert and --key."
    )]
    Swapped(PathBuf, PathBuf),
    #[error(
        "The key {0} is under a passphrase, which nobody could type at each start. Take it off, in a copy that only you can read: `openssl pkey -in {0} -out server.key`."
    )]
    Encrypted(PathBuf),
    #[error("{0} is in DER, and PEM is needed: `openssl x509 -inform der -in {0} -out server.crt`.")]
    CertificateInDer(PathBuf),
    #[error("{0} is in DER, and PEM is needed: `openssl pkey -inform der -in {0} -out server.key`.")]
    KeyInDer(PathBuf),
    #[error(
        "{0} holds no certificate in PEM (\"-----BEGIN CERTIFICATE-----\"). Give the one that the authority sent, with its chain."
    )]
    NoCertificate(PathBuf),
    #[error(
        "{0} holds no private key in PEM. Give the one that was made with the request for the certificate."
    )]
    NoKey(PathBuf),
    #[error(
        "The certificate {0} and the key {1} do not belong together, or one of them is damaged. Give the key that was made with the request for this certificate (RSA of 2048 bits at least, ECDSA P-256 or P-384, or Ed25519)."
    )]
    Strangers(PathBuf, PathBuf),
}

impl NotAPair {
    pub(super) fn japanese(&self) -> String {
        match self {
            Self::Swapped(cert, key) => format!(
                "--cert と --key が逆です（{} は鍵、{} は証明書です）。入れ替えてください。",
                cert.display(),
                key.display()
            ),
            Self::Encrypted(key) => format!(
                "鍵 {0} はパスフレーズで暗号化されています。起動のたびに入力できないため、自分だけが読める写しで解除してください: `openssl pkey -in {0} -out server.key`",
                key.display()
            ),
            Self::CertificateInDer(cert) => format!(
                "{0} は DER 形式です。PEM 形式にしてください: `openssl x509 -inform der -in {0} -out server.crt`",
                cert.display()
            ),
            Self::KeyInDer(key) => format!(
                "{0} は DER 形式です。PEM 形式にしてください: `openssl pkey -inform der -in {0} -out server.key`",
                key.display()
            ),
            Self::NoCertificate(cert) => format!(
                "{} に PEM 形式の証明書（-----BEGIN CERTIFICATE-----）がありません。認証局から届いたものを、中間証明書とともに指定してください。",
                cert.display()
            ),
            Self::NoKey(key) => format!(
                "{} に PEM 形式の秘密鍵がありません。証明書の申請時に作ったものを指定してください。",
                key.display()
            ),
            Self::Strangers(cert, key) => format!(
                "証明書 {} と鍵 {} が組になっていないか、どちらかが壊れています。この証明書の申請時に作った鍵を指定してください（RSA 2048 ビット以上、ECDSA P-256 または P-384、Ed25519）。",
                cert.display(),
                key.display()
            ),
        }
    }
}

/// What can be seen of the two files by themselves.
pub(super) fn found(
    (cert_file, cert): (&Path, &[u8]),
    (key_file, key): (&Path, &[u8]),
) -> Option<NotAPair> {
    let has = |text: &[u8], words: &[u8]| text.windows(words.len()).any(|window| window == words);
    let (cert_file, key_file) = (cert_file.to_owned(), key_file.to_owned());
    if !has(cert, CERTIFICATE) && has(cert, KEY) && has(key, CERTIFICATE) {
        return Some(NotAPair::Swapped(cert_file, key_file));
    }
    if !has(cert, CERTIFICATE) {
        let is_der = cert.starts_with(&DER);
        return Some(if is_der {
            NotAPair::CertificateInDer(cert_file)
        } else {
            NotAPair::NoCertificate(cert_file)
        });
    }
    if ENCRYPTED.iter().any(|words| has(key, words)) {
        return Some(NotAPair::Encrypted(key_file));
    }
    if has(key, KEY) {
        return None;
    }
    Some(if key.starts_with(&DER) { NotAPair::KeyInDer(key_file) } else { NotAPair::NoKey(key_file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_pair_is_told_by_its_way_out_in_both_languages() {
        let certificate = b"-----BEGIN CERTIFICATE-----\nAA\n".as_slice();
        let key = b"-----BEGIN PRIVATE KEY-----\nAA\n".as_slice();
        let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n".as_slice();
        let old = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".as_slice();
        let der = [0x30, 0x82, 1, 2].as_slice();
        let (c, k) = (Path::new("c"), Path::new("k"));
        let look = |cert: &[u8], given: &[u8]| found((c, cert), (k, given));
        assert_eq!(look(certificate, key), None);
        for (cert, given, way, wrong) in [
            (key, certificate, "--cert", NotAPair::Swapped(c.into(), k.into())),
            (certificate, encrypted, "openssl pkey", NotAPair::Encrypted(k.into())),
            (certificate, old, "openssl pkey", NotAPair::Encrypted(k.into())),
            (der, key, "openssl x509", NotAPair::CertificateInDer(c.into())),
            (certificate, der, "openssl pkey", NotAPair::KeyInDer(k.into())),
            (b"".as_slice(), key, "PEM", NotAPair::NoCertificate(c.into())),
            (certificate, certificate, "PEM", NotAPair::NoKey(k.into())),
        ] {
            let seen = look(cert, given).expect("something wrong");
            assert_eq!(seen, wrong);
            assert!(seen.to_string().contains(way), "{seen}");
            assert!(seen.japanese().contains(way), "{}", seen.japanese());
        }
    }
}
