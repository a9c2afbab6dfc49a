//! The operator's window: signing in, a number, the other screen, and what became of it.

mod ending;
pub mod engine;
pub mod entrance;
pub mod files;
mod hearing;
pub mod history;
mod looking;
pub mod memory;
pub mod mock;
pub mod model;
mod options;
pub mod password;
pub mod preferences;
pub mod program;
mod question;
pub mod scenes;
pub mod second_look;
pub mod session;
pub mod sharing;
mod signing;
mod square;
mod standing;
pub mod tab;
pub mod update;
pub mod view;
mod view_session;
pub mod wire;
