//! The windows: `tasuki-operator` and `tasuki-agent`.
//!
//! Each program is a pure `update(Model, Msg) -> Effects` without a type of Slint in it, and
//! adapters at the edge that show a model and carry effects out. Rights, sessions and paths are
//! decided by `tasuki-peer`; nothing here opens a socket.

pub mod agent;
mod documents;
mod kept;
mod last_words;
pub mod look;
pub mod operator;
pub mod viewer;

use tasuki_peer::shell::fault::Fault;

/// What Slint makes of `ui/windows.slint`.
#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod windows {
    slint::include_modules!();
}

/// What the toolkit says of a desktop that it cannot use.
pub(crate) fn unusable(why: &slint::PlatformError) -> Fault {
    Fault::Desktop { why: cause(&why.to_string()).to_owned() }
}

/// The toolkit tells of each of its back ends in a line, and of lines of its own source.
fn cause(told: &str) -> &str {
    let line = told.lines().find(|line| line.contains(".rs:")).or_else(|| told.lines().next());
    let line = line.unwrap_or_default();
    let cause = line.split_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    cause.map_or(line, |(_, cause)| cause).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn of_what_the_toolkit_tells_the_cause_is_left() {
        let told = "Could not initialize backend.\nError from Winit backend: os error at \
                    winit/src/linux/mod.rs:788: Failed to open connection to X server\nNo backends \
                    configured.";
        assert_eq!(cause(told), "Failed to open connection to X server");
        assert_eq!(cause("No backends configured."), "No backends configured");
        assert_eq!(cause(""), "");
    }
}
