//! What a window orders of a session, and what gives way where the session takes nothing.
//!
//! Decides that no end is lost and no key stays down: a key or button that finds no room is dropped, and the host
//! is told to let go of everything in its place (S31, T50); of motions the newest waits. What a person orders
//! beside that keeps its order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasuki_peer::core::io::HumanAct;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::EndReason;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::TrySendError};

/// What a person orders beside input, and may wait where there is no room.
const LATE: usize = 64;

/// An order that may hold what a person did.
pub(crate) trait Errand: Send + 'static {
    fn of(act: HumanAct) -> Self;
    fn act(&self) -> Option<&HumanAct>;
    /// Whether nobody misses it.
    fn may_be_lost(&self) -> bool;
}

impl Errand for tasuki_peer::shell::run::Order {
    fn of(act: HumanAct) -> Self {
        Self::Act(act)
    }

    fn act(&self) -> Option<&HumanAct> {
        match self {
            Self::Act(act) => Some(act),
            Self::Customer(_) | Self::Report(_) | Self::KeepPicture(_) | Self::PictureKept(_) => None,
        }
    }

    fn may_be_lost(&self) -> bool {
        matches!(self, Self::Report(_))
    }
}

/// Whoever holds this holds the session.
#[derive(Debug)]
pub(crate) struct Orders<O> {
    orders: mpsc::Sender<O>,
    late: Arc<Mutex<Late<O>>>,
}

/// What found no room and must not be lost, in its order.
#[derive(Debug)]
struct Late<O> {
    waiting: VecDeque<O>,
    courier: Courier,
}

#[derive(Debug, PartialEq, Eq)]
enum Courier {
    Rests,
    IsUnderWay,
}

impl<O: Errand> Orders<O> {
    pub(crate) fn over(orders: mpsc::Sender<O>) -> Self {
        let late = Late { waiting: VecDeque::new(), courier: Courier::Rests };
        Self { orders, late: Arc::new(Mutex::new(late)) }
    }

    /// Without waiting.
    pub(crate) fn give(&self, order: O, runtime: &Handle) {
        let mut late = lock(&self.late);
        let order = match late.courier {
            Courier::IsUnderWay => order,
            Courier::Rests => match self.orders.try_send(order) {
                Err(TrySendError::Full(order)) => order,
                Ok(()) | Err(TrySendError::Closed(_)) => return,
            },
        };
        late.take(order);
        if late.waiting.is_empty() || late.courier == Courier::IsUnderWay {
            return;
        }
        late.courier = Courier::IsUnderWay;
        runtime.spawn(carry(self.orders.clone(), Arc::clone(&self.late)));
    }

    /// For what waits for its answer beside the window.
    pub(crate) fn way(&self) -> mpsc::Sender<O> {
        self.orders.clone()
    }

    /// Says the end even when the display takes this program along; does not hold the session.
    pub(crate) fn last_words(&self) -> impl FnOnce() + Send + 'static {
        let orders = self.orders.downgrade();
        move || {
            let Some(orders) = orders.upgrade() else { return };
            let end = O::of(HumanAct::End(EndReason::ProgramEnded));
            // Beside the thread that waits for the session, whose orders may have no room for a moment.
            drop(std::thread::Builder::new().spawn(move || orders.blocking_send(end)));
        }
    }
}

impl<O: Errand> Late<O> {
    fn take(&mut self, order: O) {
        let has_room = self.waiting.len() < LATE;
        match order.act() {
            Some(HumanAct::Operate(InputEvent::PointerMove { .. })) => {
                if self.waiting.back().is_some_and(is_motion) {
                    self.waiting.pop_back();
                } else if !has_room {
                    return;
                }
                self.waiting.push_back(order);
            }
            Some(HumanAct::Operate(InputEvent::Wheel { .. })) => {}
            Some(HumanAct::Operate(
                InputEvent::Button { .. }
                | InputEvent::Key { .. }
                | InputEvent::Text(_)
                | InputEvent::ReleaseAll,
            )) => {
                if !self.waiting.iter().any(lets_go) {
                    self.waiting.push_back(O::of(HumanAct::Operate(InputEvent::ReleaseAll)));
                }
            }
            Some(HumanAct::End(_)) => self.waiting.push_back(order),
            Some(_) | None if order.may_be_lost() => {}
            Some(_) | None if has_room => self.waiting.push_back(order),
            Some(_) | None => {
                tracing::warn!("an act was dropped: the session's loop does not take them");
            }
        }
    }
}

fn is_motion<O: Errand>(order: &O) -> bool {
    matches!(order.act(), Some(HumanAct::Operate(InputEvent::PointerMove { .. })))
}

fn lets_go<O: Errand>(order: &O) -> bool {
    matches!(order.act(), Some(HumanAct::Operate(InputEvent::ReleaseAll)))
}

async fn carry<O>(orders: mpsc::Sender<O>, late: Arc<Mutex<Late<O>>>) {
    while let Ok(room) = orders.reserve().await {
        let mut late = lock(&late);
        let Some(next) = late.waiting.pop_front() else {
            late.courier = Courier::Rests;
            return;
        };
        room.send(next);
    }
}

fn lock<O>(late: &Mutex<Late<O>>) -> MutexGuard<'_, Late<O>> {
    late.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_peer::shell::run::Order;
    use tasuki_protocol::input::{KeyAction, PhysicalKey};
    use tasuki_protocol::screen::MonitorId;

    const ROOM: usize = 1024;

    fn key(action: KeyAction) -> Order {
        Order::Act(HumanAct::Operate(InputEvent::Key { key: PhysicalKey::LEFT_CONTROL, action }))
    }

    fn motion(x: u16) -> InputEvent {
        InputEvent::PointerMove { monitor: MonitorId(0), x, y: 0 }
    }

    fn end() -> HumanAct {
        HumanAct::End(EndReason::OperatorEnded)
    }

    fn fill(orders: &Orders<Order>) {
        while orders.orders.try_send(Order::Customer(String::new())).is_ok() {}
    }

    fn full() -> (Orders<Order>, mpsc::Receiver<Order>) {
        let (orders, wanted) = mpsc::channel(ROOM);
        let orders = Orders::over(orders);
        fill(&orders);
        (orders, wanted)
    }

    fn act_of(order: Order) -> Option<HumanAct> {
        match order {
            Order::Act(act) => Some(act),
            Order::Customer(_) | Order::Report(_) | Order::KeepPicture(_) | Order::PictureKept(_) => {
                None
            }
        }
    }

    /// What is there once everything that waits has found its place.
    async fn heard(orders: Orders<Order>, mut wanted: mpsc::Receiver<Order>) -> Vec<HumanAct> {
        drop(orders);
        let mut all = Vec::new();
        while let Some(order) = wanted.recv().await {
            all.extend(act_of(order));
        }
        all
    }

    #[tokio::test]
    async fn s31_t50_a_session_that_takes_no_orders_still_hears_the_end_and_that_all_keys_are_up() {
        let ((orders, wanted), runtime) = (full(), Handle::current());
        for x in 0..5000 {
            orders.give(key(KeyAction::Press), &runtime);
            orders.give(Order::Act(HumanAct::Operate(motion(x))), &runtime);
            orders.give(key(KeyAction::Release), &runtime);
        }
        orders.give(Order::Act(end()), &runtime);
        let let_go = HumanAct::Operate(InputEvent::ReleaseAll);
        let newest = HumanAct::Operate(motion(4999));
        assert_eq!(heard(orders, wanted).await, [let_go, newest, end()]);
    }

    #[tokio::test]
    async fn t50_keys_are_let_go_of_again_each_time_that_input_is_lost() {
        let ((orders, mut wanted), runtime) = (full(), Handle::current());
        for round in 0..3 {
            fill(&orders);
            orders.give(key(KeyAction::Press), &runtime);
            orders.give(key(KeyAction::Press), &runtime);
            let mut let_go = 0;
            while lock(&orders.late).courier == Courier::IsUnderWay {
                while let Ok(order) = wanted.try_recv() {
                    let_go += usize::from(act_of(order).is_some());
                }
                tokio::task::yield_now().await;
            }
            while let Ok(order) = wanted.try_recv() {
                let_go += usize::from(act_of(order).is_some());
            }
            assert_eq!(let_go, 1, "{round}");
        }
    }

    #[tokio::test]
    async fn t33_what_a_person_orders_beside_input_waits_in_its_order_and_is_bounded() {
        let ((orders, wanted), runtime) = (full(), Handle::current());
        for _ in 0..500 {
            orders.give(Order::Act(HumanAct::Pause), &runtime);
            orders.give(Order::Act(HumanAct::Resume), &runtime);
        }
        orders.give(Order::Act(end()), &runtime);
        let all = heard(orders, wanted).await;
        assert_eq!((all.len(), all.last()), (LATE + 1, Some(&end())), "the end comes all the same");
        for (at, act) in all[..LATE].iter().enumerate() {
            assert_eq!(*act, if at % 2 == 0 { HumanAct::Pause } else { HumanAct::Resume }, "{at}");
        }
    }
}
