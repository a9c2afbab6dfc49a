//! The whole product on one machine, driven through its commands.

mod house;
mod session;

pub use self::{
    house::{House, Site, all_bytes_below, free_port},
    session::{Desks, Session, Way, assert_aes_256, start_agent, start_operator, stats_of},
};
