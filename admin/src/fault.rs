//! What can go wrong, whose fault it is, and the exit code that scripts see.

use std::path::PathBuf;

use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::policy::check::PolicyFault;

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
    #[error("{file}: {why}")]
    File { file: PathBuf, why: std::io::Error },
    #[error("unreachable: {address}: {why}")]
    Unreachable { address: String, why: String },
    #[error("other server: {address}")]
    OtherServer { address: String },
    #[error("not a Tasuki server: {address}")]
    NotTasuki { address: String },
    #[error("refused: {0:?}")]
    Refused(ProblemCode),
    #[error("not a policy: {file}: {why}")]
    PolicyFile { file: PathBuf, why: String },
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    #[error("nothing was typed")]
    NothingTyped,
    #[error("not confirmed")]
    NotConfirmed,
}

impl Fault {
    /// 3 set-up, 4 network, 5 another server's key, 6 not allowed, 7 refused, 8 try again later, 10 a policy that does not hold.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoBundle(_)
            | Self::DamagedBundle(_)
            | Self::OtherTenant(_)
            | Self::NotEnrolled(_)
            | Self::DamagedKey(_)
            | Self::File { .. } => 3,
            Self::Unreachable { .. } | Self::NotTasuki { .. } => 4,
            Self::OtherServer { .. } => 5,
            Self::Refused(code) => match code {
                ProblemCode::SignIn | ProblemCode::Unauthorised => 6,
                ProblemCode::Malformed
                | ProblemCode::Taken
                | ProblemCode::Unusable
                | ProblemCode::NotFound
                | ProblemCode::Conflict
                | ProblemCode::Policy
                | ProblemCode::Version => 7,
                ProblemCode::Busy => 8,
            },
            Self::PolicyFile { .. } | Self::Policy(_) => 10,
            Self::NothingTyped | Self::NotConfirmed => 7,
        }
    }
}
