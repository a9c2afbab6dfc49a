//! To which ports of the network the running server listens (S77: no more than it needs).
//!
//! Looked up where the system keeps it, and not in the settings: what a library opens is seen too.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use super::doctor::{Grade, Seen};
use super::folder::LOCK;

/// In `/proc/net/tcp`, of a socket that waits for whoever comes.
const LISTENING: &str = "0A";

/// `None`: no server runs on `data`, or whoever looks may not see what it has open.
pub(super) fn ports(data: &Path, own: u16) -> Option<Seen> {
    let process = holder(&data.join(LOCK))?;
    let more: Vec<String> = open_to_the_network(&process)
        .into_iter()
        .filter(|port| *port != own)
        .map(|port| port.to_string())
        .collect();
    if more.is_empty() {
        return Some(Seen::new(
            "H08",
            Grade::Well,
            format!("The server listens on no port of the network but {own}."),
            format!("サーバーがネットワークに開いているポートは {own} だけです。"),
        ));
    }
    let more = more.join(", ");
    Some(Seen::new(
        "H08",
        Grade::Ill,
        format!(
            "The server listens on TCP {more} beside its own port {own}: find what opens it (`metrics`, or `ss -ltnp`), and close it or bind it to 127.0.0.1."
        ),
        format!(
            "サーバーが自身のポート {own} のほかに TCP {more} を開いています。原因を確かめ（設定 metrics、または `ss -ltnp`）、閉じるか 127.0.0.1 に限定してください。"
        ),
    ))
}

/// The folder of `/proc` of the process that has `lock` open.
fn holder(lock: &Path) -> Option<PathBuf> {
    let lock = fs::canonicalize(lock).ok()?;
    let processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let mut holders = processes.filter(|process| links(process).any(|link| Path::new(&link) == lock));
    holders.next()
}

/// What a process has open, by name.
fn links(process: &Path) -> impl Iterator<Item = OsString> {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).map(PathBuf::into_os_string)
}

fn open_to_the_network(process: &Path) -> BTreeSet<u16> {
    let sockets: BTreeSet<String> = links(process).filter_map(|link| link.into_string().ok()).collect();
    let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(process.join(table)));
    let lines: Vec<String> = tables
        .into_iter()
        .flatten()
        .flat_map(|table| table.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let is_own = |inode: &str| sockets.contains(&format!("socket:[{inode}]"));
    lines.iter().filter_map(|line| listening(line, is_own)).collect()
}

/// The port of a line of `/proc/net/tcp` (proc(5)), if it listens there beyond this computer.
fn listening(line: &str, is_own: impl Fn(&str) -> bool) -> Option<u16> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let is_here = address_of(address)?.to_canonical().is_loopback();
    (*state == LISTENING && is_own(inode) && !is_here).then_some(port)
}

/// Words of 32 bits, each in the machine's own order.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut bytes = [0; 16];
    for (place, chunk) in bytes.chunks_exact_mut(4).enumerate() {
        chunk.copy_from_slice(&word(place * 8)?);
    }
    Some(Ipv6Addr::from(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn a_line_of_the_systems_table_is_a_port_where_it_listens_beyond_this_computer() {
        let line = |address: &str, state: &str| {
            format!(
                "   0: {address}:20FB 00000000:0000 {state} 0:0 00:0 00000000  1000        0 4711 1"
            )
        };
        let port =
            |address: &str, state: &str| listening(&line(address, state), |inode| inode == "4711");
        for everywhere in ["00000000", "0A00000A", "00000000000000000000000000000000"] {
            assert_eq!(port(everywhere, "0A"), Some(8443), "{everywhere}");
        }
        let mapped = "0000000000000000FFFF00000100007F";
        for here in ["0100007F", "00000000000000000000000001000000", mapped] {
            assert_eq!(port(here, "0A"), None, "{here}");
        }
        assert_eq!(port("00000000", "01"), None, "a connection is no open port");
        assert_eq!(listening(&line("00000000", "0A"), |_| false), None, "another's");
    }
}
