//! Who comes in while more have come than can be served at once: some, and of those who wait the
//! newest. Ten thousand side by side would all be in late, and whoever came first has given up by
//! then; so each is in soon, and who signs in among them too (F14).
//!
//! It refuses to know what coming in takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// How many come in at once, for each core: more would only make each other late.
const COMING_A_CORE: usize = 32;

#[derive(Debug)]
pub(crate) struct Turnstile(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The newest last; some may have given up.
    waiting: Vec<oneshot::Sender<Turn>>,
}

/// Passed on when dropped.
#[derive(Debug)]
pub(crate) struct Turn(Option<Arc<Turnstile>>);

impl Turnstile {
    pub(crate) fn of_this_machine() -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores * COMING_A_CORE)
    }

    /// Lets so many be served at once.
    fn new(at_once: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: at_once, waiting: Vec::new() })))
    }

    pub(crate) async fn enter(self: &Arc<Self>) -> Turn {
        let given = {
            let mut state = self.state();
            if let Some(free) = state.free.checked_sub(1) {
                state.free = free;
                return Turn(Some(Arc::clone(self)));
            }
            let (turn, given) = oneshot::channel();
            // Once for each doubling: whoever gave up is not kept for ever.
            if state.waiting.len() == state.waiting.capacity() {
                state.waiting.retain(|waiting| !waiting.is_closed());
            }
            state.waiting.push(turn);
            given
        };
        // Nobody drops a sender but by giving a turn through it.
        given.await.unwrap_or(Turn(None))
    }

    fn pass_on(self: &Arc<Self>) {
        let mut state = self.state();
        while let Some(newest) = state.waiting.pop() {
            match newest.send(Turn(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // He has given up; this turn was none.
                Err(mut turn) => turn.0 = None,
            }
        }
        state.free += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Kept for so long at most, however long its holder takes.
    pub(crate) fn for_at_most(self, longest: Duration) -> BriefTurn {
        let held = tokio::spawn(async move {
            tokio::time::sleep(longest).await;
            drop(self);
        });
        BriefTurn(held.abort_handle())
    }
}

/// Passed on when dropped, or before.
#[derive(Debug)]
pub(crate) struct BriefTurn(AbortHandle);

impl Drop for BriefTurn {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turnstile) = self.0.take() {
            turnstile.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn f14_the_newest_goes_next_and_who_gave_up_holds_nobody_up() {
        let turnstile = Turnstile::new(1);
        let first = turnstile.enter().await;
        let (came, mut order) = mpsc::channel(20);
        let mut waiting = Vec::new();
        for number in 0..20 {
            let (turnstile, came) = (Arc::clone(&turnstile), came.clone());
            let patience = Duration::from_secs(if number % 2 == 0 { 60 } else { 0 });
            waiting.push(tokio::spawn(async move {
                if let Ok(_turn) = timeout(patience, turnstile.enter()).await {
                    came.send(number).await.unwrap();
                }
            }));
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop((first, came));
        let mut served = Vec::new();
        while let Some(number) = order.recv().await {
            served.push(number);
        }
        assert_eq!(served, [18, 16, 14, 12, 10, 8, 6, 4, 2, 0]);
        // And it is free again, for one, who may not keep it for ever.
        let turn = turnstile.enter().await.for_at_most(Duration::from_secs(60));
        assert!(timeout(Duration::from_millis(20), turnstile.enter()).await.is_err());
        drop(turn);
        let enter = || timeout(Duration::from_secs(60), turnstile.enter());
        let _stalling = enter().await.expect("free").for_at_most(Duration::from_millis(20));
        enter().await.expect("free again");
        assert!(turnstile.state().waiting.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_turn_is_lost_and_none_is_given_twice_whoever_gives_up_when() {
        const AT_ONCE: usize = 3;
        let (turnstile, inside) = (Turnstile::new(AT_ONCE), Arc::new(Mutex::new(0_usize)));
        let mut all = tokio::task::JoinSet::new();
        for number in 0..3000_u64 {
            let (turnstile, inside) = (Arc::clone(&turnstile), Arc::clone(&inside));
            all.spawn(async move {
                let patience = Duration::from_micros(number * 37 % 2000);
                let Ok(_turn) = timeout(patience, turnstile.enter()).await else { return };
                let now = {
                    let mut inside = inside.lock().unwrap();
                    *inside += 1;
                    *inside
                };
                assert!(now <= AT_ONCE, "{now}");
                tokio::task::yield_now().await;
                *inside.lock().unwrap() -= 1;
            });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
        assert_eq!(turnstile.state().free, AT_ONCE);
    }
}
