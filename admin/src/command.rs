//! The commands, one function each. Each either has its whole effect or none.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Parser, Subcommand};
use ed25519_dalek::{Signer, SigningKey};
use serde::Serialize;
use tasuki_protocol::admin::{
    ADMIN_PROOF, AddOperator, ChangeOperator, ENROL_PATH, EnrolAdmin, OPERATOR_CHANGES_PATH,
    OPERATORS_PATH, OperatorAdded, OperatorChange, OperatorEntry, OperatorList, OperatorState,
    ProblemCode,
};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::rights::Mode;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::fault::Fault;
use crate::profile::{Profile, standard_folder};
use crate::prompt;
use crate::texts::Language;

/// Administers a Tasuki server: who may sign in, in which modes.
///
/// Exit codes: 0 done, 2 wrong usage, 3 set-up (bundle, key, files), 4 network,
/// 5 the server holds another key than the bundle's, 6 not allowed, 7 refused,
/// 8 try again later.
#[derive(Debug, Parser)]
#[command(name = "tasuki-admin", version)]
pub struct Program {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Settings {
    /// The server's signed tenant.json; needed once, kept in the profile by `enrol`
    #[arg(long, global = true, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Folder of the key and the bundle [default: the standard configuration folder]
    #[arg(long, global = true, value_name = "DIR", env = "TASUKI_ADMIN_PROFILE")]
    pub profile: Option<PathBuf>,
    /// Language of messages [default: that of the environment]
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this computer's key an administrator's; asks for the token that `tasuki-server setup` printed
    Enrol {
        /// Your name, as it will stand in the log
        #[arg(long, default_value = "administrator")]
        name: String,
    },
    /// Operators' accounts
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Print the settings in effect and where each comes from
    Config,
}

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

/// What a command prints.
#[derive(Debug)]
pub struct Printed {
    pub text: String,
    pub json: serde_json::Value,
}

#[derive(Serialize)]
struct Added<'a> {
    operator: &'a str,
    password: Option<&'a str>,
    enrolment: &'a str,
    expires_in: u64,
}

impl Settings {
    pub fn language(&self) -> Language {
        self.lang.unwrap_or_else(Language::of_environment)
    }

    fn profile(&self) -> Profile {
        Profile::at(self.profile.clone().unwrap_or_else(standard_folder))
    }
}

/// # Errors
/// See [`Fault`]; nothing was changed then.
pub async fn run(program: &Program) -> Result<Printed, Fault> {
    let settings = &program.settings;
    match &program.command {
        Command::Enrol { name } => enrol(settings, name).await,
        Command::Operator(command) => operator(settings, command).await,
        Command::Config => Ok(config(settings)),
    }
}

async fn enrol(settings: &Settings, name: &str) -> Result<Printed, Fault> {
    let language = settings.language();
    let profile = settings.profile();
    let trusted = profile.trust(settings.bundle.as_deref())?;
    let token = prompt::secret(&language.ask_token())?;
    let key = match profile.key() {
        Ok(key) => key,
        Err(Fault::NotEnrolled(_)) => SigningKey::from_bytes(&*random::<32>()?),
        Err(fault) => return Err(fault),
    };
    let signed = Zeroizing::new([ADMIN_PROOF, "\n", token.as_str()].concat());
    let request = EnrolAdmin {
        token: token.to_string(),
        name: name.to_owned(),
        key: DeviceKey(key.verifying_key().to_bytes()),
        proof: Blob(key.sign(signed.as_bytes()).to_bytes().to_vec()),
    };
    // Kept before the server takes it: an administrator's key that nobody holds is a lost server.
    profile.keep(&key, &trusted)?;
    let client = Client { bundle: &trusted.bundle, key: None };
    client.post::<serde_json::Value>(ENROL_PATH, &request).await?;
    Ok(Printed {
        text: language.enrolled(&trusted.bundle.organisation),
        json: serde_json::json!({ "organisation": trusted.bundle.organisation, "key": request.key }),
    })
}

async fn operator(settings: &Settings, command: &OperatorCommand) -> Result<Printed, Fault> {
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

/// Columns as wide as their widest cell; a kana or kanji counts as two.
fn table(rows: &[Vec<String>]) -> String {
    let width = |text: &str| -> usize { text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum() };
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|c| rows.iter().map(|row| width(&row[c])).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, w)| format!("{cell}{}", " ".repeat(w - width(cell))))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn config(settings: &Settings) -> Printed {
    let profile = settings.profile();
    let from = |given: bool, environment: &str| {
        let set = std::env::var_os(environment).is_some_and(|value| !value.is_empty());
        if set {
            environment.to_owned()
        } else if given {
            "flag".to_owned()
        } else {
            "default".to_owned()
        }
    };
    let shown = |path: &Path| path.display().to_string();
    let bundle = settings.bundle.as_deref().map_or_else(|| shown(profile.folder()), shown);
    let rows = [
        ("profile", shown(profile.folder()), from(settings.profile.is_some(), "TASUKI_ADMIN_PROFILE")),
        ("bundle", bundle, from(settings.bundle.is_some(), "")),
        (
            "lang",
            format!("{:?}", settings.language()).to_lowercase(),
            from(settings.lang.is_some(), ""),
        ),
    ];
    let json = rows.iter().map(
        |(name, value, source)| serde_json::json!({ "name": name, "value": value, "source": source }),
    );
    let text: Vec<String> =
        rows.iter().map(|(name, value, source)| format!("{name} = {value}  ({source})")).collect();
    Printed { json: json.collect(), text: text.join("\n") }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Fault> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| Fault::File {
        file: PathBuf::from("/dev/urandom"),
        why: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}
