//! What can go wrong with an exported or fetched ledger.

use std::path::{Path, PathBuf};

use tasuki_protocol::ledger::audit::Finding;
use tasuki_protocol::ledger::follow::LedgerRefused;

#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    #[error("{file}: {why}")]
    File { file: PathBuf, why: std::io::Error },
    #[error("no folder {0}")]
    NoFolder(PathBuf),
    #[error("{0} exists already")]
    Exists(PathBuf),
    #[error("{0} is no exported ledger")]
    NoExport(PathBuf),
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// The ledger is not whole.
    #[error("{0}")]
    Found(Finding),
    /// The next root would not have what this one said of the ledger.
    #[error("under a new root key the ledger would not hold: {0}")]
    NotHandedOn(Finding),
    /// Nor this record's restore, of which the root's word is not shown.
    #[error("record {0} tells of an acknowledged restore, and the root key's word for it is not there")]
    RestoreHidden(u64),
    #[error("the export is another organisation's, or was signed by another root key")]
    OtherRoot,
    #[error("the server shows {have} records, and has signed {signed}")]
    Short { have: u64, signed: u64 },
    #[error("none of the log keys opens with this passphrase")]
    NoLogKey,
    #[error("no record {0}")]
    NoRecord(u64),
    #[error("{0:?} is no date")]
    Date(String),
    #[error("the period ends before it begins")]
    Span,
    #[error("{0:?} is in the future")]
    Future(String),
    #[error("{0:?} is no time zone")]
    Zone(String),
    #[error("no session {0:?}")]
    NoSession(String),
    #[error("{1} sessions {0:?}")]
    SeveralSessions(String, usize),
    #[error("no event is called {0:?}")]
    NoSuchEvent(String),
    #[error("no record is old enough")]
    NothingToPrune,
    #[error("nothing is missing")]
    NothingToAcknowledge,
    /// The server's ledger did not grow out of the one known here.
    #[error(transparent)]
    Refused(LedgerRefused),
    #[error("the export begins at record {0}")]
    Partial(u64),
}

impl AuditFault {
    pub fn file(file: &Path, why: std::io::Error) -> Self {
        Self::File { file: file.to_owned(), why }
    }

    /// 3 files, 7 not there, 9 passphrase, 10 the ledger is not whole, 11 it is not the one known here.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::File { .. }
            | Self::NoFolder(_)
            | Self::Exists(_)
            | Self::NoExport(_)
            | Self::Damaged(_) => 3,
            Self::NoRecord(_)
            | Self::Date(_)
            | Self::Span
            | Self::Future(_)
            | Self::Zone(_)
            | Self::NoSession(_)
            | Self::SeveralSessions(..)
            | Self::NoSuchEvent(_)
            | Self::NothingToPrune
            | Self::NothingToAcknowledge
            | Self::Partial(_) => 7,
            Self::NoLogKey => 9,
            Self::Found(_)
            | Self::NotHandedOn(_)
            | Self::RestoreHidden(_)
            | Self::OtherRoot
            | Self::Short { .. } => 10,
            Self::Refused(_) => 11,
        }
    }
}

impl From<Finding> for AuditFault {
    fn from(finding: Finding) -> Self {
        Self::Found(finding)
    }
}
