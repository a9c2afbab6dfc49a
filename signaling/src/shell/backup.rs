//! `tasuki-server backup` and `restore`: the database as one file, made while the server runs,
//! and put back while it does not.
//!
//! A backup has no key in it: without the folder's key files it shows nobody's name (T62). It
//! ends in a tag that those keys make, so that a file that was damaged or altered is refused
//! before anything is touched.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tasuki_protocol::backup::{BACKUP_FORM, BackupHead, MAX_HEAD_BYTES, TAG_BYTES};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::seed::Seed;

use super::clock;
use super::fault::Fault;
use super::folder::{DATABASE, Folder, KeyFile, Secret};
use super::store::Store;

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) bytes: u64,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) head: BackupHead,
    /// Where the database lies now that was there before.
    pub(crate) before: Option<PathBuf>,
}

/// Writes the database of the folder `data` to `out`, as it is at one moment. A server may be
/// running on it.
///
/// # Errors
/// `out` exists, or cannot be written; the database is damaged. Nothing is left behind then.
pub(crate) async fn back_up(data: &Path, out: &Path) -> Result<Made, Fault> {
    let (facts, secret) = Folder::look(data)?;
    if out.exists() {
        return Err(Fault::BackupExists(out.to_owned()));
    }
    let (copy, unfinished) = (beside(out, "copy"), beside(out, "new"));
    let made = async {
        // Others must not read what SQLite is about to write there.
        private(&copy)?;
        Store::copy(&data.join(DATABASE), &copy).await?;
        if !Store::examine(&copy).await {
            return Err(Fault::DatabaseDamaged(data.join(DATABASE)));
        }
        let length = fs::metadata(&copy).map_err(Fault::unreadable(&copy))?.len();
        let head = BackupHead {
            tasuki_backup: BACKUP_FORM,
            tenant: facts.tenant,
            key: id(&secret),
            made_at: clock::unix(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            length,
        };
        let bytes = pack(&head, &secret, &copy, &unfinished)?;
        fs::hard_link(&unfinished, out).map_err(Fault::unreadable(out))?;
        Ok(Made { bytes })
    };
    let made = made.await;
    fs::remove_file(&copy).ok();
    fs::remove_file(&unfinished).ok();
    made
}

fn pack(head: &BackupHead, secret: &Secret, copy: &Path, out: &Path) -> Result<u64, Fault> {
    let unreadable = Fault::unreadable(out);
    let mut file = private(out)?;
    let mut tag = tag(secret);
    let line = head.encode();
    tag.update(&line);
    file.write_all(&line).map_err(&unreadable)?;
    let mut database = File::open(copy).map_err(Fault::unreadable(copy))?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = database.read(&mut piece).map_err(Fault::unreadable(copy))?;
        if read == 0 {
            break;
        }
        tag.update(&piece[..read]);
        file.write_all(&piece[..read]).map_err(&unreadable)?;
    }
    file.write_all(&tag.finalize().into_bytes()).and_then(|()| file.sync_all()).map_err(&unreadable)?;
    file.metadata().map(|found| found.len()).map_err(&unreadable)
}

/// Puts the database of `backup` into the folder `data`, which no server may be using. The
/// one that is there is kept beside it. Everybody has to sign in again.
///
/// # Errors
/// The folder is in use or has no keys; the backup is damaged, or of another server. Nothing
/// is changed then.
pub(crate) async fn restore(data: &Path, backup: &Path) -> Result<Restored, Fault> {
    let folder = Folder::open(data)?;
    let (facts, secret) = Folder::look(data)?;
    let unfinished = folder.file("tasuki.db.new");
    let unpacked = async {
        let head = unpack(backup, &secret, &unfinished)?;
        if head.tenant != facts.tenant {
            return Err(Fault::BackupForeign(backup.to_owned()));
        }
        let prepared = Store::revive(&unfinished).await;
        prepared.map_err(|_| Fault::BackupDamaged(backup.to_owned()))?;
        Ok(head)
    };
    let head = match unpacked.await {
        Ok(head) => head,
        Err(fault) => {
            for end in ["", "-wal", "-shm"] {
                fs::remove_file(folder.file(&format!("tasuki.db.new{end}"))).ok();
            }
            return Err(fault);
        }
    };
    let before = replace(&folder, &unfinished)?;
    Ok(Restored { head, before })
}

/// Checks the whole of `backup` while its database is copied to `out`.
fn unpack(backup: &Path, secret: &Secret, out: &Path) -> Result<BackupHead, Fault> {
    let unreadable = Fault::unreadable(backup);
    let damaged = || Fault::BackupDamaged(backup.to_owned());
    let mut file = BufReader::new(File::open(backup).map_err(&unreadable)?);
    let mut begins = Vec::new();
    file.by_ref().take(MAX_HEAD_BYTES as u64).read_to_end(&mut begins).map_err(&unreadable)?;
    let (head, used) = BackupHead::decode(&begins).ok_or_else(damaged)?;
    if head.key != id(secret) {
        return Err(Fault::BackupForeign(backup.to_owned()));
    }
    let mut tag = tag(secret);
    tag.update(&begins[..used]);
    let mut rest = begins[used..].chain(file);
    let mut database = private(out)?;
    let (mut left, mut piece) = (head.length, vec![0; PIECE]);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = rest.read(&mut piece[..most]).map_err(&unreadable)?;
        if read == 0 {
            return Err(damaged());
        }
        tag.update(&piece[..read]);
        database.write_all(&piece[..read]).map_err(Fault::unreadable(out))?;
        left -= read as u64;
    }
    let mut end = Vec::new();
    rest.take(TAG_BYTES as u64 + 1).read_to_end(&mut end).map_err(&unreadable)?;
    tag.verify_slice(&end).map_err(|_| damaged())?;
    database.sync_all().map_err(Fault::unreadable(out))?;
    Ok(head)
}

/// A stop in between leaves no database rather than half of one: the server then does not
/// start, and the same restore can be done again.
fn replace(folder: &Folder, unfinished: &Path) -> Result<Option<PathBuf>, Fault> {
    let database = folder.database();
    let kept = folder.file(&format!("tasuki.db.before-{}", clock::unix()));
    let unreadable = Fault::unreadable(&database);
    let was_there = database.exists();
    // What was committed last may stand in the log only, and a foreign log would spoil the new one.
    for end in ["-wal", ""] {
        let from = folder.file(&format!("{DATABASE}{end}"));
        let to = folder.file(&format!("{}{end}", kept.file_name().unwrap_or_default().display()));
        if from.exists() {
            fs::rename(&from, &to).map_err(&unreadable)?;
        }
    }
    fs::remove_file(folder.file(&format!("{DATABASE}-shm"))).ok();
    fs::rename(unfinished, &database).map_err(&unreadable)?;
    File::open(folder.path()).and_then(|folder| folder.sync_all()).map_err(&unreadable)?;
    Ok(was_there.then_some(kept))
}

fn beside(out: &Path, end: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}

fn private(path: &Path) -> Result<File, Fault> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    options.open(path).map_err(Fault::unreadable(path))
}

/// Under a key of its own: the tag tells nothing of what seals names.
fn tag(secret: &Secret) -> Hmac<Sha256> {
    let key = Seed::from_bytes(secret.0).derive::<32>("backup tag");
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key);
    let Ok(mac) = mac else { unreachable!("HMAC takes keys of any length") };
    mac
}

fn id(secret: &Secret) -> Digest {
    Digest(Seed::from_bytes(secret.0).derive("backup key id"))
}
