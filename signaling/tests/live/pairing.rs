//! Two real ends pair through a real server.

use ed25519_dalek::SigningKey;
use std::time::{Duration, Instant};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Digest, PROTOCOL_VERSION, Role, TenantId};
use tasuki_protocol::manifest::{Abilities, Binding, VerifiedManifest};
use tasuki_protocol::number::{Locator, SessionSecret};
use tasuki_protocol::pairing::{
    AwaitingHello, Facts, Hello, PairMessage, Paired, agent_meets, operator_meets,
};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal::{
    AGENT_PATH, AgentToServer, CloseReason, OperatorToServer, Presence, RefusalReason, ServerToAgent,
    ServerToOperator,
};
use tasuki_protocol::ticket::{RELAY_ALPN, RelayAnswer};
use tasuki_protocol::turn::{TURN_ALPN, TurnCredential};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client::{Operator, Socket, World, device_key, tls};
use crate::turn::{Asker, channel_data, udp};

pub(crate) fn secret(n: u8) -> SessionSecret {
    SessionSecret::draw(&Seed::from_bytes([n; 32]))
}

pub(crate) fn facts(tenant: TenantId, mark: u8) -> Facts {
    Facts {
        tenant,
        dtls_fingerprint: Digest([mark; 32]),
        ice_ufrag: "u".repeat(16),
        ice_pwd: "p".repeat(22),
    }
}

pub(crate) struct Room {
    pub(crate) session: tasuki_protocol::ids::SessionId,
    pub(crate) locator: Locator,
    pub(crate) resume: tasuki_protocol::signal::ResumeToken,
    pub(crate) offers: Vec<AwaitingHello>,
}

pub(crate) fn hellos(world: &World, operator: &Operator) -> Vec<Blob> {
    offers(world, operator).iter().map(|offer| Blob(offer.hello().to_vec())).collect()
}

fn offers(world: &World, operator: &Operator) -> Vec<AwaitingHello> {
    let tenant = world.done.tenant;
    (0..3)
        .map(|n| {
            let seed = Seed::from_bytes([100 + n; 32]);
            AwaitingHello::start(
                Role::Operator,
                facts(tenant, 1),
                &secret(1),
                operator.device.clone(),
                &seed,
            )
        })
        .collect()
}

/// What every number here is opened for.
pub(crate) const REASON: &str = "T-60, the printer";

pub(crate) async fn open(world: &World, operator: &mut Operator, mode: Mode) -> Room {
    let offers = offers(world, operator);
    let hellos = offers.iter().map(|offer| Blob(offer.hello().to_vec())).collect();
    operator
        .socket
        .say(&OperatorToServer::OpenRoom { mode, hellos, reason: Some(REASON.to_owned()) })
        .await;
    let opened: ServerToOperator = operator.socket.hear().await;
    let ServerToOperator::RoomOpened { session, locator, resume, .. } = opened else {
        panic!("{opened:?}")
    };
    Room { session, locator, resume, offers }
}

pub(crate) fn agent_offer(
    world: &World,
    secret: &SessionSecret,
    seed: u8,
) -> (AwaitingHello, SigningKey) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let seed = Seed::from_bytes([seed; 32]);
    (AwaitingHello::start(Role::Agent, facts(world.done.tenant, 2), secret, key.clone(), &seed), key)
}

pub(crate) fn join(locator: Locator, offer: &AwaitingHello) -> AgentToServer {
    let hello = Blob(offer.hello().to_vec());
    AgentToServer::Join { version: PROTOCOL_VERSION, locator, hello }
}

fn pack(message: &PairMessage) -> Blob {
    Blob(postcard::to_stdvec(message).unwrap())
}

fn unpack(body: &Blob) -> PairMessage {
    postcard::from_bytes(&body.0).unwrap()
}

pub(crate) struct Session {
    pub(crate) agent: Socket,
    pub(crate) agent_resume: tasuki_protocol::signal::ResumeToken,
    pub(crate) at_agent: Paired,
    pub(crate) at_operator: Paired,
    pub(crate) challenge: tasuki_protocol::ids::Challenge,
    pub(crate) agent_key: SigningKey,
}

pub(crate) async fn pair(world: &World, operator: &mut Operator, room: &mut Room) -> Session {
    let (offer, agent_key) = agent_offer(world, &secret(1), 50);
    let challenge = Hello::decode(offer.hello()).unwrap().challenge;
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&join(room.locator, &offer)).await;
    let ServerToAgent::Met { session, resume, hello } = agent.hear().await else { panic!() };
    assert_eq!(session, room.session);
    let ServerToOperator::Arrived { hello: agent_hello, manifest, .. } = operator.socket.hear().await
    else {
        panic!()
    };
    let waiting = operator_meets(room.offers.remove(0), session, &agent_hello.0, manifest.0).unwrap();
    let (confirm, awaiting) = agent_meets(offer, session, &hello.0).unwrap();
    agent.say(&AgentToServer::Forward { body: pack(&confirm) }).await;
    let ServerToOperator::Forwarded { body, .. } = operator.socket.hear().await else { panic!() };
    let (welcome, ready) = waiting.confirm(&unpack(&body)).unwrap();
    operator.socket.say(&OperatorToServer::Forward { session, body: pack(&welcome) }).await;
    let ServerToAgent::Forwarded { body } = agent.hear().await else { panic!() };
    let (message, at_agent) = awaiting.welcome(&unpack(&body)).unwrap();
    agent.say(&AgentToServer::Forward { body: pack(&message) }).await;
    let ServerToOperator::Forwarded { body, .. } = operator.socket.hear().await else { panic!() };
    let at_operator = ready.ready(&unpack(&body)).unwrap();
    operator.socket.say(&OperatorToServer::Paired { session }).await;
    Session { agent, agent_resume: resume, at_agent, at_operator, challenge, agent_key }
}

#[tokio::test]
async fn s33_the_right_number_pairs_two_ends_under_a_manifest_that_both_can_check() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::Control).await;
    let session = pair(&world, &mut operator, &mut room).await;
    assert_eq!(session.at_agent.transcript, session.at_operator.transcript);
    let bundle = world.bundle();
    let binding = Binding {
        tenant: bundle.tenant,
        session: room.session,
        operator_key: device_key(&operator.device),
        agent_key: device_key(&session.agent_key),
        challenge: session.challenge,
    };
    let abilities = Abilities { application_selection: false, recording: false };
    let envelope = &session.at_agent.manifest;
    let verified =
        VerifiedManifest::verify(envelope, &world.authorities(), &binding, abilities, Instant::now());
    let verified = verified.unwrap();
    assert_eq!(verified.manifest().mode, Mode::Control);
    assert_eq!(verified.manifest().operator_name, "Operator hanako");
}

#[tokio::test]
async fn paired_ends_get_legs_that_the_embedded_relay_joins() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    operator.socket.say(&OperatorToServer::NeedLeg { session: room.session }).await;
    let ServerToOperator::Leg { leg: ours, .. } = operator.socket.hear().await else { panic!() };
    let ServerToAgent::Leg { leg: theirs } = session.agent.hear().await else { panic!() };
    assert_eq!((ours.number, theirs.number), (1, 1));
    let mut ends = Vec::new();
    for leg in [ours, theirs] {
        let ca = world.data().join("ca.crt");
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mut stream = tls(world.address, &ca, &[RELAY_ALPN], provider).await.unwrap();
        let ticket = leg.ticket.0;
        stream.write_all(&u16::try_from(ticket.len()).unwrap().to_be_bytes()).await.unwrap();
        stream.write_all(&ticket).await.unwrap();
        stream.flush().await.unwrap();
        ends.push(stream);
    }
    for end in &mut ends {
        assert_eq!(RelayAnswer::try_from(end.read_u8().await.unwrap()), Ok(RelayAnswer::Joined));
    }
    ends[0].write_all(b"through").await.unwrap();
    ends[0].flush().await.unwrap();
    let mut got = [0; 7];
    ends[1].read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"through");
}

/// One TURN message or the data of one channel, as a stream has them.
async fn turned(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), message: &[u8]) -> Vec<u8> {
    stream.write_all(message).await.unwrap();
    stream.flush().await.unwrap();
    let mut bytes = vec![0; 4];
    stream.read_exact(&mut bytes).await.unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    bytes.resize(if bytes[0] < 4 { 20 + length } else { 4 + length.next_multiple_of(4) }, 0);
    stream.read_exact(&mut bytes[4..]).await.unwrap();
    bytes
}

#[tokio::test]
async fn s84_paired_ends_speak_by_turn_on_the_servers_one_port_with_their_tickets() {
    let world = World::with(&[("turn_address", "127.0.0.1")]).await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    operator.socket.say(&OperatorToServer::NeedLeg { session: room.session }).await;
    let ServerToOperator::Leg { leg: ours, .. } = operator.socket.hear().await else { panic!() };
    let ServerToAgent::Leg { leg: theirs } = session.agent.hear().await else { panic!() };
    let mut ends = Vec::new();
    for leg in [ours, theirs] {
        let ca = world.data().join("ca.crt");
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mut stream = tls(world.address, &ca, &[TURN_ALPN], provider).await.unwrap();
        let credential = TurnCredential::of(&leg.ticket.0).unwrap();
        let mut asker = Asker::new(udp("127.0.0.1:1"), credential);
        let answer = turned(&mut stream, &asker.allocate()).await;
        assert_eq!(asker.read(&answer).error, Some(401));
        let answer = turned(&mut stream, &asker.allocate()).await;
        let relayed = asker.read(&answer).relayed.expect("an allocation");
        ends.push((stream, asker, relayed));
    }
    for (this, other) in [(0, 1), (1, 0)] {
        let peer = ends[other].2;
        let (stream, asker, _) = &mut ends[this];
        let answer = turned(stream, &asker.bind(0x4001, peer)).await;
        assert_eq!(asker.read(&answer).error, None);
    }
    ends[0].0.write_all(&channel_data(0x4001, b"through!")).await.unwrap();
    ends[0].0.flush().await.unwrap();
    assert_eq!(turned(&mut ends[1].0, b"").await, channel_data(0x4001, b"through!"));
}

#[tokio::test]
async fn a_paired_end_that_lost_its_connection_comes_back_with_its_token_only() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let session = pair(&world, &mut operator, &mut room).await;
    let id = room.session;
    drop(session.agent);
    let gone = ServerToOperator::AgentPresence { session: id, presence: Presence::Gone };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, gone);
    let mut stranger = world.socket(AGENT_PATH, &[]).await.unwrap();
    stranger.say(&AgentToServer::Resume { session: id, token: room.resume }).await;
    let refused = ServerToAgent::Refused { reason: RefusalReason::Session };
    assert_eq!(stranger.hear::<ServerToAgent>().await, refused);
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.say(&AgentToServer::Resume { session: id, token: session.agent_resume }).await;
    assert_eq!(agent.hear::<ServerToAgent>().await, ServerToAgent::Resumed);
    let here = ServerToOperator::AgentPresence { session: id, presence: Presence::Here };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, here);

    let again = world.operator_socket(&operator.token, &operator.device).await;
    drop(std::mem::replace(&mut operator.socket, again));
    let gone = ServerToAgent::OperatorPresence { presence: Presence::Gone };
    assert_eq!(agent.hear::<ServerToAgent>().await, gone);
    operator.socket.say(&OperatorToServer::Resume { session: id, token: room.resume }).await;
    let resumed = ServerToOperator::Resumed { session: id };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, resumed);
    let here = ServerToAgent::OperatorPresence { presence: Presence::Here };
    assert_eq!(agent.hear::<ServerToAgent>().await, here);
    let body = Blob(vec![9; tasuki_protocol::signal::MAX_FORWARD]);
    agent.say(&AgentToServer::Forward { body: body.clone() }).await;
    let forwarded = ServerToOperator::Forwarded { session: id, body };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, forwarded);
    agent.say(&AgentToServer::Close).await;
    let closed = ServerToOperator::Closed { session: id, reason: CloseReason::OtherEnd };
    assert_eq!(operator.socket.hear::<ServerToOperator>().await, closed);
}

#[tokio::test]
async fn s34_a_wrong_secret_and_a_dead_number_get_the_same_refusal_after_the_same_time() {
    let world = World::with(&[("answer_after_ms", "700")]).await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let dead = Locator::try_from((u32::from(room.locator) + 1) % Locator::COUNT).unwrap();
    let mut sizes = Vec::new();
    for locator in [room.locator, dead] {
        let (offer, _) = agent_offer(&world, &secret(2), 60);
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        let started = Instant::now();
        agent.say(&join(locator, &offer)).await;
        let met = agent.next().await.unwrap();
        sizes.push(met.len());
        let ServerToAgent::Met { session, hello, .. } = tasuki_protocol::signal::decode(&met).unwrap()
        else {
            panic!()
        };
        let (confirm, _) = agent_meets(offer, session, &hello.0).unwrap();
        agent.say(&AgentToServer::Forward { body: pack(&confirm) }).await;
        if locator == room.locator {
            let ServerToOperator::Arrived { attempt, hello, manifest, .. } =
                operator.socket.hear().await
            else {
                panic!()
            };
            let ServerToOperator::Forwarded { body, .. } = operator.socket.hear().await else {
                panic!()
            };
            let waiting = operator_meets(room.offers.remove(0), session, &hello.0, manifest.0).unwrap();
            assert!(waiting.confirm(&unpack(&body)).is_err());
            operator.socket.say(&OperatorToServer::PairingFailed { session, attempt }).await;
        }
        let refused = ServerToAgent::Refused { reason: RefusalReason::Number };
        assert_eq!(agent.hear::<ServerToAgent>().await, refused);
        assert!(started.elapsed() >= Duration::from_millis(650));
    }
    assert_eq!(sizes[0], sizes[1]);
}
