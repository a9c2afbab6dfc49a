//! The pairing by itself: what each end knows after each step, and that every
//! other course than the honest one ends in a failed attempt.

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::hello::{Hello, HelloError, MAX_HELLO_BYTES};
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, Role, SessionId, TenantId};
use tasuki_protocol::number::{Locator, SessionNumber, SessionSecret};
use tasuki_protocol::pairing::{
    AwaitingHello, Facts, PairMessage, Paired, PairingError, agent_meets, operator_meets,
};
use tasuki_protocol::sealing::{Opener, Sealer};
use tasuki_protocol::seed::Seed;

const SESSION: SessionId = SessionId([5; 16]);
const MANIFEST: &[u8] = b"the manifest's exact bytes";

fn facts(tenant: u8) -> Facts {
    Facts {
        tenant: TenantId([tenant; 8]),
        dtls_fingerprint: Digest([4; 32]),
        ice_ufrag: "ufrag".to_owned(),
        ice_pwd: "a password of twenty-two".to_owned(),
    }
}

fn secret(of: u8) -> SessionSecret {
    SessionSecret::draw(&Seed::from_bytes([of; 32]))
}

fn start(role: Role, secret: &SessionSecret, seed: u8) -> AwaitingHello {
    let device = SigningKey::from_bytes(&[seed; 32]);
    AwaitingHello::start(role, facts(3), secret, device, &Seed::from_bytes([seed; 32]))
}

/// Both ends to the end, with everything on the way handed to `alter` by its place.
fn pair(
    secrets: (&SessionSecret, &SessionSecret),
    sessions: (SessionId, SessionId),
    mut alter: impl FnMut(usize, &mut Vec<u8>),
) -> Result<(Paired, Paired), PairingError> {
    let operator = start(Role::Operator, secrets.0, 1);
    let agent = start(Role::Agent, secrets.1, 2);
    let (mut operator_hello, mut agent_hello) = (operator.hello().to_vec(), agent.hello().to_vec());
    alter(0, &mut operator_hello);
    alter(1, &mut agent_hello);
    let (confirm, agent) = agent_meets(agent, sessions.1, &operator_hello)?;
    let operator = operator_meets(operator, sessions.0, &agent_hello, MANIFEST.to_vec())?;
    let (welcome, operator) = operator.confirm(&passed(2, &confirm, &mut alter)?)?;
    let (ready, agent) = agent.welcome(&passed(3, &welcome, &mut alter)?)?;
    let operator = operator.ready(&passed(4, &ready, &mut alter)?)?;
    Ok((operator, agent))
}

fn passed(
    place: usize,
    message: &PairMessage,
    alter: &mut impl FnMut(usize, &mut Vec<u8>),
) -> Result<PairMessage, PairingError> {
    let mut bytes = postcard::to_stdvec(message).expect("it encodes");
    alter(place, &mut bytes);
    postcard::from_bytes(&bytes).map_err(|_| PairingError::Malformed)
}

#[test]
fn two_ends_with_one_secret_share_keys_and_the_manifests_exact_bytes() {
    let (operator, agent) =
        pair((&secret(1), &secret(1)), (SESSION, SESSION), |_, _| {}).expect("they pair");
    assert_eq!(operator.transcript, agent.transcript);
    assert_eq!(agent.manifest, MANIFEST);
    assert_eq!(operator.manifest, MANIFEST);
    let (to_agent, to_operator) = (operator.keys.outgoing.clone(), agent.keys.outgoing.clone());
    let sealed = Sealer::new(to_agent).seal(b"", b"hello");
    assert_eq!(Opener::new(agent.keys.incoming.clone()).open(b"", &sealed).unwrap(), b"hello");
    assert!(Opener::new(operator.keys.incoming.clone()).open(b"", &sealed).is_err(), "reflected");
    let sealed = Sealer::new(to_operator).seal(b"", b"hello");
    assert!(Opener::new(operator.keys.incoming.clone()).open(b"", &sealed).is_ok());
    for leg in [0, 1, 7] {
        assert_eq!(operator.keys.leg_psk(leg), agent.keys.leg_psk(leg));
        assert_eq!(operator.keys.leg_prologue(leg), agent.keys.leg_prologue(leg));
        assert_ne!(operator.keys.leg_psk(leg), operator.keys.leg_psk(leg + 1), "T45");
    }
    for role in [Role::Operator, Role::Agent] {
        assert_eq!(operator.keys.path_proof(role), agent.keys.path_proof(role));
    }
    assert_ne!(
        operator.keys.path_proof(Role::Operator),
        operator.keys.path_proof(Role::Agent),
        "a proof cannot be reflected"
    );
}

#[test]
fn s33_s34_another_secret_is_refused_by_the_operator_before_the_agent_learns_anything() {
    let wrong = pair((&secret(1), &secret(2)), (SESSION, SESSION), |place, _| {
        assert!(place < 3, "the operator said something to a guesser");
    });
    assert_eq!(wrong.err(), Some(PairingError::WrongSecret));
}

#[test]
fn t7_a_flipped_bit_in_any_byte_of_any_hello_or_message_counts() {
    let honest = (&secret(1), &secret(1));
    let mut lengths = [0; 5];
    let whole = pair(honest, (SESSION, SESSION), |place, bytes| lengths[place] = bytes.len());
    assert!(whole.is_ok());
    for (place, length) in lengths.into_iter().enumerate() {
        // Every seventh: at least one in each byte, each of the eight in its turn.
        for bit in (0..length * 8).step_by(7) {
            let altered = pair(honest, (SESSION, SESSION), |at, bytes| {
                if at == place {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            });
            assert!(altered.is_err(), "message {place}, bit {bit}");
        }
    }
}

#[test]
fn t7_another_session_or_tenant_is_another_pairing() {
    let other = SessionId([6; 16]);
    let honest = (&secret(1), &secret(1));
    assert_eq!(pair(honest, (SESSION, other), |_, _| {}).err(), Some(PairingError::WrongSecret));

    let device = SigningKey::from_bytes(&[2; 32]);
    let seed = Seed::from_bytes([2; 32]);
    let elsewhere = AwaitingHello::start(Role::Agent, facts(4), &secret(1), device, &seed);
    let operator = start(Role::Operator, &secret(1), 1);
    let (operator_hello, agent_hello) = (operator.hello().to_vec(), elsewhere.hello().to_vec());
    let operator = operator_meets(operator, SESSION, &agent_hello, MANIFEST.to_vec()).unwrap();
    let (confirm, _) = agent_meets(elsewhere, SESSION, &operator_hello).unwrap();
    assert_eq!(operator.confirm(&confirm).err(), Some(PairingError::WrongSecret));
}

#[test]
fn an_end_does_not_pair_with_its_own_role_or_its_own_words() {
    let one = start(Role::Operator, &secret(1), 1);
    let two = start(Role::Operator, &secret(1), 2);
    let hello = two.hello().to_vec();
    assert!(operator_meets(one, SESSION, &hello, MANIFEST.to_vec()).is_err());
    let own = start(Role::Agent, &secret(1), 1);
    let hello = own.hello().to_vec();
    assert!(agent_meets(own, SESSION, &hello).is_err());
}

#[test]
fn a_message_of_another_step_is_no_proof() {
    let operator = start(Role::Operator, &secret(1), 1);
    let agent = start(Role::Agent, &secret(1), 2);
    let (operator_hello, agent_hello) = (operator.hello().to_vec(), agent.hello().to_vec());
    let operator = operator_meets(operator, SESSION, &agent_hello, MANIFEST.to_vec()).unwrap();
    let (confirm, agent) = agent_meets(agent, SESSION, &operator_hello).unwrap();
    assert_eq!(agent.welcome(&confirm).err(), Some(PairingError::Malformed));
    let welcome = PairMessage::OperatorWelcome { sealed: Blob(vec![0; 64]) };
    assert_eq!(operator.confirm(&welcome).err(), Some(PairingError::Malformed));
}

#[test]
fn a_key_of_no_order_is_no_hello() {
    for weak in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let agent = start(Role::Agent, &secret(1), 2);
        let mut hello = Hello::decode(start(Role::Operator, &secret(1), 1).hello()).unwrap();
        hello.exchange = DeviceKey(weak);
        assert_eq!(agent_meets(agent, SESSION, &hello.encode()).err(), Some(PairingError::Malformed));
    }
}

#[test]
fn another_version_is_named_whatever_stands_behind_it() {
    let theirs = PROTOCOL_VERSION + 1;
    let bytes = [postcard::to_stdvec(&theirs).unwrap(), vec![0xFF; 9]].concat();
    assert_eq!(Hello::decode(&bytes).err(), Some(HelloError::Version { theirs }));
    assert_eq!(Hello::decode(&vec![1; MAX_HELLO_BYTES + 1]).err(), Some(HelloError::Malformed));
    assert_eq!(Hello::decode(&[]).err(), Some(HelloError::Malformed));
}

#[test]
fn t3_no_message_holds_the_secrets_digits_and_each_attempt_says_something_else() {
    let locator = Locator::try_from(0).unwrap();
    let number = SessionNumber { locator, secret: secret(1) }.to_string();
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).skip(5).take(6).collect();
    let raw: Vec<u8> = digits.iter().map(|digit| digit - b'0').collect();
    let mut said = Vec::new();
    let passed =
        pair((&secret(1), &secret(1)), (SESSION, SESSION), |_, bytes| said.push(bytes.clone()));
    assert!(passed.is_ok() && said.len() == 5);
    for message in &said {
        assert!(!message.windows(6).any(|window| window == digits || window == raw));
    }
    let (one, two) = (start(Role::Operator, &secret(1), 1), start(Role::Operator, &secret(1), 2));
    assert_ne!(one.hello(), two.hello());
}
