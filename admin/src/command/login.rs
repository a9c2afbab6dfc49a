//! An administrator's own sign-in.

use tasuki_protocol::admin::ADMIN_LOGOUT_PATH;
use tasuki_protocol::login::Authenticator;

use crate::desk::{Desk, log_in};
use crate::fault::Fault;
use crate::printed::Printed;
use crate::settings::Settings;

pub(super) async fn login(settings: &Settings, authenticator: bool) -> Result<Printed, Fault> {
    let (desk, _) = Desk::open_behind(settings).await?;
    let wish = if authenticator { Authenticator::SetUp } else { Authenticator::Keep };
    let expires_in = log_in(&desk.client(), desk.language, wish).await?;
    let json = serde_json::json!({ "signed_in": true, "expires_in": expires_in });
    Ok(Printed { text: desk.language.signed_in(&desk.bundle.organisation), json })
}

pub(super) async fn logout(settings: &Settings) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    let nothing = serde_json::json!({});
    let ended = desk.profile.session()?;
    desk.client().post::<serde_json::Value>(ADMIN_LOGOUT_PATH, &nothing).await?;
    ended.iter().for_each(|session| desk.profile.forget_session(session));
    Ok(Printed { text: desk.language.signed_out(), json: serde_json::json!({ "signed_in": false }) })
}
