//! A program that keeps the display busy, so that the window which has End hears nobody (S31, T32). By itself: the
//! flood takes the time of whatever runs beside it.

#![allow(clippy::unwrap_used)]

mod hand;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, WindowClass};

use hand::{Desk, Mock, PATIENCE};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const SPACE: u32 = 0x20;

/// S31, T32: whatever other programs do with their windows, however fast.
#[test]
fn s31_t32_a_flood_of_window_events_keeps_no_end_from_the_person() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    while desk.xdotool(&["getwindowfocus", "getwindowname"]).is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(1));
    let stop = Arc::new(AtomicBool::new(false));
    let ((client, screen), stopping) =
        (x11rb::connect(Some(&desk.display)).unwrap(), Arc::clone(&stop));
    let flood = std::thread::spawn(move || {
        let (one, root) = (client.generate_id().unwrap(), client.setup().roots[screen].root);
        let (depth, kind) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let unmanaged = CreateWindowAux::new().override_redirect(1);
        client.create_window(depth, one, root, 0, 0, 300, 60, 0, kind, 0, &unmanaged).unwrap();
        for step in 0.. {
            let aside = ConfigureWindowAux::new().x(step % 2);
            client.configure_window(one, &aside).unwrap();
            if step % 1000 == 0 {
                // Not more than the display takes.
                client.get_input_focus().unwrap().reply().unwrap();
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    std::thread::sleep(Duration::from_secs(1));
    desk.key(SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "End has the focus");
    desk.xdotool(&["key", "ctrl+alt+shift+e"]);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"), "the stop key");
    stop.store(true, Ordering::Relaxed);
    flood.join().unwrap();
}
