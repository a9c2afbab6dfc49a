//! What can go wrong, whose fault it is, and the exit code that scripts see.

use std::path::PathBuf;

use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::policy::check::PolicyFault;

use crate::audit::fault::AuditFault;
use crate::limits::{LimitFault, Outside};
use crate::missing::Missing;
use crate::naming::NameWrong;
use crate::policy_file_fault::PolicyFileFault;
use crate::printed::Printed;
use crate::shares::NotAShare;
use crate::vouched::NamingFault;

/// Every reason for which a command has no effect. Words are in [`crate::texts`].
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("no bundle: {0}")]
    NoBundle(PathBuf),
    #[error("damaged bundle: {0}")]
    DamagedBundle(PathBuf),
    #[error("another organisation's bundle: {0}")]
    OtherTenant(PathBuf),
    #[error("no key: {0}")]
    NotEnrolled(PathBuf),
    #[error("damaged key: {0}")]
    DamagedKey(PathBuf),
    #[error("others can read it: {0}")]
    OpenToOthers(PathBuf),
    /// It cannot be written.
    #[error("{file}: {why}")]
    File { file: PathBuf, why: std::io::Error },
    #[error("{file}: {why}")]
    Unread { file: PathBuf, why: std::io::Error },
    #[error("unreachable: {address}: {why}")]
    Unreachable { address: String, why: String },
    #[error("other server: {address}")]
    OtherServer { address: String },
    /// Than the one whose fingerprint was given, before there is a bundle.
    #[error("other fingerprint: {address}")]
    OtherFingerprint { address: String },
    #[error("not a Tasuki server: {address}")]
    NotTasuki { address: String },
    /// A signed request counts only around the server's own time.
    #[error("this clock is {ahead_s} s ahead of the server's")]
    ClockOff { ahead_s: i64 },
    #[error("refused: {0:?}")]
    Refused(ProblemCode),
    #[error("the name {name:?} cannot be used: {why:?}")]
    Name { name: String, why: NameWrong },
    #[error("not there: {0:?}")]
    NoSuch(Missing),
    #[error("not a policy: {file}: {why}")]
    PolicyFile { file: PathBuf, why: PolicyFileFault },
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    #[error("older bundle: {0}")]
    OldBundle(PathBuf),
    /// Its database came from a backup of before the bundle that is known here.
    #[error("the server is at bundle {server}, and {known} is known")]
    ServerBehind { server: u64, known: u64 },
    #[error("the server has the newest bundle")]
    NothingToRepublish,
    #[error("the bundles that changed the root are not here")]
    RootsLost,
    #[error("no vault: {0}")]
    NoVault(PathBuf),
    #[error("no server was named")]
    NoServer,
    #[error("several servers: {0:?}")]
    WhichServer(Vec<PathBuf>),
    #[error("{asked} is not {known}")]
    OtherAddress { asked: String, known: String },
    #[error("not a fingerprint")]
    NotAFingerprint,
    #[error("{0} has its keys already")]
    AlreadyInitialised(String),
    #[error("there are no keys to recover")]
    NothingToRecover,
    /// Used, too old, or replaced by a newer one.
    #[error("the machine's token is not good any more")]
    TokenOver,
    #[error("wrong passphrase, or a damaged vault")]
    WrongPassphrase,
    #[error("weak passphrase")]
    WeakPassphrase,
    #[error("not a recovery share")]
    NotAShare { nth: u8, why: NotAShare },
    #[error("shares of another organisation")]
    WrongShares,
    /// Though the keys are this one's.
    #[error("the server shows another organisation's bundle")]
    OtherRoot,
    #[error("{0} has no device waiting")]
    NothingPending(String),
    #[error(transparent)]
    Naming(#[from] NamingFault),
    #[error("the words differ")]
    WordsDiffer,
    #[error("{0} has no such device")]
    NoSuchDevice(String),
    #[error("the device of {0} was revoked")]
    DeviceRevoked(String),
    #[error("{shown} revoked devices are known here, and not as many to the administrator")]
    RevocationsHidden { shown: usize },
    #[error("no list of revoked devices comes after the newest")]
    RevocationsAhead,
    #[error("{0} has several devices")]
    SeveralDevices(String),
    #[error("no right {0:?}")]
    UnknownRight(String),
    #[error("another policy came in between")]
    PolicyOvertaken,
    #[error("unusable limits: {0:?}")]
    Limits(LimitFault),
    #[error("outside of the administrator's limits: {0:?}")]
    Outside(Outside),
    #[error("no key waits to be used")]
    NothingPrepared,
    #[error("suspended for {seconds} s")]
    Locked { seconds: u64 },
    #[error("wrong password or digits")]
    WrongPassword,
    #[error("nothing was typed")]
    NothingTyped,
    #[error("not confirmed")]
    NotConfirmed,
    /// Who could confirm it.
    #[error("nobody is at a terminal")]
    NobodyThere,
    #[error(transparent)]
    Audit(Box<AuditFault>),
    /// The result is printed, and is not to be relied on.
    #[error("printed, though: {why}")]
    Printed { printed: Box<Printed>, why: Box<AuditFault> },
}

impl From<LimitFault> for Fault {
    fn from(fault: LimitFault) -> Self {
        Self::Limits(fault)
    }
}

impl From<Outside> for Fault {
    fn from(outside: Outside) -> Self {
        Self::Outside(outside)
    }
}

impl From<AuditFault> for Fault {
    fn from(fault: AuditFault) -> Self {
        Self::Audit(Box::new(fault))
    }
}

impl Fault {
    /// 3 set-up, 4 network, 5 another server's key, 6 not allowed, 7 refused, 8 try again later,
    /// 9 wrong passphrase or shares, 10 a ledger, 11 a ledger or a bundle that is older or another, 12 a policy that does not hold.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoBundle(_)
            | Self::DamagedBundle(_)
            | Self::OtherTenant(_)
            | Self::NotEnrolled(_)
            | Self::DamagedKey(_)
            | Self::OpenToOthers(_)
            | Self::OldBundle(_)
            | Self::RootsLost
            | Self::NoVault(_)
            | Self::NoServer
            | Self::WhichServer(_)
            | Self::OtherAddress { .. }
            | Self::File { .. }
            | Self::Unread { .. } => 3,
            Self::Unreachable { .. } | Self::NotTasuki { .. } => 4,
            Self::WrongPassword | Self::Outside(_) | Self::TokenOver | Self::ClockOff { .. } => 6,
            Self::Locked { .. } => 8,
            Self::OtherServer { .. } | Self::OtherFingerprint { .. } => 5,
            Self::Refused(code) => of_refusal(*code),
            Self::NothingTyped
            | Self::Name { .. }
            | Self::NoSuch(_)
            | Self::NotConfirmed
            | Self::NobodyThere
            | Self::NotAFingerprint
            | Self::AlreadyInitialised(_)
            | Self::NothingToRecover
            | Self::NothingToRepublish
            | Self::WeakPassphrase
            | Self::NothingPending(_)
            | Self::Naming(_)
            | Self::WordsDiffer
            | Self::NoSuchDevice(_)
            | Self::SeveralDevices(_)
            | Self::DeviceRevoked(_)
            | Self::RevocationsHidden { .. }
            | Self::RevocationsAhead
            | Self::UnknownRight(_)
            | Self::Limits(_)
            | Self::PolicyOvertaken
            | Self::NothingPrepared => 7,
            Self::Audit(fault) | Self::Printed { why: fault, .. } => fault.exit_code(),
            Self::WrongPassphrase | Self::NotAShare { .. } | Self::WrongShares => 9,
            Self::ServerBehind { .. } | Self::OtherRoot => 11,
            Self::PolicyFile { .. } | Self::Policy(_) => 12,
        }
    }
}

fn of_refusal(code: ProblemCode) -> u8 {
    match code {
        ProblemCode::SignIn
        | ProblemCode::Unauthorised
        | ProblemCode::AdminSignIn
        | ProblemCode::DigitsUsed
        | ProblemCode::Confirm => 6,
        ProblemCode::Malformed
        | ProblemCode::Taken
        | ProblemCode::Unusable
        | ProblemCode::NotFound
        | ProblemCode::Version
        | ProblemCode::Breached
        | ProblemCode::Conflict
        | ProblemCode::Yourself
        | ProblemCode::Certified
        | ProblemCode::Policy
        | ProblemCode::OtherName
        | ProblemCode::Document
        | ProblemCode::OwnCertificate => 7,
        ProblemCode::Busy
        | ProblemCode::TooMany
        | ProblemCode::TooManyWrong
        | ProblemCode::NotInitialised => 8,
    }
}
