//! The windows: `tasuki-operator` and `tasuki-agent`.
//!
//! Each program is a pure `update(Model, Msg) -> Effects` without a type of Slint in it, and
//! adapters at the edge that show a model and carry effects out. Rights, sessions and paths are
//! decided by `tasuki-peer`; nothing here opens a socket.

pub mod agent;
mod documents;
pub mod look;
pub mod operator;
pub mod viewer;

/// What Slint makes of `ui/windows.slint`.
#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod windows {
    slint::include_modules!();
}
