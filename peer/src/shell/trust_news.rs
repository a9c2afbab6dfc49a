//! What the server says is newer in what this program trusts; believed only along the root's signatures.

use std::path::Path;
use std::time::Duration;

use tasuki_protocol::bundle::{TRUST_PATH, TrustNews};
use tasuki_protocol::signal;

use super::fault::Fault;
use super::profile::Profile;
use super::proxy::Proxies;
use super::request;
use super::trust::{Trust, unix};

/// How long a program waits for news of keys before it goes on with those it has.
const PATIENCE: Duration = Duration::from_secs(10);

impl Trust {
    /// As [`Self::load`], with what the server says is newer. A server that says nothing of use
    /// changes nothing, and the connection that follows tells what is wrong with it.
    ///
    /// # Errors
    /// As [`Self::load`]; [`Fault::OtherRoot`] or [`Fault::ServerWentBack`] when the server
    /// shows a bundle that does not go on from the known one, [`Fault::Expired`] when there is no newer one,
    /// [`Fault::ListWithheld`] without the list of revoked devices that it asks for.
    pub async fn current(
        file: Option<&Path>,
        profile: &Profile,
        proxies: &Proxies,
    ) -> Result<Self, Fault> {
        let mut trust = Self::load(file, profile)?;
        let asked = request::fetch(&trust, proxies, TRUST_PATH);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let mut unheard = None;
        match answer {
            Ok(Ok((status, answer))) if status.is_success() => {
                if let Ok(news) = signal::decode::<TrustNews>(&answer) {
                    trust.follow(&news, profile)?;
                }
            }
            Ok(Err(fault)) => unheard = Some(fault),
            Ok(Ok(_)) | Err(_) => {}
        }
        if trust.bundle.is_expired(unix()) {
            return Err(Fault::Expired { file: trust.file });
        }
        if trust.knows_who_is_out() { Ok(trust) } else { Err(unheard.unwrap_or(Fault::ListWithheld)) }
    }
}
