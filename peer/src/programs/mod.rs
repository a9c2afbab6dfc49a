//! The two terminal programs: `tasuki` for the operator, `tasuki-agentd` for the
//! end user.
//!
//! They decide how people are spoken to, and nothing of a session.

pub mod agentd;
mod commands;
pub mod consent;
mod console;
mod examining;
mod granting;
mod keys;
pub mod operator;
mod pages;
mod receipts;
mod say;
mod sign_in;
mod start;
pub mod surface;
mod usage;
pub mod visit;
mod waiting;

use std::process::ExitCode;

use crate::shell::fault::Fault;
use crate::shell::texts::Lang;

/// Tells a fault in one sentence, and gives its exit code.
fn conclude(result: Result<(), Fault>, lang: Lang) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say::to_person(&fault.sentence(lang));
            if let Some(more) = fault.for_administrator(lang) {
                say::to_person(more);
            }
            ExitCode::from(fault.exit_code())
        }
    }
}
