//! Every state of the window as a made-up model: for `--mock`, the pictures and the tests.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tasuki_peer::core::able;
use tasuki_peer::core::io::{EndedBy, Question};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Challenge, DeviceKey, SessionId, TenantId};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::policy::decide::{ServerLimits, Subject};
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::{Policy, Rules};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::{AddressDisclosure, Approval, FileRules, Requirement};

use super::asking::{PAINTED, Step};
use super::entry::{Entry, Typed};
use super::live::{Open, QuestionKind};
use super::looking::Looked;
use super::model::{Model, Msg, Page, Said};
use super::news::News;
use crate::checkup;
use crate::look::Shade;

mod told;

/// 2026-11-25 12:04:10 UTC.
const BEGAN_AT: u64 = 1_795_608_250;

/// A state and its name, which is the picture's file name too.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub model: Model,
    /// The moment at which it is looked at.
    pub now: Instant,
}

impl Scene {
    /// Whether the operator's screen is looked at, and has come.
    pub fn shows_picture(&self) -> bool {
        matches!(&self.model.page, Page::Live(live) if !live.is_seen())
    }

    /// Of its picture, in logical pixels: as large as the window is by itself, and of the question as high as all
    /// of it.
    pub fn size(&self) -> (f32, f32) {
        match &self.model.page {
            Page::Live(_) if self.shows_picture() => (1000.0, 720.0),
            Page::Asking(asking) if asking.step == Step::Question => (460.0, 1190.0),
            Page::Trouble(_)
            | Page::Number(_)
            | Page::Connecting(_)
            | Page::Asking(_)
            | Page::Live(_)
            | Page::Ended(_) => (460.0, 740.0),
        }
    }
}

/// In the order in which a session passes through them, and then those that differ from one of them in a sentence.
/// Times count from `now`.
pub fn all(lang: Lang, shade: Shade, now: Instant) -> Vec<Scene> {
    let mut scenes = pictured(lang, shade, now);
    scenes.extend(Stage { lang, shade, now }.in_a_sentence());
    scenes
}

/// Those that look different, each with its picture.
pub fn pictured(lang: Lang, shade: Shade, now: Instant) -> Vec<Scene> {
    let stage = Stage { lang, shade, now };
    let mut scenes = stage.before();
    scenes.extend(stage.questions());
    scenes.extend(stage.sessions());
    scenes.extend(stage.after());
    scenes
}

#[derive(Debug, Clone, Copy)]
struct Stage {
    lang: Lang,
    shade: Shade,
    now: Instant,
}

impl Stage {
    fn start(self) -> Model {
        Model::new(self.lang, self.shade, organisation(self.lang))
    }

    /// A model that was told these things in turn, painted, and looked at so much later.
    fn told(self, name: &'static str, msgs: Vec<Msg>, later: Duration) -> Scene {
        let mut model = self.start();
        let painted = (0..PAINTED).map(|_| Msg::Tick);
        for msg in msgs.into_iter().chain(painted) {
            let _ = model.update(msg, self.now);
        }
        Scene { name, model, now: self.now + later }
    }

    fn before(self) -> Vec<Scene> {
        let at_once = Duration::ZERO;
        let trouble = Fault::Unreachable {
            address: "help.example.jp:443".to_owned(),
            why: "no way leads to it".to_owned(),
        };
        let mut stuck = self.start();
        stuck.page = Page::Trouble(Fault::NotSetUp);
        let mut connecting = self.start();
        connecting.page = Page::Connecting(typed());
        let mut aside = self.start();
        aside.notice = Some(Said::SettingsAside("settings.toml.damaged-1".to_owned()));
        let mut checked = self.start();
        checked.checkup = Some(checkup::made_up());
        let still = |name, model| Scene { name, model, now: self.now };
        vec![
            still("agent-trouble", stuck),
            self.told("agent-number", Vec::new(), at_once),
            self.told(
                "agent-number-mistyped",
                vec![Msg::NumberEdited(Typed::whole("４８２９ 1530-6712"))],
                at_once,
            ),
            still("agent-connecting", connecting.clone()),
            still("agent-number-refused", after(connecting.clone(), Fault::NumberRefused, self.now)),
            still("agent-number-expired", after(connecting.clone(), Fault::NumberExpired, self.now)),
            still("agent-number-unreachable", after(connecting, trouble, self.now)),
            still("agent-number-settings-aside", aside),
            self.told("agent-about", vec![Msg::AboutShown(true)], at_once),
            still("agent-checkup", checked),
        ]
    }

    fn questions(self) -> Vec<Scene> {
        let asked =
            |mode, met_before| news(News::Asked { question: question(mode, self.lang), met_before });
        let less = Msg::Granted(Capability::ChooseScreen, false);
        let (early, late) = (Duration::from_millis(1200), Duration::from_secs(23));
        vec![
            self.told("agent-notice", vec![asked(Mode::Control, 0)], early),
            self.told("agent-consent-control", vec![asked(Mode::Control, 2), less], late),
            self.told("agent-consent-manage", vec![asked(Mode::Manage, 2)], late),
            self.told("agent-consent-view", vec![asked(Mode::View, 2)], late),
            self.told("agent-consent-share", vec![asked(Mode::Share, 2)], late),
            self.told("agent-consent-show", vec![asked(Mode::Show, 2)], late),
        ]
    }

    fn sessions(self) -> Vec<Scene> {
        let minutes = Duration::from_secs(754);
        let more = News::AskedMore {
            kind: QuestionKind::MoreRights {
                rights: Rights::of(&[Capability::Operate]),
                for_seconds: 900,
            },
            seconds: 797,
            inert_ms: 800,
        };
        let go_on = News::AskedMore { kind: QuestionKind::Continue, seconds: 1054, inert_ms: 800 };
        let timed = News::Allowed { rights: Rights::of(&[Capability::Operate]), seconds: Some(1594) };
        let with = |mode, told: Vec<News>| {
            let mut msgs = begun(mode, self.lang);
            msgs.extend(told.into_iter().map(news));
            msgs
        };
        vec![
            self.told("agent-live-control", with(Mode::Control, vec![timed]), minutes),
            self.told(
                "agent-live-message",
                with(Mode::View, vec![News::Wrote(self.message().to_owned())]),
                minutes,
            ),
            self.told("agent-live-talk", self.talk(Mode::Control), minutes),
            self.told("agent-live-details", self.opened(Open::Details), minutes),
            self.told("agent-live-view", with(Mode::View, Vec::new()), minutes),
            self.told("agent-live-own-hand", with(Mode::Control, vec![News::OwnHand(true)]), minutes),
            self.told("agent-live-paused", with(Mode::Manage, vec![News::Paused(true)]), minutes),
            self.told(
                "agent-live-reconnecting",
                with(Mode::Control, vec![News::Reconnecting]),
                minutes,
            ),
            self.told("agent-live-more-rights", with(Mode::View, vec![more]), minutes),
            self.told("agent-live-continue", with(Mode::Control, vec![go_on]), minutes),
            self.told("agent-watching-show", with(Mode::Show, Vec::new()), minutes),
            self.told("agent-watching-paused", with(Mode::Show, vec![News::Paused(true)]), minutes),
            self.told("agent-watching-share", with(Mode::Share, Vec::new()), minutes),
            self.told(
                "agent-watching-reconnecting",
                with(Mode::Share, vec![News::Reconnecting]),
                minutes,
            ),
            self.told("agent-watching-talk", self.talk(Mode::Show), minutes),
            self.told("agent-watching-full-screen", self.at_full_screen(), minutes),
        ]
    }

    /// Two lines, and the person looks at them.
    fn talk(self, mode: Mode) -> Vec<Msg> {
        let mut msgs = begun(mode, self.lang);
        let answer = match self.lang {
            Lang::En => "The settings are open now.",
            Lang::Ja => "設定を開きました。",
        };
        msgs.extend([
            news(News::Wrote(self.message().to_owned())),
            Msg::Opened(Open::Talk),
            Msg::Written(answer.to_owned()),
        ]);
        msgs
    }

    fn opened(self, what: Open) -> Vec<Msg> {
        let mut msgs = begun(Mode::Control, self.lang);
        msgs.push(Msg::Opened(what));
        msgs
    }

    fn at_full_screen(self) -> Vec<Msg> {
        let mut msgs = begun(Mode::Share, self.lang);
        msgs.push(Msg::Looked(Looked::Full(true)));
        msgs
    }

    fn message(self) -> &'static str {
        match self.lang {
            Lang::En => "Please open the settings of your printer.",
            Lang::Ja => "プリンターの設定を開いてください。",
        }
    }

    fn after(self) -> Vec<Scene> {
        let over = |reason, by, fault| news(News::Over { end: Some((reason, by)), fault });
        let receipt = || news(News::Receipt(Ok(PathBuf::from("tasuki-receipt.html"))));
        let unkept = [
            over(EndReason::OperatorEnded, EndedBy::OtherEnd, None),
            news(News::Receipt(Err(not_kept()))),
        ];
        let minutes = Duration::from_secs(754);
        let ended =
            [news(News::PictureKept), over(EndReason::UserEnded, EndedBy::ThisEnd, None), receipt()];
        let asked = News::Asked { question: question(Mode::Control, self.lang), met_before: 1 };
        let refused = vec![news(asked), over(EndReason::UserRefused, EndedBy::ThisEnd, None)];
        let asked = News::Asked { question: question(Mode::Control, self.lang), met_before: 1 };
        let silent = vec![news(asked), over(EndReason::NobodyAnswered, EndedBy::ThisEnd, None)];
        let fault = Some(Fault::PeerViolation);
        let stopped = [over(EndReason::Violation, EndedBy::ThisEnd, fault), receipt()];
        let withdrawn = over(EndReason::Withdrawn, EndedBy::Server, Some(Fault::Withdrawn));
        let lost = over(EndReason::ConnectionLost, EndedBy::ThisEnd, Some(Fault::ConnectionLost));
        let control = |name| self.told(name, begun(Mode::Control, self.lang), minutes);
        let view = self.told("agent-ended-violation", begun(Mode::View, self.lang), minutes);
        vec![
            then(control("agent-ended"), ended),
            then(control("agent-ended-unkept"), unkept),
            self.told("agent-ended-refused", refused, Duration::ZERO),
            self.told("agent-ended-unanswered", silent, Duration::ZERO),
            then(view, stopped),
            then(control("agent-ended-withdrawn"), [withdrawn, receipt()]),
            then(control("agent-lost"), [lost, receipt()]),
        ]
    }
}

/// What comes at the moment at which it is looked at.
fn then(mut scene: Scene, msgs: impl IntoIterator<Item = Msg>) -> Scene {
    for msg in msgs {
        let _ = scene.model.update(msg, scene.now);
    }
    scene
}

fn not_kept() -> Fault {
    let file = PathBuf::from("~/.local/state/tasuki/receipts");
    Fault::NotKept { file, why: "Read-only file system (os error 30)".to_owned() }
}

fn organisation(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "Minato Trust Services",
        Lang::Ja => "みなと信用サービス",
    }
}

fn typed() -> Entry {
    let mut entry = Entry::default();
    entry.edit("4829 1530 6126");
    entry
}

fn news(news: News) -> Msg {
    Msg::News(Box::new(news))
}

fn after(mut model: Model, fault: Fault, now: Instant) -> Model {
    let _ = model.update(news(News::Over { end: None, fault: Some(fault) }), now);
    model
}

fn begun(mode: Mode, lang: Lang) -> Vec<Msg> {
    let question = question(mode, lang);
    let granted = question.grantable;
    vec![
        news(News::Asked { question, met_before: 2 }),
        news(News::Answered { granted, at: BEGAN_AT }),
        news(News::PathUp {
            path: PathKind::Direct,
            ciphers: "WebRTC · DTLS 1.3 AES-256-GCM · SRTP AES-256-GCM".to_owned(),
        }),
        news(News::PathChosen(PathKind::Direct)),
    ]
}

/// The question under a policy of one preset; `None` where that does not allow the mode.
pub fn allowed_by(preset: Preset, mode: Mode, lang: Lang) -> Option<Question> {
    let rules = Rules { base: Some(preset), ..Rules::default() };
    let mut policy = Policy::unwritten(TenantId([0; 8]));
    policy.rules.default = rules;
    let whole = Rights::of(&Capability::ALL);
    let subject = Subject { operator: "sato", groups: &[], modes: &Mode::ALL, certified: whole };
    let limits = ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: 3600 };
    let grant = policy.decide(&subject, mode, limits, BEGAN_AT).outcome.ok()?;
    let mut question = question(mode, lang);
    question.manifest.capabilities = grant.rights;
    question.manifest.files = grant.files;
    question.manifest.recording = grant.recording;
    question.manifest.application_selection = grant.application_selection;
    question.grantable = grant.rights.and(able());
    Some(question)
}

/// What the peer's core would ask.
pub fn question(mode: Mode, lang: Lang) -> Question {
    let say = |en: &str, ja: &str| if lang == Lang::En { en.to_owned() } else { ja.to_owned() };
    let capabilities = mode.ceiling().and(able());
    let manifest = Manifest {
        v: 1,
        tenant: TenantId([0; 8]),
        session: SessionId([0; 16]),
        operator: "sato".to_owned(),
        operator_name: say("Misaki Sato", "佐藤 美咲"),
        operator_key: DeviceKey([0; 32]),
        agent_key: DeviceKey([0; 32]),
        challenge: Challenge([0; 32]),
        mode,
        capabilities,
        files: FileRules::of(capabilities, Approval::Ask),
        reason: (mode == Mode::Control)
            .then(|| say("#4410 Error in the accounting program", "#4410 会計ソフトのエラー")),
        certificate: Blob::default(),
        application_selection: Requirement::Off,
        recording: Requirement::Off,
        address_disclosure: AddressDisclosure::Public,
        issued_at: BEGAN_AT,
        start_within: 600,
        length: 3600,
        policy_version: 1,
    };
    Question {
        organisation: organisation(lang).to_owned(),
        manifest: Box::new(manifest),
        grantable: capabilities,
        seconds: 120,
    }
}
