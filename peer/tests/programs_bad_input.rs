//! Whatever is wrong around the programs: one plain sentence that says what to do,
//! an exit code of its own, nothing lost, no panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use support::server::{Behaviour, Server};
use support::{AGENT, OPERATOR, Running, assert_plain, program, run};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::ids::{Digest, PROTOCOL_VERSION};
use tasuki_protocol::signal::RefusalReason;

fn place_bundle(profile: &Path, bytes: &[u8]) {
    std::fs::write(profile.join("tenant.json"), bytes).unwrap();
}

fn log_in(profile: &Path) -> support::Ended {
    let mut command = program(OPERATOR, profile);
    command.args(["login", "--operator", "hanako", "--password-stdin", "--enrolment-stdin"]);
    run(command, "secret\ncode\n")
}

fn open(profile: &Path, mode: &str) -> support::Ended {
    let mut command = program(OPERATOR, profile);
    command.args(["open", "--mode", mode, "--json"]);
    run(command, "")
}

/// The agent at a terminal, without a desktop to show.
fn agent(profile: &Path) -> Command {
    let mut command = program(AGENT, profile);
    command.arg("--no-desktop");
    command
}

fn said_at_terminal(command: Command) -> support::Ended {
    let mut running = Running::at_terminal(command);
    let code = running.code();
    running.settle();
    support::Ended { code, out: String::new(), err: running.all() }
}

#[test]
fn programs_that_are_not_set_up_say_where_the_file_belongs() {
    let folder = tempfile::tempdir().unwrap();
    assert_plain(&open(folder.path(), "control"), 20, "tenant.json");
    assert_plain(&run(agent(folder.path()), ""), 20, "tenant.json");
    let mut named = program(AGENT, folder.path());
    named.args(["--tenant", "/nowhere/tenant.json"]);
    assert_plain(&run(named, ""), 20, "/nowhere/tenant.json");
}

#[test]
fn an_x_server_without_what_it_takes_is_named_before_a_number_is_spent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    place_bundle(folder.path(), &server.bundle());
    for missing in ["DAMAGE", "XTEST"] {
        let mut x = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"])
            .args(["-extension", missing])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(x.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let mut command = program(AGENT, folder.path());
        command.env("DISPLAY", format!(":{}", number.trim()));
        let ended = said_at_terminal(command);
        x.kill().unwrap();
        x.wait().unwrap();
        assert_plain(&ended, 11, missing);
    }
}

#[test]
fn t70_a_damaged_file_of_another_version_or_of_another_organisation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    let good = server.bundle();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    place_bundle(folder.path(), &bad);
    assert_plain(&open(folder.path(), "control"), 21, "cannot be trusted");
    place_bundle(folder.path(), b"");
    assert_plain(&open(folder.path(), "control"), 21, "cannot be trusted");
    place_bundle(
        folder.path(),
        &server.bundle_with(Digest([0; 32]), "localhost", PROTOCOL_VERSION + 1),
    );
    assert_plain(&open(folder.path(), "control"), 35, "version 2");
    place_bundle(folder.path(), &good);
    assert_plain(&open(folder.path(), "control"), 24, "tasuki login");
    // What is known of the organisation, but of another one's root.
    let pin = folder.path().join("root.pin");
    let known = std::fs::read_to_string(&pin).unwrap();
    let root = server.root().to_string();
    assert!(known.contains(&root), "{known}");
    std::fs::write(&pin, known.replace(&root, &"0".repeat(root.len()))).unwrap();
    assert_plain(&open(folder.path(), "control"), 22, "another organisation");
}

#[test]
fn damaged_keys_and_keys_that_others_can_read_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    place_bundle(folder.path(), &Server::start(Behaviour::Kind).bundle());
    let key = folder.path().join("device.key");
    std::fs::write(&key, "nonsense").unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    assert_plain(&log_in(folder.path()), 23, "damaged");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    assert_plain(&log_in(folder.path()), 23, "chmod 600");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "nonsense");
}

#[test]
fn unknown_host_closed_port_and_wrong_server_key_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    place_bundle(folder.path(), &server.bundle_with(Digest([9; 32]), "localhost", PROTOCOL_VERSION));
    assert_plain(&log_in(folder.path()), 33, "not your organisation's");
    place_bundle(
        folder.path(),
        &server.bundle_with(Digest([9; 32]), "no-such-host.invalid", PROTOCOL_VERSION),
    );
    assert_plain(&log_in(folder.path()), 30, "no-such-host.invalid");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = Server { port, ..server };
    place_bundle(folder.path(), &closed.bundle());
    assert_plain(&log_in(folder.path()), 31, "not running");
}

#[test]
fn what_is_no_tasuki_server_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::Write;
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(b"220 mail.example ESMTP\r\n");
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    });
    let server = Server { port, ..Server::start(Behaviour::Kind) };
    place_bundle(folder.path(), &server.bundle());
    assert_plain(&log_in(folder.path()), 34, "not a Tasuki server");
}

#[test]
fn a_wrong_password_too_many_tries_and_another_version_are_told_apart() {
    for (code, exit, part) in [
        (ProblemCode::SignIn, 40, "did not accept"),
        (ProblemCode::Busy, 37, "Wait"),
        (ProblemCode::Version, 35, "has to be updated"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        place_bundle(folder.path(), &Server::start(Behaviour::RefusesSignIn(code)).bundle());
        assert_plain(&log_in(folder.path()), exit, part);
        assert!(!folder.path().join("sign-in.json").exists());
    }
}

#[test]
fn an_end_of_input_at_the_password_is_not_blamed_on_the_computer() {
    let folder = tempfile::tempdir().unwrap();
    place_bundle(folder.path(), &Server::start(Behaviour::Kind).bundle());
    let mut command = program(OPERATOR, folder.path());
    command.args(["login", "--operator", "hanako", "--password-stdin"]);
    assert_plain(&run(command, ""), 48, "input ended");
}

#[test]
fn s97_a_file_that_is_no_receipt_is_refused_by_both_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipt.html");
    std::fs::write(&file, "<pre id=\"tasuki-receipt\" hidden>AAAA</pre>").unwrap();
    for path in [OPERATOR, AGENT] {
        let mut command = program(path, folder.path());
        command.args(["receipt", "verify"]).arg(&file);
        assert_plain(&run(command, ""), 74, "does not hold");
        let mut command = program(path, folder.path());
        command.args(["receipt", "verify", "/nowhere/receipt.html"]);
        assert_plain(&run(command, ""), 76, "/nowhere/receipt.html cannot be read");
    }
}

#[test]
fn a_server_named_beside_the_file_must_be_the_files_own() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::Kind);
    place_bundle(folder.path(), &server.bundle());
    let mut command = program(OPERATOR, folder.path());
    command.args(["login", "--server", "https://evil.example", "--operator", "a", "--password-stdin"]);
    assert_plain(&run(command, "x\n"), 25, "evil.example");
    let mut command = program(OPERATOR, folder.path());
    let url = format!("https://localhost:{}", server.port);
    command.args(["login", "--server", &url, "--operator", "a", "--password-stdin"]);
    assert_eq!(run(command, "x\n").code, 0);
}

#[test]
fn s1_a_sixth_mode_is_wrong_usage_and_share_needs_a_desktop() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path(), "observe").code, 2);
    place_bundle(folder.path(), &Server::start(Behaviour::Kind).bundle());
    assert_eq!(log_in(folder.path()).code, 0);
    assert_plain(&open(folder.path(), "share"), 10, "DISPLAY");
    let mut command = program(OPERATOR, folder.path());
    command.env("DISPLAY", ":9999").args(["open", "--mode", "show"]);
    assert_plain(&run(command, ""), 11, ":9999");
}

#[test]
fn an_agent_without_a_desktop_says_so_before_a_number_is_spent() {
    let folder = tempfile::tempdir().unwrap();
    place_bundle(folder.path(), &Server::start(Behaviour::Kind).bundle());
    assert_plain(&said_at_terminal(program(AGENT, folder.path())), 10, "DISPLAY");
}

#[test]
fn s34_a_mistyped_number_is_caught_here_and_an_unknown_used_or_expired_one_is_refused_calmly() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::RefusesAgents(RefusalReason::Number));
    place_bundle(folder.path(), &server.bundle());
    let mut mistyped = agent(folder.path());
    mistyped.args(["--number", "1234 5678 9012"]);
    assert_plain(&said_at_terminal(mistyped), 50, "not a session number");
    let mut refused = agent(folder.path());
    refused.args(["--number", "0000 0000 0000"]);
    assert_plain(&said_at_terminal(refused), 51, "does not open a session");

    let mut patient = Running::at_terminal(agent(folder.path()));
    patient.wait_for("12-digit");
    for (typed, answer) in [
        ("12a4", "is not a digit"),
        ("123", "has 12 digits"),
        ("1234 5678 9012", "a digit is mistyped".trim()),
    ] {
        patient.say(typed);
        let answer = if answer.starts_with('a') { "A digit is mistyped" } else { answer };
        patient.wait_for(answer);
    }
    patient.say("００００－００００ー００００");
    patient.wait_for("does not open a session");
    patient.interrupt();
    assert_eq!(patient.code(), 130);
}

#[test]
fn another_protocol_version_at_the_server_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Behaviour::RefusesAgents(RefusalReason::Version { server: 7 }));
    place_bundle(folder.path(), &server.bundle());
    let mut command = agent(folder.path());
    command.args(["--number", "0000 0000 0000"]);
    assert_plain(&said_at_terminal(command), 35, "version 7");
}

#[test]
fn a_wrong_setting_names_itself_and_config_tells_where_each_value_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = program(OPERATOR, folder.path());
    wrong.args(["--path", "sideways", "config"]);
    assert_plain(&run(wrong, ""), 3, "sideways");
    for path in [OPERATOR, AGENT] {
        let mut command = program(path, folder.path());
        command.env("TASUKI_LANG", "ja").args(["--path", "direct", "config"]);
        let config = run(command, "");
        assert_eq!(config.code, 0, "{config:?}");
        assert!(config.out.contains("environment TASUKI_LANG"), "{config:?}");
        assert!(config.out.contains("flag --path"), "{config:?}");
    }
}

#[test]
fn s100_a_fault_is_told_in_japanese_where_the_locale_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(OPERATOR, folder.path());
    command.env("LC_ALL", "ja_JP.UTF-8").args(["open", "--mode", "view"]);
    assert_plain(&run(command, ""), 20, "設定がまだありません");
}

#[test]
fn s100_help_and_wrong_usage_are_told_in_japanese_too() {
    let folder = tempfile::tempdir().unwrap();
    let japanese = |path, words: &[&str]| {
        let mut command = program(path, folder.path());
        command.args(["--lang", "ja"]).args(words);
        run(command, "")
    };
    for path in [OPERATOR, AGENT] {
        let help = japanese(path, &["--help"]);
        assert_eq!(help.code, 0, "{help:?}");
        for word in
            ["使い方:", "コマンド", "grant", "表示する言語", "receipt", "rights_answer_s", "130"]
        {
            assert!(help.out.contains(word), "{word}: {help:?}");
        }
        for english in ["Print", "Usage:", "Options:", "Commands:", "Which paths", "The language"] {
            assert!(!help.out.contains(english), "{english}: {help:?}");
        }
        assert_plain(&japanese(path, &["--no-such-option"]), 2, "--no-such-option");
        assert_plain(&japanese(path, &["dance"]), 2, "dance");
    }
    assert_plain(&japanese(OPERATOR, &["open"]), 2, "--mode");
    assert_plain(&japanese(OPERATOR, &["open", "--mode", "observe"]), 2, "observe");
    assert_plain(&japanese(OPERATOR, &["receipt", "verify"]), 2, "指定してください");
}

/// Letters and digits alone: what a page sets in other type, and breaks elsewhere, reads the same.
fn letters(text: &str) -> String {
    text.replace("\\*(Aq", "'").chars().filter(|c| c.is_alphanumeric()).collect()
}

#[test]
fn s100_manual_pages_say_all_that_help_says_in_either_language() {
    let folder = tempfile::tempdir().unwrap();
    for (path, name) in [(OPERATOR, "tasuki"), (AGENT, "tasuki-agentd")] {
        for (lang, usage, word) in [("en", "Usage:", "Exit codes"), ("ja", "使い方:", "終了コード")]
        {
            let asked = |words: &[&str]| {
                let mut command = program(path, folder.path());
                command.args(["--lang", lang]).args(words);
                run(command, "")
            };
            let pages = folder.path().join(format!("{name}.{lang}"));
            let done = asked(&["manual", pages.to_str().unwrap()]);
            assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
            let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
            assert!(page.contains(".TH") && page.contains(word), "{page}");
            assert!(pages.join(format!("{name}-receipt-verify.1")).exists());
            let (help, page) = (asked(&["--help"]).out, letters(&page));
            for line in help.lines().filter(|line| !line.starts_with(usage)) {
                let said = letters(line.trim().rsplit("  ").next().unwrap());
                // The command `help` is one of the terminal alone.
                if !said.starts_with("Printthismessage") {
                    assert!(said.len() < 12 || page.contains(&said), "{name} {lang} lacks {line}");
                }
            }
        }
        let mut nowhere = program(path, folder.path());
        nowhere.args(["manual", "/proc/nowhere"]);
        assert_plain(&run(nowhere, ""), 1, "/proc/nowhere");
    }
}

#[test]
fn a_shell_completes_commands_and_options_of_both_programs() {
    let folder = tempfile::tempdir().unwrap();
    for (path, name) in [(OPERATOR, "tasuki"), (AGENT, "tasuki-agentd")] {
        let script = |shell: &str| {
            let mut command = program(path, folder.path());
            command.args(["completion", shell]);
            run(command, "")
        };
        let file = folder.path().join(name);
        std::fs::write(&file, script("bash").out).unwrap();
        let completed = |words: &str, at: u8, word: &str| {
            let ask = format!(
                "source {}; set -- $(complete -p {name}); while [ $1 != -F ]; do shift; done; \
                 COMP_WORDS=({name} {words}); COMP_CWORD={at}; $2 {name} {word} x; echo ${{COMPREPLY[@]}}",
                file.display()
            );
            let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(completed("rec", 1, "rec"), "receipt", "{name}");
        assert_eq!(completed("receipt ver", 2, "ver"), "verify", "{name}");
        assert_eq!(completed("doctor --prox", 2, "--prox"), "--proxy", "{name}");
        for shell in ["zsh", "fish", "elvish", "powershell"] {
            let script = script(shell);
            assert_eq!(script.code, 0, "{script:?}");
            assert!(script.out.contains("receipt") && script.out.contains(name), "{script:?}");
        }
        let wrong = script("cmd.exe");
        assert_plain(&wrong, 2, "cmd.exe");
    }
}
