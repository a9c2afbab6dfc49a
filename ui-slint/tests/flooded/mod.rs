//! A program that keeps the display busy, so that the window which has End hears nobody (S31, T32).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt as _};

use super::hand::{Desk, Mock, PATIENCE};
use super::rival::Rival;
use super::{AGENT, SPACE, allow_is_seen};

/// S31, T32: whatever other programs do with their windows, however fast.
#[test]
fn s31_t32_a_flood_of_window_events_keeps_no_end_from_the_person() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-control", &desk.display);
    allow_is_seen(&desk);
    let stop = Arc::new(AtomicBool::new(false));
    let (rival, stopping) = (Rival::of(&desk), Arc::clone(&stop));
    let flood = std::thread::spawn(move || {
        let one = rival.window((300, 60), 1);
        for step in 0.. {
            let aside = ConfigureWindowAux::new().x(step % 2);
            rival.client.configure_window(one, &aside).unwrap();
            if step % 1000 == 0 {
                // Not more than the display takes.
                rival.client.get_input_focus().unwrap().reply().unwrap();
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
