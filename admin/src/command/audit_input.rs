//! The ledger that a command is about: where it is, how it is opened, and what its verdict does.

use std::path::PathBuf;

use clap::Args;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ledger::words::ReadPurpose;

use crate::audit::fault::AuditFault;
use crate::audit::kept::follow;
use crate::audit::reading::{self, Passed, Read, Trust};
use crate::audit::source::Source;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::prompt;
use crate::settings::Settings;
use crate::vault::Passphrase;

/// Where the ledger is.
#[derive(Debug, Args)]
pub struct Input {
    /// An exported ledger, in place of the server's
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Time zone of dates, e.g. Asia/Tokyo [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
}

/// What is known here of whose ledger a file must be.
pub(super) fn trust(settings: &Settings) -> Result<Trust, Fault> {
    if let Some(given) = &settings.bundle {
        let envelope = std::fs::read(given).map_err(|_| Fault::NoBundle(given.clone()))?;
        let bundle = Bundle::open_first(envelope.trim_ascii());
        let bundle = bundle.map_err(|_| Fault::DamagedBundle(given.clone()))?;
        return Ok(Trust::Known(Box::new(bundle)));
    }
    match settings.profile()?.bundle(None) {
        Ok(bundle) => Ok(Trust::Known(Box::new(bundle))),
        Err(Fault::NoBundle(_)) => Ok(Trust::Unknown),
        Err(fault) => Err(fault),
    }
}

/// Opens the ledger of `input` with the passphrase that is asked for.
pub(super) async fn read(
    settings: &Settings,
    input: &Input,
    purpose: ReadPurpose,
) -> Result<Read, Fault> {
    let language = settings.language();
    let profile = settings.profile()?;
    let ask = || prompt::secret(&language.ask_passphrase()).map(|typed| Passphrase::entered(&typed));
    if let Some(file) = &input.file {
        let mut source = Source::file(file)?;
        let unlock = |wrapped: &[_]| reading::unlock(wrapped, Some(&profile), &ask()?);
        return reading::read(&mut source, &trust(settings)?, unlock).await;
    }
    // Asked before the server is, so that nothing is read in vain and the ledger says so.
    let passphrase = ask()?;
    let desk = Desk::open(settings).await?;
    follow(&desk).await?;
    let mut source = Source::server(&desk, purpose, 0).await?;
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let unlock = |wrapped: &[_]| reading::unlock(wrapped, Some(&desk.profile), &passphrase);
    let read = reading::read(&mut source, &known, unlock).await?;
    // A checkpoint may have come between the first question and the reading: what was seen is kept.
    follow(&desk).await?;
    Ok(read)
}

/// What was printed is good only if the ledger holds; it is printed anyway, as evidence.
pub(super) fn judged(printed: Printed, passed: Passed) -> Result<Printed, Fault> {
    match passed.verdict {
        Some(Err(finding)) => {
            let why = Box::new(AuditFault::Found(finding));
            Err(Fault::Printed { printed: Box::new(printed), why })
        }
        Some(Ok(_)) | None => Ok(printed),
    }
}
