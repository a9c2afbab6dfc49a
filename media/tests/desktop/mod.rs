//! A desktop for one test: its own Xvfb, its programs, and an eye and a hand on them.
//!
//! Ends everything that it started when it is dropped. Knows nothing of what a test shows.

#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tasuki_media::blocks::ChangedBlocks;
use tasuki_media::screen::{Grab, Screen};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, Gcontext, InputFocus,
    Rectangle, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Long enough for a busy machine; a test that waits this long fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Desktop {
    server: Child,
    programs: Vec<Child>,
    pub(crate) display: String,
}

impl Desktop {
    /// An X server with a screen such as `1920x1080x24`.
    pub(crate) fn start(screen: &str) -> Self {
        Self::start_with(screen, &[])
    }

    pub(crate) fn start_with(screen: &str, more: &[&str]) -> Self {
        // Two that look for a free display at the same moment may pick the same one.
        let turns = fs::File::create(std::env::temp_dir().join("tasuki-tests-x.lock")).expect("a file");
        turns.lock().expect("a turn");
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0", screen])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        let told = server.stdout.take().expect("a pipe");
        BufReader::new(told).read_line(&mut number).expect("Xvfb tells its display");
        let display = format!(":{}", number.trim());
        assert!(number.trim().parse::<u32>().is_ok(), "Xvfb did not start: {number:?}");
        Self { server, programs: Vec::new(), display }
    }

    pub(crate) fn run(&mut self, program: &str, args: &[&str]) {
        let child = self.command(program, args).spawn().unwrap_or_else(|e| panic!("{program}: {e}"));
        self.programs.push(child);
    }

    /// Runs a program to its end, successfully.
    pub(crate) fn call(&self, program: &str, args: &[&str]) {
        let status = self.command(program, args).status().unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(status.success(), "{program} {args:?}: {status}");
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("DISPLAY", &self.display).env("LC_ALL", "C.UTF-8");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// An xterm that writes what is typed into it, a line at a time, to `file`; ready and focused.
    pub(crate) fn xterm_into(&mut self, file: &Path) {
        let script = format!("stty -echo; echo ready > '{0}.ready'; cat > '{0}'", file.display());
        self.run("xterm", &["-u8", "-geometry", "80x24+100+100", "-e", "sh", "-c", &script]);
        let ready = format!("{}.ready", file.display());
        until("xterm starts", || fs::read_to_string(&ready).is_ok_and(|text| text == "ready\n"));
        let client = Client::connect(&self.display);
        until("xterm has the focus", || client.focus_first_window());
    }

    pub(crate) fn stop_server(&mut self) {
        self.server.kill().expect("it runs");
        self.server.wait().expect("it ran");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.programs.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An X program of the test: draws, and tells what it received.
pub(crate) struct Client {
    pub(crate) connection: RustConnection,
    pub(crate) root: Window,
    gc: Gcontext,
}

impl Client {
    pub(crate) fn connect(display: &str) -> Self {
        let (connection, number) = RustConnection::connect(Some(display)).expect("the display answers");
        let root = connection.setup().roots[number].root;
        let gc = connection.generate_id().expect("an id");
        connection.create_gc(gc, root, &CreateGCAux::new()).expect("a gc");
        Self { connection, root, gc }
    }

    /// A mapped window without a window manager's help, with the focus.
    pub(crate) fn window(&self, x: i16, y: i16, width: u16, height: u16) -> Window {
        let window = self.connection.generate_id().expect("an id");
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::POINTER_MOTION
            | EventMask::EXPOSURE;
        let aux = CreateWindowAux::new().event_mask(events).background_pixel(0).override_redirect(1);
        let c = &self.connection;
        c.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            self.root,
            x,
            y,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &aux,
        )
        .expect("a window");
        c.map_window(window).expect("mapped");
        c.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME).expect("focused");
        c.sync().expect("the display answers");
        window
    }

    /// Gives the focus to the first mapped child of the root, if there is one.
    pub(crate) fn focus_first_window(&self) -> bool {
        let c = &self.connection;
        let tree = c.query_tree(self.root).expect("sent").reply().expect("a tree");
        let Some(window) = tree.children.last() else {
            return false;
        };
        let focused = c.set_input_focus(InputFocus::PARENT, *window, x11rb::CURRENT_TIME);
        focused.expect("sent").check().is_ok()
    }

    pub(crate) fn fill(&self, drawable: Window, area: Rectangle, rgb: u32) {
        let c = &self.connection;
        c.change_gc(self.gc, &ChangeGCAux::new().foreground(rgb)).expect("sent");
        c.poly_fill_rectangle(drawable, self.gc, &[area]).expect("sent");
        c.sync().expect("the display answers");
    }

    /// Collects events until `enough` says so.
    pub(crate) fn events_until(&self, what: &str, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        until(what, || {
            while let Some(event) = self.connection.poll_for_event().expect("the display answers") {
                events.push(event);
            }
            enough(&events)
        });
        events
    }
}

pub(crate) fn rectangle(x: i16, y: i16, width: u16, height: u16) -> Rectangle {
    Rectangle { x, y, width, height }
}

/// Waits for a condition, long enough for a busy machine.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a screen told in several grabs, up to and including the first quiet moment.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) layouts: Vec<tasuki_protocol::screen::Layout>,
    pub(crate) shapes: Vec<tasuki_protocol::screen::CursorShape>,
    pub(crate) positions: Vec<tasuki_protocol::screen::CursorPosition>,
    pub(crate) changed: Option<ChangedBlocks>,
    pub(crate) picture: Vec<u8>,
    pub(crate) stride: usize,
}

impl Seen {
    pub(crate) fn take(&mut self, grab: Grab<'_>) {
        self.layouts.extend(grab.layout);
        self.shapes.extend(grab.cursor_shape);
        self.positions.extend(grab.cursor_position);
        let Some(pixels) = grab.picture else {
            return;
        };
        self.picture = pixels.bgra.to_vec();
        self.stride = pixels.stride;
        match &mut self.changed {
            Some(all) if all.total() == pixels.changed.total() => all.union(pixels.changed),
            Some(_) | None => self.changed = Some(pixels.changed.clone()),
        }
    }

    /// Red, green, blue.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = y * self.stride + x * 4;
        [self.picture[at + 2], self.picture[at + 1], self.picture[at]]
    }
}

/// Grabs until nothing is new for `quiet`.
pub(crate) fn settle(screen: &mut dyn Screen, quiet: Duration) -> Seen {
    let mut seen = Seen::default();
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "the screen never rests");
        let grab = screen.grab(quiet).expect("a grab");
        if grab.is_unchanged() {
            return seen;
        }
        seen.take(grab);
    }
}

/// Grabs until `enough` is seen.
pub(crate) fn watch(screen: &mut dyn Screen, what: &str, enough: impl Fn(&Seen) -> bool) -> Seen {
    let mut seen = Seen::default();
    let deadline = Instant::now() + PATIENCE;
    while !enough(&seen) {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        seen.take(screen.grab(Duration::from_millis(200)).expect("a grab"));
    }
    seen
}
