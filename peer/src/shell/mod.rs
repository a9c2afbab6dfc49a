//! The touching half: sockets, desktops, clocks, terminals.
