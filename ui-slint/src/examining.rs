//! An examination of the way to the server, at the window's edge.
//!
//! Carries it out beside the window, and shows what [`crate::checkup`] makes of it.

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

use crate::checkup::{Checkup, Effect, Msg, Progress, report};
use crate::windows::{self, CheckLine, CheckWeight};

/// More than is ever found.
const MOST_FINDINGS: usize = 64;

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

pub(crate) fn show<W: ComponentHandle>(checkup: Option<&Checkup>, lang: Lang, window: &W)
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

pub(crate) fn wire<W: ComponentHandle>(window: &W, send: impl Fn(Msg) + Clone + 'static)
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
