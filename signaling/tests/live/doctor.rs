//! What `tasuki-server doctor` says of a server that runs: well as it was started, and what was spoilt or comes to its end
//! (S75, S77). `ill` has folders of which one thing is spoilt at a time.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tasuki_protocol::bundle::Bundle;

use crate::client::{World, unix};
use crate::crash::Process;
use crate::organisation::root_key;

fn doctor(data: &Path, more: &[&str]) -> (Output, Vec<serde_json::Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
    command.args(["doctor", "--json", "--data"]).arg(data).args(more);
    let output = command.stdin(Stdio::null()).env("LC_ALL", "C").output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, lines)
}

fn grade(lines: &[serde_json::Value], code: &str) -> String {
    let line = lines.iter().find(|line| line["code"] == code);
    line.unwrap_or_else(|| panic!("{code} in {lines:?}"))["grade"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn s77_doctor_passes_a_running_server_and_names_what_is_wrong_with_a_spoilt_one() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::start().await;
    let data = world.data();
    let listen = format!("listen={}", world.address);
    let (output, lines) = doctor(&data, &["--set", &listen]);
    assert_eq!(output.status.code(), Some(0), "{lines:?}");
    for code in ["D01", "D02", "D03", "D04", "D05", "D06", "D07", "D09", "D10"] {
        assert_eq!(grade(&lines, code), "well", "{code} {lines:?}");
    }
    assert!(lines.iter().all(|line| line["code"] != "D11"), "no authority is asked: {lines:?}");
    let acme = ["--set", &listen, "--set", "acme=https://authority.test/directory"];
    assert_eq!(grade(&doctor(&data, &acme).1, "D11"), "warning", "it listens on another port than 443");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(data.join("manifest.key"), open).unwrap();
    std::fs::remove_file(data.join("names.key")).unwrap();
    let (output, lines) = doctor(&data, &["--set", &listen]);
    assert_eq!(output.status.code(), Some(12));
    assert_eq!((grade(&lines, "D02"), grade(&lines, "D04")), ("ill".into(), "ill".into()));
    let (output, lines) = doctor(&world.folder.path().join("nowhere"), &[]);
    assert_eq!((output.status.code(), grade(&lines, "D01")), (Some(12), "ill".into()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// S77: past the bundle's end every program stops; sixty days before it there is time for whoever comes seldom.
#[tokio::test]
async fn s77_doctor_warns_before_the_bundles_end_and_calls_it_ill_after() {
    let world = World::start().await;
    let listen = format!("listen={}", world.address);
    let now = || {
        let (output, lines) = doctor(&world.data(), &["--set", &listen]);
        (grade(&lines, "D12"), output.status.code())
    };
    for (version, left, is) in
        [(2, 61 * 86_400, "well"), (3, 59 * 86_400, "warning"), (4, 3, "warning")]
    {
        let bundle = Bundle { version, expires_at: unix() + left, ..world.bundle() };
        assert_eq!(world.publish(&bundle, &[&root_key()]).await.status, 204);
        assert_eq!(now(), (is.to_owned(), Some(0)), "{left}");
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(now(), ("ill".to_owned(), Some(12)));
}

#[tokio::test]
async fn s77_the_hardening_check_passes_the_shipped_unit_and_fails_softened_settings() {
    let world = World::start().await;
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/tasuki-server.service");
    let unit = unit.to_str().unwrap();
    let (_, lines) = doctor(&world.data(), &["--hardening", "--unit", unit]);
    for code in ["H01", "H02", "H03", "H04", "H07", "H09"] {
        assert_eq!(grade(&lines, code), "well", "{code}");
    }
    let soft = ["--hardening", "--set", "password_passes=1", "--set", "metrics=0.0.0.0:9464"];
    let (output, lines) = doctor(&world.data(), &soft);
    assert_eq!(output.status.code(), Some(12));
    for code in ["H01", "H04"] {
        assert_eq!(grade(&lines, code), "ill", "{code}");
    }
}

/// S77: the settings that count are those of the server that runs, wherever it has them from.
#[tokio::test]
async fn s77_the_hardening_check_knows_what_the_running_server_was_told() {
    let mut world = World::start().await;
    world.stop().await;
    // Its passwords are cheap.
    let server = Process::start(&world);
    let grade_now = || grade(&doctor(&world.data(), &["--hardening"]).1, "H01");
    assert_eq!(grade_now(), "ill");
    assert_eq!(
        grade(&doctor(&world.data(), &["--hardening"]).1, "H08"),
        "well",
        "one port, and no other"
    );
    server.kill();
    assert_eq!(grade_now(), "well", "what a server was told that is gone counts no more");
}

/// S77: a port that the process of the server opens beside its own, whoever wants it there.
#[tokio::test]
async fn s77_a_port_that_is_open_to_the_network_beside_the_servers_own_is_ill() {
    let world = World::start().await;
    let listen = format!("listen={}", world.address);
    let more = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = more.local_addr().unwrap().port().to_string();
    let (output, lines) = doctor(&world.data(), &["--hardening", "--set", &listen]);
    assert_eq!((output.status.code(), grade(&lines, "H08")), (Some(12), "ill".to_owned()));
    let line = lines.iter().find(|line| line["code"] == "H08").unwrap();
    assert!(line.to_string().contains(&port), "{line}");
}
