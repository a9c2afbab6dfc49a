//! What the two people have written to each other.
//!
//! Decides which lines are kept and which are new to the person. Whether a line may be sent is the
//! right's (`live.rs`).

use tasuki_protocol::ids::Role;

/// Lines that are kept.
const LINES: usize = 500;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Talk {
    lines: Vec<Line>,
    unread: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub by: Role,
    pub text: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Of this end, and it did not go out.
    pub unsent: bool,
}

impl Talk {
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lines of the operator that came since the person last looked.
    pub fn unread(&self) -> u32 {
        self.unread
    }

    pub(super) fn add(&mut self, by: Role, text: String, at: u64) {
        self.lines.push(Line { by, text, at, unsent: false });
        if self.lines.len() > LINES {
            self.lines.remove(0);
        }
        if by == Role::Operator {
            self.unread += 1;
        }
    }

    /// The line that the person wrote last did not go out.
    pub(super) fn not_sent(&mut self) {
        let mut own = self.lines.iter_mut().rev().filter(|line| line.by == Role::Agent);
        if let Some(last) = own.find(|line| !line.unsent) {
            last.unsent = true;
        }
    }

    pub(super) fn read(&mut self) {
        self.unread = 0;
    }
}
