//! What is mended of an account that is there: a forgotten password, its name, its modes, a suspension.

use tasuki_protocol::admin::{
    NameOperator, OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH, OPERATORS_PATH, OperatorChange,
    OperatorEntry, OperatorList, ProblemCode, ResetPassword,
};
use tasuki_protocol::devices::{DEVICES_PATH, DeviceEntry, DeviceList, DeviceState};
use tasuki_protocol::rights::Mode;

use super::operator::{self, NewPassword};
use super::session;
use crate::certified::opened;
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
    if display_name.is_none() && modes.is_none() {
        return Ok(as_it_is(desk, before));
    }
    let now = Naming {
        display_name: display_name.clone().unwrap_or_else(|| before.display_name.clone()),
        modes: modes.clone().unwrap_or_else(|| before.modes.clone()),
    };
    // The server's word of what was not given is certified no sooner than a person has looked at it (T8).
    let kept = desk.profile.naming(desk.bundle.tenant, operator);
    let running = session::of(desk, operator).await?;
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
    let effect = Effect {
        ended: session::ended(desk, operator, &running).await,
        ..Effect::on(desk, (before, &now), &desk.fetch(DEVICES_PATH).await?)
    };
    let json = serde_json::json!({
        "operator": operator, "display_name": now.display_name, "modes": now.modes,
        "devices_to_renew": effect.to_renew,
        "devices_held_back": effect.held_back, "ended": effect.ended,
    });
    Ok(Printed { text: desk.language.named(operator, &effect), json })
}

/// Where nothing is to be changed: what could be.
fn as_it_is(desk: &Desk, entry: &OperatorEntry) -> Printed {
    let json = serde_json::json!({
        "operator": entry.operator, "display_name": entry.display_name, "modes": entry.modes,
    });
    let modes = entry.modes.iter().map(|mode| mode.name()).collect::<Vec<_>>().join(",");
    Printed { text: desk.language.to_change(&entry.operator, &entry.display_name, &modes), json }
}

/// What a change of name or modes has done already, and what waits for new certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) is_narrower: bool,
    pub(crate) is_wider: bool,
    /// Approved devices, those of them whose certificates lack the name or a mode that was added, and those that were
    /// approved here for fewer modes than that.
    pub(crate) devices: usize,
    pub(crate) to_renew: usize,
    pub(crate) held_back: usize,
    /// Sessions and numbers, where that is known.
    pub(crate) ended: Option<usize>,
}

impl Effect {
    fn on(desk: &Desk, (before, now): (&OperatorEntry, &Naming), list: &DeviceList) -> Self {
        let added: Vec<Mode> =
            now.modes.iter().filter(|mode| !before.modes.contains(mode)).copied().collect();
        let is_his = |entry: &&DeviceEntry| {
            entry.operator == before.operator && entry.state == DeviceState::Approved
        };
        let his: Vec<&DeviceEntry> = list.devices.iter().filter(is_his).collect();
        let holds_back = |entry: &DeviceEntry, mode: &Mode| {
            let signed = desk.profile.signed(desk.bundle.tenant, entry.device);
            signed.and_then(|signed| signed.ceiling.modes).is_some_and(|modes| !modes.contains(mode))
        };
        let is_enough = |entry: &&&DeviceEntry| {
            opened(&desk.bundle, entry).is_some_and(|certified| {
                let has = |mode: &Mode| certified.modes.contains(mode) || holds_back(entry, mode);
                certified.display_name == now.display_name && added.iter().all(has)
            })
        };
        let is_held_back = |entry: &&&DeviceEntry| added.iter().any(|mode| holds_back(entry, mode));
        Self {
            is_narrower: before.modes.iter().any(|mode| !now.modes.contains(mode)),
            is_wider: !added.is_empty(),
            devices: his.len(),
            to_renew: his.len() - his.iter().filter(is_enough).count(),
            held_back: his.iter().filter(is_held_back).count(),
            ended: None,
        }
    }
}

/// Who mistyped the name reads which one was probably meant.
pub(super) async fn unlock(desk: &Desk, operator: &str) -> Result<Printed, Fault> {
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    entry_of(&list, operator)?;
    operator::change(desk, operator, OperatorChange::Unlock).await
}
