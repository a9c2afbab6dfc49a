//! Which crate may depend on which, asked of `cargo metadata`.
//!
//! Dependencies of tests are left out: a test may look at everything.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::{assert_complains, assert_none, tree};

/// A crate of ours: what of ours it may stand on, and what of others it must not.
struct Arrow {
    from: &'static str,
    to: &'static [&'static str],
    never: &'static [&'static str],
    why: &'static str,
}

const ARROWS: &[Arrow] = &[
    Arrow {
        from: "tasuki-protocol",
        to: &[],
        never: &["tokio", "rustix", "socket2", "getrandom", "x11rb", "str0m", "rustls", "tracing"],
        why: "the protocol does no IO and draws no randomness: bytes, times and seeds are handed in",
    },
    Arrow {
        from: "tasuki-terminal",
        to: &[],
        never: &["tokio", "rustls", "serde_json"],
        why: "how a program speaks at a terminal knows nothing of what it says",
    },
    Arrow {
        from: "tasuki-media",
        to: &["tasuki-protocol"],
        never: &["tokio", "str0m", "rustls", "socket2"],
        why: "media is a desktop and knows no network",
    },
    Arrow {
        from: "tasuki-peer",
        to: &["tasuki-protocol", "tasuki-media", "tasuki-terminal"],
        never: &["axum", "sqlx", "webrtc", "slint"],
        why: "a peer is an end of a session, neither its server nor its window",
    },
    Arrow {
        from: "tasuki-ui-slint",
        to: &["tasuki-protocol", "tasuki-media", "tasuki-peer"],
        never: &["str0m", "rustls", "tokio-rustls", "socket2", "tokio-tungstenite"],
        why: "a window asks the peer; it opens no socket",
    },
    Arrow {
        from: "tasuki-signaling",
        to: &["tasuki-protocol", "tasuki-turn-relay", "tasuki-terminal"],
        never: &["str0m", "x11rb", "env-libvpx-sys", "xcap", "enigo", "snow", "webrtc"],
        why: "a server cannot touch a pixel, nor open what the ends seal",
    },
    Arrow {
        from: "tasuki-turn-relay",
        to: &["tasuki-protocol"],
        never: &["str0m", "x11rb", "env-libvpx-sys", "xcap", "enigo", "snow", "sqlx", "axum"],
        why: "a relay joins two bearers of tickets and forwards what it cannot read",
    },
    Arrow {
        from: "tasuki-admin",
        to: &["tasuki-protocol", "tasuki-terminal"],
        never: &["str0m", "x11rb", "sqlx", "axum"],
        why: "the administrator's tool speaks to servers and shares no code with them",
    },
];

/// Stands on everything, and nothing stands on it.
const TESTS: &str = "tasuki-tests";

/// Crates that nobody of ours may name, with what to use instead.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "rustls with aws-lc-rs"),
    ("native-tls", "rustls with aws-lc-rs"),
    ("vpx-encode", "the wrapper in media (see ARCHITECTURE.md)"),
    ("lazy_static", "std::sync::LazyLock, or better a value handed down"),
];

/// An edge of the dependency graph: from a crate of ours to any other.
type Edge = (String, String);

#[test]
fn dependencies_follow_the_arrows() {
    let edges: Vec<Edge> = WORKSPACES.iter().flat_map(|place| edges(&metadata(place))).collect();
    assert!(edges.len() > ARROWS.len(), "cargo metadata was read");
    assert_none(&astray(&edges));
}

/// Where programs that we ship are built; the fuzzer's is left out.
pub(crate) const WORKSPACES: [&str; 2] = ["Cargo.toml", "ui-slint/Cargo.toml"];

pub(crate) fn metadata(workspace: &str) -> Metadata {
    let manifest = tree::root().join(workspace);
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).other_options(["--locked".to_owned()]);
    command.exec().expect("cargo metadata runs in this repository")
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let mut edges = Vec::new();
    for package in metadata.workspace_packages() {
        let lasting = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        edges.extend(lasting.map(|d| (package.name.to_string(), d.name.clone())));
    }
    edges
}

fn astray(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(|(from, to)| complaint(from, to)).collect()
}

fn complaint(from: &str, to: &str) -> Option<String> {
    if let Some((_, instead)) = BANNED.iter().find(|(name, _)| *name == to) {
        return Some(format!("{from} depends on {to}, which is banned; use {instead}"));
    }
    if from == TESTS {
        return None;
    }
    let Some(arrow) = ARROWS.iter().find(|arrow| arrow.from == from) else {
        return Some(format!("{from} is a new crate: give it a row in ARROWS in arrows.rs"));
    };
    let is_ours = to.starts_with("tasuki-");
    let is_astray = arrow.never.contains(&to) || is_ours && !arrow.to.contains(&to);
    is_astray.then(|| format!("{from} may not depend on {to}: {}; move the code", arrow.why))
}

#[test]
fn an_arrow_against_the_grain_is_noticed() {
    let edge = |from: &str, to: &str| astray(&[(from.to_owned(), to.to_owned())]);
    assert_complains(&edge("tasuki-signaling", "tasuki-media"), "cannot touch a pixel");
    assert_complains(&edge("tasuki-turn-relay", "tasuki-peer"), "tasuki-peer");
    assert_complains(&edge("tasuki-protocol", "tasuki-media"), "tasuki-media");
    assert_complains(&edge("tasuki-media", "tokio"), "knows no network");
    assert_complains(&edge("tasuki-peer", "tasuki-tests"), "tasuki-tests");
    assert_complains(&edge("tasuki-nova", "serde"), "give it a row");
    assert_complains(&edge("tasuki-tests", "openssl"), "banned");
    assert_none(&edge("tasuki-peer", "tasuki-media"));
    assert_none(&edge("tasuki-tests", "tasuki-signaling"));
}

#[test]
fn no_crate_has_an_empty_name() {
    for metadata in WORKSPACES.map(metadata) {
        let names: Vec<String> =
            metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
        assert_none(&empty_names(&names));
    }
}

fn empty_names(names: &[String]) -> Vec<String> {
    const EMPTY: [&str; 5] = ["utils", "util", "common", "helpers", "core"];
    let is_empty = |name: &&String| name.split('-').any(|part| EMPTY.contains(&part));
    let mend = "name it after what it decides; its parts probably belong to other crates";
    names.iter().filter(is_empty).map(|name| format!("{name}: {mend}")).collect()
}

#[test]
fn a_crate_with_an_empty_name_is_noticed() {
    assert_complains(&empty_names(&["tasuki-common".to_owned()]), "tasuki-common");
    assert_none(&empty_names(&["tasuki-peer".to_owned()]));
}

#[test]
fn every_crate_takes_the_workspaces_lints() {
    assert_none(&without_lints(&tree::all()));
}

fn without_lints(sources: &[tree::Source]) -> Vec<String> {
    let is_member = |s: &&tree::Source| s.path.ends_with("/Cargo.toml") && !s.is_under("fuzz/");
    let bare =
        sources.iter().filter(is_member).filter(|s| !s.text.contains("[lints]\nworkspace = true"));
    bare.map(|s| format!("{}: add `[lints]` with `workspace = true`", s.path)).collect()
}

#[test]
fn both_workspaces_have_the_same_lints() {
    let lints = |workspace| {
        let text = std::fs::read_to_string(tree::root().join(workspace)).expect("a manifest is there");
        let rest = text.split("[workspace.lints.rust]").nth(1).expect("it has lints").to_owned();
        rest.split("[profile").next().map(|part| part.trim().to_owned())
    };
    assert_eq!(lints(WORKSPACES[0]), lints(WORKSPACES[1]));
}

#[test]
fn a_crate_without_lints_is_noticed() {
    let manifest = |text| without_lints(&[tree::Source::made_up("nova/Cargo.toml", text)]);
    assert_complains(&manifest("[package]"), "nova/Cargo.toml");
    assert_none(&manifest("[package]\n[lints]\nworkspace = true\n"));
}
