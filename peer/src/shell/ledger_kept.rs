//! Records that wait on disk, so that a killed program and a server that is away lose none (F2).
//!
//! It refuses to know what a record says: it lies here sealed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::wire::{EndRow, EndRows, MAX_END_BYTES, MAX_END_NUMBER};
use tasuki_protocol::signal;

use super::ledger_delivery::{Delivered, deliver, first_of};
use super::ledger_desk::Desk;
use super::ledger_rows::Rows;
use super::profile::Profile;

/// Where a profile keeps records that are still to be sent, under its state folder.
const FOLDER: &str = "ledger";
/// Sessions whose records wait at most; the oldest give way.
const MAX_FILES: usize = 64;
/// The most bytes of one session's waiting records: all that the server takes of an end, in base64.
const MAX_FILE_BYTES: u64 = MAX_END_BYTES / 3 * 4 + MAX_END_NUMBER * 256;
/// What a file is called from then on that cannot be read.
const UNREADABLE: &str = "unreadable";
/// A file that was not touched for so long belongs to no running program.
const ABANDONED: Duration = Duration::from_secs(30);
/// After this the server takes a session's records no more.
const TOO_OLD: Duration = Duration::from_secs(48 * 3600);

/// What waits, on disk, so that a killed program loses none of it; gone when nothing waits.
/// A disk that takes nothing leaves the records in memory: they are sent all the same.
pub(super) fn keep(rows: &Rows, profile: &Profile) {
    let Some(name) = &rows.file else { return };
    let folder = profile.state.join(FOLDER);
    if rows.rows.is_empty() {
        // Not there is what is wanted.
        drop(std::fs::remove_file(folder.join(name)));
        return;
    }
    let ticket = rows.ticket.clone().unwrap_or_else(|| Blob(Vec::new()));
    let all = EndRows { ticket, known: 0, rows: rows.rows.iter().cloned().collect() };
    if let Err(fault) = Profile::at(&folder).write(name, signal::encode(&all).as_bytes()) {
        tracing::warn!(%fault, "records of this session wait in memory alone");
    }
}

/// Sends what earlier programs left behind. Never waits for long, and fails in silence: the
/// next program tries again.
pub async fn send_kept(desk: Desk) {
    let folder = desk.profile.state.join(FOLDER);
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(MAX_FILES);
    for (at, (touched, file)) in files.into_iter().enumerate() {
        let age = touched.elapsed().unwrap_or_default();
        if age < ABANDONED {
            continue;
        }
        if at < surplus || age > TOO_OLD || send_file(&file, &desk).await {
            drop(std::fs::remove_file(&file));
        }
    }
}

/// Whether the file is done with.
async fn send_file(file: &Path, desk: &Desk) -> bool {
    let Some(kept) = read_kept(file) else {
        // Nothing is thrown away unsaid: whoever looks into it finds it.
        tracing::error!(file = %file.display(), "records of a session cannot be read, and are set aside");
        return std::fs::rename(file, file.with_extension(UNREADABLE)).is_err();
    };
    let mut rows: VecDeque<EndRow> = kept.rows.into();
    while !rows.is_empty() {
        let batch = EndRows { ticket: kept.ticket.clone(), known: 0, rows: first_of(&rows) };
        match deliver(&batch, desk).await {
            Delivered::Taken { next, .. } => rows.retain(|row| row.number >= next),
            Delivered::Never => return true,
            Delivered::NotNow => return false,
        }
    }
    true
}

/// What an earlier program kept; `None` where it is no such thing.
fn read_kept(file: &Path) -> Option<EndRows> {
    let mut text = String::new();
    let limit = MAX_FILE_BYTES + 1;
    File::open(file).ok()?.take(limit).read_to_string(&mut text).ok()?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return None;
    }
    signal::decode::<EndRows>(&text).ok()
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::ids::{Role, SessionId, TenantId};
    use tasuki_protocol::ledger::event::{Entry, Event, Witness};
    use tasuki_protocol::ledger::record::seal_at_end;
    use tasuki_protocol::log_key::LogSecretKey;
    use tasuki_protocol::seed::Seed;

    use super::*;

    /// F2: as many records as a session may have, each as large as they get, wait on the disk and
    /// are read again; a file that is no such thing is set aside and not thrown away.
    #[test]
    fn f2_a_session_full_of_records_waits_on_the_disk_and_is_read_again() {
        let (session, role, tenant) = (SessionId([7; 16]), Role::Agent, TenantId([1; 8]));
        let to = [LogSecretKey::from_bytes([2; 32]).public()];
        let entry = |length: usize| Entry {
            by: Witness::Agent,
            session: Some(session),
            operator: None,
            event: Event::Customer { name: "x".repeat(length) },
        };
        let seal = |length| {
            let seed = Seed::from_bytes([3; 32]);
            seal_at_end(&entry(length), (session, role, 0), &to, tenant, &seed).expect("sealed")
        };
        let most = (MAX_END_BYTES / MAX_END_NUMBER) as usize;
        let sealed = (0..most).rev().step_by(256).map(seal);
        let sealed = sealed.map(|sealed| EndRow { number: 0, sealed });
        let fits = |row: &EndRow| row.bytes() * MAX_END_NUMBER <= MAX_END_BYTES;
        let largest = sealed.into_iter().find(fits).expect("a size that fits");
        assert!(largest.bytes() * MAX_END_NUMBER > 4 * 1024 * 1024, "{}", largest.bytes());
        let row = |number| EndRow { number, ..largest.clone() };
        let folder = tempfile::tempdir().expect("a folder");
        let rows = Rows {
            ticket: Some(Blob(vec![9; 57])),
            rows: (0..MAX_END_NUMBER).map(row).collect(),
            file: Some("full.json".to_owned()),
            ..Rows::default()
        };
        keep(&rows, &Profile::at(folder.path()));
        let file = folder.path().join(FOLDER).join("full.json");
        let kept = read_kept(&file).expect("readable");
        assert_eq!(kept.rows.len() as u64, MAX_END_NUMBER);
        std::fs::write(&file, "{\"ticket\":").expect("written");
        assert!(read_kept(&file).is_none());
    }
}
