//! The network lab: real programs behind real address translation, firewalls and proxies, in
//! network namespaces of one machine.
//!
//! Decides how such networks are laid out, which pairs of them must find a direct path, and how
//! that is told. Refuses to know what the programs do inside.

mod far;
mod kind;
mod layout;
mod line;
mod proxy;
mod report;
mod trial;
mod web_only;

pub use self::{
    far::Endured,
    kind::{Kind, Path, expected},
    layout::{Layout, Side, is_possible},
    line::{Line, Shaper, carry},
    proxy::serve as serve_proxy,
    report::{far_page, page},
    trial::{Call, Lab, Meeting, Outcome},
    web_only::WebOnly,
};

/// By which name the server is reached from inside the lab.
pub const HOST: &str = "help.test";
/// What the lab's proxy asks for.
pub const PROXY_SIGN_IN: &str = "hanako:open sesame";
