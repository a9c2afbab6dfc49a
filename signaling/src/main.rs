//! `tasuki-server`.

fn main() -> std::process::ExitCode {
    tasuki_signaling::shell::program::run()
}
