//! The second look: before mode Manage, some minutes after the sign-in, the server wants to know once more who sits
//! here.
//!
//! Decides what is asked and what each answer means. What was typed passes through and is not kept.

use tasuki_peer::shell::fault::Fault;

use super::ending::asked_to_sign_in;
use super::entrance::is_sign_in_over;
use super::model::{Busy, Dialog, Model, Outcome, Stage, Tab, TabId};
use super::session::again;
use super::update::{Effect, Secret};

/// What it is shown with: the digits where the account has an authenticator, else the password. Only the server knows
/// which; the window asks for what the last sign-in did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    #[default]
    Password,
    Digits,
}

/// The dialog over a tab whose number was refused for want of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecondLook {
    pub by: Proof,
    pub busy: Busy,
    pub trouble: Option<Fault>,
}

/// What the operator does there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The other proof is the one that he has.
    By(Proof),
    This(Secret),
}

/// Whether a session did not begin for want of it.
pub(super) fn lacks(tab: &Tab) -> bool {
    matches!(tab.stage, Stage::Over(Outcome::Failed(Fault::NotConfirmed)))
}

pub(super) fn ask(model: &mut Model, id: TabId) {
    let by = if model.preferences.digits { Proof::Digits } else { Proof::Password };
    if let Some(tab) = model.tab_mut(id) {
        tab.second_look = SecondLook { by, ..SecondLook::default() };
        tab.dialog = Dialog::SecondLook;
    }
}

pub(super) fn shown(tab: &mut Tab, shown: Shown) -> Vec<Effect> {
    let look = &mut tab.second_look;
    if tab.dialog != Dialog::SecondLook || look.busy == Busy::Working {
        return Vec::new();
    }
    look.trouble = None;
    match shown {
        Shown::By(by) => {
            look.by = by;
            Vec::new()
        }
        Shown::This(secret) if secret.0.trim().is_empty() => Vec::new(),
        Shown::This(secret) => {
            look.busy = Busy::Working;
            vec![Effect::Confirm { tab: tab.id, by: look.by, secret }]
        }
    }
}

/// Where it was enough, the session that was wanted begins.
pub(super) fn answered(model: &mut Model, id: TabId, answer: Result<(), Fault>) -> Vec<Effect> {
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    tab.second_look.busy = Busy::Idle;
    let (by, asks) = (tab.second_look.by, tab.dialog == Dialog::SecondLook);
    match answer {
        Ok(()) => {
            model.preferences.digits = by == Proof::Digits;
            let keep = Effect::Keep(model.preferences.clone());
            // Who has gone back meanwhile wants none.
            let begins = if asks { begin(model, id) } else { Vec::new() };
            std::iter::once(keep).chain(begins).collect()
        }
        Err(fault) if is_sign_in_over(&fault) => {
            tab.dialog = Dialog::None;
            tab.stage = Stage::Over(Outcome::Failed(fault.clone()));
            asked_to_sign_in(model, id, &fault)
        }
        Err(fault) => {
            tab.second_look.trouble = Some(fault);
            Vec::new()
        }
    }
}

fn begin(model: &mut Model, id: TabId) -> Vec<Effect> {
    if let Some(tab) = model.tab_mut(id) {
        tab.dialog = Dialog::None;
        // It would be asked once more.
        tab.stage = Stage::Over(Outcome::Cancelled);
    }
    again(model, id)
}
