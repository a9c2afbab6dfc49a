//! Every state of the window as a made-up model: for `--mock`, the pictures and the tests.

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::Requirement;

use self::states::{asked, connect, go_on, granted, hours_over, live_stage, number, relayed};
use super::model::{
    Account, Asks, Busy, Dialog, Door, Leave, Line, Link, Missing, Model, More, Note, Page, SignIn,
    Stage, Tab, TabId, Trouble,
};
use super::password;
use super::preferences::{Language, Preferences};
use crate::look::Shade;

mod after;
mod states;
mod told;

/// 2026-11-25 14:06 UTC.
const NOW: u64 = 1_795_615_560;

/// A state and its name, which is the picture's file name too.
#[derive(Debug)]
pub struct Scene {
    pub name: &'static str,
    pub model: Model,
}

/// In the order in which a session passes through them, and then those that differ from one of them in a sentence.
pub fn all(lang: Lang, shade: Shade) -> Vec<Scene> {
    let told = Stages { lang, shade }.in_a_sentence().into_iter();
    let mut scenes = pictured(lang, shade);
    scenes.extend(told.map(|(name, model)| Scene { name, model }));
    scenes
}

/// Those that look different, each with its picture.
pub fn pictured(lang: Lang, shade: Shade) -> Vec<Scene> {
    let stage = Stages { lang, shade };
    let mut scenes = stage.entrance();
    scenes.extend(stage.before());
    scenes.extend(stage.live());
    scenes.extend(stage.looked_at_otherwise());
    scenes.extend(stage.over_the_picture());
    scenes.extend(stage.second_look());
    scenes.extend(stage.after());
    scenes.extend(password::made_up(|| Model { page: Page::Settings, ..stage.home() }));
    scenes.into_iter().map(|(name, model)| Scene { name, model }).collect()
}

struct Stages {
    lang: Lang,
    shade: Shade,
}

type Named = (&'static str, Model);

impl Stages {
    fn entrance(&self) -> Vec<Named> {
        let page = SignIn {
            server: "support.minato.example".to_owned(),
            organisation: self.say("Minato Trust Services", "みなと信用サービス"),
            user: "misaki".to_owned(),
            ..SignIn::default()
        };
        let out = |page: SignIn| Model { door: Door::Out(page), ..self.empty() };
        let trouble = |trouble| out(SignIn { trouble: Some(trouble), ..page.clone() });
        vec![
            ("operator-not-set-up", Model { door: Door::Shut(Fault::NotSetUp), ..self.empty() }),
            ("operator-sign-in", out(page.clone())),
            ("operator-sign-in-missing", trouble(Trouble::Missing(Missing::Password))),
            ("operator-sign-in-busy", out(SignIn { busy: Busy::Working, ..page.clone() })),
            ("operator-sign-in-wrong", trouble(Trouble::Failed(Fault::WrongPassword))),
            ("operator-sign-in-over", trouble(Trouble::SignInOver)),
            ("operator-sign-in-hours", trouble(Trouble::Failed(hours_over()))),
            ("operator-sign-in-locked", trouble(Trouble::Locked { until: NOW + 14 * 60 + 32 })),
            ("operator-sign-in-totp", out(SignIn { asks: Asks::Totp, ..page.clone() })),
            (
                "operator-sign-in-authenticator",
                out(SignIn {
                    asks: Asks::TotpSetup,
                    key: "JBSW Y3DP EHPK 3PXP JBSW Y3DP".to_owned(),
                    ..page.clone()
                }),
            ),
            ("operator-sign-in-enrolment", out(SignIn { asks: Asks::Enrolment, ..page.clone() })),
            (
                "operator-sign-in-device-pending",
                trouble(Trouble::DevicePending {
                    words: "amber – canoe – velvet – north".to_owned()
                }),
            ),
        ]
    }

    fn before(&self) -> Vec<Named> {
        let waiting = Stage::Waiting(number(0));
        let door = Stage::AtTheDoor { number: number(0), attempt: 0 };
        vec![
            ("operator-home", Model { chosen: Some(Mode::Control), ..self.home() }),
            ("operator-home-limited", self.limited()),
            ("operator-home-reason", self.asked_for_reason()),
            ("operator-home-certificate", self.near_its_end()),
            ("operator-home-went-back", self.gone_back()),
            ("operator-dialling", self.tab(Mode::Control, Stage::Dialling, |_| {})),
            ("operator-waiting", self.tab(Mode::Control, waiting, |_| {})),
            ("operator-wrong-number", self.tab(Mode::View, Stage::Waiting(number(1)), |_| {})),
            ("operator-at-the-door", self.tab(Mode::Control, door, |_| {})),
            ("operator-awaits-consent", self.tab(Mode::Control, Stage::AwaitsConsent, |_| {})),
        ]
    }

    fn live(&self) -> Vec<Named> {
        let live = |mode, change: fn(&mut Tab)| self.tab(mode, live_stage(), change);
        let view_only = |tab: &mut Tab| {
            tab.granted = granted(Mode::View);
        };
        let mut talk = live(Mode::Control, |_| {});
        self.talk(&mut talk);
        let mut two = live(Mode::Control, |_| {});
        two.tabs.push(self.second_tab());
        vec![
            ("operator-viewer", two),
            ("operator-viewer-chat", talk),
            (
                "operator-viewer-first-picture",
                live(Mode::Control, |tab| {
                    tab.view.first_ms = None;
                    tab.live_since = Some(NOW - 2);
                    tab.link = Link::default();
                }),
            ),
            ("operator-viewer-view-only", live(Mode::View, view_only)),
            (
                "operator-viewer-they-use-the-mouse",
                live(Mode::Control, |tab| {
                    tab.view.halts.hand = true;
                }),
            ),
            ("operator-viewer-paused", live(Mode::Control, |tab| tab.view.halts.host = true)),
            ("operator-viewer-reconnecting", live(Mode::Manage, |tab| tab.link.lost(NOW - 12))),
            ("operator-viewer-relayed", live(Mode::Control, relayed)),
            (
                "operator-viewer-asked-for-control",
                live(Mode::Control, |tab| {
                    tab.granted = granted(Mode::View);
                    tab.more = More::Asked { wanted: asked(), until: NOW + 40 };
                }),
            ),
            (
                "operator-viewer-control-granted",
                live(Mode::Control, |tab| {
                    tab.more = More::Granted { rights: asked(), until: Some(NOW + 13 * 60 + 7) };
                }),
            ),
            (
                "operator-viewer-control-over",
                live(Mode::Control, |tab| {
                    tab.granted = granted(Mode::View);
                    tab.more = More::Revoked { until: NOW + 10 };
                }),
            ),
        ]
    }

    fn looked_at_otherwise(&self) -> Vec<Named> {
        let live = |mode, change: fn(&mut Tab)| self.tab(mode, live_stage(), change);
        vec![
            (
                "operator-viewer-they-are-asked",
                live(Mode::Control, |tab| tab.view.halts.question = true),
            ),
            ("operator-viewer-full-screen", live(Mode::Control, |tab| tab.view.full = true)),
            (
                "operator-viewer-control-refused",
                live(Mode::Control, |tab| {
                    tab.granted = granted(Mode::View);
                    tab.more = More::Refused { until: NOW + 10 };
                }),
            ),
        ]
    }

    fn over_the_picture(&self) -> Vec<Named> {
        let live = |mode, change: fn(&mut Tab)| self.tab(mode, live_stage(), change);
        vec![
            (
                "operator-dialog-more-rights",
                live(Mode::Control, |tab| {
                    tab.granted = granted(Mode::View);
                    tab.dialog = Dialog::MoreRights;
                }),
            ),
            ("operator-dialog-type-text", live(Mode::Control, |tab| tab.dialog = Dialog::TypeText)),
            ("operator-dialog-details", live(Mode::Control, |tab| tab.dialog = Dialog::Details)),
            ("operator-dialog-end", live(Mode::Control, |tab| tab.dialog = Dialog::End)),
            (
                "operator-dialog-leave",
                Model { leaving: Some(Leave::Close), ..live(Mode::Control, |_| {}) },
            ),
            ("operator-share-question", live(Mode::Share, |tab| tab.question = Some(go_on()))),
            ("operator-share", live(Mode::Share, |_| {})),
            ("operator-show-paused", live(Mode::Show, |tab| tab.view.halts.host = true)),
        ]
    }

    fn say(&self, en: &str, ja: &str) -> String {
        match self.lang {
            Lang::En => en.to_owned(),
            Lang::Ja => ja.to_owned(),
        }
    }

    fn empty(&self) -> Model {
        let language = match self.lang {
            Lang::En => Language::English,
            Lang::Ja => Language::Japanese,
        };
        let preferences = Preferences { language, shade: self.shade, ..Preferences::default() };
        Model { preferences, usual_folder: "~/Pictures".into(), ..Model::new(self.lang, NOW) }
    }

    fn home(&self) -> Model {
        let account = Account {
            user: "misaki".to_owned(),
            name: self.say("Misaki Sato", "佐藤 美咲"),
            organisation: self.say("Minato Trust Services", "みなと信用サービス"),
            server: "support.minato.example".to_owned(),
            modes: Mode::ALL.to_vec(),
            reason: Requirement::default(),
            certified_until: Some(NOW + 80 * 86_400),
            went_back: None,
        };
        Model { door: Door::In(account), ..self.empty() }
    }

    /// Whose administrator allows little.
    fn limited(&self) -> Model {
        let mut model = self.home();
        if let Door::In(account) = &mut model.door {
            account.modes = vec![Mode::View, Mode::Show];
        }
        model.chosen = Some(Mode::View);
        model
    }

    /// Whose computer has to be approved anew soon.
    fn near_its_end(&self) -> Model {
        let mut model = self.home();
        if let Door::In(account) = &mut model.door {
            account.certified_until = Some(NOW + 9 * 86_400);
        }
        model
    }

    /// Whose server was put back to a backup.
    fn gone_back(&self) -> Model {
        let mut model = self.home();
        if let Door::In(account) = &mut model.door {
            account.went_back = Some(Fault::LedgerOlder { known: 1874, found: 1630 });
        }
        model
    }

    /// Whose policy wants a reason before each number.
    fn asked_for_reason(&self) -> Model {
        let mut model = self.home();
        if let Door::In(account) = &mut model.door {
            account.reason = Requirement::Required;
        }
        model.chosen = Some(Mode::Control);
        model
    }

    fn note(&self) -> Note {
        Note {
            customer: self.say("Yuki Tanaka, Accounting", "田中 由紀（経理部）"),
            ticket: "#4410".to_owned(),
            reason: String::new(),
        }
    }

    fn tab(&self, mode: Mode, stage: Stage, change: impl Fn(&mut Tab)) -> Model {
        let mut model = self.home();
        let id = TabId(1);
        let mut tab = Tab::new(id, mode, self.note(), NOW - 900);
        if let Stage::Live { since } = stage {
            connect(&mut tab, since);
        }
        tab.stage = stage;
        change(&mut tab);
        model.tabs.push(tab);
        model.page = Page::Session(id);
        model
    }

    fn second_tab(&self) -> Tab {
        let customer = self.say("Kenta Suzuki, Osaka", "鈴木 健太（大阪支店）");
        let note = Note { customer, ..Note::default() };
        let mut tab = Tab::new(TabId(2), Mode::View, note, NOW - 60);
        tab.stage = Stage::Waiting(number(0));
        tab
    }

    fn talk(&self, model: &mut Model) {
        let Some(tab) = model.tabs.first_mut() else { return };
        let lines = [
            (
                Role::Agent,
                "It fails when I start the accounting program.",
                "会計ソフトの起動時にエラーが出ます。",
            ),
            (
                Role::Operator,
                "I will look at it. May I operate?",
                "画面を確認します。操作してもよろしいですか？",
            ),
            (Role::Agent, "Yes, please.", "はい、お願いします。"),
            (
                Role::Operator,
                "The settings file is missing. I will put it back.",
                "設定ファイルがないようです。元に戻します。",
            ),
        ];
        for (index, (by, en, ja)) in lines.into_iter().enumerate() {
            let at = NOW - 240 + 60 * index as u64;
            tab.chat.push(Line { by, text: self.say(en, ja), at, unsent: false });
        }
    }
}
