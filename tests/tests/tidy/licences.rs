//! The licences of everything that is linked, on every platform, against a short list.
//!
//! The same list stands in `deny.toml` for those who have cargo-deny; a test keeps them equal.

use cargo_metadata::Package;

use crate::{
    arrows::{WORKSPACES, metadata},
    assert_complains, assert_none, tree,
};

/// What both of our licences can be combined with, without a further duty on who ships a binary
/// than to carry the texts.
const ALLOWED: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "Unicode-3.0",
];

/// One crate, one licence, one reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    // A list of certificates, for Android alone; no program of ours is built with it.
    ("webpki-root-certs", "CDLA-Permissive-2.0"),
    // MIT without its one duty; no program of ours is built with it, a test alone.
    ("borrow-or-share", "MIT-0"),
    // Copyleft by file: we link the crate unchanged, so nothing of ours comes under it.
    ("env-libvpx-sys", "MPL-2.0"),
    // Without any duty on binaries; the first is linked on Windows alone.
    ("clipboard-win", "BSL-1.0"),
    ("error-code", "BSL-1.0"),
    ("ksni", "Unlicense"),
    ("i-slint-backend-linuxkms", SLINT),
    ("i-slint-backend-selector", SLINT),
    ("i-slint-backend-testing", SLINT),
    ("i-slint-backend-winit", SLINT),
    ("i-slint-common", SLINT),
    ("i-slint-compiler", SLINT),
    ("i-slint-core", SLINT),
    ("i-slint-core-macros", SLINT),
    ("i-slint-renderer-skia", SLINT),
    ("i-slint-renderer-software", SLINT),
    ("slint", SLINT),
    ("slint-build", SLINT),
    ("slint-macros", SLINT),
];

/// We take the royalty-free one: free for desktop programs that show `AboutSlint` in a dialog that
/// their top level reaches (both windows do) and do not hand Slint on by itself. It asks nothing of
/// our own code.
const SLINT: &str =
    "GPL-3.0-only OR LicenseRef-Slint-Royalty-free-2.0 OR LicenseRef-Slint-Software-3.0";

#[test]
fn every_dependency_has_a_licence_that_we_allow() {
    for metadata in WORKSPACES.map(metadata) {
        let foreign = metadata.packages.iter().filter(|p| p.source.is_some());
        let named: Vec<(String, Option<String>)> = foreign.map(name_and_licence).collect();
        assert!(named.len() > 100, "cargo metadata was read");
        assert_none(&refused(&named));
    }
}

fn name_and_licence(package: &Package) -> (String, Option<String>) {
    (package.name.to_string(), package.license.clone())
}

fn refused(packages: &[(String, Option<String>)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, licence) in packages {
        let licence = licence.as_deref().unwrap_or("none named");
        if !EXCEPTIONS.contains(&(name, licence)) && !is_allowed(licence) {
            let mend = "take another crate, or say in licences.rs and deny.toml why it is harmless";
            complaints.push(format!("{name}: licence {licence} is not allowed; {mend}"));
        }
    }
    complaints
}

/// An SPDX expression, where an old-style `/` means OR. AND binds tighter than OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (allowed, rest) = either(&words);
    allowed && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = both(words);
    while let ["OR", after @ ..] = rest {
        let (right, left_over) = both(after);
        allowed |= right;
        rest = left_over;
    }
    (allowed, rest)
}

fn both<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = single(words);
    while let ["AND", after @ ..] = rest {
        let (right, left_over) = single(after);
        allowed &= right;
        rest = left_over;
    }
    (allowed, rest)
}

fn single<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => {
            let (allowed, rest) = either(inside);
            let [")", after @ ..] = rest else { return (false, rest) };
            (allowed, after)
        }
        [name, "WITH", exception, rest @ ..] => {
            let whole = format!("{name} WITH {exception}");
            (ALLOWED.contains(&whole.as_str()), rest)
        }
        [name, rest @ ..] => (ALLOWED.contains(name), rest),
        [] => (false, words),
    }
}

#[test]
fn licences_are_weighed_as_spdx_says() {
    for good in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        "GPL-3.0 AND MIT OR ISC",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND AGPL-3.0", "", "(MIT", "MIT WITH X"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

#[test]
fn a_foreign_licence_is_noticed() {
    let package =
        |name: &str, licence: Option<&str>| refused(&[(name.to_owned(), licence.map(str::to_owned))]);
    assert_complains(&package("readline", Some("GPL-3.0-only")), "readline");
    assert_complains(&package("nameless", None), "none named");
    assert_complains(&package("other", Some("MPL-2.0")), "MPL-2.0");
    assert_none(&package("env-libvpx-sys", Some("MPL-2.0")));
}

#[test]
fn cargo_deny_is_told_the_same_list() {
    let deny = std::fs::read_to_string(tree::root().join("deny.toml")).expect("deny.toml is there");
    let missing: Vec<String> = ALLOWED
        .iter()
        .filter(|licence| !deny.contains(&format!("  \"{licence}\",\n")))
        .map(|licence| format!("deny.toml: add \"{licence}\" to licenses.allow, one on a line"))
        .collect();
    assert_none(&missing);
    let allow = deny.split("\nallow = [").nth(1).and_then(|rest| rest.split(']').next());
    assert_eq!(allow.map(|list| list.matches(',').count()), Some(ALLOWED.len()));
}
