//! With what a program's records are sealed, kept and sent.

use super::profile::Profile;
use super::proxy::Proxies;
use super::trust::Trust;

#[derive(Debug, Clone)]
pub struct Desk {
    pub trust: Trust,
    pub proxies: Proxies,
    pub profile: Profile,
}
