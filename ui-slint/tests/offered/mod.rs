//! A text on a display's clipboard, as another program offers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Offered until it is dropped.
pub(crate) struct Offered {
    over: Arc<AtomicBool>,
    offering: Option<JoinHandle<()>>,
}

impl Offered {
    pub(crate) fn on(display: &str, text: &'static str) -> Self {
        let (client, screen) = x11rb::connect(Some(display)).unwrap();
        let root = client.setup().roots[screen].root;
        let [clipboard, utf8, targets] = ["CLIPBOARD", "UTF8_STRING", "TARGETS"]
            .map(|name| client.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom);
        let window = client.generate_id().unwrap();
        let (kind, aux) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
        client.create_window(0, window, root, 0, 0, 1, 1, 0, kind, 0, &aux).unwrap();
        client.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME).unwrap().check().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let offering = std::thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                match client.poll_for_event().unwrap() {
                    Some(Event::SelectionRequest(asked)) => {
                        hand_over(&client, &asked, (targets, utf8), text);
                    }
                    Some(_) => {}
                    None => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { over, offering: Some(offering) }
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(self.offering.take().map(JoinHandle::join));
    }
}

fn hand_over(
    client: &RustConnection,
    asked: &SelectionRequestEvent,
    (targets, utf8): (u32, u32),
    text: &str,
) {
    let (to, place) = (asked.requestor, asked.property);
    let is_text = asked.target == utf8;
    if asked.target == targets {
        let kinds = [targets, utf8];
        client.change_property32(PropMode::REPLACE, to, place, AtomEnum::ATOM, &kinds).unwrap();
    } else if is_text {
        client.change_property8(PropMode::REPLACE, to, place, utf8, text.as_bytes()).unwrap();
    }
    let answer = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: asked.time,
        requestor: to,
        selection: asked.selection,
        target: asked.target,
        property: if is_text || asked.target == targets { place } else { x11rb::NONE },
    };
    client.send_event(false, to, EventMask::NO_EVENT, answer).unwrap();
    client.flush().unwrap();
}
