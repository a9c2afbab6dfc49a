//! What a viewer has put into the queue of a real desktop's injector, and what becomes of it when his
//! hand no longer counts.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopCommand, DesktopEvent, HumanAct, Input, Output, Reply};
use tasuki_peer::shell::desktop::{Host, Mailbox};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::message::{Asked, SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_tests::desktop::{Desktop, Ear, Notepad, Size, nudge_pointer};
use tasuki_tests::hostile::puppet::Puppet;
use tasuki_tests::running::until;

use crate::hands::is_anything_down;

const SIZE: Size = Size::new(800, 600);
const OPERATE: Rights = Rights::NONE.with(Capability::Operate);

/// A real host's core in Control, its real desktop, and a viewer that says what it likes.
struct Operated {
    viewer: Puppet,
    desktop: Host,
}

impl Operated {
    /// The person has left out the choice of the monitor, so that there is something to ask her for.
    fn on(desk: &Desktop) -> Self {
        let granted = Mode::Control.ceiling().without(Capability::ChooseScreen);
        let mut viewer = Puppet::accepted(Role::Agent, Mode::Control, granted);
        let desktop = Host::new(Some(desk.display().to_owned()), Mailbox::default());
        let began = std::mem::take(&mut viewer.log);
        let mut operated = Self { viewer, desktop };
        operated.carry_out(began);
        operated
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            // No picture is wanted.
            if let Output::Desktop(command) = output
                && !matches!(command, DesktopCommand::StartCapture(_) | DesktopCommand::Demand(_))
            {
                self.desktop.act(command);
            }
        }
    }

    fn operate(&mut self, event: InputEvent) {
        self.say(ViewerToHost::Input(event));
    }

    fn say(&mut self, act: ViewerToHost) {
        let outputs = self.viewer.say(SessionMessage::ViewerToHost(act));
        self.carry_out(outputs);
    }

    fn person(&mut self, act: HumanAct) {
        let outputs = self.viewer.turn(Input::Human(act));
        self.carry_out(outputs);
    }

    fn key(&mut self, usage: u16, action: KeyAction) {
        self.operate(InputEvent::Key { key: PhysicalKey(usage), action });
    }

    /// Some ten seconds of letters that no layout has, and what would confirm whatever has the keys then.
    fn fill_the_queue(&mut self) {
        self.operate(InputEvent::Text(kanji(1300)));
        self.operate(InputEvent::Text("yes\n".to_owned()));
        for action in [KeyAction::Press, KeyAction::Release] {
            self.key(0x28, action);
            self.operate(InputEvent::Button { button: PointerButton::Left, action });
        }
    }
}

fn kanji(count: u32) -> String {
    (0x4E00..0x4E00 + count).filter_map(char::from_u32).collect()
}

/// Takes the right, or the hand, from the viewer, and gives it back.
type Change = fn(&mut Operated, &Desktop);

fn takes_away(operated: &mut Operated, _: &Desktop) {
    operated.person(HumanAct::TakeAway(OPERATE));
}

fn gives_back(operated: &mut Operated, _: &Desktop) {
    operated.person(HumanAct::GiveBack(OPERATE));
}

fn pauses(operated: &mut Operated, _: &Desktop) {
    operated.person(HumanAct::Pause);
}

fn resumes(operated: &mut Operated, _: &Desktop) {
    operated.person(HumanAct::Resume);
}

fn is_asked(operated: &mut Operated, _: &Desktop) {
    let rights = Rights::of(&[Capability::ChooseScreen]);
    operated.say(ViewerToHost::AskRights { rights, seconds: 60 });
}

fn says_no(operated: &mut Operated, _: &Desktop) {
    let (what, shown) = (Asked::MoreRights, Digest([9; 32]));
    operated.person(HumanAct::Answer { what, reply: Reply::No, shown });
}

fn moves_the_mouse(_: &mut Operated, desk: &Desktop) {
    nudge_pointer(desk, 30, 40).unwrap();
}

fn rests(operated: &mut Operated, _: &Desktop) {
    let outputs = operated.viewer.turn(Input::Desktop(DesktopEvent::LocalInput));
    operated.carry_out(outputs);
    operated.viewer.wait(Duration::from_secs(3));
}

/// T17, T32, T34, T50: letters that are typed for seconds, and the clicks behind them, end with the right.
#[test]
fn t17_t32_t34_what_a_viewer_has_queued_is_not_done_once_his_hand_counts_no_more() {
    let mut desk = Desktop::start(SIZE).unwrap();
    let kept = tempfile::tempdir().unwrap();
    let _notes = Notepad::open(&mut desk, "Notes", "40x8+100+100", &kept.path().join("notes")).unwrap();
    let ear = Ear::open(&desk).unwrap();
    let changes: [(&str, Change, Change); 4] = [
        ("operating was taken away", takes_away, gives_back),
        ("the picture is held", pauses, resumes),
        ("the person is asked", is_asked, says_no),
        ("the person moves her mouse", moves_the_mouse, rests),
    ];
    for (what, ends, begins_again) in changes {
        let mut operated = Operated::on(&desk);
        operated.fill_the_queue();
        until("the first letters", || Ok((ear.heard()? > 0).then_some(()))).unwrap();
        ends(&mut operated, &desk);
        // What was under way at this very moment.
        ear.heard().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(ear.heard().unwrap(), 0, "{what}, and the viewer's hand goes on");
        assert!(!is_anything_down(&desk).unwrap(), "{what}, and something is still down");
        begins_again(&mut operated, &desk);
        ear.heard().unwrap();
        operated.operate(InputEvent::Text("a".to_owned()));
        until("a letter afterwards", || Ok((ear.heard()? > 0).then_some(()))).unwrap();
    }
}

/// T50: a desktop that does not keep up loses acts, and never the one that lets a key go.
#[test]
fn t50_no_key_stays_down_however_full_the_queue_was() {
    let desk = Desktop::start(SIZE).unwrap();
    let ear = Ear::open(&desk).unwrap();
    let mut operated = Operated::on(&desk);
    operated.operate(InputEvent::Text(kanji(200)));
    until("the first letters", || Ok((ear.heard()? > 0).then_some(()))).unwrap();
    for _ in 0..1023 {
        operated.operate(InputEvent::Wheel { dx: 0, dy: 1 });
    }
    operated.key(0xE1, KeyAction::Press);
    operated.key(0xE1, KeyAction::Release);
    until("the hand to rest", || Ok((ear.heard()? == 0 && ear.heard()? == 0).then_some(()))).unwrap();
    assert!(!is_anything_down(&desk).unwrap(), "Shift is still down");
}
