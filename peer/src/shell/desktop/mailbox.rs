//! What the desktop's threads have to tell, newest wins, never a queue.
//!
//! Threads put without waiting; the session's loop takes all at once. A frame
//! waits alone: the next one is made only after it was asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout};
use tokio::sync::Notify;

use crate::core::io::DesktopEvent;
use crate::core::path::VideoFrame;

#[derive(Debug, Default, Clone)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    slots: Mutex<Slots>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    layout: Option<Layout>,
    shape: Option<CursorShape>,
    cursor: Option<CursorPosition>,
    frame: Option<VideoFrame>,
    touched: Option<()>,
    failed: Option<String>,
}

impl Slots {
    fn take(&mut self) -> Vec<DesktopEvent> {
        // A hand on the desk goes first (T32); a frame is of the layout before it.
        let mut events = Vec::new();
        events.extend(self.touched.take().map(|()| DesktopEvent::LocalInput));
        events.extend(self.layout.take().map(DesktopEvent::Layout));
        events.extend(self.shape.take().map(DesktopEvent::CursorShape));
        events.extend(self.cursor.take().map(DesktopEvent::Cursor));
        events.extend(self.frame.take().map(DesktopEvent::Frame));
        events.extend(self.failed.take().map(DesktopEvent::Failed));
        events
    }
}

impl Mailbox {
    pub fn put(&self, event: DesktopEvent) {
        {
            let mut slots = self.slots();
            match event {
                DesktopEvent::Layout(layout) => slots.layout = Some(layout),
                DesktopEvent::CursorShape(shape) => slots.shape = Some(shape),
                DesktopEvent::Cursor(cursor) => slots.cursor = Some(cursor),
                DesktopEvent::Frame(frame) => slots.frame = Some(frame),
                DesktopEvent::LocalInput => slots.touched = Some(()),
                DesktopEvent::Failed(why) => slots.failed = Some(why),
            }
        }
        self.0.filled.notify_one();
    }

    /// Everything that came since the last call; waits for something. Cancel-safe.
    pub async fn take(&self) -> Vec<DesktopEvent> {
        loop {
            let events = self.slots().take();
            if !events.is_empty() {
                return events;
            }
            self.0.filled.notified().await;
        }
    }

    /// Forgets what was not taken: nothing of a stopped desktop goes out (S31).
    pub fn clear(&self) {
        *self.slots() = Slots::default();
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_cursor_wins_and_a_hand_on_the_desk_goes_first() {
        let mailbox = Mailbox::default();
        mailbox.put(DesktopEvent::Cursor(CursorPosition(Some((1, 1)))));
        mailbox.put(DesktopEvent::Cursor(CursorPosition(Some((2, 2)))));
        mailbox.put(DesktopEvent::LocalInput);
        let events = mailbox.take().await;
        assert!(matches!(
            events.as_slice(),
            [DesktopEvent::LocalInput, DesktopEvent::Cursor(CursorPosition(Some((2, 2))))]
        ));
    }

    #[tokio::test]
    async fn a_waiting_taker_is_woken_and_what_was_cleared_is_gone() {
        let mailbox = Mailbox::default();
        mailbox.put(DesktopEvent::Failed("gone".to_owned()));
        mailbox.clear();
        let (other, _) = tokio::join!(mailbox.take(), async { mailbox.put(DesktopEvent::LocalInput) });
        assert!(matches!(other.as_slice(), [DesktopEvent::LocalInput]));
    }
}
