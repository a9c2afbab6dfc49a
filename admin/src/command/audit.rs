//! The ledger, read, searched, verified and exported.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::audit::Verified;
use tasuki_protocol::ledger::event::Class;
use tasuki_protocol::ledger::words::ReadPurpose;

use super::audit_care::{self, PruneOptions, RestoreOptions, ReviewOptions};
use super::audit_input::{Input, judged, read, trust};
use super::audit_report::{self, ReportOptions};
use crate::audit::fault::AuditFault;
use crate::audit::filter::{self, Filter, Session, named, sessions};
use crate::audit::kept::{self, follow};
use crate::audit::reading::{self, Seen, Trust};
use crate::audit::record::{Body, Record};
use crate::audit::source::Source;
use crate::audit::times::Zone;
use crate::audit::{neutral, words};
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::settings::Settings;
use crate::table::table;
use crate::texts::Language;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show records, the newest last; asks for the passphrase
    List {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Show one record with everything that stands in it; asks for the passphrase
    Show {
        #[command(flatten)]
        input: Input,
        /// The record's number
        record: u64,
    },
    /// Show records in which a text stands, upper or lower case; asks for the passphrase
    Search {
        #[command(flatten)]
        input: Input,
        /// What must stand in a record
        text: String,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Check that no record was changed, removed, added or moved; needs no passphrase, and
    /// with --file neither server nor account
    Verify {
        #[command(flatten)]
        input: Input,
        /// A checkpoint that was kept elsewhere; the ledger must have grown out of it
        #[arg(long, value_name = "NOTE")]
        checkpoint: Vec<PathBuf>,
    },
    /// Count what was done: a table, or with --format a spreadsheet, JSON or a page with charts; asks for the passphrase
    Report(ReportOptions),
    /// Show the names that --event takes
    Events,
    /// Write down that the ledger was looked through
    Review(ReviewOptions),
    /// Remove the content of old records for good; asks for the passphrase. What remains still verifies
    Prune(PruneOptions),
    /// A backup was restored and you know it: take the older ledger on; asks whether you mean it, and for the passphrase
    AcknowledgeRestore(RestoreOptions),
    /// Write the whole ledger to a file, closed as it is; whoever verifies it needs nothing else
    Export {
        /// The file; it must not be there yet
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
}

/// Which records; everything that is given must hold.
#[derive(Debug, Args)]
pub struct Wanted {
    /// From this day or moment on, e.g. 2026-07-01 or 2026-07-01T09:00
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Up to the end of this day, or up to this moment
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// An operator's account
    #[arg(long)]
    pub operator: Option<String>,
    /// Of customers whose name, as the operator gave it, has this in it
    #[arg(long)]
    pub customer: Option<String>,
    /// A session's id, or as many of its first digits as tell it from the others
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Of sessions whose reason has this in it: a ticket's number, say
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Kind of record: server, login, admin, session, content
    #[arg(long, value_parser = class)]
    pub class: Option<Class>,
    /// Name of the event, e.g. file_moved; `audit events` shows all
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// Only so many of the newest; 0 for all
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    pub last: usize,
}

fn class(text: &str) -> Result<Class, String> {
    let known = Class::ALL.into_iter().find(|class| class.name() == text);
    known.ok_or_else(|| Class::ALL.map(Class::name).join(", "))
}

impl Wanted {
    pub(super) fn filter(&self, zone: &Zone, text: Option<&str>) -> Result<Filter, Fault> {
        if let Some(event) = self.event.as_deref().filter(|event| !filter::is_kind(event)) {
            return Err(AuditFault::NoSuchEvent(event.to_owned()).into());
        }
        let (since, until) = zone.read_span(self.since.as_deref(), self.until.as_deref())?;
        Ok(Filter {
            since,
            until,
            operator: self.operator.clone(),
            customer: self.customer.clone(),
            session: None,
            reason: self.reason.clone(),
            class: self.class,
            kind: self.event.clone(),
            text: text.map(str::to_owned),
        })
    }
}

pub(super) async fn run(settings: &Settings, command: &AuditCommand) -> Result<Printed, Fault> {
    match command {
        AuditCommand::List { input, wanted } => {
            list(settings, input, wanted, None, ReadPurpose::List).await
        }
        AuditCommand::Search { input, text, wanted } => {
            list(settings, input, wanted, Some(text), ReadPurpose::Search).await
        }
        AuditCommand::Show { input, record } => show(settings, input, *record).await,
        AuditCommand::Verify { input, checkpoint } => verify(settings, input, checkpoint).await,
        AuditCommand::Events => Ok(events(settings.language())),
        AuditCommand::Review(options) => audit_care::review(settings, options).await,
        AuditCommand::Prune(options) => audit_care::prune(settings, options).await,
        AuditCommand::AcknowledgeRestore(options) => audit_care::acknowledge(settings, options).await,
        AuditCommand::Report(options) => audit_report::run(settings, options).await,
        AuditCommand::Export { to } => export(settings, to).await,
    }
}

async fn list(
    settings: &Settings,
    input: &Input,
    wanted: &Wanted,
    text: Option<&str>,
    purpose: ReadPurpose,
) -> Result<Printed, Fault> {
    let zone = Zone::named(input.zone.as_deref())?;
    let mut filter = wanted.filter(&zone, text)?;
    let read = read(settings, input, purpose).await?;
    let sessions = sessions(&read.records);
    // Which sessions there are only opened records tell.
    filter.session = wanted.session.as_deref().map(|text| named(&sessions, text)).transpose()?;
    let mut found: Vec<&Record> =
        read.records.iter().filter(|record| filter.admits(record, &sessions)).collect();
    let all = found.len();
    if wanted.last > 0 {
        found.drain(..all.saturating_sub(wanted.last));
    }
    let language = settings.language();
    let mut rows = vec![language.record_columns().to_vec()];
    let readable = found.iter().filter(|record| !matches!(record.body, Body::Pruned));
    rows.extend(readable.map(|record| row(record, (&sessions, &zone), language)));
    let mut text = table(&rows);
    let pruned = found.iter().filter(|record| matches!(record.body, Body::Pruned)).count();
    text.push('\n');
    let looked =
        Looked { settings, input, filter: &filter, all, pruned, passed: &read.passed, zone: &zone };
    for note in looked.notes() {
        text.push_str(&format!("{note}\n"));
    }
    text.push_str(&language.records_found(found.len(), all));
    for gap in &read.gaps {
        let session = gap.session.to_string();
        text.push_str(&format!("\n{}", language.records_missing(gap.seq, &session, gap.missing)));
    }
    let gaps = read.gaps.iter().map(
        |gap| serde_json::json!({ "before": gap.seq, "session": gap.session, "missing": gap.missing }),
    );
    let json = serde_json::json!({
        "records": found.iter().map(|record| words::json(record, &zone)).collect::<Vec<_>>(),
        "found": all,
        "gaps": gaps.collect::<Vec<_>>(),
    });
    judged(Printed { text, json }, read.passed)
}

/// What was looked for, and how much was found.
struct Looked<'a> {
    settings: &'a Settings,
    input: &'a Input,
    filter: &'a Filter,
    all: usize,
    pruned: usize,
    passed: &'a reading::Passed,
    zone: &'a Zone,
}

impl Looked<'_> {
    /// What a person may wonder about who sees less than he looked for.
    fn notes(&self) -> Vec<String> {
        let language = self.settings.language();
        let nobody = self.filter.operator.as_deref().filter(|_| self.all == 0);
        let nobody = nobody.map(|name| language.nobody_called(&neutral::line(name)));
        let pruned = (self.pruned > 0).then(|| language.records_pruned(self.pruned));
        let verified = self.passed.verdict.as_ref().and_then(|verdict| verdict.as_ref().ok());
        let newest =
            verified.and_then(|verified| verified.newest).filter(|_| self.input.file.is_none());
        let moment = |at: u64| self.zone.moment(at.saturating_mul(1000));
        let newest = newest.map(|newest| language.newest(&moment(newest.at)));
        [pruned, nobody, newest].into_iter().flatten().collect()
    }
}

fn row(
    record: &Record,
    (sessions, zone): (&HashMap<SessionId, Session>, &Zone),
    language: Language,
) -> Vec<String> {
    let entry = record.entry();
    let id = entry.and_then(|entry| entry.session);
    let of_session = || sessions.get(&id?).and_then(|session| session.operator.as_deref());
    let operator = entry.and_then(|entry| entry.operator.as_deref()).or_else(of_session);
    vec![
        record.seq.to_string(),
        if record.at == 0 { String::new() } else { zone.moment(record.at) },
        entry.map_or_else(String::new, |entry| words::witness(entry.by, language)),
        operator.map(neutral::line).unwrap_or_default(),
        id.map(|id| id.to_string().chars().take(8).collect()).unwrap_or_default(),
        words::line(record, language, zone),
    ]
}

async fn show(settings: &Settings, input: &Input, seq: u64) -> Result<Printed, Fault> {
    let zone = Zone::named(input.zone.as_deref())?;
    let language = settings.language();
    let read = read(settings, input, ReadPurpose::Show).await?;
    let record = read.records.iter().find(|record| record.seq == seq);
    let record = record.ok_or(AuditFault::NoRecord(seq))?;
    let json = words::json(record, &zone);
    let text = match &record.body {
        Body::Entry(entry) => {
            let head = format!("{seq}  {}", words::title(&entry.event, language));
            let [_, time, by, operator, session, _] = language.record_head();
            let id = entry.session.map(|id| id.to_string());
            let rows = [
                (time, Some(zone.moment(record.at))),
                (by, Some(words::witness(entry.by, language))),
                (operator, entry.operator.as_deref().map(neutral::line)),
                (session, id),
            ];
            let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let fields = words::fields(&entry.event, language, &zone);
            let fields = fields.into_iter().map(|(_, name, value)| (name, value));
            let lines = rows.chain(fields).map(|(name, value)| format!("  {name} = {value}"));
            std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
        }
        Body::Closed(..) | Body::Pruned => {
            format!("{seq}  {}", words::line(record, language, &zone))
        }
    };
    judged(Printed { text, json }, read.passed)
}

/// Which names `--event` takes.
fn events(language: Language) -> Printed {
    let kinds = filter::kinds();
    let row = |kind: &String| vec![kind.clone(), words::title_of(kind, language)];
    let text = table(&kinds.iter().map(row).collect::<Vec<_>>());
    Printed { text, json: serde_json::json!({ "events": kinds }) }
}

async fn verify(settings: &Settings, input: &Input, checkpoints: &[PathBuf]) -> Result<Printed, Fault> {
    let zone = Zone::named(input.zone.as_deref())?;
    let mut witnesses = Vec::new();
    for file in checkpoints {
        let note = std::fs::read_to_string(file).map_err(|why| AuditFault::file(file, why))?;
        witnesses.push(Seen::Elsewhere(note));
    }
    let (passed, trust) = match &input.file {
        Some(file) => {
            let trust = trust(settings)?;
            let mut source = Source::file(file)?;
            (reading::pass(&mut source, &trust, &witnesses, |_| Ok(())).await?, trust)
        }
        None => {
            let desk = Desk::open(settings).await?;
            // Asked first, so that a server that cannot prove its way is not taken at its new word.
            witnesses.extend(kept::kept(&desk).map(Seen::Here));
            follow(&desk).await?;
            let trust = Trust::Known(Box::new(desk.bundle.clone()));
            let mut source = Source::server(&desk, ReadPurpose::Verify, 0).await?;
            (reading::pass(&mut source, &trust, &witnesses, |_| Ok(())).await?, trust)
        }
    };
    let verified = match passed.verdict {
        Some(verdict) => verdict.map_err(AuditFault::from)?,
        None => return Err(AuditFault::Partial(passed.from).into()),
    };
    let mut told = verdict(settings, (&verified, &zone), &passed.bundle, &trust);
    if passed.unreadable > 0 {
        let note = settings.language().keys_unreadable(passed.unreadable);
        told.text.push_str(&format!("\n{note}"));
    }
    told.json["keys_unreadable"] = passed.unreadable.into();
    Ok(told)
}

fn verdict(
    settings: &Settings,
    (verified, zone): (&Verified, &Zone),
    bundle: &Bundle,
    trust: &Trust,
) -> Printed {
    let language = settings.language();
    let Verified { size, checkpoints, pruned, restores, .. } = verified;
    let mut text = language.ledger_holds(&bundle.organisation, *size, *checkpoints, *pruned);
    for word in restores {
        let on = zone.show(word.at.saturating_mul(1000), "%Y-%m-%d %H:%M");
        text.push_str(&format!("\n{}", language.restored(word, &on)));
    }
    let restored = restores.iter().map(|word| {
        serde_json::json!({
            "seen": word.lost, "goes_on_from": word.size, "gone": word.lost.saturating_sub(word.size),
            "at": word.at, "reason": word.reason,
        })
    });
    if *trust == Trust::Unknown {
        text.push_str(&format!("\n{}", language.compare_root(&bundle.root.to_string())));
    }
    let json = serde_json::json!({
        "whole": true,
        "organisation": bundle.organisation,
        "tenant": bundle.tenant,
        "root": bundle.root,
        "root_known": *trust != Trust::Unknown,
        "records": size,
        "tree": verified.root,
        "checkpoints": checkpoints,
        "pruned": pruned,
        "restores": restored.collect::<Vec<_>>(),
        "newest": verified.newest.map(|newest| newest.at),
    });
    Printed { text, json }
}

async fn export(settings: &Settings, to: &Path) -> Result<Printed, Fault> {
    if to.exists() {
        return Err(AuditFault::Exists(to.to_owned()).into());
    }
    // Evidence of what a restored server has, before anything there is changed.
    let (desk, _) = Desk::open_behind(settings).await?;
    // A fork is exported too: it is evidence, and said to be one.
    let witnesses: Vec<Seen> = kept::kept(&desk).map(Seen::Here).into_iter().collect();
    let known = Trust::Known(Box::new(desk.bundle.clone()));
    let mut source = Source::server(&desk, ReadPurpose::Export, 0).await?;
    let passed = reading::export(&mut source, &known, &witnesses, to).await?;
    let text = desk.language.exported(to, passed.records);
    let json = serde_json::json!({ "file": to, "records": passed.records });
    judged(Printed { text, json }, passed)
}
