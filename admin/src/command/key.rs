//! The organisation's keys: what there is, and changing one for another.
//!
//! Every change is a new bundle of a higher version, which programs follow by themselves.

use clap::{Subcommand, ValueEnum};
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{Bundle, MAX_KEYS};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::keys::{
    LOG_KEYS_PATH, PREPARE_KEY_PATH, PUBLISH_PATH, PrepareKey, PublishBundle, SERVER_KEYS_PATH,
    ServerKeyKind, ServerKeys, WrappedLogKey, WrappedLogKeys,
};
use tasuki_protocol::ledger::audit::Finding;
use tasuki_protocol::log_key::LogSecretKey;

use super::succession::{self, Ledger};
use super::way_back::{self, led_by};
use super::{init, key_list};
use crate::audit::fault::AuditFault;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::pending::Pending;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::random::random;
use crate::settings::Settings;
use crate::shares;
use crate::vault::{Master, Passphrase, public};

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Show the keys: those in use, and former ones and what they still count for
    List,
    /// Change a key for a new one; asks for the passphrase, and before what cannot be undone
    Rotate {
        /// Which key
        kind: Kind,
        /// Second step for `server`: programs know the new key by now, so use it
        #[arg(long)]
        finish: bool,
        /// For `lock`: certificates under the old key count no more, at once
        #[arg(long)]
        drop_old: bool,
        /// For `root`: although the ledger does not hold, or would not under the new key; what is not shown of the old key's word is lost
        #[arg(long)]
        despite_ledger: bool,
        /// Do not ask: `root` makes the recovery shares void, `lock --drop-old` puts every device out, and `server --finish` whoever has not been on since
        #[arg(long)]
        yes: bool,
    },
    /// Sign the bundle again, so that it holds for another year; asks for the passphrase
    Renew,
    /// After a restore of a backup from before the newest bundle: sign one above every one that was
    /// ever seen, so that everybody follows the server again; asks whether you mean it, and for the passphrase
    Republish {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print three new recovery shares; asks for the passphrase
    Shares,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Keys by which the server signs manifests and checkpoints of the log
    Manifest,
    /// The server's TLS key
    Server,
    /// The key that certifies devices
    Lock,
    /// The key to which the log is sealed
    Log,
    /// The key that signs the bundle, and with it the lock key: after this the old shares are void
    Root,
}

pub(super) async fn run(settings: &Settings, command: &KeyCommand) -> Result<Printed, Fault> {
    let open = || Desk::open(settings);
    match command {
        KeyCommand::List => key_list::list(&open().await?).await,
        KeyCommand::Rotate { kind, finish, drop_old, despite_ledger, yes } => {
            let old = if *drop_old { Old::Drop } else { Old::Keep };
            let step = if *finish { Step::Finish } else { Step::Begin };
            let ledger = if *despite_ledger { Ledger::AsItIs } else { Ledger::MustHold };
            let desk = open().await?;
            // What cannot be done is said before anybody is asked.
            desk.profile.vault()?;
            if (*kind, step) == (Kind::Server, Step::Finish) {
                waiting_pin(&desk, &desk.fetch(SERVER_KEYS_PATH).await?)?;
            }
            confirm(&desk, *kind, (step, old), Sure::said(*yes))?;
            rotate(&desk, *kind, How { step, old, ledger }).await
        }
        KeyCommand::Renew => {
            let desk = open().await?;
            let (master, _) = unlock(&desk)?;
            publish(&desk, init::next(&desk.bundle), &master, None, Vec::new()).await
        }
        KeyCommand::Republish { yes } => way_back::republish(settings, *yes).await,
        KeyCommand::Shares => {
            let desk = open().await?;
            let (master, _) = unlock(&desk)?;
            print_shares(&desk, &master)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    Keep,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Finish,
}

/// What nobody brings back: the old shares, everybody who is in by a certificate of the old lock key, and who does
/// not know the new TLS key.
fn confirm(desk: &Desk, kind: Kind, (step, old): (Step, Old), sure: Sure) -> Result<(), Fault> {
    if let (Kind::Server, Step::Finish) = (kind, step) {
        return prompt::confirm(sure, &desk.language.ask_new_server_key(), "server");
    }
    match (kind, old) {
        (Kind::Root, Old::Keep) => prompt::confirm(sure, &desk.language.ask_new_root(), "root"),
        (Kind::Root, Old::Drop) => prompt::confirm(sure, &desk.language.ask_new_root_alone(), "root"),
        (Kind::Lock, Old::Drop) => prompt::confirm(sure, &desk.language.ask_new_lock_alone(), "lock"),
        (Kind::Lock, Old::Keep) | (Kind::Manifest | Kind::Server | Kind::Log, _) => Ok(()),
    }
}

/// What the kinds of keys leave open.
#[derive(Debug, Clone, Copy)]
struct How {
    step: Step,
    old: Old,
    ledger: Ledger,
}

async fn rotate(desk: &Desk, kind: Kind, how: How) -> Result<Printed, Fault> {
    let How { step, old, .. } = how;
    let (mut master, passphrase) = unlock(desk)?;
    let mut bundle = init::next(&desk.bundle);
    match kind {
        Kind::Manifest => {
            let server = prepare(desk, ServerKeyKind::Manifest).await?;
            let ServerKeys { manifest_key, checkpoint_key, prepared: next, .. } = server;
            let (Some(manifest), Some(checkpoint)) = (next.manifest_key, next.checkpoint_key) else {
                return Err(Fault::NothingPrepared);
            };
            // Those that the server has, who may have been given older ones back than the bundle's first.
            bundle.manifest_keys = vec![manifest, manifest_key];
            let before = led_by(checkpoint_key, &desk.bundle.checkpoint_keys);
            bundle.checkpoint_keys = led_by(checkpoint, &before);
            publish(desk, bundle, &master, None, Vec::new()).await
        }
        Kind::Server => {
            let keys = prepare(desk, ServerKeyKind::Server).await?;
            let next = match step {
                Step::Begin => keys.prepared.server_pin.ok_or(Fault::NothingPrepared)?,
                Step::Finish => waiting_pin(desk, &keys)?,
            };
            bundle.server_pins = match step {
                Step::Begin => vec![keys.server_pin, next],
                Step::Finish => vec![next, keys.server_pin],
            };
            let mut done = publish(desk, bundle, &master, None, Vec::new()).await?;
            match step {
                Step::Begin => {
                    done.text.push('\n');
                    done.text.push_str(&desk.language.server_key_waits());
                }
                Step::Finish => done.text = desk.language.server_key_in_use(&next),
            }
            done.json["server_pin"] = next.to_string().into();
            Ok(done)
        }
        Kind::Lock => {
            master.change_lock(&desk.bundle.lock_keys);
            bundle.lock_keys = vec![public(&master.lock())];
            if old == Old::Keep {
                bundle.lock_keys.extend(desk.bundle.lock_keys.iter().take(MAX_KEYS - 1));
            }
            keep_then_publish(desk, bundle, &master, None, &passphrase, Vec::new()).await
        }
        Kind::Log => {
            let secret = LogSecretKey::from_bytes(*random::<32>()?);
            let tenant = desk.bundle.tenant;
            bundle.log_keys = vec![secret.public()];
            let kept = kept_log_keys(desk).await?;
            let newest = master.wrap_log_key(&secret, tenant, init::unix(), &passphrase)?;
            let mut log_keys = vec![newest];
            log_keys.extend(kept);
            publish(desk, bundle, &master, None, log_keys).await
        }
        Kind::Root => rotate_root(desk, bundle, &master, &passphrase, how).await,
    }
}

/// A new master key, with everything that grows from it; signed by the old root too.
async fn rotate_root(
    desk: &Desk,
    mut bundle: Bundle,
    before: &Master,
    passphrase: &Passphrase,
    how: How,
) -> Result<Printed, Fault> {
    let master = Master::generate()?;
    bundle.root = public(&master.root());
    bundle.lock_keys = vec![public(&master.lock())];
    if how.old == Old::Keep {
        bundle.lock_keys.extend(desk.bundle.lock_keys.iter().take(MAX_KEYS - 1));
    }
    let kept = kept_log_keys(desk).await?;
    let secrets = kept.iter().map(|wrapped| before.unwrap_log_key(wrapped));
    let secrets: Vec<LogSecretKey> = secrets.collect::<Result<_, _>>()?;
    bundle.earlier_decrees = succession::decrees(desk, bundle.root, (how.ledger, &secrets)).await?;
    let went_on = bundle.earlier_decrees.len();
    let mut log_keys = Vec::with_capacity(kept.len());
    for (wrapped, secret) in kept.iter().zip(&secrets) {
        let created = wrapped.created_at;
        log_keys.push(master.wrap_log_key(secret, bundle.tenant, created, passphrase)?);
    }
    keep_then_publish(desk, bundle, &master, Some(before), passphrase, log_keys).await?;
    let mut done = print_shares(desk, &master)?;
    if went_on > 0 {
        done.text = format!("{}\n{}", desk.language.decrees_go_on(went_on), done.text);
    }
    done.json["earlier_decrees"] = went_on.into();
    Ok(done)
}

/// What the server keeps, if it is what the bundle signs for: nothing else is signed for again.
async fn kept_log_keys(desk: &Desk) -> Result<Vec<WrappedLogKey>, Fault> {
    signed_for(desk.fetch(LOG_KEYS_PATH).await?, &desk.bundle)
}

/// What `bundle` signs for: a server could have the root sign for keys that nobody opens.
///
/// # Errors
/// [`Finding::WrappedKeys`].
pub(super) fn signed_for(kept: WrappedLogKeys, bundle: &Bundle) -> Result<Vec<WrappedLogKey>, Fault> {
    let digest = WrappedLogKeys::digest(&kept.log_keys);
    let is_ours = bundle.wrapped_log_keys.is_none_or(|signed| signed == digest);
    if is_ours { Ok(kept.log_keys) } else { Err(AuditFault::Found(Finding::WrappedKeys).into()) }
}

/// The TLS key that waits to be used, once the bundle has told everybody of it.
fn waiting_pin(desk: &Desk, keys: &ServerKeys) -> Result<Digest, Fault> {
    let waits = keys.prepared.server_pin.filter(|next| desk.bundle.server_pins.contains(next));
    waits.ok_or(Fault::NothingPrepared)
}

async fn prepare(desk: &Desk, kind: ServerKeyKind) -> Result<ServerKeys, Fault> {
    desk.post(PREPARE_KEY_PATH, &PrepareKey { kind }).await
}

/// The new vault is kept before the server is asked, and the old one with it, until the bundle in force tells
/// which of them holds ([`crate::pending`]). That it was refused is only the server's word.
async fn keep_then_publish(
    desk: &Desk,
    bundle: Bundle,
    master: &Master,
    before: Option<&Master>,
    passphrase: &Passphrase,
    log_keys: Vec<WrappedLogKey>,
) -> Result<Printed, Fault> {
    let vault = master.wrap(bundle.tenant, passphrase)?;
    desk.profile.keep_pending(&Pending::new(&bundle, public(&master.lock()), vault))?;
    let published = publish(desk, bundle.clone(), master, before, log_keys).await;
    match &published {
        Ok(_) => {
            desk.profile.settle(&bundle)?;
        }
        Err(fault) if is_refusal(fault) => {}
        Err(_) => prompt::show(&desk.language.unsettled()),
    }
    published
}

/// Busy is none: a server may say so of what it has on its disk already.
pub(super) fn is_refusal(fault: &Fault) -> bool {
    if let Fault::Refused(code) = fault {
        return *code != ProblemCode::Busy;
    }
    // It asked for a sign-in first, and there was none.
    matches!(fault, Fault::WrongPassword | Fault::Locked { .. } | Fault::NothingTyped)
}

async fn publish(
    desk: &Desk,
    mut bundle: Bundle,
    master: &Master,
    before: Option<&Master>,
    log_keys: Vec<WrappedLogKey>,
) -> Result<Printed, Fault> {
    bundle = bundle.asking_for(desk.list);
    if !log_keys.is_empty() {
        bundle.wrapped_log_keys = Some(WrappedLogKeys::digest(&log_keys));
    }
    let envelope = match before {
        Some(before) => master.succeed(before, &bundle)?,
        None => master.sign_bundle(&bundle)?,
    };
    let kept = desk.profile.stage_bundle(&envelope)?;
    let order = PublishBundle { bundle: Blob(envelope), log_keys, handovers: Vec::new() };
    desk.post::<serde_json::Value>(PUBLISH_PATH, &order).await?;
    kept.put()?;
    let days = (bundle.expires_at - bundle.issued_at) / (24 * 3600);
    let json = serde_json::json!({ "version": bundle.version, "root": bundle.root });
    Ok(Printed { text: desk.language.bundle_holds(bundle.version, days), json })
}

fn print_shares(desk: &Desk, master: &Master) -> Result<Printed, Fault> {
    let shares = shares::split(master.bytes(), &*random::<32>()?);
    let spelled: Vec<_> = shares.iter().map(shares::Share::spell).collect();
    let text = desk.language.shares(&spelled);
    let spelled: Vec<&str> = spelled.iter().map(|share| share.as_str()).collect();
    Ok(Printed { text, json: serde_json::json!({ "shares": spelled }) })
}

pub(super) fn unlock(desk: &Desk) -> Result<(Master, Passphrase), Fault> {
    let vault = desk.profile.vault()?;
    let typed = prompt::secret(&desk.language.ask_passphrase())?;
    let passphrase = Passphrase::entered(&typed);
    Ok((Master::unwrap(&vault, &passphrase)?, passphrase))
}
