//! What the end user's window costs in a real session: real server, real operator's window, this screen seen.

use std::{thread, time::Duration};

use anyhow::Result;
use tasuki_protocol::rights::Mode;

use super::scenario::{SIZE, Scenario};
use crate::{
    desktop::{Desktop, Size},
    running::resident_of,
    stack::{AgentWindow, House, OperatorWindow, Way},
};

/// Room for the operator's window.
const OPERATOR: Size = Size::new(1760, 840);
/// What a session that has just begun still does.
const SETTLING: Duration = Duration::from_secs(5);

/// While something happens on the screen that is seen.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub scenario: Scenario,
    pub resident_mb: f64,
    /// Of one core, in percent.
    pub cpu: f64,
}

/// One session in Control, and what happens in it for so long each.
///
/// # Errors
/// A program is not built, or no session began.
pub fn window_in_session(length: Duration) -> Result<Vec<Held>> {
    let house = House::set_up()?;
    let operator = Desktop::start(OPERATOR)?;
    let (user, mut hand) = Desktop::start_with_hand(SIZE)?;
    let window = OperatorWindow::open(&house, &operator, Way::Direct)?;
    let agent = AgentWindow::open(&house, &user)?;
    window.meet(&agent, &mut hand, Mode::Control)?;
    thread::sleep(SETTLING);
    let mut all = Vec::new();
    for scenario in [Scenario::Idle, Scenario::Dragging, Scenario::Motion] {
        let before = agent.process.cpu()?;
        scenario.play(&user, length)?;
        let spent = agent.process.cpu()?.saturating_sub(before);
        let resident_mb = resident_of(agent.process.id())? as f64 / 1e6;
        all.push(Held {
            scenario,
            resident_mb,
            cpu: 100.0 * spent.as_secs_f64() / length.as_secs_f64(),
        });
    }
    agent.end(&mut hand)?;
    Ok(all)
}
