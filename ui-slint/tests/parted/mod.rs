//! What the end user reads when a session is over: nothing that is an operator's to do.

use tasuki_peer::core::io::EndedBy;
use tasuki_protocol::message::EndReason;

use super::*;

pub(crate) fn what_remains_is_told(lang: Lang) {
    s34_the_end_page_tells_the_end_user_nothing_that_an_operator_has_to_do(lang);
    s97_a_receipt_that_could_not_be_kept_is_told_where_it_would_be_opened(lang);
}

/// However it ended, in whatever mode.
fn s34_the_end_page_tells_the_end_user_nothing_that_an_operator_has_to_do(lang: Lang) {
    let ends = [
        (EndReason::Withdrawn, Fault::Withdrawn, "organisation ended", "組織がセッションを終了"),
        (EndReason::Violation, Fault::PeerViolation, "not as it must be", "想定外の動作"),
        (EndReason::NotContinued, Fault::NotContinued, "shall go on", "続けるという返事"),
        (EndReason::ScreenLost, Fault::ScreenLost, "screen", "画面"),
        (EndReason::ConnectionLost, Fault::ConnectionLost, "lost for too long", "長い間途切れ"),
        (EndReason::ConnectionLost, Fault::ServerGone, "lost for too long", "長い間途切れ"),
        (EndReason::TimeOver, Fault::TimeOver, "time allowed", "許可された時間"),
    ];
    // Nobody is accused but by what this end has seen.
    let mut seen = scene("agent-live-control", lang);
    let end = Some((EndReason::Violation, EndedBy::ThisEnd));
    tell(&mut seen, News::Over { end, fault: Some(Fault::PeerViolation) });
    let told = if lang == Lang::En { "may not" } else { "許可されていない動作" };
    let said = labels(&open(&seen).0);
    assert!(said.iter().any(|label| label.contains(told)), "{said:?}");
    for name in ["agent-live-control", "agent-watching-show"] {
        for (reason, fault, en, ja) in &ends {
            let mut over = scene(name, lang);
            tell(
                &mut over,
                News::Over { end: Some((*reason, EndedBy::OtherEnd)), fault: Some(fault.clone()) },
            );
            let said = labels(&open(&over).0);
            let told = if lang == Lang::En { en } else { ja };
            assert!(said.iter().any(|label| label.contains(told)), "{reason:?}: {said:?}");
            for not in ["dministrator", "管理者", "new number", "新しい番号", "Log in", "ログイン"]
            {
                let is_said = said.iter().find(|label| label.contains(not));
                assert_eq!(is_said, None, "{name} {reason:?} {fault:?}");
            }
        }
    }
}

/// Where it would be opened; the session itself is told of as ever.
fn s97_a_receipt_that_could_not_be_kept_is_told_where_it_would_be_opened(lang: Lang) {
    let (why, button) = match lang {
        Lang::En => ("receipts could not be kept: Read-only file system", "Open the receipt"),
        Lang::Ja => ("receipts を保存できませんでした: 書き込みできないディスクです", "記録を開く"),
    };
    for (name, is_kept) in [("agent-ended", true), ("agent-ended-unkept", false)] {
        let (window, _) = open(&scene(name, lang));
        let is_told = labels(&window).iter().any(|label| label.contains(why));
        assert_eq!((is_told, one_of(&window, &[button]).is_some()), (!is_kept, is_kept), "{name}");
    }
}

/// The last of what was found is read to its end, or is seen to go on below.
pub(crate) fn what_was_found_is_whole(window: &AgentWindow, lang: Lang) {
    let label = if lang == Lang::En { "The copy names" } else { "コピーに" };
    let foot = |label: &str| {
        let all = ElementQuery::from_root(window).match_accessible_role(AccessibleRole::Text);
        let wanted = label.to_owned();
        let is_it = move |e: &ElementHandle| {
            e.accessible_label().is_some_and(|label| label.starts_with(&wanted))
        };
        let found = all.match_predicate(is_it).find_first().unwrap_or_else(|| panic!("{label}"));
        (found.absolute_position().y, found.absolute_position().y + found.size().height)
    };
    let (note, _) = foot(label);
    for finding in doctor::made_up() {
        let (_, bottom) = foot(finding.for_person(lang));
        assert!(bottom <= note, "{} ends at {bottom}, below {note}", finding.for_person(lang));
    }
}

fn labels(window: &AgentWindow) -> Vec<SharedString> {
    let texts = ElementQuery::from_root(window).match_accessible_role(AccessibleRole::Text).find_all();
    texts.iter().filter_map(ElementHandle::accessible_label).collect()
}
