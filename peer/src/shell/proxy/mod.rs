//! Which HTTP proxy a connection takes, if any (S84).
//!
//! Decides the order: what was set here, then the environment, then the desktop's
//! own settings. A proxy changes the way to a server and never which server is
//! trusted: the pinned key holds at the far end all the same (T70).

mod address;
mod bypass;
mod system;
mod tunnel;

use std::sync::Arc;

pub use address::{BadProxy, Proxy};
use bypass::Bypass;
pub(super) use tunnel::{Refusal, ask, open as open_tunnel};

/// How a program finds its proxy.
#[derive(Debug, Clone)]
pub enum Proxies {
    /// As the environment says, then as the desktop does.
    Found(Arc<Environment>),
    /// Straight, whatever others say.
    Straight,
    /// This one, to every host.
    Named(Arc<Proxy>),
}

/// What the environment says: HTTPS_PROXY or ALL_PROXY, and NO_PROXY.
#[derive(Debug, Default)]
pub struct Environment {
    proxy: Option<Proxy>,
    except: Bypass,
}

impl Default for Proxies {
    fn default() -> Self {
        Self::Found(Arc::new(Environment::read(|name| std::env::var(name).ok())))
    }
}

impl Proxies {
    /// `auto`, `none`, or a proxy's address.
    ///
    /// # Errors
    /// See [`BadProxy`].
    pub fn parse(setting: &str) -> Result<Self, BadProxy> {
        match setting {
            "auto" | "" => Ok(Self::default()),
            "none" => Ok(Self::Straight),
            address => address.parse().map(|proxy| Self::Named(Arc::new(proxy))),
        }
    }

    /// The proxy towards `host`. Asks the desktop afresh each time, because a laptop
    /// changes its network while programs run.
    pub async fn towards(&self, host: &str, port: u16) -> Option<Proxy> {
        match self {
            Self::Straight => None,
            Self::Named(proxy) => Some(Proxy::clone(proxy)),
            Self::Found(_) if bypass::is_this_machine(host) => None,
            Self::Found(environment) => match &environment.proxy {
                Some(_) if environment.except.covers(host, port) => None,
                Some(proxy) => Some(proxy.clone()),
                None => system::ask().await.and_then(|system| system.towards(host, port)),
            },
        }
    }
}

impl Environment {
    /// Lower case first, as every other program has it. A value that this program
    /// cannot use (SOCKS, say) was not meant for it.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |names: [&str; 2]| names.into_iter().find_map(&variable).filter(|v| !v.is_empty());
        let named = set(["https_proxy", "HTTPS_PROXY"]).or_else(|| set(["all_proxy", "ALL_PROXY"]));
        let proxy = named.and_then(|value| match value.parse() {
            Ok(proxy) => Some(proxy),
            Err(why) => {
                tracing::warn!(%why, "the environment names a proxy that cannot be used");
                None
            }
        });
        let except = Bypass::parse(&set(["no_proxy", "NO_PROXY"]).unwrap_or_default());
        Self { proxy, except }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> Proxies {
        let read = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxies::Found(Arc::new(Environment::read(read)))
    }

    async fn shown(proxies: &Proxies, host: &str) -> Option<String> {
        proxies.towards(host, 443).await.map(|proxy| proxy.to_string())
    }

    #[tokio::test]
    async fn s84_the_environment_names_the_proxy_and_its_exceptions() {
        let proxies = environment(&[
            ("HTTPS_PROXY", "http://proxy.example:3128"),
            ("NO_PROXY", "intern.example,10.0.0.0/8"),
        ]);
        assert_eq!(shown(&proxies, "help.example").await.as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(shown(&proxies, "a.intern.example").await, None);
        assert_eq!(shown(&proxies, "10.1.2.3").await, None);
        assert_eq!(shown(&proxies, "localhost").await, None);
    }

    #[tokio::test]
    async fn s84_what_is_set_here_wins_over_the_environment_in_both_directions() {
        let named = Proxies::parse("proxy.example:8080").unwrap();
        assert_eq!(shown(&named, "127.0.0.1").await.as_deref(), Some("http://proxy.example:8080"));
        assert_eq!(shown(&Proxies::parse("none").unwrap(), "help.example").await, None);
    }

    #[tokio::test]
    async fn a_proxy_of_another_kind_in_the_environment_is_not_taken_for_ours() {
        let proxies = environment(&[("ALL_PROXY", "socks5://proxy.example:1080")]);
        let Proxies::Found(environment) = &proxies else { unreachable!() };
        assert!(environment.proxy.is_none());
        assert!(Proxies::parse("socks5://proxy.example:1080").is_err());
    }
}
