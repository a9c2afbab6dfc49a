//! Settings in layers: default, file, environment, flag; the last one that
//! speaks wins, and each value remembers who said it.
//!
//! It does not read keys or open sockets: a bad path is found when it is used.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::{Failure, Wanted};
use crate::core::limits::Limits;
use crate::shell::relay::Settings;
use crate::shell::stun::StunRate;
use crate::shell::turn::{OwnAddresses, TurnLimits, TurnSettings};

/// One setting: its name, its default and what it takes. `None` has no default.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub name: &'static str,
    pub default: Option<&'static str>,
    pub takes: Takes,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Addresses,
    /// At most one IPv4 and one IPv6 address, without a port.
    OwnAddresses,
    File,
    LogFilter,
    Number {
        least: u64,
        most: u64,
    },
}

const fn item(name: &'static str, default: Option<&'static str>, takes: Takes) -> Item {
    Item { name, default, takes }
}

const fn number(name: &'static str, default: &'static str, least: u64, most: u64) -> Item {
    item(name, Some(default), Takes::Number { least, most })
}

/// Every setting there is. Times in seconds, amounts in bytes; a rate of 0 is unlimited.
pub const ITEMS: [Item; 26] = [
    item("listen", Some("0.0.0.0:443"), Takes::Addresses),
    item("stun_listen", Some("0.0.0.0:3478"), Takes::Addresses),
    item("turn_address", Some(""), Takes::OwnAddresses),
    item("turn_listen", Some("0.0.0.0:3478"), Takes::Addresses),
    item("certificate", None, Takes::File),
    item("key", None, Takes::File),
    item("ticket_key", None, Takes::File),
    item("log", Some("info"), Takes::LogFilter),
    number("limits.present_seconds", "8", 1, 60),
    number("limits.wait_seconds", "30", 1, 60),
    number("limits.idle_seconds", "120", 5, 86_400),
    number("limits.arriving", "1024", 1, 1_000_000),
    number("limits.arriving_per_address", "128", 1, 1_000_000),
    number("limits.waiting", "512", 1, 1_000_000),
    number("limits.pairs", "1024", 1, 1_000_000),
    number("limits.connections_per_address", "256", 1, 1_000_000),
    number("limits.legs_per_session", "4", 1, 1_000),
    number("limits.remembered_tickets", "65536", 16, 10_000_000),
    number("limits.bytes_per_second", "0", 0, 1 << 40),
    number("limits.receive_buffer", "196608", 4_096, 16 << 20),
    number("limits.stun_per_second", "20", 1, 100_000),
    number("limits.stun_burst", "60", 1, 100_000),
    number("limits.turn_allocations", "4096", 1, 16_384),
    number("limits.turn_per_address", "512", 1, 16_384),
    number("limits.turn_per_end", "8", 1, 16_384),
    number("limits.turn_bytes_per_second", "0", 0, 1 << 40),
];

/// Who said a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    Environment(String),
    Flag,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// The winning value of each setting, as text.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    values: BTreeMap<&'static str, (String, Source)>,
}

/// Settings that have been read and checked.
#[derive(Debug, Clone)]
pub struct Effective {
    pub listen: Vec<SocketAddr>,
    pub stun_listen: Vec<SocketAddr>,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub ticket_key: PathBuf,
    pub relay: Settings,
    pub stun: StunRate,
    /// Where TURN is spoken over TCP and TLS.
    pub turn_listen: Vec<SocketAddr>,
    /// `None` while `turn_address` is empty: no TURN.
    pub turn: Option<TurnSettings>,
}

impl Layers {
    pub fn defaults() -> Self {
        let values = ITEMS
            .iter()
            .filter_map(|item| Some((item.name, (item.default?.to_owned(), Source::Default))));
        Self { values: values.collect() }
    }

    /// # Errors
    /// The file cannot be read, is no TOML, or names an unknown setting.
    pub fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let unreadable = |why: std::io::ErrorKind| Failure::ConfigUnreadable {
            path: path.to_owned(),
            why: why.into(),
        };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.kind()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Failure::ConfigDamaged { path: path.to_owned(), line }
        })?;
        self.take_table("", &table, path)
    }

    fn take_table(&mut self, prefix: &str, table: &toml::Table, path: &Path) -> Result<(), Failure> {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            if let (toml::Value::Table(inner), "") = (value, prefix) {
                self.take_table(&format!("{name}."), inner, path)?;
                continue;
            }
            let source = Source::File(path.to_owned());
            let mut text = plain(value);
            if find(&name).is_some_and(|item| item.takes == Takes::File) {
                let folder = path.parent().unwrap_or(Path::new(""));
                text = folder.join(text).to_string_lossy().into_owned();
            }
            self.set(&name, text, source)?;
        }
        Ok(())
    }

    /// Takes `TASUKI_RELAY_LISTEN`, `TASUKI_RELAY_LIMITS_PAIRS` and so on.
    pub fn read_environment(&mut self, variable: impl Fn(&str) -> Option<String>) {
        for item in &ITEMS {
            let name = format!("TASUKI_RELAY_{}", item.name.replace('.', "_").to_uppercase());
            if let Some(text) = variable(&name) {
                self.values.insert(item.name, (text, Source::Environment(name)));
            }
        }
    }

    /// # Errors
    /// There is no such setting.
    pub fn set(&mut self, name: &str, text: String, source: Source) -> Result<(), Failure> {
        let Some(item) = find(name) else {
            return Err(Failure::UnknownSetting { name: name.to_owned(), place: source.to_string() });
        };
        self.values.insert(item.name, (text, source));
        Ok(())
    }

    /// Name, value and source of every setting, in the order of [`ITEMS`].
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, Option<&(String, Source)>)> {
        ITEMS.iter().map(|item| (item.name, self.values.get(item.name)))
    }

    /// # Errors
    /// A value is not what its setting takes.
    pub fn check(&self) -> Result<(), Failure> {
        for item in &ITEMS {
            match item.takes {
                Takes::Addresses => drop(self.addresses(item.name)?),
                Takes::OwnAddresses => drop(self.own_addresses(item.name)?),
                Takes::Number { .. } => drop(self.number(item.name)?),
                Takes::LogFilter => drop(self.log()?),
                Takes::File => {}
            }
        }
        Ok(())
    }

    /// # Errors
    /// A value is not what its setting takes, or one without a default is missing.
    pub fn effective(&self) -> Result<Effective, Failure> {
        self.check()?;
        let listen = self.addresses("listen")?;
        if listen.is_empty() {
            return Err(Failure::MissingSetting { name: "listen" });
        }
        Ok(Effective {
            listen,
            stun_listen: self.addresses("stun_listen")?,
            certificate: self.file("certificate")?,
            key: self.file("key")?,
            ticket_key: self.file("ticket_key")?,
            relay: self.relay()?,
            stun: self.stun()?,
            turn_listen: self.addresses("turn_listen")?,
            turn: self.turn()?,
        })
    }

    fn stun(&self) -> Result<StunRate, Failure> {
        Ok(StunRate {
            per_second: self.number("limits.stun_per_second")?,
            burst: self.number("limits.stun_burst")?,
        })
    }

    fn turn(&self) -> Result<Option<TurnSettings>, Failure> {
        let count = |name| self.number(name).map(|number| number as usize);
        let own = self.own_addresses("turn_address")?;
        let limits = TurnLimits {
            allocations: count("limits.turn_allocations")?,
            per_address: count("limits.turn_per_address")?,
            per_end: count("limits.turn_per_end")?,
            rate: Some(self.number("limits.turn_bytes_per_second")?).filter(|&rate| rate > 0),
        };
        let settings = TurnSettings { limits, rate: self.stun()?, own, ..TurnSettings::default() };
        Ok((!own.is_empty()).then_some(settings))
    }

    fn own_addresses(&self, name: &'static str) -> Result<OwnAddresses, Failure> {
        self.text(name).parse().map_err(|_| self.bad(name, Wanted::OwnAddresses))
    }

    /// The log level.
    ///
    /// # Errors
    /// It is none of the five.
    pub fn log(&self) -> Result<tracing::Level, Failure> {
        self.text("log").parse().map_err(|_| self.bad("log", Wanted::LogFilter))
    }

    fn relay(&self) -> Result<Settings, Failure> {
        let seconds = |name| self.number(name).map(Duration::from_secs);
        let count = |name| self.number(name).map(|number| number as usize);
        Ok(Settings {
            limits: Limits {
                present_within: seconds("limits.present_seconds")?,
                wait: seconds("limits.wait_seconds")?,
                arriving: count("limits.arriving")?,
                arriving_per_address: count("limits.arriving_per_address")?,
                waiting: count("limits.waiting")?,
                pairs: count("limits.pairs")?,
                per_address: count("limits.connections_per_address")?,
                legs_per_session: count("limits.legs_per_session")?,
                remembered_tickets: count("limits.remembered_tickets")?,
            },
            idle: seconds("limits.idle_seconds")?,
            rate: Some(self.number("limits.bytes_per_second")?).filter(|&rate| rate > 0),
            receive_buffer: count("limits.receive_buffer")?,
        })
    }

    fn text(&self, name: &'static str) -> &str {
        self.values.get(name).map_or("", |(text, _)| text)
    }

    fn bad(&self, name: &'static str, wanted: Wanted) -> Failure {
        let place = self.values.get(name).map_or(Source::Default, |(_, source)| source.clone());
        Failure::BadValue { name, value: self.text(name).to_owned(), place: place.to_string(), wanted }
    }

    fn number(&self, name: &'static str) -> Result<u64, Failure> {
        let Some(Item { takes: Takes::Number { least, most }, .. }) = find(name) else {
            return Err(Failure::MissingSetting { name });
        };
        let number = self.text(name).trim().parse::<u64>().ok();
        number
            .filter(|number| (*least..=*most).contains(number))
            .ok_or_else(|| self.bad(name, Wanted::Number { least: *least, most: *most }))
    }

    fn addresses(&self, name: &'static str) -> Result<Vec<SocketAddr>, Failure> {
        let parts = self.text(name).split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed: Result<Vec<SocketAddr>, _> = parts.map(str::parse).collect();
        parsed
            .ok()
            .filter(|addresses| addresses.len() <= MAX_LISTENERS)
            .ok_or_else(|| self.bad(name, Wanted::Addresses))
    }

    fn file(&self, name: &'static str) -> Result<PathBuf, Failure> {
        match self.text(name) {
            "" => Err(Failure::MissingSetting { name }),
            path => Ok(PathBuf::from(path)),
        }
    }
}

/// The most addresses that `listen` or `stun_listen` may have.
pub const MAX_LISTENERS: usize = 8;

fn find(name: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|item| item.name == name)
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Table(_) => value.to_string(),
    }
}
