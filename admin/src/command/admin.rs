//! Administrators.

use clap::Subcommand;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_LIMITS_PATH, ADMIN_PASSWORD_PATH, ADMINS_PATH, AddAdmin, AdminAdded,
    AdminChange, AdminList, ChangeAdmin, ChangeAdminPassword, INVITATIONS_PATH, InvitationList,
    LimitAdmin, ProblemCode, WithdrawInvitations,
};

use super::limiting::{LimitOptions, Wish};
use super::{init, operator};
use crate::audit::times::Zone;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::limits::LimitFault;
use crate::missing::Missing;
use crate::naming;
use crate::printed::Printed;
use crate::prompt::{self, Sure};
use crate::settings::Settings;
use crate::table::table;

/// What the server asks of a password beside which an authenticator may stand.
const OWN_PASSWORD_CHARS: usize = 8;

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Print a one-time token with which one more administrator runs `tasuki-admin enrol`
    Add {
        /// The administrator's name
        name: String,
    },
    /// Show all administrators
    List,
    /// Show the tokens of `admin add` that nobody has used yet
    Invitations,
    /// Take back all tokens that were made for a name
    Withdraw {
        /// The name that they were made for
        name: String,
    },
    /// Change your own password; asks for the old one, or reads both as lines of standard input
    Password,
    /// Let a disabled administrator in again
    Enable {
        /// The administrator's name
        name: String,
    },
    /// Keep an administrator out
    Disable {
        /// The administrator's name
        name: String,
    },
    /// Delete an administrator; asks for confirmation
    Remove {
        /// The administrator's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Lift a suspension after failed sign-ins
    Unlock {
        /// The administrator's name
        name: String,
    },
    /// From where and when the administrator may sign in; what is not given stays as it is, and nothing given shows it
    Limit {
        /// The administrator's name
        name: String,
        #[command(flatten)]
        options: LimitOptions,
    },
}

pub(super) async fn run(settings: &Settings, command: &AdminCommand) -> Result<Printed, Fault> {
    let desk = Desk::open(settings).await?;
    match command {
        AdminCommand::Add { name } => add(&desk, name).await,
        AdminCommand::List => list(&desk).await,
        AdminCommand::Invitations => invitations(&desk).await,
        AdminCommand::Withdraw { name } => withdraw(&desk, name).await,
        AdminCommand::Password => password(&desk).await,
        AdminCommand::Enable { name } => change(&desk, name, AdminChange::Enable).await,
        AdminCommand::Disable { name } => change(&desk, name, AdminChange::Disable).await,
        AdminCommand::Remove { name, yes } => {
            let list: AdminList = desk.fetch(ADMINS_PATH).await?;
            if !list.admins.iter().any(|admin| admin.name == *name) {
                return Err(Fault::Refused(ProblemCode::NotFound));
            }
            prompt::confirm(Sure::said(*yes), &desk.language.ask_removal(name), name)?;
            change(&desk, name, AdminChange::Remove).await
        }
        AdminCommand::Unlock { name } => change(&desk, name, AdminChange::Unlock).await,
        AdminCommand::Limit { name, options } => limit(&desk, name, options.wish(&desk).await?).await,
    }
}

async fn add(desk: &Desk, name: &str) -> Result<Printed, Fault> {
    let name = &naming::check(name)?;
    let order = AddAdmin { name: name.clone() };
    let added: AdminAdded = match desk.post(ADMINS_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::Taken)) => return Err(naming::administrator(name)),
        added => added?,
    };
    let text = format!("{}\n  {}", desk.language.invited(name, added.expires_in / 3600), added.token);
    let json = serde_json::json!({
        "name": name, "token": added.token, "expires_in": added.expires_in,
    });
    Ok(Printed { text, json })
}

async fn invitations(desk: &Desk) -> Result<Printed, Fault> {
    let list: InvitationList = desk.fetch(INVITATIONS_PATH).await?;
    let json = serde_json::to_value(&list).unwrap_or_default();
    if list.invitations.is_empty() {
        return Ok(Printed { text: desk.language.no_invitations(), json });
    }
    let mut rows = vec![desk.language.invitation_columns().to_vec()];
    let zone = Zone::named(None)?;
    let until = |unix: u64| zone.moment(unix.saturating_mul(1000));
    rows.extend(list.invitations.into_iter().map(|open| vec![open.name, until(open.until), open.by]));
    Ok(Printed { text: table(&rows), json })
}

async fn withdraw(desk: &Desk, name: &str) -> Result<Printed, Fault> {
    let order = WithdrawInvitations { name: name.to_owned() };
    match desk.post::<serde_json::Value>(INVITATIONS_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::NotFound)) => {
            return Err(Fault::NoSuch(Missing::Invitation(name.to_owned())));
        }
        done => drop(done?),
    }
    let json = serde_json::json!({ "name": name, "done": true });
    Ok(Printed { text: desk.language.withdrawn(name), json })
}

/// Signs in first where that is long ago: who finds a terminal unlocked knows neither password nor digits.
async fn password(desk: &Desk) -> Result<Printed, Fault> {
    desk.fetch::<AdminList>(ADMINS_PATH).await?;
    let old = prompt::secret(&desk.language.ask_admin_password())?;
    let new = prompt::new_secret(desk.language, &desk.language.ask_new_password(), OWN_PASSWORD_CHARS)?;
    let order = ChangeAdminPassword { old: old.to_string(), new: new.to_string() };
    match desk.post::<serde_json::Value>(ADMIN_PASSWORD_PATH, &order).await {
        Err(Fault::Refused(ProblemCode::SignIn)) => return Err(Fault::WrongPassword),
        done => drop(done?),
    }
    let json = serde_json::json!({ "done": true });
    Ok(Printed { text: desk.language.own_password_changed(), json })
}

async fn list(desk: &Desk) -> Result<Printed, Fault> {
    let list: AdminList = desk.fetch(ADMINS_PATH).await?;
    let json = serde_json::to_value(&list).unwrap_or_default();
    let mut rows = vec![desk.language.admin_columns().to_vec()];
    let zone = Zone::named(None)?;
    rows.extend(list.admins.iter().map(|admin| {
        let state = operator::state(admin.state, admin.suspended_until, (&zone, desk.language));
        let limits = admin.limits.as_ref().map(|limits| desk.language.limits(limits));
        let limits = limits.unwrap_or_else(|| desk.language.limits_unreadable("admin"));
        vec![admin.name.clone(), state, init::short(&admin.key), limits]
    }));
    Ok(Printed { text: table(&rows), json })
}

async fn change(desk: &Desk, name: &str, change: AdminChange) -> Result<Printed, Fault> {
    let order = ChangeAdmin { name: name.to_owned(), change };
    let changed = desk.change(ADMIN_CHANGES_PATH, &order).await?;
    let text = if changed { desk.language.done(name) } else { desk.language.was_so(name) };
    let json = serde_json::json!({ "name": name, "done": true, "changed": changed });
    Ok(Printed { text, json })
}

async fn limit(desk: &Desk, name: &str, wish: Wish) -> Result<Printed, Fault> {
    let list: AdminList = desk.fetch(ADMINS_PATH).await?;
    let entry = list.admins.into_iter().find(|admin| admin.name == name);
    let now = entry.ok_or(Fault::Refused(ProblemCode::NotFound))?.limits;
    let is_to_see = wish.is_to_see();
    let limits = wish.made_of(now)?;
    let macs = tasuki_terminal::hardware::addresses();
    let order = LimitAdmin { name: name.to_owned(), limits, macs };
    if !is_to_see {
        match desk.post::<serde_json::Value>(ADMIN_LIMITS_PATH, &order).await {
            Err(Fault::Refused(ProblemCode::Unusable)) => return Err(LimitFault::Unusable.into()),
            Err(Fault::Refused(ProblemCode::Yourself)) => return Err(LimitFault::Yourself.into()),
            done => drop(done?),
        }
    }
    let json = serde_json::json!({ "name": name, "limits": order.limits });
    Ok(Printed { text: desk.language.limits_of(name, &order.limits), json })
}
