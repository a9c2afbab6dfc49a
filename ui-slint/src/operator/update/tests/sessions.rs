//! Of one session, from its number to its end.

use tasuki_peer::core::io::Reply;
use tasuki_peer::core::snapshot::NotDirect;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::screen::{Layout, Monitor, MonitorId};

use super::*;
use crate::operator::session::Look;
use crate::operator::sharing::Sharings;

#[test]
fn r11_the_number_is_shown_in_groups_and_its_link_keeps_the_secret_behind_the_hash() {
    let mut model = dialled(Mode::Control);
    event(&mut model, number());
    let Stage::Waiting(number) = stage(&model) else { panic!("{:?}", stage(&model)) };
    assert_eq!((number.spoken.as_str(), number.expires_at), ("4829 1530 6126", 1600));
    assert_eq!(number.link, "tasuki://join/48291#5306126");
    let effects = update(&mut model, Msg::Wish(FIRST, Wish::CopyLink));
    assert!(matches!(effects.as_slice(), [Effect::Copy(_, ToastWhat::LinkCopied)]));
}

#[test]
fn a_session_passes_door_question_and_consent_to_its_picture() {
    let mut model = dialled(Mode::Control);
    event(&mut model, number());
    event(&mut model, SessionEvent::AtTheDoor { attempt: 0 });
    assert!(matches!(stage(&model), Stage::AtTheDoor { attempt: 0, .. }));
    event(&mut model, SessionEvent::WrongNumber { attempts_left: 2 });
    assert!(matches!(stage(&model), Stage::Waiting(number) if number.wrong_tries == 1));
    let granted = Mode::Control.ceiling();
    event(&mut model, SessionEvent::Consent { mode: Mode::Control, granted });
    assert!(model.tabs[0].operates());
}

#[test]
fn s14_in_view_no_hand_leaves_the_window() {
    let mut model = live(Mode::View, Mode::View.ceiling());
    let press = InputEvent::Text("x".into());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::Operate(press))).is_empty());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::CtrlAltDel)).is_empty());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::TypeText("x".into()))).is_empty());
}

#[test]
fn t32_while_the_person_uses_his_own_mouse_input_waits() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    event(&mut model, SessionEvent::InputPaused { for_ms: 2000 });
    assert_eq!(model.tabs[0].view.halts.told(), Paused::ByHand);
    assert!(!model.tabs[0].operates());
    event(&mut model, SessionEvent::InputResumed);
    assert!(model.tabs[0].operates());
}

#[test]
fn t33_a_pause_of_the_person_outlasts_his_own_hand_and_the_question() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    let told = |model: &Model| model.tabs[0].view.halts.told();
    event(&mut model, SessionEvent::PicturePaused);
    event(&mut model, SessionEvent::InputPaused { for_ms: 2000 });
    assert_eq!(told(&model), Paused::ByHost);
    event(&mut model, SessionEvent::InputResumed);
    assert_eq!(told(&model), Paused::ByHost);
    let what = Asked::Continue;
    event(&mut model, SessionEvent::Asking { what, rights: Rights::NONE, seconds: 60 });
    event(&mut model, SessionEvent::InputResumed);
    event(&mut model, SessionEvent::AskingOver { what });
    assert_eq!(told(&model), Paused::ByHost);
    assert!(!model.tabs[0].operates());
    event(&mut model, SessionEvent::PictureResumed);
    assert!(model.tabs[0].operates());
}

#[test]
fn only_control_that_is_over_is_told_as_over_and_not_for_ever() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    let ended = |right| {
        let rights = Rights::of(&[right]);
        let effective = Mode::Control.ceiling().without(right);
        SessionEvent::RightsChanged { change: Change::TakenAway, rights, seconds: 0, effective }
    };
    event(&mut model, ended(Capability::ChooseScreen));
    assert_eq!(model.tabs[0].more, More::None);
    event(&mut model, ended(Capability::Operate));
    assert!(matches!(model.tabs[0].more, More::Revoked { .. }));
    event(&mut model, ended(Capability::ChooseScreen));
    assert!(matches!(model.tabs[0].more, More::Revoked { .. }));
    let later = model.now + 10;
    update(&mut model, Msg::Tick(later));
    assert_eq!(model.tabs[0].more, More::None);
}

#[test]
fn a_lost_connection_waits_calmly_and_needs_no_new_consent() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    event(&mut model, SessionEvent::Reconnecting);
    assert!(!model.tabs[0].operates() && model.tabs[0].is_live());
    let path = PathKind::Relayed;
    event(&mut model, SessionEvent::PathChosen { path });
    assert!(model.tabs[0].operates());
}

#[test]
fn ending_a_live_session_asks_first_and_cancelling_a_number_does_not() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::End)).is_empty());
    assert_eq!(model.tabs[0].dialog, Dialog::End);
    let effects = update(&mut model, Msg::Wish(FIRST, Wish::EndNow));
    assert!(matches!(effects.as_slice(), [Effect::Act(FIRST, HumanAct::End(_))]));
    let mut waiting = dialled(Mode::View);
    event(&mut waiting, number());
    assert_eq!(update(&mut waiting, Msg::Wish(FIRST, Wish::Cancel)).len(), 1);
}

#[test]
fn how_a_session_ended_stands_in_its_tab_and_in_the_history() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    update(&mut model, Msg::Tick(1065));
    let (reason, by) = (EndReason::UserEnded, EndedBy::OtherEnd);
    event(&mut model, SessionEvent::Ended { reason, by });
    let effects = update(&mut model, Msg::Session(FIRST, Happened::Gone(Ok(()))));
    assert!(matches!(effects.as_slice(), [Effect::KeepHistory(kept)] if kept.len() == 1));
    assert_eq!(*stage(&model), Stage::Over(Outcome::Ended { reason, by }));
    assert_eq!((model.history[0].seconds, model.history[0].mode), (65, Mode::Control));
}

#[test]
fn a_refusal_is_told_as_one_and_the_same_tab_takes_a_new_number() {
    let mut model = dialled(Mode::Control);
    event(&mut model, number());
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::Refused))));
    assert_eq!(*stage(&model), Stage::Over(Outcome::Failed(Fault::Refused)));
    let effects = update(&mut model, Msg::Wish(FIRST, Wish::Again));
    assert!(matches!(effects.as_slice(), [Effect::Dial { tab: TabId(2), .. }]), "{effects:?}");
    assert_eq!((stage(&model), model.page), (&Stage::Dialling, Page::Session(TabId(2))));
    assert_eq!(model.history.len(), 1);
}

#[test]
fn what_the_old_session_still_tells_does_not_end_the_new_one_in_its_tab() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    let (reason, by) = (EndReason::UserEnded, EndedBy::OtherEnd);
    event(&mut model, SessionEvent::Ended { reason, by });
    update(&mut model, Msg::Wish(FIRST, Wish::Again));
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::Refused))));
    assert_eq!(*stage(&model), Stage::Dialling);
    assert_eq!((model.history.len(), model.history[0].how), (1, How::EndedThere));
}

#[test]
fn a_live_session_is_closed_by_its_cross_only_after_a_question_and_its_line_is_kept() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    update(&mut model, Msg::Go(Page::Home));
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::Close)).is_empty());
    assert_eq!((model.tabs[0].dialog, model.page), (Dialog::End, Page::Session(FIRST)));
    update(&mut model, Msg::Wish(FIRST, Wish::EndNow));
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::EndNow)).is_empty(), "once is enough");
    let effects = update(&mut model, Msg::Wish(FIRST, Wish::Close));
    assert!(matches!(effects.as_slice(), [Effect::HangUp(FIRST), Effect::KeepHistory(_)]));
    assert_eq!((model.tabs.len(), model.history[0].how), (0, How::EndedHere));
}

#[test]
fn t2_a_question_in_another_tab_takes_no_keys_from_the_session_that_is_attended_to() {
    let mut model = live(Mode::Share, Mode::Share.ceiling());
    update(&mut model, Msg::Choose(Mode::Control));
    update(&mut model, Msg::OpenChosen(Note::default()));
    let second = TabId(2);
    let consent = SessionEvent::Consent { mode: Mode::Control, granted: Mode::Control.ceiling() };
    update(&mut model, Msg::Session(second, Happened::Event(consent)));
    let kind = PersonQuestionKind::Continue;
    let question = || PersonQuestion { kind: kind.clone(), seconds: 300, inert_ms: 800 };
    let effects = update(&mut model, Msg::Session(FIRST, Happened::Asked(question())));
    assert!(matches!(effects[..], [Effect::Attend]), "{effects:?}");
    assert_eq!((model.page, model.tabs[0].unread), (Page::Session(second), 1));
    assert!(matches!(model.toast, Some(Toast { what: ToastWhat::Asked(_), .. })));
    update(&mut model, Msg::Go(Page::Home));
    update(&mut model, Msg::Session(FIRST, Happened::Asked(question())));
    assert_eq!(model.page, Page::Session(FIRST), "nobody is attended to");
}

#[test]
fn t34_who_is_asked_whether_to_go_on_hears_of_it_wherever_he_works() {
    let mut model = live(Mode::Show, Mode::Show.ceiling());
    shows_a_monitor(&mut model);
    update(&mut model, Msg::Go(Page::Settings));
    let kind = PersonQuestionKind::Continue;
    let question = PersonQuestion { kind, seconds: 300, inert_ms: 800 };
    let effects = update(&mut model, Msg::Session(FIRST, Happened::Asked(question)));
    assert!(matches!(effects[..], [Effect::Present]), "{effects:?}");
    let later = model.now + 28;
    update(&mut model, Msg::Tick(later));
    let asked = |model: &Model| Sharings::of(model).shown[0].asked;
    assert_eq!(asked(&model), Some(272), "the bar over his screen tells it, and how long");
    update(&mut model, Msg::Go(Page::Home));
    let effects = update(&mut model, Msg::ToQuestion(FIRST));
    assert!(matches!(effects[..], [Effect::Present]), "{effects:?}");
    assert_eq!(model.page, Page::Session(FIRST));
    update(&mut model, Msg::Session(FIRST, Happened::QuestionOver(Asked::Continue)));
    assert_eq!(asked(&model), None);
}

#[test]
fn t33_what_is_shown_on_a_monitor_that_nobody_knows_is_looked_for_and_then_ended_with_a_sentence() {
    for mode in [Mode::Share, Mode::Show] {
        let mut model = live(mode, mode.ceiling());
        let all = Sharings::of(&model);
        assert_eq!((all.shown.len(), &all.unplaced[..]), (0, &[FIRST][..]), "{mode}");
        let next = model.now + 1;
        let effects = update(&mut model, Msg::Tick(next));
        assert!(matches!(effects[..], [Effect::AskMonitors(FIRST), Effect::AskReport(_)]));
        let effects = update(&mut model, Msg::Session(FIRST, Happened::Unmarked));
        assert!(matches!(effects[..], [Effect::Act(FIRST, HumanAct::End(_))]), "{effects:?}");
        update(&mut model, Msg::Session(FIRST, Happened::Gone(Ok(()))));
        assert_eq!(*stage(&model), Stage::Over(Outcome::Failed(Fault::Unmarked)));
        assert_eq!(model.history[0].how, How::Failed);
        assert_eq!(Sharings::of(&model), Sharings::default());
    }
    let mut model = live(Mode::Share, Mode::Share.ceiling());
    shows_a_monitor(&mut model);
    assert!(Sharings::of(&model).unplaced.is_empty());
    let watched = live(Mode::Control, Mode::Control.ceiling());
    assert_eq!(Sharings::of(&watched), Sharings::default(), "the other side's own bar stands");
}

fn shows_a_monitor(model: &mut Model) {
    let shown = MonitorId(0);
    let monitor = Monitor { id: shown, x: 0, y: 0, width: 800, height: 600, primary: true };
    let layout = Layout { monitors: vec![monitor], shown };
    update(model, Msg::Session(FIRST, Happened::Layout(layout)));
}

#[test]
fn t2_a_question_that_waited_in_its_tab_takes_no_yes_before_it_was_seen_for_its_inert_time() {
    let mut model = live(Mode::Share, Mode::Share.ceiling());
    let begun = model.now;
    update(&mut model, Msg::Choose(Mode::Control));
    update(&mut model, Msg::OpenChosen(Note::default()));
    let consent = SessionEvent::Consent { mode: Mode::Control, granted: Mode::Control.ceiling() };
    update(&mut model, Msg::Session(TabId(2), Happened::Event(consent)));
    let kind = PersonQuestionKind::Continue;
    let question = PersonQuestion { kind, seconds: 300, inert_ms: 800 };
    update(&mut model, Msg::Session(FIRST, Happened::Asked(question)));
    let yes = || Msg::Wish(FIRST, Wish::Answer { reply: Reply::Yes, shown: Digest([1; 32]) });
    update(&mut model, Msg::Tick(begun + 60));
    assert!(update(&mut model, yes()).is_empty(), "nobody has seen it");
    update(&mut model, Msg::Go(Page::Session(FIRST)));
    assert!(update(&mut model, yes()).is_empty(), "it has just come");
    update(&mut model, Msg::Tick(begun + 61));
    assert!(update(&mut model, yes()).is_empty(), "of that second not all has passed, perhaps");
    // Away and back: it comes anew.
    update(&mut model, Msg::Go(Page::Settings));
    update(&mut model, Msg::Tick(begun + 70));
    update(&mut model, Msg::Go(Page::Session(FIRST)));
    assert!(update(&mut model, yes()).is_empty());
    update(&mut model, Msg::Tick(begun + 72));
    let question = model.tabs[0].question.as_ref();
    assert_eq!(question.map(|question| question.seconds_left(model.now)), Some(300 - 72));
    let effects = update(&mut model, yes());
    assert!(matches!(effects.as_slice(), [Effect::Act(FIRST, HumanAct::Answer { .. })]), "{effects:?}");
}

#[test]
fn t27_s22_whose_screen_is_shown_is_told_of_each_picture_that_is_kept_of_it() {
    for mode in [Mode::Share, Mode::Show] {
        let mut model = live(mode, mode.ceiling());
        update(&mut model, Msg::Go(Page::Settings));
        event(&mut model, SessionEvent::ScreenshotTaken);
        let told = model.toast.as_ref().map(|toast| &toast.what);
        assert!(matches!(told, Some(ToastWhat::PictureTaken(_))), "{mode}: {told:?}");
        assert_eq!(model.tabs[0].pictures, 1);
    }
}

#[test]
fn t27_no_more_pictures_are_kept_than_the_other_side_can_be_told_of() {
    for mode in [Mode::Manage, Mode::Control, Mode::View] {
        let mut model = live(mode, mode.ceiling());
        let keep = || Msg::Wish(FIRST, Wish::Look(Look::Screenshot));
        assert!(matches!(update(&mut model, keep()).as_slice(), [Effect::SaveScreenshot(FIRST)]));
        assert!(update(&mut model, keep()).is_empty(), "{mode}: the end of a double click");
        let next = model.now + 1;
        update(&mut model, Msg::Tick(next));
        assert!(matches!(update(&mut model, keep()).as_slice(), [Effect::SaveScreenshot(FIRST)]));
    }
    let mut model = live(Mode::Share, Mode::Share.ceiling());
    assert!(update(&mut model, Msg::Wish(FIRST, Wish::Look(Look::Screenshot))).is_empty());
}

#[test]
fn a_screen_that_cannot_be_shown_ends_the_session_and_its_tab_says_why() {
    let why = || Fault::Desktop { why: "no X server answers".to_owned() };
    for (mode, fault) in [(Mode::Share, why()), (Mode::Show, why()), (Mode::View, Fault::ScreenLost)] {
        let mut model = live(mode, mode.ceiling());
        let (reason, by) = (EndReason::ScreenLost, EndedBy::ThisEnd);
        event(&mut model, SessionEvent::Ended { reason, by });
        update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(fault.clone()))));
        assert_eq!(*stage(&model), Stage::Over(Outcome::Failed(fault)));
    }
}

#[test]
fn a_line_of_chat_is_counted_until_its_tab_is_looked_at() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    update(&mut model, Msg::Go(Page::Home));
    event(&mut model, SessionEvent::Chat { line: "hello".into() });
    assert_eq!((model.tabs[0].unread, model.tabs[0].chat[0].by), (1, Role::Agent));
    update(&mut model, Msg::Go(Page::Session(FIRST)));
    assert_eq!(model.tabs[0].unread, 0);
}

#[test]
fn a_line_of_the_person_is_one_line_and_one_that_did_not_go_out_is_marked() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    update(&mut model, Msg::Go(Page::Session(FIRST)));
    event(&mut model, SessionEvent::Chat { line: "he\n\n\u{202E}llo\u{200B}".into() });
    event(&mut model, SessionEvent::Chat { line: "\n".into() });
    assert_eq!(model.tabs[0].chat.len(), 1);
    assert_eq!(model.tabs[0].chat[0].text, "he llo");
    update(&mut model, Msg::Wish(FIRST, Wish::Say("One".into())));
    update(&mut model, Msg::Wish(FIRST, Wish::Say("Two".into())));
    event(&mut model, SessionEvent::Refused { wanted: Capability::Chat });
    let unsent: Vec<_> = model.tabs[0].chat.iter().map(|line| line.unsent).collect();
    assert_eq!(unsent, [false, false, true]);
}

#[test]
fn a_relayed_path_says_why_it_is_not_direct_until_it_is() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    let why = "this network lets no UDP through".to_owned();
    event(&mut model, SessionEvent::PathDown { path: PathKind::Direct, why: why.clone() });
    event(&mut model, SessionEvent::PathChosen { path: PathKind::Relayed });
    let link = &model.tabs[0].link;
    assert_eq!((link.path, link.why_not_direct.as_ref()), (Some(PathKind::Relayed), Some(&why)));
    event(&mut model, SessionEvent::PathChosen { path: PathKind::Direct });
    let link = &model.tabs[0].link;
    assert_eq!((link.path, &link.why_not_direct), (Some(PathKind::Direct), &None));
    // Where a rule keeps it at the relay nothing was tried, so that nothing fails.
    let link = &mut model.tabs[0].link;
    link.heed(Some(&NotDirect::BeingTried));
    assert_eq!(link.why_not_direct, None);
    link.heed(Some(&NotDirect::ByPolicy));
    assert!(link.why_not_direct.as_deref().is_some_and(|why| why.contains("the organisation")));
}

#[test]
fn of_a_path_that_is_gone_nothing_is_told_until_another_is_there() {
    let mut model = live(Mode::Control, Mode::Control.ceiling());
    event(&mut model, SessionEvent::PathChosen { path: PathKind::Direct });
    let link = &mut model.tabs[0].link;
    link.round_trip_ms = Some(38);
    link.cipher_words = Some("AES".into());
    (link.rates.pictures, link.rates.bits) = (24.0, 1e6);
    event(&mut model, SessionEvent::Reconnecting);
    let link = &model.tabs[0].link;
    assert_eq!((link.path, link.round_trip_ms, &link.cipher_words), (None, None, &None));
    assert_eq!((link.rates.pictures, link.rates.bits), (0.0, 0.0));
    assert!(link.reconnecting.is_some());
    event(&mut model, SessionEvent::PathChosen { path: PathKind::Relayed });
    let link = &model.tabs[0].link;
    assert_eq!((link.path, link.reconnecting), (Some(PathKind::Relayed), None));
}

#[test]
fn s69_where_a_reason_is_due_what_nobody_can_read_is_none_and_a_new_number_wants_one_too() {
    let mut model = signed_in(&Mode::ALL);
    let Door::In(account) = &mut model.door else { panic!("somebody is signed in") };
    account.reason = Requirement::Required;
    let note = |reason: &str| Note { reason: reason.to_owned(), ..Note::default() };
    for nothing in ["", "   ", "\u{200B}\n\u{202E}"] {
        update(&mut model, Msg::Choose(Mode::Control));
        assert!(update(&mut model, Msg::OpenChosen(note(nothing))).is_empty(), "{nothing:?}");
        let told = model.toast.take().map(|toast| toast.what);
        assert_eq!(told, Some(ToastWhat::Failed(Fault::ReasonNeeded)));
        model.chosen = None;
    }
    update(&mut model, Msg::Choose(Mode::Control));
    let opened = update(&mut model, Msg::OpenChosen(note("printer")));
    assert!(matches!(opened.as_slice(), [Effect::Dial { .. }]));
    update(&mut model, Msg::Session(FIRST, Happened::Gone(Err(Fault::Refused))));
    let again = update(&mut model, Msg::Wish(FIRST, Wish::Again));
    assert!(again.iter().any(|effect| matches!(effect, Effect::Dial { .. })), "it has its reason");
    // Of before the policy wanted one.
    let second = model.tabs[0].id;
    update(&mut model, Msg::Session(second, Happened::Gone(Err(Fault::Refused))));
    model.tabs[0].note = note(" ");
    assert!(update(&mut model, Msg::Wish(second, Wish::Again)).is_empty());
    assert_eq!((model.page, model.chosen), (Page::Home, Some(Mode::Control)));
}

/// T27, S22: a picture of this computer's screen is not kept in silence.
#[test]
fn t27_the_operator_is_told_of_each_picture_that_is_kept_of_his_screen() {
    let mut model = live(Mode::Share, Mode::Share.ceiling());
    event(&mut model, SessionEvent::ScreenshotTaken);
    assert_eq!(model.tabs[0].pictures, 1);
    assert!(matches!(model.toast, Some(Toast { what: ToastWhat::PictureTaken(_), .. })));
}
