//! Whether the sign-in still stands, told without a press: by a connection that is held while nothing else is.
//!
//! Decides for how long. A window at which nobody does anything holds none after a while, so that a sign-in that is not
//! used ends when the server ends it.

use std::sync::Arc;
use std::time::Duration;

use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::standing;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::engine::Teller;
use super::update::Msg;

/// After the last thing that the person did in the window.
const HELD: Duration = Duration::from_secs(10 * 60);

/// The connection, while it is held.
#[derive(Debug)]
pub(super) struct Standing {
    task: Option<JoinHandle<()>>,
    used: watch::Sender<Instant>,
}

impl Standing {
    pub(super) fn new() -> Self {
        Self { task: None, used: watch::Sender::new(Instant::now()) }
    }

    /// The person has done something here.
    pub(super) fn used(&self) {
        self.used.send_replace(Instant::now());
    }

    pub(super) fn hold(&mut self, runtime: &Handle, settings: &Arc<Settings>, news: &Teller) {
        let is_held = self.task.as_ref().is_some_and(|task| !task.is_finished());
        if is_held || self.used.borrow().elapsed() > HELD {
            return;
        }
        let (settings, news, used) = (Arc::clone(settings), news.clone(), self.used.subscribe());
        self.task = Some(runtime.spawn(async move {
            let (tell, mut words) = mpsc::channel(1);
            let hear = async {
                while let Some(word) = words.recv().await {
                    news.tell(Msg::SignInStands(word)).await;
                }
            };
            tokio::select! {
                ((), ()) = async { tokio::join!(standing::watch(&settings, tell), hear) } => {}
                () = unused(used, HELD) => {}
            }
        }));
    }

    pub(super) fn let_go(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// Until nothing was done for so long.
async fn unused(used: watch::Receiver<Instant>, held: Duration) {
    loop {
        let until = *used.borrow() + held;
        if until <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t55_a_connection_is_held_for_as_long_as_somebody_does_something_and_a_while_longer() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (a_while, long) = (Duration::from_millis(20), Duration::from_secs(3600));
            let used = watch::Sender::new(Instant::now());
            unused(used.subscribe(), a_while).await;
            let soon = tokio::time::timeout(4 * a_while, unused(used.subscribe(), long)).await;
            assert!(soon.is_err(), "somebody was here a moment ago");
            used.send_replace(Instant::now());
            let waits = unused(used.subscribe(), a_while);
            let does_something = async {
                used.send_replace(Instant::now() + long);
                std::future::pending::<()>().await;
            };
            let either = async {
                tokio::select! {
                    biased;
                    () = waits => {}
                    () = does_something => {}
                }
            };
            let soon = tokio::time::timeout(4 * a_while, either).await;
            assert!(soon.is_err(), "and has done something meanwhile");
        });
    }
}
