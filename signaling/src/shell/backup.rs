//! The database as one file, made while the server runs, and put back while it does not.
//!
//! A backup has no key in it: without the folder's key files it shows nobody's name (T62). It
//! ends in a tag that those keys make, so that a file that was damaged or altered is refused
//! before anything is touched.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tasuki_protocol::backup::{BACKUP_FORM, BackupHead, MAX_HEAD_BYTES, TAG_BYTES};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::seed::Seed;

use super::backup_fault::BackupFault;
use super::clock;
use super::fault::Fault;
use super::folder::{DATABASE, Folder, Secret};
use super::recovery::Recorded;
use super::store::{Condition, Store};

/// A backup that is back in its folder.
pub(crate) struct Restored {
    pub(crate) made_at: u64,
    /// For the first administrator, where the backup has none. Told once and stored nowhere.
    pub(crate) admin_token: Option<String>,
}

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// A backup that is written.
pub(crate) struct BackedUp {
    pub(crate) bytes: u64,
    /// A disk that takes no row any more is what backups are for: it is made all the same then.
    pub(crate) recorded: Recorded,
}

/// Writes the database of the folder `data` to `out`, as it is at one moment. A server may be
/// running on it.
///
/// # Errors
/// `out` exists, or cannot be written; the database is damaged. Nothing is left behind then.
pub(crate) async fn back_up(data: &Path, out: &Path) -> Result<BackedUp, Fault> {
    let (facts, secret) = Folder::look(data)?;
    let database = data.join(DATABASE);
    let (copy, unfinished) = (beside(out, "copy"), beside(out, "new"));
    // The names are taken before anything is made, so that others read nothing of what SQLite
    // writes; `out` is replaced by the whole at once.
    let mut file = take([out, &copy, &unfinished])?;
    let made = async {
        Store::copy(&database, &copy).await?;
        if Store::examine(&copy).await != Condition::Sound {
            return Err(Fault::DatabaseDamaged(database.clone()));
        }
        let length = fs::metadata(&copy).map_err(Fault::unreadable(&copy))?.len();
        let head = BackupHead {
            tasuki_backup: BACKUP_FORM,
            tenant: facts.tenant,
            key: key_id(&secret),
            made_at: clock::unix(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            length,
        };
        let bytes = pack(&head, &secret, &copy, (&mut file, &unfinished))?;
        // Before it is there for anybody to take along.
        let recorded = Store::note_backup(&database).await;
        fs::rename(&unfinished, out).map_err(Fault::unreadable(out))?;
        keep_name(out)?;
        Ok(BackedUp { bytes, recorded })
    };
    let made = made.await;
    fs::remove_file(&copy).ok();
    if made.is_err() {
        fs::remove_file(&unfinished).ok();
        fs::remove_file(out).ok();
    }
    made
}

/// A name that is lost with the power is a lost backup.
fn keep_name(out: &Path) -> Result<(), Fault> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Fault::unreadable(folder))
}

/// All of the names or none, and the last one's file: what is somebody's stays as it is.
fn take(names: [&Path; 3]) -> Result<File, Fault> {
    let mut taken = Vec::new();
    for name in names {
        match private(name) {
            Ok(file) => taken.push((name, file)),
            Err(fault) => {
                for (name, _) in taken {
                    fs::remove_file(name).ok();
                }
                return Err(fault);
            }
        }
    }
    let [.., (_, file)] = <[_; 3]>::try_from(taken).unwrap_or_else(|_| unreachable!("one a name"));
    Ok(file)
}

fn pack(
    head: &BackupHead,
    secret: &Secret,
    copy: &Path,
    (file, out): (&mut File, &Path),
) -> Result<u64, Fault> {
    let unreadable = Fault::unreadable(out);
    let mut tag = tag_under(secret);
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
    let end = tag.finalize().into_bytes();
    file.write_all(&end).and_then(|()| file.sync_all()).map_err(&unreadable)?;
    file.metadata().map(|found| found.len()).map_err(&unreadable)
}

/// Puts the database of `backup` into the folder `data`, which has the keys and no database.
/// Everybody has to sign in again, and the ledger will say that this was done.
///
/// # Errors
/// The folder is in use, has no keys or has a database; the backup is damaged, or of another
/// server. Nothing is changed then.
pub(crate) async fn restore(data: &Path, backup: &Path) -> Result<Restored, Fault> {
    let folder = match Folder::open(data) {
        Err(Fault::NotSetUp(data)) => return Err(BackupFault::NoKeys(data).into()),
        opened => opened?,
    };
    let database = folder.database();
    // A log beside a database that is gone would spoil the one that comes back.
    let there = |end: &&str| folder.file(&format!("{DATABASE}{end}")).exists();
    if ["", "-wal", "-shm", "-journal"].iter().any(there) {
        return Err(BackupFault::DatabaseThere(database).into());
    }
    let (facts, secret) = Folder::look(data)?;
    let unfinished = folder.file("restoring.db");
    let clear = || {
        for end in ["", "-wal", "-shm"] {
            fs::remove_file(folder.file(&format!("restoring.db{end}"))).ok();
        }
    };
    // The folder is locked: what lies there is of a restore that was killed.
    clear();
    let unpacked = async {
        let head = unpack(backup, &secret, &unfinished)?;
        if head.tenant != facts.tenant {
            return Err(BackupFault::Foreign(backup.to_owned()).into());
        }
        let revived = Store::revive(&unfinished, head.made_at).await;
        // A full disk is no damaged backup.
        let admin_token =
            revived.map_err(|fault| match matches!(fault, Fault::DatabaseDamaged(_)) {
                true => BackupFault::Damaged(backup.to_owned()).into(),
                false => fault,
            })?;
        fs::rename(&unfinished, &database).map_err(Fault::unreadable(&database))?;
        Ok(Restored { made_at: head.made_at, admin_token })
    };
    let unpacked: Result<Restored, Fault> = unpacked.await;
    clear();
    let restored = unpacked?;
    let path = folder.path();
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Fault::unreadable(path))?;
    Ok(restored)
}

/// Checks the whole of `backup` while its database is copied to `out`.
fn unpack(backup: &Path, secret: &Secret, out: &Path) -> Result<BackupHead, Fault> {
    let unreadable = Fault::unreadable(backup);
    let damaged = || Fault::from(BackupFault::Damaged(backup.to_owned()));
    let mut file = BufReader::new(File::open(backup).map_err(&unreadable)?);
    let mut begins = Vec::new();
    file.by_ref().take(MAX_HEAD_BYTES as u64).read_to_end(&mut begins).map_err(&unreadable)?;
    let (head, used) = BackupHead::decode(&begins).ok_or_else(damaged)?;
    if head.key != key_id(secret) {
        return Err(BackupFault::Foreign(backup.to_owned()).into());
    }
    let (line, more) = begins.split_at(used);
    let mut tag = tag_under(secret);
    tag.update(line);
    let mut rest = more.chain(file);
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

fn beside(out: &Path, end: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}

fn private(path: &Path) -> Result<File, Fault> {
    let opened = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    // Nor through a link that somebody laid there.
    opened.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return BackupFault::Exists(path.to_owned()).into();
        }
        // A new file's name is missing for want of its folder alone.
        if error.kind() == ErrorKind::NotFound {
            let folder = path.parent().unwrap_or(Path::new("."));
            return BackupFault::NoFolder(folder.to_owned()).into();
        }
        Fault::Unreadable { path: path.to_owned(), kind: error.kind() }
    })
}

/// Under a key of its own: the tag tells nothing of what seals names.
fn tag_under(secret: &Secret) -> Hmac<Sha256> {
    let key = Seed::from_bytes(secret.0).derive::<32>("backup tag");
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key);
    let Ok(mac) = mac else { unreachable!("HMAC takes keys of any length") };
    mac
}

fn key_id(secret: &Secret) -> Digest {
    Digest(Seed::from_bytes(secret.0).derive("backup key id"))
}
