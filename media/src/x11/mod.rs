//! X11: the pictures, the cursor, the hands and the local human of one display.
//!
//! Decides how a display is reached and what it must offer. Each part (screen,
//! injector, watcher) has its own connection, so that none waits for another.

mod connection;
mod covers;
mod cursor;
mod deeds;
mod devices;
mod echo;
mod fetch;
mod forgery;
mod hands;
mod inject;
mod keymap;
mod layout;
mod local;
mod own;
mod pool;
mod screen;
mod seen;
mod sentinel;
mod shm;
mod stop_key;
mod terminal;
mod text;
mod watchdog;
mod witness;

pub use connection::{check, named};
pub use deeds::hands_were_at_rest;
pub use echo::Echo;
pub use inject::X11Injector;
pub use layout::monitors;
pub use local::LocalInput;
pub use screen::X11Screen;
pub use sentinel::Sentinel;
pub use watchdog::serve_when_asked;
pub use witness::Witness;

pub use crate::desktop::{Alarm, Deed, Doer, Standing, StopKey, Touched};
