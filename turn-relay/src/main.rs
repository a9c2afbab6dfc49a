//! `tasuki-relay`: a relay on its own machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    ExitCode::from(tasuki_turn_relay::shell::program::run::program(&arguments))
}
