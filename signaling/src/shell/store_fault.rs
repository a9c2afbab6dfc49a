//! What the database has to say when it takes or gives nothing: a full disk, a folder that may not be
//! written and a lock are none of them damage. It refuses to know what was asked.

use std::io::ErrorKind;
use std::path::Path;

use sqlx::migrate::MigrateError;

use super::fault::Fault;

/// Of an error at the database in the file `path`.
pub(crate) fn of_database(error: &sqlx::Error, path: &Path) -> Fault {
    match kind(error) {
        Some(kind) => Fault::Unreadable { path: path.to_owned(), kind },
        None => Fault::DatabaseDamaged(path.to_owned()),
    }
}

/// Of a step towards today's form that was not done.
pub(crate) fn of_migration(error: &MigrateError, path: &Path) -> Fault {
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return of_database(error, path);
    }
    // Sources, checksums and names of steps are this program's own.
    match matches!(error, MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) {
        true => Fault::DatabaseNewer(path.to_owned()),
        false => Fault::DatabaseDamaged(path.to_owned()),
    }
}

/// `None`: what stands in the file is to blame.
pub(crate) fn kind(error: &sqlx::Error) -> Option<ErrorKind> {
    let code = error.as_database_error().and_then(|error| error.code());
    match code?.parse::<u32>().ok()? & 0xff {
        SQLITE_FULL => Some(ErrorKind::StorageFull),
        SQLITE_CANTOPEN | SQLITE_READONLY | SQLITE_PERM => Some(ErrorKind::PermissionDenied),
        SQLITE_BUSY | SQLITE_LOCKED => Some(ErrorKind::ResourceBusy),
        SQLITE_IOERR => Some(ErrorKind::Other),
        _ => None,
    }
}

/// Why nothing was written, for whoever watches a server: no file's name, no text of anybody's.
pub(crate) fn words(error: &sqlx::Error) -> &'static str {
    match kind(error) {
        Some(ErrorKind::StorageFull) => "the disk is full",
        Some(ErrorKind::PermissionDenied) => "the database may not be written",
        Some(ErrorKind::ResourceBusy) => "somebody else holds the database",
        Some(_) => "the disk fails",
        None => "the database took nothing",
    }
}

// <https://www.sqlite.org/rescode.html>
const SQLITE_PERM: u32 = 3;
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_READONLY: u32 = 8;
const SQLITE_IOERR: u32 = 10;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
