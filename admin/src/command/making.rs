//! The organisation's keys on their way to the server for the first time from this computer: made here, or
//! brought back. Nothing is sent before somebody could open the vault that it needs; and what is in use here
//! stays until the bundle in force says that the new one is.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::keys::{PUBLISH_PATH, PublishBundle, WrappedLogKey, WrappedLogKeys};
use zeroize::Zeroizing;

use super::init::Arrival;
use crate::fault::Fault;
use crate::pending::Pending;
use crate::printed::Printed;
use crate::prompt;
use crate::shares::Share;
use crate::texts::Language;
use crate::vault::{LEAST_CHARS, Master, Passphrase, public};

pub(super) struct Making<'a> {
    pub(super) master: &'a Master,
    pub(super) passphrase: &'a Passphrase,
    /// Whether the passphrase was made here, and must be shown.
    pub(super) made: bool,
    pub(super) shares: Option<&'a [Share; 3]>,
}

impl Making<'_> {
    pub(super) async fn publish(
        &self,
        arrival: &Arrival,
        bundle: &Bundle,
        log_keys: Vec<WrappedLogKey>,
    ) -> Result<Printed, Fault> {
        let digest = WrappedLogKeys::digest(&log_keys);
        let bundle = &Bundle { wrapped_log_keys: Some(digest), ..bundle.clone() };
        let (language, profile) = (arrival.language, &arrival.profile);
        let vault = self.master.wrap(bundle.tenant, self.passphrase)?;
        profile.keep_pending(&Pending::new(bundle, public(&self.master.lock()), vault))?;
        let passphrase = self.made.then_some(self.passphrase);
        let once = language.once(passphrase.map(Passphrase::text), &spelled(self.shares));
        let show = || {
            if !once.is_empty() {
                prompt::show(&once);
            }
        };
        // Where a person reads, before anything is sent: whoever ends this while it waits has it, too.
        // A program finds it in the result, and here where there is none.
        if !arrival.json {
            show();
            self.is_written_down(language)?;
        }
        let published = self.order(arrival, bundle, log_keys).await;
        if published.is_err() {
            if arrival.json {
                show();
            }
            prompt::show(&language.unheard());
        }
        published?;
        Ok(tell(arrival, bundle, passphrase, self.shares))
    }

    /// What was shown is nowhere else, and nothing is sent while a person may not have it.
    fn is_written_down(&self, language: Language) -> Result<(), Fault> {
        let last = self.passphrase.text().rsplit(' ').next().filter(|_| self.made);
        match last {
            Some(word) if prompt::is_person() => prompt::until_typed(&language.ask_last_word(), word),
            _ => Ok(()),
        }
    }

    async fn order(
        &self,
        arrival: &Arrival,
        bundle: &Bundle,
        log_keys: Vec<WrappedLogKey>,
    ) -> Result<(), Fault> {
        let envelope = Blob(self.master.sign_bundle(bundle)?);
        let kept = arrival.profile.stage_bundle(&envelope.0)?;
        let order = PublishBundle { bundle: envelope, log_keys, handovers: Vec::new() };
        arrival.post(PUBLISH_PATH, &order).await?;
        kept.put()?;
        arrival.profile.settle(bundle).map(drop)
    }
}

/// That the keys are in force. The text is without what was shown already.
pub(super) fn tell(
    arrival: &Arrival,
    bundle: &Bundle,
    passphrase: Option<&Passphrase>,
    shares: Option<&[Share; 3]>,
) -> Printed {
    let file = arrival.profile.folder().join(BUNDLE_FILE);
    let text = arrival.language.initialised(&bundle.organisation, &file);
    let spelled = spelled(shares);
    let spelled: Vec<&str> = spelled.iter().map(|share| share.as_str()).collect();
    let json = serde_json::json!({
        "organisation": bundle.organisation,
        "tenant": bundle.tenant,
        "root": bundle.root,
        "version": bundle.version,
        "bundle": file,
        "passphrase": passphrase.map(Passphrase::text),
        "shares": spelled,
    });
    Printed { text, json }
}

/// The passphrase, and whether it was made here and must be shown.
pub(super) fn new_passphrase(
    language: Language,
    organisation: &str,
    own: bool,
) -> Result<(Passphrase, bool), Fault> {
    if !own {
        return Ok((Passphrase::generate()?, true));
    }
    loop {
        let typed = prompt::new_secret(language, &language.ask_own_passphrase(), LEAST_CHARS)?;
        match Passphrase::own(&typed, organisation) {
            Ok(passphrase) => return Ok((passphrase, false)),
            Err(fault) if prompt::is_person() => prompt::show(&language.fault(&fault)),
            Err(fault) => return Err(fault),
        }
    }
}

fn spelled(shares: Option<&[Share; 3]>) -> Vec<Zeroizing<String>> {
    shares.into_iter().flatten().map(Share::spell).collect()
}
