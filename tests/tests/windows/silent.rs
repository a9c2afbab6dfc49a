//! A question that gets no answer, because its window is closed.

use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Hand, Reader, connections_of, role},
    running::until,
    stack::{AgentWindow, House, OperatorWindow},
};

use super::{sessions_of, showing::at_desktops};

/// S29, T1: who closes the window at the question says no. The operator reads it as that, and nothing has touched a screen.
pub(super) fn a_closed_window_is_no(
    house: &House,
    hand: &mut Hand,
    (window, his): (&OperatorWindow<'_>, &Reader),
    mut agent: AgentWindow<'_>,
) {
    agent.enter(hand, &window.new_session(Mode::Control).unwrap()).unwrap();
    his.wait_for(role::LABEL, "Waiting for their answer").unwrap();
    agent.close().unwrap();
    his.wait_for(role::LABEL, "The session was refused. Nothing was shown.").unwrap();
    agent.process.wait_end().unwrap();
    assert_eq!(agent.bar().unwrap(), None);
    assert_eq!(connections_of(agent.desk(), agent.process.id()).unwrap(), 0);
    assert_eq!(at_desktops(window.process.id()), Vec::<String>::new());
    until("the operator's note", || {
        let last = sessions_of(house).pop().unwrap_or_default();
        Ok((last.contains("\"refused\"") && last.contains("control")).then_some(()))
    })
    .unwrap();
}
