//! What is asked of the server when somebody signs in, and what its answer is for the page.
//!
//! Keeps no password.

use tasuki_peer::programs::surface;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::login::{Authenticator, Credentials, LoginOutcome};
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::trust::Trust;

use super::model::{Account, Asks};
use super::second_look::Proof;
use super::update::{Form, Secret};
use super::{entrance, files};

pub(super) async fn enter(settings: &Settings, form: Form) -> entrance::Answer {
    let current = Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies);
    let trust = match current.await {
        Ok(trust) => trust,
        Err(fault) => return entrance::Answer::Failed(fault),
    };
    let code = |asked: Asks| {
        let text = form.code.0.trim();
        (form.asks == asked && !text.is_empty()).then(|| text.to_owned())
    };
    let credentials = Credentials {
        operator: form.user.clone(),
        password: form.password.0.to_string(),
        enrolment: code(Asks::Enrolment),
        totp: code(Asks::Totp).or_else(|| code(Asks::TotpSetup)),
        authenticator: match form.asks {
            Asks::TotpSetup => Authenticator::SetUp,
            Asks::Password | Asks::Totp | Asks::Enrolment => Authenticator::Keep,
        },
    };
    match surface::sign_in(settings, &trust, &credentials).await {
        Ok(LoginOutcome::SignedIn(answer)) => entrance::Answer::SignedIn(Account {
            user: form.user,
            name: answer.display_name,
            organisation: answer.organisation,
            server: files::server_of(&trust),
            modes: answer.modes,
            reason: answer.reason,
            certified_until: answer.certified_until,
            went_back: None,
        }),
        Ok(LoginOutcome::TotpSetup { uri }) => entrance::Answer::TotpSetup { uri },
        Ok(LoginOutcome::NeedsTotp) => entrance::Answer::NeedsTotp,
        Ok(LoginOutcome::DevicePending { words }) => entrance::Answer::DevicePending { words },
        Ok(LoginOutcome::Locked { seconds }) => entrance::Answer::Locked { seconds },
        Ok(LoginOutcome::Busy) => entrance::Answer::Busy,
        // The server says only that something does not fit; a new device lacks its code.
        Ok(LoginOutcome::Refused) if credentials.enrolment.is_none() && files::is_new(settings) => {
            entrance::Answer::NeedsEnrolment
        }
        Ok(LoginOutcome::Refused) => entrance::Answer::Failed(Fault::WrongPassword),
        Err(fault) => entrance::Answer::Failed(fault),
    }
}

/// The second look.
///
/// # Errors
/// As [`surface::confirm`].
pub(super) async fn confirm(settings: &Settings, by: Proof, secret: &Secret) -> Result<(), Fault> {
    let typed = secret.0.as_str();
    match by {
        Proof::Password => surface::confirm(settings, Some(typed.to_owned()), None).await,
        Proof::Digits => surface::confirm(settings, None, Some(typed.trim().to_owned())).await,
    }
}
