//! Words and where they may stand: what a core must not touch, where `unsafe`, WebRTC and
//! certificate checks live, and that ARCHITECTURE.md shows the whole map.

use crate::{
    assert_complains, assert_none,
    text::{code, find_word, line_of, with_full_paths},
    tree::{self, Source},
};

/// What reaches outside, or asks what must be handed in.
const TOUCHES: &[(&str, &str)] = &[
    ("tokio", "return an output and let the shell run it"),
    ("async", "a core is called, it does not wait"),
    ("std::fs", "let the shell read and hand in the bytes"),
    ("std::io", "let the shell read and hand in the bytes"),
    ("std::env", "configuration is handed in"),
    ("std::process", "let the shell do it"),
    ("std::thread", "let the shell run threads"),
    ("std::net::TcpStream", "let the shell hold sockets"),
    ("std::net::TcpListener", "let the shell hold sockets"),
    ("std::net::UdpSocket", "let the shell hold sockets"),
    ("std::os", "let the shell hold sockets and files"),
    ("thread::spawn", "let the shell run threads"),
    ("thread::sleep", "return a deadline instead"),
    ("thread_local!", "state belongs to a value"),
    ("static mut", "state belongs to a value"),
    ("Instant::now", "take `now` as an argument"),
    ("SystemTime", "take seconds since 1970 as an argument"),
    ("elapsed", "subtract from the `now` that is handed in"),
    ("getrandom", "take a seed at birth"),
    ("OsRng", "take a seed at birth"),
    ("SysRng", "take a seed at birth"),
    ("thread_rng", "take a seed at birth"),
    ("rand::rng", "take a seed at birth"),
    ("rustix", "let the shell call the system"),
    ("socket2", "let the shell hold sockets"),
    ("x11rb", "let media touch the desktop"),
    ("sqlx", "let the shell keep rows"),
    ("crate::shell", "the arrow goes from shell to core"),
    ("super::shell", "the arrow goes from shell to core"),
    ("tracing", "return an output that the shell logs"),
];

#[test]
fn a_core_touches_nothing() {
    assert_none(&touching(&tree::rust()));
}

fn touching(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| s.is_core()) {
        let written = code(&source.text);
        let all = with_full_paths(&written);
        for (word, mend) in TOUCHES {
            if let Some(at) = find_word(&all, word) {
                let line = if at < written.len() { line_of(&written, at) } else { 1 };
                complaints
                    .push(format!("{}:{line}: a core must not say `{word}`; {mend}", source.path));
            }
        }
    }
    complaints
}

#[test]
fn a_core_that_touches_is_noticed() {
    let core = |text| touching(&[Source::made_up("peer/src/core/session.rs", text)]);
    assert_complains(&core("//! x\nlet t = Instant::now();"), "session.rs:2");
    assert_complains(&core("use std::{collections::BTreeMap, fs};"), "std::fs");
    assert_complains(&core("use std::{net::{IpAddr, UdpSocket as U}};"), "UdpSocket");
    assert_complains(&core("use crate::{core::a, shell::b};"), "crate::shell");
    assert_none(&core(
        "use std::net::SocketAddr; // not tokio, not \"std::fs\"\nfn f(now: Instant) {}",
    ));
    let shell = Source::made_up("peer/src/shell/run.rs", "use tokio::net::TcpStream;");
    assert_none(&touching(&[shell]));
}

/// A word and the only path prefixes under which code may say it.
struct Place {
    word: &'static str,
    allowed: &'static [&'static str],
    mend: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        word: "unsafe",
        allowed: &[
            "media/src/lanes",
            "media/src/vpx",
            "media/src/vp8",
            "media/src/shm",
            "media/src/x11/shm",
            "ui-slint/src/last_words",
        ],
        mend: "use a safe crate, or put it behind the wrappers of libvpx, shared memory, SSE2 and Xlib's end",
    },
    Place { word: "str0m", allowed: &["peer/", "tests/"], mend: "WebRTC is the peer's; hand it bytes" },
    Place {
        word: "danger",
        allowed: &["peer/src/shell/pin.rs", "admin/src/pin.rs", "tests/"],
        mend: "the one verifier of pinned server keys is pin.rs; use it",
    },
    Place {
        word: "dangerous",
        allowed: &["peer/src/shell/pin.rs", "admin/src/pin.rs", "tests/"],
        mend: "the one verifier of pinned server keys is pin.rs; use it",
    },
    Place {
        word: "set_fingerprint_verification",
        allowed: &[],
        mend: "the fingerprint from the transcript is always checked (T7)",
    },
];

#[test]
fn perilous_words_stand_only_in_their_place() {
    assert_none(&out_of_place(&tree::rust()));
}

fn out_of_place(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let code = code(&source.text);
        for place in PLACES {
            let allowed = place.allowed.iter().any(|prefix| source.is_under(prefix));
            if let Some(at) = find_word(&code, place.word).filter(|_| !allowed) {
                let (line, word, mend) = (line_of(&code, at), place.word, place.mend);
                complaints.push(format!("{}:{line}: `{word}` may not stand here; {mend}", source.path));
            }
        }
    }
    complaints
}

#[test]
fn a_word_out_of_place_is_noticed() {
    let at = |path, text| out_of_place(&[Source::made_up(path, text)]);
    assert_complains(&at("peer/src/lib.rs", "\nunsafe { x() }"), "lib.rs:2");
    assert_complains(&at("tests/tests/a.rs", "unsafe { x() }"), "unsafe");
    assert_complains(&at("signaling/src/lib.rs", "use str0m::Rtc;"), "str0m");
    assert_complains(&at("peer/src/shell/tls.rs", "use rustls::client::danger::X;"), "danger");
    assert_complains(&at("peer/src/a.rs", "c.set_fingerprint_verification(false)"), "transcript");
    assert_none(&at("media/src/vp8.rs", "unsafe { x() }"));
    assert_none(&at("peer/src/link.rs", "use str0m::Rtc; // unsafe"));
}

/// What is of one system stands in one small module of a crate that other systems are to have too.
const SYSTEM_WORDS: &[&str] = &[
    "std::os::unix",
    "std::os::linux",
    "std::os::fd",
    "std::os::windows",
    "rustix",
    "tasuki_media::x11",
];
const SYSTEM_MODULES: &[&str] = &["peer/src/shell/system/", "ui-slint/src/system/"];

#[test]
fn what_is_of_one_system_stands_in_its_module() {
    assert_none(&of_one_system(&tree::rust()));
}

fn of_one_system(sources: &[Source]) -> Vec<String> {
    let portable = |source: &&Source| {
        let is_meant = ["peer/src/", "ui-slint/src/"].iter().any(|folder| source.is_under(folder));
        let is_apart = SYSTEM_MODULES.iter().any(|folder| source.is_under(folder));
        is_meant && !is_apart
    };
    let mut complaints = Vec::new();
    for source in sources.iter().filter(portable) {
        let before_tests = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        let written = code(before_tests);
        let all = with_full_paths(&written);
        for word in SYSTEM_WORDS {
            if let Some(at) = find_word(&all, word) {
                let line = if at < written.len() { line_of(&written, at) } else { 1 };
                let mend = "ask `system` or `tasuki_media::desktop`, which have it for each system";
                complaints.push(format!("{}:{line}: `{word}` is of one system; {mend}", source.path));
            }
        }
    }
    complaints
}

#[test]
fn a_word_of_one_system_out_of_its_module_is_noticed() {
    let at = |path, text| of_one_system(&[Source::made_up(path, text)]);
    assert_complains(
        &at("peer/src/shell/a.rs", "//! x\nuse std::os::unix::fs::MetadataExt;"),
        "a.rs:2",
    );
    assert_complains(
        &at("ui-slint/src/a.rs", "use std::{io, os::unix::net::UnixStream};"),
        "std::os::unix",
    );
    assert_complains(&at("peer/src/a.rs", "rustix::fs::flock(f)"), "rustix");
    assert_complains(&at("peer/src/a.rs", "use tasuki_media::x11::X11Screen;"), "desktop");
    assert_none(&at("peer/src/shell/system/unix.rs", "use rustix::time::clock_gettime;"));
    assert_none(&at("peer/src/a.rs", "//! x\n#[cfg(test)]\nmod tests { use std::os::unix::fs::A; }"));
    assert_none(&at("media/src/a.rs", "use rustix::shm;"));
}

/// A server or relay that is told where to connect can be told to connect anywhere (T49).
#[test]
fn t49_servers_and_relays_never_dial_out() {
    assert_none(&dialling(&tree::rust()));
}

fn dialling(sources: &[Source]) -> Vec<String> {
    let servers =
        sources.iter().filter(|s| s.is_under("signaling/src/") || s.is_under("turn-relay/src/"));
    // The doctor is a program of its own, run by a person on the server's machine; the authority
    // is named by the server's own settings, and nobody else is asked.
    let mut complaints = Vec::new();
    for source in servers.filter(|s| !dials_by_order(s)) {
        for word in ["TcpStream::connect", "TcpStream::connect_timeout", "UnixStream::connect"] {
            if find_word(&code(&source.text), word).is_some() {
                complaints.push(format!("{}: `{word}`: a server only answers", source.path));
            }
        }
    }
    complaints
}

/// What a stranger's words could become: a command, a statement, a page of a template (T60).
const INTERPRETED: [(&str, &str); 7] = [
    ("std::process::Command", "a server starts no program"),
    ("tokio::process", "a server starts no program"),
    ("AssertSqlSafe", "statements are constants; bind what comes from outside"),
    ("sqlx::raw_sql", "statements are constants; bind what comes from outside"),
    ("handlebars", "a server fills no template"),
    ("tera", "a server fills no template"),
    ("minijinja", "a server fills no template"),
];

#[test]
fn t60_nothing_that_a_server_or_relay_is_told_becomes_a_command_a_statement_or_a_template() {
    assert_none(&interpreting(&tree::rust()));
}

fn interpreting(sources: &[Source]) -> Vec<String> {
    let servers =
        sources.iter().filter(|s| s.is_under("signaling/src/") || s.is_under("turn-relay/src/"));
    let mut complaints = Vec::new();
    for source in servers {
        let all = with_full_paths(&code(&source.text));
        for (word, mend) in INTERPRETED {
            if find_word(&all, word).is_some() {
                complaints.push(format!("{}: `{word}`: {mend}", source.path));
            }
        }
    }
    complaints
}

#[test]
fn a_server_that_interprets_is_noticed() {
    let at = |path, text| interpreting(&[Source::made_up(path, text)]);
    assert_complains(&at("signaling/src/a.rs", "use std::process::Command;"), "starts no program");
    assert_complains(&at("turn-relay/src/a.rs", "std::process::Command::new(x)"), "no program");
    assert_complains(&at("signaling/src/a.rs", "sqlx::query(AssertSqlSafe(text))"), "bind");
    assert_none(&at("signaling/src/a.rs", "use clap::Command; use std::process::ExitCode;"));
    assert_none(&at("signaling/tests/a.rs", "use std::process::Command;"));
}

fn dials_by_order(source: &Source) -> bool {
    ["signaling/src/shell/doctor", "signaling/src/shell/acme_client.rs"]
        .into_iter()
        .any(|place| source.is_under(place))
}

#[test]
fn a_server_that_dials_is_noticed() {
    let at = |path, text| dialling(&[Source::made_up(path, text)]);
    assert_complains(&at("turn-relay/src/a.rs", "TcpStream::connect(x)"), "only answers");
    assert_none(&at("peer/src/a.rs", "TcpStream::connect(x)"));
}

/// What of the protocol crate a relay may know.
const TICKETS: [&str; 4] = ["ids", "stun", "ticket", "turn"];

#[test]
fn the_relay_knows_tickets_only() {
    assert_none(&knowing_relay(&tree::rust()));
}

fn knowing_relay(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| s.is_under("turn-relay/")) {
        let code = with_full_paths(&code(&source.text));
        for (_, rest) in
            code.match_indices("tasuki_protocol::").map(|(at, name)| code[at..].split_at(name.len()))
        {
            let module: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // A group in braces stands here once more with full paths.
            if !module.is_empty() && !TICKETS.contains(&module.as_str()) {
                complaints.push(format!(
                    "{}: a relay joins two bearers of tickets and must not know `{module}`",
                    source.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn a_relay_that_knows_more_is_noticed() {
    let text = "use tasuki_protocol::{ids::Role, manifest::Manifest};";
    assert_complains(&knowing_relay(&[Source::made_up("turn-relay/src/lib.rs", text)]), "manifest");
    let keys = "fn f(keys: tasuki_protocol::session_keys::SessionKeys) {}";
    assert_complains(&knowing_relay(&[Source::made_up("turn-relay/src/lib.rs", keys)]), "session_keys");
    let ticket = "use tasuki_protocol::ticket::Ticket;";
    assert_none(&knowing_relay(&[Source::made_up("turn-relay/src/lib.rs", ticket)]));
}

#[test]
fn the_server_embeds_the_relays_shell_and_never_its_core() {
    assert_none(&embedding(&tree::rust()));
}

fn embedding(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| s.is_under("signaling/")) {
        let code = with_full_paths(&code(&source.text));
        let word = if source.is_core() { "tasuki_turn_relay" } else { "tasuki_turn_relay::core" };
        if find_word(&code, word).is_some() {
            let mend = "they share a signed ticket only; the server's shell starts the relay's shell";
            complaints.push(format!("{}: says `{word}`; {mend}", source.path));
        }
    }
    complaints
}

#[test]
fn a_server_that_reaches_into_the_relay_is_noticed() {
    let at = |path, text| embedding(&[Source::made_up(path, text)]);
    assert_complains(&at("signaling/src/shell/a.rs", "use tasuki_turn_relay::core::Lobby;"), "a.rs");
    assert_complains(&at("signaling/src/core/a.rs", "use tasuki_turn_relay::shell::run;"), "a.rs");
    assert_none(&at("signaling/src/shell/a.rs", "use tasuki_turn_relay::shell::run;"));
}

#[test]
fn the_map_names_every_crate_and_every_core_file() {
    assert_none(&missing_from_map(&tree::all()));
}

fn missing_from_map(sources: &[Source]) -> Vec<String> {
    let map = sources.iter().find(|s| s.path == "ARCHITECTURE.md");
    let map = map.map_or("", |s| s.text.as_str());
    let is_crate = |s: &&Source| s.path.ends_with("/Cargo.toml");
    let crates = sources.iter().filter(is_crate).map(|s| s.path.replace("Cargo.toml", ""));
    let cores = sources.iter().filter(|s| s.is_core()).map(|s| s.path.clone());
    let missing = crates.chain(cores).filter(|path| !map.contains(&format!("`{path}`")));
    missing
        .map(|path| format!("ARCHITECTURE.md: name `{path}` in the map, with what it is for"))
        .collect()
}

#[test]
fn what_the_map_leaves_out_is_noticed() {
    let tree = |map| {
        missing_from_map(&[
            Source::made_up("ARCHITECTURE.md", map),
            Source::made_up("peer/Cargo.toml", ""),
            Source::made_up("peer/src/core/session.rs", ""),
            Source::made_up("peer/src/shell/run.rs", ""),
        ])
    };
    assert_complains(&tree("`peer/`: a session"), "peer/src/core/session.rs");
    assert_complains(&tree("`peer/src/core/session.rs`"), "`peer/`");
    assert_none(&tree("`peer/`: see `peer/src/core/session.rs`"));
}
