//! One session for the window: begun by a number, heard until it is over.
//!
//! Runs beside the window, in tokio; translates the peer's notices into [`News`] and the window's
//! effects into the peer's acts. Decides nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use tasuki_media::desktop::TELLS_HANDS;
use tasuki_peer::core::io::{HumanAct, PersonQuestionKind, Question, Reply, SessionEvent};
use tasuki_peer::programs::visit;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::notices::Notice;
use tasuki_peer::shell::receipt;
use tasuki_peer::shell::run::{Front, Order};
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::trust::Trust;
use tasuki_peer::shell::verdict::Verdict;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::Capability;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::live::QuestionKind;
use super::model::Effect;
use super::news::News;

/// What a session needs.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    pub(super) number: SessionNumber,
    pub(super) failed_before: u8,
    pub(super) met_before: u32,
    pub(super) settings: Settings,
    /// The display that can be shown, or why there is none.
    pub(super) display: Result<String, Fault>,
}

impl Needs {
    /// Why this computer cannot be shown, where it would be.
    fn why_not(&self, question: &Question) -> Option<Fault> {
        let hosts = question.manifest.mode.host() == Role::Agent;
        self.display.as_ref().err().filter(|_| hosts).cloned()
    }
}

/// What comes back to the window.
#[derive(Debug)]
pub(super) enum FromSession {
    /// What this computer trusts now, before anybody is asked anything.
    Trusts(Box<Trust>),
    /// It runs: acts go here, pictures come from there.
    Runs(mpsc::Sender<Order>, Viewer),
    News(News),
    WrongNumber(SessionNumber),
}

/// Until the session is over, or given up by dropping the other end of `told`.
pub(super) async fn run(needs: Needs, told: mpsc::Sender<FromSession>) {
    // Before a number is spent on a question that nobody could answer.
    if !TELLS_HANDS {
        return tell(&told, News::Failed(Fault::HandsUntold)).await;
    }
    let (front, running) = tokio::select! {
        begun = begin(&needs, &told) => match begun {
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

/// With the keys and the revoked devices of now: those of the program's start may be of long ago.
async fn begin(
    needs: &Needs,
    told: &mpsc::Sender<FromSession>,
) -> Result<(Front, JoinHandle<()>), Fault> {
    let Needs { number, failed_before, settings, display, .. } = needs;
    let trust = Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies);
    let trust = trust.await?;
    let _ = told.send(FromSession::Trusts(Box::new(trust.clone()))).await;
    visit::begin(number, *failed_before, &trust, settings, display.clone().ok()).await
}

async fn attend(mut front: Front, needs: &Needs, told: &mpsc::Sender<FromSession>) {
    let mut verdict = Some(Verdict::of(Role::Agent));
    let mut unshowable = None;
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
                if let Some(verdict) = &mut verdict {
                    verdict.hear(&event);
                }
                if let SessionEvent::WrongNumber { .. } = event {
                    let _ = told.send(FromSession::WrongNumber(needs.number.clone())).await;
                }
                for news in of_event(&event) {
                    tell(told, news).await;
                }
                // Said at once; the receipt and the farewell come after.
                if let SessionEvent::Ended { .. } = event {
                    conclude(verdict.take(), unshowable.take(), told).await;
                }
            }
            Notice::Ask(question) => {
                unshowable = needs.why_not(&question);
                if unshowable.is_some() {
                    // Nobody is asked for what cannot be.
                    front.act(HumanAct::Refuse { shown: Digest([0; 32]) }).await;
                } else {
                    tell(told, News::Asked { question, met_before: needs.met_before }).await;
                }
            }
            Notice::WithdrawQuestion => {}
            Notice::AskPerson(question) => {
                let kind = match question.kind {
                    PersonQuestionKind::Continue => QuestionKind::Continue,
                    PersonQuestionKind::MoreRights { rights, for_seconds } => {
                        QuestionKind::MoreRights { rights, for_seconds }
                    }
                };
                let (seconds, inert_ms) = (question.seconds, question.inert_ms);
                tell(told, News::AskedMore { kind, seconds, inert_ms }).await;
            }
            Notice::WithdrawPersonQuestion(_) => tell(told, News::AskedMoreOver).await,
            Notice::DesktopFailed(why) => {
                if let Some(verdict) = &mut verdict {
                    verdict.desktop_failed(why);
                }
            }
            Notice::Receipt(envelope) => {
                let kept = receipt::keep(&needs.settings.profile, &envelope);
                tell(told, News::Receipt(kept)).await;
            }
        }
    }
    conclude(verdict, unshowable, told).await;
}

async fn conclude(
    verdict: Option<Verdict>,
    unshowable: Option<Fault>,
    told: &mpsc::Sender<FromSession>,
) {
    let Some(verdict) = verdict else { return };
    let end = verdict.end();
    tell(told, News::Over { end, fault: unshowable.or(verdict.finish().err()) }).await;
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

async fn tell(told: &mpsc::Sender<FromSession>, news: News) {
    let _ = told.send(FromSession::News(news)).await;
}

/// What of an event is seen in the window.
fn of_event(event: &SessionEvent) -> Vec<News> {
    if let SessionEvent::Consent { granted, .. } = event {
        return vec![News::Answered { granted: *granted, at: unix_seconds() }];
    }
    if let SessionEvent::RightsChanged { change, rights, seconds, effective } = event {
        let mut news = Vec::new();
        if *change == tasuki_protocol::grant::Change::Granted {
            news.push(News::Allowed { rights: *rights, seconds: Some(*seconds) });
        }
        news.push(News::Effective(*effective));
        return news;
    }
    if let SessionEvent::RightsEnded { effective, .. } = event {
        return vec![News::Effective(*effective)];
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the window shows few of the many events")]
    let one = match event {
        SessionEvent::Chat { line } => Some(News::Wrote(line.clone())),
        SessionEvent::PathUp { path, ciphers, .. } => {
            Some(News::PathUp { path: *path, ciphers: super::moment::protection(ciphers) })
        }
        SessionEvent::PathChosen { path } => Some(News::PathChosen(*path)),
        SessionEvent::Refused { wanted: Capability::Chat } => Some(News::NotSent),
        SessionEvent::Reconnecting => Some(News::Reconnecting),
        SessionEvent::InputPaused { .. } => Some(News::OwnHand(true)),
        SessionEvent::InputResumed => Some(News::OwnHand(false)),
        SessionEvent::PicturePaused => Some(News::Paused(true)),
        SessionEvent::PictureResumed => Some(News::Paused(false)),
        SessionEvent::ScreenshotTaken => Some(News::PictureKept),
        _ => None,
    };
    one.into_iter().collect()
}

/// The peer's act for an effect of the window; `None` where it is no act.
pub(super) fn act(effect: &Effect) -> Option<HumanAct> {
    let act = match *effect {
        Effect::Accept { granted, shown } => HumanAct::Accept { granted, shown },
        Effect::Refuse { shown } => HumanAct::Refuse { shown },
        Effect::Answer { kind, yes, shown } => HumanAct::Answer {
            what: match kind {
                QuestionKind::MoreRights { .. } => Asked::MoreRights,
                QuestionKind::Continue => Asked::Continue,
            },
            reply: if yes { Reply::Yes } else { Reply::No },
            shown,
        },
        Effect::TakeAway(rights) => HumanAct::TakeAway(rights),
        Effect::GiveBack(rights) => HumanAct::GiveBack(rights),
        Effect::Pause => HumanAct::Pause,
        Effect::Resume => HumanAct::Resume,
        Effect::Write(ref line) => HumanAct::Chat(line.clone()),
        Effect::End => HumanAct::End(EndReason::UserEnded),
        Effect::Remember
        | Effect::Connect(_)
        | Effect::Abandon
        | Effect::Met
        | Effect::KeepPicture
        | Effect::OpenReceipt
        | Effect::SaveReceipt
        | Effect::Present
        | Effect::Attend
        | Effect::LookAgain
        | Effect::Checkup(_)
        | Effect::Close => return None,
    };
    Some(act)
}
