//! What `tasuki-server doctor` says of a folder, a clock and settings of which one thing is spoilt at a time,
//! and of what a later line or a drop-in takes from a unit (S75, S77).

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::geteuid;
use serde_json::Value;
use tasuki_signaling::shell::setup::{SetUp, set_up};

/// A user that owns nothing else here.
const NOBODY: u32 = 65534;

struct Folder {
    _holder: tempfile::TempDir,
    data: PathBuf,
    unit: PathBuf,
}

impl Folder {
    /// As the install guide makes it.
    async fn installed() -> Self {
        let holder = tempfile::tempdir().unwrap();
        let (data, unit) = (holder.path().join("data"), holder.path().join("tasuki-server.service"));
        let (host, organisation) = ("localhost".to_owned(), None);
        set_up(SetUp { data: data.clone(), host, port: 1, organisation, certificate: None })
            .await
            .unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/tasuki-server.service");
        std::fs::copy(shipped, &unit).unwrap();
        let folder = Self { _holder: holder, data, unit };
        folder.own(NOBODY);
        folder
    }

    /// Whoever is no root owns what he makes already.
    fn own(&self, by: u32) {
        if geteuid().is_root() {
            let files = std::fs::read_dir(&self.data).unwrap().map(|entry| entry.unwrap().path());
            files.chain([self.data.clone()]).for_each(|path| chown(path, Some(by), Some(by)).unwrap());
        }
    }

    /// What is not well, by code, and the exit code.
    fn complaints(&self, more: &[&str], clock: Option<&str>) -> (Vec<(String, String)>, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
        if let Some(clock) = clock {
            let folder = |machine| format!("/usr/lib/{machine}-linux-gnu/faketime");
            command.env("LD_LIBRARY_PATH", ["x86_64", "aarch64"].map(folder).join(":"));
            command.env("LD_PRELOAD", "libfaketime.so.1").env("FAKETIME", clock);
        }
        command.args(["doctor", "--json", "--hardening", "--data"]).arg(&self.data);
        command.arg("--unit").arg(&self.unit).args(more).stdin(Stdio::null()).env("LC_ALL", "C");
        let output = command.output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let seen = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let seen: Vec<_> = seen.map(|line| (text(&line, "code"), text(&line, "grade"))).collect();
        assert!(seen.len() >= 16, "{seen:?}");
        // Nothing listens there, and how much is free is this machine's own matter.
        let wrong = seen
            .into_iter()
            .filter(|(code, grade)| grade != "well" && !["D08", "D10"].contains(&code.as_str()));
        (wrong.collect(), output.status.code())
    }

    #[track_caller]
    fn only(&self, code: &str, grade: &str, more: &[&str]) {
        let (complaints, exit) = self.complaints(more, None);
        assert_eq!(complaints, [(code.to_owned(), grade.to_owned())], "{more:?}");
        assert_eq!(exit, Some(if grade == "ill" { 12 } else { 0 }), "{code}");
    }

    fn certificate(&self, name: &str, until: (i32, u8, u8)) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(self.data.join("server.crt"), made.pem()).unwrap();
    }
}

#[tokio::test]
async fn s77_doctor_finds_a_default_installation_well_and_each_thing_that_is_spoilt_in_it_ill() {
    let folder = Folder::installed().await;
    assert_eq!(folder.complaints(&[], None), (vec![], Some(0)));

    for (code, setting) in [
        ("H01", "password_passes=1"),
        ("H02", "lock_after=50"),
        ("H02", "lock_s=5"),
        ("H03", "joins_per_address=1000"),
        ("H03", "joins_per_minute=100000"),
        ("H04", "metrics=0.0.0.0:9464"),
        ("H09", "wrong_logins_per_address=1000"),
    ] {
        folder.only(code, "ill", &["--set", setting]);
    }
    let vault = folder.data.join("vault.json");
    std::fs::write(&vault, "{}").unwrap();
    folder.only("H06", "ill", &[]);
    std::fs::remove_file(vault).unwrap();
    let (complaints, exit) = folder.complaints(&[], Some("@2025-06-01 00:00:00"));
    assert_eq!((complaints, exit), (vec![("D09".to_owned(), "ill".to_owned())], Some(12)));

    let certificate = folder.data.join("server.crt");
    let good = std::fs::read(&certificate).unwrap();
    std::fs::write(&certificate, "no certificate").unwrap();
    let (complaints, exit) = folder.complaints(&[], None);
    assert_eq!((complaints, exit), (vec![("D05".to_owned(), "ill".to_owned())], Some(12)));
    folder.certificate("localhost", (2025, 12, 31));
    folder.only("D05", "ill", &[]);
    folder.certificate("elsewhere.example", (2049, 12, 31));
    folder.only("D06", "ill", &[]);
    std::fs::write(&certificate, good).unwrap();
    if geteuid().is_root() {
        chown(folder.data.join("pepper.key"), Some(1), Some(1)).unwrap();
        folder.only("D03", "ill", &[]);
        folder.own(0);
        folder.only("H05", "ill", &[]);
        folder.own(NOBODY);
    }
    assert_eq!(folder.complaints(&[], None), (vec![], Some(0)));
}

/// A file system of so many MiB, for as long as it lives; none for who may not make one.
struct Small(tempfile::TempDir);

impl Small {
    fn of(mib: u32) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=0700"), "tmpfs"]).arg(place.path());
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0.path()).status().ok();
    }
}

/// S77, F5: before nothing can be written any more.
#[tokio::test]
async fn s77_doctor_says_how_much_is_free_and_whether_that_is_enough() {
    for (mib, grade) in [(40, "ill"), (500, "warning"), (2_000, "well")] {
        let Some(small) = Small::of(mib) else {
            return eprintln!("not tried: only root makes a file system that is nearly full");
        };
        let (data, host) = (small.0.path().join("data"), "localhost".to_owned());
        let order = SetUp { data: data.clone(), host, port: 1, organisation: None, certificate: None };
        set_up(order).await.unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki-server"));
        command.args(["doctor", "--json", "--data"]).arg(&data).stdin(Stdio::null()).env("LC_ALL", "C");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let line = line.into_iter().find(|line| line["code"] == "D08").expect("D08");
        assert_eq!(line["grade"], grade, "{line}");
        assert_eq!(output.status.code(), Some(if grade == "ill" { 12 } else { 0 }), "{said}");
    }
}

/// S75: what systemd does is what counts, and there the last word does (systemd.unit(5)).
#[tokio::test]
async fn s75_a_unit_whose_confinement_a_later_line_or_a_drop_in_undoes_is_ill() {
    let folder = Folder::installed().await;
    let shipped = std::fs::read_to_string(&folder.unit).unwrap();
    for undone in ["User=root", "ProtectSystem=no", "SystemCallFilter=", "NoNewPrivileges=false"] {
        std::fs::write(&folder.unit, format!("{shipped}\n[Service]\n{undone}\n")).unwrap();
        folder.only("H07", "ill", &[]);
    }
    std::fs::write(&folder.unit, &shipped).unwrap();
    let mut drop_ins = folder.unit.clone().into_os_string();
    drop_ins.push(".d");
    std::fs::create_dir(&drop_ins).unwrap();
    let drop_in = Path::new(&drop_ins).join("override.conf");
    std::fs::write(&drop_in, "[Service]\nUser=root\n").unwrap();
    folder.only("H07", "ill", &[]);
    std::fs::write(&drop_in, "[Service]\nEnvironment=RUST_LOG=debug\n").unwrap();
    assert_eq!(folder.complaints(&[], None), (vec![], Some(0)));
    std::fs::remove_file(&folder.unit).unwrap();
    folder.only("H07", "warning", &[]);
}
