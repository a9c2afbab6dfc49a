//! Certificates from an ACME authority (RFC 8555), proven on the server's own TLS port (RFC 8737).
//!
//! Decides when a certificate is asked for. It is always for the key that every end has pinned
//! (S72), and connections that stand never notice a newer one.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, LetsEncrypt,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::Digest;

use super::acme_client::Outward;
use super::acme_fault::AcmeFault;
use super::certificate::{self, Facts};
use super::clock;
use super::fault::Fault;
use super::folder::{Folder, read};
use super::listen::SharedTls;
use super::metrics::Metrics;
use super::renewal::{Renewal, certified};
use super::tls::Pair;

/// RFC 8737 §4.
pub(crate) const ACME_ALPN: &[u8] = b"acme-tls/1";
/// What the authority knows this server by, and the certificate it gave last.
pub(crate) const ACME_FILE: &str = "acme.json";
/// How often the certificate in use is looked at: a renewal has weeks.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// Authorities count failures by the hour.
const FIRST_RETRY: Duration = Duration::from_secs(15 * 60);
const LAST_RETRY: Duration = Duration::from_secs(12 * 3600);
/// How long an authority may take to look at the port and to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// From whom certificates come, if from anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The authority's directory, an `https` URL.
    pub directory: Option<String>,
    /// Whom the authority writes to when something is wrong.
    pub contact: Option<String>,
    /// PEM file with the root by which the authority's own TLS is known; `None`: the system's.
    pub root: Option<PathBuf>,
}

impl AcmeSettings {
    /// `letsencrypt`, or the directory of another authority.
    pub(crate) fn directory_of(text: &str) -> Option<String> {
        match text {
            "letsencrypt" => Some(LetsEncrypt::Production.url().to_owned()),
            url => url.starts_with("https://").then(|| url.to_owned()),
        }
    }

    pub(crate) fn rules(&self) -> Option<AcmeRules> {
        let Self { directory, contact, root } = self.clone();
        Some(AcmeRules { directory: directory?, contact, root })
    }
}

#[derive(Debug)]
pub(crate) struct AcmeRules {
    directory: String,
    contact: Option<String>,
    root: Option<PathBuf>,
}

/// What is shown to the authority that comes to look, while it is awaited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Challenge(Arc<RwLock<Option<Arc<ServerConfig>>>>);

impl Challenge {
    pub(crate) fn shown(&self) -> Option<Arc<ServerConfig>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, config: Option<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config.map(Arc::new);
    }
}

#[derive(Debug, thiserror::Error)]
enum Missed {
    #[error(transparent)]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not look at TLS ports (tls-alpn-01)")]
    NoSuchChallenge,
    #[error("the authority did not accept the proof: {0}")]
    NotAccepted(String),
    #[error("the authority's certificate is not for this server's name, key and time")]
    Foreign,
    #[error(transparent)]
    Local(#[from] Fault),
    #[error("a certificate could not be made here: {0}")]
    Making(#[from] rcgen::Error),
    #[error("the proof could not be shown: {0}")]
    Showing(#[from] rustls::Error),
}

/// The contents of [`ACME_FILE`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    directory: String,
    account: serde_json::Value,
    /// SHA-256 of the certificate that the authority gave last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<Digest>,
}

pub(crate) struct Acme {
    pub(crate) rules: AcmeRules,
    /// For whom the certificates are.
    pub(crate) host: String,
    pub(crate) folder: Arc<Folder>,
    pub(crate) tls: SharedTls,
    pub(crate) challenge: Challenge,
    pub(crate) metrics: Arc<Metrics>,
}

impl Acme {
    /// # Errors
    /// As things are set, no authority could ever give a certificate.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.host.parse::<IpAddr>().is_ok() {
            return Err(AcmeFault::WithoutName(self.host.clone()).into());
        }
        self.outward().map(drop)
    }

    fn outward(&self) -> Result<Outward, Fault> {
        Outward::new(&self.rules.directory, self.rules.root.as_deref())
    }

    /// Asks for certificates when they are due, until the future is dropped.
    pub(crate) async fn keep_certified(self) {
        let mut retry = FIRST_RETRY;
        loop {
            let pause = match self.keep().await {
                Ok(()) => {
                    retry = FIRST_RETRY;
                    LOOK_EVERY
                }
                Err(missed) => {
                    Metrics::add(&self.metrics.orders_failed);
                    tracing::warn!(
                        directory = self.rules.directory, error = %missed, next_try_s = retry.as_secs(),
                        "no certificate from the authority: the one in use stays in use"
                    );
                    let pause = retry;
                    retry = LAST_RETRY.min(retry * 2);
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn keep(&self) -> Result<(), Missed> {
        let standing = self.standing()?;
        let given = standing.as_ref().and_then(|standing| standing.given);
        let in_use = read(&self.folder.file(Pair::IN_USE.certificate))?;
        if is_well(&in_use, given, &self.host, clock::unix_row()) {
            return Ok(());
        }
        tracing::info!(directory = self.rules.directory, host = self.host, "a certificate is due");
        let (account, mut standing) = self.account(standing).await?;
        let given = self.ordered(&account).await;
        self.challenge.show(None);
        standing.given = Some(given?);
        self.note(&standing)?;
        tracing::info!("the authority's certificate is in use");
        Ok(())
    }

    /// Of this directory alone: another authority knows nothing of the account.
    fn standing(&self) -> Result<Option<Standing>, Missed> {
        let file = self.folder.file(ACME_FILE);
        if !file.exists() {
            return Ok(None);
        }
        let standing: Option<Standing> = dsse::strict_json(&read(&file)?).ok();
        Ok(standing.filter(|standing| standing.directory == self.rules.directory))
    }

    fn note(&self, standing: &Standing) -> Result<(), Missed> {
        let text = serde_json::to_vec(standing).map_err(instant_acme::Error::from)?;
        Ok(self.folder.write(ACME_FILE, &text)?)
    }

    async fn account(&self, standing: Option<Standing>) -> Result<(Account, Standing), Missed> {
        let builder = Account::builder_with_http(Box::new(self.outward()?));
        if let Some(standing) = standing {
            let credentials: AccountCredentials =
                serde_json::from_value(standing.account.clone()).map_err(instant_acme::Error::from)?;
            return Ok((builder.from_credentials(credentials).await?, standing));
        }
        let contact = self.rules.contact.as_ref().map(|address| format!("mailto:{address}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let directory = self.rules.directory.clone();
        let (account, credentials) = builder.create(&new, directory.clone(), None).await?;
        let credentials = serde_json::to_value(credentials).map_err(instant_acme::Error::from)?;
        let standing = Standing { directory, account: credentials, given: None };
        self.note(&standing)?;
        Ok((account, standing))
    }

    /// The whole way of one order; gives the new certificate's SHA-256 once it is in use.
    async fn ordered(&self, account: &Account) -> Result<Digest, Missed> {
        let names = [Identifier::Dns(self.host.clone())];
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        self.prove(&mut order).await?;
        let key_file = self.folder.file(Pair::IN_USE.key);
        let key = KeyPair::from_pem(&String::from_utf8_lossy(&read(&key_file)?))?;
        let request = CertificateParams::new(vec![self.host.clone()])?.serialize_request(&key)?;
        order.finalize_csr(request.der()).await?;
        let chain = order.poll_certificate(&PATIENCE).await?;
        let leaf = certificate::leaf(chain.as_bytes()).ok_or(Missed::Foreign)?;
        let facts = certificate::facts(chain.as_bytes()).ok_or(Missed::Foreign)?;
        let counts = certificate::is_for(&facts, &self.host) && lives(&facts, clock::unix_row());
        // The administrator may have changed the server's key meanwhile.
        let key = read(&key_file)?;
        let is_ours = certified(chain.as_bytes(), &key, &aws_lc_rs::default_provider()).is_some();
        if !counts || !is_ours {
            return Err(Missed::Foreign);
        }
        self.folder.write(Pair::IN_USE.certificate, chain.as_bytes())?;
        match self.tls.renew() {
            Renewal::Taken => Ok(leaf),
            Renewal::Refused => Err(Missed::Foreign),
        }
    }

    async fn prove(&self, order: &mut Order) -> Result<(), Missed> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge =
                authorization.challenge(ChallengeType::TlsAlpn01).ok_or(Missed::NoSuchChallenge)?;
            let proof = proof(&self.host, challenge.key_authorization().digest().as_ref())?;
            self.challenge.show(Some(proof));
            challenge.set_ready().await?;
        }
        let status = order.poll_ready(&PATIENCE).await?;
        if status == OrderStatus::Ready {
            return Ok(());
        }
        Err(Missed::NotAccepted(self.complaint(order).await.unwrap_or_else(|| format!("{status:?}"))))
    }

    /// What the authority says of a proof that did not hold.
    async fn complaint(&self, order: &mut Order) -> Option<String> {
        let mut authorizations = order.authorizations();
        let authorization = authorizations.next().await?.ok()?;
        let problems = authorization.challenges.iter().filter_map(|one| one.error.as_ref());
        problems.map(ToString::to_string).next()
    }
}

/// Whether the certificate in `pem` is the authority's, for `host`, and not yet due.
fn is_well(pem: &[u8], given: Option<Digest>, host: &str, now: i64) -> bool {
    let is_given = given.is_some() && certificate::leaf(pem) == given;
    let facts = certificate::facts(pem);
    is_given && facts.is_some_and(|facts| certificate::is_for(&facts, host) && lives(&facts, now))
}

/// Whether more than a third of its life is left.
fn lives(facts: &Facts, now: i64) -> bool {
    (facts.ends - now).saturating_mul(3) > facts.ends - facts.begins
}

/// RFC 8737 §3: a certificate for `host` alone that holds the digest of the key authorization.
fn proof(host: &str, digest: &[u8]) -> Result<ServerConfig, Missed> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(key.into())?;
    // Not checked against each other: the extension is critical, and no client's.
    let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![ACME_ALPN.to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;
    const BEGINS: i64 = 1_767_225_600;

    fn certificate(days: i64) -> String {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["help.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = params.not_before + Duration::from_secs((days * DAY) as u64);
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_certificate_is_due_in_its_last_third_and_when_it_is_anothers_or_for_another_name() {
        let pem = certificate(90);
        let pem = pem.as_bytes();
        let given = certificate::leaf(pem);
        assert!(is_well(pem, given, "help.example", BEGINS + 59 * DAY));
        assert!(!is_well(pem, given, "help.example", BEGINS + 61 * DAY));
        assert!(!is_well(pem, given, "other.example", BEGINS));
        assert!(!is_well(pem, None, "help.example", BEGINS));
        assert!(!is_well(pem, certificate::leaf(certificate(90).as_bytes()), "help.example", BEGINS));
        assert!(!is_well(b"half a certificate", given, "help.example", BEGINS));
    }
}
