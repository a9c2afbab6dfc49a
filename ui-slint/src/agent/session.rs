//! One session for the window: begun by a number, heard until it is over.
//!
//! Runs beside the window, in tokio; translates the peer's notices into [`News`] and the window's
//! effects into the peer's acts. Decides nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use tasuki_peer::core::io::{HumanAct, SessionEvent};
use tasuki_peer::programs::visit;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::run::{Front, Notice, Order};
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::trust::Trust;
use tasuki_peer::shell::verdict::Verdict;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::number::SessionNumber;
use tokio::sync::mpsc;

use super::model::Effect;
use super::news::News;

/// What a session needs.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    pub(super) number: SessionNumber,
    pub(super) failed_before: u8,
    pub(super) met_before: u32,
    pub(super) trust: Trust,
    pub(super) settings: Settings,
    pub(super) display: Option<String>,
}

/// What comes back to the window.
#[derive(Debug)]
pub(super) enum FromSession {
    /// It runs: acts go here, pictures come from there.
    Runs(mpsc::Sender<Order>, Viewer),
    News(News),
    WrongNumber(SessionNumber),
}

/// Until the session is over, or given up by dropping the other end of `told`.
pub(super) async fn run(needs: Needs, told: mpsc::Sender<FromSession>) {
    let begun = visit::begin(
        &needs.number,
        needs.failed_before,
        &needs.trust,
        &needs.settings,
        needs.display.clone(),
    );
    let (front, running) = tokio::select! {
        begun = begun => match begun {
            Ok(begun) => begun,
            Err(fault) => return tell(&told, News::Failed(fault)).await,
        },
        () = told.closed() => return,
    };
    let runs = FromSession::Runs(front.orders.clone(), front.viewer.clone());
    if told.send(runs).await.is_ok() {
        attend(front, &needs, &told).await;
    }
    let _ = running.await;
}

async fn attend(mut front: Front, needs: &Needs, told: &mpsc::Sender<FromSession>) {
    let mut verdict = Verdict::of(Role::Agent);
    loop {
        let notice = tokio::select! {
            notice = front.notices.recv() => notice,
            () = told.closed() => {
                front.act(HumanAct::End(EndReason::ProgramEnded)).await;
                return;
            }
        };
        let Some(notice) = notice else { break };
        match notice {
            Notice::Event(event) => {
                verdict.hear(&event);
                if let SessionEvent::WrongNumber { .. } = event {
                    let _ = told.send(FromSession::WrongNumber(needs.number.clone())).await;
                }
                for news in of_event(&event) {
                    tell(told, news).await;
                }
            }
            Notice::Ask(question) => {
                tell(told, News::Asked { question, met_before: needs.met_before }).await;
            }
            Notice::WithdrawQuestion => {}
            Notice::DesktopFailed(why) => verdict.desktop_failed(why),
        }
    }
    let end = verdict.end();
    tell(told, News::Over { end, fault: verdict.finish().err() }).await;
}

async fn tell(told: &mpsc::Sender<FromSession>, news: News) {
    let _ = told.send(FromSession::News(news)).await;
}

/// What of an event is seen in the window.
fn of_event(event: &SessionEvent) -> Vec<News> {
    if let SessionEvent::Consent { granted, .. } = event {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        return vec![News::Answered { granted: *granted, at }];
    }
    if let SessionEvent::PathUp { ciphers, .. } = event {
        return vec![News::Protected(super::moment::protection(ciphers)), News::Connected];
    }
    let one = match event {
        SessionEvent::PathChosen { .. } => Some(News::Connected),
        SessionEvent::Reconnecting => Some(News::Reconnecting),
        SessionEvent::InputPaused { .. } => Some(News::OwnHand(true)),
        SessionEvent::InputResumed => Some(News::OwnHand(false)),
        SessionEvent::ScreenshotTaken => Some(News::PictureKept),
        #[expect(clippy::wildcard_enum_match_arm, reason = "the window shows few of the many events")]
        _ => None,
    };
    one.into_iter().collect()
}

/// The peer's act for an effect of the window; `None` where it is no act.
pub(super) fn act(effect: &Effect) -> Option<HumanAct> {
    let act = match *effect {
        Effect::Accept { granted, shown } => HumanAct::Accept { granted, shown },
        Effect::Refuse { shown } => HumanAct::Refuse { shown },
        Effect::End => HumanAct::End(EndReason::UserEnded),
        Effect::Answer { .. }
        | Effect::TakeAway(_)
        | Effect::GiveBack(_)
        | Effect::Pause
        | Effect::Resume
        | Effect::Remember
        | Effect::Connect(_)
        | Effect::Abandon
        | Effect::Met
        | Effect::KeepPicture
        | Effect::OpenReceipt
        | Effect::SaveReceipt
        | Effect::Present
        | Effect::LookAgain
        | Effect::Close => return None,
    };
    Some(act)
}
