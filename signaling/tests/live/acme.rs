//! A certificate from an authority: pebble, which the ACME project tests clients with.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use tasuki_protocol::policy::exchange::HEALTH_PATH;
use tasuki_signaling::shell::config::Configured;
use tasuki_signaling::shell::serve::serve;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::client::{PATIENCE, World, request_over, tls};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running pebble that looks at `tls_port` of whom it certifies.
struct Authority {
    child: Child,
    port: u16,
    /// By which its own TLS is known.
    root: PathBuf,
    /// Under which it certifies others.
    issuer: PathBuf,
}

impl Authority {
    async fn start(folder: &Path, tls_port: u16) -> Self {
        let (port, management) = (free_port(), free_port());
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let (root, key_file) = (folder.join("pebble.crt"), folder.join("pebble.key"));
        std::fs::write(&root, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let settings = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": root,
            "privateKey": key_file,
            "httpPort": free_port(),
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let file = folder.join("pebble.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let child = Command::new("pebble")
            .arg("-config")
            .arg(&file)
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble is installed (./dev test installs it)");
        let issuer = folder.join("issuer.crt");
        let authority = Self { child, port, root, issuer };
        until(|| std::net::TcpStream::connect(("127.0.0.1", management)).is_ok()).await;
        let stream = connect(SocketAddr::from(([127, 0, 0, 1], management)), &authority.root).await;
        let answer = request_over(stream.unwrap(), "GET", "/roots/0", Vec::new(), &[]).await;
        assert_eq!(answer.status, 200);
        std::fs::write(&authority.issuer, answer.body).unwrap();
        authority
    }

    /// From now on `world` asks here.
    fn serves(&self, world: &mut World) {
        world.set("acme", &format!("https://localhost:{}/dir", self.port));
        world.set("acme_contact", "it@example.com");
        world.set("acme_root", self.root.to_str().unwrap());
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn until(done: impl Fn() -> bool) {
    let patience = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < patience, "it did not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn connect(address: SocketAddr, root: &Path) -> Option<TlsStream<TcpStream>> {
    tls(address, root, &[b"http/1.1"], default_provider()).await.ok()
}

/// The key that the server shows under a certificate of `root`'s; `None` if it shows another's.
async fn shown(world: &World, root: &Path) -> Option<Vec<u8>> {
    let stream = connect(world.address, root).await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap().to_vec();
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    Some(leaf.public_key().raw.to_vec())
}

/// One connection that is kept, whatever is shown to others meanwhile.
struct Guest(SendRequest<Empty<Bytes>>);

impl Guest {
    /// Whichever of `roots` the server's certificate is under by now.
    async fn enter(world: &World, roots: &[&Path]) -> Self {
        for root in roots {
            let Some(stream) = connect(world.address, root).await else { continue };
            let (sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            return Self(sender);
        }
        panic!("the certificate is under none of {roots:?}");
    }

    async fn is_answered(&mut self) {
        self.0.ready().await.expect("who is inside stays inside");
        let request = hyper::Request::get(HEALTH_PATH).header("host", "localhost");
        let answer = self.0.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
}

/// The key that the server shows once its certificate is `authority`'s; `guest` asks meanwhile.
async fn shown_by(world: &World, authority: &Authority, mut guest: Option<&mut Guest>) -> Vec<u8> {
    let patience = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(guest) = &mut guest {
            guest.is_answered().await;
        }
        if let Some(key) = shown(world, &authority.issuer).await {
            return key;
        }
        assert!(std::time::Instant::now() < patience, "the authority's certificate is not shown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn account(world: &World) -> serde_json::Value {
    let noted = std::fs::read(world.data().join("acme.json")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&noted).unwrap()["account"].clone()
}

/// S72: the key stays the one that every end has pinned.
#[tokio::test]
async fn s72_an_authority_certifies_the_pinned_key_and_renews_without_dropping_anybody() {
    let mut world = World::begun(&[]).await;
    let ca = world.data().join("ca.crt");
    let pinned = shown(&world, &ca).await.unwrap();
    let own = std::fs::read(world.data().join("server.crt")).unwrap();
    world.stop().await;
    let authority = Authority::start(world.folder.path(), world.address.port()).await;
    authority.serves(&mut world);

    world.run().await;
    let mut guest = Guest::enter(&world, &[&ca, &authority.issuer]).await;
    assert_eq!(shown_by(&world, &authority, Some(&mut guest)).await, pinned);
    guest.is_answered().await;
    let file = world.data().join("acme.json");
    until(|| file.exists() && std::fs::read_to_string(&file).unwrap().contains("given")).await;
    let first = account(&world);

    // As if its time had come: what is in use is not what the authority gave.
    world.stop().await;
    std::fs::write(world.data().join("server.crt"), own).unwrap();
    world.run().await;
    assert_eq!(shown_by(&world, &authority, None).await, pinned);
    assert_eq!(account(&world), first, "one account serves for good");
    world.stop().await;
}

#[tokio::test]
async fn an_authority_that_cannot_be_trusted_or_cannot_look_changes_nothing() {
    let mut world = World::begun(&[("metrics", "127.0.0.1:0")]).await;
    let ca = world.data().join("ca.crt");
    let pinned = shown(&world, &ca).await;
    world.stop().await;
    // It looks at a port where nobody is.
    let blind = Authority::start(world.folder.path(), free_port()).await;
    blind.serves(&mut world);
    world.run().await;
    failed_orders(&world, 1).await;
    world.stop().await;
    // Its own certificate is signed by nobody whom this machine knows.
    world.set("acme_root", "");
    world.run().await;
    failed_orders(&world, 1).await;
    assert_eq!(shown(&world, &ca).await, pinned);
    world.stop().await;
}

async fn failed_orders(world: &World, count: u64) {
    let address = world.running.as_ref().unwrap().metrics_address().unwrap();
    let wanted = format!("tasuki_certificate_failures_total {count}");
    let patience = std::time::Instant::now() + PATIENCE;
    while !crate::operations::plain(address, "/metrics").await.lines().any(|line| line == wanted) {
        assert!(std::time::Instant::now() < patience, "no failure was counted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn settings_with_which_no_authority_can_work_are_refused_at_the_start() {
    let mut world = World::begun(&[]).await;
    world.stop().await;
    let with = |settings: &[(&str, &str)]| {
        let flags: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Configured::gather(&world.data(), [], &flags)
    };
    let plain = with(&[("acme", "http://ca.example/dir")]).unwrap_err().to_string();
    assert!(plain.contains("https://"), "{plain}");
    let empty = world.folder.path().join("no-root.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let own = [("acme", "letsencrypt"), ("acme_root", empty.to_str().unwrap())];
    let refused = serve(&world.data(), with(&own).unwrap().config).await.unwrap_err();
    assert_eq!((refused.exit_code(), refused.to_string().contains("no-root.pem")), (10, true));
    let facts = world.data().join("server.json");
    let text = std::fs::read_to_string(&facts).unwrap().replace("\"localhost\"", "\"192.0.2.1\"");
    std::fs::write(&facts, text).unwrap();
    let config = with(&[("acme", "letsencrypt"), ("listen", "127.0.0.1:0")]).unwrap().config;
    let refused = serve(&world.data(), config).await.unwrap_err();
    assert_eq!((refused.exit_code(), refused.to_string().contains("192.0.2.1")), (10, true));
}
