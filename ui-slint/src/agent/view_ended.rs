//! Shows what remains of a session.
//!
//! Decides nothing: every property follows from how it ended.

use slint::SharedString;

use super::ended::{Ended, Ending, Summary};
use super::model::Model;
use super::moment;
use super::view::whole;
use crate::checkup;
use crate::windows::{self, Agent, AgentPage};

pub(super) fn show(ended: &Ended, model: &Model, agent: &Agent<'_>) -> AgentPage {
    let lang = model.lang;
    agent.set_had_begun(ended.summary.is_some());
    if let Some(summary) = &ended.summary {
        show_summary(summary, model, agent);
    }
    let (receipt, unkept) = match &ended.receipt {
        Some(Ok(file)) => (file.display().to_string(), String::new()),
        Some(Err(why)) => (String::new(), why.sentence(lang)),
        None => (String::new(), String::new()),
    };
    agent.set_receipt(receipt.into());
    agent.set_receipt_unkept(unkept.into());
    agent.set_trouble(SharedString::new());
    agent.set_checkable(ended.how == Ending::Lost);
    agent.set_ending(match &ended.how {
        Ending::ByYou => windows::Ending::ByYou,
        Ending::ByOperator => windows::Ending::ByOperator,
        Ending::Refused => windows::Ending::Refused,
        Ending::Unanswered => windows::Ending::Unanswered,
        Ending::Lost => windows::Ending::Lost,
        Ending::TimeOver => windows::Ending::TimeOver,
        Ending::Program => windows::Ending::Program,
        Ending::Withdrawn => windows::Ending::Withdrawn,
        Ending::NotContinued => windows::Ending::NotContinued,
        Ending::ScreenLost => windows::Ending::ScreenLost,
        Ending::Violation => windows::Ending::Violation,
        Ending::Unexpected => windows::Ending::Unexpected,
        Ending::Other(fault) => {
            agent.set_checkable(checkup::may_tell(fault));
            agent.set_trouble(fault.sentence(lang).into());
            windows::Ending::Other
        }
    });
    AgentPage::Ended
}

fn show_summary(summary: &Summary, model: &Model, agent: &Agent<'_>) {
    agent.set_operator(summary.operator.as_str().into());
    agent.set_manner(summary.mode.into());
    agent.set_summary_time(
        moment::span((summary.began_at, summary.seconds), &model.zone, model.lang).into(),
    );
    agent.set_pictures_kept(whole(u64::from(summary.pictures_kept)));
}
