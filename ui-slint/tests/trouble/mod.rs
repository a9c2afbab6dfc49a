//! What can be bad outside the windows, as their programs are told of it.

use std::path::PathBuf;

use tasuki_peer::shell::fault::Fault;

/// With the signed bundle: it lets nothing begin.
pub(crate) fn of_bundle() -> Vec<Fault> {
    let file = || PathBuf::from("tenant.json");
    let why = || "the signature does not match the document".to_owned();
    vec![
        Fault::NotSetUp,
        Fault::NoSuchBundle { file: file() },
        // Edited by hand.
        Fault::Bundle { file: file(), why: why() },
        Fault::OtherRoot { file: file(), pin: "root.pin".into() },
        Fault::OldBundle { file: file() },
        Fault::Expired { file: file() },
    ]
}

/// With the server or the way to it: the next try may do.
pub(crate) fn of_server() -> Vec<Fault> {
    let host = || "help.example".to_owned();
    vec![
        Fault::OtherVersion { theirs: 99 },
        Fault::StrangeVersion,
        Fault::NotTasuki { address: host() },
        Fault::WrongServerKey { host: host() },
        Fault::Inspected { host: host(), issuer: "Proxy CA".to_owned() },
        Fault::UnknownHost { host: host() },
        Fault::PortClosed { address: host() },
        Fault::Unavailable,
    ]
}
