//! Certificates: whose they are, how long, and what they let a manifest allow.

use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::{Certificate, CertificateRefused, Revocations};
use tasuki_protocol::dsse::{self, DocumentRefused};
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::manifest::{ManifestRefused, VerifiedManifest};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::{Approval, FileRules};

use crate::{
    DAY, NOW, UNABLE, authorities, binding, certificate, certified, lock, manifest, refused, server,
    verify,
};

#[test]
fn t11_no_certificate_with_one_bit_changed_is_accepted() {
    let envelope = dsse::sign(&certificate(), &lock());
    let device = certificate().device;
    assert_eq!(Certificate::open(&envelope, &authorities(), &device), Ok(certificate()));
    for bit in 0..envelope.len() * 8 {
        let mut changed = envelope.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(Certificate::open(&changed, &authorities(), &device).is_err(), "bit {bit}");
    }
}

#[test]
fn t14_only_the_lock_key_certifies_and_it_signs_nothing_else() {
    let by = |key: &SigningKey| refused(|m| m.certificate = Blob(dsse::sign(&certificate(), key)));
    let unknown = CertificateRefused::Document(DocumentRefused::UnknownKey);
    assert_eq!(by(&lock()), None);
    for stranger in [server(), SigningKey::from_bytes(&[66; 32])] {
        assert_eq!(by(&stranger), Some(ManifestRefused::Certificate(unknown)));
    }
    // The lock key's word is no manifest, and a manifest is no certificate.
    let by_lock = dsse::sign(&manifest(Mode::Control), &lock());
    let unknown = ManifestRefused::Document(DocumentRefused::UnknownKey);
    assert_eq!(verify(&by_lock, Instant::now()).err(), Some(unknown));
    let other_type = CertificateRefused::Document(DocumentRefused::OtherType);
    let manifest = Blob(dsse::sign(&manifest(Mode::Control), &lock()));
    let taken = refused(|m| m.certificate = manifest);
    assert_eq!(taken, Some(ManifestRefused::Certificate(other_type)));
    let malformed = CertificateRefused::Document(DocumentRefused::Malformed);
    let taken = refused(|m| m.certificate = Blob(Vec::new()));
    assert_eq!(taken, Some(ManifestRefused::Certificate(malformed)));
}

#[test]
fn t13_a_certificate_of_another_device_tenant_or_version_is_none() {
    let binding = Some(ManifestRefused::Certificate(CertificateRefused::Binding));
    assert_eq!(certified(|c| c.device = DeviceKey([9; 32])), binding);
    assert_eq!(certified(|c| c.tenant = TenantId([9; 8])), binding);
    assert_eq!(certified(|c| c.v += 1), binding);
}

#[test]
fn t8_the_operators_name_is_the_certificates_and_not_the_servers() {
    let other = Some(ManifestRefused::NotCertified);
    assert_eq!(refused(|m| m.operator_name = "Bank of Japan".to_owned()), other);
    assert_eq!(refused(|m| m.operator = "root".to_owned()), other);
    let name = Some(ManifestRefused::Certificate(CertificateRefused::Name));
    for deceiving in ["a\u{202E}b", "B\u{430}nk", "Zoe\u{308}"] {
        assert_eq!(certified(|c| c.display_name = deceiving.to_owned()), name, "{deceiving}");
        assert_eq!(certified(|c| c.operator = deceiving.to_owned()), name, "{deceiving}");
    }
    let verified = verify(&dsse::sign(&manifest(Mode::Control), &server()), Instant::now()).unwrap();
    assert_eq!(verified.certificate().display_name, "オペレータ 花子");
}

#[test]
fn t16_a_manifest_wider_than_its_certificate_is_refused_whole() {
    let other = Some(ManifestRefused::NotCertified);
    assert_eq!(certified(|c| c.modes = vec![Mode::View]), other);
    assert_eq!(certified(|c| c.modes = Vec::new()), other);
    for capability in Mode::Control.ceiling().iter() {
        let without = Rights::of(&Capability::ALL).without(capability);
        assert_eq!(certified(|c| c.rights = without), other, "{capability:?}");
        let mut narrow = certificate();
        narrow.rights = without;
        let taken = refused(|m| {
            m.certificate = Blob(dsse::sign(&narrow, &lock()));
            m.capabilities = m.capabilities.without(capability);
            m.files = FileRules::of(m.capabilities, Approval::Ask);
        });
        assert_eq!(taken, None, "{capability:?}");
    }
}

#[test]
fn t14_a_certificate_out_of_its_time_or_made_for_too_long_is_refused() {
    let times = Some(ManifestRefused::Certificate(CertificateRefused::Times));
    let too_long = Some(ManifestRefused::Certificate(CertificateRefused::TooLong));
    let life = |from: u64, until: u64| {
        certified(|c| {
            c.not_before = from;
            c.not_after = until;
        })
    };
    assert_eq!(life(NOW - 10 * DAY, NOW - 2 * DAY), times);
    assert_eq!(life(NOW + 2 * DAY, NOW + 10 * DAY), times);
    assert_eq!(life(NOW, NOW + 90 * DAY + 1), too_long);
    assert_eq!(life(NOW, NOW - 1), too_long);
    assert_eq!(life(0, u64::MAX), too_long);
    assert_eq!(life(NOW, NOW + 90 * DAY), None);
    // F12: a clock that is wrong by a day stops nobody.
    assert_eq!(life(NOW - 10 * DAY, NOW - DAY), None);
    assert_eq!(life(NOW + DAY, NOW + 10 * DAY), None);
}

#[test]
fn t14_a_revoked_device_is_refused_and_an_older_list_changes_nothing() {
    let mut told = authorities();
    told.revoked = vec![DeviceKey([10; 32])];
    let envelope = dsse::sign(&manifest(Mode::Control), &server());
    let taken = VerifiedManifest::verify(&envelope, &told, &binding(), UNABLE, Instant::now());
    let revoked = ManifestRefused::Certificate(CertificateRefused::Revoked);
    assert_eq!(taken.err(), Some(revoked));
    let list = Revocations {
        v: PROTOCOL_VERSION,
        tenant: TenantId([3; 8]),
        version: 4,
        devices: told.revoked,
        issued_at: NOW,
    };
    let open = |key: &SigningKey, tenant, known| {
        Revocations::open(&dsse::sign(&list, key), tenant, &authorities().lock_keys, known)
    };
    let own = list.tenant;
    assert_eq!(open(&lock(), own, 4).as_ref(), Ok(&list));
    assert_eq!(open(&lock(), own, 5), Err(CertificateRefused::Rollback));
    assert_eq!(open(&lock(), TenantId([9; 8]), 0), Err(CertificateRefused::Binding));
    let unknown = CertificateRefused::Document(DocumentRefused::UnknownKey);
    assert_eq!(open(&server(), own, 0), Err(unknown));
}
