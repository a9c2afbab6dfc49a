//! The policy: shown, explained, compared, published, and published again.
//!
//! A file is checked here by the server's own rules before it is signed; what the server then
//! refuses is a race or a key, never a word.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use tasuki_protocol::admin::{GROUPS_PATH, GroupList, OPERATORS_PATH, OperatorList, ProblemCode};
use tasuki_protocol::dsse;
use tasuki_protocol::policy::decide::ServerLimits;
use tasuki_protocol::policy::exchange::{
    POLICY_HISTORY_PATH, POLICY_PATH, POLICY_VERSION_PATH, PolicyHistory, PolicyPublished, PolicyState,
};
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook, Rules, Sections};

use super::explain::{ExplainOptions, explain};
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::missing::Missing;
use crate::policy_file::read;
use crate::policy_names::{self, Unknown};
use crate::policy_unmet::unmet;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;
use crate::texts::Language;

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy file, sign it and put it in force; what is wider ends at once
    Set {
        /// TOML, as `policy show` prints it
        #[arg(value_name = "FILE", required_unless_present = "preset")]
        file: Option<PathBuf>,
        /// A preset for everybody instead of a file: teach, view-only, control-without-files,
        /// applications-only, full
        #[arg(long, value_name = "PRESET", conflicts_with = "file", value_parser = preset())]
        preset: Option<Preset>,
        /// Why, for the history
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Do not ask, also where a section is for nobody
        #[arg(long)]
        yes: bool,
    },
    /// Print the policy in force as TOML, or an earlier version
    Show {
        /// Which version; the one in force if not given
        #[arg(long, value_name = "N")]
        version: Option<u64>,
    },
    /// Print what an operator may do in a mode now, and which rule decided each right
    Explain(ExplainOptions),
    /// Print what a file would change, without changing it
    Diff {
        /// TOML, as `policy show` prints it
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List all versions: when, by whom, why
    History,
    /// Put an earlier version in force again, as a new one
    Rollback {
        /// Which version
        #[arg(value_name = "N")]
        version: u64,
        /// Do not ask, also where a section is for nobody
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(settings: &Settings, command: &PolicyCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    let desk = Book { desk: &desk, language: desk.language };
    match command {
        PolicyCommand::Set { file, preset, note, yes } => {
            let mut rules = match file {
                Some(file) => read(file)?,
                None => of_preset(*preset),
            };
            if let Some(note) = note {
                rules.note.clone_from(note);
            }
            desk.publish(rules, Sure::said(*yes)).await
        }
        PolicyCommand::Show { version } => desk.show(*version).await,
        PolicyCommand::Explain(options) => desk.explain(options).await,
        PolicyCommand::Diff { file } => desk.diff(read(file)?).await,
        PolicyCommand::History => desk.history().await,
        PolicyCommand::Rollback { version, yes } => desk.roll_back(*version, Sure::said(*yes)).await,
    }
}

/// On whose clocks hours are that name no zone, as the policy in force says.
pub(super) async fn zone(desk: &Desk) -> Result<Option<String>, Fault> {
    let (_, policy) = Book { desk, language: desk.language }.state(None).await?;
    Ok(policy.rules.time_zone.map(|zone| zone.to_string()))
}

struct Book<'a> {
    desk: &'a Desk,
    language: Language,
}

impl Book<'_> {
    async fn publish(&self, mut rules: RuleBook, sure: Sure) -> Result<Printed, Fault> {
        let (state, in_force) = self.state(None).await?;
        let wanted = rules.replaces.unwrap_or(state.version);
        if wanted != state.version {
            return Err(Fault::PolicyOvertaken);
        }
        rules.replaces = Some(state.version);
        let policy = Policy {
            v: POLICY_FORM,
            tenant: self.desk.bundle.tenant,
            version: state.version + 1,
            issued_at: unix(),
            rules,
        };
        policy.check(self.desk.bundle.tenant).map_err(Fault::Policy)?;
        if state.version > 0 && changes(&in_force.rules, &policy.rules).is_empty() {
            return Ok(self.unchanged(state.version));
        }
        let demands = unmet(&policy.rules);
        if !demands.is_empty() {
            prompt::confirm(sure, &self.language.ask_unmet(&demands), "publish")?;
        }
        let unknown = self.unknown(&policy.rules).await?;
        if let (Some(Unknown { section, .. }), Sure::Ask) = (unknown.first(), sure) {
            let question = self.language.ask_unknown(&unknown, section);
            if *prompt::answer(&question)? != *section {
                return Err(Fault::NotConfirmed);
            }
        }
        let envelope = String::from_utf8_lossy(&self.desk.sign(&policy)).into_owned();
        let done = self.desk.post_text::<PolicyPublished>(POLICY_PATH, &envelope).await;
        if let Err(Fault::Refused(ProblemCode::Conflict)) = &done {
            return Err(Fault::PolicyOvertaken);
        }
        let done = done?;
        let text = self.language.policy_published(done.version, done.ended);
        Ok(Printed {
            text: self.with_unmet(text, &demands),
            json: serde_json::to_value(&done).unwrap_or_default(),
        })
    }

    fn unchanged(&self, version: u64) -> Printed {
        let json = json!({ "version": version, "ended": 0, "changed": false });
        Printed { text: self.language.no_change(), json }
    }

    /// Sections for operators and groups that are not there.
    async fn unknown(&self, rules: &RuleBook) -> Result<Vec<Unknown>, Fault> {
        let operators: OperatorList = self.desk.fetch(OPERATORS_PATH).await?;
        let groups: GroupList = self.desk.fetch(GROUPS_PATH).await?;
        let operators: Vec<String> =
            operators.operators.into_iter().map(|entry| entry.operator).collect();
        let groups: Vec<String> = groups.groups.into_iter().map(|entry| entry.group).collect();
        Ok(policy_names::unknown(rules, &operators, &groups))
    }

    async fn show(&self, version: Option<u64>) -> Result<Printed, Fault> {
        let (state, policy) = self.state(version).await?;
        let mut rules = policy.rules;
        // So that the file can be set again only where nothing came in between.
        rules.replaces = Some(state.version);
        let text = if state.version == 0 {
            self.language.no_policy()
        } else {
            toml::to_string(&rules).unwrap_or_default().trim_end().to_owned()
        };
        Ok(Printed { text, json: json!({ "version": state.version, "rules": rules }) })
    }

    async fn explain(&self, options: &ExplainOptions) -> Result<Printed, Fault> {
        let (state, policy) = self.state(None).await?;
        let server =
            ServerLimits { address_disclosure: state.address_disclosure, length_s: state.length_s };
        explain(self.desk, options, (&policy, state.version, server)).await
    }

    /// What is demanded and can be met by no program yet is said at once: at the host it would be a number that
    /// opens nothing.
    fn with_unmet(&self, text: String, demands: &[&str]) -> String {
        if demands.is_empty() { text } else { format!("{text}\n{}", self.language.unmet(demands)) }
    }

    async fn diff(&self, theirs: RuleBook) -> Result<Printed, Fault> {
        theirs.check().map_err(Fault::Policy)?;
        let (state, policy) = self.state(None).await?;
        let changes = changes(&policy.rules, &theirs);
        let unknown = self.unknown(&theirs).await?;
        let mut text = if changes.is_empty() { self.language.no_change() } else { changes.join("\n") };
        let overtaken = theirs.replaces.is_some_and(|replaces| replaces != state.version);
        if overtaken {
            // What `policy set` would say of it.
            text = format!("{text}\n\n{}", self.language.fault(&Fault::PolicyOvertaken));
        }
        if !unknown.is_empty() {
            text = format!("{text}\n\n{}", self.language.for_nobody(&unknown));
        }
        text = self.with_unmet(text, &unmet(&theirs));
        let unknown: Vec<String> = unknown.into_iter().map(|unknown| unknown.section).collect();
        let json = json!({
            "version": state.version, "changes": changes, "unknown": unknown, "overtaken": overtaken,
        });
        Ok(Printed { text, json })
    }

    async fn history(&self) -> Result<Printed, Fault> {
        let history: PolicyHistory = self.desk.fetch(POLICY_HISTORY_PATH).await?;
        let zone = Zone::named(None)?;
        let mut rows = vec![self.language.history_columns().to_vec()];
        rows.extend(history.versions.iter().map(|version| {
            let removed = || self.language.removed_administrator(&super::init::short(&version.signer));
            let signer = version.signer_name.clone().unwrap_or_else(removed);
            let at = zone.moment(version.published_at.saturating_mul(1000));
            vec![version.version.to_string(), at, signer, version.note.clone()]
        }));
        let text = if history.versions.is_empty() { self.language.no_policy() } else { table(&rows) };
        Ok(Printed { text, json: serde_json::to_value(&history).unwrap_or_default() })
    }

    async fn roll_back(&self, version: u64, sure: Sure) -> Result<Printed, Fault> {
        let (_, earlier) = self.state(Some(version)).await?;
        let mut rules = earlier.rules;
        let (state, in_force) = self.state(None).await?;
        rules.note.clone_from(&in_force.rules.note);
        if changes(&in_force.rules, &rules).is_empty() {
            return Ok(self.unchanged(state.version));
        }
        rules.replaces = None;
        rules.note = self.language.rollback_note(version);
        self.publish(rules, sure).await
    }

    /// The policy of a version, its signature checked; whose it was, the history tells.
    async fn state(&self, version: Option<u64>) -> Result<(PolicyState, Policy), Fault> {
        let path = match version {
            Some(version) => POLICY_VERSION_PATH.replace("{version}", &version.to_string()),
            None => POLICY_PATH.to_owned(),
        };
        let state: PolicyState = match (self.desk.fetch(&path).await, version) {
            (Err(Fault::Refused(ProblemCode::NotFound)), Some(version)) => {
                return Err(Fault::NoSuch(Missing::version(version)));
            }
            (state, _) => state?,
        };
        let tenant = self.desk.bundle.tenant;
        let Some(envelope) = &state.envelope else { return Ok((state, Policy::unwritten(tenant))) };
        let opened = dsse::open_self_signed::<Policy>(&envelope.0);
        let (policy, _) = opened.map_err(|_| Fault::Refused(ProblemCode::Version))?;
        if policy.tenant != tenant || policy.version != state.version {
            return Err(Fault::Refused(ProblemCode::Version));
        }
        Ok((state, policy))
    }
}

/// With the names that there are, for whoever mistypes one.
fn preset() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name)).try_map(|name| name.parse::<Preset>())
}

fn of_preset(preset: Option<Preset>) -> RuleBook {
    RuleBook { default: Rules { base: preset, ..Rules::default() }, ..RuleBook::default() }
}

/// One line for each rule that is gone (`-`) or new (`+`).
fn changes(ours: &RuleBook, theirs: &RuleBook) -> Vec<String> {
    let (before, after) = (lines(ours), lines(theirs));
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let mut all: Vec<String> = gone.chain(new).collect();
    all.sort_by(|a, b| a[2..].cmp(&b[2..]));
    all
}

fn lines(rules: &RuleBook) -> Vec<String> {
    let zone = rules.time_zone.iter().map(|zone| format!("time_zone = \"{zone}\""));
    let note = Some(&rules.note).filter(|note| !note.is_empty());
    let note = note.map(|note| format!("note = {}", toml::Value::from(note.as_str())));
    let mut all: Vec<String> = zone.chain(note).collect();
    all.extend(section_lines("[default]", &rules.default));
    for (noun, Sections(sections)) in [("group", &rules.group), ("operator", &rules.operator)] {
        for (name, rules) in sections {
            all.extend(section_lines(&format!("[{noun}.{}]", key(name)), rules));
        }
    }
    all
}

/// As it stands in a section's head: what is not of plain letters stands in quotation marks.
fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_bare = !name.is_empty() && name.chars().all(is_plain);
    if is_bare { name.to_owned() } else { toml::Value::from(name).to_string() }
}

fn section_lines(head: &str, rules: &Rules) -> Vec<String> {
    let text = toml::to_string(rules).unwrap_or_default();
    let text = text.replace(",\n", ", ").replace("[\n", "[").replace(", ]", "]");
    let named = text.lines().filter(|line| !line.is_empty());
    named.map(|line| format!("{head} {}", line.trim())).collect()
}

fn unix() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_section_rule_and_both_values() {
        let before: RuleBook =
            toml::from_str("[default]\nscreenshot = true\n[operator.hanako]\nbase = 'full'\n").unwrap();
        let after: RuleBook = toml::from_str("[default]\nscreenshot = false\n").unwrap();
        assert_eq!(
            changes(&before, &after),
            [
                "+ [default] screenshot = false",
                "- [default] screenshot = true",
                "- [operator.hanako] base = \"full\"",
            ]
        );
    }

    #[test]
    fn s100_a_difference_is_written_as_a_file_would_be_with_its_note() {
        let before = RuleBook::default();
        let after =
            "note = 'April'\n[group.\"研修 生\"]\nscreenshot = true\n[group.desk]\nchat = true\n";
        let after: RuleBook = toml::from_str(after).unwrap();
        assert_eq!(
            changes(&before, &after),
            [
                "+ [group.\"研修 生\"] screenshot = true",
                "+ [group.desk] chat = true",
                "+ note = \"April\"",
            ]
        );
        for line in changes(&before, &after).iter().filter_map(|line| line[2..].split_once("] ")) {
            let text = format!("{}]\n{}\n", line.0, line.1);
            assert!(toml::from_str::<RuleBook>(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn s91_what_no_program_can_do_yet_is_said_of_whichever_section_demands_it() {
        let unmet_by = |text: &str| unmet(&toml::from_str(text).unwrap());
        assert!(unmet_by("[default]\nrecording = 'optional'\nbase = 'full'\n").is_empty());
        assert_eq!(unmet_by("[group.desk]\nbase = 'applications-only'\n"), ["application_selection"]);
        let both = "[default]\nrecording = 'required'\n[operator.hanako]\nrecording = 'required'\n\
            application_selection = 'required'\n";
        assert_eq!(unmet_by(both), ["application_selection", "recording"]);
    }

    #[test]
    fn a_policy_survives_its_file_with_every_kind_of_rule() {
        let text = "note = 'n'\ntime_zone = 'Asia/Tokyo'\n[default]\nmodes = ['view', 'control']\n\
            hours = ['mon-fri 09:00-18:00']\nsend_files = 'ask'\nmax_minutes = 60\nreason = 'required'\n\
            [group.desk]\nrecording = 'required'\n[operator.hanako]\naddress_disclosure = 'relay-only'\n";
        let rules: RuleBook = toml::from_str(text).unwrap();
        let printed = toml::to_string(&rules).unwrap();
        assert_eq!(toml::from_str::<RuleBook>(&printed).unwrap(), rules);
    }
}
