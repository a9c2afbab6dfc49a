//! How a session ended: what its tab says, and the line that the history keeps.
//!
//! Decides which of several causes is told. Ends nothing by itself.

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::shell::fault::Fault;

use super::entrance::{asked_to_sign_in, is_sign_in_over, learn_to_ask};
use super::history::{How, KEPT, Past};
use super::model::{Dialog, Model, Outcome, Page, Stage, Tab, TabId};
use super::update::Effect;

/// The loop is over: the tab says how it ended, and the history keeps it.
pub(super) fn gone(model: &mut Model, id: TabId, result: Result<(), Fault>) -> Vec<Effect> {
    let now = model.now;
    if result == Err(Fault::ReasonNeeded) {
        learn_to_ask(model);
    }
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    let refused = matches!(&result, Err(fault) if is_sign_in_over(fault)) && !tab.leaving;
    let past = past(tab, &result, now);
    tab.noted = true;
    tab.live_seconds = past.seconds;
    tab.link.reconnecting = None;
    tab.dialog = Dialog::None;
    tab.view.full = false;
    match result {
        Err(fault) if !tab.leaving => tab.stage = Stage::Over(Outcome::Failed(fault)),
        Ok(()) | Err(_) if !matches!(tab.stage, Stage::Over(_)) => {
            tab.stage = Stage::Over(Outcome::Cancelled);
        }
        Ok(()) | Err(_) => {}
    }
    if tab.leaving && matches!(tab.stage, Stage::Over(Outcome::Cancelled)) {
        close(model, id);
    }
    let mut effects = keep(model, past);
    if refused {
        effects.extend(asked_to_sign_in(model, id));
    }
    effects
}

/// Sessions whose tabs go before their loops have ended: the history keeps them all the same.
pub(super) fn note_down(model: &mut Model, ids: &[TabId]) -> Vec<Effect> {
    let now = model.now;
    let mut effects = Vec::new();
    for id in ids {
        let Some(tab) = model.tab_mut(*id) else { continue };
        if !std::mem::replace(&mut tab.noted, true) {
            let past = past(tab, &Ok(()), now);
            effects = keep(model, past);
        }
    }
    effects
}

fn keep(model: &mut Model, past: Past) -> Vec<Effect> {
    model.history.insert(0, past);
    model.history.truncate(KEPT);
    vec![Effect::KeepHistory(model.history.clone())]
}

fn past(tab: &Tab, result: &Result<(), Fault>, now: u64) -> Past {
    let began = tab.live_since.unwrap_or(now);
    Past {
        at: tab.opened_at,
        seconds: now.saturating_sub(began),
        mode: tab.mode,
        customer: tab.note.customer.clone(),
        ticket: tab.note.ticket.clone(),
        reason: tab.note.reason.clone(),
        how: how(tab, result),
        pictures: tab.pictures,
        session: None,
    }
}

fn how(tab: &Tab, result: &Result<(), Fault>) -> How {
    match (&tab.stage, result) {
        (_, Err(Fault::Refused)) => How::Refused,
        (_, Err(Fault::NumberExpired | Fault::NobodyAnswered)) => How::NobodyCame,
        (_, Err(Fault::ConnectionLost)) => How::Lost,
        (Stage::Live { .. }, Ok(()))
        | (Stage::Over(Outcome::Ended { by: EndedBy::ThisEnd, .. }), _) => How::EndedHere,
        (Stage::Over(Outcome::Ended { .. }), Ok(())) => How::EndedThere,
        (Stage::Over(Outcome::Cancelled), _) => How::Cancelled,
        (_, Err(_)) if !tab.leaving => How::Failed,
        (_, Ok(()) | Err(_)) => How::Cancelled,
    }
}

/// The tab goes; the one beside it is looked at.
pub(super) fn close(model: &mut Model, id: TabId) {
    let Some(place) = model.tabs.iter().position(|tab| tab.id == id) else { return };
    model.tabs.remove(place);
    if model.page == Page::Session(id) {
        let beside = model.tabs.get(place).or_else(|| model.tabs.last());
        model.page = beside.map_or(Page::Home, |tab| Page::Session(tab.id));
    }
}
