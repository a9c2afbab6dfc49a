//! What the tests share: desktops, programs under supervision, a whole stack on one machine.

pub mod desktop;
pub mod measuring;
pub mod running;
pub mod showing;
pub mod stack;
