//! What a picture costs: CPU time of the painting thread (what it asks of the X server with it), of the window's thread and
//! of the X server, for a whole 1920x1080 picture and for one letter, at 1:1 and scaled; past the toolkit, and by it while
//! a line stands over the picture. `measure` runs it.

#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use slint::{ComponentHandle, LogicalSize, Weak};
use tasuki_media::blocks::{Area, ChangedBlocks};
use tasuki_media::i420::I420;
use tasuki_media::screen::Pixels;
use tasuki_media::vp8::{Bitrate, Coding, Encoder};
use tasuki_peer::core::io::PictureCommand;
use tasuki_peer::core::path::VideoFrame;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_protocol::screen::{CursorPosition, CursorShape};
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::{scenes, view};
use tasuki_ui_slint::viewer::screen::Screen;
use tasuki_ui_slint::windows::{MoreState, OperatorWindow, Session};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SOURCE: (u16, u16) = (1920, 1080);
const SCALED: (u16, u16) = (1440, 810);
/// What of the window is not the picture's.
const AROUND: (u16, u16) = (84, 125);
const FRAMES: u32 = 60;
/// The first ones settle the window.
const BEFORE: u32 = 5;
const EACH: Duration = Duration::from_millis(30);
const SETTLING: Duration = Duration::from_millis(800);

thread_local! {
    static SCREEN: RefCell<Option<Screen<OperatorWindow>>> = const { RefCell::new(None) };
}

fn main() -> Result<(), Box<dyn Error>> {
    let window = OperatorWindow::new()?;
    window.window().set_size(size(SOURCE));
    let scenes = scenes::all(Lang::En, Shade::Light);
    let scene = scenes.iter().find(|scene| scene.name == "operator-viewer").ok_or("no such scene")?;
    view::show(&scene.model, &window);
    let runtime = tokio::runtime::Runtime::new()?;
    let viewer = Viewer::default();
    let screen = Screen::attach(&window, runtime.handle().clone(), |_| {});
    screen.watch(Some(viewer.clone()));
    SCREEN.set(Some(screen));
    let shown = window.as_weak();
    let driver = std::thread::spawn(move || {
        let table = drive(&shown, &viewer);
        viewer.stop();
        let _ = slint::invoke_from_event_loop(|| {
            let _ = slint::quit_event_loop();
        });
        table
    });
    window.run()?;
    SCREEN.set(None);
    let table = driver.join().map_err(|_| "the driver has failed")?.map_err(|why| why.to_string())?;
    print!("{table}");
    Ok(())
}

fn size((width, height): (u16, u16)) -> LogicalSize {
    LogicalSize::new((width + AROUND.0).into(), (height + AROUND.1).into())
}

fn letter() -> Area {
    Area { left: 640, top: 400, right: 656, bottom: 416 }
}

/// The table.
fn drive(window: &Weak<OperatorWindow>, viewer: &Viewer) -> Outcome<String> {
    let mut source = Source::new()?;
    viewer.act(PictureCommand::CursorShape(arrow()));
    viewer.act(PictureCommand::Cursor(CursorPosition(Some((700, 420)))));
    let mut table = "| what is painted | painting thread, ms | window's thread, ms | X server, ms |\n|---|---:|---:|---:|\n"
        .to_owned();
    for (over, words) in [(MoreState::None, ""), (MoreState::Refused, ", under a line")] {
        for (target, size) in [(SOURCE, "1920x1080 at 1:1"), (SCALED, "1920x1080 as 1440x810")] {
            on_window(window, move |window| {
                window.window().set_size(self::size(target));
                window.global::<Session<'_>>().set_more(over);
            })?;
            for (area, what) in [(None, "all of it"), (Some(letter()), "one letter")] {
                let spent = measure(window, viewer, &mut source, area)?;
                let [painting, windows, server] = spent.map(|spent| spent.as_secs_f64() * 1000.0);
                table += &format!(
                    "| {size}, {what}{words} | {painting:.2} | {windows:.2} | {server:.2} |\n"
                );
            }
        }
    }
    Ok(table)
}

/// What a picture took: the painting thread, the window's, the server.
fn measure(
    window: &Weak<OperatorWindow>,
    viewer: &Viewer,
    source: &mut Source,
    area: Option<Area>,
) -> Outcome<[Duration; 3]> {
    let frames = source.frames(BEFORE + FRAMES, area)?;
    let (before, counted) = frames.split_at(BEFORE as usize);
    let show = |frames: &[VideoFrame]| {
        for frame in frames {
            let count = viewer.shown().count;
            viewer.act(PictureCommand::Frame(frame.clone()));
            while viewer.shown().count == count {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(EACH);
        }
        std::thread::sleep(SETTLING);
    };
    show(before);
    let (begun, pictures) = clocks(window)?;
    show(counted);
    let (ended, now) = clocks(window)?;
    // The newest wins: on a busy machine some were never looked at.
    let painted = u32::try_from(now - pictures)?.max(1);
    if painted < FRAMES / 2 {
        return Err(
            format!("{painted} of {FRAMES} pictures were painted: the machine is too busy").into()
        );
    }
    Ok(std::array::from_fn(|at| ended[at].saturating_sub(begun[at]) / painted))
}

/// Of the three, and how many pictures were painted.
fn clocks(window: &Weak<OperatorWindow>) -> Outcome<([Duration; 3], u64)> {
    let server = server_cpu()?;
    on_window(window, move |_| {
        let spent = SCREEN.with_borrow(|screen| screen.as_ref().map(Screen::spent).unwrap_or_default());
        ([spent.cpu, thread_cpu(), server], spent.pictures)
    })
}

fn on_window<T: Send + 'static>(
    window: &Weak<OperatorWindow>,
    act: impl FnOnce(OperatorWindow) -> T + Send + 'static,
) -> Outcome<T> {
    let (tell, told) = mpsc::sync_channel(1);
    window.upgrade_in_event_loop(move |window| {
        let _ = tell.send(act(window));
    })?;
    Ok(told.recv()?)
}

/// Two pictures in turn that differ everywhere, or by a letter.
struct Source {
    encoder: Encoder,
    bgra: Vec<u8>,
    picture: I420,
    number: u32,
}

impl Source {
    fn new() -> Outcome<Self> {
        let encoder = Encoder::new(SOURCE.0, SOURCE.1, Bitrate(20_000_000))?;
        let bgra = vec![0; usize::from(SOURCE.0) * usize::from(SOURCE.1) * 4];
        Ok(Self { encoder, bgra, picture: I420::new(SOURCE.0, SOURCE.1), number: 0 })
    }

    fn frames(&mut self, count: u32, area: Option<Area>) -> Outcome<Vec<VideoFrame>> {
        (0..count).map(|_| self.frame(area)).collect()
    }

    fn frame(&mut self, area: Option<Area>) -> Outcome<VideoFrame> {
        self.number += 1;
        let (width, height) = SOURCE;
        let mut changed = ChangedBlocks::none(width, height);
        let all = Area { left: 0, top: 0, right: width.into(), bottom: height.into() };
        changed.insert_area(area.unwrap_or(all));
        let what = if area.is_some() { Drawn::Letter } else { Drawn::Whole };
        self.draw(area.unwrap_or(all), what);
        let stride = usize::from(width) * 4;
        self.picture.update(&Pixels { bgra: &self.bgra, stride, width, height, changed: &changed });
        let is_whole = area.is_none() || self.number == 1;
        let coding = if is_whole { Coding::Key } else { Coding::Delta(&changed) };
        let packet = self.encoder.encode(&self.picture, coding)?;
        let kind = if is_whole { FrameKind::Key } else { FrameKind::Delta };
        let header = VideoHeader { number: self.number, kind };
        Ok(VideoFrame { header, vp8: packet.bytes })
    }

    /// Another shade of grey all over, or strokes of a letter on it.
    fn draw(&mut self, area: Area, what: Drawn) {
        let turn = self.number as usize % 2 * 2;
        for y in area.top..area.bottom {
            let row = y * usize::from(SOURCE.0);
            for x in area.left..area.right {
                let is_ink = what == Drawn::Letter && (x / 2 + y / 4 + turn).is_multiple_of(4);
                let shade = if is_ink { 20 } else { 200 };
                let shade = if what == Drawn::Whole { 180 + turn * 20 } else { shade };
                self.bgra[(row + x) * 4..][..4].fill(shade as u8);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Whole,
    Letter,
}

fn arrow() -> CursorShape {
    let dot = |at: usize| if at % 16 <= at / 16 { [0, 0, 0, 255] } else { [0; 4] };
    CursorShape { width: 16, height: 16, hot_x: 0, hot_y: 0, rgba: (0..256).flat_map(dot).collect() }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Of the process at the other end of a connection to the display: its own time and the kernel's for it (proc(5)).
fn server_cpu() -> Outcome<Duration> {
    let (display, _) = x11rb::connect(None)?;
    let server = rustix::net::sockopt::socket_peercred(display.stream())?.pid;
    let facts = std::fs::read_to_string(format!("/proc/{}/schedstat", server.as_raw_nonzero()))?;
    let nanoseconds = facts.split(' ').next().ok_or("an odd schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}
