//! What an operator may do at his computer, and which rule decided it: by the policy, by his account, and by what his
//! device is certified for, which is all that a server issues manifests by (S42, S70).
//!
//! It refuses to know how a policy is written and published.

use clap::Args;
use serde_json::{Value, json};
use tasuki_protocol::admin::{OPERATORS_PATH, OperatorEntry, OperatorList, OperatorState, ProblemCode};
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::devices::{DEVICES_PATH, DeviceEntry, DeviceList, DeviceState};
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::decide::{Decided, Decision, Denial, ServerLimits, Source, Subject};
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::rights::{Capability, Mode, Rights};

use crate::certified::opened;
use crate::desk::{Desk, unix};
use crate::fault::Fault;
use crate::policy_unmet::{OURS, is_done};
use crate::policy_words::by_json;
use crate::printed::Printed;
use crate::table::table;
use crate::texts::Language;

/// How it is written whether a rule allows this session.
const OPEN: &str = "true";
const CLOSED: &str = "false";

#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// The operator's account
    operator: String,
    /// manage, control, view, share or show
    #[arg(long)]
    mode: Mode,
    /// The first digits of the key, where the operator's devices are certified for different things
    #[arg(long, value_name = "HEX")]
    device: Option<String>,
}

/// Why nobody can open a session as this operator, whatever the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    Disabled,
    NoDevice,
}

/// What one device is certified for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Certified {
    device: DeviceKey,
    modes: Vec<Mode>,
    rights: Rights,
}

pub(super) async fn explain(
    desk: &Desk,
    options: &ExplainOptions,
    (policy, version, server): (&Policy, u64, ServerLimits),
) -> Result<Printed, Fault> {
    let list: OperatorList = desk.fetch(OPERATORS_PATH).await?;
    let entry = list.operators.iter().find(|entry| entry.operator == options.operator);
    let entry = entry.ok_or(Fault::Refused(ProblemCode::NotFound))?;
    let devices: DeviceList = desk.fetch(DEVICES_PATH).await?;
    let certified = devices.devices.iter().filter_map(|device| certified(desk, entry, device));
    let at = unix();
    let (certified, decision) = decided(certified.collect(), options, |certified| {
        decide(policy, entry, certified, (options.mode, server, at))
    })?;
    let barred = match (entry.state, &certified) {
        (OperatorState::Disabled, _) => Some(Barred::Disabled),
        (OperatorState::Enabled, None) => Some(Barred::NoDevice),
        (OperatorState::Enabled, Some(_)) => None,
    };
    let answer = Answer { entry, mode: options.mode, version, barred, device: certified, decision };
    Ok(answer.printed(desk.language))
}

/// What the server issues manifests by: the certificate of an approved device of this very account.
fn certified(desk: &Desk, entry: &OperatorEntry, device: &DeviceEntry) -> Option<Certified> {
    if device.operator != entry.operator || device.state != DeviceState::Approved {
        return None;
    }
    let Certificate { modes, rights, .. } = opened(&desk.bundle, device)?;
    Some(Certified { device: device.device, modes, rights })
}

/// The one decision for all devices that are meant, and one of them.
///
/// # Errors
/// No device is meant, or several for which not the same is decided.
fn decided(
    certified: Vec<Certified>,
    options: &ExplainOptions,
    decide: impl Fn(Option<&Certified>) -> Decision,
) -> Result<(Option<DeviceKey>, Decision), Fault> {
    let is_meant = |certified: &Certified| match &options.device {
        Some(digits) => certified.device.to_string().starts_with(digits),
        None => true,
    };
    let meant: Vec<Certified> = certified.into_iter().filter(is_meant).collect();
    let Some((first, others)) = meant.split_first() else {
        return match options.device {
            Some(_) => Err(Fault::NoSuchDevice(options.operator.clone())),
            None => Ok((None, decide(None))),
        };
    };
    let decision = decide(Some(first));
    if others.iter().any(|other| decide(Some(other)) != decision) {
        return Err(Fault::SeveralDevices(options.operator.clone()));
    }
    Ok((Some(first.device), decision))
}

/// Where no device is certified, what a full certificate would give.
fn decide(
    policy: &Policy,
    entry: &OperatorEntry,
    certified: Option<&Certified>,
    (mode, server, at): (Mode, ServerLimits, u64),
) -> Decision {
    let allows = |mode: &Mode| certified.is_none_or(|certified| certified.modes.contains(mode));
    let modes: Vec<Mode> = entry.modes.iter().copied().filter(allows).collect();
    let all = Rights::of(&Capability::ALL);
    let subject = Subject {
        operator: &entry.operator,
        groups: &entry.groups,
        modes: &modes,
        certified: certified.map_or(all, |certified| certified.rights),
    };
    let mut decision = policy.decide(&subject, mode, server, at);
    let is_the_certificates = entry.modes.contains(&mode) && !modes.contains(&mode);
    let by_account =
        |decided: &&mut Decided| decided.key == Key::Modes && decided.by == Source::Account;
    if let (true, Some(decided)) = (is_the_certificates, decision.decided.iter_mut().find(by_account)) {
        decided.by = Source::Certificate;
    }
    // The account's own hours, where the policy's allow it.
    let allows = |decided: &&mut Decided| decided.key == Key::Hours && decided.value == OPEN;
    if let (Some(0), Some(hours)) = (entry.hours_left_s, decision.decided.iter_mut().find(allows)) {
        (hours.value, hours.by) = (CLOSED.to_owned(), Source::Account);
        decision.outcome = decision.outcome.and(Err(Denial::Hours));
    }
    decision
}

struct Answer<'a> {
    entry: &'a OperatorEntry,
    mode: Mode,
    version: u64,
    barred: Option<Barred>,
    device: Option<DeviceKey>,
    decision: Decision,
}

impl Answer<'_> {
    fn printed(&self, language: Language) -> Printed {
        let (operator, hours) = (&self.entry.operator, self.entry.hours_left_s);
        let unmet = self.decision.outcome.as_ref().map_or_else(
            |_| Vec::new(),
            |grant| OURS.lacking(Some(grant.recording), Some(grant.application_selection)),
        );
        let verdict = match (self.barred, &self.decision.outcome) {
            (Some(barred), _) => language.barred(operator, barred),
            (None, Ok(_)) if !unmet.is_empty() => language.unmet(&unmet),
            (None, Ok(grant)) => language.session_until(operator, self.mode, grant.length_s, hours),
            (None, Err(Denial::Mode)) => language.mode_denied(operator, self.mode),
            (None, Err(Denial::Hours)) if hours == Some(0) => {
                language.account_hours_denied(operator, self.mode)
            }
            (None, Err(Denial::Hours)) => language.hours_denied(operator, self.mode),
        };
        let also = self.barred.filter(|_| hours == Some(0));
        let also = also.map(|_| format!("\n{}", language.outside_his_hours(operator)));
        let then = self.barred.map(|barred| format!("\n\n{}", language.without(barred)));
        let mut rows = vec![language.explain_columns().to_vec()];
        rows.extend(self.decision.decided.iter().map(|decided| {
            vec![
                decided.key.name().to_owned(),
                decided.value.clone(),
                language.decided_by(&decided.by, decided.key),
                meaning(decided, language),
            ]
        }));
        let right = |d: &Decided| {
            json!({
                "key": d.key.name(), "value": d.value, "by": by_json(&d.by), "available": is_done(d.key),
            })
        };
        let rights: Vec<Value> = self.decision.decided.iter().map(right).collect();
        let barred = self.barred.map(|barred| match barred {
            Barred::Disabled => "disabled",
            Barred::NoDevice => "no_device",
        });
        // What is demanded and cannot be met is refused by the ends, so that no session starts.
        let allowed = self.decision.outcome.is_ok() && barred.is_none() && unmet.is_empty();
        Printed {
            text: format!(
                "{verdict}{}{}\n\n{}",
                also.unwrap_or_default(),
                then.unwrap_or_default(),
                table(&rows)
            ),
            json: json!({
                "operator": operator, "mode": self.mode, "version": self.version, "device": self.device,
                "allowed": allowed, "barred": barred, "unmet": unmet, "hours_left_s": hours,
                "rights": rights,
            }),
        }
    }
}

/// With a mark where a right is given that no program makes use of.
fn meaning(decided: &Decided, language: Language) -> String {
    let is_closed = matches!(decided.value.as_str(), "false" | "never" | "off");
    let means = language.key_means(decided.key);
    if is_closed || is_done(decided.key) { means } else { language.not_done_yet(&means) }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::ids::TenantId;
    use tasuki_protocol::terms::AddressDisclosure;

    use super::*;

    fn at(device: u8, modes: &[Mode], rights: Rights) -> Certified {
        Certified { device: DeviceKey([device; 32]), modes: modes.to_vec(), rights }
    }

    fn options(device: Option<&str>) -> ExplainOptions {
        let device = device.map(str::to_owned);
        ExplainOptions { operator: "hanako".to_owned(), mode: Mode::View, device }
    }

    fn entry() -> OperatorEntry {
        OperatorEntry {
            operator: "hanako".to_owned(),
            display_name: "Hanako".to_owned(),
            modes: Mode::ALL.to_vec(),
            state: OperatorState::Enabled,
            devices: 2,
            groups: Vec::new(),
            suspended_until: None,
            hours_left_s: None,
            limits: Some(tasuki_protocol::admin::Limits::default()),
        }
    }

    /// S42: computers that are certified for different things are told apart, and are one where nothing differs.
    #[test]
    fn s42_computers_certified_for_different_things_are_explained_one_at_a_time() {
        let policy = Policy::unwritten(TenantId([1; 8]));
        let entry = entry();
        let server = ServerLimits { address_disclosure: AddressDisclosure::RelayOnly, length_s: 3600 };
        let explained = |certified: &[Certified], device: Option<&str>| {
            decided(certified.to_vec(), &options(device), |certified| {
                decide(&policy, &entry, certified, (Mode::View, server, 0))
            })
        };
        let all = Rights::of(&Capability::ALL);
        let [full, blind] =
            [at(1, &Mode::ALL, all), at(2, &Mode::ALL, all.without(Capability::Screenshot))];
        let by = |decision: &Decision, key: Key| {
            decision.decided.iter().find(|decided| decided.key == key).unwrap().by.clone()
        };
        let both = [full.clone(), blind];
        assert!(matches!(explained(&both, None), Err(Fault::SeveralDevices(name)) if name == "hanako"));
        assert!(matches!(explained(&both, Some("03")), Err(Fault::NoSuchDevice(_))));
        let (device, decision) = explained(&both, Some("02")).unwrap();
        assert_eq!(device, Some(DeviceKey([2; 32])));
        assert_eq!(by(&decision, Key::Screenshot), Source::Certificate);
        let (_, decision) = explained(&both, Some("01")).unwrap();
        assert_ne!(by(&decision, Key::Screenshot), Source::Certificate);
        assert!(
            explained(&[full, at(3, &[Mode::View], all)], None).is_ok(),
            "nothing differs in this mode"
        );

        let shown_only = [at(4, &[Mode::Show], all)];
        let (_, decision) = explained(&shown_only, None).unwrap();
        assert_eq!(
            (decision.outcome.err(), by(&decision, Key::Modes)),
            (Some(Denial::Mode), Source::Certificate)
        );
        let (device, decision) = explained(&[], None).unwrap();
        assert!(device.is_none() && decision.outcome.is_ok());
    }

    /// S42, S63: the row says what the sentence above it says, with and without a certified computer.
    #[test]
    fn s42_s63_hours_of_the_account_deny_in_the_row_as_they_do_in_the_sentence() {
        let server = ServerLimits { address_disclosure: AddressDisclosure::RelayOnly, length_s: 3600 };
        let policy = Policy::unwritten(TenantId([1; 8]));
        let at_night = OperatorEntry { hours_left_s: Some(0), ..entry() };
        let certified = at(1, &Mode::ALL, Rights::of(&Capability::ALL));
        for certified in [None, Some(&certified)] {
            for (entry, expected) in
                [(entry(), ("true", Source::BuiltIn)), (at_night.clone(), ("false", Source::Account))]
            {
                let decision = decide(&policy, &entry, certified, (Mode::View, server, 0));
                let row = decision.decided.iter().find(|decided| decided.key == Key::Hours).unwrap();
                assert_eq!((row.value.as_str(), row.by.clone()), expected);
                assert_eq!(decision.outcome.is_ok(), row.value == OPEN);
            }
        }
    }
    /// S70, S91: who asks a program whether a session may start is told what the sentence tells a person, and that is what
    /// the ends then do.
    #[test]
    fn s70_s91_what_no_program_can_do_allows_no_session_in_the_sentence_and_in_the_answer() {
        let server = ServerLimits { address_disclosure: AddressDisclosure::RelayOnly, length_s: 3600 };
        let entry = entry();
        for (rules, unmet) in [
            ("", &[] as &[&str]),
            ("recording = 'optional'\napplication_selection = 'optional'", &[]),
            ("recording = 'required'", &["recording"]),
            ("base = 'applications-only'", &["application_selection"]),
        ] {
            let rules = toml::from_str(&format!("[default]\n{rules}")).unwrap();
            let policy = Policy { rules, ..Policy::unwritten(TenantId([1; 8])) };
            let decision = decide(&policy, &entry, None, (Mode::View, server, 0));
            let answer = Answer {
                entry: &entry,
                mode: Mode::View,
                version: 1,
                barred: None,
                device: None,
                decision,
            };
            let Printed { text, json } = answer.printed(Language::En);
            assert_eq!((&json["allowed"], &json["unmet"]), (&unmet.is_empty().into(), &json!(unmet)));
            assert_eq!(text.contains("no session starts"), !unmet.is_empty(), "{text}");
        }
    }
}
