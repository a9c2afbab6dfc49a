//! The kinds of network that an end may sit in, and which two of them meet without a relay.

/// What stands between an end and the Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A public address of each family, nothing in between.
    Open,
    /// Endpoint-independent mapping and filtering (RFC 4787 §4, §5).
    FullCone,
    /// Endpoint-independent mapping, address-and-port-dependent filtering.
    PortRestricted,
    /// Address-and-port-dependent mapping.
    Symmetric,
    /// As port-restricted, and no UDP.
    NoUdp,
    /// Only TCP to port 443 leaves.
    Only443,
    /// Only an HTTP proxy is reached, and it asks for name and password.
    Proxied,
    /// No IPv4 at all.
    Ipv6Only,
}

/// What carries a session in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    Direct,
    /// Datagrams that the relay forwards by TURN.
    Turn,
    Relayed,
}

impl Path {
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Turn => "UDP relayed",
            Self::Relayed => "relayed",
        }
    }
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::FullCone,
        Self::PortRestricted,
        Self::Symmetric,
        Self::NoUdp,
        Self::Only443,
        Self::Proxied,
        Self::Ipv6Only,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::FullCone => "full cone",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::NoUdp => "UDP blocked",
            Self::Only443 => "only TCP 443",
            Self::Proxied => "proxy with password",
            Self::Ipv6Only => "IPv6 only",
        }
    }

    /// Whether no server can see an address of this end over UDP.
    pub fn is_silent(self) -> bool {
        !self.passes_udp()
    }

    fn passes_udp(self) -> bool {
        match self {
            Self::Open | Self::FullCone | Self::PortRestricted | Self::Symmetric | Self::Ipv6Only => {
                true
            }
            Self::NoUdp | Self::Only443 | Self::Proxied => false,
        }
    }
}

/// The path that two ends must come to: direct wherever ICE can (RFC 8445, RFC 5128 §3.3), over UDP
/// through the relay where both have UDP at all, relayed over TCP everywhere else, and never none.
pub fn expected(one: Kind, other: Kind) -> Path {
    let is = |kind| one == kind || other == kind;
    let (harder, softer) = (one.max(other), one.min(other));
    let udp = one.passes_udp() && other.passes_udp();
    let meet = udp
        // A mapping of its own for each peer is found only by who lets strangers in.
        && !(is(Kind::Symmetric) && softer >= Kind::PortRestricted)
        // Two families meet only at an end that has both.
        && (harder != Kind::Ipv6Only || matches!(softer, Kind::Open | Kind::Ipv6Only));
    match (meet, udp) {
        (true, _) => Path::Direct,
        (false, true) => Path::Turn,
        (false, false) => Path::Relayed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s28_every_pair_has_a_path_and_most_of_those_with_udp_a_direct_one() {
        let direct = |one, other| expected(one, other) == Path::Direct;
        assert!(direct(Kind::PortRestricted, Kind::PortRestricted));
        assert!(direct(Kind::Symmetric, Kind::FullCone) && direct(Kind::Open, Kind::Symmetric));
        for other in [Kind::PortRestricted, Kind::Symmetric] {
            assert_eq!(expected(Kind::Symmetric, other), Path::Turn);
        }
        assert!(direct(Kind::Ipv6Only, Kind::Ipv6Only) && direct(Kind::Open, Kind::Ipv6Only));
        assert_eq!(expected(Kind::Ipv6Only, Kind::FullCone), Path::Turn);
        for kind in Kind::ALL {
            for blocked in [Kind::NoUdp, Kind::Only443, Kind::Proxied] {
                assert_eq!([expected(kind, blocked), expected(blocked, kind)], [Path::Relayed; 2]);
            }
        }
    }
}
