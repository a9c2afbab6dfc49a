//! `tasuki-operator`: the operator's window.
//!
//! Joins model, window and engine. The window's thread owns all three; tasks and threads
//! ring it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use jiff::tz::TimeZone;
use slint::{ComponentHandle, Timer, TimerMode};
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::doctor::Desk;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::settings::{Flags, Settings};
use tasuki_peer::shell::texts::Lang;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::engine::{Engine, News, Teller};
use super::looking::Look;
use super::model::{Model, TabId, ToastWhat};
use super::options::{self, Options};
use super::session::{Happened, Wish};
use super::sharing::{Sharing, Sharings};
use super::update::{Effect, Msg, update_at};
use super::{files, history, mock, preferences, view, wire};
use crate::examining::Examining;
use crate::look::Shade;
use crate::single::{self, Start};
use crate::turns;
use crate::upkeep::{self, NextIsKept};
use crate::viewer::screen::{Screen, Told};
use crate::windows::{Operator, OperatorWindow};
use crate::{documents, front, kept, room};

/// How long sessions have to say goodbye when the window is closed.
const FAREWELL: Duration = Duration::from_secs(3);

/// The program.
pub fn main() -> ExitCode {
    if let Some(end) = tasuki_media::desktop::serve_when_asked() {
        return end;
    }
    let options = match options::read() {
        Ok(options) => options,
        Err(told) => return told,
    };
    let lang = options.common.lang.as_deref().map(Lang::of_locale).unwrap_or_else(desktop_lang);
    let ran = match options.mock.clone() {
        Some(state) => mock::run(lang, &state),
        None => run(options),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{}", fault.sentence(lang));
            ExitCode::from(fault.exit_code())
        }
    }
}

fn desktop_lang() -> Lang {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Lang::of_locale(&["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default())
}

fn run(options: Options) -> Result<(), Fault> {
    let is_told = options.common.lang.is_some();
    let (settings, aside) = kept::settings(&Flags {
        profile: options.common.profile,
        tenant: options.common.tenant,
        lang: options.common.lang,
        path: options.path,
        log: options.common.log,
        proxy: options.proxy,
    })?;
    tasuki_peer::programs::surface::start_log(&settings.log)?;
    let door = match single::start("tasuki-operator", &settings.profile, None) {
        Start::Second => return Ok(()),
        Start::First(door) => door,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|why| Fault::System { what: "a thread", why: why.to_string() })?;
    let (window, next_is_kept) = open_window()?;
    let app = App::start((&window, next_is_kept), &runtime, (settings, is_told), aside);
    if let Some(door) = door {
        let first = window.as_weak();
        door.attend(move |_| drop(first.upgrade_in_event_loop(|window| front::present(&window))));
    }
    let ran = window.run().map_err(|why| no_window(&why));
    app.leave();
    runtime.shutdown_timeout(FAREWELL);
    ran
}

/// # Errors
/// [`Fault::NoDisplay`] without a desktop, else what the toolkit says of it.
pub(super) fn open_window() -> Result<(OperatorWindow, NextIsKept), Fault> {
    let next_is_kept = upkeep::choose_toolkit("tasuki-operator")?;
    let window = crate::start_toolkit(OperatorWindow::new)?;
    room::keep_on_screen(&window);
    Ok((window, next_is_kept))
}

pub(super) fn no_window(why: &slint::PlatformError) -> Fault {
    crate::unusable(why)
}

/// Cheap to clone; all clones are one program.
#[derive(Clone)]
struct App(Rc<Inner>);

struct Inner {
    window: slint::Weak<OperatorWindow>,
    state: RefCell<State>,
    /// Messages that came while one was carried out.
    waiting: RefCell<VecDeque<Msg>>,
    news: RefCell<mpsc::Receiver<News>>,
    /// The window has its turn; what is told meanwhile is heard after it.
    rests: Cell<bool>,
    screen: Screen<OperatorWindow>,
    sharing: RefCell<Sharing>,
    examining: Examining,
    second: Timer,
}

struct State {
    model: Model,
    engine: Engine,
    pictures: Vec<(TabId, Viewer)>,
    watched: Option<TabId>,
}

impl App {
    fn start(
        (window, next_is_kept): (&OperatorWindow, NextIsKept),
        runtime: &Runtime,
        (settings, is_told): (Settings, bool),
        aside: Option<PathBuf>,
    ) -> Self {
        let ring = window.as_weak();
        let (teller, news) = Teller::new(move || {
            let _ = ring.upgrade_in_event_loop(|window| {
                window.global::<Operator<'_>>().invoke_news();
            });
        });
        let found = files::look(&settings, aside);
        let mut model = Model::new(settings.lang, files::now());
        model.zone = TimeZone::system();
        model.usual_folder = files::pictures_folder();
        model.told_lang = is_told.then_some(settings.lang);
        let engine = Engine::new(runtime.handle().clone(), settings, teller);
        let state = State { model, engine, pictures: Vec::new(), watched: None };
        let app = Rc::new_cyclic(|app: &std::rc::Weak<Inner>| {
            let told = app.clone();
            let screen = Screen::attach(window, runtime.handle().clone(), move |told_now| {
                if let Some(app) = told.upgrade() {
                    App(app).told(told_now);
                }
            });
            Inner {
                window: window.as_weak(),
                state: RefCell::new(state),
                waiting: RefCell::default(),
                news: RefCell::new(news),
                rests: Cell::default(),
                screen: screen.hearing(window),
                sharing: RefCell::new(Sharing::new(next_is_kept)),
                examining: Examining::new(runtime.handle().clone()),
                second: Timer::default(),
            }
        });
        let app = Self(app);
        app.wire(window);
        app.send(Msg::Started(Box::new(found)));
        app
    }

    fn wire(&self, window: &OperatorWindow) {
        let app = self.clone();
        wire::wire(window, move |msg| {
            if let Ok(state) = app.0.state.try_borrow() {
                state.engine.used();
            }
            app.send(msg);
        });
        let app = self.clone();
        window.global::<Operator<'_>>().on_news(move || app.hear());
        let app = self.clone();
        window.window().on_close_requested(move || {
            app.send(Msg::Quit);
            // It goes with the program, which may ask before that.
            slint::CloseRequestResponse::KeepWindowShown
        });
    }

    /// One message at a time; what comes meanwhile waits.
    fn send(&self, msg: Msg) {
        let Ok(mut state) = self.0.state.try_borrow_mut() else {
            return self.0.waiting.borrow_mut().push_back(msg);
        };
        let mut next = Some(msg);
        while let Some(msg) = next {
            let effects = update_at(&mut state.model, files::now(), msg);
            for effect in effects {
                self.carry_out(&mut state, effect);
            }
            next = self.0.waiting.borrow_mut().pop_front();
        }
        let idle = state.model.idle();
        state.engine.stand(idle);
        let State { model, pictures, .. } = &mut *state;
        pictures.retain(|(tab, _)| model.tab(*tab).is_some());
        if let Some(window) = self.0.window.upgrade() {
            view::show(&state.model, &window);
        }
        self.keep_time(&state.model);
        let look = Look::of(&state.model, &state.pictures);
        let all = Sharings::of(&state.model);
        let manner = (state.model.lang(), state.model.preferences.shade);
        drop(state);
        self.look(look);
        self.share(&all, manner);
    }

    /// So much at a time, however much is told: the window paints and hears its person in between.
    fn hear(&self) {
        if self.0.rests.get() {
            return;
        }
        for heard in 0..turns::BATCH {
            let news = self.0.news.borrow_mut().try_recv();
            match news {
                Ok(News::Told(msg)) => self.send(*msg),
                Ok(News::Picture(tab, viewer)) => {
                    let mut state = self.0.state.borrow_mut();
                    state.pictures.retain(|(known, _)| *known != tab);
                    state.pictures.push((tab, viewer));
                }
                Err(_) if heard == 0 => return,
                Err(_) => break,
            }
        }
        self.0.rests.set(true);
        let app = self.clone();
        turns::after_the_window(move || {
            app.0.rests.set(false);
            app.hear();
        });
    }

    /// Hands over the picture: straight to the session, as they move often.
    fn told(&self, told: Told) {
        let Ok(mut state) = self.0.state.try_borrow_mut() else { return };
        let Some(tab) = state.watched else { return };
        match told {
            Told::Act(event) => {
                let wish = Msg::Wish(tab, Wish::Operate(event));
                for effect in update_at(&mut state.model, files::now(), wish) {
                    self.carry_out(&mut state, effect);
                }
            }
            Told::Layout(layout) => {
                drop(state);
                self.send(Msg::Session(tab, Happened::Layout(layout)));
            }
            Told::Reach(_) => {}
        }
    }

    fn carry_out(&self, state: &mut State, effect: Effect) {
        let engine = &mut state.engine;
        match effect {
            Effect::SignIn(form) => engine.sign_in(form),
            Effect::SignOut => engine.sign_out(),
            Effect::ChangePassword { old, new } => engine.change_password(&old, &new),
            Effect::Dial { tab, mode, note } => engine.dial(tab, mode, note),
            Effect::Confirm { tab, by, secret } => engine.confirm(tab, by, secret),
            Effect::Act(tab, act) => engine.act(tab, act),
            Effect::HangUp(tab) => engine.hang_up(tab),
            Effect::Copy(text, what) => self.copy(&text.0, what),
            Effect::SaveScreenshot(tab) => {
                let customer = state.model.tab(tab).map(|tab| tab.note.customer.clone());
                let file = files::picture_file(
                    &state.model.preferences,
                    &customer.unwrap_or_default(),
                    (state.model.now, &state.model.zone),
                );
                engine.screenshot(tab, file);
            }
            Effect::AskReport(tab) => engine.ask_report(tab),
            Effect::AskMonitors(tab) => engine.ask_monitors(tab),
            Effect::LookAgain => {
                let found = files::look(engine.settings(), None);
                self.0.waiting.borrow_mut().push_back(Msg::Started(Box::new(found)));
            }
            Effect::OpenReceipt(file) => self.told_of(documents::open(&file).map(|()| None)),
            Effect::SaveReceipt(file) => {
                self.told_of(documents::save(&file).map(|file| Some(ToastWhat::Saved(file))));
            }
            Effect::Keep(chosen) => {
                let chosen = serde_json::to_vec(&chosen).unwrap_or_default();
                self.told_of(engine.write(preferences::FILE, &chosen).map(|()| None));
            }
            Effect::KeepHistory(sessions) => {
                let sessions = history::bytes(&sessions);
                self.told_of(engine.write(history::FILE, &sessions).map(|()| None));
            }
            Effect::Checkup(effect) => {
                let (app, whole) = (self.clone(), (engine.settings(), Desk::LetBe));
                let tell = move |msg| app.send(Msg::Checkup(msg));
                self.told_of(self.0.examining.carry_out(effect, whole, tell).map(|()| None));
            }
            Effect::Present => drop(self.0.window.upgrade().inspect(front::present)),
            Effect::Attend => drop(self.0.window.upgrade().inspect(front::attend)),
            Effect::Exit => {
                let _ = slint::quit_event_loop();
            }
        }
    }

    fn copy(&self, text: &str, what: ToastWhat) {
        if let Some(window) = self.0.window.upgrade() {
            window.invoke_put_on_clipboard(text.into());
            self.0.waiting.borrow_mut().push_back(Msg::Told(what));
        }
    }

    fn told_of(&self, done: Result<Option<ToastWhat>, Fault>) {
        if let Some(what) = done.unwrap_or_else(|fault| Some(ToastWhat::Failed(fault))) {
            self.0.waiting.borrow_mut().push_back(Msg::Told(what));
        }
    }

    /// A second is counted only while something counts down or up.
    fn keep_time(&self, model: &Model) {
        let second = &self.0.second;
        match (model.counts(), second.running()) {
            (true, false) => {
                let app = self.clone();
                second.start(TimerMode::Repeated, Duration::from_secs(1), move || {
                    app.send(Msg::Tick(files::now()));
                });
            }
            (false, true) => second.stop(),
            (true, true) | (false, false) => {}
        }
    }

    /// The picture, and who has the keyboard, follow the tab that is looked at.
    fn look(&self, look: Look) {
        let screen = &self.0.screen;
        let tab = look.picture.as_ref().map(|(tab, _)| *tab);
        if self.0.state.borrow().watched != tab {
            // What is held is let go at the computer that it is held on, so before another one is looked at.
            screen.watch(look.picture.map(|(_, viewer)| viewer));
            self.0.state.borrow_mut().watched = tab;
        }
        screen.keyboard(look.keyboard);
        screen.zoom(look.zoom);
        screen.allow(look.allowed);
    }

    fn share(&self, all: &Sharings, manner: (Lang, Shade)) {
        let Some(window) = self.0.window.upgrade() else { return };
        // What a window of the sharing tells while it is made is looked at when the next second is told.
        let Ok(mut sharing) = self.0.sharing.try_borrow_mut() else { return };
        let app = self.clone();
        let bare = sharing.show(all, manner, window.window(), &move |msg| app.send(msg));
        drop(sharing);
        bare.into_iter().for_each(|msg| self.send(msg));
    }

    fn leave(self) {
        let engine = &mut self.0.state.borrow_mut().engine;
        engine.leave(FAREWELL);
    }
}
