//! What `tasuki-admin` sends when it makes, changes and recovers the organisation's keys, byte for byte: recorded by who
//! holds the server's own key, between the two, and may answer in its place (R9, S49, S50, T8).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use serde_json::Value;
use tasuki_admin::pin;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest};
use tasuki_protocol::keys::{PUBLISH_PATH, SERVER_KEYS_PATH};
use tasuki_tests::stack::{House, Site};
use tasuki_tests::tapping::encodings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::made_there::{any_in, master, opened_log_keys};
use crate::{administer, answered};

const OWN: &str = "seven lemons under a tin roof";

/// Of the log key the public half goes, and the private one wrapped twice; the bundle has public halves and is signed.
const INIT: [&str; 5] = [
    "GET /v1/bundle",
    "POST /v1/admin/token by token",
    "POST /v1/admin/enrol key name password proof token",
    "GET /v1/admin/keys",
    "POST /v1/admin/bundle bundle log_keys[].by_master.kdf log_keys[].by_master.nonce \
     log_keys[].by_master.sealed log_keys[].by_passphrase.kdf.lanes log_keys[].by_passphrase.kdf.memory_kib \
     log_keys[].by_passphrase.kdf.passes log_keys[].by_passphrase.kdf.salt log_keys[].by_passphrase.nonce \
     log_keys[].by_passphrase.sealed log_keys[].created_at log_keys[].public log_keys[].tenant log_keys[].v",
];

/// Requests in the order in which their connections began.
type Taken = Arc<Mutex<Vec<Vec<u8>>>>;

/// The path whose answers are changed, with what is put in place of what.
type Instead = Arc<Mutex<Option<(&'static str, String, String)>>>;

/// Passes on what comes to `from`, and keeps all that was said towards the server.
fn record(house: &House, from: TcpListener, (to, pin): (SocketAddr, &str), instead: &Instead) -> Taken {
    let folder = house.folder().join("server");
    let chain = CertificateDer::pem_file_iter(folder.join("server.crt")).expect("certificates");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let server = server.expect("versions").with_no_client_auth();
    let server = server.with_single_cert(chain, key).expect("the server's own");
    let pin: Digest = pin.parse().expect("a fingerprint");
    let client = Arc::new(pin::client_config(vec![pin]).expect("a client"));
    let (taken, acceptor) = (Taken::default(), TlsAcceptor::from(Arc::new(server)));
    let (kept, instead) = (Arc::clone(&taken), Arc::clone(instead));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            from.set_nonblocking(true).expect("for a runtime");
            let from = tokio::net::TcpListener::from_std(from).expect("a listener");
            while let Ok((near, _)) = from.accept().await {
                let at = {
                    let mut all = kept.lock().expect("the recording");
                    all.push(Vec::new());
                    all.len() - 1
                };
                tokio::spawn(pass(
                    near,
                    (acceptor.clone(), Arc::clone(&client), to),
                    (Arc::clone(&kept), at),
                    Arc::clone(&instead),
                ));
            }
        });
    });
    taken
}

async fn pass(
    near: TcpStream,
    (acceptor, client, to): (TlsAcceptor, Arc<ClientConfig>, SocketAddr),
    (kept, at): (Taken, usize),
    instead: Instead,
) {
    let Ok(near) = acceptor.accept(near).await else { return };
    let far = TcpStream::connect(to).await.expect("the server");
    let name = ServerName::from(Ipv4Addr::LOCALHOST);
    let far = TlsConnector::from(client).connect(name, far).await.expect("the server");
    let ((mut said, mut answer), (mut answers, mut on)) =
        (tokio::io::split(near), tokio::io::split(far));
    let (asked, mut piece) = (Arc::clone(&kept), vec![0; 16 * 1024]);
    let back = async move {
        let mut held = Vec::new();
        while let Ok(count @ 1..) = answers.read(&mut piece).await {
            held.extend_from_slice(&piece[..count]);
            let changed = {
                let (asked, instead) =
                    (asked.lock().expect("the recording"), instead.lock().expect("it"));
                changed(&asked[at], &held, instead.as_ref())
            };
            let Some(changed) = changed else { continue };
            held.clear();
            if answer.write_all(&changed).await.is_err() {
                return;
            }
        }
    };
    let forth = async move {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = said.read(&mut piece).await {
            kept.lock().expect("the recording")[at].extend_from_slice(&piece[..count]);
            if on.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = back => {}
        () = forth => {}
    }
}

/// An answer as it is passed on; `None` until it is there as a whole, where it is one to be changed.
fn changed(
    asked: &[u8],
    held: &[u8],
    instead: Option<&(&'static str, String, String)>,
) -> Option<Vec<u8>> {
    let asked = String::from_utf8_lossy(asked);
    let (_, from, to) = match instead {
        Some(instead) if asked.contains(&format!("GET {} ", instead.0)) => instead,
        Some(_) | None => return Some(held.to_vec()),
    };
    let text = String::from_utf8(held.to_vec()).expect("text");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = format!("content-length: {}", body.len());
    // What is shorter than it was announced is not there as a whole.
    let whole = head.to_lowercase().contains(&length);
    let body = whole.then(|| body.replace(from, to))?;
    let head = head.to_lowercase().replace(&length, &format!("content-length: {}", body.len()));
    Some(format!("{}\r\n\r\n{body}", head.replacen("http/1.1", "HTTP/1.1", 1)).into_bytes())
}

/// What the passphrase costs whoever guesses it (threats B6): a quarter of a GiB, four passes, four lanes, with a salt.
fn assert_dear(kdf: &Value) {
    let costs = ["memory_kib", "passes", "lanes"].map(|cost| kdf[cost].clone());
    assert_eq!(costs, [256 * 1024, 4, 4].map(Value::from), "{kdf}");
    let salt = STANDARD.decode(kdf["salt"].as_str().expect("a salt")).expect("base64");
    assert!(salt.len() == 16 && salt != [0; 16], "{kdf}");
}

/// A request's line, and the names of all that its body says.
fn shape(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
    let mut fields = Vec::new();
    if let Ok(body) = serde_json::from_str::<Value>(body) {
        names(&body, "", &mut fields);
    }
    format!("{line} {}", fields.join(" ")).trim_end().to_owned()
}

fn names(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names(value, &format!("{path}.{name}"), all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, &format!("{path}[]"), all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            all.push(path.trim_start_matches('.').to_owned());
        }
    }
}

/// With everything in it that stands in base64, and what stands in that, behind it: documents are signed in such dress.
fn unfolded(bytes: Vec<u8>) -> Vec<u8> {
    let is_of_it = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let mut inner = Vec::new();
    for run in bytes.split(|byte| !is_of_it(byte)).filter(|run| run.len() >= 16) {
        if let Ok(plain) = STANDARD.decode(run) {
            inner.extend(unfolded(plain));
            inner.push(b'\n');
        }
    }
    [bytes, inner].concat()
}

/// A server without keys, and who stands before it.
struct Between {
    house: House,
    token: String,
    pin: String,
    server: String,
    taken: Taken,
    instead: Instead,
}

fn between() -> Between {
    let own = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let (between, spare) = (own(), own());
    let (port, listen) =
        (between.local_addr().expect("a port").port(), spare.local_addr().expect("one"));
    drop(spare);
    let site = Site { host: "127.0.0.1".to_owned(), listen, port, inside: Vec::new() };
    let (house, [token, pin]) = House::begin_at(site).expect("a server without keys");
    let instead = Instead::default();
    let taken = record(&house, between, (listen, &pin), &instead);
    let server = format!("https://127.0.0.1:{port}");
    Between { house, token, pin, server, taken, instead }
}

/// R9, S49, S50: `init` sends these requests and no other, and in none of them, nor in those by which each key is changed
/// afterwards, is a private half, the passphrase or a recovery share, however it is written.
#[test]
fn r9_s49_s50_the_requests_that_make_and_change_the_organisations_keys_carry_no_private_half() {
    let Between { house, token, pin, server, taken, .. } = between();
    let init = ["--json", "--server", &server, "init", "--fingerprint", &pin];
    let made = answered(&house, "admin", &init, &format!("{token}\n{OWN}\n"));
    let requests = taken.lock().expect("the recording").clone();
    let shapes: Vec<String> = requests.iter().map(|request| shape(request)).collect();
    assert_eq!(shapes, INIT);
    // What of it is wrapped by the passphrase, there and here.
    let sent = String::from_utf8_lossy(&requests[4]).into_owned();
    let sent: Value =
        serde_json::from_str(sent.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_dear(&sent["log_keys"][0]["by_passphrase"]["kdf"]);
    let vault = fs::read(house.folder().join("admin/vault.json")).expect("the vault");
    assert_dear(&serde_json::from_slice::<Value>(&vault).expect("JSON")["master"]["kdf"]);

    let passphrase = made["passphrase"].as_str().expect("a passphrase").to_owned();
    let mut written: Vec<String> = vec![passphrase.clone(), passphrase.replace(' ', "")];
    let shares = |made: &Value| {
        let shares = made["shares"].as_array().expect("shares");
        let words =
            |share: &Value| share.as_str()?.split_once(':').map(|(_, words)| words.trim().to_owned());
        shares.iter().filter_map(words).collect::<Vec<String>>()
    };
    written.extend(shares(&made));
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    let mut note = || {
        let master = master(&house, &passphrase);
        let own = [*master.bytes(), master.root().to_bytes(), master.lock().to_bytes()];
        secrets.extend(own.map(|secret| secret.to_vec()));
        let opened = opened_log_keys(&house, &master);
        secrets.extend(opened.into_iter().map(|secret| secret.to_vec()));
        master.root().verifying_key().to_bytes()
    };
    let root = note();
    let log_in = administer(&house, "admin", &["login"], &format!("{OWN}\n"));
    assert_eq!(log_in.0, Some(0), "{}", log_in.1);
    for kind in ["lock", "log", "root"] {
        let rotate = ["--json", "key", "rotate", kind, "--yes"];
        let done = answered(&house, "admin", &rotate, &format!("{passphrase}\n"));
        if kind == "root" {
            written.extend(shares(&done));
        }
        note();
    }
    let all = unfolded(taken.lock().expect("the recording").concat());
    assert!(taken.lock().expect("the recording").len() > INIT.len() + 3, "all of it was recorded");
    assert!(any_in(&all, &encodings(&root)), "the public half is, in what was signed");
    assert!(any_in(&all, &encodings(OWN.as_bytes())), "and the administrator's password");
    // Each word of a share is on the list of words; its sentence is nobody else's.
    let texts = written.iter().map(|text| text.as_bytes().to_vec());
    for secret in secrets.into_iter().chain(texts) {
        assert!(!any_in(&all, &encodings(&secret)), "{:?} left", String::from_utf8_lossy(&secret));
    }
    let folder = house.folder().join("admin");
    assert!(fs::metadata(folder.join("vault.json")).is_ok(), "they lie here");
}

/// T8, T14, S49: a server that shows one bundle while the shares are typed and another one afterwards gets no word of the
/// root: neither for a root of its own, which all would follow, nor for one of before, whose lock key was dropped since.
#[test]
fn t8_t14_a_server_that_answers_a_recovery_with_two_bundles_gets_nothing_signed() {
    let Between { house, token, pin, server, taken, instead } = between();
    let init = ["--json", "--server", &server, "init", "--fingerprint", &pin];
    let made = answered(&house, "admin", &init, &format!("{token}\n{OWN}\n"));
    let passphrase = made["passphrase"].as_str().expect("a passphrase");
    let shares: Vec<&str> =
        made["shares"].as_array().expect("shares").iter().filter_map(Value::as_str).collect();
    let file = house.folder().join("admin").join("tenant.json");
    let older = fs::read(&file).expect("a bundle");
    assert_eq!(administer(&house, "admin", &["login"], &format!("{OWN}\n")).0, Some(0));
    let rotate = ["--json", "key", "rotate", "lock", "--yes"];
    answered(&house, "admin", &rotate, &format!("{passphrase}\n"));
    let newest = fs::read(&file).expect("a bundle");
    let root = SigningKey::from_bytes(&[66; 32]);
    let own = DeviceKey(root.verifying_key().to_bytes());
    let genuine = Bundle::open_first(&newest).expect("a bundle");
    let forged = dsse::sign(&Bundle { root: own, lock_keys: vec![own], ..genuine }, &root);

    let begin = taken.lock().expect("the recording").len();
    for (name, shown, said) in
        [("ichiro", forged, "another organisation's file"), ("jiro", older, "is back at bundle")]
    {
        let token = house.recovery_token().expect("a token")["token"].as_str().expect("one").to_owned();
        let recover = ["--server", &server, "init", "--fingerprint", &pin, "--recover", "--name", name];
        let typed = format!("{token}\n{OWN}\n{}\n{}\n", shares[0], shares[2]);
        let [from, to] = [&newest, &shown].map(|envelope| STANDARD.encode(envelope));
        *instead.lock().expect("it") = Some((SERVER_KEYS_PATH, from, to));
        let (code, text) = administer(&house, name, &recover, &typed);
        assert!(code == Some(11) && text.contains(said), "{name}: {code:?} {text}");
        let said = taken.lock().expect("the recording")[begin..].concat();
        assert!(any_in(&said, &[b"POST /v1/admin/recover".to_vec()]), "{name}: it is in");
        assert!(!any_in(&said, &[PUBLISH_PATH.as_bytes().to_vec()]), "{name}: nothing was signed");
    }
}

/// S50: a passphrase of one's own is long and hard to guess, or no keys are made; whoever is refused comes again with a
/// better one, which opens what it wrapped at the full cost.
#[test]
fn s50_init_makes_no_keys_under_a_passphrase_that_can_be_guessed() {
    let site = Site::here().expect("a port");
    let (house, [token, pin]) = House::begin_at(site).expect("a server without keys");
    let server = format!("https://127.0.0.1:{}", house.port());
    let init = ["--server", &server, "init", "--fingerprint", &pin, "--own-passphrase"];
    let vault = house.folder().join("admin/vault.json");
    let mut way_in = format!("{token}\n{OWN}\n");
    // Too short, long enough and one word again and again, and the organisation's own name.
    for weak in ["kx7 Qm2 vU9", "lemons lemons lemons", "example help tasuki"] {
        let (code, said) = administer(&house, "admin", &init, &format!("{way_in}{weak}\n"));
        assert!(code == Some(7) && said.contains("too easy to guess"), "{weak}: {code:?} {said}");
        assert!(!vault.exists() && !house.bundle().exists(), "{weak}");
        // The token was for the door, and he is in.
        way_in.clear();
    }
    let strong = "gravel otter 41 hums beneath violet scaffolds";
    let made = answered(&house, "admin", &[&["--json"], &init[..]].concat(), &format!("{strong}\n"));
    assert!(
        made["passphrase"].is_null() && made["shares"].as_array().is_some_and(|all| all.len() == 3)
    );
    let kept: Value = serde_json::from_slice(&fs::read(&vault).expect("the vault")).expect("JSON");
    assert_dear(&kept["master"]["kdf"]);
    let bundle = Bundle::open_first(&fs::read(house.bundle()).expect("read")).expect("a bundle");
    assert_eq!(master(&house, strong).root().verifying_key().to_bytes(), bundle.root.0);
}
