//! States that differ from another one in a sentence: for `--mock` and the tests, and without a picture.

use std::path::PathBuf;

use tasuki_peer::shell::fault::Fault;
use tasuki_protocol::rights::Mode;

use super::states::{live_stage, number};
use super::{NOW, Named, Stages};
use crate::operator::history::How;
use crate::operator::model::{
    Asks, Door, Leave, Missing, Model, Page, SignIn, Stage, Toast, ToastWhat, Trouble,
};
use crate::operator::password::{self, Changing};

impl Stages {
    pub(super) fn in_a_sentence(&self) -> Vec<Named> {
        let mut scenes = self.of_a_sign_in();
        scenes.extend(self.in_passing());
        scenes.extend(self.of_a_password());
        scenes.extend([
            ("operator-told-dialog-leave", Model { leaving: Some(Leave::SignOut), ..self.home() }),
            ("operator-told-history", self.whole_history()),
        ]);
        scenes
    }

    fn of_a_sign_in(&self) -> Vec<Named> {
        let page = |asks, trouble| {
            let page = SignIn { asks, trouble: Some(trouble), ..SignIn::default() };
            Model { door: Door::Out(page), ..self.empty() }
        };
        let missing = |asks, what| page(asks, Trouble::Missing(what));
        vec![
            ("operator-told-no-name", missing(Asks::Password, Missing::User)),
            ("operator-told-no-code", missing(Asks::Enrolment, Missing::Code)),
            ("operator-told-busy", page(Asks::Password, Trouble::Busy { until: NOW + 20 })),
        ]
    }

    fn in_passing(&self) -> Vec<Named> {
        let told = |what, model| Model { toast: Some(Toast { what, until: NOW + 6 }), ..model };
        let waiting = || self.tab(Mode::Control, Stage::Waiting(number(0)), |_| {});
        let live = |mode| self.tab(mode, live_stage(), |_| {});
        let with = || self.note().customer;
        let saved = ToastWhat::Saved(PathBuf::from("Documents/tasuki-receipt-1.html"));
        let settings = Model { page: Page::Settings, ..self.home() };
        vec![
            ("operator-told-number-copied", told(ToastWhat::NumberCopied, waiting())),
            ("operator-told-link-copied", told(ToastWhat::LinkCopied, waiting())),
            ("operator-told-saved", told(saved, self.home())),
            ("operator-told-a-fault", told(ToastWhat::Failed(Fault::Unavailable), self.home())),
            ("operator-told-too-many", told(ToastWhat::TooManyTabs, self.home())),
            ("operator-told-text-sent", told(ToastWhat::TextSent, live(Mode::Control))),
            ("operator-told-asked", told(ToastWhat::Asked(with()), self.home())),
            ("operator-told-picture-taken", told(ToastWhat::PictureTaken(with()), live(Mode::Share))),
            ("operator-told-password-changed", told(ToastWhat::PasswordChanged, settings)),
        ]
    }

    fn of_a_password(&self) -> Vec<Named> {
        let with = |trouble| {
            let changing = Changing { trouble: Some(trouble), ..Changing::default() };
            Model { page: Page::Settings, password: Some(changing), ..self.home() }
        };
        vec![
            ("operator-told-dialog-no-old-password", with(password::Trouble::NoOld)),
            ("operator-told-dialog-no-new-password", with(password::Trouble::NoNew)),
            ("operator-told-dialog-passwords-differ", with(password::Trouble::Differ)),
            (
                "operator-told-dialog-password-failed",
                with(password::Trouble::Failed(Fault::Unavailable)),
            ),
        ]
    }

    /// However a session can end.
    fn whole_history(&self) -> Model {
        let mut history = self.history();
        for (place, how) in [How::Failed, How::Cancelled].into_iter().enumerate() {
            history[place].how = how;
        }
        history.extend(self.history());
        Model { page: Page::History, history, ..self.home() }
    }
}
