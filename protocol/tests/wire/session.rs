//! The bytes that the two ends of a session say to each other, and to a relay.

use tasuki_protocol::{
    blob::Blob,
    ids::Digest,
    input::InputEvent,
    leg::{Continuation, FrameKind, LegRecord, VideoHeader},
    message::{
        Asked, Echo, Either, EndReason, EndToEnd, Forwarded, HostToViewer, Numbered, Packet,
        SessionMessage, ViewerToHost,
    },
    pairing::PairMessage,
    rights::{Capability, Rights},
    screen::{CursorPosition, CursorShape, Layout, Monitor, MonitorId},
    ticket::RelayAnswer,
};

use crate::Snapshots;

fn blob() -> Blob {
    Blob(vec![0xaa, 0xbb])
}

#[test]
fn what_a_host_tells_keeps_its_bytes() {
    let mut all = Snapshots::default();
    let monitor = Monitor { id: MonitorId(0), x: -1, y: 2, width: 800, height: 600, primary: true };
    let layout = Layout { monitors: vec![monitor], shown: MonitorId(0) };
    all.postcard(
        "HostToViewer::Layout",
        &HostToViewer::Layout(layout),
        "00 01 00 01 04 a0 06 d8 04 01 00",
    );
    let shape = CursorShape { width: 1, height: 1, hot_x: 0, hot_y: 1, rgba: vec![1, 2, 3, 4] };
    all.postcard(
        "HostToViewer::CursorShape",
        &HostToViewer::CursorShape(shape),
        "01 01 01 00 01 04 01 02 03 04",
    );
    let at = HostToViewer::Cursor(CursorPosition(Some((3, 4))));
    all.postcard("HostToViewer::Cursor", &at, "02 01 03 04");
    let paused = HostToViewer::InputPaused { for_ms: 2000 };
    all.postcard("HostToViewer::InputPaused", &paused, "03 d0 0f");
    all.postcard("HostToViewer::InputResumed", &HostToViewer::InputResumed, "04");
    let refused = HostToViewer::Refused { wanted: Capability::Operate };
    all.postcard("HostToViewer::Refused", &refused, "05 01");
    let changed = HostToViewer::RightsChanged { envelope: blob() };
    all.postcard("HostToViewer::RightsChanged", &changed, "06 02 aa bb");
    let asking = HostToViewer::Asking { what: Asked::Continue, seconds: 300 };
    all.postcard("HostToViewer::Asking", &asking, "07 01 ac 02");
    let over = HostToViewer::AskingOver { what: Asked::MoreRights };
    all.postcard("HostToViewer::AskingOver", &over, "08 00");
    all.postcard("HostToViewer::PicturePaused", &HostToViewer::PicturePaused, "09");
    all.postcard("HostToViewer::PictureResumed", &HostToViewer::PictureResumed, "0a");
    let offered = HostToViewer::ReceiptOffered { envelope: blob() };
    all.postcard("HostToViewer::ReceiptOffered", &offered, "0b 02 aa bb");
    all.postcard("Asked::MoreRights", &Asked::MoreRights, "00");
    all.postcard("Asked::Continue", &Asked::Continue, "01");
    all.assert_same();
}

#[test]
fn what_a_viewer_asks_keeps_its_bytes() {
    use ViewerToHost as V;
    let mut all = Snapshots::default();
    let path = || "a".to_owned();
    all.postcard("ViewerToHost::Input", &V::Input(InputEvent::ReleaseAll), "00 05");
    all.postcard("ViewerToHost::ShowMonitor", &V::ShowMonitor(MonitorId(1)), "01 01");
    all.postcard("ViewerToHost::NeedKeyFrame", &V::NeedKeyFrame, "02");
    all.postcard("ViewerToHost::ScreenshotTaken", &V::ScreenshotTaken, "03");
    all.postcard("ViewerToHost::RecordingStarted", &V::RecordingStarted, "04");
    all.postcard("ViewerToHost::ListFolder", &V::ListFolder { path: path() }, "05 01 61");
    all.postcard("ViewerToHost::FetchFile", &V::FetchFile { path: path() }, "06 01 61");
    all.postcard("ViewerToHost::SendFile", &V::SendFile { name: path(), size: 300 }, "07 01 61 ac 02");
    all.postcard("ViewerToHost::ReadClipboard", &V::ReadClipboard, "08");
    all.postcard("ViewerToHost::WriteClipboard", &V::WriteClipboard { content: blob() }, "09 02 aa bb");
    all.postcard("ViewerToHost::Draw", &V::Draw { points: vec![(1, 300)] }, "0a 01 01 ac 02");
    all.postcard("ViewerToHost::Reconnect", &V::Reconnect, "0b");
    let rights = Rights::of(&[Capability::Operate, Capability::Reconnect]);
    all.postcard("ViewerToHost::AskRights", &V::AskRights { rights, seconds: 900 }, "0c 82 10 84 07");
    all.postcard("ViewerToHost::ReceiptAwaited", &V::ReceiptAwaited { software: path() }, "0d 01 61");
    all.postcard("ViewerToHost::ReceiptSigned", &V::ReceiptSigned { envelope: blob() }, "0e 02 aa bb");
    all.assert_same();
}

#[test]
fn what_either_says_keeps_its_bytes() {
    let mut all = Snapshots::default();
    all.postcard("Either::Chat", &Either::Chat("襷".to_owned()), "00 03 e8 a5 b7");
    all.postcard("Either::Shown", &Either::Shown { frame: 300 }, "01 ac 02");
    all.postcard("Either::End", &Either::End(EndReason::UserEnded), "02 01");
    let input = ViewerToHost::Input(InputEvent::ReleaseAll);
    all.postcard(
        "SessionMessage::HostToViewer",
        &SessionMessage::HostToViewer(HostToViewer::InputResumed),
        "00 04",
    );
    all.postcard("SessionMessage::ViewerToHost", &SessionMessage::ViewerToHost(input), "01 00 05");
    all.postcard(
        "SessionMessage::Either",
        &SessionMessage::Either(Either::Shown { frame: 1 }),
        "02 01 01",
    );
    all.postcard("SessionMessage::Withdrawn", &SessionMessage::Withdrawn, "03");
    let echo = Some(Echo { sent_ms: 7, held_ms: 1 });
    let items = vec![Numbered { number: 9, message: SessionMessage::Withdrawn }];
    all.postcard(
        "Packet",
        &Packet { acked: 300, sent_ms: 5, echo, items },
        "ac 02 05 01 07 01 01 09 03",
    );
    all.assert_same();
}

#[test]
fn reasons_of_an_end_keep_their_bytes() {
    use EndReason as E;
    let mut all = Snapshots::default();
    all.postcard("EndReason::OperatorEnded", &E::OperatorEnded, "00");
    all.postcard("EndReason::UserEnded", &E::UserEnded, "01");
    all.postcard("EndReason::UserRefused", &E::UserRefused, "02");
    all.postcard("EndReason::NobodyAnswered", &E::NobodyAnswered, "03");
    all.postcard("EndReason::TimeOver", &E::TimeOver, "04");
    all.postcard("EndReason::ConnectionLost", &E::ConnectionLost, "05");
    all.postcard("EndReason::Violation", &E::Violation, "06");
    all.postcard("EndReason::ScreenLost", &E::ScreenLost, "07");
    all.postcard("EndReason::ManifestRefused", &E::ManifestRefused, "08");
    all.postcard("EndReason::ProgramEnded", &E::ProgramEnded, "09");
    all.postcard("EndReason::NotContinued", &E::NotContinued, "0a");
    all.postcard("EndReason::ServerRefused", &E::ServerRefused, "0b");
    all.postcard("EndReason::Withdrawn", &E::Withdrawn, "0c");
    all.json("EndReason::UserEnded", &E::UserEnded, r#""user_ended""#);
    all.assert_same();
}

#[test]
fn pairing_and_sealed_messages_keep_their_bytes() {
    let mut all = Snapshots::default();
    let tag = Digest([0x11; 32]);
    all.postcard("PairMessage::AgentConfirm", &PairMessage::AgentConfirm { tag }, "00 20 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11");
    let welcome = PairMessage::OperatorWelcome { sealed: blob() };
    all.postcard("PairMessage::OperatorWelcome", &welcome, "01 02 aa bb");
    let ready = PairMessage::AgentReady { tag, signature: blob() };
    all.postcard("PairMessage::AgentReady", &ready, "02 20 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 02 aa bb");
    all.postcard("EndToEnd::Consent", &EndToEnd::Consent { envelope: blob() }, "00 02 aa bb");
    all.postcard("EndToEnd::Candidate", &EndToEnd::Candidate { line: "c".to_owned() }, "01 01 63");
    all.postcard("EndToEnd::End", &EndToEnd::End(EndReason::UserRefused), "02 02");
    let version = "1".to_owned();
    all.postcard("EndToEnd::Software", &EndToEnd::Software { version }, "03 01 31");
    all.postcard("Forwarded::Pairing", &Forwarded::Pairing(welcome), "00 01 02 aa bb");
    all.postcard("Forwarded::Sealed", &Forwarded::Sealed(blob()), "01 02 aa bb");
    all.assert_same();
}

#[test]
fn a_leg_keeps_its_records() {
    let mut all = Snapshots::default();
    let last = Continuation::More;
    let packet = LegRecord::Packet { piece: blob(), last, padding: Blob(vec![0]) };
    all.postcard("LegRecord::Packet", &packet, "00 02 aa bb 00 01 00");
    let frame = VideoHeader { number: 300, kind: FrameKind::Delta };
    let video = LegRecord::Video { frame, piece: blob(), last: Continuation::Last };
    all.postcard("LegRecord::Video", &video, "01 ac 02 01 02 aa bb 01");
    all.postcard("LegRecord::Rekey", &LegRecord::Rekey, "02");
    all.postcard("LegRecord::Close", &LegRecord::Close, "03");
    all.postcard("LegRecord::Seen", &LegRecord::Seen { frame: 300 }, "04 ac 02");
    all.postcard("LegRecord::NeedKeyFrame", &LegRecord::NeedKeyFrame, "05");
    all.postcard("Continuation::More", &Continuation::More, "00");
    all.postcard("Continuation::Last", &Continuation::Last, "01");
    all.postcard("FrameKind::Key", &FrameKind::Key, "00");
    all.postcard("FrameKind::Delta", &FrameKind::Delta, "01");
    all.assert_same();
}

#[test]
fn a_relay_keeps_its_answers() {
    let mut all = Snapshots::default();
    all.byte("RelayAnswer::Joined", RelayAnswer::Joined as u8, 1);
    all.byte("RelayAnswer::Refused", RelayAnswer::Refused as u8, 2);
    all.byte("RelayAnswer::Busy", RelayAnswer::Busy as u8, 3);
    all.assert_same();
}
