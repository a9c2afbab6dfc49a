//! `doctor` of both programs: what was found, a line each, or as JSON.

use super::say::{self, Form};
use crate::shell::doctor::{self, Desk, Finding, Patient, Verdict};
use crate::shell::fault::Fault;
use crate::shell::settings::Settings;
use crate::shell::texts::Lang;
use crate::shell::trust::Trust;

/// # Errors
/// The first obstacle, after everything was told.
pub(super) async fn doctor(settings: &Settings, form: Form) -> Result<(), Fault> {
    let patient = Patient {
        trust: Trust::load(settings.tenant.as_deref(), &settings.profile)?,
        proxies: settings.proxies.clone(),
        desk: Desk::of(std::env::var("DISPLAY").ok()),
    };
    let lang = settings.lang;
    let found = doctor::examine(&patient, |finding| match form {
        Form::Plain => say::print(&lines(finding, lang)),
        Form::Json => say::json(&serde_json::json!({
            "event": "finding", "verdict": finding.verdict, "code": finding.code,
            "person": finding.for_person(lang), "network": finding.for_network(lang),
        })),
    })
    .await;
    if form == Form::Json {
        say::json(&serde_json::json!({
            "event": "examined", "obstacle": found.as_ref().err().map(Fault::code),
        }));
    }
    found
}

/// What is fine takes one line; else the second is to be forwarded.
fn lines(finding: &Finding, lang: Lang) -> String {
    let sign = match finding.verdict {
        Verdict::Fine => "ok  ",
        Verdict::Note => "note",
        Verdict::Obstacle => "STOP",
    };
    let person = say::harmless(finding.for_person(lang));
    let network = say::harmless(finding.for_network(lang));
    match finding.verdict {
        Verdict::Fine => format!("{sign}  {person}"),
        Verdict::Note | Verdict::Obstacle if network == person => {
            format!("{sign}  {person} [{}]", finding.code)
        }
        Verdict::Note | Verdict::Obstacle => {
            format!("{sign}  {person}\n      IT: {network} [{}]", finding.code)
        }
    }
}
