//! A display whose mouse and keyboard are real devices to it, in the hands of a test: Xvnc takes what a
//! VNC client does for the acts of its own devices, and XTEST (xdotool) for what it is.

#![allow(dead_code, reason = "each test program uses another part of this hand")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, WindowClass};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The display, and a client that holds its devices.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) display: String,
    server: Child,
    manager: Option<Child>,
    hand: TcpStream,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let mut desk = Self::start_bare();
        desk.manager = Some(quiet("openbox", &desk.display).spawn().expect("openbox starts"));
        desk.wait_for_manager();
        desk
    }

    /// While it starts, openbox loses windows that ask to be shown; so one of ours asks until it is.
    fn wait_for_manager(&self) {
        let (client, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let root = client.setup().roots[screen].root;
        let state = client.intern_atom(false, b"WM_STATE").unwrap().reply().unwrap().atom;
        let (depth, kind) = (x11rb::COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let is_managed = |window| {
            let asked = client.get_property(false, window, state, state, 0, 2).unwrap();
            asked.reply().unwrap().value_len > 0
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let window = client.generate_id().unwrap();
            let aux = CreateWindowAux::new();
            client.create_window(depth, window, root, 0, 0, 9, 9, 0, kind, 0, &aux).unwrap();
            client.map_window(window).unwrap().check().unwrap();
            let again = Instant::now() + Duration::from_millis(500);
            let mut managed = is_managed(window);
            while !managed && Instant::now() < again {
                std::thread::sleep(Duration::from_millis(10));
                managed = is_managed(window);
            }
            client.destroy_window(window).unwrap().check().unwrap();
            if managed {
                return;
            }
            assert!(Instant::now() < deadline, "openbox manages no window");
        }
    }

    /// Without a window manager: a window stands where it puts itself.
    pub(crate) fn start_bare() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Two that look for a free display at the same moment may pick the same one.
        let turns = File::create(std::env::temp_dir().join("tasuki-tests-x.lock")).unwrap();
        turns.lock().unwrap();
        let mut server = Command::new("Xvnc")
            .args(["-displayfd", "1", "-geometry", "1024x800", "-SecurityTypes", "None", "-localhost"])
            .args(["-rfbport", &port.to_string(), "-ac"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvnc starts (package tigervnc-standalone-server)");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let hand = client(port);
        Self { display, server, manager: None, hand }
    }

    pub(crate) fn click(&mut self, (x, y): (u16, u16)) {
        // A hand comes from somewhere, also where another has put the pointer already.
        self.point((x - 1, y));
        self.point((x, y));
        self.press((x, y));
    }

    pub(crate) fn point(&mut self, place: (u16, u16)) {
        self.mouse(0, place);
    }

    /// A click of a hand that rests at `place` since it pointed there; the pointer may be elsewhere.
    pub(crate) fn press(&mut self, place: (u16, u16)) {
        self.mouse(1, place);
        self.mouse(0, place);
    }

    /// A notch of the wheel.
    pub(crate) fn scroll(&mut self, place: (u16, u16)) {
        self.mouse(8, place);
        self.mouse(0, place);
    }

    fn mouse(&mut self, mask: u8, (x, y): (u16, u16)) {
        let [x1, x2] = x.to_be_bytes();
        let [y1, y2] = y.to_be_bytes();
        self.hand.write_all(&[5, mask, x1, x2, y1, y2]).unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }

    pub(crate) fn key(&mut self, keysym: u32) {
        self.keys_together(&[keysym]);
    }

    /// Pressed one after the other, and let go of in the same order.
    pub(crate) fn keys_together(&mut self, keysyms: &[u32]) {
        for down in [1, 0] {
            for keysym in keysyms {
                let mut event = vec![4, down, 0, 0];
                event.extend(keysym.to_be_bytes());
                self.hand.write_all(&event).unwrap();
                std::thread::sleep(Duration::from_millis(60));
            }
        }
    }

    /// What any program on the display can do without a hand.
    pub(crate) fn xdotool(&self, arguments: &[&str]) -> String {
        self.run("xdotool", arguments)
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.env("DISPLAY", &self.display).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a program of the display has copied.
    pub(crate) fn clipboard(&self) -> Option<String> {
        let (client, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let root = client.setup().roots[screen].root;
        let atom = |name: &[u8]| client.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let (clipboard, text) = (atom(b"CLIPBOARD"), atom(b"UTF8_STRING"));
        let (window, kind) = (client.generate_id().unwrap(), WindowClass::INPUT_ONLY);
        let aux = CreateWindowAux::new();
        client.create_window(0, window, root, 0, 0, 1, 1, 0, kind, 0, &aux).unwrap();
        client.convert_selection(window, clipboard, text, clipboard, x11rb::CURRENT_TIME).unwrap();
        client.flush().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let Some(event) = client.poll_for_event().unwrap() else {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            if let Event::SelectionNotify(told) = event {
                let asked = client.get_property(true, window, clipboard, text, 0, 1024);
                let value = asked.unwrap().reply().unwrap().value;
                return (told.property != x11rb::NONE).then(|| String::from_utf8(value).unwrap());
            }
        }
        None
    }

    /// The window above all others, as the window manager tells; nought where there is none.
    pub(crate) fn front(&self) -> u32 {
        let (client, screen) = x11rb::connect(Some(&self.display)).unwrap();
        let root = client.setup().roots[screen].root;
        let stacking = client.intern_atom(false, b"_NET_CLIENT_LIST_STACKING").unwrap().reply();
        let asked = client.get_property(false, root, stacking.unwrap().atom, AtomEnum::WINDOW, 0, 1024);
        let all = asked.unwrap().reply().unwrap();
        all.value32().and_then(Iterator::last).unwrap_or_default()
    }

    /// Left, top, width and height of a window that no frame surrounds; nought of one that is gone.
    pub(crate) fn geometry(&self, window: u32) -> (i32, i32, i32, i32) {
        let (client, _) = x11rb::connect(Some(&self.display)).unwrap();
        let Ok(place) = client.get_geometry(window).unwrap().reply() else { return (0, 0, 0, 0) };
        (place.x.into(), place.y.into(), place.width.into(), place.height.into())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in self.manager.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// RFC 6143, 7.1 to 7.3, without a password.
fn client(port: u16) -> TcpStream {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    stream.set_nodelay(true).unwrap();
    let mut version = [0; 12];
    stream.read_exact(&mut version).unwrap();
    stream.write_all(b"RFB 003.008\n").unwrap();
    let mut count = [0; 1];
    stream.read_exact(&mut count).unwrap();
    let mut kinds = vec![0; usize::from(count[0])];
    stream.read_exact(&mut kinds).unwrap();
    stream.write_all(&[1]).unwrap();
    let mut result = [0; 4];
    stream.read_exact(&mut result).unwrap();
    assert_eq!(result, [0; 4], "Xvnc takes us");
    stream.write_all(&[1]).unwrap();
    let mut init = [0; 24];
    stream.read_exact(&mut init).unwrap();
    stream
}

/// A window in made-up states, and what it says.
#[derive(Debug)]
pub(crate) struct Mock {
    child: Child,
    lines: Receiver<String>,
}

impl Mock {
    pub(crate) fn start(program: &str, state: &str, display: &str) -> Self {
        Self::start_with(quiet(program, display), state)
    }

    /// In surroundings of its own.
    pub(crate) fn start_with(program: Command, state: &str) -> Self {
        Self::start_in("en", program, state)
    }

    pub(crate) fn start_in(lang: &str, mut program: Command, state: &str) -> Self {
        let mut child =
            program.args(["--lang", lang, "--mock", state]).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = sync_channel(10_000);
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let mock = Self { child, lines };
        assert_eq!(mock.line(PATIENCE).as_deref(), Some(state));
        mock
    }

    /// The next line, if one comes within `patience`.
    pub(crate) fn line(&self, patience: Duration) -> Option<String> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the window is gone"),
        }
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program on a display, and nothing else of a desktop around it.
pub(crate) fn quiet(program: &str, display: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("DISPLAY", display)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
