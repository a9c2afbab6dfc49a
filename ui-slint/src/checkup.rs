//! "Why is it slow?": what the doctor finds, in a window of either program.
//!
//! Decides what is shown of an examination that runs or is over. What is found and said is the
//! doctor's (`tasuki_peer::shell::doctor`), in the words of the two programs without a window.

use std::cell::RefCell;
use std::rc::Rc;

use slint::{ComponentHandle, Global, ModelRc, VecModel};
use tasuki_peer::shell::doctor::{self, Desk, Finding, Patient, Verdict};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::settings::Settings;
use tasuki_peer::shell::texts::Lang;
use tasuki_peer::shell::trust::Trust;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::windows::{self, CheckLine, CheckWeight};

/// More than is ever found.
const MOST_FINDINGS: usize = 64;

/// An examination that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkup {
    findings: Vec<Finding>,
    progress: Progress,
}

/// More may be found only while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Progress {
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

/// The examination that runs for a window, if any: at most one.
pub(crate) struct Examining {
    runtime: Handle,
    /// It ends with the listening.
    listening: RefCell<Option<slint::JoinHandle<()>>>,
}

impl Examining {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, listening: RefCell::default() }
    }

    /// `tell` hears each thing as it is found, on the window's thread.
    ///
    /// # Errors
    /// There is no server to look for; [`Msg::Closed`] was told.
    pub(crate) fn carry_out(
        &self,
        effect: Effect,
        (settings, desk): (&Settings, Desk),
        tell: impl Fn(Msg) + 'static,
    ) -> Result<(), Fault> {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
        match effect {
            Effect::LetBe => return Ok(()),
            Effect::Examine => {}
        }
        let trust = Trust::load(settings.tenant.as_deref(), &settings.profile);
        let trust = trust.inspect_err(|_| tell(Msg::Closed))?;
        let (told, mut heard) = mpsc::channel(MOST_FINDINGS);
        self.runtime.spawn(examine(Patient { trust, proxies: settings.proxies.clone(), desk }, told));
        let listening = slint::spawn_local(async move {
            while let Some(msg) = heard.recv().await {
                tell(msg);
            }
        });
        *self.listening.borrow_mut() = listening.ok();
        Ok(())
    }
}

/// As long as somebody hears.
async fn examine(patient: Patient, told: mpsc::Sender<Msg>) {
    let examining = async {
        // The first obstacle was told with the others; there is room for all of them.
        let _ = doctor::examine(&patient, |finding| {
            let _ = told.try_send(Msg::Found(Box::new(finding.clone())));
        })
        .await;
        let _ = told.send(Msg::Over).await;
    };
    tokio::select! {
        () = told.closed() => {}
        () = examining => {}
    }
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

pub fn show<W: ComponentHandle>(checkup: Option<&Checkup>, lang: Lang, window: &W)
where
    for<'a> windows::Checkup<'a>: Global<'a, W>,
{
    let shown = window.global::<windows::Checkup<'_>>();
    shown.set_shown(checkup.is_some());
    let Some(checkup) = checkup else { return };
    shown.set_running(checkup.progress == Progress::Running);
    let mut lines: Vec<CheckLine> =
        checkup.findings.iter().map(|finding| line(finding, lang)).collect();
    if checkup.progress == Progress::Over {
        // What matters comes first.
        lines.sort_by_key(|line| std::cmp::Reverse(grade(line.weight)));
    }
    let worst = lines.iter().map(|line| line.weight).max_by_key(|weight| grade(*weight));
    shown.set_worst(worst.unwrap_or(CheckWeight::Fine));
    shown.set_lines(ModelRc::from(Rc::new(VecModel::from(lines))));
    shown.set_report(report(checkup, lang).into());
}

pub fn wire<W: ComponentHandle>(window: &W, send: impl Fn(Msg) + Clone + 'static)
where
    for<'a> windows::Checkup<'a>: Global<'a, W>,
{
    let shown = window.global::<windows::Checkup<'_>>();
    let told = send.clone();
    shown.on_begin(move || told(Msg::Begun));
    shown.on_close(move || send(Msg::Closed));
}

fn line(finding: &Finding, lang: Lang) -> CheckLine {
    let weight = match finding.verdict {
        Verdict::Fine => CheckWeight::Fine,
        Verdict::Note => CheckWeight::Note,
        Verdict::Obstacle => CheckWeight::Obstacle,
    };
    CheckLine { weight, text: finding.for_person(lang).into() }
}

fn grade(weight: CheckWeight) -> u8 {
    match weight {
        CheckWeight::Fine => 0,
        CheckWeight::Note => 1,
        CheckWeight::Obstacle => 2,
    }
}

/// To be forwarded to whoever runs the network: a line each, with its code.
fn report(checkup: &Checkup, lang: Lang) -> String {
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
