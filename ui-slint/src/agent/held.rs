//! The session that runs or is being made, as the window holds it.
//!
//! Decides that its end is said once. Knows nothing of what is shown.

use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::run::Order;
use tasuki_protocol::message::EndReason;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::last_words;
use crate::orders::Orders;

/// Dropping it ends it.
pub(super) struct Held {
    orders: Option<Orders<Order>>,
    pub(super) viewer: Option<Viewer>,
    /// Its end, or the refusal, is said already: a second one would cut the farewell short, and with it the
    /// other end's signature under the receipt.
    is_ending: bool,
    listening: Option<slint::JoinHandle<()>>,
    task: Option<JoinHandle<()>>,
}

impl Held {
    pub(super) fn new(listening: Option<slint::JoinHandle<()>>, task: JoinHandle<()>) -> Self {
        Self { orders: None, viewer: None, is_ending: false, listening, task: Some(task) }
    }

    /// It has come about: acts go here, pictures come from there.
    pub(super) fn runs(&mut self, orders: mpsc::Sender<Order>, viewer: Viewer) {
        let orders = Orders::over(orders);
        // The operator is told even when the display takes this program along.
        if let Some(task) = &self.task {
            last_words::of(task.abort_handle(), orders.last_words());
        }
        self.orders = Some(orders);
        self.viewer = Some(viewer);
    }

    pub(super) fn act(&mut self, act: HumanAct, runtime: &Handle) {
        let Some(orders) = &self.orders else { return };
        let ends = matches!(act, HumanAct::End(_) | HumanAct::Refuse { .. });
        if ends && std::mem::replace(&mut self.is_ending, true) {
            return;
        }
        orders.give(Order::Act(act), runtime);
    }

    /// Of the other side's screen.
    pub(super) fn to_keep_pictures(&self) -> Option<(mpsc::Sender<Order>, Viewer)> {
        Some((self.orders.as_ref()?.way(), self.viewer.clone()?))
    }

    /// Nothing of it goes on: neither the way to the number, nor a session that was just found.
    pub(super) fn give_up(mut self, runtime: &Handle) {
        self.act(HumanAct::End(EndReason::UserEnded), runtime);
        if let (None, Some(task)) = (&self.orders, self.task.take()) {
            task.abort();
        }
    }

    /// What is waited for when the window closes.
    pub(super) fn into_task(mut self) -> Option<JoinHandle<()>> {
        self.task.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::ids::Digest;

    #[tokio::test]
    async fn s97_an_end_is_said_once_so_that_both_ends_sign_the_receipt() {
        let runtime = Handle::current();
        for first in [HumanAct::End(EndReason::UserEnded), HumanAct::Refuse { shown: Digest([0; 32]) }]
        {
            let (orders, mut given) = mpsc::channel(4);
            let mut held = Held::new(None, runtime.spawn(std::future::pending()));
            held.orders = Some(Orders::over(orders));
            held.act(HumanAct::Pause, &runtime);
            held.act(first, &runtime);
            held.act(HumanAct::End(EndReason::UserEnded), &runtime);
            drop(held);
            let mut count = 0;
            while given.recv().await.is_some() {
                count += 1;
            }
            assert_eq!(count, 2, "a pause and one end");
        }
    }

    #[tokio::test]
    async fn what_is_given_up_on_its_way_to_the_number_does_not_go_on() {
        let runtime = Handle::current();
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        let task = runtime.spawn(async move {
            let _alive = alive;
            std::future::pending().await
        });
        Held::new(None, task).give_up(&runtime);
        assert!(gone.await.is_err());
    }
}
