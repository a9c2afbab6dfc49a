//! A first picture that does not come at once.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Hand, Reader, role},
    running::until,
    stack::{AgentWindow, OperatorWindow},
};

use super::showing::at_desktops;

/// Longer than a press takes to begin a session.
const A_YES_IS_TAKEN: Duration = Duration::from_secs(2);

/// S24, S97: she has said yes, and her display gives no picture. The operator reads that, and for how long; and as soon as
/// it does there is the picture.
pub(super) fn is_told_as_such_until_it_comes(
    hand: &mut Hand,
    (window, his): (&OperatorWindow<'_>, &Reader),
    (agent, hers): (&AgentWindow<'_>, &Reader),
) {
    agent.enter(hand, &window.new_session(Mode::Control).unwrap()).unwrap();
    agent.called_them(hand, hers).unwrap();
    let display = agent.desk().server().unwrap();
    until("her yes", || {
        if hers.offers(role::BUTTON).contains(&("Allow".to_owned(), true)) {
            agent.click_at(hand, hers, role::BUTTON, "Allow")?;
        }
        // What captures asks the display first how large it is: without a pause it is seen before that.
        let end = Instant::now() + A_YES_IS_TAKEN;
        while Instant::now() < end {
            if !at_desktops(agent.process.id()).is_empty() {
                return display.signal(Signal::STOP).map(Some);
            }
        }
        Ok(None)
    })
    .unwrap();
    let told = his.hear("No picture yet after ");
    display.signal(Signal::CONT).unwrap();
    told.unwrap();
    window.wait_for_picture(agent.desk()).unwrap();
    assert_eq!(his.heard("No picture yet"), None);
}
