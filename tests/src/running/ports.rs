//! What a program opens to the network, as the kernel knows it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

/// Where a process waits for TCP connections; nowhere once it is gone.
///
/// # Panics
/// It waits at an address of IPv6, which nothing does in a test.
pub fn listening_of(process: u32) -> Vec<SocketAddr> {
    own(process, "0A")
}

/// Its own end of each TCP connection that a process has.
///
/// # Panics
/// As [`listening_of`].
pub fn connected_of(process: u32) -> Vec<SocketAddr> {
    own(process, "01")
}

/// Its sockets in one of the kernel's states.
fn own(process: u32, state: &str) -> Vec<SocketAddr> {
    let home = Path::new("/proc").join(process.to_string());
    let Ok(folder) = fs::read_dir(home.join("fd")) else { return Vec::new() };
    let names = folder.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let own: Vec<String> = names
        .filter_map(|name| Some(name.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(home.join("net").join(table)));
    let tables = tables.map(Result::unwrap_or_default);
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let rows = rows.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_it = |row: &Vec<&str>| row[3] == state && own.iter().any(|inode| inode == row[9]);
    rows.filter(is_it).map(|row| address(row[1])).collect()
}

/// As the kernel writes it: an address in its own order, and a port.
fn address(text: &str) -> SocketAddr {
    let (address, port) = text.split_once(':').expect("an address and a port");
    let port = u16::from_str_radix(port, 16).expect("a port");
    let address = u32::from_str_radix(address, 16).expect("only IPv4 is listened at in a test");
    SocketAddr::from((Ipv4Addr::from(address.to_ne_bytes()), port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_port_that_is_open_is_seen() {
        let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = open.local_addr().unwrap();
        assert!(listening_of(std::process::id()).contains(&port));
        let _there = TcpStream::connect(port).unwrap();
        let here = open.accept().unwrap().0.local_addr().unwrap();
        assert!(!connected_of(std::process::id()).contains(&here), "it was dropped");
        let _there = TcpStream::connect(port).unwrap();
        let _here = open.accept().unwrap();
        assert!(connected_of(std::process::id()).contains(&here));
    }
}
