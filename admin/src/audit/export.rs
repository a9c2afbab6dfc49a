//! An exported ledger: one file that an auditor verifies without a server or a key.
//!
//! Written and read as a stream: a million records take no more memory than one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::ledger::audit::{Auditor, EXPORT_MAGIC, Finding, Item, MAX_ITEM_BYTES, Verified};

use super::fault::AuditFault;

/// A file under way; nothing stands under its name before it is whole.
#[derive(Debug)]
pub struct Export {
    out: BufWriter<File>,
    part: PathBuf,
    file: PathBuf,
}

impl Export {
    /// # Errors
    /// The file exists already, or cannot be written.
    pub fn create(file: &Path) -> Result<Self, AuditFault> {
        if file.exists() {
            return Err(AuditFault::Exists(file.to_owned()));
        }
        let part = file.with_extension("part");
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let mut out = BufWriter::new(open.map_err(|why| AuditFault::file(file, why))?);
        out.write_all(EXPORT_MAGIC).map_err(|why| AuditFault::file(file, why))?;
        Ok(Self { out, part, file: file.to_owned() })
    }

    /// # Errors
    /// The disk is full, or the like.
    pub fn item(&mut self, item: &Item) -> Result<(), AuditFault> {
        self.out.write_all(&item.frame()).map_err(|why| AuditFault::file(&self.file, why))
    }

    /// # Errors
    /// As [`Self::item`]; the file is not there then.
    pub fn finish(mut self) -> Result<(), AuditFault> {
        let failed = |why| AuditFault::file(&self.file, why);
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(failed)?;
        std::fs::rename(&self.part, &self.file).map_err(failed)
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // Nothing better can be done about a part that stays.
        drop(std::fs::remove_file(&self.part));
    }
}

/// The items of an exported file, in their order.
#[derive(Debug)]
pub struct Import {
    input: BufReader<File>,
    file: PathBuf,
}

impl Import {
    /// # Errors
    /// The file cannot be read, or is no export.
    pub fn open(file: &Path) -> Result<Self, AuditFault> {
        let failed = |why| AuditFault::file(file, why);
        let mut input = BufReader::with_capacity(1 << 20, File::open(file).map_err(failed)?);
        let mut magic = vec![0; EXPORT_MAGIC.len()];
        let read = input.read_exact(&mut magic);
        if read.is_err() || magic != EXPORT_MAGIC {
            return Err(AuditFault::NoExport(file.to_owned()));
        }
        Ok(Self { input, file: file.to_owned() })
    }

    /// # Errors
    /// The file ends amid an item, or holds what is none.
    pub fn next(&mut self) -> Result<Option<Item>, AuditFault> {
        let damaged = || AuditFault::Damaged(self.file.clone());
        let mut length = [0; 4];
        match self.input.read(&mut length[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::Interrupted => return self.next(),
            Err(why) => return Err(AuditFault::file(&self.file, why)),
        }
        self.input.read_exact(&mut length[1..]).map_err(|_| damaged())?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| damaged())?;
        if length > MAX_ITEM_BYTES {
            return Err(damaged());
        }
        let mut body = vec![0; length];
        self.input.read_exact(&mut body).map_err(|_| damaged())?;
        Item::decode(&body).map(Some).map_err(|_| damaged())
    }
}

/// Hands an item to the auditor.
///
/// # Errors
/// What does not hold.
pub fn check(auditor: &mut Auditor, item: &Item) -> Result<(), Finding> {
    match item {
        Item::Header(_) => Ok(()),
        Item::Tombstone(stone) => auditor.tombstone(&stone.0),
        Item::Key(envelope) => {
            auditor.key(envelope);
            Ok(())
        }
        Item::Record(stored) => auditor.record(stored),
        Item::Checkpoint(note) => auditor.checkpoint(note),
    }
}

/// What was verified, and under whose root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub verified: Verified,
    pub root: DeviceKey,
}
