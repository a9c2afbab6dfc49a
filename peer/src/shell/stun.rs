//! Asking a STUN server how it sees a socket (RFC 8489 Binding). Nothing else is
//! asked of it, and nothing is believed of it but an address.

use std::net::SocketAddr;

use stun_rs::attributes::stun::XorMappedAddress;
use stun_rs::methods::BINDING;
use stun_rs::{
    MessageClass, MessageDecoderBuilder, MessageEncoderBuilder, StunMessageBuilder, TransactionId,
};

/// One question: its bytes, and what the answer must carry.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) bytes: Vec<u8>,
    transaction: [u8; 12],
}

impl Binding {
    pub(super) fn new(transaction: [u8; 12]) -> Option<Self> {
        let message = StunMessageBuilder::new(BINDING, MessageClass::Request)
            .with_transaction_id(TransactionId::from(transaction))
            .build();
        let mut bytes = vec![0; 64];
        let size = MessageEncoderBuilder::default().build().encode(&mut bytes, &message).ok()?;
        bytes.truncate(size);
        Some(Self { bytes, transaction })
    }

    /// The address in the answer, if `bytes` is the answer to this question.
    pub(super) fn answer(&self, bytes: &[u8]) -> Option<SocketAddr> {
        // Looked at before anything is decoded: everybody may send datagrams here.
        if bytes.get(8..20)? != self.transaction {
            return None;
        }
        let (message, _) = MessageDecoderBuilder::default().build().decode(bytes).ok()?;
        if message.method() != BINDING || message.class() != MessageClass::SuccessResponse {
            return None;
        }
        let mapped = message.get::<XorMappedAddress>()?.as_xor_mapped_address().ok()?;
        Some(*mapped.socket_address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: [u8; 32] = [
        0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x00,
        0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    ];
    const ID: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    #[test]
    fn an_answer_is_taken_for_its_own_question_only() {
        let asked = Binding::new(ID).unwrap();
        assert_eq!(asked.bytes.len(), 20);
        assert_eq!(asked.answer(&ANSWER), Some("192.0.2.1:32853".parse().unwrap()));
        assert_eq!(Binding::new([7; 12]).unwrap().answer(&ANSWER), None);
        for cut in 0..ANSWER.len() {
            assert_eq!(asked.answer(&ANSWER[..cut]), None);
        }
    }
}
