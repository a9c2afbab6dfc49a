//! `receipt verify FILE`: whether a kept receipt says what both ends, or one, signed.

use std::path::PathBuf;

use clap::Subcommand;
use tasuki_protocol::ids::Role;

use super::say::{self, Added, Form};
use crate::shell::fault::Fault;
use crate::shell::receipt;
use crate::shell::texts::{self, Lang, SessionText};

#[derive(Debug, Clone, Subcommand)]
pub(super) enum ReceiptCommand {
    /// Checks a receipt; any changed byte is refused (exit code 74).
    Verify {
        /// The receipt, as a session left it
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// # Errors
/// [`Fault::ReceiptRefused`], [`Fault::CannotRead`].
pub(super) fn run(command: &ReceiptCommand, form: Form, lang: Lang) -> Result<(), Fault> {
    let ReceiptCommand::Verify { file } = command;
    let checked = receipt::verify(file)?;
    let signer = |role: &Role| match role {
        Role::Operator => SessionText::SignedByOperator.say(lang).to_owned(),
        Role::Agent => SessionText::SignedByAgent.say(lang).to_owned(),
    };
    let names: Vec<String> = checked.signed_by.iter().map(signer).collect();
    let values = [
        say::harmless(&checked.receipt.organisation),
        say::harmless(&checked.manifest.operator_name),
        texts::mode(checked.manifest.mode).say(lang).to_owned(),
        checked.receipt.lasted_s.to_string(),
        names.join(", "),
    ];
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    match form {
        Form::Plain => say::print(&SessionText::ReceiptHolds.fill(lang, &values)),
        Form::Json => say::json(&Added::ReceiptHolds {
            session: checked.receipt.session.to_string(),
            signed_by: checked
                .signed_by
                .iter()
                .map(|role| format!("{role:?}").to_lowercase())
                .collect(),
        }),
    }
    Ok(())
}
