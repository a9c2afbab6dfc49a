//! "Why is it slow?": what the doctor finds, in a window of either program.
//!
//! Decides what is shown of an examination that runs or is over. What is found and said is the
//! doctor's (`tasuki_peer::shell::doctor`), in the words of the two programs without a window; it
//! is asked in `examining.rs`.

use tasuki_peer::shell::doctor::{self, Finding, Verdict};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;

/// An examination that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkup {
    pub findings: Vec<Finding>,
    pub progress: Progress,
}

/// More may be found only while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    #[default]
    Running,
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Msg {
    Begun,
    Found(Box<Finding>),
    Over,
    Closed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Examine,
    /// Nobody looks any more.
    LetBe,
}

pub fn update(checkup: &mut Option<Checkup>, msg: Msg) -> Option<Effect> {
    match msg {
        Msg::Begun => {
            *checkup = Some(Checkup::default());
            return Some(Effect::Examine);
        }
        Msg::Closed => return checkup.take().map(|_| Effect::LetBe),
        Msg::Found(finding) => {
            if let Some(checkup) = checkup {
                checkup.findings.push(*finding);
            }
        }
        Msg::Over => {
            if let Some(checkup) = checkup {
                checkup.progress = Progress::Over;
            }
        }
    }
    None
}

/// Whether an examination of the way to the server may say more of this: not of a wrong password, nor of a
/// person's no.
pub fn may_tell(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::UnknownHost { .. }
            | Fault::PortClosed { .. }
            | Fault::Unreachable { .. }
            | Fault::WrongServerKey { .. }
            | Fault::NotTasuki { .. }
            | Fault::Inspected { .. }
            | Fault::ProxyUnreachable { .. }
            | Fault::ProxyPassword { .. }
            | Fault::ProxySignIn { .. }
            | Fault::ProxyRefused { .. }
            | Fault::ProxyNonsense { .. }
            | Fault::StrangeVersion
            | Fault::Unavailable
            | Fault::Misunderstood
            | Fault::TranscriptMismatch
            | Fault::ConnectionLost
            | Fault::ServerGone
    )
}

/// An examination that is over, for `--mock`, the pictures and the tests.
pub fn made_up() -> Checkup {
    Checkup { findings: doctor::made_up(), progress: Progress::Over }
}

/// To be forwarded to whoever runs the network: a line each, with its code.
pub(crate) fn report(checkup: &Checkup, lang: Lang) -> String {
    let lines = checkup.findings.iter().map(|finding| {
        let sign = match finding.verdict {
            Verdict::Fine => "ok  ",
            Verdict::Note => "note",
            Verdict::Obstacle => "STOP",
        };
        format!("{sign}  {} [{}]\n", finding.for_network(lang), finding.code)
    });
    format!("Tasuki {}\n{}", env!("CARGO_PKG_VERSION"), lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(finding: Finding) -> Msg {
        Msg::Found(Box::new(finding))
    }

    #[test]
    fn what_is_found_is_shown_as_it_comes_and_nothing_after_it_was_closed() {
        let mut checkup = None;
        let mut all = doctor::made_up().into_iter();
        assert_eq!(update(&mut checkup, found(all.next().unwrap())), None);
        assert_eq!(checkup, None, "nobody asked");
        assert_eq!(update(&mut checkup, Msg::Begun), Some(Effect::Examine));
        update(&mut checkup, found(all.next().unwrap()));
        assert_eq!(
            checkup.as_ref().map(|checkup| (checkup.findings.len(), checkup.progress)),
            Some((1, Progress::Running))
        );
        update(&mut checkup, Msg::Over);
        assert!(checkup.as_ref().is_some_and(|checkup| checkup.progress == Progress::Over));
        assert_eq!(update(&mut checkup, Msg::Closed), Some(Effect::LetBe));
        update(&mut checkup, found(all.next().unwrap()));
        assert_eq!((update(&mut checkup, Msg::Closed), checkup), (None, None));
    }

    #[test]
    fn s84_the_report_says_to_the_networks_people_what_each_finding_is_with_its_code() {
        let report = report(&made_up(), Lang::En);
        assert!(report.contains("note  Line to support.minato.example:443: 38 ms there and back"));
        assert!(report.contains("[udp_per_destination]") && report.contains("ok    DNS answers"));
        assert_eq!(report.lines().count(), 1 + doctor::made_up().len());
    }
}
