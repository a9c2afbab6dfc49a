//! What a turn has decided so far, in the order in which it is to be done.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

use super::io::{DesktopCommand, Output, PictureCommand, SessionEvent};
use super::path::{PathCommand, PathId};

#[derive(Debug, Default)]
pub(super) struct Outbox(VecDeque<Output>);

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    pub(super) fn tell(&mut self, event: SessionEvent) {
        self.push(Output::Tell(event));
    }

    pub(super) fn path(&mut self, id: PathId, command: PathCommand) {
        self.push(Output::Path(id, command));
    }

    pub(super) fn desktop(&mut self, command: DesktopCommand) {
        self.push(Output::Desktop(command));
    }

    pub(super) fn picture(&mut self, command: PictureCommand) {
        self.push(Output::Picture(command));
    }

    pub(super) fn drain(&mut self) -> Drain<'_, Output> {
        self.0.drain(..)
    }
}
