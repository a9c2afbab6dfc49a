//! `tasuki-operator`: see [`tasuki_ui_slint::operator`].

fn main() -> std::process::ExitCode {
    tasuki_ui_slint::operator::program::main()
}
