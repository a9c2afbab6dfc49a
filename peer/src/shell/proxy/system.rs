//! The proxy that a person set for the whole desktop, where the desktop is GNOME's
//! or keeps its settings as GNOME does.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::address::Proxy;
use super::bypass::Bypass;

/// Settings that are slower to read than this are none.
const PATIENCE: Duration = Duration::from_secs(1);
const SCHEMA: &str = "org.gnome.system.proxy";

#[derive(Debug)]
pub(super) struct System {
    proxy: Proxy,
    except: Bypass,
}

impl System {
    pub(super) fn towards(self, host: &str, port: u16) -> Option<Proxy> {
        (!self.except.covers(host, port)).then_some(self.proxy)
    }
}

/// `None` outside a desktop session, and where no proxy is set by hand.
pub(super) async fn ask() -> Option<System> {
    std::env::var_os("XDG_CURRENT_DESKTOP")?;
    let mut command = Command::new("gsettings");
    command.args(["list-recursively", SCHEMA]).kill_on_drop(true);
    let printed = timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    read(std::str::from_utf8(&printed.stdout).ok()?)
}

/// Lines of `SCHEMA KEY VALUE`, texts in quotes, lists in brackets.
fn read(printed: &str) -> Option<System> {
    let value = |schema: &str, key: &str| {
        let of_key = |line: &&str| {
            let mut words = line.split(' ');
            words.next() == Some(schema) && words.next() == Some(key)
        };
        let line = printed.lines().find(of_key)?;
        let value = line.splitn(3, ' ').nth(2)?;
        Some(value.trim_start_matches("@as ").replace(['\'', '[', ']'], ""))
    };
    if value(SCHEMA, "mode")? != "manual" {
        return None;
    }
    let https = format!("{SCHEMA}.https");
    let (host, port) = (value(&https, "host")?, value(&https, "port")?);
    let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let except = Bypass::parse(&value(SCHEMA, "ignore-hosts").unwrap_or_default());
    Some(System { proxy: place.parse().ok()?, except })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
org.gnome.system.proxy mode 'manual'
org.gnome.system.proxy ignore-hosts ['localhost', '10.0.0.0/8']
org.gnome.system.proxy.http host 'other.example'
org.gnome.system.proxy.https host 'proxy.example'
org.gnome.system.proxy.https port 3128
";

    #[test]
    fn s84_a_desktop_s_own_setting_is_read_with_its_exceptions() {
        let towards = |host: &str| read(PRINTED).unwrap().towards(host, 443).map(|p| p.to_string());
        assert_eq!(towards("help.example").as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(towards("10.1.1.1"), None);
    }

    #[test]
    fn a_desktop_without_a_proxy_or_with_an_unfinished_one_has_none() {
        assert!(read(&PRINTED.replace("manual", "none")).is_none());
        assert!(read(&PRINTED.replace("proxy.example", "")).is_none());
        assert!(read("nothing of the kind").is_none());
    }
}
