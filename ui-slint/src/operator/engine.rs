//! The edge of the operator's program: sessions, sign-in, files.
//!
//! Carries effects out and brings news back; decides nothing that a test of the model
//! would want to see. Each session has a task of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasuki_peer::core::io::{HumanAct, SessionEvent};
use tasuki_peer::programs::surface;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::notices::Notice;
use tasuki_peer::shell::profile::Profile;
use tasuki_peer::shell::receipt;
use tasuki_peer::shell::run::Front;
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::verdict::Verdict;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::showable::{MAX_REASON_CHARS, is_showable_reason, one_line};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::model::{Idle, Note, TabId, ToastWhat};
use super::second_look::Proof;
use super::session::Happened;
use super::standing::Standing;
use super::update::{Form, Msg, Secret};
use super::{entrance, files, password, signing};
use crate::orders::{Errand, Orders};
use crate::{last_words, upkeep};

/// Acts that may wait for a session's loop: more than hands make in a second.
const ACTS: usize = 1024;
/// News that may wait for the window.
const NEWS: usize = 4096;

/// What comes back from the tasks.
#[derive(Debug)]
pub enum News {
    Told(Box<Msg>),
    /// The picture of a session that has begun to connect.
    Picture(TabId, Viewer),
}

/// Everything that runs behind the window.
#[derive(Debug)]
pub struct Engine {
    runtime: Handle,
    settings: Arc<Settings>,
    news: Teller,
    sessions: BTreeMap<TabId, Orders<Order>>,
    /// To be waited for when the window closes.
    running: Vec<tokio::task::JoinHandle<()>>,
    standing: Standing,
}

/// Sends news and rings the window.
#[derive(Clone)]
pub struct Teller {
    news: mpsc::Sender<News>,
    ring: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teller")
    }
}

impl Teller {
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> (Self, mpsc::Receiver<News>) {
        let (news, told) = mpsc::channel(NEWS);
        (Self { news, ring: Arc::new(ring) }, told)
    }

    pub async fn tell(&self, msg: Msg) {
        self.send(News::Told(Box::new(msg))).await;
    }

    async fn session(&self, tab: TabId, happened: Happened) {
        self.tell(Msg::Session(tab, happened)).await;
    }

    async fn send(&self, news: News) {
        if self.news.send(news).await.is_ok() {
            (self.ring)();
        }
    }
}

#[derive(Debug)]
enum Order {
    Act(HumanAct),
    Report,
    Screenshot(PathBuf),
}

impl Errand for Order {
    fn of(act: HumanAct) -> Self {
        Self::Act(act)
    }

    fn act(&self) -> Option<&HumanAct> {
        match self {
            Self::Act(act) => Some(act),
            Self::Report | Self::Screenshot(_) => None,
        }
    }

    fn may_be_lost(&self) -> bool {
        matches!(self, Self::Report)
    }
}

impl Engine {
    pub fn new(runtime: Handle, settings: Settings, news: Teller) -> Self {
        Self {
            runtime,
            settings: Arc::new(settings),
            news,
            sessions: BTreeMap::new(),
            running: Vec::new(),
            standing: Standing::new(),
        }
    }

    /// The person has done something in the window.
    pub fn used(&self) {
        self.standing.used();
    }

    /// Whoever is signed in and has no session hears of it when he is so no more.
    pub fn stand(&mut self, idle: Idle) {
        match idle {
            Idle::SignedIn => self.standing.hold(&self.runtime, &self.settings, &self.news),
            Idle::No => self.standing.let_go(),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn sign_in(&self, form: Form) {
        let (settings, news) = (Arc::clone(&self.settings), self.news.clone());
        self.runtime.spawn(async move {
            let answer = signing::enter(&settings, form).await;
            news.tell(Msg::Answered(answer)).await;
        });
    }

    pub fn change_password(&self, old: &Secret, new: &Secret) {
        let (settings, news) = (Arc::clone(&self.settings), self.news.clone());
        let (old, new) = (old.0.to_string(), new.0.to_string());
        self.runtime.spawn(async move {
            let answer = surface::change_password(&settings, old, new).await;
            news.tell(Msg::Password(password::Msg::Answered(answer))).await;
        });
    }

    pub fn confirm(&self, tab: TabId, by: Proof, secret: Secret) {
        let (settings, news) = (Arc::clone(&self.settings), self.news.clone());
        self.runtime.spawn(async move {
            let answer = signing::confirm(&settings, by, &secret).await;
            news.session(tab, Happened::Confirmed(answer)).await;
        });
    }

    /// The number's request; everything else of the session follows as news.
    pub fn dial(&mut self, tab: TabId, mode: Mode, note: Note) {
        let (orders, wanted) = mpsc::channel(ACTS);
        let orders = Orders::over(orders);
        let last_words = orders.last_words();
        self.sessions.insert(tab, orders);
        let (settings, news) = (Arc::clone(&self.settings), self.news.clone());
        self.running.retain(|task| !task.is_finished());
        let task = self.runtime.spawn(async move {
            let result = hold(tab, mode, note, &settings, wanted, &news).await;
            news.session(tab, Happened::Gone(result)).await;
        });
        last_words::of(task.abort_handle(), last_words);
        self.running.push(task);
    }

    pub fn act(&self, tab: TabId, act: HumanAct) {
        self.order(tab, Order::Act(act));
    }

    pub fn ask_report(&self, tab: TabId) {
        self.order(tab, Order::Report);
    }

    /// Of this computer, beside whatever the session does.
    pub fn ask_monitors(&self, tab: TabId) {
        let news = self.news.clone();
        self.runtime.spawn(async move {
            if let Some(layout) = files::own_monitors().await {
                news.session(tab, Happened::Layout(layout)).await;
            }
        });
    }

    pub fn screenshot(&self, tab: TabId, file: PathBuf) {
        self.order(tab, Order::Screenshot(file));
    }

    fn order(&self, tab: TabId, order: Order) {
        if let Some(orders) = self.sessions.get(&tab) {
            orders.give(order, &self.runtime);
        }
    }

    /// The session ends as soon as its task sees that nobody orders any more.
    pub fn hang_up(&mut self, tab: TabId) {
        self.sessions.remove(&tab);
    }

    /// Every session ends, as long as that takes and no longer than `patience`.
    pub fn leave(&mut self, patience: Duration) {
        self.sessions.clear();
        let running = std::mem::take(&mut self.running);
        self.runtime.block_on(async move {
            let all = async {
                for task in running {
                    let _ = task.await;
                }
            };
            let _ = tokio::time::timeout(patience, all).await;
        });
    }

    /// Waited for when the window closes, as a session is.
    pub fn sign_out(&mut self) {
        self.standing.let_go();
        let (settings, news) = (Arc::clone(&self.settings), self.news.clone());
        let task = self.runtime.spawn(async move {
            match surface::sign_out(&settings).await {
                Err(fault) if !entrance::is_sign_in_over(&fault) => {
                    news.tell(Msg::Told(ToastWhat::Failed(fault))).await;
                }
                // Out there before: nothing is left to be ended.
                Ok(()) | Err(_) => {}
            }
        });
        self.running.push(task);
    }

    /// # Errors
    /// [`Fault::NotKept`].
    pub fn write(&self, name: &'static str, bytes: &[u8]) -> Result<(), Fault> {
        self.settings.profile.write(name, bytes)
    }
}

/// What the end user reads as the reason: the ticket, and why; nothing where nothing was noted. Where both have no
/// room, the ticket is cut.
fn reason(note: &Note) -> Option<String> {
    let cut = |text: &str, room: usize| {
        let cut: String = one_line(text).chars().take(room).collect();
        cut.trim_end().to_owned()
    };
    let why = cut(&note.reason, MAX_REASON_CHARS);
    let between = usize::from(!why.is_empty());
    let ticket = cut(&note.ticket, MAX_REASON_CHARS.saturating_sub(why.chars().count() + between));
    let parts = [ticket, why].into_iter().filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join(" ");
    Some(text).filter(|text| is_showable_reason(text))
}

/// From the number to the end.
async fn hold(
    tab: TabId,
    mode: Mode,
    note: Note,
    settings: &Settings,
    mut wanted: mpsc::Receiver<Order>,
    news: &Teller,
) -> Result<(), Fault> {
    if mode.host() == Role::Operator {
        upkeep::own_display()?;
    }
    let begun = tokio::select! {
        begun = surface::begin(mode, reason(&note), settings) => begun,
        () = hung_up(&mut wanted) => Err(Fault::Interrupted),
    };
    let (mut front, running) = begun?;
    if !note.customer.is_empty() {
        front.customer(note.customer).await;
    }
    news.send(News::Picture(tab, front.viewer.clone())).await;
    let profile = &settings.profile;
    let mut verdict = Verdict::of(Role::Operator);
    let mut reported = Instant::now();
    loop {
        tokio::select! {
            notice = front.notices.recv() => match notice {
                Some(notice) => heard(tab, notice, &mut verdict, news, profile).await,
                None => break,
            },
            order = wanted.recv() => match order {
                Some(order) => carry_out(tab, order, &front, &mut reported, news).await,
                None => {
                    front.act(HumanAct::End(EndReason::OperatorEnded)).await;
                    while let Some(notice) = front.notices.recv().await {
                        heard(tab, notice, &mut verdict, news, profile).await;
                    }
                    break;
                }
            },
        }
    }
    let _ = running.await;
    verdict.finish()
}

async fn hung_up(wanted: &mut mpsc::Receiver<Order>) {
    while wanted.recv().await.is_some() {}
}

async fn heard(tab: TabId, notice: Notice, verdict: &mut Verdict, news: &Teller, profile: &Profile) {
    match notice {
        Notice::Event(event) => {
            verdict.hear(&event);
            let shows = matches!(&event, SessionEvent::Consent { mode, granted }
                if mode.host() == Role::Operator && *granted != Rights::NONE);
            news.session(tab, Happened::Event(event)).await;
            if shows && let Some(layout) = files::own_monitors().await {
                news.session(tab, Happened::Layout(layout)).await;
            }
        }
        // The session is over with it: its end tells why.
        Notice::DesktopFailed(why) => verdict.desktop_failed(why),
        Notice::AskPerson(question) => news.session(tab, Happened::Asked(question)).await,
        Notice::WithdrawPersonQuestion(what) => {
            news.session(tab, Happened::QuestionOver(what)).await;
        }
        Notice::Receipt(envelope) => {
            news.session(tab, Happened::Receipt(receipt::keep(profile, &envelope))).await;
        }
        // Before a session an operator's end is asked nothing.
        Notice::Ask(_) | Notice::WithdrawQuestion => {}
    }
}

async fn carry_out(tab: TabId, order: Order, front: &Front, reported: &mut Instant, news: &Teller) {
    match order {
        Order::Act(act) => front.act(act).await,
        Order::Report => {
            let Some(report) = front.report().await else { return };
            let seconds = reported.elapsed().as_secs_f64();
            *reported = Instant::now();
            news.session(tab, Happened::Report(Box::new(report), seconds)).await;
        }
        // However slow the folder is, the session goes on hearing its person.
        Order::Screenshot(file) => {
            let (viewer, orders, news) = (front.viewer.clone(), front.orders.clone(), news.clone());
            tokio::spawn(async move {
                if let Some(happened) = files::keep_picture(orders, viewer, file).await {
                    news.session(tab, happened).await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ticket: &str, why: &str) -> Option<String> {
        let (ticket, reason) = (ticket.to_owned(), why.to_owned());
        super::reason(&Note { customer: String::new(), ticket, reason })
    }

    #[test]
    fn s97_a_receipt_that_cannot_be_kept_is_told_to_the_window() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(&folder.path().join("file"));
        std::fs::write(&profile.state, "no folder").unwrap();
        let (teller, mut told) = Teller::new(|| {});
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (notice, mut verdict) = (Notice::Receipt(Vec::new()), Verdict::of(Role::Operator));
        runtime.block_on(heard(TabId(7), notice, &mut verdict, &teller, &profile));
        let Ok(News::Told(msg)) = told.try_recv() else { panic!("nothing is told") };
        assert!(matches!(*msg, Msg::Session(TabId(7), Happened::Receipt(Err(_)))), "{msg:?}");
    }

    #[test]
    fn s69_what_was_given_as_the_reason_is_what_the_person_reads() {
        assert_eq!(told("", ""), None);
        assert_eq!(
            told(" #4410 ", " printer\u{200B} is\ndead "),
            Some("#4410 printer is dead".to_owned())
        );
        let long = told(&"7".repeat(130), "printer").expect("it is told");
        assert!(long.ends_with("7 printer") && long.chars().count() == MAX_REASON_CHARS, "{long}");
        let both = told("#4410", &"あ".repeat(130)).expect("it is told");
        assert_eq!(both, "あ".repeat(MAX_REASON_CHARS), "the reason is what the policy wants");
        assert_eq!(told("#4410", "\u{202E}\u{200B}"), Some("#4410".to_owned()));
    }
}
