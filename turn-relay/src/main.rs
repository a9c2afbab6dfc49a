//! tasuki-relay: a relay on its own machine.

fn main() {}
