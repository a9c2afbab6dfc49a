//! What one operating system does in its own way, and nothing else here does: files for one person, clocks
//! that count a machine's sleep, a terminal's echo, a display's socket, the
//! wish that a program end.
//!
//! The rest of this crate asks here and knows no system. What a system lacks is refused with a sentence.

/// Who wants the end of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Ctrl+C: the person.
    Person,
    /// The system, or the terminal's end.
    System,
}

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;
