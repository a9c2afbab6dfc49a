//! What systemd itself says of the units that are shipped (S75, S92).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Of 100, in systemd-analyze's own count: "OK" ends at 50 and "MEDIUM" at 70; a unit without confinement has 96.
const MOST_EXPOSED: u32 = 20;

/// The server's and the relay's, and the administrator's own.
const DISTS: [&str; 2] = ["dist", "../admin/dist"];

/// A root folder with nothing but the units and the programs that they start.
fn installed() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let (units, programs) = (root.path().join("etc/systemd/system"), root.path().join("usr/local/bin"));
    let of_the_system = root.path().join("usr/bin");
    for folder in [&units, &programs, &of_the_system] {
        std::fs::create_dir_all(folder).unwrap();
    }
    for file in files() {
        std::fs::copy(&file, units.join(file.file_name().unwrap())).unwrap();
    }
    for program in [
        programs.join("tasuki-server"),
        programs.join("tasuki-relay"),
        of_the_system.join("notify-send"),
    ] {
        std::fs::copy("/bin/true", program).unwrap();
    }
    root
}

fn files() -> Vec<PathBuf> {
    let dist = |dist: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(dist);
    let entries = DISTS.into_iter().flat_map(|name| std::fs::read_dir(dist(name)).unwrap());
    let is_unit =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "service" || end == "timer");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_unit).collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    files
}

/// What it says of them, and whether it is content.
fn analyzed(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C").env("SYSTEMD_COLORS", "0");
    let output = command.output().expect("systemd-analyze, of Debian's package systemd");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn s75_s92_systemd_understands_every_line_of_the_shipped_units() {
    let root = installed();
    let at = format!("--root={}", root.path().display());
    for file in files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (is_well, said) = analyzed(&["verify", "--man=no", "--recursive-errors=no", &at, name]);
        assert!(is_well && said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn s75_systemd_finds_the_shipped_services_confined() {
    let root = installed();
    let at = format!("--root={}", root.path().display());
    let threshold = format!("--threshold={MOST_EXPOSED}");
    for file in files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        // An administrator's own are his user's, who may what he may.
        if !["tasuki-server.service", "tasuki-relay.service"].contains(&name) {
            continue;
        }
        let (is_well, said) =
            analyzed(&["security", "--offline=true", "--no-pager", &threshold, &at, name]);
        assert!(is_well, "{name}: {said}");
    }
}

/// What Prometheus says of a test of the shipped rules.
fn tested_by_prometheus(test: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/tasuki-alerts.yml");
    std::fs::copy(rules, folder.path().join("tasuki-alerts.yml")).unwrap();
    let file = folder.path().join("test.yml");
    std::fs::write(&file, test).unwrap();
    let output = Command::new("promtool").args(["test", "rules"]).arg(&file).output();
    let output = output.expect("promtool, of Debian's package prometheus");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// S76: it dies just after the scrape at 15 s, at a Prometheus with settings of its own.
#[test]
fn s76_a_server_that_dies_or_cannot_serve_raises_its_alert_within_a_minute_and_a_restart_none() {
    // promtool itself does not look at a group's own.
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/tasuki-alerts.yml");
    let rules = std::fs::read_to_string(rules).unwrap();
    let own = rules.lines().find_map(|line| line.strip_prefix("    interval: "));
    let often = own.unwrap_or("1m");
    for (series, alert) in [(r#"up{job="tasuki"}"#, "TasukiDown"), ("tasuki_ready", "TasukiNotReady")] {
        for (values, fires) in [("1 1 0x10", true), ("1x10", false), ("1 1 0 1x10", false)] {
            let samples = if fires { "[{labels: '{}', value: 1}]" } else { "[]" };
            let test = format!(
                "rule_files: [tasuki-alerts.yml]
evaluation_interval: {often}
tests:
  - interval: 15s
    input_series: [{{series: '{series}', values: '{values}'}}]
    promql_expr_test:
      - expr: count(ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}})
        eval_time: 75s
        exp_samples: {samples}
"
            );
            let (holds, said) = tested_by_prometheus(&test);
            assert!(holds, "{alert} of {values}: {said}");
        }
    }
}
