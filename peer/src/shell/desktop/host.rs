//! The host's desktop: a capture thread, an injector thread, and a watcher for
//! the person's own hands.
//!
//! Each starts only for a permit and stops before anything else is done (S31).
//! Decides nothing of rights or pace: the core demands, the source encodes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tasuki_media::desktop::{self, LocalInput, OwnScreen};
use tasuki_media::input::{InjectError, Injector};
use tasuki_media::screen::{ScreenError, Waker};
use tasuki_media::video::{self, Source};
use tasuki_media::vp8::{Bitrate, FrameKind as CodedKind};
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::rights::{Operate, Permit, SeeScreen};
use tasuki_protocol::screen::MonitorId;

use super::Mailbox;
use super::acts::{Acts, Next};
use crate::core::io::{Demand, DesktopCommand, DesktopEvent, KeyFrame};
use crate::core::path::VideoFrame;

/// How long a thread sleeps when nothing happens; a waker ends it at once.
const LONG: Duration = Duration::from_secs(3600);
/// The person's own input is told no more often than this.
const TOUCH_PAUSE: Duration = Duration::from_millis(100);

/// The running parts of a shown desktop. Dropping it stops them.
#[derive(Debug)]
pub struct Host {
    display: Option<String>,
    mailbox: Mailbox,
    capture: Option<Capture>,
    hands: Option<Hands>,
}

impl Host {
    /// Touches no desktop. `display` as in DISPLAY; `None` takes the environment's.
    pub fn new(display: Option<String>, mailbox: Mailbox) -> Self {
        Self { display, mailbox, capture: None, hands: None }
    }

    pub fn act(&mut self, command: DesktopCommand) {
        match command {
            DesktopCommand::StartCapture(permit) => self.start_capture(permit),
            DesktopCommand::StartInjector(permit) => self.start_hands(permit),
            DesktopCommand::Demand(demand) => self.order(|orders| orders.demand = Some(demand)),
            DesktopCommand::ShowMonitor(monitor) => self.order(|orders| orders.show = Some(monitor)),
            DesktopCommand::Inject(permit, event) => {
                if let Some(hands) = &self.hands {
                    hands.acts.add(permit, event);
                }
            }
            DesktopCommand::ReleaseAll => self.hands.iter().for_each(|hands| hands.acts.cut()),
            DesktopCommand::Stop => self.stop(),
        }
    }

    /// Ends capture and injection; when it returns, neither happens any more.
    pub fn stop(&mut self) {
        drop(self.capture.take());
        drop(self.hands.take());
        self.mailbox.clear();
    }

    fn start_capture(&mut self, _permit: Permit<SeeScreen>) {
        if self.capture.is_some() {
            return;
        }
        match Capture::start(self.display.as_deref(), &self.mailbox) {
            Ok(capture) => self.capture = Some(capture),
            Err(why) => self.mailbox.put(DesktopEvent::Failed(why.to_string())),
        }
    }

    fn start_hands(&mut self, _permit: Permit<Operate>) {
        if self.hands.is_some() {
            return;
        }
        match Hands::start(self.display.as_deref(), &self.mailbox) {
            Ok(hands) => self.hands = Some(hands),
            Err(why) => self.mailbox.put(DesktopEvent::Failed(why.to_string())),
        }
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        if let Some(capture) = &self.capture {
            capture.orders.change(change);
            capture.waker.wake();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Debug)]
struct Capture {
    orders: Arc<Desk>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Desk {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Orders {
    run: Run,
    demand: Option<Demand>,
    show: Option<MonitorId>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Run {
    #[default]
    On,
    Stopped,
}

impl Desk {
    fn change(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// The next demand and change of monitor; `None` when it is over.
    fn next(&self) -> Option<(Demand, Option<MonitorId>)> {
        let mut orders = self.lock();
        loop {
            if orders.run == Run::Stopped {
                return None;
            }
            if let Some(demand) = orders.demand.take() {
                return Some((demand, orders.show.take()));
            }
            orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Capture {
    fn start(display: Option<&str>, mailbox: &Mailbox) -> Result<Self, ScreenError> {
        let source = Source::new(Box::new(OwnScreen::open(display)?));
        let waker = source.waker();
        let orders = Arc::new(Desk::default());
        let (desk, mailbox) = (Arc::clone(&orders), mailbox.clone());
        let thread = spawn("tasuki-capture", move || capture(source, &desk, &mailbox))?;
        Ok(Self { orders, waker, thread: Some(thread) })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.orders.change(|orders| orders.run = Run::Stopped);
        self.waker.wake();
        self.thread.take().into_iter().for_each(join);
    }
}

fn capture(mut source: Source, desk: &Desk, mailbox: &Mailbox) {
    while let Some((demand, show)) = desk.next() {
        if let Some(monitor) = show
            && let Err(why) = source.show(monitor)
        {
            tracing::info!(%why, "a monitor was asked for that is not there");
        }
        let step = match source.next(wanted(demand), LONG) {
            Ok(step) => step,
            Err(why) => return mailbox.put(DesktopEvent::Failed(why.to_string())),
        };
        if step.frame.is_none() {
            // The demand stands until a frame answers it, unless a newer one came.
            desk.change(|orders| {
                orders.demand.get_or_insert(demand);
            });
        }
        tell(step, mailbox);
    }
}

fn wanted(demand: Demand) -> video::Demand {
    video::Demand {
        bitrate: Bitrate(u32::try_from(demand.bits_per_second).unwrap_or(u32::MAX)),
        key_frame: match demand.key_frame {
            KeyFrame::Forced => video::KeyFrame::Now,
            KeyFrame::AsNeeded => video::KeyFrame::WhenNeeded,
        },
    }
}

fn tell(step: video::Step, mailbox: &Mailbox) {
    if let Some(layout) = step.layout {
        mailbox.put(DesktopEvent::Layout(layout));
    }
    if let Some(shape) = step.cursor_shape {
        mailbox.put(DesktopEvent::CursorShape(shape));
    }
    if let Some(cursor) = step.cursor_position {
        mailbox.put(DesktopEvent::Cursor(cursor));
    }
    if let Some(frame) = step.frame {
        let header = VideoHeader {
            number: u32::try_from(frame.number).unwrap_or(u32::MAX),
            kind: match frame.kind {
                CodedKind::Key => FrameKind::Key,
                CodedKind::Delta => FrameKind::Delta,
            },
        };
        mailbox.put(DesktopEvent::Frame(VideoFrame { header, vp8: frame.bytes }));
    }
}

#[derive(Debug)]
struct Hands {
    acts: Arc<Acts>,
    watching: Waker,
    threads: Vec<JoinHandle<()>>,
}

impl Hands {
    fn start(display: Option<&str>, mailbox: &Mailbox) -> Result<Self, ScreenError> {
        let injector = desktop::Hands::open(display)?;
        let local = LocalInput::open(display, injector.echo())?;
        let (acts, watching) = (Arc::new(Acts::of(injector.interrupt())), local.waker());
        let mut hands = Self { acts, watching, threads: Vec::new() };
        let (acts, reports) = (Arc::clone(&hands.acts), mailbox.clone());
        let work = move || inject(injector, &acts, &reports);
        hands.threads.push(spawn("tasuki-hands", work)?);
        let (acts, reports) = (Arc::clone(&hands.acts), mailbox.clone());
        let work = move || watch(local, &acts, &reports);
        hands.threads.push(spawn("tasuki-local", work)?);
        Ok(hands)
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.acts.stop();
        self.watching.wake();
        self.threads.drain(..).for_each(join);
    }
}

/// The injector lets go of everything held when it is dropped.
fn inject(mut injector: desktop::Hands, acts: &Acts, mailbox: &Mailbox) {
    while let Some(next) = acts.next() {
        match next {
            Next::ReleaseAll => injector.release_all(),
            Next::Inject(_, event, leave) => match injector.inject_with(&event, &leave) {
                Ok(()) => {}
                Err(why @ InjectError::Lost) => {
                    return mailbox.put(DesktopEvent::Failed(why.to_string()));
                }
                Err(why) => tracing::info!(%why, "an act was not carried out"),
            },
        }
    }
}

fn watch(mut local: LocalInput, acts: &Acts, mailbox: &Mailbox) {
    while acts.goes_on() {
        match local.wait(LONG) {
            Ok(Some(_)) => {
                acts.cut();
                mailbox.put(DesktopEvent::LocalInput);
                acts.rest(TOUCH_PAUSE);
            }
            Ok(None) => {}
            // Without it nobody's hand would come before the viewer's (T32).
            Err(why) => return mailbox.put(DesktopEvent::Failed(why.to_string())),
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ScreenError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|why| {
        tracing::error!(%why, "no thread could be started");
        ScreenError::NoThread
    })
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the desktop ended by a panic");
    }
}
