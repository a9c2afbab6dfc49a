//! A relay's memory while a reader sleeps, measured on the real program.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use support::{Door, PATIENCE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Program(std::process::Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Program {
    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

fn start(folder: &std::path::Path) -> (Program, Door) {
    let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("ticket.key"), [7; 32]).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tasuki-relay"))
        .args(["run", "--listen", "127.0.0.1:0", "--stun-listen", ""])
        .args(["--certificate", "cert.pem", "--key", "key.pem", "--ticket-key", "ticket.key"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = log.find_map(|line| line.ok().filter(|line| line.contains("listening"))).unwrap();
    std::thread::spawn(move || log.for_each(drop));
    let after = line.split("127.0.0.1:").nth(1).unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    (Program(child), Door { address, certificate })
}

#[tokio::test]
async fn a_hundred_megabytes_for_a_sleeping_reader_cost_the_relay_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (program, door) = start(folder.path());
    let (warm_up, other) = door.join(1, 0).await;
    drop((warm_up, other));
    let before = program.resident_kb();

    let (mut operator, mut agent) = door.join(2, 0).await;
    let total = 100 << 20;
    let sending = tokio::spawn(async move {
        operator.write_all(&vec![5; total]).await.unwrap();
        operator.shutdown().await.unwrap();
        operator
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asleep = program.resident_kb().saturating_sub(before);
    assert!(!sending.is_finished(), "somebody took 100 MB for a reader who sleeps");
    assert!(asleep < 2048, "{asleep} kB more than before");

    let mut heard = Vec::with_capacity(total);
    let reading = agent.read_to_end(&mut heard);
    tokio::time::timeout(PATIENCE, reading).await.expect("stuck").unwrap();
    assert_eq!(heard.len(), total);
    sending.await.unwrap();
    let after = program.resident_kb().saturating_sub(before);
    assert!(after < 4096, "{after} kB more than before");
}
