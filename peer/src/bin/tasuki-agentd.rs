//! The end user's terminal program. Decides nothing.

fn main() -> std::process::ExitCode {
    tasuki_peer::programs::agentd::main()
}
