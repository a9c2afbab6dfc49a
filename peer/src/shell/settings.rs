//! Settings: built-in default, then file, then environment, then flag.
//!
//! Decides the order and remembers where each value came from. None of them
//! consents to anything, and none changes which server is trusted (T70).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::Fault;
use super::profile::Profile;
use super::proxy::Proxies;
use super::system;
use super::texts::Lang;
use crate::core::{PathPolicy, Permission, SessionTimes};

/// The file of settings in the configuration folder.
pub const SETTINGS_FILE: &str = "settings.toml";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(&'static str),
    Flag(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file) => write!(f, "file {}", file.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    pub value: String,
    pub origin: Origin,
}

/// What was given on the command line; `None` where nothing was.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub profile: Option<PathBuf>,
    pub tenant: Option<PathBuf>,
    pub lang: Option<String>,
    pub path: Option<String>,
    pub proxy: Option<String>,
    pub log: Option<String>,
}

/// The effective settings of a program.
#[derive(Debug, Clone)]
pub struct Settings {
    pub profile: Profile,
    pub tenant: Option<PathBuf>,
    pub lang: Lang,
    pub paths: PathPolicy,
    pub times: SessionTimes,
    pub proxies: Proxies,
    pub log: String,
    pub list: Vec<Setting>,
}

impl Settings {
    /// # Errors
    /// [`Fault::Setting`] for a value that cannot be, [`Fault::NoHome`].
    pub fn gather(flags: Flags) -> Result<Self, Fault> {
        let mut list = Vec::new();
        let profile = profile(flags.profile, &mut list)?;
        let file = profile.config.join(SETTINGS_FILE);
        let mut from = Sources { table: read(&file)?, file, list };
        let tenant = flags.tenant.map(|path| path.display().to_string());
        let tenant = from.pick("tenant", ("--tenant", tenant), "TASUKI_TENANT", "");
        let lang = from.pick("lang", ("--lang", flags.lang), "TASUKI_LANG", "");
        let path = from.pick("path", ("--path", flags.path), "TASUKI_PATH", "auto");
        let proxy = from.pick("proxy", ("--proxy", flags.proxy), "TASUKI_PROXY", "auto");
        let log = from.pick("log", ("--log", flags.log), "TASUKI_LOG", "warn");
        let lang = language(&lang, &mut from.list)?;
        let times = from.times()?;
        Ok(Self {
            profile,
            tenant: Some(tenant).filter(|path| !path.is_empty()).map(PathBuf::from),
            lang,
            paths: policy(&path)?,
            times,
            proxies: proxies(&proxy, &mut from)?,
            log,
            list: from.list,
        })
    }

    /// One line a setting: name, value, where it came from.
    pub fn table(&self) -> String {
        let lines = self
            .list
            .iter()
            .map(|setting| format!("{:<10} {:<40} {}\n", setting.name, setting.value, setting.origin));
        lines.collect()
    }
}

struct Sources {
    table: toml::Table,
    file: PathBuf,
    list: Vec<Setting>,
}

impl Sources {
    fn pick(
        &mut self,
        name: &'static str,
        (flag, flagged): (&'static str, Option<String>),
        variable: &'static str,
        default: &str,
    ) -> String {
        let filed = self.table.get(name).and_then(toml::Value::as_str).map(str::to_owned);
        let candidates = [
            (flagged, Origin::Flag(flag)),
            (std::env::var(variable).ok().filter(|v| !v.is_empty()), Origin::Environment(variable)),
            (filed, Origin::File(self.file.clone())),
            (Some(default.to_owned()), Origin::Default),
        ];
        let found = candidates.into_iter().find_map(|(value, origin)| Some((value?, origin)));
        let (value, origin) = found.unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.list.push(Setting { name, value: value.clone(), origin });
        value
    }
}

impl Sources {
    /// Of this end alone. They may be shortened at will, and not be made longer
    /// than they are: then nobody would be asked any more (T34).
    fn times(&mut self) -> Result<SessionTimes, Fault> {
        let most = SessionTimes::default();
        Ok(SessionTimes {
            continue_every: self.seconds(
                "continue_every_s",
                "TASUKI_CONTINUE_EVERY_S",
                most.continue_every,
            )?,
            continue_answer: self.seconds(
                "continue_answer_s",
                "TASUKI_CONTINUE_ANSWER_S",
                most.continue_answer,
            )?,
            rights_answer: self.seconds(
                "rights_answer_s",
                "TASUKI_RIGHTS_ANSWER_S",
                most.rights_answer,
            )?,
            without_server: self.seconds(
                "without_server_s",
                "TASUKI_WITHOUT_SERVER_S",
                most.without_server,
            )?,
            without_path: self.seconds("without_path_s", "TASUKI_WITHOUT_PATH_S", most.without_path)?,
        })
    }

    fn seconds(
        &mut self,
        name: &'static str,
        variable: &'static str,
        most: Duration,
    ) -> Result<Duration, Fault> {
        let value = self.pick(name, ("", None), variable, &most.as_secs().to_string());
        let seconds = value.parse().ok().filter(|seconds| (1..=most.as_secs()).contains(seconds));
        seconds.map(Duration::from_secs).ok_or_else(|| Fault::Setting {
            name: name.to_owned(),
            value,
            why: format!("it is a number of seconds from 1 to {}", most.as_secs()),
        })
    }
}

fn profile(flag: Option<PathBuf>, list: &mut Vec<Setting>) -> Result<Profile, Fault> {
    const VARIABLE: &str = "TASUKI_PROFILE";
    let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let (profile, origin) = match (flag, named) {
        (Some(folder), _) => (Profile::at(&folder), Origin::Flag("--profile")),
        (None, Some(folder)) => (Profile::at(&folder), Origin::Environment(VARIABLE)),
        (None, None) => (Profile::of_user()?, Origin::Default),
    };
    for (name, folder) in [("config", &profile.config), ("state", &profile.state)] {
        let value = folder.display().to_string();
        list.push(Setting { name, value, origin: origin.clone() });
    }
    Ok(profile)
}

const KNOWN: [&str; 10] = [
    "tenant",
    "lang",
    "path",
    "proxy",
    "log",
    "continue_every_s",
    "continue_answer_s",
    "rights_answer_s",
    "without_server_s",
    "without_path_s",
];

fn read(file: &Path) -> Result<toml::Table, Fault> {
    let fault = |why: String| Fault::Profile { file: file.to_owned(), why };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(toml::Table::new()),
        Err(why) => return Err(fault(why.to_string())),
    };
    let table: toml::Table =
        text.parse().map_err(|why: toml::de::Error| fault(why.message().to_owned()))?;
    let wrong = |(name, value): (&String, &toml::Value), why: String| Fault::Setting {
        name: name.clone(),
        value: value.to_string(),
        why,
    };
    if let Some(strange) = table.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(wrong(strange, format!("the settings are {}", KNOWN.join(", "))));
    }
    match table.iter().find(|(_, value)| !value.is_str()) {
        Some(bare) => Err(wrong(bare, format!("it is written in quotation marks: \"{}\"", bare.1))),
        None => Ok(table),
    }
}

fn language(named: &str, list: &mut [Setting]) -> Result<Lang, Fault> {
    let lang = match named {
        "en" => Lang::En,
        "ja" => Lang::Ja,
        "" => Lang::of_locale(&locale()),
        other => {
            return Err(Fault::Setting {
                name: "lang".to_owned(),
                value: other.to_owned(),
                why: "it is en or ja".to_owned(),
            });
        }
    };
    if let Some(setting) = list.iter_mut().find(|setting| setting.name == "lang") {
        setting.value = lang.name().to_owned();
    }
    Ok(lang)
}

/// A password is kept out of what other users of this computer can read (T68), and
/// out of what the settings show of themselves.
fn proxies(value: &str, from: &mut Sources) -> Result<Proxies, Fault> {
    let fault = |value: &str, why: String| Fault::Setting {
        name: "proxy".to_owned(),
        value: value.to_owned(),
        why,
    };
    let found = Proxies::parse(value).map_err(|why| {
        // What was typed may hold a password.
        let shown = value.rsplit_once('@').map_or(value, |(_, place)| place);
        fault(shown, why.to_string())
    })?;
    let Some(setting) = from.list.iter_mut().find(|setting| setting.name == "proxy") else {
        return Ok(found);
    };
    if let Proxies::Named(proxy) = &found {
        setting.value = proxy.to_string();
        match &setting.origin {
            Origin::Flag(_) if proxy.has_password() => {
                let why =
                    "everybody on this computer can read a command line; write it into settings.toml";
                return Err(fault(&setting.value, why.to_owned()));
            }
            Origin::File(file) if proxy.has_password() => only_for_its_owner(file)?,
            Origin::Default | Origin::File(_) | Origin::Environment(_) | Origin::Flag(_) => {}
        }
    }
    Ok(found)
}

fn only_for_its_owner(file: &Path) -> Result<(), Fault> {
    match std::fs::metadata(file) {
        Ok(facts) if !system::is_open_to_others(&facts) => Ok(()),
        Ok(_) | Err(_) => Err(Fault::OpenToOthers { file: file.to_owned() }),
    }
}

/// By POSIX: the first of these that is set and not empty.
fn locale() -> String {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = variables.iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

fn policy(path: &str) -> Result<PathPolicy, Fault> {
    let (direct, relay) = match path {
        "auto" => (Permission::Allowed, Permission::Allowed),
        "direct" => (Permission::Allowed, Permission::Forbidden),
        "relayed" => (Permission::Forbidden, Permission::Allowed),
        other => {
            return Err(Fault::Setting {
                name: "path".to_owned(),
                value: other.to_owned(),
                why: "it is auto, direct or relayed".to_owned(),
            });
        }
    };
    Ok(PathPolicy { direct, relay })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), "lang = 'ja'\npath = 'direct'\n").unwrap();
        let flags = Flags {
            profile: Some(folder.path().to_owned()),
            path: Some("relayed".to_owned()),
            ..Flags::default()
        };
        let settings = Settings::gather(flags).unwrap();
        assert_eq!(settings.lang, Lang::Ja);
        assert_eq!(settings.paths.direct, Permission::Forbidden);
        let path = settings.list.iter().find(|setting| setting.name == "path").unwrap();
        assert_eq!(path.origin, Origin::Flag("--path"));
        assert!(settings.table().contains("settings.toml"));
    }

    fn with_proxy(flag: Option<&str>, filed: &str, rights: u32) -> Result<Settings, Fault> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(SETTINGS_FILE);
        std::fs::write(&file, filed).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(rights)).unwrap();
        let profile = Some(folder.path().to_owned());
        Settings::gather(Flags { profile, proxy: flag.map(str::to_owned), ..Flags::default() })
    }

    #[test]
    fn t68_a_proxy_s_password_stands_in_no_command_line_and_no_open_file_and_is_not_shown() {
        let secret = "proxy = 'http://hanako:geheim@proxy.example:3128'\n";
        let settings = with_proxy(None, secret, 0o600).unwrap();
        assert!(settings.table().contains("http://proxy.example:3128"));
        assert!(!settings.table().contains("geheim"));
        let open = with_proxy(None, secret, 0o644).unwrap_err();
        assert!(matches!(open, Fault::OpenToOthers { .. }));
        for typed in ["http://hanako:geheim@proxy:1", "http://hanako:geheim@proxy:0"] {
            let typed = with_proxy(Some(typed), "", 0o600).unwrap_err();
            assert!(matches!(typed, Fault::Setting { .. }));
            assert!(!typed.to_string().contains("geheim"), "{typed}");
        }
    }

    #[test]
    fn t2_a_file_that_names_anything_else_such_as_consent_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), "consent = 'yes'\n").unwrap();
        let flags = Flags { profile: Some(folder.path().to_owned()), ..Flags::default() };
        assert!(matches!(Settings::gather(flags), Err(Fault::Setting { .. })));
    }

    #[test]
    fn t33_no_setting_has_a_word_for_the_bar() {
        let folder = tempfile::tempdir().unwrap();
        for word in ["banner = 'off'", "bar = 'hidden'", "hide_banner = 'yes'", "tray = 'off'"] {
            std::fs::write(folder.path().join(SETTINGS_FILE), word).unwrap();
            let flags = Flags { profile: Some(folder.path().to_owned()), ..Flags::default() };
            assert!(matches!(Settings::gather(flags), Err(Fault::Setting { .. })), "{word}");
        }
    }
}
