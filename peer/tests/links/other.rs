//! A peer that is not ours: plain str0m with the ciphers of its own choice.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use dimpl::crypto::{Dtls12CipherSuite, Dtls13CipherSuite};
use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion, Fingerprint};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig};
use tasuki_peer::core::direct::Transmit;
use tasuki_peer::core::path::{DirectFacts, IceSide};
use tasuki_protocol::ids::Digest;

/// DTLS that offers AES-128-GCM only.
#[derive(Debug)]
struct Weak;

#[derive(Debug)]
struct WeakInstance(dimpl::Dtls);

impl DtlsProvider for Weak {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        dimpl::certificate::generate_self_signed_certificate().ok()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let config = dimpl::Config::builder()
            .use_server_cookie(false)
            .dtls12_cipher_suites(&[Dtls12CipherSuite::ECDHE_ECDSA_AES128_GCM_SHA256])
            .dtls13_cipher_suites(&[Dtls13CipherSuite::AES_128_GCM_SHA256])
            .build()
            .unwrap();
        let new =
            if version == DtlsVersion::Dtls12 { dimpl::Dtls::new_12 } else { dimpl::Dtls::new_13 };
        Ok(Box::new(WeakInstance(new(Arc::new(config), cert.clone(), now))))
    }
}

impl DtlsInstance for WeakInstance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }
    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }
    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }
    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }
    fn is_active(&self) -> bool {
        self.0.is_active()
    }
    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }
    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

pub struct Other {
    pub rtc: Rtc,
    pub connected: bool,
    deadline: Instant,
}

impl Other {
    /// Offers AES-128-GCM only, as a peer of DTLS `version`.
    pub fn weak(version: DtlsVersion, now: Instant) -> Self {
        let provider = CryptoProvider { dtls_provider: &Weak, ..str0m_aws_lc_rs::default_provider() };
        Self::with(provider, version, now)
    }

    /// As the library comes.
    pub fn stock(now: Instant) -> Self {
        Self::with(str0m_aws_lc_rs::default_provider(), DtlsVersion::Dtls12, now)
    }

    fn with(provider: CryptoProvider, version: DtlsVersion, now: Instant) -> Self {
        let config = RtcConfig::new().set_crypto_provider(Arc::new(provider)).set_dtls_version(version);
        Self { rtc: config.build(now), connected: false, deadline: now }
    }

    /// What our end must know of this one, and this one of ours.
    pub fn meet(
        &mut self,
        facts: &mut DirectFacts,
        own: &tasuki_peer::core::direct_identity::DirectIdentity,
    ) {
        let mut api = self.rtc.direct_api();
        facts.remote_fingerprint =
            Digest(api.local_dtls_fingerprint().bytes.clone().try_into().unwrap());
        let creds = api.local_ice_credentials();
        (facts.remote_ufrag, facts.remote_pwd) = (creds.ufrag, creds.pass);
        api.set_remote_fingerprint(Fingerprint {
            hash_func: "sha-256".into(),
            bytes: own.fingerprint().0.to_vec(),
        });
        api.set_remote_ice_credentials(IceCreds { ufrag: own.ufrag().into(), pass: own.pwd().into() });
        let controlling = facts.side == IceSide::Controlled;
        api.set_ice_controlling(controlling);
        api.start_dtls(controlling).unwrap();
        api.start_sctp(controlling);
    }

    pub fn candidates(&mut self, own: SocketAddr, other: SocketAddr) {
        self.rtc.add_local_candidate(Candidate::host(own, "udp").unwrap());
        self.rtc.add_remote_candidate(Candidate::host(other, "udp").unwrap());
    }

    pub fn step(&mut self, now: Instant, incoming: &[Transmit], source: SocketAddr) -> Vec<Transmit> {
        self.rtc.handle_input(Input::Timeout(now)).ok();
        let mut out = self.drain();
        for datagram in incoming {
            let Ok(received) =
                Receive::new(Protocol::Udp, source, datagram.destination, &datagram.bytes)
            else {
                continue;
            };
            self.rtc.handle_input(Input::Receive(now, received)).ok();
            out.extend(self.drain());
        }
        out
    }

    fn drain(&mut self) -> Vec<Transmit> {
        let mut out = Vec::new();
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return out;
                }
                Ok(Output::Transmit(t)) => out.push(Transmit {
                    local: t.source,
                    destination: t.destination,
                    bytes: t.contents.to_vec(),
                }),
                Ok(Output::Event(Event::Connected)) => self.connected = true,
                Ok(Output::Event(_)) => {}
                Err(_) => return out,
            }
        }
    }
}
