//! What a policy refuses, and what becomes of its rules.

#![allow(clippy::unwrap_used)]

use tasuki_protocol::dsse;
use tasuki_protocol::ids::TenantId;
use tasuki_protocol::policy::check::PolicyFault;
use tasuki_protocol::policy::decide::{
    Decision, Denial, Grant, Section, ServerLimits, Source, Subject,
};
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook, Rules};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::{AddressDisclosure, Approval, Requirement};

const TENANT: TenantId = TenantId([3; 8]);
const SERVER: ServerLimits =
    ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: 8 * 3600 };
/// Monday, 2 November 2026, 10:00 UTC.
const MONDAY_AT_TEN: u64 = 1_793_613_600;

fn policy(rules: &str) -> Policy {
    let rules: RuleBook = serde_json::from_str(rules).unwrap();
    Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules }
}

fn decide(policy: &Policy, mode: Mode, groups: &[&str]) -> Decision {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let subject = Subject {
        operator: "hanako",
        groups: &groups,
        modes: &Mode::ALL,
        certified: Rights::of(&Capability::ALL),
    };
    policy.decide(&subject, mode, SERVER, MONDAY_AT_TEN)
}

fn granted(policy: &Policy, mode: Mode, groups: &[&str]) -> Grant {
    decide(policy, mode, groups).outcome.unwrap()
}

fn by(decision: &Decision, key: Key) -> Source {
    decision.decided.iter().find(|decided| decided.key == key).unwrap().by.clone()
}

#[test]
fn s70_without_a_policy_files_are_asked_for_the_clipboard_is_closed_and_nothing_is_recorded() {
    let grant = granted(&Policy::unwritten(TENANT), Mode::Manage, &[]);
    assert_eq!((grant.files.fetch, grant.files.send), (Approval::Ask, Approval::Ask));
    assert!(!grant.rights.has(Capability::ReadClipboard));
    assert_eq!(grant.recording, Requirement::Off);
    assert!(grant.rights.has(Capability::Operate) && grant.rights.has(Capability::Reconnect));
}

#[test]
fn t33_no_policy_has_a_word_for_the_bar_and_one_that_tries_is_refused_whole() {
    for word in ["banner", "bar", "frame", "hide_banner", "show_banner", "indicator", "tray", "silent"]
    {
        for value in ["false", "true", "\"hidden\"", "\"off\""] {
            let rules = format!(r#"{{"{word}":{value}}}"#);
            let why = serde_json::from_str::<Rules>(&rules).unwrap_err().to_string();
            assert!(why.contains("unknown field"), "{rules}: {why}");
            for book in [
                rules.clone(),
                format!(r#"{{"default":{rules}}}"#),
                format!(r#"{{"group":{{"desk":{rules}}}}}"#),
                format!(r#"{{"operator":{{"hanako":{rules}}}}}"#),
            ] {
                let why = serde_json::from_str::<RuleBook>(&book).unwrap_err().to_string();
                assert!(why.contains("unknown field"), "{book}: {why}");
            }
        }
    }
}

#[test]
fn s69_whom_a_policy_asks_for_a_reason_is_told_before_he_asks_for_a_number() {
    let policy = policy(
        r#"{"default":{"reason":"off"},"group":{"desk":{"reason":"required"}},"operator":{"hanako":{"reason":"optional"}}}"#,
    );
    let reason = |policy: &Policy, operator, groups: &[String]| {
        policy.reason(&Subject { operator, groups, modes: &[Mode::View], certified: Rights::NONE })
    };
    let desk = ["desk".to_owned()];
    assert_eq!(reason(&policy, "hanako", &desk), Requirement::Required);
    assert_eq!(reason(&policy, "hanako", &[]), Requirement::Optional);
    assert_eq!(reason(&policy, "taro", &[]), Requirement::Off);
    assert_eq!(reason(&Policy::unwritten(TENANT), "taro", &[]), Requirement::Optional);
    assert_eq!(granted(&policy, Mode::Manage, &["desk"]).reason, Requirement::Required);
}

#[test]
fn s37_s43_s68_two_operators_of_one_policy_come_off_differently() {
    let policy = policy(
        r#"{"operator":{"hanako":{"send_files":"never","application_selection":"required"},
            "taro":{"send_files":"allow"}}}"#,
    );
    policy.check(TENANT).unwrap();
    let hanako = granted(&policy, Mode::Control, &[]);
    let subject = Subject {
        operator: "taro",
        groups: &[],
        modes: &Mode::ALL,
        certified: Rights::of(&Capability::ALL),
    };
    let taro = policy.decide(&subject, Mode::Control, SERVER, MONDAY_AT_TEN).outcome.unwrap();
    assert_eq!((hanako.files.send, taro.files.send), (Approval::Never, Approval::Allow));
    assert!(!hanako.rights.has(Capability::SendFiles) && taro.rights.has(Capability::SendFiles));
    assert_eq!(hanako.application_selection, Requirement::Required);
    assert_eq!(taro.application_selection, Requirement::Optional);
}

#[test]
fn s66_each_mode_is_allowed_or_not_for_one_operator() {
    for allowed in Mode::ALL {
        let policy = policy(&format!(r#"{{"operator":{{"hanako":{{"modes":["{allowed}"]}}}}}}"#));
        for mode in Mode::ALL {
            let outcome = decide(&policy, mode, &[]).outcome;
            assert_eq!(outcome.is_ok(), mode == allowed, "{mode} where {allowed} is allowed");
            assert!(mode == allowed || outcome == Err(Denial::Mode));
        }
    }
}

#[test]
fn the_most_restrictive_of_default_groups_and_operator_wins_and_is_named() {
    let policy = policy(
        r#"{"default":{"fetch_files":"ask","max_minutes":60},
            "group":{"night":{"screenshot":false,"max_minutes":30},"other":{"chat":false}},
            "operator":{"hanako":{"fetch_files":"never"}}}"#,
    );
    let decision = decide(&policy, Mode::Control, &["night"]);
    let grant = decision.outcome.unwrap();
    assert_eq!((grant.files.fetch, grant.length_s), (Approval::Never, 30 * 60));
    assert!(!grant.rights.has(Capability::Screenshot) && grant.rights.has(Capability::Chat));
    assert_eq!(by(&decision, Key::FetchFiles), Source::Rule(Section::Operator("hanako".to_owned())));
    assert_eq!(by(&decision, Key::Screenshot), Source::Rule(Section::Group("night".to_owned())));
    assert_eq!(by(&decision, Key::Chat), Source::BuiltIn);
    assert_eq!(by(&decision, Key::Reconnect), Source::Mode(Mode::Control));
}

#[test]
fn a_demand_to_record_beats_a_prohibition_and_that_a_choice() {
    let recording = |default: &str, own: &str| {
        let text = format!(
            r#"{{"default":{{"recording":"{default}"}},"operator":{{"hanako":{{"recording":"{own}"}}}}}}"#
        );
        granted(&policy(&text), Mode::View, &[]).recording
    };
    assert_eq!(recording("required", "off"), Requirement::Required);
    assert_eq!(recording("optional", "required"), Requirement::Required);
    assert_eq!(recording("off", "optional"), Requirement::Off);
}

#[test]
fn s93_s94_presets_leave_no_way_to_files_and_teach_shows_only() {
    for preset in Preset::ALL {
        let mut rules = RuleBook::default();
        rules.default.base = Some(preset);
        let policy = Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules };
        policy.check(TENANT).unwrap();
        for mode in Mode::ALL {
            let Ok(grant) = decide(&policy, mode, &[]).outcome else { continue };
            let files =
                grant.rights.has(Capability::SendFiles) || grant.rights.has(Capability::FetchFiles);
            let can = matches!(mode, Mode::Manage | Mode::Control) && preset == Preset::Full;
            assert_eq!(files, can, "{preset:?} {mode}");
            assert!(preset != Preset::Teach || mode == Mode::Show);
            assert!(
                preset != Preset::ApplicationsOnly
                    || grant.application_selection == Requirement::Required
            );
        }
    }
}

#[test]
fn a_session_ends_with_its_hours_and_none_begins_outside() {
    let ends_at_noon = policy(r#"{"default":{"hours":["mon-fri 09:00-12:00"]}}"#);
    assert_eq!(granted(&ends_at_noon, Mode::View, &[]).length_s, 2 * 3600);
    let evening = policy(r#"{"group":{"night":{"hours":["mon 18:00-20:00"]}}}"#);
    assert_eq!(decide(&evening, Mode::View, &["night"]).outcome, Err(Denial::Hours));
    let tokyo = policy(r#"{"time_zone":"Asia/Tokyo","default":{"hours":["mon 18:00-20:00"]}}"#);
    assert_eq!(granted(&tokyo, Mode::View, &[]).length_s, 3600);
}

#[test]
fn a_policy_with_an_unknown_word_a_section_twice_or_another_form_is_no_policy() {
    for text in [
        r#"{"default":{"speed":1}}"#,
        r#"{"default":{"modes":["observe"]}}"#,
        r#"{"default":{"send_files":"sometimes"}}"#,
        r#"{"group":{"a":{},"a":{}}}"#,
        r#"{"default":{"screenshot":true,"screenshot":false}}"#,
        r#"{"default":{"hours":["noon"]}}"#,
        r#"{"defaults":{}}"#,
    ] {
        assert!(serde_json::from_str::<RuleBook>(text).is_err(), "{text}");
    }
    let mut foreign = policy("{}");
    foreign.v += 1;
    assert_eq!(foreign.check(TENANT), Err(PolicyFault::Foreign));
    assert_eq!(policy("{}").check(TenantId([4; 8])), Err(PolicyFault::Foreign));
    assert_eq!(policy(r#"{"replaces":3}"#).check(TENANT), Err(PolicyFault::Foreign));
}

#[test]
fn t16_a_rule_that_widens_another_is_refused_with_both_their_names() {
    let refused = |text: &str| policy(text).check(TENANT).unwrap_err();
    let operator = Section::Operator("hanako".to_owned());
    assert_eq!(
        refused(r#"{"default":{"screenshot":false},"operator":{"hanako":{"screenshot":true}}}"#),
        PolicyFault::Wider { section: operator.clone(), key: "screenshot", than: Section::Default }
    );
    assert_eq!(
        refused(r#"{"operator":{"hanako":{"base":"view-only","modes":["view","control"]}}}"#),
        PolicyFault::WiderThanBase { section: operator, key: "modes" }
    );
    assert!(matches!(
        refused(r#"{"default":{"base":"control-without-files"},"group":{"a":{"send_files":"ask"}}}"#),
        PolicyFault::Wider { key: "send_files", .. }
    ));
}

/// T16: whatever a section could say more of than `[default]`, or than its own base: each by its name.
#[test]
fn t16_no_rule_of_any_kind_may_be_wider_than_another_that_it_can_never_outdo() {
    for key in Key::ALL {
        let (strict, wide) = match key {
            Key::SeeScreen
            | Key::Operate
            | Key::ChooseScreen
            | Key::ReadClipboard
            | Key::WriteClipboard
            | Key::Screenshot
            | Key::Chat
            | Key::Point
            | Key::Reconnect => ("false", "true"),
            Key::FetchFiles | Key::SendFiles => (r#""ask""#, r#""allow""#),
            Key::Recording => (r#""required""#, r#""off""#),
            Key::ApplicationSelection | Key::Reason => (r#""required""#, r#""optional""#),
            Key::AddressDisclosure => (r#""relay-only""#, r#""public""#),
            Key::MaxMinutes => ("30", "31"),
            Key::Modes => (r#"["view"]"#, r#"["view","control"]"#),
            // Hours add up and have no order; what holds is the time that all of them leave.
            Key::Hours => continue,
        };
        let name = key.name();
        for section in ["group", "operator"] {
            let rules = |default: &str, own: &str| {
                policy(&format!(
                    r#"{{"default":{{"{name}":{default}}},"{section}":{{"x":{{"{name}":{own}}}}}}}"#
                ))
            };
            let refused = rules(strict, wide).check(TENANT).unwrap_err();
            assert!(
                matches!(&refused, PolicyFault::Wider { key, than: Section::Default, .. } if *key == name),
                "{name}: {refused:?}"
            );
            assert_eq!(
                rules(wide, strict).check(TENANT),
                Ok(()),
                "{name}: stricter is what sections are for"
            );
            assert_eq!(rules(strict, strict).check(TENANT), Ok(()), "{name}");
        }
    }
}

#[test]
fn names_that_cannot_be_or_look_alike_and_lengths_out_of_bounds_are_refused() {
    let refused = |text: &str| policy(text).check(TENANT).unwrap_err();
    assert!(matches!(refused(r#"{"group":{"a b":{}}}"#), PolicyFault::Name(_)));
    assert!(matches!(refused("{\"operator\":{\"ha\u{202E}nako\":{}}}"), PolicyFault::Name(_)));
    assert!(matches!(refused(r#"{"operator":{"hanako":{},"Hanako":{}}}"#), PolicyFault::Alike(..)));
    assert!(matches!(refused(r#"{"default":{"max_minutes":481}}"#), PolicyFault::Minutes(_)));
    assert!(matches!(refused(r#"{"default":{"hours":[]}}"#), PolicyFault::List(_)));
    assert!(matches!(refused(r#"{"default":{"modes":["view","view"]}}"#), PolicyFault::List(_)));
    assert!(matches!(refused(&format!(r#"{{"note":"{}"}}"#, "x".repeat(201))), PolicyFault::Note));
}

#[test]
fn a_signed_policy_of_a_thousand_operators_fits_and_a_larger_one_is_refused() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let of = |operators: usize| {
        let mut policy = policy("{}");
        for n in 0..operators {
            let rules = Rules {
                modes: Some(vec![Mode::View, Mode::Control]),
                send_files: Some(Approval::Ask),
                hours: Some(vec!["mon-fri 09:00-18:00 Asia/Tokyo".parse().unwrap()]),
                ..Rules::default()
            };
            policy.rules.operator.0.insert(format!("operator-{n:04}"), rules);
        }
        dsse::open_self_signed::<Policy>(&dsse::sign(&policy, &key))
    };
    assert!(of(1000).is_ok());
    assert!(of(4000).is_err());
}
