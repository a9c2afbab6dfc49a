//! The end user's window: a number, a question, a banner while somebody is connected, a receipt.

pub mod asking;
pub mod ended;
pub mod entry;
mod guard;
mod held;
pub mod live;
pub mod looking;
pub mod memory;
mod mock;
pub mod model;
mod moment;
pub mod news;
mod options;
mod papers;
pub mod program;
pub mod protection;
mod running;
pub mod scenes;
mod session;
pub mod talk;
mod theirs;
mod tray;
pub mod view;
mod view_ended;
pub mod wiring;
