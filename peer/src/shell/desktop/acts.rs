//! What the viewer's hand has done and the desktop has not had yet.
//!
//! Decides what of it still counts: nothing any more, once the right is lost, the person's own hand comes
//! or he is asked (T17, T32, T34); and what gives way where a desktop does not keep up, so that nothing
//! stays down (T50). Knows no desktop.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tasuki_media::input::{Interrupt, Leave};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::rights::{Operate, Permit};

/// Acts that may wait; a hand makes a few hundred a second, and most of them are motions of one pointer.
const MOST: usize = 1024;

/// Shared by the session, the thread that injects, and the one that watches the person's own hands.
#[derive(Debug)]
pub(super) struct Acts {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    interrupt: Interrupt,
}

#[derive(Debug, Default)]
struct Waiting {
    acts: VecDeque<Act>,
    /// Everything held is to be let go, before any act.
    release: Option<()>,
    over: Option<()>,
}

#[derive(Debug)]
struct Act {
    permit: Permit<Operate>,
    event: InputEvent,
}

/// What the injector does next.
#[derive(Debug)]
pub(super) enum Next {
    ReleaseAll,
    Inject(Permit<Operate>, InputEvent, Leave),
}

impl Acts {
    /// `interrupt` is the injector's.
    pub(super) fn of(interrupt: Interrupt) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), interrupt }
    }

    /// Of motions behind one another the newest counts. Where something finds no room, all that waits is thrown
    /// away and everything held let go: without one of them a key could stay down. A motion then begins anew: a
    /// button that follows it is pressed where it led, or not at all.
    pub(super) fn add(&self, permit: Permit<Operate>, event: InputEvent) {
        let mut waiting = self.lock();
        let is_motion = matches!(event, InputEvent::PointerMove { .. });
        let goes_on = waiting
            .acts
            .back()
            .is_some_and(|last| is_motion && matches!(last.event, InputEvent::PointerMove { .. }));
        if goes_on {
            waiting.acts.pop_back();
        }
        if waiting.acts.len() >= MOST {
            tracing::warn!("acts were dropped: the desktop does not keep up");
            self.cut_off(&mut waiting);
            if !is_motion {
                return;
            }
        }
        waiting.acts.push_back(Act { permit, event });
        self.changed.notify_all();
    }

    /// What waits is not done any more, what is being done ends, and everything held is let go.
    pub(super) fn cut(&self) {
        self.cut_off(&mut self.lock());
    }

    fn cut_off(&self, waiting: &mut Waiting) {
        waiting.acts.clear();
        waiting.release = Some(());
        self.interrupt.interrupt();
        self.changed.notify_all();
    }

    /// As [`Acts::cut`], for good.
    pub(super) fn stop(&self) {
        let mut waiting = self.lock();
        waiting.over = Some(());
        self.cut_off(&mut waiting);
    }

    /// Waits for something to do; `None` when it is over.
    pub(super) fn next(&self) -> Option<Next> {
        let idle = |waiting: &mut Waiting| {
            waiting.over.is_none() && waiting.release.is_none() && waiting.acts.is_empty()
        };
        let waiting = self.changed.wait_while(self.lock(), idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.over.is_some() {
            return None;
        }
        if waiting.release.take().is_some() {
            return Some(Next::ReleaseAll);
        }
        // Given under the lock: whoever cuts off either finds it here or takes its leave back.
        let Act { permit, event } = waiting.acts.pop_front()?;
        Some(Next::Inject(permit, event, self.interrupt.leave()))
    }

    pub(super) fn goes_on(&self) -> bool {
        self.lock().over.is_none()
    }

    /// Waits for so long, unless it is over before.
    pub(super) fn rest(&self, span: Duration) {
        let goes_on = |waiting: &mut Waiting| waiting.over.is_none();
        drop(self.changed.wait_timeout_while(self.lock(), span, goes_on));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
