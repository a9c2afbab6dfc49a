//! Shows a model in the windows, and turns what the person does into messages.
//!
//! Decides nothing: every property follows from the model. What was shown is read back from the
//! window itself, so that the signed consent holds the very words that stood there (T10).

use std::rc::Rc;
use std::time::Instant;

use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use slint::{ComponentHandle, Model as _, SharedString, VecModel};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::programs::consent;
use tasuki_peer::shell::texts::{self, Lang, Text};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::rights::{Capability, Mode, Rights};

use super::asking::{Asking, Step};
use super::live::{Live, Open, QuestionKind, Stillness, Weather};
use super::model::{Model, NumberPage, Page, Said};
use super::{entry, moment, theirs, view_ended};
use crate::windows::{
    self, Agent, AgentPage, AgentWindow, BannerWindow, ChatLine, ConsentWords, Line, PathName, Running,
};
use crate::{checkup, clock, dress, examining, rows};

/// A window with the agent's globals.
pub trait Pane: ComponentHandle {
    fn agent(&self) -> Agent<'_>;
    fn dress(&self, model: &Model);
}

impl Pane for AgentWindow {
    fn agent(&self) -> Agent<'_> {
        self.global::<Agent<'_>>()
    }

    fn dress(&self, model: &Model) {
        dress::dress(self, model.lang, model.shade);
    }
}

impl Pane for BannerWindow {
    fn agent(&self) -> Agent<'_> {
        self.global::<Agent<'_>>()
    }

    fn dress(&self, model: &Model) {
        dress::dress(self, model.lang, model.shade);
    }
}

pub fn show(model: &Model, window: &AgentWindow, now: Instant) {
    examining::show(model.checkup.as_ref(), model.lang, window);
    window.global::<Running<'_>>().set_any(matches!(model.page, Page::Live(_)));
    show_pane(model, window, now);
    if let Page::Live(live) = &model.page {
        show_talk(live, &model.zone, &window.agent());
    }
    theirs::show(model.look(), &window.agent());
}

/// What the window and the bar have in common.
fn show_pane(model: &Model, window: &impl Pane, now: Instant) {
    window.dress(model);
    let agent = window.agent();
    agent.set_organisation(model.organisation.as_str().into());
    agent.set_about(model.about);
    agent.set_tray(model.tray);
    let lang = model.lang;
    show_toast(model.told(), lang, &agent);
    let page = match &model.page {
        Page::Trouble(fault) => {
            agent.set_trouble(fault.sentence(lang).into());
            let more = fault.for_administrator(lang);
            agent.set_trouble_details(more.unwrap_or_default().into());
            AgentPage::Trouble
        }
        Page::Number(page) => show_number(page, lang, &agent),
        Page::Connecting(_) => AgentPage::Connecting,
        Page::Asking(asking) => show_asking(asking, lang, &agent, now),
        Page::Live(live) => show_live(live, lang, &agent, now),
        Page::Ended(ended) => view_ended::show(ended, model, &agent),
    };
    if page != AgentPage::Live && page != AgentPage::Watching {
        agent.set_question(windows::QuestionKind::None);
        agent.set_opened(windows::Opened::Nothing);
    }
    agent.set_page(page);
}

/// The bar says the same in one line.
pub fn show_banner(model: &Model, banner: &BannerWindow, now: Instant) {
    show_pane(model, banner, now);
    if let Page::Live(live) = &model.page {
        let left = live.timed.iter().map(|(right, _)| live.seconds_left(*right, now));
        // The host's core says a moment later that it is over.
        let soonest = left.filter(|seconds| *seconds > 0).min();
        banner.set_rights(soonest.map(moment::clock).unwrap_or_default().into());
    }
}

fn show_number(page: &NumberPage, lang: Lang, agent: &Agent<'_>) -> AgentPage {
    agent.set_number(page.entry.text().into());
    agent.set_number_caret(i32::try_from(page.entry.caret()).unwrap_or_default());
    agent.set_complaint(page.entry.complaint().into());
    agent.set_checkable(page.trouble.as_ref().is_some_and(checkup::may_tell));
    let trouble = page.trouble.as_ref().map(|fault| fault.sentence(lang));
    agent.set_trouble(trouble.unwrap_or_default().into());
    AgentPage::Number
}

fn show_asking(asking: &Asking, lang: Lang, agent: &Agent<'_>, now: Instant) -> AgentPage {
    let question = &asking.question;
    let (mode, grantable) = (question.manifest.mode, question.grantable);
    agent.set_organisation(question.organisation.as_str().into());
    agent.set_operator(question.manifest.operator_name.as_str().into());
    agent.set_manner(mode.into());
    agent.set_asks(consent::asks(mode).say(lang).into());
    let reason = question.manifest.reason.as_ref();
    let reason = reason.map(|why| Text::AskReason.fill(lang, &[why]).trim().to_owned());
    agent.set_reason(reason.unwrap_or_default().into());
    let can = consent::can(mode, grantable).into_iter().map(|(capability, text)| Line {
        text: sentence(text.say(lang), lang).into(),
        id: place(capability),
        choosable: asking.is_choosable(capability),
        granted: asking.granted.has(capability),
        seconds: 0,
        lendable: false,
    });
    let cannot =
        consent::cannot(mode, grantable).into_iter().map(|text| sentence(text.say(lang), lang).into());
    let (can, cannot): (Vec<Line>, Vec<SharedString>) = (can.collect(), cannot.collect());
    agent.set_can_lines(joined(can.iter().map(|line| &line.text)));
    agent.set_cannot_lines(joined(cannot.iter()));
    set_lines(can, agent);
    set_sentences(cannot, agent);
    agent.set_recording_line(consent::recording(question).say(lang).into());
    agent.set_recording(consent::is_recorded(question));
    agent.set_met_before(whole(u64::from(asking.met_before)));
    agent.set_notice_seconds(whole(asking.notice_seconds(now)));
    agent.set_acceptable(asking.is_awake(now));
    agent.set_answer_seconds(whole(asking.seconds_left(now)));
    match asking.step {
        Step::Notice { .. } => AgentPage::Notice,
        Step::Question => AgentPage::Consent,
    }
}

fn show_live(live: &Live, lang: Lang, agent: &Agent<'_>, now: Instant) -> AgentPage {
    let mode = live.mode();
    agent.set_operator(live.manifest.operator_name.as_str().into());
    agent.set_manner(mode.into());
    agent.set_recording(live.is_recorded());
    agent.set_since_seconds(whole(now.saturating_duration_since(live.since).as_secs()));
    agent.set_weather(match live.weather {
        Weather::Fine => windows::Weather::Fine,
        Weather::Reconnecting => windows::Weather::Reconnecting,
    });
    agent.set_stillness(match live.stillness {
        _ if live.question.is_some() => windows::Stillness::Asked,
        Stillness::None => windows::Stillness::None,
        Stillness::OwnHand => windows::Stillness::OwnHand,
        Stillness::Paused => windows::Stillness::Paused,
    });
    agent.set_operated(live.is_operated());
    show_protection(live, agent);
    agent.set_settled(live.is_settled(now));
    let mut can = consent::can(mode, live.allowed);
    can.sort_by_key(|(capability, _)| live.row(*capability));
    let can = can.into_iter().map(|(capability, text)| Line {
        text: sentence(text.say(lang), lang).into(),
        id: place(capability),
        choosable: live.is_choosable(capability),
        granted: !live.taken.has(capability),
        seconds: whole(live.seconds_left(capability, now)),
        lendable: live.is_lendable(capability),
    });
    set_lines(can.collect(), agent);
    agent.set_trouble(SharedString::new());
    show_question(live, lang, agent, now);
    if live.is_seen() { AgentPage::Live } else { AgentPage::Watching }
}

fn show_protection(live: &Live, agent: &Agent<'_>) {
    agent.set_path(match live.protection.path() {
        None => PathName::None,
        Some(PathKind::Direct) => PathName::Direct,
        Some(PathKind::Relayed) => PathName::Relayed,
    });
    agent.set_ciphers(live.protection.ciphers().into());
    agent.set_opened(live.open.into());
}

fn show_talk(live: &Live, zone: &TimeZone, agent: &Agent<'_>) {
    agent.set_may_write(live.may_write());
    agent.set_may_keep(live.may_keep());
    agent.set_unread(whole(u64::from(live.talk.unread())));
    let lines = live.talk.lines().iter().map(|line| ChatLine {
        mine: line.by == Role::Agent,
        text: line.text.as_str().into(),
        at: clock::time(line.at, zone).into(),
        unsent: line.unsent,
    });
    rows::fill(&agent.get_chat(), lines, |rows| agent.set_chat(rows));
}

fn show_question(live: &Live, lang: Lang, agent: &Agent<'_>, now: Instant) {
    let Some(question) = &live.question else {
        return agent.set_question(windows::QuestionKind::None);
    };
    agent.set_question_seconds(whole(question.seconds_left(now)));
    agent.set_question_acceptable(question.is_awake(now));
    agent.set_question(match question.kind {
        QuestionKind::Continue => windows::QuestionKind::GoOn,
        QuestionKind::MoreRights { rights, for_seconds } => {
            agent.set_question_text(more(live.mode(), rights, lang).into());
            agent.set_question_span(texts::span(for_seconds, lang).into());
            windows::QuestionKind::MoreRights
        }
    });
}

fn more(mode: Mode, rights: Rights, lang: Lang) -> String {
    let lines = consent::can(mode, rights).into_iter().map(|(_, text)| sentence(text.say(lang), lang));
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of the catalogue, which stands in lists of other programs too, as a sentence.
fn sentence(line: &str, lang: Lang) -> String {
    let mut rest = line.chars();
    let stop = if lang == Lang::En { "." } else { "。" };
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect::<String>() + stop
}

/// SHA-256 of what the question page shows, line by line, UTF-8 (T10).
pub fn shown_on(window: &AgentWindow) -> Digest {
    let (agent, words) = (window.agent(), window.global::<ConsentWords<'_>>());
    let mut lines: Vec<SharedString> = vec![
        agent.get_operator(),
        agent.get_organisation(),
        words.get_verified(),
        words.get_manner(),
        agent.get_asks(),
        agent.get_reason(),
        words.get_can(),
    ];
    lines.extend(agent.get_can().iter().map(|line| line.text));
    lines.push(words.get_cannot());
    lines.extend(agent.get_cannot().iter());
    lines.extend([agent.get_recording_line(), words.get_met(), words.get_scam()]);
    lines.extend([words.get_refuse(), words.get_accept()]);
    digest(&lines)
}

/// The same of the short question in mid-session.
pub fn shown_in_question(window: &AgentWindow) -> Digest {
    let words = window.global::<windows::QuestionWords<'_>>();
    digest(&[words.get_title(), words.get_text(), words.get_no(), words.get_yes()])
}

fn digest(lines: &[SharedString]) -> Digest {
    Digest(Sha256::digest(joined(lines.iter()).as_bytes()).into())
}

/// The capability that a line of the window stands for.
pub fn capability(id: i32) -> Option<Capability> {
    usize::try_from(id).ok().and_then(|place| Capability::ALL.get(place).copied())
}

fn place(capability: Capability) -> i32 {
    let place = Capability::ALL.iter().position(|known| *known == capability).unwrap_or_default();
    i32::try_from(place).unwrap_or_default()
}

fn joined<'a>(lines: impl Iterator<Item = &'a SharedString>) -> SharedString {
    lines.map(SharedString::as_str).collect::<Vec<_>>().join("\n").into()
}

/// Rows stay where they are while their words are the same, so that the focus does too.
fn set_lines(lines: Vec<Line>, agent: &Agent<'_>) {
    let known = agent.get_can();
    if known.row_count() != lines.len() {
        return agent.set_can(Rc::new(VecModel::from(lines)).into());
    }
    for (row, line) in lines.into_iter().enumerate() {
        if known.row_data(row).as_ref() != Some(&line) {
            known.set_row_data(row, line);
        }
    }
}

fn set_sentences(sentences: Vec<SharedString>, agent: &Agent<'_>) {
    if !agent.get_cannot().iter().eq(sentences.iter().cloned()) {
        agent.set_cannot(Rc::new(VecModel::from(sentences)).into());
    }
}

pub(super) fn whole(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// What is told in passing, and the name or sentence in it.
fn show_toast(said: Option<&Said>, lang: Lang, agent: &Agent<'_>) {
    let (kind, value) = match said {
        None => (windows::Said::None, String::new()),
        Some(Said::SettingsAside(name)) => (windows::Said::SettingsAside, name.clone()),
        Some(Said::Saved(name)) => (windows::Said::Saved, name.clone()),
        Some(Said::Fault(fault)) => (windows::Said::Sentence, fault.sentence(lang)),
        Some(Said::BadLink) => (windows::Said::BadLink, String::new()),
        Some(Said::NotByHand) => (windows::Said::NotByHand, String::new()),
        Some(Said::Wrote(line)) => (windows::Said::Wrote, line.clone()),
        Some(Said::NotSent) => (windows::Said::NotSent, String::new()),
        Some(Said::PictureKept) => (windows::Said::PictureKept, String::new()),
    };
    agent.set_said_value(value.into());
    agent.set_said(kind);
}

impl From<Mode> for windows::Manner {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Manage => Self::Manage,
            Mode::Control => Self::Control,
            Mode::View => Self::View,
            Mode::Share => Self::Share,
            Mode::Show => Self::Show,
        }
    }
}

impl From<Open> for windows::Opened {
    fn from(open: Open) -> Self {
        match open {
            Open::Nothing => Self::Nothing,
            Open::Talk => Self::Talk,
            Open::Details => Self::Details,
        }
    }
}

impl From<windows::Opened> for Open {
    fn from(opened: windows::Opened) -> Self {
        match opened {
            windows::Opened::Nothing => Self::Nothing,
            windows::Opened::Talk => Self::Talk,
            windows::Opened::Details => Self::Details,
        }
    }
}

impl From<Option<entry::Complaint>> for windows::Complaint {
    fn from(complaint: Option<entry::Complaint>) -> Self {
        match complaint {
            None => Self::None,
            Some(entry::Complaint::NotDigits) => Self::NotDigits,
            Some(entry::Complaint::TooFew) => Self::TooFew,
            Some(entry::Complaint::TooMany) => Self::TooMany,
            Some(entry::Complaint::Mistyped) => Self::Mistyped,
            Some(entry::Complaint::Refused) => Self::Refused,
        }
    }
}
