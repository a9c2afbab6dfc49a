//! An exported ledger as it lies in a file: cut into its items, in whatever pieces it is read.
//!
//! Says what the bytes are, and nothing of whether they hold; that is the auditor's
//! ([`super::audit`]).

use super::audit::{EXPORT_MAGIC, Item, MAX_ITEM_BYTES};

/// Why bytes are no export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefused {
    #[error("the file does not begin as an exported ledger")]
    Other,
    #[error("the file is cut short, or something in it is no item of a ledger")]
    Damaged,
}

/// Takes bytes, gives items. Holds one piece and one item at a time.
#[derive(Debug, Default)]
pub struct Splitter {
    held: Vec<u8>,
    at: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Magic,
    Header,
    Items,
}

impl Splitter {
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.at);
        self.at = 0;
        self.held.extend_from_slice(bytes);
    }

    /// The next item; `None`: more bytes are needed.
    ///
    /// # Errors
    /// See [`ExportRefused`]; each is final.
    pub fn item(&mut self) -> Result<Option<Item>, ExportRefused> {
        if self.stage == Stage::Magic {
            let rest = &self.held[self.at..];
            let known = rest.len().min(EXPORT_MAGIC.len());
            if rest[..known] != EXPORT_MAGIC[..known] {
                return Err(ExportRefused::Other);
            }
            if known < EXPORT_MAGIC.len() {
                return Ok(None);
            }
            self.at += known;
            self.stage = Stage::Header;
        }
        let Some((length, rest)) = self.held[self.at..].split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_ITEM_BYTES {
            return Err(ExportRefused::Damaged);
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let item = Item::decode(body).map_err(|_| ExportRefused::Damaged)?;
        // One header, in front: who verifies must know whose ledger it is.
        let expected = matches!(item, Item::Header(_)) == (self.stage == Stage::Header);
        if !expected {
            return Err(ExportRefused::Damaged);
        }
        self.stage = Stage::Items;
        self.at += 4 + length;
        Ok(Some(item))
    }

    /// Whether the bytes ended where an item did.
    ///
    /// # Errors
    /// [`ExportRefused`].
    pub fn finish(self) -> Result<(), ExportRefused> {
        match self.stage {
            Stage::Magic => Err(ExportRefused::Other),
            Stage::Items if self.at == self.held.len() => Ok(()),
            Stage::Header | Stage::Items => Err(ExportRefused::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::Header;
    use super::*;
    use crate::blob::Blob;
    use crate::ids::Digest;

    fn items() -> Vec<Item> {
        let header = Header {
            bundle: Blob(vec![1; 40]),
            wrapped: vec![Blob(vec![2; 9])],
            from: 0,
            before: Digest([0; 32]),
        };
        vec![Item::Header(header), Item::Tombstone(Blob(vec![7])), Item::Checkpoint("note\n".into())]
    }

    fn file(items: &[Item]) -> Vec<u8> {
        items.iter().fold(EXPORT_MAGIC.to_vec(), |file, item| [file, item.frame()].concat())
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Item>, ExportRefused> {
        let mut splitter = Splitter::default();
        let mut items = Vec::new();
        for piece in bytes.chunks(piece) {
            splitter.push(piece);
            while let Some(item) = splitter.item()? {
                items.push(item);
            }
        }
        splitter.finish().map(|()| items)
    }

    #[test]
    fn a_file_reads_the_same_in_pieces_of_any_size() {
        let whole = file(&items());
        for piece in [1, 3, 17, whole.len()] {
            assert_eq!(read(&whole, piece), Ok(items()));
        }
    }

    #[test]
    fn a_file_that_is_cut_or_begins_otherwise_or_has_no_header_is_refused() {
        let whole = file(&items());
        for end in 0..whole.len() {
            let ends_with_an_item = (1..=3).any(|count| file(&items()[..count]).len() == end);
            assert_eq!(read(&whole[..end], 64).is_ok(), ends_with_an_item, "{end} bytes");
        }
        assert_eq!(read(b"PK\x03\x04 something else", 64), Err(ExportRefused::Other));
        assert_eq!(read(&file(&items()[1..]), 64), Err(ExportRefused::Damaged));
        let twice = [items(), items()].concat();
        assert_eq!(read(&file(&twice), 64), Err(ExportRefused::Damaged));
        let long = [EXPORT_MAGIC, &[0xff; 8]].concat();
        assert_eq!(read(&long, 64), Err(ExportRefused::Damaged));
    }
}
