//! The commands, a file for each noun. Each either has its whole effect or none.

mod admin;
mod approve;
mod audit;
mod audit_care;
mod audit_input;
mod audit_report;
mod config;
mod device;
mod door;
mod explain;
mod group;
mod init;
mod key;
mod key_list;
mod limiting;
mod login;
mod making;
mod operator;
mod operator_change;
mod pages;
mod policy;
mod recover;
mod session;
mod succession;
mod way_back;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tasuki_terminal::pages::Shell;

use self::admin::AdminCommand;
use self::audit::AuditCommand;
use self::device::DeviceCommand;
pub use self::explain::Barred;
use self::group::GroupCommand;
use self::init::InitOptions;
use self::key::KeyCommand;
pub(crate) use self::key_list::Standing;
use self::operator::OperatorCommand;
pub(crate) use self::operator_change::Effect;
use self::policy::PolicyCommand;
use self::session::SessionCommand;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::settings::Settings;

/// Administers a Tasuki server: its organisation's keys, who may sign in, from which devices.
///
/// Exit codes: 0 done, 2 wrong usage, 3 set-up (bundle, key, files), 4 network,
/// 5 the server holds another key than the one it must, 6 not allowed, 7 refused,
/// 8 try again later, 9 wrong passphrase or shares, 10 a ledger that does not hold,
/// 11 a ledger or a bundle that is not the one known here (a fork, or older), 12 a policy that does not hold.
#[derive(Debug, Parser)]
#[command(name = "tasuki-admin", version)]
pub struct Program {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the organisation's keys on this computer, once; asks for the token that `tasuki-server setup` printed
    Init(InitOptions),
    /// Make this computer's key an administrator's; asks for a token of `tasuki-admin admin add`
    Enrol {
        /// Your name, as it will stand in the log
        #[arg(long)]
        name: String,
    },
    /// Sign in; other commands ask by themselves when it is time
    Login {
        /// Set an authenticator up; shows its QR code
        #[arg(long)]
        authenticator: bool,
    },
    /// Sign out
    Logout,
    /// Operators' accounts
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Operators' devices: which may be used
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Groups of operators, for policies
    #[command(subcommand)]
    Group(GroupCommand),
    /// Administrators
    #[command(subcommand)]
    Admin(AdminCommand),
    /// The organisation's keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// What operators may do
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What runs at the server now
    #[command(subcommand)]
    Session(SessionCommand),
    /// The ledger of everything that happened
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the settings in effect and where each comes from
    Config,
    /// Print a script that completes commands in a shell
    Completion {
        /// For which shell
        shell: Shell,
    },
    /// Write manual pages, one for each command, into a folder
    Manual {
        /// The folder; made if it is not there
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// # Errors
/// See [`Fault`]; nothing was changed then.
pub async fn run(program: &Program) -> Result<Printed, Fault> {
    let settings = &program.settings;
    match &program.command {
        Command::Init(options) => init::run(settings, options).await,
        Command::Enrol { name } => init::enrol(settings, name).await,
        Command::Login { authenticator } => login::login(settings, *authenticator).await,
        Command::Logout => login::logout(settings).await,
        Command::Operator(command) => operator::run(settings, command).await,
        Command::Device(command) => device::run(settings, command).await,
        Command::Group(command) => group::run(settings, command).await,
        Command::Admin(command) => admin::run(settings, command).await,
        Command::Key(command) => key::run(settings, command).await,
        Command::Policy(command) => policy::run(settings, command).await,
        Command::Session(command) => session::run(settings, command).await,
        Command::Audit(command) => audit::run(settings, command).await,
        Command::Config => config::run(settings),
        Command::Completion { shell } => Ok(pages::completion(*shell, settings.language())),
        Command::Manual { folder } => pages::manual(folder, settings.language()),
    }
}
