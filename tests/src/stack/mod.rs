//! The whole product on one machine, driven through its commands.

mod house;
mod places;
mod session;
mod windows;

pub use self::windows::{
    AgentWindow, Frame, OperatorWindow, WINDOW, clipboard, focused, set_layout, window_program,
};
pub use self::{
    house::{House, Site},
    places::{all_bytes_below, free_port},
    session::{Desks, Session, Way, assert_aes_256, start_agent, start_operator, stats_of},
};
