//! How end users see an operator: what an administrator has said of it on this computer, and what is about to be
//! certified. A server's word is compared with it or shown to a person, and never certified unseen (T8).
//!
//! It refuses to know devices and keys.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};
use tasuki_protocol::admin::OperatorEntry;
use tasuki_protocol::devices::DeviceEntry;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::{DeviceKey, TenantId};
use tasuki_protocol::likeness::alike;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::showable::is_showable_name;
use tasuki_protocol::signal;

use crate::audit::neutral;
use crate::certified::{Ceiling, Signed};
use crate::fault::Fault;
use crate::naming::shown_alike;
use crate::profile::Profile;
use crate::table::table;
use crate::texts::Language;

const NAMINGS: &str = "operators.json";

/// What stands in a certificate of an operator beside his device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    pub display_name: String,
    pub modes: Vec<Mode>,
}

/// What whoever approves says of it himself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    pub display_name: Option<String>,
    pub modes: Option<Vec<Mode>>,
}

/// Why nothing was signed, for what the server says of an operator or for what nobody says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingFault {
    #[error("no name to show: {0}")]
    NotShowable(String),
    #[error("{operator} was {said}, and is {shown}")]
    Other { operator: String, said: String, shown: String },
    #[error("{operator} would be taken for {other}")]
    TakenFor { operator: String, shown: String, other: String },
    #[error("{0} has none of the modes that the device was approved for")]
    NoModeLeft(String),
    #[error("nobody has said how {0} appears")]
    NotVouchedFor(String),
}

impl Said {
    /// What is to be certified, where an administrator has said all of it, now or when he added the account (`kept`).
    /// `None`: a person has to look at what the server says.
    ///
    /// # Errors
    /// [`NamingFault::NotShowable`], and [`NamingFault::Other`] where the server says something else.
    pub fn of(&self, kept: Option<&Naming>, entry: &DeviceEntry) -> Result<Option<Naming>, Fault> {
        let operator = || entry.operator.clone();
        if let Some(name) =
            [&entry.operator, &entry.display_name].into_iter().find(|name| !is_showable_name(name))
        {
            return Err(NamingFault::NotShowable(name.clone()).into());
        }
        let name = self.display_name.as_ref().or(kept.map(|kept| &kept.display_name));
        if let Some(said) = name.filter(|said| **said != entry.display_name) {
            let (said, shown) = (said.clone(), entry.display_name.clone());
            return Err(NamingFault::Other { operator: operator(), said, shown }.into());
        }
        let modes = match (&self.modes, kept) {
            (Some(said), _) => Some(said.clone()),
            (None, Some(kept)) if listed(&kept.modes) != listed(&entry.modes) => {
                let (said, shown) = (listed(&kept.modes), listed(&entry.modes));
                return Err(NamingFault::Other { operator: operator(), said, shown }.into());
            }
            (None, kept) => kept.map(|kept| kept.modes.clone()),
        };
        Ok(name.zip(modes).map(|(name, modes)| Naming { display_name: name.clone(), modes }))
    }
}

impl Naming {
    /// That end users cannot take him for the organisation itself, nor for another operator. T8.
    ///
    /// # Errors
    /// [`NamingFault::TakenFor`].
    pub fn check(
        &self,
        operator: &str,
        organisation: &str,
        known: &[OperatorEntry],
    ) -> Result<(), NamingFault> {
        let other = if alike(&self.display_name, organisation) {
            Some(organisation)
        } else {
            shown_alike((operator, &self.display_name), known).map(|other| other.operator.as_str())
        };
        let taken_for = |other: &str| NamingFault::TakenFor {
            operator: operator.to_owned(),
            shown: self.display_name.clone(),
            other: other.to_owned(),
        };
        other.map_or(Ok(()), |other| Err(taken_for(other)))
    }
}

impl Profile {
    /// What was said of `operator` here, if anything was.
    pub fn naming(&self, tenant: TenantId, operator: &str) -> Option<Naming> {
        self.namings(tenant).operators.remove(operator)
    }

    /// What was said of a device stays as it is, whatever its account has (T16).
    ///
    /// # Errors
    /// [`Fault::File`]: it will be asked for again.
    pub fn keep_naming(&self, tenant: TenantId, operator: &str, naming: Naming) -> Result<(), Fault> {
        let mut namings = self.namings(tenant);
        namings.operators.insert(operator.to_owned(), naming);
        self.write(NAMINGS, signal::encode(&namings).as_bytes())
    }

    /// What was signed here for this device last.
    pub fn signed(&self, tenant: TenantId, device: DeviceKey) -> Option<Signed> {
        self.namings(tenant).devices.remove(&device)
    }

    /// How far the newest certificate of `operator` that was signed here goes, for a device that has none.
    pub fn newest_ceiling(&self, tenant: TenantId, operator: &str) -> Ceiling {
        self.namings(tenant).ceilings.remove(operator).unwrap_or_default()
    }

    /// # Errors
    /// [`Fault::File`].
    pub fn keep_signed(
        &self,
        tenant: TenantId,
        device: DeviceKey,
        signed: Signed,
    ) -> Result<(), Fault> {
        let mut namings = self.namings(tenant);
        namings.ceilings.insert(signed.operator.clone(), signed.ceiling.clone());
        namings.devices.insert(device, signed);
        self.write(NAMINGS, signal::encode(&namings).as_bytes())
    }

    /// What cannot be read is as if nothing had been said: a person is asked then.
    fn namings(&self, tenant: TenantId) -> Namings {
        let kept = fs::read(self.folder().join(NAMINGS)).ok();
        let kept = kept.and_then(|kept| strict_json::<Namings>(&kept).ok());
        kept.filter(|kept| kept.tenant == tenant).unwrap_or_else(|| Namings {
            tenant,
            operators: BTreeMap::new(),
            ceilings: BTreeMap::new(),
            devices: BTreeMap::new(),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Namings {
    tenant: TenantId,
    operators: BTreeMap<String, Naming>,
    /// Of each operator's newest certificate.
    #[serde(default)]
    ceilings: BTreeMap<String, Ceiling>,
    #[serde(default)]
    devices: BTreeMap<DeviceKey, Signed>,
}

impl Language {
    /// Before anything is signed.
    pub(crate) fn to_certify(
        self,
        operator: &str,
        naming: &Naming,
        (without, days): (&[Capability], u64),
    ) -> String {
        let withheld = without.iter().map(word).collect::<Vec<_>>().join(",");
        let none = || self.pick("none", "なし");
        let rows = [
            [self.pick("account", "アカウント"), operator.to_owned()],
            [self.pick("shown name", "表示名"), naming.display_name.clone()],
            [self.pick("modes", "モード"), listed(&naming.modes)],
            [
                self.pick("rights withheld", "与えない権限"),
                if withheld.is_empty() { none() } else { withheld },
            ],
            [self.pick("days", "日数"), days.to_string()],
        ];
        let head = self.pick(
            "This is what the certificate will say, and what end users will see:",
            "証明書に記載され、相手の画面に表示される内容です:",
        );
        format!("{head}\n{}", table(&rows.map(|row| row.to_vec())))
    }

    pub(crate) fn ask_naming(self) -> String {
        self.pick(
            "This computer has it from the server alone. If it is right, type the shown name to sign it:",
            "この内容はサーバーから得ただけで、このコンピュータでは確認されていません。正しければ、署名するために表示名を入力してください:",
        )
    }

    /// `had`: the modes of the certificate before; none where the server does not show it.
    pub(crate) fn ask_wider(self, had: &[Mode]) -> String {
        let none = || self.pick("not known here", "不明");
        let had = if had.is_empty() { none() } else { listed(had) };
        self.pick(
            format!("This goes further than the device's certificate, which was not signed on this computer (its modes: {had}). If that is meant, type the shown name to sign it; if not, say the modes with --modes:"),
            format!("このコンピュータで署名していない現在の証明書（モード: {had}）より広くなります。そのとおりでよければ、署名するために表示名を入力してください。違う場合は --modes でモードを指定してください:"),
        )
    }

    pub(crate) fn about_naming(self, fault: &NamingFault) -> String {
        match fault {
            NamingFault::NotShowable(name) => {
                let name = neutral::line(name);
                self.pick(
                    format!("The server gives a name that no end user may be shown: {name}. Nothing was signed; remove the account and add it again."),
                    format!("サーバーが示した名前は相手に表示できません: {name}。署名していません。アカウントを削除して追加し直してください。"),
                )
            }
            NamingFault::Other { operator, said, shown } => {
                let (said, shown) = (neutral::line(said), neutral::line(shown));
                self.pick(
                    format!("The server says \"{shown}\" of {operator}, and here it was \"{said}\". Nothing was signed. If a colleague has added the account anew, say what is right with --display-name and --modes."),
                    format!("サーバーは {operator} を「{shown}」としていますが、ここでは「{said}」でした。署名していません。ほかの管理者がアカウントを追加し直したのであれば、--display-name と --modes で正しい内容を指定してください。"),
                )
            }
            NamingFault::TakenFor { operator, shown, other } => {
                let (shown, other) = (neutral::line(shown), neutral::line(other));
                self.pick(
                    format!("End users would take {operator}, shown as \"{shown}\", for {other}. Nothing was signed. Remove the account and add it with a --display-name that tells them apart."),
                    format!("{operator} の表示名「{shown}」は {other} と見分けがつきません。署名していません。アカウントを削除し、区別できる --display-name で追加し直してください。"),
                )
            }
            NamingFault::NoModeLeft(operator) => self.pick(
                format!("{operator} has none of the modes any more for which this device was approved. Nothing was signed; say with --modes which it is for now."),
                format!("この端末を承認したときのモードを、{operator} はもう一つも持っていません。署名していません。--modes でこの端末のモードを指定してください。"),
            ),
            NamingFault::NotVouchedFor(operator) => self.pick(
                format!("Nobody has said on this computer under which name and in which modes {operator} may appear. Nothing was signed; say it with --display-name and --modes."),
                format!("{operator} の表示名とモードは、このコンピュータで確認されていません。署名していません。--display-name と --modes で指定してください。"),
            ),
        }
    }
}

/// As policies have it.
pub(crate) fn word(right: &Capability) -> String {
    let word = serde_json::to_value(right).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// In one order, so that two lists can be compared.
pub(crate) fn listed(modes: &[Mode]) -> String {
    let listed = Mode::ALL.iter().filter(|mode| modes.contains(mode));
    listed.map(|mode| mode.name()).collect::<Vec<_>>().join(",")
}
