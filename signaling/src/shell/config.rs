//! Every setting, its default, and where its value came from: default, file,
//! environment, flag, the later the stronger.
//!
//! Limits are settings so that tests can shorten times by documented means.

mod places;
mod sockets;
mod source;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use tasuki_protocol::manifest::MAX_LENGTH;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_turn_relay::OwnAddresses;

pub use self::places::{METRICS, Metering, Relaying, Stun};
pub use self::sockets::SocketRules;
pub use self::source::Source;
use super::acme::AcmeSettings;
use super::config_values::{
    ADDRESS, AUTHORITY, COUNT, DISCLOSURE, MEMORY, METRICS_AT, NETWORKS, NUMBER_LIFETIME, RELAY,
    SECOND_FACTOR, SESSION_LENGTH, TURN_ADDRESS, count, length, milliseconds, optional, parse,
    positive, requests, seconds, within,
};
use super::fault::Fault;
use super::in_force::Given;
use super::passwords::Cost;
use super::rules::{AccountRules, PasswordRules};
use crate::core::admission::network;
use crate::core::rooms;

/// In the data folder.
pub const CONFIG_FILE: &str = "server.toml";
/// Before a key in capitals, in the environment.
pub const ENVIRONMENT_PREFIX: &str = "TASUKI_SERVER_";
pub(crate) const TEMPLATE: &str = "# Settings of tasuki-server, one `key = value` a line. \
`tasuki-server config --data DIR`\n# lists them all with their values and what they are for.\n";

#[derive(Debug, Clone)]
pub struct Config {
    /// `None`: every address, at the bundle's port.
    pub listen: Option<SocketAddr>,
    pub relay: Relaying,
    /// UDP address that answers STUN.
    pub stun: Stun,
    pub metrics: Metering,
    /// Of the relay inside, as seen from outside; empty: no TURN.
    pub turn_address: OwnAddresses,
    pub rooms: rooms::Settings,
    pub session_length: Duration,
    pub address_disclosure: AddressDisclosure,
    pub accounts: AccountRules,
    pub sockets: SocketRules,
    /// Reverse proxies whose `X-Forwarded-For` counts. T54.
    pub proxies: Vec<IpNet>,
    pub acme: AcmeSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            relay: Relaying::Embedded,
            stun: Stun::BesideTheServer,
            metrics: Metering::At(METRICS),
            turn_address: OwnAddresses::default(),
            rooms: rooms::Settings::default(),
            session_length: MAX_LENGTH,
            address_disclosure: AddressDisclosure::Public,
            accounts: AccountRules {
                cost: Cost { memory_kib: 64 * 1024, passes: 3 },
                lock_after: 3,
                lock_for: Duration::from_secs(15 * 60),
                wrong_per_address: 10,
                token_idle: Duration::from_secs(30 * 60),
                token_absolute: Duration::from_secs(12 * 3600),
                code_lifetime: Duration::from_secs(24 * 3600),
                confirm_for: Duration::from_secs(10 * 60),
                second_factor_required: false,
                passwords: PasswordRules { least_chars: 15, least_chars_with_totp: 8, breached: None },
            },
            sockets: SocketRules::default(),
            proxies: Vec::new(),
            acme: AcmeSettings::default(),
        }
    }
}

type Setter = fn(&mut Config, &str) -> Result<(), &'static str>;

/// One setting.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub default: &'static str,
    pub help: &'static str,
    set: Setter,
}

/// All settings.
pub const KEYS: &[Key] = &[
    key("listen", "", "address and port; empty: all addresses at the bundle's port", |c, v| {
        optional(v, ADDRESS).map(|v| c.listen = v)
    }),
    key(
        "relay",
        "embedded",
        "embedded, none, or one tasuki-relay or more as HOST:PORT/PIN[/TURN-PORT], with commas",
        |c, v| {
            c.relay = match v {
                "embedded" => Relaying::Embedded,
                "none" => Relaying::Nowhere,
                elsewhere => {
                    let relays = elsewhere.split(',').map(|relay| parse(relay.trim(), RELAY));
                    Relaying::Elsewhere(relays.collect::<Result<_, _>>()?)
                }
            };
            Ok(())
        },
    ),
    key(
        "stun",
        "server",
        "where STUN is answered: server (its address, UDP), off, or address and port",
        |c, v| {
            c.stun = match v {
                "server" => Stun::BesideTheServer,
                "off" => Stun::Off,
                address => Stun::At(parse(address, ADDRESS)?),
            };
            Ok(())
        },
    ),
    key("metrics", "127.0.0.1:9464", "where /metrics is offered: address and port, or off", |c, v| {
        c.metrics = if v == "off" { Metering::Off } else { Metering::At(parse(v, METRICS_AT)?) };
        Ok(())
    }),
    key(
        "turn_address",
        "",
        "this machine's public IPv4 and IPv6 address, for TURN beside STUN; empty: no TURN",
        |c, v| v.parse().map(|own| c.turn_address = own).map_err(|_| TURN_ADDRESS),
    ),
    key("address_disclosure", "public", "relay-only, public or all", |c, v| {
        c.address_disclosure = match v {
            "relay-only" => AddressDisclosure::RelayOnly,
            "public" => AddressDisclosure::Public,
            "all" => AddressDisclosure::All,
            _ => return Err(DISCLOSURE),
        };
        Ok(())
    }),
    key("number_lifetime_s", "600", "how long a number waits, at most 600", |c, v| {
        c.rooms.number_lifetime = within(seconds(v)?, 600, NUMBER_LIFETIME)?;
        Ok(())
    }),
    key("session_length_s", "28800", "how long a session may last, at most 28800", |c, v| {
        c.session_length = within(seconds(v)?, MAX_LENGTH.as_secs(), SESSION_LENGTH)?;
        Ok(())
    }),
    key("answer_after_ms", "2000", "from a join to its refusal", |c, v| {
        milliseconds(v).map(|v| c.rooms.answer_after = v)
    }),
    key("pairing_within_ms", "10000", "from a join to a pairing", |c, v| {
        milliseconds(v).map(|v| c.rooms.pairing_within = v)
    }),
    key("resume_grace_s", "120", "how long a paired end may be away", |c, v| {
        seconds(v).map(|v| c.rooms.resume_grace = v)
    }),
    key("joins_per_address", "10", "tries at numbers from one address in ten minutes", |c, v| {
        count(v).map(|v| c.rooms.guesses.per_address = v)
    }),
    key("joins_per_minute", "100", "tries at numbers in all; half of them for first tries", |c, v| {
        count(v).map(|v| c.rooms.guesses.overall = v)
    }),
    key("open_numbers", "8", "numbers one operator may have open at a time", |c, v| {
        count(v).map(|v| c.rooms.open_numbers = v)
    }),
    key("openings_burst", "60", "numbers one operator may open at once; 0.2 a second later", |c, v| {
        parse(v, COUNT).map(|v| c.rooms.openings.burst = v)
    }),
    key("lock_after", "3", "failed logins that suspend an account", |c, v| {
        parse(v, COUNT).and_then(positive).map(|v| c.accounts.lock_after = v)
    }),
    key("lock_s", "900", "how long it is suspended", |c, v| {
        seconds(v).map(|v| c.accounts.lock_for = v)
    }),
    key(
        "wrong_logins_per_address",
        "10",
        "wrong logins from one address at devices that are not approved; one more after each lock_s",
        |c, v| parse(v, COUNT).and_then(positive).map(|v| c.accounts.wrong_per_address = v),
    ),
    key("password_memory_kib", "65536", "Argon2id's memory; less only in tests", |c, v| {
        let memory: u32 = parse(v, MEMORY)?;
        c.accounts.cost.memory_kib = if memory < 8 { return Err(MEMORY) } else { memory };
        Ok(())
    }),
    key("password_passes", "3", "Argon2id's passes; fewer only in tests", |c, v| {
        parse(v, COUNT).and_then(positive).map(|v| c.accounts.cost.passes = v)
    }),
    key("token_idle_s", "1800", "an operator's sign-in ends when unused for", |c, v| {
        seconds(v).map(|v| c.accounts.token_idle = v)
    }),
    key("token_absolute_s", "43200", "an operator's sign-in ends after", |c, v| {
        seconds(v).map(|v| c.accounts.token_absolute = v)
    }),
    key("code_lifetime_s", "86400", "a code for a new device ends after", |c, v| {
        seconds(v).map(|v| c.accounts.code_lifetime = v)
    }),
    key(
        "confirm_s",
        "600",
        "mode Manage, and what changes accounts, rights or keys, ask for password or digits again after",
        |c, v| seconds(v).map(|v| c.accounts.confirm_for = v),
    ),
    key("second_factor", "optional", "an authenticator for everybody: optional or required", |c, v| {
        c.accounts.second_factor_required = match v {
            "optional" => false,
            "required" => true,
            _ => return Err(SECOND_FACTOR),
        };
        Ok(())
    }),
    key("password_chars", "15", "characters of a password that is the only thing to know", |c, v| {
        length(v).map(|v| c.accounts.passwords.least_chars = v)
    }),
    key("password_chars_with_totp", "8", "characters of a password beside an authenticator", |c, v| {
        length(v).map(|v| c.accounts.passwords.least_chars_with_totp = v)
    }),
    key("breached_passwords", "", "file of SHA-1 hashes of breached passwords, sorted", |c, v| {
        c.accounts.passwords.breached = (!v.is_empty()).then(|| v.into());
        Ok(())
    }),
    key(
        "proxies",
        "",
        "networks of reverse proxies whose X-Forwarded-For counts, by commas",
        |c, v| {
            let listed = v.split(',').map(str::trim).filter(|text| !text.is_empty());
            c.proxies = listed.map(network).collect::<Result<_, _>>().map_err(|_| NETWORKS)?;
            Ok(())
        },
    ),
    key(
        "acme",
        "",
        "authority that gives the certificate: letsencrypt, or its directory's https URL; empty: none. \
         Whoever sets it agrees to the authority's terms",
        |c, v| {
            let directory = (!v.is_empty()).then(|| AcmeSettings::directory_of(v).ok_or(AUTHORITY));
            directory.transpose().map(|directory| c.acme.directory = directory)
        },
    ),
    key("acme_contact", "", "e-mail address to which the authority writes", |c, v| {
        c.acme.contact = (!v.is_empty()).then(|| v.to_owned());
        Ok(())
    }),
    key("acme_root", "", "PEM file of the authority's own root; empty: the system's roots", |c, v| {
        c.acme.root = (!v.is_empty()).then(|| v.into());
        Ok(())
    }),
    key("connections", "4096", "connections in all", |c, v| {
        count(v).map(|v| c.sockets.connections = v)
    }),
    key("connections_per_address", "256", "connections from one address", |c, v| {
        count(v).map(|v| c.sockets.connections_per_address = v)
    }),
    key(
        "requests_per_address",
        "600",
        "HTTP requests a minute from one address, and as many at once; 10 to 1000000",
        |c, v| requests(v).map(|v| c.sockets.requests_per_address = v),
    ),
    key(
        "speed_per_address",
        "240",
        "requests a minute from one address that time a line, 19 for each time; 10 to 1000000",
        |c, v| requests(v).map(|v| c.sockets.speed_per_address = v),
    ),
    key("handshake_s", "10", "time for a TLS handshake", |c, v| {
        seconds(v).map(|v| c.sockets.handshake = v)
    }),
    key("first_message_s", "10", "time for a request's head, body, a first message", |c, v| {
        seconds(v).map(|v| c.sockets.first_message = v)
    }),
    key("ping_s", "20", "WebSocket pings, every", |c, v| seconds(v).map(|v| c.sockets.ping_every = v)),
    key("silence_s", "60", "a WebSocket that says nothing, not even pong, ends after", |c, v| {
        seconds(v).map(|v| c.sockets.silence = v)
    }),
];

const fn key(name: &'static str, default: &'static str, help: &'static str, set: Setter) -> Key {
    Key { name, default, help, set }
}

/// A configuration, and for each key its value as text and where it came from.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    pub config: Config,
    values: BTreeMap<&'static str, (String, Source)>,
}

impl Configured {
    /// Defaults < `server.toml` in `data` < environment < `flags`.
    ///
    /// # Errors
    /// A value that a key cannot have, an unknown key, a file that is no TOML.
    pub fn gather(
        data: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, Fault> {
        let mut configured = Self::default();
        let file = data.join(CONFIG_FILE);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(Fault::unreadable(&file)(error));
            }
            Err(_) => return Err(Fault::ConfigFile { file, line: None }),
        };
        let table: toml::Table = text.parse().map_err(|wrong: toml::de::Error| {
            let before = wrong.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            Fault::ConfigFile { file, line }
        })?;
        for (name, value) in &table {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            configured.set(name, &text, Source::File)?;
        }
        for (name, value) in environment {
            if let Some(name) = name.strip_prefix(ENVIRONMENT_PREFIX) {
                configured.set(&name.to_lowercase(), &value, Source::Environment)?;
            }
        }
        for (name, value) in flags {
            configured.set(name, value, Source::Flag)?;
        }
        Ok(configured)
    }

    fn set(&mut self, name: &str, value: &str, source: Source) -> Result<(), Fault> {
        let key = KEYS.iter().find(|key| key.name == name);
        let key = key.ok_or_else(|| Fault::UnknownSetting(name.to_owned()))?;
        (key.set)(&mut self.config, value).map_err(|expected| Fault::Setting {
            key: name.to_owned(),
            value: value.to_owned(),
            expected,
        })?;
        self.values.insert(key.name, (value.to_owned(), source));
        Ok(())
    }

    /// What environment and flags said.
    pub(crate) fn given(&self) -> Given {
        let given = self.values.iter().filter(|(_, (_, source))| match source {
            Source::Environment | Source::Flag => true,
            Source::Default | Source::File => false,
        });
        given.map(|(name, (value, _))| ((*name).to_owned(), value.clone())).collect()
    }

    /// Each key with its value and source.
    pub fn effective(&self) -> impl Iterator<Item = (&'static Key, &str, Source)> {
        KEYS.iter().map(|key| match self.values.get(key.name) {
            Some((value, source)) => (key, value.as_str(), *source),
            None => (key, key.default, Source::Default),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_in_the_table_is_the_default_in_use() {
        let mut spelled = Config::default();
        for key in KEYS {
            (key.set)(&mut spelled, key.default).unwrap();
        }
        assert_eq!(format!("{spelled:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_empty_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(CONFIG_FILE);
        std::fs::write(&file, b"second_factor = \"required\" # \xff").unwrap();
        let gathered = Configured::gather(folder.path(), [], &[]);
        assert!(
            matches!(gathered, Err(Fault::ConfigFile { file: named, line: None }) if named == file)
        );
        std::fs::write(&file, "lock_s = 5\nlock_after = ３\n").unwrap();
        let gathered = Configured::gather(folder.path(), [], &[]);
        assert!(matches!(gathered, Err(Fault::ConfigFile { line: Some(2), .. })));
    }

    #[test]
    fn a_flag_beats_the_environment_and_that_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), "lock_after = 4\nlock_s = 5\nping_s = 6\n")
            .unwrap();
        let environment =
            ["LOCK_S", "PING_S"].map(|k| (format!("{ENVIRONMENT_PREFIX}{k}"), "7".to_owned()));
        let flags = [("ping_s".to_owned(), "8".to_owned())];
        let gathered = Configured::gather(folder.path(), environment, &flags).unwrap();
        let found: Vec<_> = gathered
            .effective()
            .filter(|(_, _, source)| *source != Source::Default)
            .map(|(key, value, source)| format!("{} {value} {}", key.name, source.name()))
            .collect();
        assert_eq!(found, ["lock_after 4 file", "lock_s 7 environment", "ping_s 8 flag"]);
    }

    /// S100.
    #[test]
    fn what_a_setting_must_be_is_said_in_japanese_too() {
        for key in KEYS {
            for value in ["nonsense \u{7}", "0", "70000000"] {
                let flag = (key.name.to_owned(), value.to_owned());
                let Err(fault) = Configured::gather(Path::new("nowhere"), [], &[flag]) else {
                    continue;
                };
                let said = fault.sentence(crate::shell::fault::Language::Japanese);
                assert!(!said.contains("it must") && said.contains("使えません"), "{said}");
            }
        }
    }

    #[test]
    fn an_unknown_key_and_an_impossible_value_are_named() {
        let set = |name: &str, value: &str| {
            Configured::gather(Path::new("nowhere"), [], &[(name.to_owned(), value.to_owned())])
                .map(|_| ())
                .map_err(|fault| fault.to_string())
        };
        assert!(set("locks", "1").unwrap_err().contains("locks"));
        assert!(set("number_lifetime_s", "601").unwrap_err().contains("1 to 600"));
        assert!(set("lock_after", "0").unwrap_err().contains("lock_after"));
    }
}
