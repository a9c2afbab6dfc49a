//! An exported ledger: one file that an auditor verifies without a server or a key.
//!
//! Written and read as a stream: a million records take no more memory than one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tasuki_protocol::ledger::audit::{EXPORT_MAGIC, Item};
use tasuki_protocol::ledger::export::{ExportRefused, Splitter};

use super::fault::AuditFault;

/// A file of text, whole or not at all, readable by its owner alone.
///
/// # Errors
/// As [`Export::create`] and [`Export::finish`].
pub fn write_text(file: &Path, text: &str) -> Result<(), AuditFault> {
    let mut whole = Export::begin(file)?;
    whole.out.write_all(text.as_bytes()).map_err(|why| AuditFault::file(file, why))?;
    whole.finish()
}

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
        let mut export = Self::begin(file)?;
        export.out.write_all(EXPORT_MAGIC).map_err(|why| AuditFault::file(file, why))?;
        Ok(export)
    }

    fn begin(file: &Path) -> Result<Self, AuditFault> {
        if file.exists() {
            return Err(AuditFault::Exists(file.to_owned()));
        }
        let failed = |why| AuditFault::file(file, why);
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = file.with_file_name(name);
        let mut options = OpenOptions::new();
        let open = options.write(true).create_new(true).mode(0o600).open(&part);
        let open = open.map_err(|why| {
            if why.kind() == io::ErrorKind::NotFound { no_folder(file) } else { failed(why) }
        });
        Ok(Self { out: BufWriter::new(open?), part, file: file.to_owned() })
    }

    /// # Errors
    /// The disk is full, or the like.
    pub fn item(&mut self, item: &Item) -> Result<(), AuditFault> {
        self.out.write_all(&item.frame()).map_err(|why| AuditFault::file(&self.file, why))
    }

    /// # Errors
    /// As [`Self::item`], or a file of that name is there by now; ours is not there then.
    pub fn finish(mut self) -> Result<(), AuditFault> {
        let failed = |why| AuditFault::file(&self.file, why);
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(failed)?;
        // A link, since a rename would replace what came there meanwhile.
        match std::fs::hard_link(&self.part, &self.file) {
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                Err(AuditFault::Exists(self.file.clone()))
            }
            linked => linked.map_err(failed),
        }
    }
}

/// A new file's name is missing for want of its folder alone.
fn no_folder(file: &Path) -> AuditFault {
    AuditFault::NoFolder(file.parent().unwrap_or(Path::new(".")).to_owned())
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
    input: File,
    splitter: Splitter,
    piece: Vec<u8>,
    file: PathBuf,
}

impl Import {
    /// # Errors
    /// The file cannot be read.
    pub fn open(file: &Path) -> Result<Self, AuditFault> {
        let input = File::open(file).map_err(|why| AuditFault::file(file, why))?;
        let piece = vec![0; 1 << 18];
        Ok(Self { input, splitter: Splitter::default(), piece, file: file.to_owned() })
    }

    /// # Errors
    /// The file is no export, ends amid an item, or holds what is none.
    pub fn item(&mut self) -> Result<Option<Item>, AuditFault> {
        loop {
            if let Some(item) = self.splitter.item().map_err(|why| self.refused(why))? {
                return Ok(Some(item));
            }
            let read = match self.input.read(&mut self.piece) {
                Ok(read) => read,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(AuditFault::file(&self.file, why)),
            };
            if read == 0 {
                let splitter = std::mem::take(&mut self.splitter);
                return splitter.finish().map(|()| None).map_err(|why| self.refused(why));
            }
            self.splitter.push(&self.piece[..read]);
        }
    }

    fn refused(&self, why: ExportRefused) -> AuditFault {
        match why {
            ExportRefused::Other => AuditFault::NoExport(self.file.clone()),
            ExportRefused::Damaged => AuditFault::Damaged(self.file.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::blob::Blob;
    use tasuki_protocol::ids::Digest;
    use tasuki_protocol::ledger::audit::Header;

    use super::*;

    #[test]
    fn what_is_exported_is_read_again_and_a_report_is_its_text_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("july.export");
        let (bundle, before) = (Blob(vec![1]), Digest([0; 32]));
        let header = Header { bundle, wrapped: Vec::new(), from: 0, before };
        let items = [Item::Header(header), Item::Checkpoint("note".to_owned())];
        let mut export = Export::create(&file).unwrap();
        items.iter().for_each(|item| export.item(item).unwrap());
        assert!(!file.exists(), "nothing stands there before it is whole");
        export.finish().unwrap();
        let mut import = Import::open(&file).unwrap();
        let read = std::iter::from_fn(|| import.item().unwrap()).collect::<Vec<_>>();
        assert_eq!(read, items);
        assert!(matches!(Export::create(&file), Err(AuditFault::Exists(_))));
        let report = folder.path().join("july.html");
        write_text(&report, "<html>").unwrap();
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "<html>");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
