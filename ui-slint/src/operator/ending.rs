//! How a session ended: what its tab says, and the line that the history keeps.
//!
//! Decides which of several causes is told. Ends nothing by itself.

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::standing::Word;

use super::entrance::{is_sign_in_over, learn_not_to_offer, learn_to_ask, sign_out};
use super::history::{How, KEPT, Past};
use super::model::{
    Account, Dialog, Door, Idle, Leave, Model, Outcome, Page, Stage, Tab, TabId, Trouble,
};
use super::second_look;
use super::update::Effect;

/// The loop is over: the tab says how it ended, and the history keeps it.
pub(super) fn gone(model: &mut Model, id: TabId, result: Result<(), Fault>) -> Vec<Effect> {
    let now = model.now;
    if result == Err(Fault::ReasonNeeded) {
        learn_to_ask(model);
    }
    let Some(mode) = model.tab(id).map(|tab| tab.mode) else { return Vec::new() };
    let result = match result {
        Err(Fault::ModeNotAllowed { .. }) => Err(learn_not_to_offer(model, mode)),
        Ok(()) | Err(_) => result,
    };
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    let refused = result.as_ref().err().filter(|fault| is_sign_in_over(fault) && !tab.leaving).cloned();
    let unconfirmed = result == Err(Fault::NotConfirmed) && !tab.leaving;
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
    // No session: the one that was wanted comes after that.
    if unconfirmed {
        second_look::ask(model, id);
        return Vec::new();
    }
    let mut effects = keep(model, past);
    if let Some(why) = refused {
        effects.extend(asked_to_sign_in(model, id, &why));
    }
    effects
}

/// Asks first while somebody is connected.
pub(super) fn leave(model: &mut Model, what: Leave) -> Vec<Effect> {
    if model.tabs.iter().any(|tab| tab.is_live() && !tab.leaving) {
        model.leaving = Some(what);
        return Vec::new();
    }
    go(model, what)
}

pub(super) fn answered(model: &mut Model, yes: bool) -> Vec<Effect> {
    match model.leaving.take() {
        Some(what) if yes => go(model, what),
        Some(_) | None => Vec::new(),
    }
}

/// Local first: every session ends before anything else does (S31).
fn go(model: &mut Model, what: Leave) -> Vec<Effect> {
    let ids: Vec<TabId> = model.tabs.iter().map(|tab| tab.id).collect();
    let mut effects: Vec<Effect> = ids.iter().copied().map(Effect::HangUp).collect();
    effects.extend(note_down(model, &ids));
    match what {
        Leave::Close => effects.push(Effect::Exit),
        Leave::SignOut if sign_out(model) => effects.push(Effect::SignOut),
        Leave::SignOut => {}
    }
    effects
}

/// A number was refused for want of a sign-in: the way on is the page to sign in. Sessions that run in other
/// tabs need none, and are not ended for it.
pub(super) fn asked_to_sign_in(model: &mut Model, refused: TabId, why: &Fault) -> Vec<Effect> {
    let is_over = |tab: &Tab| tab.id == refused || matches!(tab.stage, Stage::Over(_));
    if model.tabs.iter().all(is_over) { sign_in_again(model, why) } else { Vec::new() }
}

/// Told while nothing runs. What began meanwhile tells it by itself.
pub(super) fn heard(model: &mut Model, word: Word) -> Vec<Effect> {
    match (word, model.idle()) {
        (Word::Fell(fault), Idle::SignedIn) => return sign_in_again(model, &fault),
        (Word::Fell(_), Idle::No) => {}
        (Word::Stands { certified_until }, Idle::SignedIn | Idle::No) => {
            learn_standing(model, |account| {
                account.certified_until = Some(certified_until);
                account.went_back = None;
            });
        }
        (Word::WentBack(fault), Idle::SignedIn | Idle::No) => {
            learn_standing(model, |account| account.went_back = Some(fault));
        }
    }
    Vec::new()
}

fn learn_standing(model: &mut Model, learn: impl FnOnce(&mut Account)) {
    if let Door::In(account) = &mut model.door {
        learn(account);
    }
}

/// Out, and told why.
pub(super) fn sign_in_again(model: &mut Model, why: &Fault) -> Vec<Effect> {
    let effects = go(model, Leave::SignOut);
    if let Door::Out(page) = &mut model.door {
        let hours = matches!(why, Fault::HoursOver { .. });
        page.trouble = Some(if hours { Trouble::Failed(why.clone()) } else { Trouble::SignInOver });
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
        (Stage::Over(Outcome::Failed(_)), Ok(())) => How::Failed,
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
