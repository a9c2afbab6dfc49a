//! The running window: one loop of messages, and the hands that carry effects out.
//!
//! Decides nothing of what is shown. Everything happens on the window's thread; sessions run beside
//! it and are heard through a bounded channel.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use slint::winit_030::EventResult;
use slint::{ComponentHandle, Timer, TimerMode};
use tasuki_peer::core::door::TriedNumbers;
use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::doctor::Desk;
use tasuki_peer::shell::trust::Trust;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::number::SessionNumber;
use tokio::sync::mpsc;

use super::guard::Guard;
use super::held::Held;
use super::memory::{Appearance, Remembered, keep_appearance};
use super::model::{Effect, Model, Msg, Page, Said};
use super::session::{self, FromSession, Needs};
use super::wiring::{self, Ear, Opening};
use super::{program, view};
use crate::checkup;
use crate::examining::Examining;
use crate::turns::{self, Turn};
use crate::upkeep::{self, NextIsKept};
use crate::viewer::screen::Screen;
use crate::windows::{AgentWindow, Means};
use crate::{documents, front, kept, room};

/// Countdowns are shown by the second; this is often enough for each to be seen.
const TICK: Duration = Duration::from_millis(200);
/// How long an ending session may take to tell the other end.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);
/// What a session may tell before the window hears it.
const TOLD: usize = 256;

pub(super) struct Program {
    pub(super) window: AgentWindow,
    pub(super) model: RefCell<Model>,
    remembered: RefCell<Remembered>,
    trust: RefCell<Option<Trust>>,
    tried: RefCell<TriedNumbers>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) session: RefCell<Option<Held>>,
    examining: Examining,
    guard: RefCell<Guard>,
    tick: Timer,
    /// The operator's screen, while this end looks at it (Share, Show).
    pub(super) theirs: RefCell<Option<Screen<AgentWindow>>>,
    /// How large the window was before it grew for that.
    pub(super) before: Cell<Option<room::Before>>,
}

/// An act of the person, on its way to the program.
#[derive(Clone)]
struct Hearing(std::rc::Weak<Program>);

impl Program {
    /// Shows what the organisation's file allows, and gives the end where later starts hand links in.
    pub(super) fn new(
        remembered: Remembered,
        language_is_said: bool,
        next_is_bar: NextIsKept,
        runtime: tokio::runtime::Handle,
    ) -> Result<(Rc<Self>, mpsc::Sender<String>), slint::PlatformError> {
        let settings = &remembered.settings;
        let kept = remembered.appearance.lang.as_deref().filter(|_| !language_is_said);
        let lang = kept.map_or(settings.lang, tasuki_peer::shell::texts::Lang::of_locale);
        let mut model = Model::new(lang, remembered.appearance.shade, "");
        model.zone = TimeZone::system();
        model.notice = kept::names(&remembered.aside).map(Said::SettingsAside);
        let program = Rc::new(Self {
            window: AgentWindow::new()?,
            model: RefCell::new(model),
            remembered: RefCell::new(remembered),
            trust: RefCell::default(),
            tried: RefCell::default(),
            examining: Examining::new(runtime.clone()),
            runtime,
            session: RefCell::default(),
            guard: RefCell::new(Guard::new(next_is_bar)),
            tick: Timer::default(),
            theirs: RefCell::default(),
            before: Cell::default(),
        });
        program.look_again();
        let seeing = Rc::downgrade(&program);
        program.guard.borrow().hear(&program.window, move |event| {
            let screen = seeing.upgrade().and_then(|program| program.theirs.borrow().clone());
            screen.map_or(EventResult::Propagate, |screen| screen.window_event(event))
        });
        let ear = Hearing(Rc::downgrade(&program));
        wiring::wire(&program.window, &ear);
        let closing = ear.clone();
        program.window.window().on_close_requested(move || {
            closing.send(Msg::ClosePressed);
            slint::CloseRequestResponse::HideWindow
        });
        let (opened, mut links) = mpsc::channel::<String>(4);
        let _ = slint::spawn_local(async move {
            while let Some(link) = links.recv().await {
                ear.send(program::read_link(&link));
            }
        });
        Ok((program, opened))
    }

    pub(super) fn run(&self) -> Result<(), slint::PlatformError> {
        self.show();
        room::keep_on_screen(&self.window);
        let ran = self.window.run();
        self.leave();
        ran
    }

    pub(super) fn dispatch(self: &Rc<Self>, msg: Msg) {
        if matches!(msg, Msg::Tick) {
            self.guard.borrow_mut().comes_round();
        }
        let effects = self.model.borrow_mut().update(msg, Instant::now());
        for effect in effects {
            self.carry_out(&effect);
        }
        self.show();
        let model = self.model.borrow().clone();
        let ear = Hearing(Rc::downgrade(self));
        let changed = self.guard.borrow_mut().look_after(&model, &self.window, &ear);
        if let Some(msg) = changed {
            self.dispatch(msg);
        }
        self.look_at_theirs();
        self.keep_time();
    }

    fn show(&self) {
        let (model, now) = (self.model.borrow(), Instant::now());
        view::show(&model, &self.window, now);
        self.guard.borrow().show(&model, now);
    }

    /// Runs only while something counts.
    fn keep_time(self: &Rc<Self>) {
        let counts = self.model.borrow().counts();
        if counts && !self.tick.running() {
            let ear = Hearing(Rc::downgrade(self));
            self.tick.start(TimerMode::Repeated, TICK, move || ear.send(Msg::Tick));
        } else if !counts {
            self.tick.stop();
        }
    }

    fn carry_out(self: &Rc<Self>, effect: &Effect) {
        if let Some(act) = session::act(effect) {
            return self.act(act);
        }
        match effect {
            Effect::Remember => self.remember(),
            Effect::Connect(number) => self.connect(number),
            Effect::Abandon => {
                if let Some(session) = self.session.take() {
                    session.give_up(&self.runtime);
                }
            }
            Effect::Met => self.met(),
            Effect::KeepPicture => self.keep_picture(),
            Effect::OpenReceipt => self.with_receipt(|receipt| documents::open(receipt).map(|()| None)),
            Effect::SaveReceipt => self.with_receipt(|receipt| documents::save(receipt).map(Some)),
            Effect::Present => front::present(&self.window),
            Effect::Attend => front::attend(&self.window),
            Effect::LookAgain => self.look_again(),
            Effect::Checkup(effect) => self.examine(*effect),
            Effect::Close => {
                let _ = slint::quit_event_loop();
            }
            // Acts, carried out above.
            Effect::Accept { .. }
            | Effect::Refuse { .. }
            | Effect::Answer { .. }
            | Effect::TakeAway(_)
            | Effect::GiveBack(_)
            | Effect::Pause
            | Effect::Resume
            | Effect::Write(_)
            | Effect::End => {}
        }
    }

    pub(super) fn act(&self, act: HumanAct) {
        if let Some(session) = self.session.borrow_mut().as_mut() {
            session.act(act, &self.runtime);
        }
    }

    fn connect(self: &Rc<Self>, number: &SessionNumber) {
        let remembered = self.remembered.borrow();
        let Some(trust) = self.trust.borrow().clone() else { return };
        let needs = Needs {
            number: number.clone(),
            failed_before: self.tried.borrow().failed_before(number),
            met_before: remembered.met.before(&trust.bundle.root),
            settings: remembered.settings.clone(),
            display: upkeep::own_display(),
        };
        let (told, heard) = mpsc::channel(TOLD);
        let task = self.runtime.spawn(session::run(needs, told));
        let program = Rc::downgrade(self);
        let listening = slint::spawn_local(async move {
            turns::hear_all(heard, |news| {
                let Some(program) = program.upgrade() else { return Turn::Over };
                program.hear(news);
                Turn::GoesOn
            })
            .await;
        });
        let listening = listening.ok();
        *self.session.borrow_mut() = Some(Held::new(listening, task));
    }

    fn examine(self: &Rc<Self>, effect: checkup::Effect) {
        // A desktop that somebody sees is not tried beside that.
        let in_use = self.session.borrow().is_some();
        let desk = if in_use { Desk::LetBe } else { Desk::of(upkeep::own_display().ok()) };
        let settings = self.remembered.borrow().settings.clone();
        let ear = Hearing(Rc::downgrade(self));
        let tell = move |msg| ear.send(Msg::Checkup(msg));
        self.said(self.examining.carry_out(effect, (&settings, desk), tell).map(|()| None));
    }

    fn hear(self: &Rc<Self>, news: FromSession) {
        match news {
            FromSession::Trusts(trust) => {
                self.model.borrow_mut().organisation.clone_from(&trust.bundle.organisation);
                *self.trust.borrow_mut() = Some(*trust);
            }
            FromSession::Runs(orders, viewer) => {
                if let Some(session) = self.session.borrow_mut().as_mut() {
                    session.runs(orders, viewer);
                }
            }
            FromSession::News(news) => self.dispatch(Msg::News(Box::new(news))),
            FromSession::WrongNumber(number) => self.tried.borrow_mut().failed(&number),
        }
    }

    fn look_again(&self) {
        let remembered = self.remembered.borrow();
        let settings = &remembered.settings;
        let mut model = self.model.borrow_mut();
        match Trust::load(settings.tenant.as_deref(), &settings.profile) {
            Ok(trust) => {
                model.organisation = trust.bundle.organisation.clone();
                if let Page::Trouble(_) = model.page {
                    let _ = model.start_over();
                }
                *self.trust.borrow_mut() = Some(trust);
            }
            Err(fault) => model.page = Page::Trouble(fault),
        }
    }

    fn remember(&self) {
        let mut remembered = self.remembered.borrow_mut();
        let mut model = self.model.borrow_mut();
        remembered.appearance =
            Appearance { lang: Some(model.lang.name().to_owned()), shade: model.shade };
        if let Err(fault) = keep_appearance(&remembered.settings.profile, &remembered.appearance) {
            model.notice = Some(Said::Fault(fault));
        }
    }

    fn met(&self) {
        let mut remembered = self.remembered.borrow_mut();
        let trust = self.trust.borrow();
        let Some(trust) = trust.as_ref() else { return };
        remembered.met.once_more(&trust.bundle.root);
        if let Err(fault) = remembered.met.keep(&remembered.settings.profile) {
            self.model.borrow_mut().notice = Some(Said::Fault(fault));
        }
    }

    /// The window is closed: whatever runs ends, and has a moment to say so.
    fn leave(&self) {
        self.act(HumanAct::End(EndReason::UserEnded));
        *self.guard.borrow_mut() = Guard::default();
        let task = self.session.take().and_then(Held::into_task);
        if let Some(task) = task {
            let _ = self.runtime.block_on(async { tokio::time::timeout(FAREWELL, task).await });
        }
    }
}

impl Ear for Hearing {
    fn send(&self, msg: Msg) {
        if let Some(program) = self.0.upgrade() {
            program.dispatch(msg);
        }
    }

    fn pressed(&self, opening: Opening, means: Means) {
        let Some(program) = self.0.upgrade() else { return };
        // Before the witness is asked, which takes a while: or the press would seem to be newer than it is.
        let heard = Instant::now();
        let ago = program.guard.borrow_mut().pressed_by_hand(opening, means);
        let Some(ago) = ago else { return program.dispatch(Msg::NotByHand) };
        let pressed = heard.checked_sub(ago);
        let was_awake = pressed.is_some_and(|then| program.model.borrow().was_awake(then));
        let msg = match opening {
            Opening::ReadNotice | Opening::Accept | Opening::AnswerYes if !was_awake => return,
            Opening::ReadNotice => Msg::NoticeRead,
            Opening::Accept => Msg::AcceptPressed { shown: view::shown_on(&program.window) },
            Opening::AnswerYes => {
                let shown = view::shown_in_question(&program.window);
                Msg::AnswerPressed { yes: true, shown }
            }
            Opening::Tick(right) => Msg::Granted(right, true),
            Opening::GiveBack(right) => Msg::Taken(right, true),
            Opening::GoOnShowing(spot) => Msg::PausePressed(false, spot),
        };
        program.dispatch(msg);
    }
}
