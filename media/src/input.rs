//! What a desktop can be asked to do by hand, and how that can fail.
//!
//! Does not ask whether the hand may: rights are checked before an event comes here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tasuki_protocol::input::{InputEvent, PhysicalKey};
use tasuki_protocol::screen::MonitorId;

/// Acts on a desktop as a mouse and a keyboard would. Whatever is held is let
/// go when it is dropped (T50).
pub trait Injector: Send {
    /// Returns when the desktop has the event; text may take 10 ms a character
    /// that the keyboard map lacks, and ends early when `leave` stands no more.
    ///
    /// # Errors
    /// See [`InjectError`]; nothing was done then, and the next event is welcome
    /// unless it is [`InjectError::Lost`].
    fn inject_with(&mut self, event: &InputEvent, leave: &Leave) -> Result<(), InjectError>;

    /// The same with leave of this moment.
    ///
    /// # Errors
    /// As [`Injector::inject_with`].
    fn inject(&mut self, event: &InputEvent) -> Result<(), InjectError> {
        let leave = self.interrupt().leave();
        self.inject_with(event, &leave)
    }

    /// Lets go of every key and button that this injector holds, and of no other.
    fn release_all(&mut self);

    /// A handle by which another thread takes back the leave for what is being done.
    fn interrupt(&self) -> Interrupt;
}

/// Takes back every leave that was given so far (T17, T32, S31): a text that is being typed is cut
/// short, and an act that has not begun does not begin.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicU64>);

/// Leave to act, until the next interruption.
#[derive(Debug, Clone)]
pub struct Leave {
    given: u64,
    interrupt: Interrupt,
}

impl Interrupt {
    pub fn interrupt(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn leave(&self) -> Leave {
        Leave { given: self.count(), interrupt: self.clone() }
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Leave {
    /// # Errors
    /// [`InjectError::Interrupted`]: it was taken back.
    pub fn check(&self) -> Result<(), InjectError> {
        if self.interrupt.count() == self.given { Ok(()) } else { Err(InjectError::Interrupted) }
    }
}

/// Why an event was not injected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    #[error("the viewer pressed a key that this desktop does not have (usage {:#06x})", .0.0)]
    UnknownKey(PhysicalKey),
    #[error("the viewer points at monitor {} which is not there", .0.0)]
    UnknownMonitor(MonitorId),
    #[error("the viewer sent {bytes} bytes of text at once; 4096 are allowed")]
    TextTooLong { bytes: usize },
    #[error("the viewer sent a control character as text")]
    ControlCharacter,
    #[error("the act was cut short")]
    Interrupted,
    #[error("this desktop's keyboard has no free key for other characters: paste the text instead")]
    NoSpareKey,
    #[error("the desktop refused the input ({request}): restart the desktop session")]
    Refused { request: &'static str },
    #[error("the desktop ended, or closed the connection: log in again and start a new session")]
    Lost,
}
