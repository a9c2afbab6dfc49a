//! What is mended of an account that is there: a forgotten password, its name, its modes, a suspension.

use tasuki_protocol::admin::{
    NameOperator, OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH, OPERATORS_PATH, OperatorChange,
    OperatorEntry, OperatorList, ProblemCode, ResetPassword,
};
use tasuki_protocol::devices::{DEVICES_PATH, DeviceEntry, DeviceList, DeviceState};
use tasuki_protocol::rights::Mode;

use super::operator::{self, NewPassword};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::missing::Missing;
use crate::naming;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::vouched::Naming;

/// The account, or which one was probably meant.
///
/// # Errors
/// [`Fault::NoSuch`].
pub(super) fn entry_of<'a>(list: &'a OperatorList, name: &str) -> Result<&'a OperatorEntry, Fault> {
    let found = list.operators.iter().find(|entry| entry.operator == name);
    found.ok_or_else(|| Fault::NoSuch(Missing::of_operator(name, list)))
}

/// Another password, which ends what came by the old one.
pub(super) async fn reset(
    desk: &Desk,
    operator: &str,
    from_input: bool,
    sure: Sure,
) -> Result<Printed, Fault> {
    let language = desk.language;
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    entry_of(&list, operator)?;
    prompt::confirm(sure, &language.ask_reset(operator), operator)?;
    let password = operator::new_password(language, from_input)?;
    let (NewPassword::Generated(secret) | NewPassword::Given(secret)) = &password;
    let order = ResetPassword { operator: operator.to_owned(), password: secret.to_string() };
    desk.post::<serde_json::Value>(OPERATOR_PASSWORD_PATH, &order).await?;
    let shown = match &password {
        NewPassword::Generated(secret) => Some(secret.as_str()),
        NewPassword::Given(_) => None,
    };
    let mut text = language.reset(operator);
    if let Some(secret) = shown {
        text.push_str(&format!("\n  {}: {secret}", language.password_label()));
    }
    Ok(Printed { text, json: serde_json::json!({ "operator": operator, "password": shown }) })
}

/// Another name or other modes, which `device approve --renew` will certify on this computer without a question.
pub(super) async fn name(
    desk: &Desk,
    operator: &str,
    display_name: Option<&str>,
    modes: Option<Vec<Mode>>,
) -> Result<Printed, Fault> {
    let organisation = &desk.bundle.organisation;
    let display_name = display_name.map(|name| naming::check_shown(name, organisation)).transpose()?;
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let before = entry_of(&list, operator)?;
    let now = Naming {
        display_name: display_name.clone().unwrap_or_else(|| before.display_name.clone()),
        modes: modes.clone().unwrap_or_else(|| before.modes.clone()),
    };
    // The server's word of what was not given is certified no sooner than a person has looked at it (T8).
    let kept = desk.profile.naming(desk.bundle.tenant, operator);
    let order = NameOperator { operator: operator.to_owned(), display_name, modes };
    match desk.post::<serde_json::Value>(OPERATOR_NAMING_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::Taken)) => {
            let others: Vec<OperatorEntry> =
                list.operators.iter().filter(|entry| entry.operator != operator).cloned().collect();
            return Err(naming::operator_taken((operator, &now.display_name), &others));
        }
        done => drop(done?),
    }
    let said = kept.map(|kept| Naming {
        display_name: order.display_name.clone().unwrap_or(kept.display_name),
        modes: order.modes.clone().unwrap_or(kept.modes),
    });
    let said = said.or((order.display_name.is_some() && order.modes.is_some()).then(|| now.clone()));
    if let Some(said) = said {
        desk.profile.keep_naming(desk.bundle.tenant, operator, said)?;
    }
    let devices: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let is_his =
        |entry: &&DeviceEntry| entry.operator == operator && entry.state == DeviceState::Approved;
    let devices = devices.devices.iter().filter(is_his).count();
    let is_wider = now.modes.iter().any(|mode| !before.modes.contains(mode));
    let needs_certificate = devices > 0 && (is_wider || now.display_name != before.display_name);
    let text = if needs_certificate {
        desk.language.named_anew(operator, devices)
    } else {
        desk.language.named(operator)
    };
    let json = serde_json::json!({
        "operator": operator, "display_name": now.display_name, "modes": now.modes,
        "devices_to_renew": if needs_certificate { devices } else { 0 },
    });
    Ok(Printed { text, json })
}

/// Says so where there was no suspension.
pub(super) async fn unlock(desk: &Desk, operator: &str) -> Result<Printed, Fault> {
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let was_suspended = entry_of(&list, operator)?.suspended_until.is_some();
    let done = operator::change(desk, operator, OperatorChange::Unlock).await?;
    Ok(if was_suspended {
        done
    } else {
        Printed { text: desk.language.not_suspended(operator), ..done }
    })
}
