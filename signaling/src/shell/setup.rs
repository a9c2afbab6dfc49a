//! `tasuki-server setup`: makes the server's own keys, a certificate and a database, once.
//!
//! The tenant's keys are not among them: `tasuki-admin init` makes those on the
//! administrator's machine, and this server never sees their private halves.
//!
//! An interrupted set-up leaves a mark and is begun anew by the next; a finished
//! one is never touched again.

use std::net::IpAddr;
use std::path::PathBuf;

use tasuki_protocol::ids::{Digest, TenantId};
use tasuki_protocol::showable::{composed, is_showable_name};
use tasuki_protocol::signal;

use super::certificate;
use super::clock;
use super::config::CONFIG_FILE;
use super::fault::Fault;
use super::folder::{DATABASE, FACTS, Facts, Folder, KeyFile, Secret, read};
use super::pair_fault::{self, NotAPair};
use super::store::Store;
use super::tls::{self, Pair};

/// What `setup` is told.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub data: PathBuf,
    /// By which agents and operators' programs reach the server: DNS name or IP address.
    pub host: String,
    pub port: u16,
    /// Shown to people. The host's name if not given.
    pub organisation: Option<String>,
    /// PEM files of an own certificate chain and its key.
    pub certificate: Option<OwnCertificate>,
}

#[derive(Debug, Clone)]
pub struct OwnCertificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What the administrator needs afterwards. The token is told once and stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpDone {
    pub tenant: TenantId,
    /// SHA-256 of the certificate's public key.
    pub fingerprint: Digest,
    pub admin_token: String,
    /// By which everybody reaches the server.
    pub url: String,
}

impl std::fmt::Debug for SetUpDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUpDone").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// # Errors
/// The folder is taken, a name cannot be used, or a file cannot be written; see [`Fault`].
pub async fn set_up(order: SetUp) -> Result<SetUpDone, Fault> {
    let organisation = composed(order.organisation.as_ref().unwrap_or(&order.host));
    if !is_showable_name(&organisation) {
        return Err(Fault::Organisation(organisation));
    }
    let names = certificate_names(&order.host)?;
    let folder = Folder::begin(&order.data)?;
    for key in KeyFile::ALL {
        folder.write_key(key, &Secret(clock::random()?))?;
    }
    match &order.certificate {
        Some(own) => copy_certificate(&folder, own, &order.host)?,
        None => tls::make_certificate(&folder, Pair::IN_USE, &organisation, names)?,
    }
    let fingerprint = tls::load(&folder)?.fingerprint;
    // SQLite fills an empty file, and keeps to its rights.
    folder.write(DATABASE, b"")?;
    let store = Store::create(&folder.database()).await?;
    let admin_token = store.expect_first_admin().await?;
    store.close().await;
    folder.write(CONFIG_FILE, super::config::TEMPLATE.as_bytes())?;
    let tenant = TenantId(clock::random()?);
    let facts = Facts { tenant, organisation, host: order.host, port: order.port };
    folder.write(FACTS, signal::encode(&facts).as_bytes())?;
    folder.finish()?;
    Ok(SetUpDone { tenant, fingerprint, admin_token, url: facts.url() })
}

pub(crate) fn certificate_names(host: &str) -> Result<Vec<String>, Fault> {
    let is_address = host.parse::<IpAddr>().is_ok();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    if !is_address && !is_name {
        return Err(Fault::HostName(host.to_owned()));
    }
    let mut names = vec![host.to_owned()];
    if is_address || host == "localhost" {
        let local = ["localhost", "127.0.0.1"].map(str::to_owned);
        names.extend(local.into_iter().filter(|name| name != host));
    }
    Ok(names)
}

/// One that no browser would take today is told now, and not by the first who comes.
fn copy_certificate(folder: &Folder, own: &OwnCertificate, host: &str) -> Result<(), Fault> {
    let (cert, key) = (read(&own.cert)?, read(&own.key)?);
    if let Some(why) = pair_fault::found((&own.cert, &cert), (&own.key, &key)) {
        return Err(Fault::NotAPair(why));
    }
    let facts = certificate::facts(&cert);
    let now = clock::unix_row();
    if facts.is_some_and(|facts| {
        !certificate::is_for(&facts, host) || !(facts.begins..facts.ends).contains(&now)
    }) {
        return Err(Fault::CertificateElsewhere(own.cert.clone(), host.to_owned()));
    }
    folder.write(Pair::IN_USE.certificate, &cert)?;
    folder.write(Pair::IN_USE.key, &key)?;
    let unusable = || Fault::NotAPair(NotAPair::Strangers(own.cert.clone(), own.key.clone()));
    tls::load(folder).map(|_| ()).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// What every program would refuse from the first day on is refused when it is given.
    #[tokio::test]
    async fn s72_a_certificate_of_another_host_or_another_time_is_no_set_up() {
        let place = tempfile::tempdir().unwrap();
        let own = OwnCertificate { cert: place.path().join("c"), key: place.path().join("k") };
        let pair = |name: &str, until| {
            let key = KeyPair::generate().unwrap();
            let mut certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (certificate.not_before, certificate.not_after) = (date_time_ymd(2020, 1, 1), until);
            std::fs::write(&own.cert, certificate.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(&own.key, key.serialize_pem()).unwrap();
        };
        let set_up = async |data: &str| {
            set_up(SetUp {
                data: place.path().join(data),
                host: "support.example".to_owned(),
                port: 443,
                organisation: None,
                certificate: Some(own.clone()),
            })
            .await
        };
        pair("other.example", date_time_ymd(2049, 1, 1));
        assert!(matches!(set_up("a").await, Err(Fault::CertificateElsewhere(..))));
        pair("support.example", date_time_ymd(2021, 1, 1));
        assert!(matches!(set_up("a").await, Err(Fault::CertificateElsewhere(..))));
        pair("support.example", date_time_ymd(2049, 1, 1));
        set_up("a").await.expect("the same folder, once it holds");
    }
}
