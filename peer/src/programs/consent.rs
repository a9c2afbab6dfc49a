//! The question to the person: what is shown, and what counts as yes (S11, S29, T2, T10).
//!
//! Decides the words and the rule: a whole line, typed after the question stood
//! for [`INERT`], that is one of the words for yes. Everything else is no.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::Requirement;

use crate::core::io::Question;
use crate::shell::texts::{Lang, SessionText, Text};

/// What is typed within this time after the question appeared is thrown away.
const INERT: Duration = Duration::from_millis(800);
/// The same at the first meeting with an organisation: whoever is being cheated has time to read it.
pub const NOTICE: Duration = Duration::from_secs(5);

/// What the person's line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes(Rights),
    No,
}

/// A question as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    grantable: Rights,
    mode: Mode,
    /// For so long nothing that is typed counts.
    pub(super) inert: Duration,
}

impl Shown {
    /// `met_before`: sessions of this organisation that this computer has had.
    pub(super) fn of(question: &Question, met_before: u32, lang: Lang) -> Self {
        let (mode, grantable) = (question.manifest.mode, question.grantable);
        let mut lines = vec![
            String::new(),
            Text::AskTitle.fill(lang, &[&question.organisation, &question.manifest.operator_name]),
            format!("  {}", asks(mode).say(lang)),
        ];
        lines.extend(question.manifest.reason.iter().map(|why| Text::AskReason.fill(lang, &[why])));
        lines.push(Text::Can.say(lang).to_owned());
        let can = can(mode, grantable);
        lines.extend(can.into_iter().map(|(_, text)| format!("  + {}", text.say(lang))));
        lines.push(Text::Cannot.say(lang).to_owned());
        let cannot = cannot(mode, grantable);
        lines.extend(cannot.into_iter().map(|text| format!("  - {}", text.say(lang))));
        lines.push(recording(question).say(lang).to_owned());
        lines.extend(warning(met_before, lang));
        lines.push(Text::AskYes.fill(lang, &[&question.seconds.to_string()]));
        if can_look_only(mode, grantable) {
            lines.push(Text::AskLook.say(lang).to_owned());
        }
        let inert = if met_before == 0 { NOTICE } else { INERT };
        Self { text: lines.join("\n"), grantable, mode, inert }
    }

    /// SHA-256 of the text as shown, for the signed consent (T10).
    pub(super) fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.text.as_bytes()).into())
    }

    pub(super) fn answer(&self, line: &str) -> Answer {
        match line.trim().to_lowercase().as_str() {
            "yes" | "はい" | "ｙｅｓ" => Answer::Yes(self.grantable),
            "look" | "見るだけ" if can_look_only(self.mode, self.grantable) => {
                Answer::Yes(self.grantable.and(Mode::View.ceiling()))
            }
            _ => Answer::No,
        }
    }
}

/// Beside the answer, as in the window: whether this is somebody she has called herself.
fn warning(met_before: u32, lang: Lang) -> Vec<String> {
    let said = |text: SessionText| text.say(lang).to_owned();
    if met_before > 0 {
        let met = SessionText::MetBefore.fill(lang, &[&met_before.to_string()]);
        return vec![met, said(SessionText::Scam)];
    }
    let points = [
        SessionText::FirstCalled,
        SessionText::FirstNotRung,
        SessionText::FirstNoMoney,
        SessionText::FirstNoSecret,
    ];
    let mut lines = vec![String::new(), said(SessionText::FirstMet)];
    lines.extend(points.map(|point| format!("  * {}", point.say(lang))));
    lines.push(said(SessionText::FirstElse));
    lines.push(SessionText::FirstWait.fill(lang, &[&NOTICE.as_secs().to_string()]));
    lines.push(String::new());
    lines
}

fn can_look_only(mode: Mode, grantable: Rights) -> bool {
    mode.host() == Role::Agent && grantable.has(Capability::Operate)
}

/// The mode in one sentence (S11).
pub fn asks(mode: Mode) -> Text {
    match mode {
        Mode::Manage => Text::AskManage,
        Mode::Control => Text::AskControl,
        Mode::View => Text::AskView,
        Mode::Share => Text::AskShare,
        Mode::Show => Text::AskShow,
    }
}

/// Whether a video is made, in one line.
pub fn recording(question: &Question) -> Text {
    if is_recorded(question) { Text::RecOn } else { Text::RecOff }
}

pub fn is_recorded(question: &Question) -> bool {
    question.manifest.recording == Requirement::Required
}

/// What can happen with these rights, a line each.
pub fn can(mode: Mode, rights: Rights) -> Vec<(Capability, Text)> {
    let (see, operate, keep) = match mode.host() {
        Role::Agent => (Text::CanSeeYours, Text::CanOperateYours, Text::CanKeepPictureYours),
        Role::Operator => (Text::CanSeeTheirs, Text::CanOperateTheirs, Text::CanKeepPictureTheirs),
    };
    let lines = [
        (Capability::SeeScreen, see),
        (Capability::ChooseScreen, Text::CanChooseScreen),
        (Capability::Operate, operate),
        (Capability::Screenshot, keep),
        (Capability::FetchFiles, Text::CanFetchFiles),
        (Capability::SendFiles, Text::CanSendFiles),
        (Capability::ReadClipboard, Text::CanReadClipboard),
        (Capability::WriteClipboard, Text::CanWriteClipboard),
        (Capability::Record, Text::CanRecord),
        (Capability::Chat, Text::CanChat),
        (Capability::Reconnect, Text::CanReconnect),
    ];
    lines.into_iter().filter(|(wanted, _)| rights.has(*wanted)).collect()
}

/// What cannot, a line each.
pub fn cannot(mode: Mode, rights: Rights) -> Vec<Text> {
    let mut lines = Vec::new();
    match mode.host() {
        Role::Agent => {
            if !rights.has(Capability::Operate) {
                lines.push(Text::CannotOperateYours);
            }
            if !rights.has(Capability::ChooseScreen) {
                lines.push(Text::CannotChooseScreen);
            }
        }
        Role::Operator => {
            lines.extend([Text::CannotSeeYours, Text::CannotOperateYours]);
            if !rights.has(Capability::Operate) {
                lines.push(Text::CannotOperateTheirs);
            }
        }
    }
    let none = |wanted: [Capability; 2]| wanted.into_iter().all(|right| !rights.has(right));
    if none([Capability::FetchFiles, Capability::SendFiles]) {
        lines.push(Text::CannotFiles);
    }
    if none([Capability::ReadClipboard, Capability::WriteClipboard]) {
        lines.push(Text::CannotClipboard);
    }
    if !rights.has(Capability::Chat) {
        lines.push(Text::CannotChat);
    }
    lines.push(Text::CannotBlank);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::ids::{Challenge, DeviceKey, SessionId, TenantId};
    use tasuki_protocol::manifest::Manifest;
    use tasuki_protocol::terms::{AddressDisclosure, Approval, FileRules};

    fn question(mode: Mode) -> Question {
        let manifest = Manifest {
            v: 1,
            tenant: TenantId([0; 8]),
            session: SessionId([0; 16]),
            operator: "hanako".to_owned(),
            operator_name: "Hanako Sato".to_owned(),
            operator_key: DeviceKey([0; 32]),
            agent_key: DeviceKey([0; 32]),
            challenge: Challenge([0; 32]),
            mode,
            capabilities: mode.ceiling(),
            files: FileRules::of(mode.ceiling(), Approval::Ask),
            application_selection: Requirement::Off,
            recording: Requirement::Off,
            address_disclosure: AddressDisclosure::Public,
            issued_at: 0,
            start_within: 600,
            length: 3600,
            policy_version: 1,
            reason: None,
            certificate: tasuki_protocol::blob::Blob::default(),
        };
        let grantable = mode.ceiling();
        Question {
            organisation: "Example Help".to_owned(),
            manifest: Box::new(manifest),
            grantable,
            seconds: 120,
        }
    }

    #[test]
    fn s11_t10_the_question_names_organisation_operator_mode_recording_and_files_in_both_languages() {
        for mode in Mode::ALL {
            for lang in [Lang::En, Lang::Ja] {
                let shown = Shown::of(&question(mode), 1, lang);
                for part in ["Example Help", "Hanako Sato", "REC", asks(mode).say(lang), "120"] {
                    assert!(shown.text.contains(part), "{mode} lacks {part}: {}", shown.text);
                }
                let files = [Text::CanSendFiles, Text::CannotFiles];
                assert!(files.iter().any(|text| shown.text.contains(text.say(lang))), "{mode}");
            }
        }
    }

    /// What a person is asked for is named, and so is what he is not asked for.
    #[test]
    fn s11_every_right_over_this_computer_is_named_as_one_that_can_or_cannot_happen() {
        let (named, absent) = (
            [(Capability::ChooseScreen, Text::CanChooseScreen), (Capability::Chat, Text::CanChat)],
            [
                (Capability::ChooseScreen, Text::CannotChooseScreen),
                (Capability::Chat, Text::CannotChat),
            ],
        );
        let lines = |rights| {
            let can = can(Mode::Control, rights).into_iter().map(|(_, text)| text);
            can.chain(cannot(Mode::Control, rights)).collect::<Vec<Text>>()
        };
        for ((right, can), (_, cannot)) in named.into_iter().zip(absent) {
            let (with, without) = (Mode::Control.ceiling(), Mode::Control.ceiling().without(right));
            assert!(lines(with).contains(&can) && !lines(with).contains(&cannot), "{right:?}");
            assert!(lines(without).contains(&cannot) && !lines(without).contains(&can), "{right:?}");
        }
    }

    #[test]
    fn s11_the_reason_that_the_operator_gave_is_part_of_what_is_agreed_to() {
        let mut question = question(Mode::View);
        let before = Shown::of(&question, 1, Lang::En);
        question.manifest.reason = Some("T-60, the printer".to_owned());
        for lang in [Lang::En, Lang::Ja] {
            assert!(Shown::of(&question, 1, lang).text.contains("T-60, the printer"));
        }
        assert_ne!(Shown::of(&question, 1, Lang::En).digest(), before.digest());
    }

    #[test]
    fn s29_only_the_words_for_yes_are_a_yes() {
        let shown = Shown::of(&question(Mode::Control), 1, Lang::En);
        for word in ["yes", " YES ", "はい"] {
            assert_eq!(shown.answer(word), Answer::Yes(Mode::Control.ceiling()), "{word}");
        }
        for word in ["", "y", "no", "ok", "yes please", "yess", "いいえ", "1", "true"] {
            assert_eq!(shown.answer(word), Answer::No, "{word}");
        }
    }

    #[test]
    fn who_allows_looking_only_grants_no_hand() {
        let shown = Shown::of(&question(Mode::Control), 1, Lang::Ja);
        let Answer::Yes(granted) = shown.answer("look") else { panic!("refused") };
        assert!(granted.has(Capability::SeeScreen) && !granted.has(Capability::Operate));
        let view = Shown::of(&question(Mode::View), 1, Lang::En);
        assert_eq!(view.answer("look"), Answer::No);
    }

    #[test]
    fn s24_in_show_the_person_reads_that_nothing_of_his_is_seen_or_operated() {
        let text = Shown::of(&question(Mode::Show), 1, Lang::En).text;
        for sentence in [Text::CannotSeeYours, Text::CannotOperateYours, Text::CannotFiles] {
            assert!(text.contains(sentence.say(Lang::En)));
        }
        assert!(!text.contains(Text::CanSeeYours.say(Lang::En)));
    }

    /// T2: whoever is being cheated on the phone reads what cheats say, and has time for it, before a word counts.
    #[test]
    fn t2_every_question_warns_of_cheats_and_the_first_of_an_organisation_leaves_time_to_read_it() {
        for lang in [Lang::En, Lang::Ja] {
            let (first, later) = (0, 3);
            let shown = |met_before| Shown::of(&question(Mode::Control), met_before, lang);
            let (first, later) = (shown(first), shown(later));
            assert!(later.text.contains(SessionText::Scam.say(lang)) && later.text.contains('3'));
            assert_eq!((first.inert, later.inert), (NOTICE, INERT));
            let points = [SessionText::FirstCalled, SessionText::FirstNoMoney, SessionText::FirstElse];
            for point in points {
                assert!(first.text.contains(point.say(lang)), "{}", first.text);
                assert!(!later.text.contains(point.say(lang)), "{}", later.text);
            }
            let (warned, asked) = (first.text.find(points[2].say(lang)), first.text.find("yes"));
            assert!(warned < asked, "beside the answer: {}", first.text);
            assert_ne!(first.digest(), later.digest(), "what was read is signed (T10)");
        }
    }
}
