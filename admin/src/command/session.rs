//! What runs at the server now, and its forced end.

use clap::Subcommand;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::policy::exchange::{EndSession, SESSIONS_PATH, SessionEntry, SessionList};

use crate::audit::neutral;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::missing::Missing;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;

/// The fewest digits of a session's id that stand for it.
const PREFIX: usize = 8;

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Show numbers that wait and sessions that live, the oldest first
    List,
    /// End a session at once, at both ends; asks for confirmation
    End {
        /// Its id as listed, or the first 8 digits of it
        session: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(settings: &Settings, command: &SessionCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    let language = desk.language;
    let list: SessionList = desk.fetch(SESSIONS_PATH).await?;
    match command {
        SessionCommand::List => {
            let mut rows = vec![language.session_columns().to_vec()];
            rows.extend(list.sessions.iter().map(|entry| {
                let stage = language.session_stage(entry.stage);
                vec![
                    entry.session.to_string(),
                    entry.operator.clone(),
                    language.mode(entry.mode),
                    stage,
                    minutes(entry.age_s),
                    minutes(entry.left_s),
                    entry.reason.clone().unwrap_or_default(),
                ]
            }));
            let text = if list.sessions.is_empty() { language.no_sessions() } else { table(&rows) };
            Ok(Printed { text, json: serde_json::to_value(&list).unwrap_or_default() })
        }
        SessionCommand::End { session, yes } => {
            let entry = find(&list.sessions, session)?;
            let question = language.ask_end(&neutral::line(&entry.operator));
            prompt::confirm(Sure::said(*yes), &question, &entry.operator)?;
            let id: SessionId = entry.session;
            match desk.post::<serde_json::Value>(SESSIONS_PATH, &EndSession { session: id }).await {
                Err(Fault::Refused(ProblemCode::NotFound)) => {
                    return Err(Fault::NoSuch(Missing::Session(id.to_string())));
                }
                done => drop(done?),
            }
            let json = serde_json::json!({ "session": id, "done": true });
            Ok(Printed { text: language.session_ended(&id.to_string()), json })
        }
    }
}

/// The numbers and sessions of one operator.
pub(super) async fn of(desk: &Desk, operator: &str) -> Result<Vec<SessionId>, Fault> {
    let list: SessionList = desk.fetch(SESSIONS_PATH).await?;
    let his = list.sessions.iter().filter(|entry| entry.operator == operator);
    Ok(his.map(|entry| entry.session).collect())
}

/// How many of `before` are over. None: the server, which has done what was asked, does not say any more.
pub(super) async fn ended(desk: &Desk, operator: &str, before: &[SessionId]) -> Option<usize> {
    let now = of(desk, operator).await.ok()?;
    Some(before.iter().filter(|session| !now.contains(session)).count())
}

/// The one session that `text` begins the id of.
fn find<'a>(sessions: &'a [SessionEntry], text: &str) -> Result<&'a SessionEntry, Fault> {
    let is_meant = |entry: &&SessionEntry| entry.session.to_string().starts_with(text);
    let mut found = sessions.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(entry), None) if text.len() >= PREFIX => Ok(entry),
        (Some(_) | None, _) => Err(Fault::NoSuch(Missing::Session(text.to_owned()))),
    }
}

fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
