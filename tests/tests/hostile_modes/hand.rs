//! When a viewer's hand counts no more, and how often it may be told what a viewer says it did.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopCommand, DesktopEvent, HumanAct, Input, Output, SessionEvent};
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::{SessionMessage, ViewerToHost};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_tests::hostile::puppet::Puppet;

const OPERATE: Rights = Rights::NONE.with(Capability::Operate);

fn text() -> SessionMessage {
    SessionMessage::ViewerToHost(ViewerToHost::Input(InputEvent::Text("x".to_owned())))
}

fn ask_for_the_choice() -> SessionMessage {
    let rights = Rights::of(&[Capability::ChooseScreen]);
    SessionMessage::ViewerToHost(ViewerToHost::AskRights { rights, seconds: 60 })
}

fn injected(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Desktop(DesktopCommand::Inject(..))))
}

fn wait_a_while(puppet: &mut Puppet, seconds: u64) {
    for _ in 0..seconds * 2 {
        // Saying something takes 20 ms.
        puppet.wait(Duration::from_millis(480));
        puppet.say_items(vec![]);
    }
}

/// What ends the viewer's hand, and what the host's end does then.
type Ending<'a> = &'a dyn Fn(&mut Puppet) -> Vec<Output>;

/// A text takes the desktop seconds, and holds no key.
#[test]
fn t17_t32_t34_the_desktop_hears_of_it_whenever_the_viewers_hand_counts_no_more() {
    let takes_away = |puppet: &mut Puppet| puppet.turn(Input::Human(HumanAct::TakeAway(OPERATE)));
    let pauses = |puppet: &mut Puppet| puppet.turn(Input::Human(HumanAct::Pause));
    let is_asked = |puppet: &mut Puppet| puppet.say(ask_for_the_choice());
    let touches = |puppet: &mut Puppet| puppet.turn(Input::Desktop(DesktopEvent::LocalInput));
    let goes_on = |puppet: &mut Puppet| {
        let before = puppet.log.len();
        wait_a_while(puppet, 1801);
        puppet.log.split_off(before)
    };
    let changes: [(&str, Ending<'_>); 5] = [
        ("operating was taken away", &takes_away),
        ("the picture is held", &pauses),
        ("the person is asked for more", &is_asked),
        ("the person's own hand", &touches),
        ("the person is asked whether it goes on", &goes_on),
    ];
    for (what, change) in changes {
        let granted = Mode::Control.ceiling().without(Capability::ChooseScreen);
        let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, granted);
        assert!(injected(&puppet.say(text())), "{what}");
        let outputs = change(&mut puppet);
        let cut = |output: &Output| matches!(output, Output::Desktop(DesktopCommand::ReleaseAll));
        assert!(outputs.iter().any(cut), "{what}: {outputs:?}");
    }
}

/// T59: beside each other a kept picture is nothing, and ten thousand are a flood.
#[test]
fn t59_kept_pictures_are_told_no_faster_than_anybody_reads() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    let taken = SessionMessage::ViewerToHost(ViewerToHost::ScreenshotTaken);
    let is_told = |event: &SessionEvent| matches!(event, SessionEvent::ScreenshotTaken);
    for _ in 0..2000 {
        puppet.say(taken.clone());
    }
    let told = puppet.events().iter().filter(|event| is_told(event)).count();
    // Sixty at once, and five in each of forty seconds.
    assert!((60..=270).contains(&told), "{told}");
    assert!(puppet.peer.stats().violations > 1000);
    assert!(!puppet.peer.is_over(), "a flood of them ends nothing");
}
