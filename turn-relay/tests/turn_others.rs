//! The TURN server as others' clients use it: coturn's own, and Chromium.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

#[path = "support/turn.rs"]
mod client;
#[path = "support/turn_house.rs"]
mod house;
mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use client::credential;
use house::{House, house, settings};
use support::unix;
use tasuki_protocol::ids::Role::{Agent, Operator};

/// Clients of coturn, each pair of which forwards through the relay to one another.
fn uclient(house: &House, session: u8, more: &[&str]) -> String {
    let credential = credential(session, Operator, unix() + 50);
    let port = if more.contains(&"-t") { house.tcp.port() } else { house.udp.port() };
    let output = Command::new("turnutils_uclient")
        .args(["-y", "-c", "-m", "2", "-n", "10", "-l", "170", "-u", &credential.name])
        .args(["-w", &credential.password, "-p", &port.to_string()])
        .args(more)
        .arg("127.0.0.1")
        .output()
        .expect("coturn is installed; `./dev test` sees to it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn s84_coturns_client_speaks_through_the_relay_over_udp_tcp_and_tls() {
    let house = &house(settings()).await;
    let kinds: [&[&str]; 4] = [&[], &["-s"], &["-t"], &["-t", "-S"]];
    let said = tokio::task::block_in_place(|| {
        std::thread::scope(|all| {
            let mut sessions = 30..;
            let running = kinds.map(|more| {
                let session = sessions.next().unwrap_or_default();
                all.spawn(move || uclient(house, session, more))
            });
            running.map(|one| one.join().unwrap())
        })
    });
    for (more, said) in kinds.into_iter().zip(said) {
        let lost = said.lines().find(|line| line.contains("Total lost packets 0"));
        assert!(lost.is_some(), "{more:?}: {said}");
    }
    assert!(house.turn.tally().packets >= 80, "{:?}", house.turn.tally());
}

/// Two ends of one session in a page of a browser that may use the relay alone; each asks for its
/// address over one kind of connection. They greet each other, and the page logs what it saw.
const PAGE: &str = r#"<!doctype html><script>
const ends = ENDS;
const say = what => console.log("tasuki: " + what);
const peer = ({ url, username, credential }) => new RTCPeerConnection({
    iceTransportPolicy: "relay",
    iceServers: [{ urls: url, username, credential }],
});
const [one, other] = ends.map(peer);
for (const [from, to] of [[one, other], [other, one]])
    from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate);
const way = async connection => {
    const all = [...(await connection.getStats()).values()];
    const pair = all.find(entry => entry.type === "candidate-pair" && entry.nominated);
    const local = all.find(entry => entry.id === pair.localCandidateId);
    return local.candidateType + " over " + local.relayProtocol;
};
setTimeout(() => say("failed: nothing came of it"), 60000);
const channel = one.createDataChannel("greeting");
channel.onopen = () => channel.send("hello");
channel.onmessage = async ({ data }) =>
    say([data, await way(one), await way(other)].join(", "));
other.ondatachannel = ({ channel }) =>
    channel.onmessage = ({ data }) => channel.send(data + " and back");
(async () => {
    await one.setLocalDescription();
    await other.setRemoteDescription(one.localDescription);
    await other.setLocalDescription();
    await one.setRemoteDescription(other.localDescription);
})().catch(error => say("failed: " + error));
</script>"#;

/// What the page logged, and nothing that it logged after.
fn browse(house: &House, session: u8, kinds: [&str; 2]) -> String {
    let ends = [Operator, Agent].into_iter().zip(kinds).map(|(role, kind)| {
        let url = match kind {
            "udp" => format!("turn:127.0.0.1:{}?transport=udp", house.udp.port()),
            "tcp" => format!("turn:127.0.0.1:{}?transport=tcp", house.tcp.port()),
            _ => format!("turns:127.0.0.1:{}?transport=tcp", house.tcp.port()),
        };
        let given = credential(session, role, unix() + 50);
        serde_json::json!({ "url": url, "username": given.name, "credential": given.password })
    });
    let ends = serde_json::Value::from_iter(ends);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, PAGE.replace("ENDS", &ends.to_string())).unwrap();
    let mut browser = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"])
        .args(["--no-first-run", "--disable-dev-shm-usage", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Chromium is installed; `./dev test` sees to it");
    let log = BufReader::new(browser.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    let said = log.into_iter().find_map(|line| {
        seen.push(line);
        let (_, said) = seen.last()?.split_once("tasuki: ")?;
        said.split_once('"').map(|(said, _)| said.to_owned())
    });
    browser.kill().unwrap();
    browser.wait().unwrap();
    said.unwrap_or_else(|| panic!("the browser said nothing of it:\n{}", seen.join("\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn s84_chromium_meets_chromium_through_the_relay_over_udp_tcp_and_tls() {
    let house = house(settings()).await;
    for (session, kinds) in [["udp", "udp"], ["tcp", "tls"]].into_iter().enumerate() {
        let said = tokio::task::block_in_place(|| browse(&house, 20 + session as u8, kinds));
        let [one, other] = kinds;
        assert_eq!(said, format!("hello and back, relay over {one}, relay over {other}"));
    }
}
