//! TURN clients whose every message is written and read by another codec than the relay's.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

use std::hash::RandomState;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun_rs::attributes::StunAttribute;
use stun_rs::attributes::stun::{
    ErrorCode, Fingerprint, MessageIntegrity, MessageIntegritySha256, Nonce, Realm, UserName,
};
use stun_rs::attributes::turn::{
    ChannelNumber, Data, LifeTime, RequestedAddressFamily, RequestedTrasport, XorPeerAddress,
    XorRelayedAddress,
};
use stun_rs::methods::{ALLOCATE, CHANNEL_BIND, CREATE_PERMMISSION, REFRESH};
use stun_rs::{
    Algorithm, AlgorithmId, DecoderContextBuilder, HMACKey, MessageClass, MessageDecoderBuilder,
    MessageEncoderBuilder, MessageMethod, StunAttributeType, StunMessage, StunMessageBuilder,
    TransactionId, protocols,
};
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::ticket::{Ticket, TicketKey};
use tasuki_protocol::turn::{TURN_REALM, TurnCredential};
use tasuki_turn_relay::core::bucket::AddressRate;
use tasuki_turn_relay::core::lobby::Now;
use tasuki_turn_relay::core::turn::table::{Client, Path, TurnLimits};
use tasuki_turn_relay::core::turn::{Turn, TurnSetup};

/// When the tests' world begins, in seconds since 1970.
pub const DAWN: u64 = 1_000_000;

pub fn key() -> TicketKey {
    TicketKey::from_bytes([7; 32])
}

pub fn ticket(session: u8, role: Role, expires: u64) -> Ticket {
    Ticket { session: SessionId([session; 16]), leg: 0, role, expires, nonce: [role as u8; 16] }
}

pub fn credential(session: u8, role: Role, expires: u64) -> TurnCredential {
    TurnCredential::of(&key().seal(&ticket(session, role, expires))).unwrap()
}

pub fn udp(address: &str) -> Client {
    Client { path: Path::Datagram(0), address: address.parse().unwrap() }
}

pub fn setup(limits: TurnLimits) -> TurnSetup {
    TurnSetup {
        ticket_key: key(),
        limits,
        own: "203.0.113.1,2001:db8::1".parse().unwrap(),
        rates: AddressRate::new(RandomState::new(), 100_000, 100_000, Instant::now()),
        seed: [5; 32],
    }
}

/// A message that goes out: to whom, and its bytes.
pub type Sent = Option<(Client, Vec<u8>)>;

/// A relay's core on a clock of its own.
pub struct World {
    pub turn: Turn,
    pub now: Now,
}

impl World {
    pub fn new(limits: TurnLimits) -> Self {
        let instant = Instant::now();
        let now = Now { instant, since_1970: Duration::from_secs(DAWN) };
        Self { turn: Turn::new(setup(limits), instant), now }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now.instant += Duration::from_secs(seconds);
        self.now.since_1970 += Duration::from_secs(seconds);
    }

    pub fn send(&mut self, from: Client, bytes: &[u8]) -> Sent {
        let out = self.turn.receive(from, bytes, self.now)?;
        let body = &bytes[out.body.clone()];
        Some((out.to, [out.head.as_slice(), body, &[0; 3][..out.padding]].concat()))
    }

    /// An answer to the asker, read by the other codec.
    pub fn ask(&mut self, asker: &mut Asker, bytes: &[u8]) -> Option<Answer> {
        let (to, answer) = self.send(asker.client, bytes)?;
        assert_eq!(to, asker.client, "an answer goes to who asked");
        Some(asker.read(&answer))
    }

    pub fn allocated(&mut self, asker: &mut Asker) -> SocketAddr {
        let greeting = asker.allocate();
        assert_eq!(self.ask(asker, &greeting).unwrap().error, Some(401));
        let request = asker.allocate();
        self.ask(asker, &request).unwrap().relayed.expect("an allocation")
    }

    pub fn end(&mut self, address: &str, session: u8, role: Role) -> Asker {
        let credential = credential(session, role, self.now.unix() + 60);
        let mut asker = Asker::new(udp(address), credential);
        asker.relayed = Some(self.allocated(&mut asker));
        asker
    }
}

/// What the other codec found in an answer; its integrity was right where there was one.
#[derive(Debug)]
pub struct Answer {
    pub error: Option<u16>,
    pub sealed: bool,
    pub relayed: Option<SocketAddr>,
    pub message: StunMessage,
}

/// A client that remembers its nonce.
pub struct Asker {
    pub client: Client,
    pub credential: TurnCredential,
    pub nonce: Option<String>,
    pub relayed: Option<SocketAddr>,
    pub sha256: bool,
}

impl Asker {
    pub fn new(client: Client, credential: TurnCredential) -> Self {
        Self { client, credential, nonce: None, relayed: None, sha256: false }
    }

    fn key(&self) -> HMACKey {
        let TurnCredential { name, password } = &self.credential;
        let md5 = Algorithm::from(AlgorithmId::MD5);
        HMACKey::new_long_term(name, TURN_REALM, password, md5).unwrap()
    }

    pub fn request<T: Into<StunAttribute>>(
        &self,
        method: MessageMethod,
        attributes: impl IntoIterator<Item = T>,
    ) -> Vec<u8> {
        let id = TransactionId::default();
        self.request_again(method, id, attributes)
    }

    pub fn request_again<T: Into<StunAttribute>>(
        &self,
        method: MessageMethod,
        id: TransactionId,
        attributes: impl IntoIterator<Item = T>,
    ) -> Vec<u8> {
        let mut builder =
            StunMessageBuilder::new(method, MessageClass::Request).with_transaction_id(id);
        for attribute in attributes {
            builder = builder.with_attribute(attribute);
        }
        if let Some(nonce) = &self.nonce {
            builder = builder
                .with_attribute(UserName::new(&self.credential.name).unwrap())
                .with_attribute(Realm::new(TURN_REALM).unwrap())
                .with_attribute(Nonce::new(nonce).unwrap());
            builder = if self.sha256 {
                builder.with_attribute(MessageIntegritySha256::new(self.key()))
            } else {
                builder.with_attribute(MessageIntegrity::new(self.key()))
            };
        }
        encode(&builder.with_attribute(Fingerprint::default()).build())
    }

    pub fn allocate(&self) -> Vec<u8> {
        self.request(ALLOCATE, [RequestedTrasport::from(protocols::UDP)])
    }

    pub fn allocate_v6(&self) -> Vec<u8> {
        let family = RequestedAddressFamily::new(stun_rs::AddressFamily::IPv6);
        let transport = RequestedTrasport::from(protocols::UDP);
        self.request(ALLOCATE, [StunAttribute::from(transport), family.into()])
    }

    pub fn refresh(&self, seconds: u32) -> Vec<u8> {
        self.request(REFRESH, [LifeTime::new(seconds)])
    }

    pub fn permit(&self, peer: SocketAddr) -> Vec<u8> {
        self.request(CREATE_PERMMISSION, [XorPeerAddress::from(peer)])
    }

    pub fn bind(&self, number: u16, peer: SocketAddr) -> Vec<u8> {
        let channel = ChannelNumber::new(number);
        self.request(CHANNEL_BIND, [StunAttribute::from(channel), XorPeerAddress::from(peer).into()])
    }

    pub fn read(&mut self, bytes: &[u8]) -> Answer {
        let message = decode(bytes, Some(self.key()));
        let error = message.get::<ErrorCode>().map(|a| a.as_error_code().unwrap());
        if let Some(nonce) = message.get::<Nonce>() {
            self.nonce = Some(nonce.as_nonce().unwrap().as_str().to_owned());
        }
        let sealed = message.get::<MessageIntegrity>().is_some()
            || message.get::<MessageIntegritySha256>().is_some();
        let relayed = message.get::<XorRelayedAddress>();
        Answer {
            error: error.map(|error| error.error_code().error_code()),
            sealed,
            relayed: relayed.map(|a| *a.as_xor_relayed_address().unwrap().socket_address()),
            message,
        }
    }
}

pub fn encode(message: &StunMessage) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let length = MessageEncoderBuilder::default().build().encode(&mut bytes, message).unwrap();
    bytes.truncate(length);
    bytes
}

/// Checks every hash that is there.
pub fn decode(bytes: &[u8], key: Option<HMACKey>) -> StunMessage {
    let mut context = DecoderContextBuilder::default().with_validation();
    if let Some(key) = key {
        context = context.with_key(key);
    }
    let decoder = MessageDecoderBuilder::default().with_context(context.build()).build();
    let (message, used) = decoder.decode(bytes).expect("the other codec reads it");
    assert_eq!(used, bytes.len());
    message
}

/// `SEND` has the method that RFC 8656 gives it.
pub fn send_indication(peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    let message = StunMessageBuilder::new(stun_rs::methods::SEND, MessageClass::Indication)
        .with_attribute(XorPeerAddress::from(peer))
        .with_attribute(Data::new(data))
        .build();
    encode(&message)
}

pub fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// Source and data of a Data indication.
pub fn data_of(bytes: &[u8]) -> (SocketAddr, Vec<u8>) {
    let message = decode(bytes, None);
    assert_eq!(message.method(), stun_rs::methods::DATA);
    assert_eq!(message.class(), MessageClass::Indication);
    let peer = message.get::<XorPeerAddress>().unwrap().as_xor_peer_address().unwrap();
    let data = message.get::<Data>().unwrap().as_data().unwrap();
    (*peer.socket_address(), data.as_bytes().to_vec())
}

pub fn has<A: StunAttributeType>(message: &StunMessage) -> bool {
    message.get::<A>().is_some()
}
