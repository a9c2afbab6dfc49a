//! The architecture as tests: what ARCHITECTURE.md and CONTRIBUTING.md say, asked of the tree.
//!
//! Every rule is a function from sources (or `cargo metadata`) to complaints, and each complaint
//! says how to mend it. Beside each rule stands a test that shows on made-up text that it can
//! fail. Nothing here is asked of behaviour: that is for the other tests.

mod arrows;
mod evidence;
mod ledger;
mod licences;
mod places;
mod shape;
mod text;
mod tree;
mod windows;
mod wire;
mod words;

/// Fails with all complaints of a rule at once.
#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

/// A rule that finds nothing wrong in what is wrong is no rule.
#[track_caller]
fn assert_complains(complaints: &[String], about: &str) {
    assert!(complaints.iter().any(|c| c.contains(about)), "nothing about {about:?} in {complaints:?}");
}
