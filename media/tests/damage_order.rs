//! Damage that travels with a reply is not slept over.
//!
//! The library reads whatever the socket has while it waits for a reply; an event among it
//! never wakes a wait on the socket. A go-between draws at just that moment.

mod desktop;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use desktop::{Client, Desktop, rectangle, settle};
use tasuki_media::screen::Screen;
use tasuki_media::x11::X11Screen;

/// X11's number of the request for the pointer's place.
const QUERY_POINTER: u8 = 38;
const LONG: Duration = Duration::from_secs(30);

#[test]
fn damage_that_arrives_with_a_reply_is_not_slept_over() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 640, 480);
    desktop.call("xdotool", &["mousemove", "0", "0"]);
    let armed = Arc::new(AtomicBool::new(false));
    let (trigger, painted) = (Arc::clone(&armed), Client::connect(&desktop.display));
    let between = GoBetween::start(&desktop.display, move |request| {
        if request == QUERY_POINTER && trigger.swap(false, Ordering::SeqCst) {
            // The screen waits for the pointer's place; the damage comes first.
            painted.fill(window, rectangle(100, 100, 16, 16), 0xFF_FF_FF);
        }
    });
    let mut screen = X11Screen::open(Some(&between)).expect("a screen");
    settle(&mut screen, Duration::from_millis(300));
    armed.store(true, Ordering::SeqCst);
    let display = desktop.display.clone();
    // A motion against the edge asks for the pointer's place and brings no news by itself.
    let hand = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let moved = std::process::Command::new("xdotool")
            .args(["mousemove_relative", "--", "-5", "-5"])
            .env("DISPLAY", display)
            .status();
        assert!(moved.expect("xdotool").success());
    });
    let changed = screen.grab(LONG).expect("a grab").picture.map(|p| p.changed.clone());
    hand.join().expect("no panic");
    assert!(!armed.load(Ordering::SeqCst), "the moment never came");
    assert!(changed.is_some_and(|changed| !changed.is_empty()), "the change was slept over");
}

/// Passes everything on, and calls `watch` with each request before the server has it.
struct GoBetween;

impl GoBetween {
    /// The name of a display that leads to `display`.
    fn start(display: &str, mut watch: impl FnMut(u8) + Send + 'static) -> String {
        let (listener, number) = (0..1000u16)
            .map(|n| 300 + n)
            .find_map(|n| TcpListener::bind(("127.0.0.1", 6000 + n)).ok().map(|l| (l, n)))
            .expect("a free port");
        let server = UnixStream::connect(format!("/tmp/.X11-unix/X{}", &display[1..]));
        let server = server.expect("the display's socket");
        thread::spawn(move || {
            let (near, _) = listener.accept().expect("a client");
            let (mut replies, mut back) =
                (server.try_clone().expect("a pipe"), near.try_clone().expect("a pipe"));
            thread::spawn(move || std::io::copy(&mut replies, &mut back));
            pass_requests(near, server, &mut watch)
        });
        format!("127.0.0.1:{number}")
    }
}

/// Until one side is gone.
fn pass_requests(
    mut from: TcpStream,
    mut to: UnixStream,
    watch: &mut impl FnMut(u8),
) -> std::io::Result<()> {
    let mut greeting = [0; 12];
    from.read_exact(&mut greeting)?;
    let part = |at: usize| usize::from(u16::from_le_bytes([greeting[at], greeting[at + 1]]));
    let mut names = vec![0; part(6).next_multiple_of(4) + part(8).next_multiple_of(4)];
    from.read_exact(&mut names)?;
    to.write_all(&greeting)?;
    to.write_all(&names)?;
    loop {
        let mut head = [0; 4];
        from.read_exact(&mut head)?;
        let words = usize::from(u16::from_le_bytes([head[2], head[3]]));
        assert!(words > 0, "no request here is longer than 256 KiB");
        let mut rest = vec![0; words * 4 - 4];
        from.read_exact(&mut rest)?;
        watch(head[0]);
        to.write_all(&[&head[..], &rest].concat())?;
    }
}
