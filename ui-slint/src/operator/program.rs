//! `tasuki-operator`: opens the window.

use std::process::ExitCode;

use slint::ComponentHandle;

use crate::windows::OperatorWindow;

/// The program.
pub fn main() -> ExitCode {
    let ran = OperatorWindow::new().and_then(|window| window.run());
    if ran.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
