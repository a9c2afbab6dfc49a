//! Operators' accounts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde::Serialize;
use tasuki_protocol::admin::{
    AddOperator, ChangeOperator, LimitOperator, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH,
    OPERATORS_PATH, OperatorAdded, OperatorChange, OperatorEntry, OperatorList, OperatorState,
    ProblemCode,
};
use tasuki_protocol::devices::{DEVICES_PATH, DeviceEntry, DeviceList, DeviceState};
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use super::limiting::{LimitOptions, Wish};
use super::{device, operator_change, session};
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::limits::LimitFault;
use crate::naming;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::random::random;
use crate::settings::Settings;
use crate::table::table;
use crate::texts::Language;
use crate::vouched::Naming;

#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Add an account; prints a generated password and a one-time code for the first device
    Add {
        /// The operator's account
        operator: String,
        /// The name that end users see
        #[arg(long)]
        display_name: String,
        /// Modes allowed: manage, control, view, share, show
        #[arg(long, value_delimiter = ',', required = true, value_name = "MODES", value_parser = mode)]
        modes: Vec<Mode>,
        /// Read the password from standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all accounts
    List,
    /// Let a disabled operator in again
    Enable {
        /// The operator's account
        operator: String,
    },
    /// Keep an operator out and end his sessions
    Disable {
        /// The operator's account
        operator: String,
    },
    /// Delete an account with its devices, which are revoked; asks for confirmation, and for the passphrase
    Remove {
        /// The operator's account
        operator: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Another name that end users see, or other modes; says which devices need new certificates; nothing given shows both
    Change {
        /// The operator's account
        operator: String,
        /// The name that end users see
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// Modes allowed, all of them: manage, control, view, share, show
        #[arg(long, value_delimiter = ',', value_name = "MODES", value_parser = mode)]
        modes: Option<Vec<Mode>>,
    },
    /// The password is forgotten: print a new one, shown once; ends his sign-ins and sessions; asks for confirmation
    Password {
        /// The operator's account
        operator: String,
        /// Read the password from standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print a one-time code for one more device
    Code {
        /// The operator's account
        operator: String,
    },
    /// Lift a suspension after failed sign-ins
    Unlock {
        /// The operator's account
        operator: String,
    },
    /// The authenticator is lost: the next sign-in sets a new one up; asks for confirmation
    ForgetAuthenticator {
        /// The operator's account
        operator: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// From where and when the operator may sign in; what is not given stays as it is, and nothing given shows it
    Limit {
        /// The operator's account
        operator: String,
        #[command(flatten)]
        options: LimitOptions,
    },
}

#[derive(Serialize)]
struct Added<'a> {
    operator: &'a str,
    password: Option<&'a str>,
    enrolment: &'a str,
    expires_in: u64,
}

pub(super) async fn run(settings: &Settings, command: &OperatorCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    match command {
        OperatorCommand::Add { operator, display_name, modes, password_stdin } => {
            let operator = naming::check_account(operator)?;
            let display_name = naming::check_shown(display_name, &desk.bundle.organisation)?;
            let password = new_password(desk.language, *password_stdin)?;
            add(&desk, (&operator, &display_name), modes, &password).await
        }
        OperatorCommand::List => list(&desk).await,
        OperatorCommand::Enable { operator } => change(&desk, operator, OperatorChange::Enable).await,
        OperatorCommand::Disable { operator } => change(&desk, operator, OperatorChange::Disable).await,
        OperatorCommand::Remove { operator, yes } => {
            let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
            operator_change::entry_of(&list, operator)?;
            let his = certified_devices(&desk, operator).await?;
            if !his.is_empty() {
                desk.profile.vault()?;
            }
            prompt::confirm(Sure::said(*yes), &desk.language.ask_removal(operator), operator)?;
            remove(&desk, operator, &his).await
        }
        OperatorCommand::Change { operator, display_name, modes } => {
            operator_change::name(&desk, operator, display_name.as_deref(), modes.clone()).await
        }
        OperatorCommand::Password { operator, password_stdin, yes } => {
            let sure = Sure::said(*yes || *password_stdin);
            operator_change::reset(&desk, operator, *password_stdin, sure).await
        }
        OperatorCommand::Code { operator } => change(&desk, operator, OperatorChange::NewCode).await,
        OperatorCommand::Unlock { operator } => operator_change::unlock(&desk, operator).await,
        OperatorCommand::ForgetAuthenticator { operator, yes } => {
            let question = desk.language.ask_forgetting(operator);
            prompt::confirm(Sure::said(*yes), &question, operator)?;
            change(&desk, operator, OperatorChange::ForgetAuthenticator).await
        }
        OperatorCommand::Limit { operator, options } => {
            limit(&desk, operator, options.wish(&desk).await?).await
        }
    }
}

/// All that ever had a certificate, and are not out.
async fn certified_devices(desk: &Desk, operator: &str) -> Result<Vec<DeviceKey>, Fault> {
    let list: DeviceList = desk.fetch(DEVICES_PATH).await?;
    // Also one whose newest certificate is over: an older one may have been made for longer.
    let counts = |entry: &&DeviceEntry| {
        entry.operator == operator && entry.state != DeviceState::Revoked && entry.not_after.is_some()
    };
    Ok(list.devices.iter().filter(counts).map(|entry| entry.device).collect())
}

/// His devices are put on the list of revoked ones first: with the account goes what names them.
async fn remove(desk: &Desk, operator: &str, his: &[DeviceKey]) -> Result<Printed, Fault> {
    if !his.is_empty() {
        device::revoke_all(desk, his).await?;
    }
    change(desk, operator, OperatorChange::Remove).await
}

async fn limit(desk: &Desk, operator: &str, wish: Wish) -> Result<Printed, Fault> {
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let entry = list.operators.into_iter().find(|entry| entry.operator == operator);
    let now = entry.ok_or(Fault::Refused(ProblemCode::NotFound))?.limits;
    let is_to_see = wish.is_to_see();
    let limits = wish.made_of(now)?;
    let order = LimitOperator { operator: operator.to_owned(), limits };
    let mut text = desk.language.limits_of(operator, &order.limits);
    let mut json = serde_json::json!({ "operator": operator, "limits": order.limits });
    if is_to_see {
        return Ok(Printed { text, json });
    }
    let running = session::of(desk, operator).await?;
    match desk.post::<serde_json::Value>(OPERATOR_LIMITS_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::Unusable)) => return Err(LimitFault::Unusable.into()),
        done => drop(done?),
    }
    let ended = session::ended(desk, operator, &running).await;
    text.push_str(&format!("\n{}", desk.language.ended(ended)));
    json["ended"] = ended.into();
    Ok(Printed { text, json })
}

/// As it is written in a list, with a space after the comma or without.
pub(super) fn mode(text: &str) -> Result<Mode, tasuki_protocol::rights::UnknownMode> {
    text.trim().parse()
}

/// A password, and whether it must be shown because nobody typed it.
pub(super) enum NewPassword {
    Generated(Zeroizing<String>),
    Given(Zeroizing<String>),
}

pub(super) fn new_password(language: Language, from_input: bool) -> Result<NewPassword, Fault> {
    if from_input {
        return prompt::secret(&language.ask_password()).map(NewPassword::Given);
    }
    let text = STANDARD.encode(*random::<15>()?).replace(['+', '/'], "-");
    Ok(NewPassword::Generated(Zeroizing::new(text)))
}

async fn add(
    desk: &Desk,
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
    let added = match desk.post::<OperatorAdded>(OPERATORS_PATH, &request).await {
        Err(Fault::Refused(ProblemCode::Taken)) => {
            let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
            return Err(naming::operator_taken((operator, display_name), &list.operators));
        }
        added => added?,
    };
    let naming = Naming { display_name: display_name.to_owned(), modes: modes.to_vec() };
    // What is shown once must be seen: where this cannot be kept, `device approve` asks a person.
    let _kept = desk.profile.keep_naming(desk.bundle.tenant, operator, naming);
    let shown = match password {
        NewPassword::Generated(secret) => Some(secret.as_str()),
        NewPassword::Given(_) => None,
    };
    let language = desk.language;
    let mut text = language.added(operator, added.expires_in / 3600);
    if let Some(secret) = shown {
        text.push_str(&format!("\n  {}: {secret}", language.password_label()));
    }
    text.push_str(&format!("\n  {}: {}", language.code_label(), added.enrolment));
    let json =
        Added { operator, password: shown, enrolment: &added.enrolment, expires_in: added.expires_in };
    Ok(Printed { text, json: serde_json::to_value(json).unwrap_or_default() })
}

pub(super) async fn change(
    desk: &Desk,
    operator: &str,
    change: OperatorChange,
) -> Result<Printed, Fault> {
    let language = desk.language;
    let request = ChangeOperator { operator: operator.to_owned(), change };
    if change != OperatorChange::NewCode {
        let changed = desk.change(OPERATOR_CHANGES_PATH, &request).await?;
        let text =
            if changed { told(change, operator, language) } else { untold(change, operator, language) };
        let json = serde_json::json!({ "operator": operator, "done": true, "changed": changed });
        return Ok(Printed { text, json });
    }
    let added: OperatorAdded = desk.post(OPERATOR_CHANGES_PATH, &request).await?;
    let text =
        format!("{}\n  {}", language.new_code(operator, added.expires_in / 3600), added.enrolment);
    let json =
        Added { operator, password: None, enrolment: &added.enrolment, expires_in: added.expires_in };
    Ok(Printed { text, json: serde_json::to_value(json).unwrap_or_default() })
}

/// What is said of a change that was made.
fn told(change: OperatorChange, operator: &str, language: Language) -> String {
    match change {
        OperatorChange::ForgetAuthenticator => language.forgotten(operator),
        OperatorChange::Disable
        | OperatorChange::Enable
        | OperatorChange::Remove
        | OperatorChange::NewCode
        | OperatorChange::Unlock => language.done(operator),
    }
}

/// What is said of a change that had nothing to do.
fn untold(change: OperatorChange, operator: &str, language: Language) -> String {
    match change {
        OperatorChange::Unlock => language.not_suspended(operator),
        OperatorChange::ForgetAuthenticator => language.nothing_to_forget(operator),
        OperatorChange::Disable
        | OperatorChange::Enable
        | OperatorChange::Remove
        | OperatorChange::NewCode => language.was_so(operator),
    }
}

async fn list(desk: &Desk) -> Result<Printed, Fault> {
    let language = desk.language;
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let json = serde_json::to_value(&list).unwrap_or_default();
    if list.operators.is_empty() {
        return Ok(Printed { text: language.no_operators(), json });
    }
    let mut rows = vec![language.columns().to_vec()];
    let zone = Zone::named(None)?;
    rows.extend(list.operators.iter().map(|entry| row(entry, &zone, language)));
    Ok(Printed { text: table(&rows), json })
}

/// Whether an account is let in, and until when not.
pub(super) fn state(
    state: OperatorState,
    suspended_until: Option<u64>,
    (zone, language): (&Zone, Language),
) -> String {
    match (state, suspended_until) {
        (OperatorState::Disabled, _) => language.disabled(),
        (OperatorState::Enabled, None) => language.enabled(),
        (OperatorState::Enabled, Some(until)) => {
            language.suspended(&zone.moment(until.saturating_mul(1000)))
        }
    }
}

fn row(entry: &OperatorEntry, zone: &Zone, language: Language) -> Vec<String> {
    let state = state(entry.state, entry.suspended_until, (zone, language));
    let modes: Vec<String> = entry.modes.iter().map(|mode| language.mode(*mode)).collect();
    let limits = entry.limits.as_ref().map(|limits| language.limits(limits));
    vec![
        entry.operator.clone(),
        entry.display_name.clone(),
        state,
        entry.devices.to_string(),
        modes.join(","),
        entry.groups.join(","),
        limits.unwrap_or_else(|| language.limits_unreadable("operator")),
    ]
}
