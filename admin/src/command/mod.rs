//! The commands, a file for each noun. Each either has its whole effect or none.

mod config;
mod init;
mod operator;
mod policy;
mod session;
mod table;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use zeroize::Zeroizing;

use self::operator::OperatorCommand;
use self::policy::PolicyCommand;
use self::session::SessionCommand;
use crate::fault::Fault;
use crate::profile::{Profile, standard_folder};
use crate::texts::Language;

/// Administers a Tasuki server: who may sign in, in which modes.
///
/// Exit codes: 0 done, 2 wrong usage, 3 set-up (bundle, key, files), 4 network,
/// 5 the server holds another key than the bundle's, 6 not allowed, 7 refused,
/// 8 try again later, 10 a policy that does not hold.
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
    /// What operators may do
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What runs at the server now
    #[command(subcommand)]
    Session(SessionCommand),
    /// Print the settings in effect and where each comes from
    Config,
}

/// What a command prints.
#[derive(Debug)]
pub struct Printed {
    pub text: String,
    pub json: serde_json::Value,
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
        Command::Enrol { name } => init::enrol(settings, name).await,
        Command::Operator(command) => operator::run(settings, command).await,
        Command::Policy(command) => policy::run(settings, command).await,
        Command::Session(command) => session::run(settings, command).await,
        Command::Config => Ok(config::run(settings)),
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Fault> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| Fault::File {
        file: PathBuf::from("/dev/urandom"),
        why: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}
