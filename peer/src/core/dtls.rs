//! The DTLS of a direct path: AES-256-GCM for data and for media, or nothing (T47).
//!
//! A provider around the aws-lc-rs one that offers and accepts only such suites,
//! reads back what was negotiated, and ends the handshake on anything less. It
//! knows nothing of ICE, of certificates' meaning or of what is then carried.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dimpl::crypto::{Dtls12CipherSuite, Dtls13CipherSuite};
use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};
use str0m::{Rtc, RtcConfig};

use super::path::Ciphers;

const TOO_WEAK: &str = "no AES-256-GCM suite in common";
const NOT_NEGOTIATED: &str = "the DTLS handshake did not hold";

/// The suites of TLS 1.3 and of DTLS 1.2 that a link accepts.
const ACCEPTED: [u16; 2] = [0x1302, 0xC02C];

/// What one link's handshake has come to, as read from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Negotiation(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    suite: Option<u16>,
    srtp: Option<SrtpProfile>,
    refused: Option<&'static str>,
}

impl Negotiation {
    /// `None` until the handshake is complete.
    pub(crate) fn ciphers(&self) -> Option<Ciphers> {
        let notes = self.notes();
        let (suite, srtp) = (notes.suite?, notes.srtp?);
        Some(Ciphers::Direct { dtls: suite_name(suite), srtp: srtp_name(srtp) })
    }

    /// Why the handshake was given up by this end.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.notes().refused
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, why: &'static str) {
        self.notes().refused.get_or_insert(why);
    }
}

/// The IANA name of a TLS cipher suite.
fn suite_name(suite: u16) -> String {
    match suite {
        0x1301 => "TLS_AES_128_GCM_SHA256".into(),
        0x1302 => "TLS_AES_256_GCM_SHA384".into(),
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256".into(),
        0xC02B => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into(),
        0xC02C => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".into(),
        0xCCA9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256".into(),
        other => format!("TLS suite {other:#06x}"),
    }
}

/// The name of RFC 5764 §4.1.2 and RFC 7714 §14.2.
fn srtp_name(profile: SrtpProfile) -> String {
    if profile == SrtpProfile::AEAD_AES_256_GCM {
        "SRTP_AEAD_AES_256_GCM".into()
    } else if profile == SrtpProfile::AEAD_AES_128_GCM {
        "SRTP_AEAD_AES_128_GCM".into()
    } else {
        "SRTP_AES128_CM_HMAC_SHA1_80".into()
    }
}

/// What passes from [`build`] to [`Policed::new_dtls`], which the library calls
/// in between with no room for arguments of ours.
struct Handover(Negotiation);

static BUILDING: Mutex<()> = Mutex::new(());
static HANDOVER: Mutex<Option<Handover>> = Mutex::new(None);

/// An [`Rtc`] whose DTLS knows AES-256-GCM only, and the view of what it negotiates.
pub(crate) fn build(config: RtcConfig, now: Instant) -> (Rtc, Negotiation) {
    let negotiation = Negotiation::default();
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    *handover() = Some(Handover(negotiation.clone()));
    let rtc = config.set_crypto_provider(Arc::new(provider())).build(now);
    *handover() = None;
    (rtc, negotiation)
}

fn handover() -> MutexGuard<'static, Option<Handover>> {
    HANDOVER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn provider() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Policed, ..str0m_aws_lc_rs::default_provider() }
}

/// A certificate with a fresh P-256 key, from the library's own generator.
pub(crate) fn certificate() -> Option<DtlsCert> {
    provider().dtls_provider.generate_certificate()
}

#[derive(Debug)]
struct Policed;

impl DtlsProvider for Policed {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        str0m_aws_lc_rs::default_provider().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let Some(Handover(negotiation)) = handover().take() else {
            return Err(CryptoError::Other("a DTLS instance outside of a link".into()));
        };
        let config = Arc::new(configuration(mtu)?);
        let cert = cert.clone();
        let inner = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, cert, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            DtlsVersion::Auto | _ => return Err(CryptoError::Other(format!("DTLS version {version}"))),
        };
        Ok(Box::new(PolicedInstance { inner, negotiation }))
    }
}

fn configuration(mtu: Option<usize>) -> Result<dimpl::Config, CryptoError> {
    // ICE has shown that the address answers before any handshake: a cookie adds a round trip only.
    let mut builder = dimpl::Config::builder()
        .use_server_cookie(false)
        .dtls12_cipher_suites(&[Dtls12CipherSuite::ECDHE_ECDSA_AES256_GCM_SHA384])
        .dtls13_cipher_suites(&[Dtls13CipherSuite::AES_256_GCM_SHA384]);
    if let Some(mtu) = mtu {
        builder = builder.mtu(mtu);
    }
    builder.build().map_err(|e| CryptoError::Other(e.to_string()))
}

struct PolicedInstance {
    inner: dimpl::Dtls,
    negotiation: Negotiation,
}

impl std::fmt::Debug for PolicedInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicedInstance")
            .field("negotiation", &self.negotiation)
            .finish_non_exhaustive()
    }
}

impl PolicedInstance {
    fn note_server_hello(&self, datagram: &[u8]) {
        let mut notes = self.negotiation.notes();
        if notes.srtp.is_none()
            && let Some(suite) = suite_of_server_hello(datagram)
        {
            notes.suite = Some(suite);
        }
    }

    fn acceptable(&self, profile: SrtpProfile) -> bool {
        let suite = self.negotiation.notes().suite;
        suite.is_some_and(|suite| ACCEPTED.contains(&suite)) && profile == SrtpProfile::AEAD_AES_256_GCM
    }
}

impl DtlsInstance for PolicedInstance {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        let connecting = self.negotiation.notes().srtp.is_none();
        if connecting && self.inner.is_active() {
            self.note_server_hello(packet);
        }
        self.inner.handle_packet(packet).inspect_err(|error| {
            if connecting && let DtlsImplError::SecurityError(detail) = error {
                self.negotiation.refuse(words(detail));
            }
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's enum may grow; all else passes as it is"
    )]
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        match output {
            DtlsOutput::Packet(bytes) => {
                if !self.inner.is_active() {
                    self.note_server_hello(bytes);
                }
                DtlsOutput::Packet(bytes)
            }
            DtlsOutput::KeyingMaterial(_, profile) if !self.acceptable(profile) => {
                self.negotiation.refuse(TOO_WEAK);
                // The refusal stands noted whether or not the alert can still be sent.
                self.inner.close().ok();
                DtlsOutput::CloseNotify
            }
            DtlsOutput::KeyingMaterial(material, profile) => {
                self.negotiation.notes().srtp = Some(profile);
                DtlsOutput::KeyingMaterial(material, profile)
            }
            other => other,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enum may grow; all else is one sentence"
)]
fn words(error: &dimpl::SecurityError) -> &'static str {
    use dimpl::SecurityError as E;
    match error {
        E::NoMutuallyAcceptableCipherSuite
        | E::NoCommonCipherSuite
        | E::ServerSelectedUnknownCipherSuite
        | E::ServerSelectedIncompatibleCipherSuite(_)
        | E::ServerSelectedDisallowedCipherSuite(_)
        | E::ServerSelectedDisallowedDtls13CipherSuite(_)
        | E::HrrSelectedDisallowedCipherSuite => TOO_WEAK,
        _ => NOT_NEGOTIATED,
    }
}

const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;

/// The suite in a plain ServerHello, if this datagram has one (RFC 6347 §4, RFC 8446 §4.1.3).
fn suite_of_server_hello(mut datagram: &[u8]) -> Option<u16> {
    loop {
        let length = usize::from(u16::from_be_bytes(datagram.get(11..13)?.try_into().ok()?));
        let record = datagram.get(RECORD_HEADER..RECORD_HEADER + length)?;
        let plain = datagram.get(3..5)? == [0, 0];
        if plain && datagram.first() == Some(&HANDSHAKE) && record.first() == Some(&SERVER_HELLO) {
            let hello = record.get(HANDSHAKE_HEADER..)?;
            let session_id = usize::from(*hello.get(34)?);
            return Some(u16::from_be_bytes(
                hello.get(35 + session_id..37 + session_id)?.try_into().ok()?,
            ));
        }
        datagram = datagram.get(RECORD_HEADER + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_hello_is_read_behind_other_records_and_cut_ones_are_not() {
        let mut hello = vec![0xfe, 0xfd];
        hello.extend([7; 32]);
        hello.extend([2, 9, 9, 0xC0, 0x2C, 0]);
        let mut handshake = vec![SERVER_HELLO, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        handshake.extend(&hello);
        let mut datagram = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0];
        datagram.extend([HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        datagram.push(u8::try_from(handshake.len()).unwrap());
        datagram.extend(&handshake);
        assert_eq!(suite_of_server_hello(&datagram), Some(0xC02C));
        for cut in 0..datagram.len() {
            assert_eq!(suite_of_server_hello(&datagram[..cut]), None);
        }
    }
}
