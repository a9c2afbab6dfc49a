//! Namespaces, links and rules: one small Internet with a server, a proxy and two ends.
//!
//! ```text
//! a 10.1.0.2 - ra 203.0.113.1 --+-- the Internet 203.0.113.0/24, 2001:db8:1::/64 --+-- rb 203.0.113.2 - b 10.2.0.2
//!                               srv .10            px .20            (open ends: .101, .102)
//! ```
//!
//! Traps learnt: a router must drop unsolicited UDP in its input chain, or an early check of the
//! other end takes its place in the table of connections; and the server needs a default route, or
//! it fails at once where a real one would wait.

use std::{
    fs,
    io::Write as _,
    net::{Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, ensure};

use super::{HOST, Kind, Line};
use crate::{
    running::{Mark, Process, program, run},
    stack::{Site, inside},
};

/// Which end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Operator,
    Agent,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Operator, Self::Agent];

    fn letter(self) -> char {
        match self {
            Self::Operator => 'a',
            Self::Agent => 'b',
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Operator => 1,
            Self::Agent => 2,
        }
    }
}

const SERVER_V4: &str = "203.0.113.10";
const SERVER_V6: &str = "2001:db8:1::10";
/// What the relay in the server gives out by TURN.
pub(super) const TURN_ADDRESS: &str = "turn_address=203.0.113.10,2001:db8:1::10";
pub(super) const PROXY: &str = "203.0.113.20:3128";

/// Whether this process may make networks.
pub fn is_possible() -> bool {
    rustix::process::geteuid().is_root()
}

/// A laid out Internet. Dropped, it is gone.
#[derive(Debug)]
pub struct Layout {
    prefix: String,
    /// The namespaces of the two ends and their routers, as long as they stand.
    ends: Vec<String>,
}

impl Layout {
    /// The Internet, the server's place and the proxy's; no ends yet.
    ///
    /// # Errors
    /// This process may not make networks.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("tl{}-{}", id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let layout = Self { prefix, ends: Vec::new() };
        for short in ["pub", "srv", "px"] {
            layout.add(short)?;
        }
        layout.inside("pub", "ip link add br0 type bridge")?;
        layout.inside("pub", "ip link set br0 up")?;
        layout.plug("srv", "eth0", &[&format!("{SERVER_V4}/24"), &format!("{SERVER_V6}/64")])?;
        layout.plug("px", "eth0", &["203.0.113.20/24", "2001:db8:1::20/64"])?;
        // Nobody is there.
        layout.inside("srv", "ip route add default via 203.0.113.254")?;
        Ok(layout)
    }

    /// Puts the two ends into networks of these kinds, instead of those they were in.
    ///
    /// # Errors
    /// A command failed; says which.
    pub fn connect(&mut self, operator: Kind, agent: Kind) -> Result<()> {
        self.disconnect();
        for (side, kind) in Side::BOTH.into_iter().zip([operator, agent]) {
            let host = side.letter().to_string();
            self.add(&host)?;
            self.ends.push(host.clone());
            let number = side.number();
            match kind {
                Kind::Open => {
                    let v4 = format!("203.0.113.10{number}/24");
                    self.plug(&host, "eth0", &[&v4, &format!("2001:db8:1::10{number}/64")])?;
                }
                Kind::Ipv6Only => self.plug(&host, "eth0", &[&format!("2001:db8:1::20{number}/64")])?,
                Kind::FullCone
                | Kind::PortRestricted
                | Kind::Symmetric
                | Kind::NoUdp
                | Kind::Only443
                | Kind::Proxied => self.route(side, kind)?,
            }
        }
        Ok(())
    }

    /// Puts a long line between an end and its router, in place of the cable. It stands for as
    /// long as the process that is given back.
    ///
    /// # Errors
    /// The end has no router.
    pub fn lengthen(&self, side: Side, line: Line) -> Result<Process> {
        let host = side.letter().to_string();
        let router = format!("r{host}");
        ensure!(self.ends.contains(&router), "an end without a router has no line");
        self.inside(&host, "ip link del eth0")?;
        let mut command = Command::new(program("lab")?);
        command.args(["line", &self.full(&host), &self.full(&router)]);
        command.args(["--delay-us", &line.delay.as_micros().to_string()]);
        command.args(["--loss-percent", &line.loss_percent.to_string()]);
        if let Some(kilobits) = line.kilobits {
            command.args(["--kilobits", &kilobits.to_string()]);
        }
        let process = Process::start("line", command)?;
        process.wait_for(Mark::default(), "standing")?;
        self.lead(side)?;
        Ok(process)
    }

    /// Lets nothing in or out of an end, without a word to anybody.
    ///
    /// # Errors
    /// nft refused.
    pub fn cut(&self, side: Side) -> Result<()> {
        let rules = "table inet cut {\n\
            chain in { type filter hook input priority -300; iifname != \"lo\" drop; }\n\
            chain out { type filter hook output priority -300; oifname != \"lo\" drop; }\n}\n";
        self.rules(&side.letter().to_string(), rules)
    }

    /// # Errors
    /// Nothing was cut.
    pub fn heal(&self, side: Side) -> Result<()> {
        self.inside(&side.letter().to_string(), "nft delete table inet cut")
    }

    /// Pulls the cable out of an open end, which then has no way to anybody.
    ///
    /// # Errors
    /// It is not an open end.
    pub fn pull_cable(&self, side: Side) -> Result<()> {
        self.inside("pub", &format!("ip link set p-{} down", side.letter()))
    }

    /// # Errors
    /// As [`Self::pull_cable`].
    pub fn plug_in(&self, side: Side) -> Result<()> {
        self.inside("pub", &format!("ip link set p-{} up", side.letter()))
    }

    /// Gives an open end other addresses instead of its own: another network, as when a cable is
    /// pulled and Wi-Fi takes over (F7).
    ///
    /// # Errors
    /// It is not an open end.
    pub fn move_away(&self, side: Side) -> Result<()> {
        let (host, number) = (side.letter().to_string(), side.number());
        for (word, tens) in [("del", 10), ("add", 11)] {
            let quick = if word == "add" { " nodad" } else { "" };
            self.inside(&host, &format!("ip addr {word} 203.0.113.{tens}{number}/24 dev eth0"))?;
            self.inside(
                &host,
                &format!("ip addr {word} 2001:db8:1::{tens}{number}/64 dev eth0{quick}"),
            )?;
        }
        Ok(())
    }

    fn disconnect(&mut self) {
        for short in std::mem::take(&mut self.ends) {
            // A namespace takes its devices along only when the kernel gets round to it.
            let _ = self.inside("pub", &format!("ip link del p-{short}"));
            self.remove(&short);
        }
    }

    /// A program that will run at an end.
    ///
    /// # Errors
    /// The program was not built.
    pub fn command(&self, side: Side, name: &str) -> Result<Command> {
        self.command_in(&side.letter().to_string(), name)
    }

    pub(super) fn command_in(&self, short: &str, name: &str) -> Result<Command> {
        Ok(inside(&self.way_into(short), program(name)?))
    }

    /// Where the server is.
    pub fn site(&self) -> Site {
        let listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 443));
        Site { host: HOST.to_owned(), listen, port: 443, inside: self.way_into("srv") }
    }

    /// Words in front of a program that is to run at an end.
    pub fn at(&self, side: Side) -> Vec<String> {
        self.way_into(&side.letter().to_string())
    }

    fn way_into(&self, short: &str) -> Vec<String> {
        ["ip", "netns", "exec", &self.full(short)].map(str::to_owned).to_vec()
    }

    fn route(&mut self, side: Side, kind: Kind) -> Result<()> {
        let (host, number) = (side.letter().to_string(), side.number());
        let router = format!("r{host}");
        self.add(&router)?;
        self.ends.push(router.clone());
        self.plug(&router, "wan", &[&format!("203.0.113.{number}/24")])?;
        let (near, far) = (self.full(&host), self.full(&router));
        command(&format!("ip link add eth0 netns {near} type veth peer name lan netns {far}"))?;
        self.lead(side)?;
        self.inside(&router, "sysctl -qw net.ipv4.ip_forward=1")?;
        self.rules(&router, &rules(kind, number))
    }

    /// Addresses and ways between an end and its router, however they are connected.
    fn lead(&self, side: Side) -> Result<()> {
        let (host, number) = (side.letter().to_string(), side.number());
        let router = format!("r{host}");
        self.inside(&host, &format!("ip addr add 10.{number}.0.2/24 dev eth0"))?;
        self.inside(&host, "ip link set eth0 up")?;
        self.inside(&router, &format!("ip addr add 10.{number}.0.1/24 dev lan"))?;
        self.inside(&router, "ip link set lan up")?;
        self.inside(&host, &format!("ip route add default via 10.{number}.0.1"))
    }

    fn add(&self, short: &str) -> Result<()> {
        let full = self.full(short);
        command(&format!("ip netns add {full}")).context("this process may not make networks")?;
        self.inside(short, "ip link set lo up")?;
        let folder = hosts_folder(&full);
        fs::create_dir_all(&folder)?;
        let hosts =
            format!("127.0.0.1 localhost\n::1 localhost\n{SERVER_V4} {HOST}\n{SERVER_V6} {HOST}\n");
        fs::write(folder.join("hosts"), hosts)?;
        Ok(())
    }

    fn remove(&self, short: &str) {
        let full = self.full(short);
        // What is gone already is what is wanted.
        let _ = command(&format!("ip netns del {full}"));
        let _ = fs::remove_dir_all(hosts_folder(&full));
    }

    /// Connects a namespace to the Internet.
    fn plug(&self, short: &str, device: &str, addresses: &[&str]) -> Result<()> {
        let (here, there) = (self.full(short), self.full("pub"));
        command(&format!(
            "ip link add p-{short} netns {there} type veth peer name {device} netns {here}"
        ))?;
        self.inside("pub", &format!("ip link set p-{short} master br0 up"))?;
        for address in addresses {
            let quick = if address.contains(':') { " nodad" } else { "" };
            self.inside(short, &format!("ip addr add {address} dev {device}{quick}"))?;
        }
        self.inside(short, &format!("ip link set {device} up"))
    }

    fn rules(&self, short: &str, rules: &str) -> Result<()> {
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", &self.full(short), "nft", "-f", "-"]);
        let mut nft = nft.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        nft.stdin.take().context("nft reads nothing")?.write_all(rules.as_bytes())?;
        let ended = nft.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "nft refused {rules}: {complaint}");
        Ok(())
    }

    fn inside(&self, short: &str, words: &str) -> Result<()> {
        command(&format!("ip netns exec {} {words}", self.full(short)))
    }

    fn full(&self, short: &str) -> String {
        format!("{}-{short}", self.prefix)
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        self.disconnect();
        for short in ["px", "srv", "pub"] {
            self.remove(short);
        }
    }
}

/// What `ip netns exec` shows a program as /etc/hosts.
fn hosts_folder(namespace: &str) -> PathBuf {
    PathBuf::from("/etc/netns").join(namespace)
}

fn rules(kind: Kind, number: u8) -> String {
    let source = match kind {
        Kind::Symmetric => "masquerade random,fully-random",
        Kind::Open
        | Kind::FullCone
        | Kind::PortRestricted
        | Kind::NoUdp
        | Kind::Only443
        | Kind::Proxied
        | Kind::Ipv6Only => "masquerade persistent",
    };
    let everybody_in = match kind {
        Kind::FullCone => (
            format!(
                "chain pre {{ type nat hook prerouting priority -100; iifname \"wan\" udp dport 1024-65535 dnat to 10.{number}.0.2; }}"
            ),
            "iifname \"wan\" udp dport 1024-65535 accept;",
        ),
        Kind::Open
        | Kind::PortRestricted
        | Kind::Symmetric
        | Kind::NoUdp
        | Kind::Only443
        | Kind::Proxied
        | Kind::Ipv6Only => (String::new(), ""),
    };
    let out = match kind {
        Kind::NoUdp => "iifname \"lan\" meta l4proto udp drop; iifname \"lan\" accept;",
        Kind::Only443 => {
            "iifname \"lan\" tcp dport 443 accept; iifname \"lan\" reject with icmp type admin-prohibited;"
        }
        Kind::Proxied => {
            "iifname \"lan\" ip daddr 203.0.113.20 tcp dport 3128 accept; iifname \"lan\" drop;"
        }
        Kind::Open | Kind::FullCone | Kind::PortRestricted | Kind::Symmetric | Kind::Ipv6Only => {
            "iifname \"lan\" accept;"
        }
    };
    let (pre, forward) = everybody_in;
    format!(
        "table ip nat {{ chain post {{ type nat hook postrouting priority 100; oifname \"wan\" {source}; }}\n{pre}\n}}\n\
         table ip filter {{\n\
         chain in {{ type filter hook input priority 0; iifname \"wan\" ct state new meta l4proto {{ tcp, udp }} drop; }}\n\
         chain forward {{ type filter hook forward priority 0; policy drop; ct state established,related accept; {forward} {out} }}\n\
         }}\n"
    )
}

fn command(words: &str) -> Result<()> {
    let mut words = words.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    run(command).map(drop)
}
