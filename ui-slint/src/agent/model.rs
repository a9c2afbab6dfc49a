//! What the end user's window shows and how it changes: `update(model, message) -> effects`.
//!
//! Knows no toolkit, no clock and no session: times are handed in, effects are carried out by
//! the program, and what comes of them returns as a message.

use std::time::Instant;

use jiff::tz::TimeZone;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::{Capability, Rights};

use super::asking::Asking;
use super::ended::Ended;
use super::entry::{Entry, Typed};
use super::live::{Live, Open, QuestionKind};
use super::looking::Looked;
use super::news::News;
use crate::checkup::{self, Checkup};
use crate::look::{Shade, other};

/// Everything that can be seen.
#[derive(Debug, Clone)]
pub struct Model {
    pub lang: Lang,
    pub shade: Shade,
    pub organisation: String,
    pub about: bool,
    /// Of the way to the server, when the person asked for one.
    pub checkup: Option<Checkup>,
    /// A file was saved, a setting was damaged: said once, gone by itself.
    pub notice: Option<Said>,
    /// Whether a tray took the icon; without one the window alone offers the end.
    pub tray: bool,
    /// In which moments are shown.
    pub zone: TimeZone,
    pub page: Page,
}

#[derive(Debug, Clone)]
pub enum Page {
    /// Nothing can be done before this is mended.
    Trouble(Fault),
    Number(NumberPage),
    /// With the number as it was typed, so that nobody types it twice.
    Connecting(Entry),
    Asking(Box<Asking>),
    Live(Box<Live>),
    Ended(Box<Ended>),
}

#[derive(Debug, Clone, Default)]
pub struct NumberPage {
    pub entry: Entry,
    /// What hindered the last try, beside the number itself.
    pub trouble: Option<Fault>,
}

/// What is told in passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The settings could not be read and lie aside under this name.
    SettingsAside(String),
    Saved(String),
    Fault(Fault),
    /// What a link carried is no session number.
    BadLink,
    /// A second press that no hand did; it had no effect (T2).
    NotByHand,
    PictureKept,
    /// What the operator has written.
    Wrote(String),
    /// What the person wrote did not go out.
    NotSent,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Msg {
    LanguageSwitched,
    ShadeChosen(Shade),
    AboutShown(bool),
    Checkup(checkup::Msg),
    NoticeGone,
    NumberEdited(Typed),
    /// A link was opened; `None` when it holds no number.
    Linked(Option<SessionNumber>),
    /// The program was started once more: the window comes to the front.
    Presented,
    ConnectPressed,
    CancelPressed,
    TryAgainPressed,
    ClosePressed,
    NoticeRead,
    Granted(Capability, bool),
    /// By a hand at this computer, and with this text before it (T2, T10).
    AcceptPressed {
        shown: Digest,
    },
    RefusePressed {
        shown: Digest,
    },
    /// Pressed by something that is no hand at this computer.
    NotByHand,
    AnswerPressed {
        yes: bool,
        shown: Digest,
    },
    Taken(Capability, bool),
    /// Whether the picture is to be held, and by which button.
    PausePressed(bool, Spot),
    Opened(Open),
    /// At the operator's screen.
    Looked(Looked),
    /// A line to the operator.
    Written(String),
    EndPressed,
    KeepPicturePressed,
    ReceiptOpened,
    ReceiptSaved,
    AnotherPressed,
    /// Of the session that runs.
    News(Box<News>),
    Told(Said),
    TrayThere(bool),
    /// A moment has passed.
    Tick,
}

/// Where a button stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Page,
    Bar,
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Language and colours, for the next start.
    Remember,
    Connect(SessionNumber),
    Accept {
        granted: Rights,
        shown: Digest,
    },
    Refuse {
        shown: Digest,
    },
    Answer {
        kind: QuestionKind,
        yes: bool,
        shown: Digest,
    },
    /// The operator may do this no longer.
    TakeAway(Rights),
    /// What was taken away stands again.
    GiveBack(Rights),
    Pause,
    Resume,
    /// This line to the operator.
    Write(String),
    /// Local first: nothing of this waits for a network (S31).
    End,
    /// The session that is being made is given up.
    Abandon,
    /// This organisation was met once more.
    Met,
    KeepPicture,
    OpenReceipt,
    SaveReceipt,
    /// The window comes to the front: a question waits.
    Present,
    /// The window asks to be looked at, where it stands: the keys stay where they are.
    Attend,
    LookAgain,
    Checkup(checkup::Effect),
    Close,
}

impl Model {
    pub fn new(lang: Lang, shade: Shade, organisation: &str) -> Self {
        Self {
            lang,
            shade,
            organisation: organisation.to_owned(),
            about: false,
            checkup: None,
            notice: None,
            tray: false,
            zone: TimeZone::UTC,
            page: Page::Number(NumberPage::default()),
        }
    }

    /// Whether anything on the screen counts seconds; nothing runs when nothing changes.
    pub fn counts(&self) -> bool {
        matches!(self.page, Page::Asking(_) | Page::Live(_))
    }

    /// Whether something waits for the person's yes or no.
    fn asks(&self) -> bool {
        match &self.page {
            Page::Asking(_) => true,
            Page::Live(live) => live.question.is_some(),
            Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => false,
        }
    }

    /// What is told in passing now. Nothing of it stands over a question but why a press had no effect.
    pub fn told(&self) -> Option<&Said> {
        self.notice.as_ref().filter(|said| !self.asks() || **said == Said::NotByHand)
    }

    #[must_use]
    pub fn update(&mut self, msg: Msg, now: Instant) -> Vec<Effect> {
        match msg {
            Msg::LanguageSwitched => {
                self.lang = other(self.lang);
                vec![Effect::Remember]
            }
            Msg::ShadeChosen(shade) => {
                self.shade = shade;
                vec![Effect::Remember]
            }
            Msg::AboutShown(shown) => {
                self.about = shown && !self.asks();
                Vec::new()
            }
            Msg::Checkup(msg) => {
                checkup::update(&mut self.checkup, msg).map(Effect::Checkup).into_iter().collect()
            }
            Msg::NoticeGone => {
                self.notice = None;
                Vec::new()
            }
            Msg::Told(said) => {
                self.notice = Some(said);
                Vec::new()
            }
            Msg::NotByHand => self.not_by_hand(now),
            Msg::TrayThere(there) => {
                self.tray = there;
                Vec::new()
            }
            Msg::Tick => self.comes_round(now),
            Msg::Presented => vec![Effect::Present],
            Msg::NumberEdited(typed) => self.typed(&typed),
            Msg::Linked(number) => self.linked(number),
            Msg::ConnectPressed => self.connect(),
            Msg::News(news) => {
                let effects = self.hear(*news, now);
                // What stands over a question would hide what its keys press.
                self.about &= !self.asks();
                effects
            }
            Msg::TryAgainPressed => vec![Effect::LookAgain],
            Msg::ClosePressed => self.close(),
            Msg::AnotherPressed => self.start_over(),
            Msg::ReceiptOpened => vec![Effect::OpenReceipt],
            Msg::ReceiptSaved => vec![Effect::SaveReceipt],
            Msg::CancelPressed
            | Msg::NoticeRead
            | Msg::Granted(..)
            | Msg::AcceptPressed { .. }
            | Msg::RefusePressed { .. }
            | Msg::AnswerPressed { .. }
            | Msg::Taken(..)
            | Msg::PausePressed(..)
            | Msg::Opened(_)
            | Msg::Looked(_)
            | Msg::Written(_)
            | Msg::KeepPicturePressed
            | Msg::EndPressed => self.pressed(msg, now),
        }
    }

    /// What the pages of a session offer.
    fn pressed(&mut self, msg: Msg, now: Instant) -> Vec<Effect> {
        match &mut self.page {
            Page::Connecting(entry) if matches!(msg, Msg::CancelPressed | Msg::EndPressed) => {
                let entry = std::mem::take(entry);
                self.page = Page::Number(NumberPage { entry, trouble: None });
                vec![Effect::Abandon]
            }
            Page::Asking(asking) => asking.pressed(&msg, now),
            Page::Live(live) => {
                // What is read on the page is told no longer.
                if matches!((&msg, &self.notice), (Msg::Opened(Open::Talk), Some(Said::Wrote(_)))) {
                    self.notice = None;
                }
                live.pressed(&msg, now)
            }
            Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => Vec::new(),
        }
    }

    fn typed(&mut self, typed: &Typed) -> Vec<Effect> {
        if let Page::Number(page) = &mut self.page {
            page.entry.take(typed);
            page.trouble = None;
        }
        Vec::new()
    }

    /// A link fills the number in and does nothing else: the person still presses Connect. While a
    /// session lives or a question stands it changes nothing (T70).
    fn linked(&mut self, number: Option<SessionNumber>) -> Vec<Effect> {
        if let Page::Ended(_) = self.page {
            self.page = Page::Number(NumberPage::default());
        }
        match (&mut self.page, number) {
            (Page::Number(page), Some(number)) => {
                page.entry.edit(&number.to_string());
                page.trouble = None;
            }
            (_, None) => self.notice = Some(Said::BadLink),
            (_, Some(_)) => {}
        }
        vec![Effect::Present]
    }

    fn connect(&mut self) -> Vec<Effect> {
        let Page::Number(page) = &mut self.page else { return Vec::new() };
        let Some(number) = page.entry.accept() else { return Vec::new() };
        self.page = Page::Connecting(std::mem::take(&mut page.entry));
        vec![Effect::Connect(number)]
    }

    fn comes_round(&mut self, now: Instant) -> Vec<Effect> {
        match &mut self.page {
            Page::Asking(asking) => asking.comes_round(now),
            Page::Live(live) => live.comes_round(now),
            Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => {}
        }
        Vec::new()
    }

    /// Whether what leads on counted when it was pressed: a slow window hears of it later, when its button sleeps no
    /// more, or the notice has stood for its time.
    pub fn was_awake(&self, pressed: Instant) -> bool {
        match &self.page {
            Page::Asking(asking) => asking.counts(pressed),
            Page::Live(live) => live.question.is_some_and(|question| question.is_awake(pressed)),
            Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => false,
        }
    }

    /// What pressed was not a hand at this computer: it has no effect, and the button sleeps again.
    fn not_by_hand(&mut self, now: Instant) -> Vec<Effect> {
        match &mut self.page {
            Page::Asking(asking) => asking.sleep(now),
            Page::Live(live) => live.sleep(now),
            Page::Trouble(_) | Page::Number(_) | Page::Connecting(_) | Page::Ended(_) => {}
        }
        self.notice = Some(Said::NotByHand);
        Vec::new()
    }

    /// Closing the window is the plainest way to say no.
    fn close(&mut self) -> Vec<Effect> {
        let mut effects = match &self.page {
            Page::Live(live) => live.end(),
            Page::Asking(asking) => asking.refuse(Digest([0; 32])),
            Page::Connecting(_) => vec![Effect::Abandon],
            Page::Trouble(_) | Page::Number(_) | Page::Ended(_) => Vec::new(),
        };
        effects.push(Effect::Close);
        effects
    }

    pub(super) fn start_over(&mut self) -> Vec<Effect> {
        self.page = Page::Number(NumberPage::default());
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::asking::{INERT, NOTICE, PAINTED};
    use crate::agent::news::News;
    use crate::agent::scenes;
    use tasuki_peer::core::io::EndedBy;
    use tasuki_protocol::message::EndReason;
    use tasuki_protocol::number::{Locator, SessionSecret};
    use tasuki_protocol::rights::Mode;
    use tasuki_protocol::seed::Seed;

    fn number() -> SessionNumber {
        let secret = SessionSecret::draw(&Seed::from_bytes([7; 32]));
        SessionNumber { locator: Locator::try_from(48_291).unwrap(), secret }
    }

    fn start() -> Model {
        Model::new(Lang::En, Shade::Light, "Example Help")
    }

    fn news(news: News) -> Msg {
        Msg::News(Box::new(news))
    }

    fn asked(model: &mut Model, now: Instant) {
        let question = scenes::question(Mode::Control, Lang::En);
        let _ = model.update(news(News::Asked { question, met_before: 1 }), now);
    }

    #[test]
    fn t70_a_link_fills_the_number_in_and_connects_nothing() {
        let (mut model, now) = (start(), Instant::now());
        assert_eq!(model.update(Msg::Linked(Some(number())), now), [Effect::Present]);
        let Page::Number(page) = &model.page else { panic!("the page changed") };
        assert_eq!(page.entry.text(), number().to_string());
        assert_eq!(model.update(Msg::ConnectPressed, now), [Effect::Connect(number())]);
    }

    #[test]
    fn t70_a_link_changes_nothing_while_a_question_or_a_session_stands() {
        let (mut model, now) = (start(), Instant::now());
        asked(&mut model, now);
        let _ = model.update(Msg::Linked(Some(number())), now);
        assert!(matches!(model.page, Page::Asking(_)));
        let _ = model.update(Msg::Linked(None), now);
        assert_eq!(model.notice, Some(Said::BadLink));
    }

    #[test]
    fn t2_nothing_stands_over_a_question() {
        let (mut model, now) = (start(), Instant::now());
        let _ = model.update(Msg::AboutShown(true), now);
        assert!(model.about);
        asked(&mut model, now);
        assert!(!model.about, "it would hide what its keys press");
        let _ = model.update(Msg::AboutShown(true), now);
        assert!(!model.about);
        let granted = scenes::question(Mode::Control, Lang::En).grantable;
        let _ = model.update(news(News::Answered { granted, at: 0 }), now);
        let _ = model.update(Msg::AboutShown(true), now);
        let kind = QuestionKind::Continue;
        let _ = model.update(news(News::AskedMore { kind, seconds: 300, inert_ms: 800 }), now);
        assert!(!model.about);
    }

    #[test]
    fn t2_t8_a_press_counts_by_when_it_was_made_also_at_the_notice() {
        let (mut model, now) = (start(), Instant::now());
        let question = scenes::question(Mode::Control, Lang::En);
        let _ = model.update(news(News::Asked { question, met_before: 0 }), now);
        (0..PAINTED).for_each(|_| drop(model.update(Msg::Tick, now)));
        let read = now + NOTICE;
        assert!(!model.was_awake(read - Duration::from_millis(1)), "however late it is heard");
        assert!(model.was_awake(read));
        let _ = model.update(Msg::NoticeRead, read);
        (0..PAINTED).for_each(|_| drop(model.update(Msg::Tick, read)));
        assert!(!model.was_awake(read), "it was meant for the notice");
        assert!(model.was_awake(read + INERT));
    }

    #[test]
    fn s29_closing_the_window_while_asked_refuses() {
        let (mut model, now) = (start(), Instant::now());
        asked(&mut model, now);
        let closed = model.update(Msg::ClosePressed, now);
        assert!(matches!(closed[..], [Effect::Refuse { .. }, Effect::Close]));
    }

    #[test]
    fn s31_closing_the_window_in_a_session_ends_it() {
        let (mut model, now) = (start(), Instant::now());
        asked(&mut model, now);
        let granted = scenes::question(Mode::Control, Lang::En).grantable;
        let _ = model.update(news(News::Answered { granted, at: 0 }), now);
        assert_eq!(model.update(Msg::ClosePressed, now), [Effect::End, Effect::Close]);
    }

    #[test]
    fn s97_an_ended_session_is_summed_up_and_a_refused_one_says_that_nothing_was_shown() {
        let now = Instant::now();
        let over = || News::Over { end: Some((EndReason::UserEnded, EndedBy::ThisEnd)), fault: None };
        let mut model = start();
        asked(&mut model, now);
        let _ = model.update(news(over()), now);
        assert!(matches!(&model.page, Page::Ended(ended) if ended.summary.is_none()));
        let mut model = start();
        asked(&mut model, now);
        let granted = scenes::question(Mode::Control, Lang::En).grantable;
        let _ = model.update(news(News::Answered { granted, at: 0 }), now);
        let _ = model.update(news(over()), now);
        assert!(matches!(&model.page, Page::Ended(ended) if ended.summary.is_some()));
    }

    fn tried(fault: Fault) -> NumberPage {
        let (mut model, now) = (start(), Instant::now());
        let _ = model.update(Msg::NumberEdited(Typed::whole(&number().to_string())), now);
        assert_eq!(model.update(Msg::ConnectPressed, now), [Effect::Connect(number())]);
        let over = News::Over { end: None, fault: Some(fault) };
        let _ = model.update(news(over), now);
        let Page::Number(page) = model.page else { panic!("{:?}", model.page) };
        page
    }

    #[test]
    fn a_number_stays_where_it_was_typed_until_it_is_used_up() {
        let digits = number().to_string();
        for fault in [Fault::ServerGone, Fault::Unavailable, Fault::OtherVersion { theirs: 9 }] {
            let page = tried(fault.clone());
            assert_eq!((page.entry.text(), page.trouble), (digits.as_str(), Some(fault)));
        }
        for fault in [Fault::NumberRefused, Fault::NumberBurnt, Fault::Wayland] {
            let page = tried(fault);
            assert_eq!(page.entry.text(), "");
            assert!(page.trouble.is_some() || page.entry.complaint().is_some(), "and is told of");
        }
        let (mut model, now) = (start(), Instant::now());
        let _ = model.update(Msg::NumberEdited(Typed::whole(&digits)), now);
        let _ = model.update(Msg::ConnectPressed, now);
        assert_eq!(model.update(Msg::CancelPressed, now), [Effect::Abandon]);
        assert!(matches!(&model.page, Page::Number(page) if page.entry.text() == digits));
    }

    #[test]
    fn nothing_counts_when_nothing_changes() {
        let (mut model, now) = (start(), Instant::now());
        assert!(!model.counts());
        asked(&mut model, now);
        assert!(model.counts());
    }

    #[test]
    fn the_language_changes_in_every_state_and_is_remembered() {
        for scene in scenes::all(Lang::En, Shade::Light, Instant::now()) {
            let mut model = scene.model;
            assert_eq!(model.update(Msg::LanguageSwitched, scene.now), [Effect::Remember]);
            assert_eq!(model.lang, Lang::Ja);
        }
    }
}
