//! What the tests share: desktops, programs under supervision, a whole stack on
//! one machine; and the simulated world, in which both ends, the server and a
//! relay live on one virtual clock. It decides nothing that ships.

pub mod desktop;
pub mod hostile;
pub mod lab;
pub mod measuring;
pub mod running;
pub mod showing;
pub mod stack;
pub mod tapping;
pub mod world;
