//! `tasuki-operator`: see [`tasuki_ui_slint::operator`].

fn main() -> std::process::ExitCode {
    tasuki_peer::shell::dumps::leave_none();
    tasuki_ui_slint::operator::program::main()
}
