//! `tasuki-agent`: see [`tasuki_ui_slint::agent`].

fn main() -> std::process::ExitCode {
    tasuki_ui_slint::agent::program::main()
}
