//! What a session tells, and the window's own thread.
//!
//! Decides that a window which is told much still hears its person: so much is heard at a time, then it
//! is the window's turn (T59).

use std::time::Duration;

use tokio::sync::mpsc;

/// So much is heard before the window has its turn.
pub(crate) const BATCH: usize = 8;
/// A timer's shortest time: a task that only gives way is woken before the window looks for keys.
const BREATH: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    GoesOn,
    /// Nobody hears any more.
    Over,
}

/// Once the window has had its turn.
pub(crate) fn after_the_window(then: impl FnOnce() + 'static) {
    slint::Timer::single_shot(BREATH, then);
}

/// Hears until nothing is told any more, on the thread of the window.
pub(crate) async fn hear_all<T>(heard: mpsc::Receiver<T>, hear: impl FnMut(T) -> Turn) {
    hear_in_turns(heard, hear, breath).await;
}

async fn hear_in_turns<T, B: Future<Output = ()>>(
    mut heard: mpsc::Receiver<T>,
    mut hear: impl FnMut(T) -> Turn,
    breath: impl Fn() -> B,
) {
    let mut batch = 0;
    while let Some(told) = heard.recv().await {
        if hear(told) == Turn::Over {
            return;
        }
        batch += 1;
        if batch == BATCH || heard.is_empty() {
            batch = 0;
            breath().await;
        }
    }
}

/// The window paints, and hears keys and buttons, before this is over.
async fn breath() {
    let (over, waits) = tokio::sync::oneshot::channel();
    after_the_window(move || {
        let _ = over.send(());
    });
    let _ = waits.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn t59_a_window_that_is_told_more_than_it_hears_has_its_turn_after_each_batch() {
        let (told, heard) = mpsc::channel(100);
        for number in 0..100 {
            told.try_send(number).expect("there is room");
        }
        drop(told);
        let (since, most, all) = (RefCell::new(0), RefCell::new(0), RefCell::new(Vec::new()));
        let hear = |number| {
            all.borrow_mut().push(number);
            *since.borrow_mut() += 1;
            let longest = (*most.borrow()).max(*since.borrow());
            *most.borrow_mut() = longest;
            Turn::GoesOn
        };
        let breath = || async { *since.borrow_mut() = 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(hear_in_turns(heard, hear, breath));
        assert_eq!(*all.borrow(), (0..100).collect::<Vec<_>>(), "nothing is lost, in order");
        assert_eq!(*most.borrow(), BATCH);
    }
}
