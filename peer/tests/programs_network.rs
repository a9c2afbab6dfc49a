//! Whatever stands between the programs and their server: told apart in one plain
//! sentence, with an exit code of its own (S84, F23). The lab has the good cases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use support::server::{Behaviour, Server};
use support::{Ended, OPERATOR, assert_plain, program, run};
use tasuki_protocol::ids::{Digest, PROTOCOL_VERSION};

fn log_in(profile: &Path, proxy: &str) -> Ended {
    let mut command = program(OPERATOR, profile);
    command.args(["login", "--operator", "hanako", "--password-stdin", "--enrolment", "code"]);
    command.args(["--proxy", proxy]);
    run(command, "secret\n")
}

/// Says `answer` to whoever comes, once it has heard something.
fn somebody(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut heard = [0; 1024];
            let _ = stream.read(&mut heard);
            let _ = stream.write_all(answer);
        }
    });
    port
}

#[test]
fn s84_what_a_proxy_does_instead_of_opening_a_tunnel_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    std::fs::write(folder.path().join("tenant.json"), server.bundle()).unwrap();
    let endless: &'static [u8] =
        Vec::leak([b"HTTP/1.1 200 OK\r\n".as_slice(), &[b'x'; 20_000]].concat());
    let cases: [(&'static [u8], i32, &str); 6] = [
        (b"220 mail.example ESMTP\r\n", 70, "no HTTP proxy"),
        (endless, 70, "no HTTP proxy"),
        (b"", 70, "no HTTP proxy"),
        (b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n", 71, "settings.toml"),
        (b"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\n\r\n", 71, "without it"),
        (b"HTTP/1.0 403 Forbidden\r\n\r\n", 72, "403"),
    ];
    for (answer, code, part) in cases {
        let proxy = format!("http://127.0.0.1:{}", somebody(answer));
        let ended = log_in(folder.path(), &proxy);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.err.contains(part) && ended.err.contains(&proxy), "{ended:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_plain(&log_in(folder.path(), &format!("127.0.0.1:{closed}")), 70, "cannot be reached");
    assert_plain(&log_in(folder.path(), "socks5://127.0.0.1:1080"), 3, "only HTTP proxies");
    assert_plain(&log_in(folder.path(), "http://a:geheim@127.0.0.1:1"), 3, "settings.toml");
    assert_eq!(log_in(folder.path(), "none").code, 0);
}

/// A device that opens connections: a certificate for the right name by another authority.
#[test]
fn s72_s84_tls_inspection_is_named_by_its_issuer_and_gets_nothing() {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "Example Web Gateway");
    let issuer = Issuer::new(authority, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = std::sync::mpsc::sync_channel(64);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut gateway = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut plain = Vec::new();
            let _ = rustls::Stream::new(&mut gateway, &mut stream).read_to_end(&mut plain);
            let _ = tell.send(plain);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let server = Server { port, ..Server::start(Behaviour::Kind) };
    let bundle = server.bundle_with(Digest([9; 32]), "localhost", PROTOCOL_VERSION);
    std::fs::write(folder.path().join("tenant.json"), bundle).unwrap();
    assert_plain(&log_in(folder.path(), "none"), 73, "Example Web Gateway");
    assert_eq!(heard.recv().unwrap(), b"");
}
