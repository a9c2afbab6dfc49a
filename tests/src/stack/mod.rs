//! The whole product on one machine, driven through its commands.

mod colleague;
mod house;
mod places;
mod session;
mod site;
mod windows;

pub(crate) use self::site::inside;
pub use self::windows::{
    AWAKE, AgentWindow, Frame, OperatorWindow, WINDOW, allow_in_window, click_until_focused, clipboard,
    focused, place_in_window, set_layout, shows_in_window, window_program,
};
pub use self::{
    house::House,
    places::{all_bytes_below, free_port},
    session::{
        Desks, Session, Way, accept_at_terminal, an_answer_counts, assert_aes_256, start_agent,
        start_operator, stats_of,
    },
    site::Site,
};
