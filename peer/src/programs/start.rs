//! What both programs do before a session: settings, logs, signals, and an end's
//! set-up.
//!
//! Decides the options that they share. Knows no session's course.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use ed25519_dalek::SigningKey;
use tasuki_protocol::ids::Role;
use tasuki_protocol::manifest::Abilities;
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::rights::Rights;
use tasuki_protocol::seed::Seed;
use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::say::{self, Form};
use crate::core::direct_identity::DirectIdentity;
use crate::core::{EndSetup, RecordFacts};
use crate::shell::dial::Places;
use crate::shell::fault::Fault;
use crate::shell::ledger::{Desk, Scribe, send_kept};
use crate::shell::local_maximum::local_maximum;
use crate::shell::paths::PathNeeds;
use crate::shell::settings::{Flags, Settings};
use crate::shell::system::Signals;
use crate::shell::texts::Lang;
use crate::shell::trust::Trust;

#[derive(Debug, Clone, Args)]
pub(super) struct Shared {
    /// One folder for configuration and state, instead of the XDG folders.
    #[arg(long, value_name = "DIR", global = true)]
    profile: Option<PathBuf>,
    /// The organisation's signed file; by default /etc/tasuki/tenant.json, then the
    /// configuration folder's.
    #[arg(long, value_name = "FILE", global = true)]
    tenant: Option<PathBuf>,
    /// Which paths may carry a session: auto, direct or relayed.
    #[arg(long, value_name = "PATH", global = true)]
    path: Option<String>,
    /// The HTTP proxy: auto (environment, then desktop), none, or http://HOST:PORT. A
    /// proxy that wants a password stands in settings.toml.
    #[arg(long, value_name = "PROXY", global = true)]
    proxy: Option<String>,
    /// The language of all texts: en or ja. By default that of LC_ALL, LC_MESSAGES or LANG.
    #[arg(long, value_name = "LANG", global = true)]
    lang: Option<String>,
    /// What is logged on standard error, e.g. info or tasuki_peer=debug.
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,
    /// Events as one JSON object a line on standard output.
    #[arg(long, global = true)]
    json: bool,
}

impl Shared {
    pub(super) fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Plain }
    }

    /// Gathers the settings and starts the log.
    ///
    /// # Errors
    /// As [`Settings::gather`].
    pub(super) fn settings(&self) -> Result<Settings, Fault> {
        let settings = Settings::gather(Flags {
            profile: self.profile.clone(),
            tenant: self.tenant.clone(),
            lang: self.lang.clone(),
            path: self.path.clone(),
            proxy: self.proxy.clone(),
            log: self.log.clone(),
        })?;
        start_log(&settings.log)?;
        Ok(settings)
    }

    /// The language to say in that the settings themselves are wrong.
    pub(super) fn early_lang(&self) -> Lang {
        let named = self.lang.clone();
        Lang::of_locale(&named.or_else(super::usage::lang_of_environment).unwrap_or_default())
    }
}

/// Runs `program` and tells its fault, if there is one.
pub(super) fn run(
    shared: &Shared,
    program: impl AsyncFnOnce(&Settings) -> Result<(), Fault>,
) -> ExitCode {
    let settings = match shared.settings() {
        Ok(settings) => settings,
        Err(fault) => return super::conclude(Err(fault), shared.early_lang()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(program(&settings)),
        Err(why) => Err(Fault::System { what: "a thread", why: why.to_string() }),
    };
    if let (Err(fault), Form::Json) = (&result, shared.form()) {
        say::fault_event(fault, settings.lang);
    }
    super::conclude(result, settings.lang)
}

/// Prints the effective settings and where each came from.
pub(super) fn print_settings(settings: &Settings, form: Form) {
    match form {
        Form::Plain => say::print(settings.table().trim_end()),
        Form::Json => {
            for setting in &settings.list {
                say::json(&serde_json::json!({
                    "name": setting.name, "value": setting.value, "origin": setting.origin.to_string(),
                }));
            }
        }
    }
}

/// The display of the environment, when there is one that can be reached.
///
/// # Errors
/// [`Fault::NoDisplay`] without one, [`Fault::Desktop`] for one that is not there, [`Fault::OtherSystem`].
pub(super) fn display() -> Result<String, Fault> {
    let named = crate::shell::desktop::named()?;
    crate::shell::desktop::check(&named)?;
    Ok(named)
}

/// # Errors
/// [`Fault::NoRandomness`].
pub(super) fn fresh_seed() -> Result<Seed, Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Fault::NoRandomness)?;
    Ok(Seed::from_bytes(bytes))
}

/// Everything that an end brings, and what its paths need.
///
/// # Errors
/// [`Fault::NoRandomness`].
pub(super) fn end_setup(
    role: Role,
    trust: &Trust,
    settings: &Settings,
    device: SigningKey,
    local: Rights,
) -> Result<(EndSetup, PathNeeds), Fault> {
    let maximum = match role {
        Role::Agent => local_maximum(&settings.profile)?,
        Role::Operator => LocalMaximum::default(),
    };
    let seed = fresh_seed()?;
    let identity = DirectIdentity::generate(&seed.child("direct identity"));
    let identity = identity.map_err(|_| Fault::NoRandomness)?;
    let facts = Facts {
        tenant: trust.bundle.tenant,
        dtls_fingerprint: identity.fingerprint(),
        ice_ufrag: identity.ufrag().to_owned(),
        ice_pwd: identity.pwd().to_owned(),
    };
    let setup = EndSetup {
        organisation: trust.bundle.organisation.clone(),
        authorities: trust.authorities(),
        device,
        seed: seed.child("session"),
        facts,
        local,
        maximum,
        abilities: Abilities::OF_THIS_VERSION,
        paths: settings.paths,
        times: settings.times,
        record: record_facts(role),
    };
    let needs = PathNeeds {
        trust: trust.clone(),
        proxies: settings.proxies.clone(),
        role,
        identity: Arc::new(identity),
        seed: seed.child("paths"),
        stun: Places::default(),
    };
    Ok((setup, needs))
}

/// With what records are sealed, kept and sent.
pub(super) fn desk(trust: &Trust, settings: &Settings) -> Desk {
    Desk { trust: trust.clone(), proxies: settings.proxies.clone(), profile: settings.profile.clone() }
}

/// Who writes this session into the ledger; what earlier programs could not send goes first.
pub(super) fn scribe(desk: Desk, role: Role) -> Scribe {
    tokio::spawn(send_kept(desk.clone()));
    Scribe::start(desk, role, &software(role))
}

fn record_facts(role: Role) -> RecordFacts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    RecordFacts { software: software(role), moment: Instant::now(), unix_s: since.as_secs() }
}

/// The program that runs, by its own name where that is one of ours: a window is no console.
fn software(role: Role) -> String {
    const PROGRAMS: [&str; 4] = ["tasuki", "tasuki-agentd", "tasuki-operator", "tasuki-agent"];
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::file_stem).and_then(OsStr::to_str);
    let known = own.and_then(|own| PROGRAMS.into_iter().find(|program| *program == own));
    let program = known.unwrap_or(match role {
        Role::Operator => "tasuki",
        Role::Agent => "tasuki-agentd",
    });
    format!("{program} {}", env!("CARGO_PKG_VERSION"))
}

/// Who wants the end of this program, as the system tells it.
///
/// # Errors
/// The system gives no signal handlers.
pub(super) fn listen() -> Result<Signals, Fault> {
    Signals::listen().map_err(|why| Fault::System { what: "a signal", why: why.to_string() })
}

pub(super) fn start_log(filter: &str) -> Result<(), Fault> {
    let parsed = filter.parse::<tracing_subscriber::EnvFilter>();
    let parsed = parsed.map_err(|why| Fault::Setting {
        name: "log".to_owned(),
        value: filter.to_owned(),
        why: why.to_string(),
    })?;
    // Other people's crates tell, at their most talkative, what keys and texts they handle (T68).
    let own = filter_fn(|told| told.target().starts_with("tasuki") || *told.level() <= Level::INFO);
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = tracing_subscriber::registry().with(log.with_filter(parsed.and(own)));
    // A second start in one process keeps the first log.
    let _ = log.try_init();
    Ok(())
}
