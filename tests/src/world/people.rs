//! What the people at the two ends do: type a number, click, type, draw.

use std::time::Duration;

use tasuki_peer::core::io::{HumanAct, Input, SessionEvent};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::Rights;

use super::{CAPTURE_TIME, Due, World, setup};

impl World {
    /// The end user types the number that he was told; the agent's program starts.
    pub fn join(&mut self, number: SessionNumber) {
        let failed_before =
            u8::try_from(self.agent.count(|event| matches!(event, SessionEvent::WrongNumber { .. })))
                .unwrap_or(u8::MAX);
        let identity = self.identities.as_ref().map(|both| &*both[Role::Agent as usize]);
        self.agent.peer = Some(setup::agent(&self.plan, identity, number, failed_before));
        self.agent.connection = None;
        self.model.agent_starts();
        self.plan_at(Duration::ZERO, Due::Dial(Role::Agent));
    }

    /// The person at the agent's end clicks.
    pub fn accept(&mut self, granted: Rights) {
        let Some(question) = self.agent.question.take() else { return };
        self.model.granted = Some(granted.and(question.grantable));
        let length = Duration::from_secs(question.manifest.length);
        self.model.rights_end = Some(self.now + length);
        let shown = Digest([7; 32]);
        self.input(Role::Agent, Input::Human(HumanAct::Accept { granted, shown }));
    }

    pub fn refuse(&mut self) {
        self.agent.question = None;
        let shown = Digest([7; 32]);
        self.input(Role::Agent, Input::Human(HumanAct::Refuse { shown }));
    }

    /// The viewer types the next text that nobody typed before.
    pub fn type_next(&mut self) -> u32 {
        let text = self.next_typed;
        self.next_typed += 1;
        self.model.typed(text, self.now);
        self.operate(InputEvent::Text(text.to_string()));
        text
    }

    pub fn operate(&mut self, event: InputEvent) {
        let viewer = self.plan.mode.viewer();
        self.input(viewer, Input::Human(HumanAct::Operate(event)));
    }

    /// Something changes on the host's screen.
    pub fn draw(&mut self) {
        let host = self.plan.mode.host();
        if let Some(event) = self.end(host).desktop.change() {
            self.plan_at(CAPTURE_TIME, Due::Desktop(host, event));
        }
    }
}
