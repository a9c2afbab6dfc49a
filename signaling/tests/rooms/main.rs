//! The rooms under a virtual clock: every rule about numbers, without a socket.

mod guessing;
mod hall;
mod life;
mod random;
