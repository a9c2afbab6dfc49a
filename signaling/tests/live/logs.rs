//! What the server logs at its most talkative: nothing that is secret, and nobody's name (T68).

use std::fs::File;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMIN_PROOF, ADMINS_PATH, AddAdmin, AdminAdded, AdminLogin, AdminLoginAnswer,
    ChangeGroup, EnrolAdmin, GROUPS_PATH, GroupChange, JOIN_PATH, LimitOperator, Limits,
    OPERATOR_LIMITS_PATH,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::login::{Authenticator, LoginAnswer};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, ServerToAgent, ServerToOperator};

use crate::backup::{encodings, encodings_of_bytes};
use crate::client::{Operator, PASSWORD, World, device_key};
use crate::crash::Process;
use crate::pairing::{hellos, open, pair};
use crate::policy::publish;
use crate::second::{as_admin, digits};

/// What must not be found, and what it is called where it is.
#[derive(Default)]
pub(crate) struct Canaries(Vec<(String, Vec<Vec<u8>>)>);

impl Canaries {
    pub(crate) fn text(&mut self, text: &str) {
        self.0.push((text.to_owned(), encodings(text)));
    }

    /// Where it is base64 of something, that something too.
    pub(crate) fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.0.push((what.to_owned(), encodings_of_bytes(bytes)));
    }

    /// What an authenticator's secret and a token are written of.
    fn raw(&mut self, authenticator: &str, token: &str) {
        let secret = totp_rs::Secret::try_from_base32(authenticator).unwrap();
        self.bytes("an authenticator's secret", secret.as_bytes());
        let bytes = match token.len() {
            64 => (0..64)
                .step_by(2)
                .map(|at| u8::from_str_radix(&token[at..at + 2], 16).unwrap())
                .collect(),
            _ => URL_SAFE_NO_PAD.decode(token).unwrap(),
        };
        self.bytes("a token", &bytes);
    }

    #[track_caller]
    pub(crate) fn are_not_in(&self, place: &str, bytes: &[u8]) {
        for (what, needles) in &self.0 {
            for needle in needles.iter().filter(|needle| needle.len() >= 8) {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                let text = String::from_utf8_lossy(needle);
                assert!(!found, "{what} stands in {place} as {text:?}");
            }
        }
    }
}

/// Everything that an account goes through.
pub(crate) async fn signed_in(world: &World, canaries: &mut Canaries) -> Operator {
    let (name, device) = ("canary-hanako", SigningKey::from_bytes(&[61; 32]));
    let code = world.add_operator(name, &Mode::ALL).await;
    world.enrol_device(name, &device, &code).await;
    let set_up = |digits: Option<String>| {
        world.login_with(name, PASSWORD, &device, move |request| {
            request.authenticator = Authenticator::SetUp;
            request.totp = digits;
            request.macs = vec!["02:00:5e:10:77:77".to_owned()];
        })
    };
    let LoginAnswer::TotpSetup { uri } = set_up(None).await.login() else { panic!() };
    let secret = secret_of(&uri);
    let response = set_up(Some(digits(&uri, 0))).await.signed_in();
    assert_eq!(world.login(name, "canary wrong password", &device, None).await.status, 401);
    assert_eq!(world.login("canary-nobody", PASSWORD, &device, None).await.status, 401);
    for text in [name, "Operator canary-hanako", PASSWORD, "canary wrong password", "canary-nobody"] {
        canaries.text(text);
    }
    for text in [&code, secret, &response.token, "02:00:5e:10:77:77"] {
        canaries.text(text);
    }
    canaries.raw(secret, &response.token);
    canaries.bytes("a device's private key", &device.to_bytes());
    let socket = world.operator_socket(&response.token, &device).await;
    Operator { device, token: response.token, socket }
}

/// An authenticator's, in base32.
fn secret_of(uri: &str) -> &str {
    uri.split("secret=").nth(1).unwrap().split('&').next().unwrap()
}

/// A number with a reason, a pairing, a leg of the relay, a ticket of the ledger.
pub(crate) async fn session(world: &World, operator: &mut Operator, canaries: &mut Canaries) {
    let reason = Some("canary reason of a session".to_owned());
    let ask = OperatorToServer::OpenRoom { mode: Mode::View, hellos: hellos(world, operator), reason };
    operator.socket.say(&ask).await;
    let ServerToOperator::RoomOpened { session, resume, .. } = operator.socket.hear().await else {
        panic!()
    };
    operator.socket.say(&OperatorToServer::Close { session }).await;
    canaries.text("canary reason of a session");
    canaries.bytes("a token to come back with", &resume.0.0);
    let mut room = open(world, operator, Mode::View).await;
    let mut paired = pair(world, operator, &mut room).await;
    canaries.bytes("a token to come back with", &room.resume.0.0);
    canaries.bytes("an agent's token to come back with", &paired.agent_resume.0.0);
    operator.socket.say(&OperatorToServer::NeedLeg { session: room.session }).await;
    let ServerToOperator::Leg { leg, .. } = operator.socket.hear().await else { panic!() };
    let ServerToAgent::Leg { leg: theirs } = paired.agent.hear().await else { panic!() };
    canaries.bytes("a ticket of the relay", &leg.ticket.0);
    canaries.bytes("an agent's ticket of the relay", &theirs.ticket.0);
    let ask = OperatorToServer::NeedLedgerTicket { session: room.session };
    operator.socket.say(&ask).await;
    let ServerToOperator::LedgerTicket { ticket, .. } = operator.socket.hear().await else { panic!() };
    canaries.bytes("a ticket of the ledger", &ticket.0);
}

/// What administrators do with names, addresses and each other.
pub(crate) async fn administered(world: &World, canaries: &mut Canaries) {
    let rules = r#"{"note":"canary note of a policy",
        "operator":{"canary-hanako":{"chat":true}},"group":{"canary-group-desk":{"chat":true}}}"#;
    assert_eq!(publish(world, &world.admin, 1, rules).await.status, 201);
    let group = ChangeGroup { group: "canary-group-desk".to_owned(), change: GroupChange::Add };
    assert_eq!(world.admin_post(GROUPS_PATH, &group).await.status, 204);
    let limits = Limits { addresses: vec!["192.0.2.77/32".to_owned()], ..Limits::default() };
    let order = LimitOperator { operator: "canary-hanako".to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    let invite = AddAdmin { name: "canary-second-administrator".to_owned() };
    let answer = world.admin_post(ADMINS_PATH, &invite).await;
    let AdminAdded { token, .. } = serde_json::from_slice(&answer.body).unwrap();
    let key = SigningKey::from_bytes(&[62; 32]);
    let proof = key.sign(format!("{ADMIN_PROOF}\n{token}").as_bytes());
    let join = EnrolAdmin {
        token: token.clone(),
        name: invite.name.clone(),
        password: "canary password of the second".to_owned(),
        key: device_key(&key),
        proof: Blob(proof.to_bytes().to_vec()),
    };
    assert_eq!(world.post(JOIN_PATH, &join, &[]).await.status, 201);
    let log_in = |digits: Option<String>| AdminLogin {
        password: join.password.clone(),
        totp: digits,
        authenticator: Authenticator::SetUp,
        macs: Vec::new(),
    };
    let answer = as_admin(world, &key, ADMIN_LOGIN_PATH, &log_in(None)).await;
    let AdminLoginAnswer::TotpSetup { uri } = serde_json::from_slice(&answer.body).unwrap() else {
        panic!()
    };
    let answer = as_admin(world, &key, ADMIN_LOGIN_PATH, &log_in(Some(digits(&uri, 0)))).await;
    let answer = serde_json::from_slice::<AdminLoginAnswer>(&answer.body).unwrap();
    assert!(matches!(answer, AdminLoginAnswer::SignedIn { .. }), "{answer:?}");
    canaries.text(secret_of(&uri));
    canaries.raw(secret_of(&uri), &token);
    for text in ["canary note of a policy", "canary-group-desk", "192.0.2.77", &invite.name, &token] {
        canaries.text(text);
    }
    canaries.text(&join.password);
    canaries.bytes("an administrator's private key", &key.to_bytes());
    canaries.bytes("an administrator's private key", &world.admin.to_bytes());
}

/// What the server logs of all that, at its most talkative and in that form: nothing that must not be found.
async fn logged(format: &str) -> String {
    let mut world = World::start().await;
    world.stop().await;
    let path = world.folder.path().join("log");
    let server = Process::start_with(&world, File::create(&path).unwrap(), ("trace", format));
    let mut canaries = Canaries::default();
    let mut operator = signed_in(&world, &mut canaries).await;
    session(&world, &mut operator, &mut canaries).await;
    administered(&world, &mut canaries).await;
    server.kill();
    for entry in std::fs::read_dir(world.data()).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if file.extension().is_some_and(|end| end == "key") {
            let bytes = std::fs::read(&file).unwrap();
            canaries.bytes(&name, &bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for line in text.lines().filter(|line| line.len() == 64 && !line.starts_with('-')) {
                canaries.bytes(&name, &STANDARD.decode(line).unwrap());
            }
        }
    }
    let log = std::fs::read(&path).unwrap();
    canaries.are_not_in("the log", &log);
    let text = String::from_utf8(log).unwrap();
    // It did talk, of all of it.
    for told in ["login.done", "login.refused", "session.paired", "policy.published", "admin.enrolled"]
    {
        assert!(text.contains(told), "nothing of {told} in\n{text}");
    }
    text
}

#[tokio::test]
async fn t68_no_secret_and_no_name_stands_in_the_servers_most_talkative_log() {
    let log = logged("text").await;
    let first = log.lines().next().unwrap();
    assert!(serde_json::from_str::<Value>(first).is_err(), "lines are for people: {first}");
}

/// S76: what a machine reads of it is the same, and can be taken apart.
#[tokio::test]
async fn s76_t68_each_line_of_a_log_in_json_is_an_object_that_says_when_how_grave_by_whom_and_what() {
    let log = logged("json").await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for line in &lines {
        let text = |field: &str| line[field].as_str().unwrap_or_else(|| panic!("{field} of {line}"));
        text("timestamp").parse::<jiff::Timestamp>().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&text("level")), "{line}");
        assert!(!text("target").is_empty(), "{line}");
        assert!(line["fields"].is_object(), "{line}");
    }
    let refused = |line: &&Value| line["fields"]["wrong"] == "credentials";
    let refused: Vec<&Value> = lines.iter().filter(refused).collect();
    let operators: Vec<Option<i64>> =
        refused.iter().map(|line| line["fields"]["operator"].as_i64()).collect();
    assert_eq!(operators, [Some(1), None], "of an account, and of none");
}
