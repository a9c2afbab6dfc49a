//! Which records are wanted. Looks at opened records only: the server cannot search (B6).

use std::collections::HashMap;

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Class, Event, Witness};
use tasuki_protocol::rights::Mode;

use super::fault::AuditFault;
use super::record::Record;

/// Everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Milliseconds since 1970, inclusive.
    pub since: Option<u64>,
    /// Exclusive.
    pub until: Option<u64>,
    pub operator: Option<String>,
    pub customer: Option<String>,
    pub session: Option<SessionId>,
    pub class: Option<Class>,
    /// An event's name, such as `file_moved`.
    pub kind: Option<String>,
    /// Stands anywhere in the record, upper or lower case.
    pub text: Option<String>,
}

/// What is known of a session from any of its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    pub operator: Option<String>,
    pub customer: Option<String>,
    pub mode: Option<Mode>,
    /// When its ends were paired, in milliseconds since 1970.
    pub began: Option<u64>,
}

/// Sessions by what their records say of them; each is believed what it saw itself.
pub fn sessions<'a>(records: impl IntoIterator<Item = &'a Record>) -> HashMap<SessionId, Session> {
    let mut sessions: HashMap<SessionId, Session> = HashMap::new();
    for record in records {
        let Some((entry, id)) = record.entry().and_then(|entry| Some((entry, entry.session?))) else {
            continue;
        };
        let session = sessions.entry(id).or_default();
        if entry.by == Witness::Server && session.operator.is_none() {
            session.operator.clone_from(&entry.operator);
        }
        if let Event::RoomOpened { mode, .. } = &entry.event {
            session.mode = Some(*mode);
        }
        if matches!(entry.event, Event::Paired { .. }) {
            session.began = Some(record.at);
        }
        if let Event::Customer { name } = &entry.event
            && entry.by == Witness::Operator
        {
            session.customer = Some(name.clone());
        }
    }
    sessions
}

/// The session whose id `text` is, or the one whose id it begins.
///
/// # Errors
/// There is none, or there are several.
pub fn named(sessions: &HashMap<SessionId, Session>, text: &str) -> Result<SessionId, AuditFault> {
    let text = text.trim().to_lowercase();
    if let Ok(whole) = text.parse() {
        return Ok(whole);
    }
    let begins = |id: &&SessionId| !text.is_empty() && id.to_string().starts_with(&text);
    let found: Vec<&SessionId> = sessions.keys().filter(begins).collect();
    match found[..] {
        [one] => Ok(*one),
        [] => Err(AuditFault::NoSession(text)),
        [..] => Err(AuditFault::SeveralSessions(text, found.len())),
    }
}

impl Filter {
    pub fn admits(&self, record: &Record, sessions: &HashMap<SessionId, Session>) -> bool {
        let within = self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until);
        let class = self.class.is_none_or(|class| record.class() == Some(class));
        within && class && self.admits_content(record, sessions)
    }

    fn admits_content(&self, record: &Record, sessions: &HashMap<SessionId, Session>) -> bool {
        let Some(entry) = record.entry() else {
            // What cannot be read fits only who asks for nothing of its content.
            return self.operator.is_none()
                && self.customer.is_none()
                && self.session.is_none()
                && self.kind.is_none()
                && self.text.is_none();
        };
        let session = entry.session.and_then(|id| sessions.get(&id));
        let is = |wanted: &Option<String>, found: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == found)
        };
        let operator = entry.operator.as_ref().or_else(|| session?.operator.as_ref());
        let kind = kind(&entry.event);
        is(&self.operator, operator)
            && is(&self.customer, session.and_then(|session| session.customer.as_ref()))
            && self.session.is_none_or(|wanted| entry.session == Some(wanted))
            && is(&self.kind, Some(&kind))
            && self.text.as_ref().is_none_or(|text| {
                let all = serde_json::to_string(entry).unwrap_or_default();
                all.to_lowercase().contains(&text.to_lowercase())
            })
    }
}

/// Whether an event may be called that.
pub fn is_kind(name: &str) -> bool {
    // An event of that name and no fields is either complete or lacks one; an unknown name is neither.
    match serde_json::from_value::<Event>(serde_json::json!({ "type": name })) {
        Ok(_) => true,
        Err(why) => why.to_string().starts_with("missing field"),
    }
}

/// An event's name in records.
pub fn kind(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    value.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_as_many_digits_as_tell_it_apart() {
        let ids = [SessionId([0xab; 16]), SessionId([0xac; 16]), SessionId([1; 16])];
        let sessions = ids.map(|id| (id, Session::default())).into_iter().collect();
        assert_eq!(named(&sessions, "AB").ok(), Some(ids[0]));
        assert_eq!(named(&sessions, "01").ok(), Some(ids[2]));
        assert_eq!(named(&sessions, &ids[1].to_string()).ok(), Some(ids[1]));
        assert!(matches!(named(&sessions, "a"), Err(AuditFault::SeveralSessions(_, 2))));
        for none in ["", "ff", "x\u{1b}["] {
            assert!(matches!(named(&sessions, none), Err(AuditFault::NoSession(_))), "{none:?}");
        }
    }
}
