//! `tasuki-agent`: see [`tasuki_ui_slint::agent`].

fn main() -> std::process::ExitCode {
    tasuki_peer::shell::dumps::leave_none();
    tasuki_ui_slint::agent::program::main()
}
