//! A table: columns that scripts know by name, and cells that are text or counts.

use super::tally::Grouping;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Anybody's words: neutralised by whoever shows them (T66).
    Text(String),
    /// The name of those that have none: what no operator did, whom no operator named, what is of no session.
    Nobody(Grouping),
    Count(u64),
    /// A record's own words, which a script gets in English.
    Told {
        english: String,
        japanese: String,
    },
    /// A word of a record's, which a script gets as it stands there.
    Known {
        word: String,
        japanese: &'static str,
    },
    /// A word of ours, which is put into the reader's language.
    Word(&'static str),
}

/// Rows of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Cell>>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}
