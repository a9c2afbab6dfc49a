//! The network lab: real programs behind real address translation, firewalls and proxies, in
//! network namespaces of one machine.
//!
//! Decides how such networks are laid out, which pairs of them must find a direct path, and how
//! that is told. Refuses to know what the programs do inside.

mod kind;
mod layout;
mod proxy;
mod report;
mod trial;
mod web_only;

pub use self::{
    kind::{Kind, Path, expected},
    layout::{Layout, Side, is_possible},
    proxy::serve as serve_proxy,
    report::page,
    trial::{Lab, Meeting, Outcome},
    web_only::WebOnly,
};

/// By which name the server is reached from inside the lab.
pub const HOST: &str = "help.test";
/// What the lab's proxy asks for.
pub const PROXY_SIGN_IN: &str = "hanako:open sesame";
