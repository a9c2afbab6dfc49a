//! Operators' accounts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde::Serialize;
use tasuki_protocol::admin::{
    AddOperator, ChangeOperator, OPERATOR_CHANGES_PATH, OPERATORS_PATH, OperatorAdded, OperatorChange,
    OperatorEntry, OperatorList, OperatorState, ProblemCode,
};
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use super::table::table;
use super::{Printed, Settings, random};
use crate::client::Client;
use crate::fault::Fault;
use crate::prompt;
use crate::texts::Language;

#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Add an account; prints a generated password and a one-time code for the first device
    Add {
        operator: String,
        /// The name that end users see
        #[arg(long)]
        display_name: String,
        /// Modes allowed: manage, control, view, share, show
        #[arg(long, value_delimiter = ',', required = true, value_name = "MODES")]
        modes: Vec<Mode>,
        /// Read the password from standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all accounts
    List,
    /// Let a disabled operator in again
    Enable { operator: String },
    /// Keep an operator out and end his sessions
    Disable { operator: String },
    /// Delete an account with its devices; asks for confirmation
    Remove {
        operator: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print a one-time code for one more device
    Code { operator: String },
    /// Lift a suspension after failed sign-ins
    Unlock { operator: String },
}

#[derive(Serialize)]
struct Added<'a> {
    operator: &'a str,
    password: Option<&'a str>,
    enrolment: &'a str,
    expires_in: u64,
}

pub(super) async fn run(settings: &Settings, command: &OperatorCommand) -> Result<Printed, Fault> {
    let language = settings.language();
    let profile = settings.profile();
    let trusted = profile.trust(settings.bundle.as_deref())?;
    let key = profile.key()?;
    let client = Client { bundle: &trusted.bundle, key: Some(&key) };
    match command {
        OperatorCommand::Add { operator, display_name, modes, password_stdin } => {
            let password = new_password(language, *password_stdin)?;
            add(&client, language, (operator, display_name), modes, &password).await
        }
        OperatorCommand::List => list(&client, language).await,
        OperatorCommand::Enable { operator } => {
            change(&client, language, operator, OperatorChange::Enable).await
        }
        OperatorCommand::Disable { operator } => {
            change(&client, language, operator, OperatorChange::Disable).await
        }
        OperatorCommand::Remove { operator, yes } => {
            if !yes && *prompt::answer(&language.ask_removal(operator))? != *operator {
                return Err(Fault::NotConfirmed);
            }
            change(&client, language, operator, OperatorChange::Remove).await
        }
        OperatorCommand::Code { operator } => {
            change(&client, language, operator, OperatorChange::NewCode).await
        }
        OperatorCommand::Unlock { operator } => {
            change(&client, language, operator, OperatorChange::Unlock).await
        }
    }
}

/// A password, and whether it must be shown because nobody typed it.
enum NewPassword {
    Generated(Zeroizing<String>),
    Given(Zeroizing<String>),
}

fn new_password(language: Language, from_input: bool) -> Result<NewPassword, Fault> {
    if from_input {
        return prompt::secret(&language.ask_password()).map(NewPassword::Given);
    }
    let text = STANDARD.encode(*random::<15>()?).replace(['+', '/'], "-");
    Ok(NewPassword::Generated(Zeroizing::new(text)))
}

async fn add(
    client: &Client<'_>,
    language: Language,
    (operator, display_name): (&str, &str),
    modes: &[Mode],
    password: &NewPassword,
) -> Result<Printed, Fault> {
    let (NewPassword::Generated(secret) | NewPassword::Given(secret)) = password;
    let request = AddOperator {
        operator: operator.to_owned(),
        display_name: display_name.to_owned(),
        password: secret.to_string(),
        modes: modes.to_vec(),
    };
    let added: OperatorAdded = client.post(OPERATORS_PATH, &request).await?;
    let shown = match password {
        NewPassword::Generated(secret) => Some(secret.as_str()),
        NewPassword::Given(_) => None,
    };
    let mut text = language.added(operator, added.expires_in / 3600);
    if let Some(secret) = shown {
        text.push_str(&format!("\n  {}: {secret}", language.password_label()));
    }
    text.push_str(&format!("\n  {}: {}", language.code_label(), added.enrolment));
    let json =
        Added { operator, password: shown, enrolment: &added.enrolment, expires_in: added.expires_in };
    Ok(Printed { text, json: serde_json::to_value(json).unwrap_or_default() })
}

async fn change(
    client: &Client<'_>,
    language: Language,
    operator: &str,
    change: OperatorChange,
) -> Result<Printed, Fault> {
    let request = ChangeOperator { operator: operator.to_owned(), change };
    let answer: serde_json::Value = client.post(OPERATOR_CHANGES_PATH, &request).await?;
    if change != OperatorChange::NewCode {
        let json = serde_json::json!({ "operator": operator, "done": true });
        return Ok(Printed { text: language.done(operator), json });
    }
    let added: OperatorAdded =
        serde_json::from_value(answer).map_err(|_| Fault::Refused(ProblemCode::Version))?;
    let text =
        format!("{}\n  {}", language.new_code(operator, added.expires_in / 3600), added.enrolment);
    let json =
        Added { operator, password: None, enrolment: &added.enrolment, expires_in: added.expires_in };
    Ok(Printed { text, json: serde_json::to_value(json).unwrap_or_default() })
}

async fn list(client: &Client<'_>, language: Language) -> Result<Printed, Fault> {
    let list: OperatorList = client.fetch(OPERATORS_PATH).await?;
    let json = serde_json::to_value(&list).unwrap_or_default();
    if list.operators.is_empty() {
        return Ok(Printed { text: language.no_operators(), json });
    }
    let mut rows = vec![language.columns().to_vec()];
    rows.extend(list.operators.iter().map(row));
    Ok(Printed { text: table(&rows), json })
}

fn row(entry: &OperatorEntry) -> Vec<String> {
    let state = match entry.state {
        OperatorState::Enabled => "enabled",
        OperatorState::Disabled => "disabled",
    };
    let modes: Vec<&str> = entry.modes.iter().map(|mode| mode.name()).collect();
    vec![
        entry.operator.clone(),
        entry.display_name.clone(),
        state.to_owned(),
        entry.devices.to_string(),
        modes.join(","),
    ]
}
