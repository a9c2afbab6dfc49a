//! What tests share: the simulated world, in which both ends, the server and a
//! relay live on one virtual clock. It decides nothing that ships.

pub mod hostile;
pub mod world;
