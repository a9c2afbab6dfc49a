//! `key list`: which keys are in force, which are former and what those still count for, and since when.

use sha2::{Digest as _, Sha256};
use tasuki_protocol::bundle::{Bundle, TRUST_PATH, TrustNews};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::keys::{LOG_KEYS_PATH, SERVER_KEYS_PATH, ServerKeys, WrappedLogKey};
use tasuki_protocol::log_key::LogPublicKey;

use super::init;
use super::key::signed_for;
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::table::table;
use crate::texts::Language;

/// What a key is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    InUse,
    /// The bundle has told of it, and the server does not use it yet.
    Waits,
    /// What it signed, or sealed, still counts.
    Former,
    /// What it signed is over; only the keys after it say that it was one.
    Over,
}

#[derive(Clone)]
struct Row {
    kind: &'static str,
    key: String,
    standing: Standing,
    /// Unix seconds, where anything that is signed tells.
    since: Option<u64>,
}

pub(super) async fn list(desk: &Desk) -> Result<Printed, Fault> {
    let keys: ServerKeys = desk.fetch(SERVER_KEYS_PATH).await?;
    let news: TrustNews = desk.fetch(TRUST_PATH).await?;
    let bundle = &desk.bundle;
    // Of those that the bundle does not sign for nobody knows anything.
    let kept = signed_for(desk.fetch(LOG_KEYS_PATH).await?, bundle).ok();
    let kept = kept.filter(|_| bundle.wrapped_log_keys.is_some());
    let wrapped = kept.as_deref().unwrap_or_default();
    let rows = [roots(bundle, &news), of_bundle(bundle, &keys), log_keys(bundle, wrapped)];
    let rows = rows.concat();
    let days = bundle.expires_at.saturating_sub(init::unix()) / (24 * 3600);
    let mut text = format!(
        "{}\n{}",
        shown(&rows, desk.language)?,
        desk.language.bundle_holds(bundle.version, days)
    );
    if kept.is_none() {
        text.push('\n');
        text.push_str(&desk.language.log_keys_unsigned());
    }
    let listed = rows.iter().map(|row| {
        serde_json::json!({
            "kind": row.kind, "key": row.key, "standing": row.standing.name(), "since": row.since,
        })
    });
    let listed: Vec<serde_json::Value> = listed.collect();
    let json = serde_json::json!({
        "bundle": bundle, "server": keys, "keys": listed, "log_keys_signed": kept.is_some(),
    });
    Ok(Printed { text, json })
}

impl Standing {
    /// As scripts know it.
    fn name(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Waits => "waits",
            Self::Former => "former",
            Self::Over => "over",
        }
    }
}

fn shown(rows: &[Row], language: Language) -> Result<String, Fault> {
    let zone = Zone::named(None)?;
    let mut cells = vec![language.key_columns().to_vec()];
    cells.extend(rows.iter().map(|row| {
        let since = row.since.map(|unix| zone.show(unix.saturating_mul(1000), "%Y-%m-%d %H:%M"));
        let key = row.key.chars().take(16).collect();
        let standing = language.key_standing(row.kind, row.standing);
        vec![language.key_kind(row.kind), key, since.unwrap_or_default(), standing]
    }));
    Ok(table(&cells))
}

/// The root, and those that are proven to have been one: each signed the bundle by which it came, and the next one's.
fn roots(bundle: &Bundle, news: &TrustNews) -> Vec<Row> {
    let came = news.successions(bundle.root);
    let own = came.iter().find(|came| came.root == bundle.root);
    let row = |root: String, standing, since| Row { kind: "root", key: root, standing, since };
    let current = row(bundle.root.to_string(), Standing::InUse, own.map(|own| own.issued_at));
    let former = came.iter().filter(|came| came.root != bundle.root);
    let former = former.map(|came| row(came.root.to_string(), Standing::Over, Some(came.issued_at)));
    std::iter::once(current).chain(former).collect()
}

/// Those that the bundle tells of, and of which nothing says since when.
fn of_bundle(bundle: &Bundle, server: &ServerKeys) -> Vec<Row> {
    let row = |kind, key: String, standing| Row { kind, key, standing, since: None };
    let mut rows = Vec::new();
    for (at, key) in bundle.lock_keys.iter().enumerate() {
        let standing = if at == 0 { Standing::InUse } else { Standing::Former };
        rows.push(row("lock", key.to_string(), standing));
    }
    let prepared = &server.prepared;
    for key in &bundle.manifest_keys {
        let standing = standing(key, &server.manifest_key, prepared.manifest_key.as_ref());
        rows.push(row("manifest", key.to_string(), standing));
    }
    for key in &bundle.checkpoint_keys {
        let standing = standing(key, &server.checkpoint_key, prepared.checkpoint_key.as_ref());
        rows.push(row("checkpoint", key.to_string(), standing));
    }
    for pin in &bundle.server_pins {
        let standing = standing(pin, &server.server_pin, prepared.server_pin.as_ref());
        rows.push(row("server", pin.to_string(), standing));
    }
    rows
}

fn standing<K: PartialEq>(key: &K, in_use: &K, prepared: Option<&K>) -> Standing {
    if key == in_use {
        Standing::InUse
    } else if Some(key) == prepared {
        Standing::Waits
    } else {
        Standing::Former
    }
}

/// Those that the bundle names, and former ones; each by the SHA-256 of its public half, which is long.
fn log_keys(bundle: &Bundle, wrapped: &[WrappedLogKey]) -> Vec<Row> {
    let mut newest_first: Vec<&WrappedLogKey> = wrapped.iter().collect();
    newest_first.sort_by_key(|key| std::cmp::Reverse(key.created_at));
    let row = |key: &LogPublicKey, standing, since| {
        let key = Digest(Sha256::digest(&key.0.0).into()).to_string();
        Row { kind: "log", key, standing, since }
    };
    let since = |public: &LogPublicKey| {
        let kept = newest_first.iter().find(|key| key.public == *public);
        kept.map(|key| key.created_at)
    };
    let in_use = bundle.log_keys.iter().map(|key| row(key, Standing::InUse, since(key)));
    let former = newest_first.iter().filter(|key| !bundle.log_keys.contains(&key.public));
    let former = former.map(|key| row(&key.public, Standing::Former, Some(key.created_at)));
    in_use.chain(former).collect()
}
