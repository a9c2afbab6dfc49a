//! The head of a server's backup: whose it is, when it was made, and how much follows.
//!
//! A backup is the head as one line of JSON, a copy of the database, and a tag over both that
//! only the folder's own key makes. It refuses to know what stands in the database.

use serde::{Deserialize, Serialize};

use crate::dsse::strict_json;
use crate::ids::{Digest, TenantId};

/// The form of the file; another form is another number.
pub const BACKUP_FORM: u16 = 1;
/// The most bytes of a head, its line's end among them.
pub const MAX_HEAD_BYTES: usize = 1024;
/// Bytes of the tag at the end: HMAC-SHA256.
pub const TAG_BYTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupHead {
    pub tasuki_backup: u16,
    pub tenant: TenantId,
    /// Tells a folder's key apart from another one, and nothing of it.
    pub key: Digest,
    /// Seconds since 1970 on the server's clock.
    pub made_at: u64,
    /// The version of the program that made it.
    pub program: String,
    /// Bytes of the database that follow.
    pub length: u64,
}

impl BackupHead {
    /// One line, with its end.
    pub fn encode(&self) -> Vec<u8> {
        let mut line = crate::signal::encode(self).into_bytes();
        line.push(b'\n');
        line
    }

    /// The head at the beginning of a file, and how many bytes it took.
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let begins = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
        let end = begins.iter().position(|byte| *byte == b'\n')?;
        let head: Self = strict_json(&begins[..end]).ok()?;
        (head.tasuki_backup == BACKUP_FORM).then_some((head, end + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> BackupHead {
        BackupHead {
            tasuki_backup: BACKUP_FORM,
            tenant: TenantId([5; 8]),
            key: Digest([6; 32]),
            made_at: 1_800_000_000,
            program: "1.2.3".to_owned(),
            length: 4096,
        }
    }

    #[test]
    fn a_head_is_read_from_the_beginning_of_its_file() {
        let mut file = head().encode();
        let length = file.len();
        assert!(length <= MAX_HEAD_BYTES);
        file.extend(b"SQLite format 3");
        assert_eq!(BackupHead::decode(&file), Some((head(), length)));
    }

    #[test]
    fn what_is_no_head_or_of_another_form_is_refused() {
        let other = BackupHead { tasuki_backup: 2, ..head() };
        assert_eq!(BackupHead::decode(&other.encode()), None);
        assert_eq!(BackupHead::decode(b""), None);
        assert_eq!(BackupHead::decode(b"[1]\n"), None);
        let line = head().encode();
        assert_eq!(BackupHead::decode(&line[..line.len() - 1]), None);
        let mut long = vec![b' '; MAX_HEAD_BYTES];
        long.extend(&line);
        assert_eq!(BackupHead::decode(&long), None);
    }
}
