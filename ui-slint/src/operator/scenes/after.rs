//! Made-up states of what is left of a session, and of the pages beside it.

use std::path::PathBuf;

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;

use super::states::live_stage;
use super::{NOW, Named, Stages};
use crate::checkup;
use crate::operator::history::{How, Past};
use crate::operator::model::{Busy, Dialog, Model, Outcome, Page, Stage, TabId, Toast, ToastWhat};
use crate::operator::second_look::{Proof, SecondLook};
use crate::operator::session::Happened;
use crate::operator::update::{Msg, update};

impl Stages {
    /// Before mode Manage, some minutes after the sign-in.
    pub(super) fn second_look(&self) -> Vec<Named> {
        let asks = |by, trouble| {
            self.tab(Mode::Manage, Stage::Over(Outcome::Failed(Fault::NotConfirmed)), |tab| {
                tab.dialog = Dialog::SecondLook;
                tab.second_look = SecondLook { by, busy: Busy::Idle, trouble: Clone::clone(&trouble) };
            })
        };
        let mut put_off = asks(Proof::Password, None);
        put_off.tabs[0].dialog = Dialog::None;
        vec![
            ("operator-dialog-second-look", asks(Proof::Password, None)),
            ("operator-dialog-second-look-wrong", asks(Proof::Password, Some(Fault::WrongPassword))),
            ("operator-dialog-second-look-digits", asks(Proof::Digits, Some(Fault::DigitsUsed))),
            ("operator-not-confirmed", put_off),
        ]
    }

    pub(super) fn after(&self) -> Vec<Named> {
        let over = |mode, outcome| {
            self.tab(mode, Stage::Over(outcome), |tab| {
                (tab.live_since, tab.live_seconds) = (Some(NOW - 754), 754);
                tab.receipt = Some(Ok(PathBuf::from("receipt.html")));
            })
        };
        let ended = |by| Outcome::Ended { reason: EndReason::OperatorEnded, by };
        let page = |page| Model { page, history: self.history(), ..self.home() };
        let mut kept = self.tab(Mode::Control, live_stage(), |_| {});
        let file = PathBuf::from("Pictures/tasuki-20261125-140600.png");
        kept.toast = Some(Toast { what: ToastWhat::Screenshot(file), until: NOW + 6 });
        let mut aside = self.home();
        let file = PathBuf::from("operator-window.json.damaged-1");
        aside.toast = Some(Toast { what: ToastWhat::SettingsSetAside(vec![file]), until: NOW + 6 });
        let failed = |fault| self.tab(Mode::Control, Stage::Over(Outcome::Failed(fault)), |_| {});
        let lost = |mode, fault| {
            let over = Stage::Over(Outcome::Failed(fault));
            self.tab(mode, over, |tab| (tab.live_since, tab.live_seconds) = (Some(NOW - 126), 126))
        };
        let mut signed_out = failed(Fault::SignInOver);
        signed_out.tabs.push(self.second_tab());
        let mut unkept = over(Mode::Control, ended(EndedBy::ThisEnd));
        unkept.tabs[0].receipt = Some(Err(not_kept()));
        let own = Fault::Desktop { why: "no X server answers at :0; check DISPLAY".to_owned() };
        vec![
            ("operator-screenshot-kept", kept),
            ("operator-ended", over(Mode::Control, ended(EndedBy::ThisEnd))),
            ("operator-ended-unkept", unkept),
            ("operator-ended-by-them", over(Mode::Control, ended(EndedBy::OtherEnd))),
            ("operator-ended-show", over(Mode::Show, ended(EndedBy::ThisEnd))),
            ("operator-ended-share-by-them", over(Mode::Share, ended(EndedBy::OtherEnd))),
            ("operator-cancelled", self.tab(Mode::Control, Stage::Over(Outcome::Cancelled), |_| {})),
            ("operator-number-expired", failed(Fault::NumberExpired)),
            ("operator-refused", failed(Fault::Refused)),
            ("operator-failed", failed(Fault::TranscriptMismatch)),
            ("operator-not-allowed", self.not_allowed()),
            ("operator-screen-lost", lost(Mode::View, Fault::ScreenLost)),
            ("operator-own-screen-lost", lost(Mode::Share, own)),
            ("operator-connection-lost", lost(Mode::Control, Fault::ConnectionLost)),
            ("operator-signed-out", signed_out),
            ("operator-history", page(Page::History)),
            ("operator-history-empty", Model { page: Page::History, ..self.home() }),
            ("operator-settings", page(Page::Settings)),
            ("operator-checkup", Model { checkup: Some(checkup::made_up()), ..page(Page::Settings) }),
            ("operator-settings-aside", aside),
            ("operator-about", page(Page::About)),
        ]
    }

    pub(super) fn history(&self) -> Vec<Past> {
        let past = |ago: u64, seconds, mode, customer: String, how| Past {
            at: NOW - ago,
            seconds,
            mode,
            customer,
            ticket: format!("#{}", 4400 + ago / 3600),
            reason: String::new(),
            how,
            pictures: 0,
            session: None,
        };
        vec![
            past(1_200, 754, Mode::Control, self.note().customer, How::EndedHere),
            past(8_600, 1_931, Mode::Manage, self.say("Reception A", "本社 1階 受付"), How::EndedThere),
            past(90_000, 0, Mode::View, self.say("Naoki Ito", "伊藤 直樹"), How::Refused),
            past(94_000, 0, Mode::Control, String::new(), How::NobodyCame),
            past(180_000, 412, Mode::Share, self.say("New staff", "新人研修"), How::EndedHere),
            past(186_000, 60, Mode::Show, self.say("Branch Kobe", "神戸支店"), How::Lost),
        ]
    }

    /// Whose policy allows less than his account, which the server says at the number.
    fn not_allowed(&self) -> Model {
        let mut model = self.tab(Mode::Manage, Stage::Dialling, |_| {});
        let no = Happened::Gone(Err(Fault::ModeNotAllowed { mode: String::new() }));
        let _ = update(&mut model, Msg::Session(TabId(1), no));
        model
    }
}

fn not_kept() -> Fault {
    let file = PathBuf::from("~/.local/state/tasuki/receipts");
    Fault::NotKept { file, why: "Read-only file system (os error 30)".to_owned() }
}
