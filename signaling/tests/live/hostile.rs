//! Clients that want harm, and others that go on being served (T57-T60).

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_HEADER, ADMIN_SESSION_HEADER, AddOperator, BUNDLE_PATH, ENROL_PATH, OPERATORS_PATH, Problem,
    ProblemCode,
};
use tasuki_protocol::ids::PROTOCOL_VERSION;
use tasuki_protocol::login::LOGIN_PATH;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AGENT_PATH, MAX_REQUEST, OPERATOR_PATH, RefusalReason, ServerToAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;

use crate::client::{PATIENCE, World, tls, unix};
use crate::http::{admin_header, admin_header_in};
use crate::pairing::open;

async fn serves(world: &World) {
    let answer = world.get(BUNDLE_PATH, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, std::fs::read(world.data().join("tenant.json")).unwrap());
}

#[tokio::test]
async fn t58_a_browsers_origin_is_refused_on_every_path() {
    let world = World::start().await;
    let origin = [("origin", "https://evil.example")];
    for path in [BUNDLE_PATH, LOGIN_PATH, OPERATORS_PATH, AGENT_PATH, OPERATOR_PATH, "/"] {
        assert_eq!(world.get(path, &origin).await.status, 403, "{path}");
    }
    for path in [AGENT_PATH, OPERATOR_PATH] {
        match world.socket(path, &origin).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 403),
            Ok(_) => panic!("{path} was upgraded"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn t57_the_first_administrators_door_is_gone_afterwards_under_any_spelling() {
    let world = World::start().await;
    let nowhere = world.get("/v1/nowhere", &[]).await;
    assert_eq!(nowhere.status, 404);
    for path in
        [ENROL_PATH, "/v1/admin/enrol/", "//v1/admin/enrol", "/v1/admin/%65nrol", "/v1/Admin/enrol"]
    {
        for method in ["POST", "GET", "PUT", "OPTIONS"] {
            let answer = world.request(method, path, b"{}".to_vec(), &[]).await;
            assert_eq!(answer, nowhere, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn t59_messages_over_their_caps_close_their_own_connection_only() {
    let world = World::start().await;
    for size in [MAX_REQUEST + 1, 64 << 20] {
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        // The server may hang up before all of it has left.
        agent.0.send(Message::text("x".repeat(size))).await.ok();
        assert_eq!(agent.next().await, None, "{size}");
    }
    let body = vec![b'x'; MAX_REQUEST + 1];
    assert_eq!(world.request("POST", LOGIN_PATH, body, &[]).await.status, 413);
    serves(&world).await;
}

/// The silence of a line that is pinged never grows, and a proven operator's has no first message
/// to be late with: what ends the flood is its number of frames alone.
#[tokio::test]
async fn t59_a_flood_of_pings_ends_its_own_connection_only() {
    let world = World::start().await;
    let flooding = world.operator("hanako").await;
    let mut other = world.operator("taro").await;
    let (mut says, mut hears) = flooding.socket.0.split();
    let flood = async { while says.send(Message::Ping(vec![7; 8].into())).await.is_ok() {} };
    // Who does not read would be stopped by its own window.
    let read = async { while let Some(Ok(_)) = hears.next().await {} };
    let ended = tokio::time::timeout(PATIENCE, futures_util::future::join(flood, read)).await;
    assert!(ended.is_ok(), "a flood of pings goes on for ever");
    // Before its proof, too.
    let bearer = format!("Bearer {}", flooding.token);
    let mut early = world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.unwrap();
    let flood = async { while early.0.send(Message::Ping(vec![7; 8].into())).await.is_ok() {} };
    assert!(tokio::time::timeout(PATIENCE, flood).await.is_ok(), "a flood before the proof goes on");
    open(&world, &mut other, Mode::View).await;
}

#[tokio::test]
async fn t59_what_is_no_message_is_refused_and_closed_and_others_go_on() {
    let world = World::start().await;
    for text in
        ["", "{", "[]", "null", r#"{"type":"join"}"#, r#"["close"]"#, "\u{0}", "{\"a\":{\"a\":{}}}"]
    {
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        agent.0.send(Message::text(text)).await.unwrap();
        let refused = ServerToAgent::Refused { reason: RefusalReason::Message };
        assert_eq!(agent.hear::<ServerToAgent>().await, refused);
        assert_eq!(agent.next().await, None);
    }
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    agent.0.send(Message::binary(vec![0; 10])).await.unwrap();
    assert_eq!(agent.next().await, None);
    for body in ["", "[1,2]", "{}", r#"{"version":1,"version":1}"#] {
        let answer = world.request("POST", LOGIN_PATH, body.into(), &[]).await;
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, problem.code), (400, ProblemCode::Malformed));
    }
    serves(&world).await;
}

#[tokio::test]
async fn a_program_of_another_version_is_told_so_and_not_that_it_is_malformed() {
    let world = World::start().await;
    let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
    let join = json!({"type": "join", "version": 2, "place": "of another shape"});
    agent.0.send(Message::text(join.to_string())).await.unwrap();
    let reason = RefusalReason::Version { server: PROTOCOL_VERSION };
    assert_eq!(agent.hear::<ServerToAgent>().await, ServerToAgent::Refused { reason });
    let answer = world.post(LOGIN_PATH, &json!({"version": 2, "who": "me"}), &[]).await;
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem.code, ProblemCode::Version);
}

#[tokio::test]
async fn f15_slow_and_silent_clients_are_closed_and_others_are_served_meanwhile() {
    let world = World::with(&[("handshake_s", "1"), ("first_message_s", "1")]).await;
    let mut half_open = Vec::new();
    for _ in 0..30 {
        half_open.push(tokio::net::TcpStream::connect(world.address).await.unwrap());
    }
    let mut half_said = Vec::new();
    for _ in 0..10 {
        let mut stream = world.tls().await;
        stream.write_all(b"GET /v1/bundle HTTP/1.1\r\nhost: localho").await.unwrap();
        stream.flush().await.unwrap();
        half_said.push(stream);
    }
    let mut body = world.tls().await;
    body.write_all(b"POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
        .await
        .unwrap();
    body.flush().await.unwrap();
    let mut silent = world.socket(AGENT_PATH, &[]).await.unwrap();
    serves(&world).await;
    for mut stream in half_open {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 16])).await.unwrap();
        assert!(matches!(read, Ok(0) | Err(_)));
    }
    for mut stream in half_said {
        let mut rest = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().ok();
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, body.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(silent.next().await, None);
    serves(&world).await;
}

#[tokio::test]
async fn t47_s45_a_client_of_aes_128_or_chacha_only_is_refused() {
    let world = World::start().await;
    let ca = world.data().join("ca.crt");
    for suite in [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ] {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        assert!(tls(world.address, &ca, &[b"http/1.1"], provider).await.is_err(), "{suite:?}");
    }
    for suite in
        [cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
    {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let stream = tls(world.address, &ca, &[b"http/1.1"], provider).await.unwrap();
        assert_eq!(stream.get_ref().1.negotiated_cipher_suite(), Some(suite));
    }
}

#[tokio::test]
async fn an_administrators_request_counts_once_and_only_as_it_was_signed() {
    let world = World::start().await;
    let unauthorised = |answer: crate::client::Answer| {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, problem.code), (401, ProblemCode::Unauthorised));
    };
    let new = AddOperator {
        operator: "hanako".to_owned(),
        display_name: "Hanako".to_owned(),
        password: "long enough for anybody".to_owned(),
        modes: vec![Mode::View],
    };
    let body = serde_json::to_vec(&new).unwrap();
    let session = world.session_of(&world.admin).unwrap();
    let sign = |path: &str, method, unix| {
        admin_header_in(Some(&session), &world.admin, unix, method, path, &body)
    };
    let header = |unix| sign(OPERATORS_PATH, "POST", unix);
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[99; 32]);
    let post = |header: String, body: Vec<u8>| {
        let (world, session) = (&world, &session);
        async move {
            let headers = [(ADMIN_HEADER, header.as_str()), (ADMIN_SESSION_HEADER, session.as_str())];
            world.request("POST", OPERATORS_PATH, body, &headers).await
        }
    };
    unauthorised(world.request("POST", OPERATORS_PATH, body.clone(), &[]).await);
    unauthorised(post(header(unix() - 400), body.clone()).await);
    unauthorised(post(header(unix() + 400), body.clone()).await);
    unauthorised(
        post(admin_header(&stranger, unix(), "POST", OPERATORS_PATH, &body), body.clone()).await,
    );
    unauthorised(post(sign(OPERATORS_PATH, "GET", unix()), body.clone()).await);
    // Signed in no sign-in, and one put beside it on the way.
    unauthorised(
        post(admin_header(&world.admin, unix(), "POST", OPERATORS_PATH, &body), body.clone()).await,
    );
    let good = header(unix() - 200);
    let path = format!("{OPERATORS_PATH}?x=1");
    let queried = |header: String| {
        let (world, path, body, session) = (&world, &path, body.clone(), &session);
        async move {
            let headers = [(ADMIN_HEADER, header.as_str()), (ADMIN_SESSION_HEADER, session.as_str())];
            world.request("POST", path, body, &headers).await
        }
    };
    unauthorised(queried(good.clone()).await);
    unauthorised(queried(sign("/v1/admin/operators?x=2", "POST", unix())).await);
    unauthorised(post(good.clone(), [body.as_slice(), b" "].concat()).await);
    assert_eq!(post(good.clone(), body.clone()).await.status, 201);
    unauthorised(post(good, body.clone()).await);
}

#[tokio::test]
async fn one_address_has_its_share_of_connections_and_no_more() {
    let world = World::with(&[("connections_per_address", "8")]).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(world.tls().await);
    }
    let ca = world.data().join("ca.crt");
    let ninth = tls(world.address, &ca, &[b"http/1.1"], aws_lc_rs::default_provider());
    assert!(tokio::time::timeout(PATIENCE, ninth).await.unwrap().is_err());
    drop(open);
    for _ in 0..200 {
        if tls(world.address, &ca, &[b"http/1.1"], aws_lc_rs::default_provider()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("places never became free");
}
