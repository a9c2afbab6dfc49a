//! STUN Binding (RFC 8489 §2-§6): tells an address what it looks like from here.
//!
//! One request form is answered, everything else gets silence: other methods,
//! indications, responses, errors, junk, and requests whose attributes would
//! need an understanding that a Binding server does not have. No answer is
//! longer than [`AMPLIFICATION`] times its request (T49). It keeps no state.

use std::net::SocketAddr;

use stun_rs::attributes::stun::{Fingerprint, XorMappedAddress};
use stun_rs::methods::BINDING;
use stun_rs::{
    DecoderContextBuilder, MessageClass, MessageDecoderBuilder, MessageEncoderBuilder, StunMessage,
    StunMessageBuilder,
};
use tasuki_protocol::stun::{COOKIE, HEADER_BYTES};

/// Bytes of answer per byte of request, both as UDP datagrams with their
/// 8-byte header (RFC 768). The largest case is a bare request over IPv6: 28 bytes in, 52 out.
pub const AMPLIFICATION: usize = 2;
/// Longer requests are no honest Binding (the minimum reassembly size of RFC 8489 §6.1).
pub const MAX_REQUEST_BYTES: usize = 548;

pub(crate) const UDP_HEADER_BYTES: usize = 8;
pub(crate) const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const FIRST_OPTIONAL_ATTRIBUTE: u16 = 0x8000;

/// A Binding request that deserves an answer.
#[derive(Debug)]
pub struct BindingRequest {
    message: StunMessage,
    bytes: usize,
}

/// The decoder, for any bytes. A FINGERPRINT must be right if it is there
/// (RFC 8489 §14.7); so must a MESSAGE-INTEGRITY, which nobody can make for a
/// server that shares no password.
pub fn binding_request(datagram: &[u8]) -> Option<BindingRequest> {
    if !looks_like_binding(datagram) {
        return None;
    }
    let context = DecoderContextBuilder::default().with_validation().build();
    let decoder = MessageDecoderBuilder::default().with_context(context).build();
    let (message, used) = decoder.decode(datagram).ok()?;
    let asks_binding = message.method() == BINDING && message.class() == MessageClass::Request;
    let understood = message.attributes().iter().all(|attribute| {
        !attribute.is_unknown() || attribute.attribute_type().as_u16() >= FIRST_OPTIONAL_ATTRIBUTE
    });
    (asks_binding && understood && used == datagram.len())
        .then_some(BindingRequest { message, bytes: datagram.len() })
}

/// The bytes to send back to `from`, if any.
pub fn answer(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let request = binding_request(datagram)?;
    let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
    let mut success = StunMessageBuilder::new(BINDING, MessageClass::SuccessResponse)
        .with_transaction_id(*request.message.transaction_id())
        .with_attribute(XorMappedAddress::from(seen));
    if request.message.get::<Fingerprint>().is_some() {
        success = success.with_attribute(Fingerprint::default());
    }
    let mut bytes = vec![0; 64];
    let size = MessageEncoderBuilder::default().build().encode(&mut bytes, &success.build()).ok()?;
    bytes.truncate(size);
    let most = AMPLIFICATION * (request.bytes + UDP_HEADER_BYTES);
    (size + UDP_HEADER_BYTES <= most).then_some(bytes)
}

/// A cheap look before any allocation: almost all junk ends here.
fn looks_like_binding(datagram: &[u8]) -> bool {
    let (Some(header), true) =
        (datagram.first_chunk::<HEADER_BYTES>(), datagram.len() <= MAX_REQUEST_BYTES)
    else {
        return false;
    };
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    header[..2] == BINDING_REQUEST
        && header[4..8] == COOKIE
        && length.is_multiple_of(4)
        && length == datagram.len() - HEADER_BYTES
}
