//! What those who run a server see of it: health, metrics, unit and alerts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::policy::exchange::{HEALTH_PATH, READY_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AgentToServer, ServerToOperator};
use tasuki_signaling::shell::doctor_hardening::{DIRECTIVES, missing_directives};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{PASSWORD, PATIENCE, World};
use crate::crash::Process;
use crate::pairing::{open, pair};
use crate::standing::change_password;

/// Who asks a locked database is told so by then (F4).
const SOON: Duration = Duration::from_secs(6);
/// F4: how long somebody holds the database, and how soon all is well after that.
const HELD: Duration = Duration::from_secs(30);
const NORMAL_AGAIN: Duration = Duration::from_secs(5);
const FREE: (&str, &str) = ("metrics", "127.0.0.1:0");

fn dist(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

pub(crate) async fn plain(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

#[tokio::test]
async fn s76_health_readiness_and_metrics_are_there_and_name_nobody() {
    let world = World::with(&[FREE]).await;
    assert_eq!(world.get(HEALTH_PATH, &[]).await.status, 200);
    let ready = world.get(READY_PATH, &[]).await;
    assert_eq!((ready.status, ready.body.as_slice()), (200, &br#"{"ready":true}"#[..]));
    let mut operator = world.operator("canary-name").await;
    open(&world, &mut operator, Mode::View).await;
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    world.login("canary-name", "wrong password", &stranger, None).await;
    let address = world.running.as_ref().unwrap().metrics_address().unwrap();
    let page = plain(address, "/metrics").await;
    for line in [
        "tasuki_sessions{stage=\"waiting\"} 1",
        // The first, too, which is recorded only after it is in force.
        "tasuki_events_total{kind=\"bundle.published\"} 1",
        "tasuki_events_total{kind=\"login.done\"} 1",
        "tasuki_events_total{kind=\"login.refused\"} 1",
        "tasuki_events_total{kind=\"number.opened\"} 1",
        "tasuki_ready 1",
        "tasuki_rows_lost_total 0",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} in\n{page}");
    }
    for personal in ["canary-name", "127.0.0.1", PASSWORD] {
        assert!(!page.contains(personal), "{personal}");
    }
    let ready = plain(address, "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains(r#""name":"writer","ok":true"#),
        "{ready}"
    );
    assert!(plain(address, "/v1/bundle").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn s76_every_metric_of_the_alert_rules_exists() {
    let world = World::with(&[FREE]).await;
    let page = plain(world.running.as_ref().unwrap().metrics_address().unwrap(), "/metrics").await;
    let rules = dist("tasuki-alerts.yml");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = rules.split(|c| !is_word(c));
    let metrics = words.filter(|w| w.starts_with("tasuki_") || w.starts_with("process_"));
    let named: std::collections::BTreeSet<&str> = metrics.collect();
    assert!(named.len() >= 6, "{named:?}");
    for metric in named {
        assert!(page.contains(&format!("# TYPE {metric} ")), "{metric}");
    }
}

#[tokio::test]
async fn f4_s76_a_locked_database_makes_the_server_unready_and_it_recovers_by_itself() {
    let world = World::with(&[FREE]).await;
    let mut operator = world.operator("hanako").await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let mut holder = pool.acquire().await.unwrap();
    // A session of which there is no record yet would rightly be ended.
    let mut records = -1_i64;
    loop {
        let before = records;
        records =
            sqlx::query_scalar("SELECT count(*) FROM ledger").fetch_one(&mut *holder).await.unwrap();
        if records == before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut *holder).await.unwrap();
    let held = Instant::now();
    // Who only scrapes learns it, too: nobody has asked for readiness yet.
    let metrics = world.running.as_ref().unwrap().metrics_address().unwrap();
    let page = plain(metrics, "/metrics").await;
    assert!(page.lines().any(|line| line == "tasuki_ready 0"), "{page}");
    // More tries than suspend an account, and all at once, since each waits for the database: as many as do not
    // find a place in any pool.
    let device = operator.device.clone();
    let tries = (0..24).map(|_| async {
        let begun = Instant::now();
        let answer = world.login("hanako", PASSWORD, &device, None).await;
        (answer.status, begun.elapsed())
    });
    // Whoever is in a session goes on meanwhile.
    let goes_on = async {
        while held.elapsed() < HELD {
            let body = Blob(vec![7; 9]);
            session.agent.say(&AgentToServer::Forward { body: body.clone() }).await;
            let heard = timeout(Duration::from_secs(1), operator.socket.hear::<ServerToOperator>());
            let heard = heard.await;
            let forwarded = ServerToOperator::Forwarded { session: room.session, body };
            assert_eq!(heard.expect("a live session stands still"), forwarded);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (ready, alive, tried, ()) = tokio::join!(
        world.get(READY_PATH, &[]),
        world.get(HEALTH_PATH, &[]),
        futures_util::future::join_all(tries),
        goes_on
    );
    assert_eq!((ready.status, alive.status), (503, 200));
    assert!(tried.iter().all(|(status, took)| *status == 503 && *took <= SOON), "{tried:?}");
    sqlx::query("ROLLBACK").execute(&mut *holder).await.unwrap();
    let normal = async {
        // None of them counted as a failure.
        world.login("hanako", PASSWORD, &operator.device, None).await.signed_in();
        open(&world, &mut operator, Mode::View).await;
        while world.get(READY_PATH, &[]).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(NORMAL_AGAIN, normal).await.expect("it is not as it was");
}

/// F4: one whose password was being looked at when the database was locked is told of it within the same time,
/// and what was counted for him is taken back as soon as that is over.
#[tokio::test]
async fn f4_a_try_that_the_lock_came_upon_is_answered_soon_and_is_no_failure() {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    world.make_passwords_dear().await;
    let dear = "another horse without a battery";
    assert_eq!(change_password(&world, &operator, dear).await.status, 204);
    let (mut holder, mut reader) = (database(&world).await, database(&world).await);
    let running = world.running.as_ref().unwrap();
    let hashed = running.hashes();
    let trying = async {
        let answer = world.login("hanako", dear, &operator.device, None).await;
        (answer.status, Instant::now())
    };
    let locking = async {
        while running.hashes() == hashed {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut holder).await.unwrap();
        Instant::now()
    };
    let ((status, answered), locked) = tokio::join!(trying, locking);
    assert!(status == 503 && answered - locked <= SOON, "{status} {:?}", answered - locked);
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
    let failures = "SELECT COALESCE(SUM(failures), 0) FROM failures";
    let forgiven = async {
        while sqlx::query_scalar::<_, i64>(failures).fetch_one(&mut reader).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, forgiven).await.expect("it stays counted");
}

/// S76: once when it begins and once when it is over, however often somebody asks.
#[tokio::test]
async fn s76_what_keeps_sessions_from_beginning_is_in_the_log_once() {
    let mut world = World::start().await;
    world.stop().await;
    let log = world.folder.path().join("log");
    let _server = Process::start_with(&world, std::fs::File::create(&log).unwrap(), ("info", "text"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let mut holder = pool.acquire().await.unwrap();
    let until = async |status| {
        while world.get(READY_PATH, &[]).await.status != status {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    until(200).await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut *holder).await.unwrap();
    until(503).await;
    // Longer than one look holds.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.get(READY_PATH, &[]).await.status, 503);
    sqlx::query("ROLLBACK").execute(&mut *holder).await.unwrap();
    until(200).await;
    let text = std::fs::read_to_string(&log).unwrap();
    let said = |words: &str| {
        let lines =
            text.lines().filter(|line| line.contains(words) && line.contains("check=\"database\""));
        lines.count()
    };
    assert_eq!((said("no session can begin"), said("it is well again")), (1, 1), "{text}");
}

#[test]
fn s75_the_shipped_units_run_as_their_own_user_in_their_own_folder_and_confined() {
    for name in ["tasuki-server.service", "tasuki-relay.service"] {
        let unit = dist(name);
        assert_eq!(missing_directives(&unit), Vec::<&str>::new(), "{name}");
        assert!(unit.contains("StateDirectory=tasuki") && unit.contains("Restart=on-failure"));
        assert!(!unit.contains("User=root"));
        for directive in DIRECTIVES {
            let key = directive.split('=').next().unwrap();
            let set = unit.lines().filter(|line| line.starts_with(&format!("{key}=")));
            assert_eq!(set.count(), 1, "{name}: {key} is set twice");
        }
    }
}

#[tokio::test]
async fn t59_smuggled_and_malformed_requests_are_answered_once_and_their_connection_closed() {
    let world = World::start().await;
    let inner = "GET /v1/admin/operators HTTP/1.1\r\nhost: x\r\n\r\n";
    let attacks = [
        format!(
            "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!(
            "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{{}}{inner}"
        ),
        format!(
            "POST /v1/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!(
            "POST /v1/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{inner}"
        ),
        format!("POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{inner}"),
        format!("GET /v1/bundle HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024)),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(64 * 1024)),
        "GET /v1/bundle HTTP/9.9\r\nhost: x\r\n\r\n".to_owned(),
        "\r\n\r\n\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        format!("GET /v1/bundle HTTP/1.1\r\nhost : x\r\n\r\n{inner}"),
    ];
    for attack in attacks {
        let mut stream = world.tls().await;
        // The server may hang up before all of it has left.
        stream.write_all(attack.as_bytes()).await.ok();
        stream.flush().await.ok();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed").ok();
        let text = String::from_utf8_lossy(&answer);
        let answers = text.matches("HTTP/1.").count();
        assert!(answers <= 1, "{answers} answers to {:.80}", attack);
        assert!(!text.starts_with("HTTP/1.1 200"), "{:.80}", attack);
    }
    for method in ["TRACE", "CONNECT", "PUT", "DELETE", "BREW", "options"] {
        for path in ["/v1/login", "/v1/admin/policy", "/v1/bundle/..", "/%2e%2e/etc/passwd", "*"] {
            let mut stream = world.tls().await;
            let text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(text.as_bytes()).await.ok();
            let mut answer = Vec::new();
            timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
            let text = String::from_utf8_lossy(&answer);
            let fine = text.is_empty() || text.starts_with("HTTP/1.1 4");
            assert!(fine, "{method} {path}: {text}");
        }
    }
    assert_eq!(world.get(HEALTH_PATH, &[]).await.status, 200);
}

#[tokio::test]
async fn f16_a_flood_of_logins_is_answered_busy_and_an_enrolled_device_still_gets_in() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let flood = (0..60).map(|n| {
        let (world, stranger) = (&world, &stranger);
        async move { world.login(&format!("nobody{}", n % 7), "wrong", stranger, None).await.status }
    });
    let statuses = futures_util::future::join_all(flood).await;
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_request_that_is_being_answered_when_the_server_stops_is_answered() {
    let mut world = World::start().await;
    let mut stream = world.tls().await;
    let body = "{}";
    let head = format!("POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    // The server has the head and waits for the body.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let running = world.running.take().unwrap();
    let stopped = tokio::spawn(running.shut_down());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    timeout(PATIENCE, stopped).await.expect("the server stops").unwrap();
}
