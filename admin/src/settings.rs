//! What every command is told beside its own options: which server, which profile, which language.

use std::path::PathBuf;

use clap::Args;

use crate::fault::Fault;
use crate::profile::{Place, Profile, ServerUrl};
use crate::texts::Language;

/// Over options that every command takes, behind its own.
const SHARED: &str = "Options of every command";

#[derive(Debug, Args)]
pub struct Settings {
    /// The server, as https://HOST[:PORT]; needed once, and where this computer knows several
    #[arg(long, global = true, help_heading = SHARED, value_name = "URL")]
    pub server: Option<ServerUrl>,
    /// The organisation's signed tenant.json; `enrol` needs it once, `init` makes it, `init --recover` takes it for the fingerprint
    #[arg(long, global = true, help_heading = SHARED, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Folder of key, vault and bundle [default: that of the server, below the configuration folder]
    #[arg(long, global = true, help_heading = SHARED, value_name = "DIR", env = "TASUKI_ADMIN_PROFILE")]
    pub profile: Option<PathBuf>,
    /// Language of messages [default: that of the environment]
    #[arg(long, global = true, help_heading = SHARED, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
    /// Print results as JSON
    #[arg(long, global = true, help_heading = SHARED)]
    pub json: bool,
}

impl Settings {
    pub fn language(&self) -> Language {
        self.lang.unwrap_or_else(Language::of_environment)
    }

    /// # Errors
    /// [`Fault::WhichServer`].
    pub fn profile(&self) -> Result<Profile, Fault> {
        Profile::find(self.profile.as_deref(), self.server.as_ref())
    }

    /// The address is the bundle's whatever is asked (T70); another one is a mistake worth telling.
    ///
    /// # Errors
    /// [`Fault::OtherAddress`].
    pub fn check_server(&self, place: &Place) -> Result<(), Fault> {
        match &self.server {
            Some(url) if url.host != place.host || url.port != place.port => {
                let asked = format!("{}:{}", url.host, url.port);
                Err(Fault::OtherAddress { asked, known: place.address() })
            }
            Some(_) | None => Ok(()),
        }
    }
}
