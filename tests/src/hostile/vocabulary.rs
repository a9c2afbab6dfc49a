//! All that can be said in a session: every kind of message, for tests that say each of them
//! where it is forbidden. `tests/hostile_modes.rs` holds the lists against the wire's own.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::message::{Asked, HostToViewer, ViewerToHost};
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::screen::{CursorPosition, CursorShape, MonitorId};

use crate::world::desktop::layout;

/// All that a viewer can do at a host, with the right that it takes.
pub fn acts() -> Vec<(ViewerToHost, Capability)> {
    use Capability as C;
    use ViewerToHost as V;
    let key = PhysicalKey::ENTER;
    let input = |event| (V::Input(event), C::Operate);
    vec![
        input(InputEvent::PointerMove { monitor: MonitorId(0), x: 5, y: 5 }),
        input(InputEvent::Button { button: PointerButton::Left, action: KeyAction::Press }),
        input(InputEvent::Wheel { dx: 0, dy: 120 }),
        input(InputEvent::Key { key, action: KeyAction::Press }),
        input(InputEvent::Text("x".to_owned())),
        input(InputEvent::ReleaseAll),
        (V::ShowMonitor(MonitorId(1)), C::ChooseScreen),
        (V::NeedKeyFrame, C::SeeScreen),
        (V::ScreenshotTaken, C::Screenshot),
        (V::RecordingStarted, C::Record),
        (V::ListFolder { path: "/".to_owned() }, C::FetchFiles),
        (V::FetchFile { path: "/etc/passwd".to_owned() }, C::FetchFiles),
        (V::SendFile { name: "a".to_owned(), size: 1 }, C::SendFiles),
        (V::ReadClipboard, C::ReadClipboard),
        (V::WriteClipboard { content: Blob(vec![1]) }, C::WriteClipboard),
        (V::Draw { points: vec![(1, 1)] }, C::Point),
        (V::Reconnect, C::Reconnect),
    ]
}

/// What this build can do at all: the other rights nobody gets from it, whatever is granted.
pub const ABLE: [Capability; 5] = [
    Capability::SeeScreen,
    Capability::Operate,
    Capability::ChooseScreen,
    Capability::Screenshot,
    Capability::Chat,
];

/// What a viewer says that is no act: it asks a person, or belongs to the receipt.
pub fn askings() -> Vec<ViewerToHost> {
    vec![
        ViewerToHost::AskRights { rights: Rights::of(&[Capability::Operate]), seconds: 60 },
        ViewerToHost::ReceiptAwaited { software: "x".to_owned() },
        ViewerToHost::ReceiptSigned { envelope: Blob(vec![1]) },
    ]
}

/// What a host tells without signing it.
pub fn words() -> Vec<HostToViewer> {
    vec![
        HostToViewer::Layout(layout(MonitorId(0))),
        HostToViewer::CursorShape(shape()),
        HostToViewer::Cursor(CursorPosition(None)),
        HostToViewer::InputPaused { for_ms: 1000 },
        HostToViewer::InputResumed,
        HostToViewer::Refused { wanted: Capability::Operate },
        HostToViewer::Asking { what: Asked::Continue, seconds: 60 },
        HostToViewer::AskingOver { what: Asked::Continue },
        HostToViewer::PicturePaused,
        HostToViewer::PictureResumed,
    ]
}

/// What a host signs; here by nobody.
pub fn signed_words() -> Vec<HostToViewer> {
    vec![
        HostToViewer::RightsChanged { envelope: Blob(vec![1]) },
        HostToViewer::ReceiptOffered { envelope: Blob(vec![1]) },
    ]
}

pub fn shape() -> CursorShape {
    CursorShape { width: 1, height: 1, hot_x: 0, hot_y: 0, rgba: vec![0; 4] }
}
