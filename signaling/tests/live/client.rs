//! A server in this process, and clients of it with no manners of their own.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use rustls::crypto::aws_lc_rs;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tasuki_protocol::admin::{
    ADMIN_PROOF, AddOperator, ENROL_PATH, EnrolAdmin, OPERATORS_PATH, OperatorAdded,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::login::{Authenticator, LOGIN_PATH, LoginRequest};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{self, DEVICE_PROOF, OPERATOR_PATH, OperatorToServer, ServerToOperator};
use tasuki_signaling::shell::config::Configured;
use tasuki_signaling::shell::serve::{Running, serve};
use tasuki_signaling::shell::setup::{SetUp, SetUpDone, set_up};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

pub(crate) use crate::http::{Answer, exporter, request_over, tls, try_request_over, unix};
use crate::signed::SignIns;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ADMIN_PASSWORD: &str = "seven lemons under a tin roof";

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) done: SetUpDone,
    pub(crate) running: Option<Running>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SigningKey,
    pub(crate) sign_ins: SignIns,
    settings: Vec<(String, String)>,
}

/// What a hash costs where nobody said otherwise.
pub(crate) const DEAR: [(&str, &str); 2] = [("password_memory_kib", "65536"), ("password_passes", "3")];
/// Cheap passwords, and limits wide enough for tests that are not about limits.
pub(crate) const QUICK: [(&str, &str); 7] = [
    ("password_memory_kib", "64"),
    ("password_passes", "1"),
    ("joins_per_address", "1000"),
    ("joins_per_minute", "1000"),
    ("wrong_logins_per_address", "1000000"),
    ("requests_per_address", "1000000"),
    ("speed_per_address", "1000000"),
];

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let world = Self::begun(settings).await;
        world.initialise().await;
        world
    }

    pub(crate) async fn begun(settings: &[(&str, &str)]) -> Self {
        let world = Self::untouched(settings).await;
        world.enrol_admin().await;
        world
    }

    /// To which no administrator has come.
    pub(crate) async fn untouched(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let done = set_up(SetUp {
            data: folder.path().join("data"),
            host: "localhost".to_owned(),
            port,
            organisation: Some("Example KK".to_owned()),
            certificate: None,
        })
        .await
        .unwrap();
        let settings = QUICK.iter().chain(settings).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let mut world = Self {
            folder,
            done,
            running: None,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            admin: SigningKey::from_bytes(&[7; 32]),
            sign_ins: SignIns::default(),
            settings: settings.collect(),
        };
        world.run().await;
        world
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// From here on a hash costs what it does where nobody said otherwise: so long that something can come between.
    pub(crate) async fn make_passwords_dear(&mut self) {
        self.stop().await;
        for (name, value) in DEAR {
            self.set(name, value);
        }
        self.run().await;
    }

    pub(crate) async fn run(&mut self) {
        let mut flags = self.settings.clone();
        flags.push(("listen".to_owned(), self.address.to_string()));
        let config = Configured::gather(&self.data(), [], &flags).unwrap().config;
        self.running = Some(serve(&self.data(), config).await.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shut_down().await;
        }
    }

    async fn enrol_admin(&self) {
        let token = self.done.admin_token.clone();
        let proof = self.admin.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes());
        let body = EnrolAdmin {
            token,
            name: "admin".to_owned(),
            password: ADMIN_PASSWORD.to_owned(),
            key: device_key(&self.admin),
            proof: Blob(proof.to_bytes().to_vec()),
        };
        let answer = self.post(ENROL_PATH, &body, &[]).await;
        assert_eq!(answer.status, 201);
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        self.try_tls().await.unwrap()
    }

    /// Of a server that may be gone.
    pub(crate) async fn try_tls(&self) -> std::io::Result<TlsStream<TcpStream>> {
        tls(self.address, &self.data().join("ca.crt"), &[b"http/1.1"], aws_lc_rs::default_provider())
            .await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request("GET", path, Vec::new(), headers).await
    }

    pub(crate) async fn post<T: Serialize>(
        &self,
        path: &str,
        body: &T,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.request("POST", path, serde_json::to_vec(body).unwrap(), headers).await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let asked = body.clone();
        let answer = request_over(self.tls().await, method, path, body, headers).await;
        self.heed_coming(path, &asked, &answer);
        answer
    }

    pub(crate) async fn add_operator(&self, name: &str, modes: &[Mode]) -> String {
        let answer = self.admin_post(OPERATORS_PATH, &new_operator(name, modes)).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice::<OperatorAdded>(&answer.body).unwrap().enrolment
    }

    pub(crate) async fn login(
        &self,
        name: &str,
        password: &str,
        device: &SigningKey,
        enrolment: Option<&str>,
    ) -> Answer {
        self.login_with(name, password, device, |request| {
            request.enrolment = enrolment.map(str::to_owned);
        })
        .await
    }

    /// A login with whatever else `alter` puts into it; the proof is made afterwards.
    pub(crate) async fn login_with(
        &self,
        name: &str,
        password: &str,
        device: &SigningKey,
        alter: impl FnOnce(&mut LoginRequest),
    ) -> Answer {
        let stream = self.tls().await;
        let body = proven_login(&stream, login_request(name, password, device), device, alter);
        request_over(stream, "POST", LOGIN_PATH, body, &[]).await
    }

    /// A login at a server that may be gone; its status.
    pub(crate) async fn try_login(
        &self,
        name: &str,
        password: &str,
        device: &SigningKey,
    ) -> Option<u16> {
        self.try_sign_in(name, password, device).await.map(|answer| answer.status)
    }

    /// As [`Self::try_login`], and what it was answered.
    pub(crate) async fn try_sign_in(
        &self,
        name: &str,
        password: &str,
        device: &SigningKey,
    ) -> Option<Answer> {
        let stream = self.try_tls().await.ok()?;
        let body = proven_login(&stream, login_request(name, password, device), device, |_| {});
        try_request_over(stream, "POST", LOGIN_PATH, body, &[]).await.ok()
    }

    pub(crate) async fn try_login_over(
        &self,
        stream: TlsStream<TcpStream>,
        name: &str,
        password: &str,
        device: &SigningKey,
    ) -> Option<u16> {
        let body = proven_login(&stream, login_request(name, password, device), device, |_| {});
        try_request_over(stream, "POST", LOGIN_PATH, body, &[]).await.ok().map(|answer| answer.status)
    }

    /// A signed-in operator of all modes.
    pub(crate) async fn operator(&self, name: &str) -> Operator {
        let device = SigningKey::from_bytes(&Sha256::digest(name).into());
        let code = self.add_operator(name, &Mode::ALL).await;
        self.enrol_device(name, &device, &code).await;
        let response = self.login(name, PASSWORD, &device, None).await.signed_in();
        let socket = self.operator_socket(&response.token, &device).await;
        Operator { device, token: response.token, socket }
    }

    pub(crate) async fn operator_socket(&self, token: &str, device: &SigningKey) -> Socket {
        let bearer = format!("Bearer {token}");
        let mut socket = self.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.unwrap();
        let ServerToOperator::Challenge { challenge } = socket.hear().await else { panic!() };
        let digest = Sha256::digest(token.as_bytes());
        let message = [DEVICE_PROOF, &challenge.0, digest.as_slice()].concat();
        let signature = Blob(device.sign(&message).to_bytes().to_vec());
        socket.say(&OperatorToServer::Prove { signature }).await;
        let ready = socket.hear::<ServerToOperator>().await;
        assert!(matches!(ready, ServerToOperator::Ready { .. }), "{ready:?}");
        socket
    }

    pub(crate) async fn socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
        let mut request = format!("wss://localhost{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = self.try_tls().await?;
        // Where thousands are held, the library's own 128 KiB each are gigabytes.
        let sparing = WebSocketConfig::default().read_buffer_size(4096);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(sparing)).await;
        opened.map(|(socket, _)| Socket(socket))
    }
}

pub(crate) struct Operator {
    pub(crate) device: SigningKey,
    pub(crate) token: String,
    pub(crate) socket: Socket,
}

pub(crate) struct Socket(pub(crate) WebSocketStream<TlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say<T: Serialize>(&mut self, message: &T) {
        assert!(self.try_say(message).await, "the server is gone");
    }

    pub(crate) async fn try_say<T: Serialize>(&mut self, message: &T) -> bool {
        self.0.send(Message::text(signal::encode(message))).await.is_ok()
    }

    pub(crate) async fn hear<T: serde::de::DeserializeOwned>(&mut self) -> T {
        let text = self.next().await.expect("the server hung up");
        signal::decode(&text).unwrap_or_else(|_| panic!("{text}"))
    }

    /// The next word that is not of the sign-in itself: a certificate that was made anew in another
    /// second ends in another one, which an operator is told first.
    pub(crate) async fn hear_of_sessions(&mut self) -> ServerToOperator {
        loop {
            let heard = self.hear().await;
            if !matches!(heard, ServerToOperator::Ready { .. }) {
                return heard;
            }
        }
    }

    /// The next text; `None` when the server has closed.
    pub(crate) async fn next(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.text()).await.expect("the server says nothing")
    }

    /// As [`Self::next`], for as long as it takes.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
                )) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            }
        }
    }
}

/// The body of an order for one more operator.
pub(crate) fn new_operator(name: &str, modes: &[Mode]) -> AddOperator {
    AddOperator {
        operator: name.to_owned(),
        display_name: format!("Operator {name}"),
        password: PASSWORD.to_owned(),
        modes: modes.to_vec(),
    }
}

/// The body of a login, altered, then proven over its connection.
pub(crate) fn proven_login(
    stream: &TlsStream<TcpStream>,
    mut request: LoginRequest,
    device: &SigningKey,
    alter: impl FnOnce(&mut LoginRequest),
) -> Vec<u8> {
    let exporter = exporter(stream);
    alter(&mut request);
    let code = request.enrolment.clone().unwrap_or_default();
    let signed = [DEVICE_PROOF, &exporter, code.as_bytes(), request.operator.as_bytes()].concat();
    request.proof = Blob(device.sign(&signed).to_bytes().to_vec());
    serde_json::to_vec(&request).unwrap()
}

pub(crate) fn login_request(name: &str, password: &str, device: &SigningKey) -> LoginRequest {
    LoginRequest {
        version: PROTOCOL_VERSION,
        operator: name.to_owned(),
        password: password.to_owned(),
        device: device_key(device),
        proof: Blob(Vec::new()),
        enrolment: None,
        totp: None,
        authenticator: Authenticator::Keep,
        macs: Vec::new(),
    }
}

pub(crate) fn device_key(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}
