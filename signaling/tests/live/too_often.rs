//! How often one address may ask over HTTP, and that nobody else is kept waiting by it (T59).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use tasuki_protocol::admin::{ADMIN_HEADER, BUNDLE_PATH, OPERATORS_PATH, Problem, ProblemCode};
use tasuki_protocol::signal::{AGENT_PATH, SPEED_PATH};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::client::{PASSWORD, PATIENCE, World, request_over, unix};
use crate::http::admin_header;
use crate::http::{Answer, tls_over};
use crate::operations::plain;

const METRICS: (&str, &str) = ("metrics", "127.0.0.1:0");
/// As a server has them where nobody said otherwise.
const DEFAULTS: [(&str, &str); 2] = [("requests_per_address", "600"), ("speed_per_address", "240")];

/// A connection from another computer than that of [`World::tls`].
pub(crate) async fn from_elsewhere(world: &World) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(world.address).await.unwrap();
    let ca = world.data().join("ca.crt");
    tls_over(stream, &ca, &[b"http/1.1"], aws_lc_rs::default_provider()).await.unwrap()
}

async fn get_from_elsewhere(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    request_over(from_elsewhere(world).await, "GET", path, Vec::new(), headers).await
}

/// Until it is refused; how many were served.
async fn used_up(world: &World, path: &str) -> usize {
    for served in 0..1_000 {
        let answer = get_from_elsewhere(world, path, &[]).await;
        if answer.status != 200 {
            assert_too_many(&answer);
            return served;
        }
    }
    panic!("nothing is refused")
}

#[track_caller]
fn assert_too_many(answer: &Answer) {
    assert_eq!(answer.status, 429);
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem.code, ProblemCode::TooMany);
    assert!(answer.headers.iter().any(|name| name == "retry-after"), "{:?}", answer.headers);
}

#[tokio::test]
async fn t59_who_asks_too_often_is_refused_on_every_path_and_nobody_else_is() {
    let world =
        World::with(&[METRICS, ("requests_per_address", "20"), ("speed_per_address", "10")]).await;
    let served = used_up(&world, BUNDLE_PATH).await;
    assert!((20..60).contains(&served), "{served}");
    // Another's word of where it comes from counts for nothing (T54).
    let forwarded = [("x-forwarded-for", "203.0.113.9")];
    for (path, headers) in [
        (BUNDLE_PATH, &[] as &[_]),
        (OPERATORS_PATH, &[]),
        (AGENT_PATH, &[]),
        ("/healthz", &[]),
        ("/nowhere", &[]),
        (BUNDLE_PATH, &forwarded),
    ] {
        // Time gives one in three seconds meanwhile.
        let mut answer = get_from_elsewhere(&world, path, headers).await;
        for _ in 0..10 {
            if answer.status == 429 {
                break;
            }
            answer = get_from_elsewhere(&world, path, headers).await;
        }
        assert_too_many(&answer);
    }
    // A line is timed on an account of its own, which is smaller.
    let timed = used_up(&world, SPEED_PATH).await;
    assert!((10..40).contains(&timed), "{timed}");
    assert_eq!(world.get(BUNDLE_PATH, &[]).await.status, 200, "from another address");
    let page = plain(world.running.as_ref().unwrap().metrics_address().unwrap(), "/metrics").await;
    let refused = page.lines().find_map(|line| line.strip_prefix("tasuki_requests_refused_total "));
    assert!(refused.unwrap().parse::<u64>().unwrap() >= 5, "{refused:?}");
}

/// T54, T59: behind a proxy that is configured each of its clients has his own account, all of an IPv6 /64 one together.
#[tokio::test]
async fn t59_behind_a_proxy_each_client_is_counted_by_himself() {
    let world = World::with(&[("requests_per_address", "20"), ("proxies", "127.0.0.2/32")]).await;
    let ask = async |client: &str| {
        get_from_elsewhere(&world, BUNDLE_PATH, &[("x-forwarded-for", client)]).await.status
    };
    let mut served = 0;
    while ask(&format!("2001:db8:0:1::{served:x}")).await == 200 {
        served += 1;
        assert!(served < 200, "one network has no end of addresses");
    }
    assert!(served >= 20, "{served}");
    assert_eq!(ask("2001:db8:0:2::1").await, 200);
    assert_eq!(ask("198.51.100.7").await, 200);
}

/// One keep-alive connection that asks again as soon as it is answered; counts what was not refused.
async fn bombard(world: Arc<World>, served: Arc<AtomicUsize>, number: usize) {
    let Ok(stream) = world.try_tls().await else { return };
    let Ok((mut sender, connection)) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await
    else {
        return;
    };
    tokio::spawn(connection);
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[99; 32]);
    while sender.ready().await.is_ok() {
        let mut request = hyper::Request::builder().method("GET").header("host", "localhost");
        if number.is_multiple_of(2) {
            request = request.uri(SPEED_PATH);
        } else {
            let proof = admin_header(&stranger, unix(), "GET", OPERATORS_PATH, b"");
            request = request.uri(OPERATORS_PATH).header(ADMIN_HEADER, proof);
        }
        let asked = sender.send_request(request.body(Full::new(Bytes::new())).unwrap());
        let Ok(answer) = asked.await else { return };
        let status = answer.status().as_u16();
        assert!(matches!(status, 200 | 401 | 429), "{status}");
        served.fetch_add(usize::from(status != 429), Ordering::Relaxed);
        if answer.into_body().collect().await.is_err() {
            return;
        }
    }
}

/// T59: with the limits that a server has if nobody says otherwise.
#[tokio::test]
async fn t59_two_hundred_and_fifty_six_connections_that_ask_without_end_are_refused_and_others_served()
{
    let world = Arc::new(World::with(&DEFAULTS).await);
    let operator = world.operator("hanako").await;
    let (served, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut attack = JoinSet::new();
    for number in 0..256 {
        attack.spawn(bombard(Arc::clone(&world), Arc::clone(&served), number));
    }
    let mut last = 0;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let bundle = timeout(PATIENCE, get_from_elsewhere(&world, BUNDLE_PATH, &[])).await;
        assert_eq!(bundle.expect("an answer").status, 200);
        let stream = from_elsewhere(&world).await;
        let login = world.try_login_over(stream, "hanako", PASSWORD, &operator.device);
        assert_eq!(timeout(PATIENCE, login).await.expect("an answer"), Some(200));
        last = served.load(Ordering::Relaxed);
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    attack.abort_all();
    // Both bursts and what time gives of both, and not a request more.
    assert!(last > 400, "{last} were served: nobody attacks");
    assert!(last <= 600 + 240 + 14 * seconds, "{last} in {seconds} s");
}
