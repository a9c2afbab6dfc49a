//! A first picture that does not come at once.

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Hand, Reader},
    running::{Process, connected_of},
    stack::{AgentWindow, OperatorWindow},
};

/// S24, S97: she has said yes, and the one way for pictures carries nothing. The operator reads that, and for how long; and
/// as soon as it does there is the picture.
pub(super) fn is_told_as_such_until_it_comes(
    hand: &mut Hand,
    relay: &Process,
    (window, his): (&OperatorWindow<'_>, &Reader),
    (agent, hers): (&AgentWindow<'_>, &Reader),
) {
    agent.enter(hand, &window.new_session(Mode::Control).unwrap()).unwrap();
    agent.called_them(hand, hers).unwrap();
    relay.signal(Signal::STOP).unwrap();
    let allowed = agent.allow(hand);
    let told = his.hear("No picture yet after ");
    relay.signal(Signal::CONT).unwrap();
    allowed.unwrap();
    told.unwrap();
    window.wait_for_picture(agent.desk()).unwrap();
    assert_eq!(his.heard("No picture yet"), None);
    assert_ne!(connected_of(relay.id()), [], "it came by another way");
}
