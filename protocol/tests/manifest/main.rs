//! The manifest: any change, any other binding and any excess is refused whole.

mod certificates;

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::certificate::{Authorities, Certificate};
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse::{self, DocumentRefused};
use tasuki_protocol::grant::Standing;
use tasuki_protocol::ids::{Challenge, DeviceKey, Digest, PROTOCOL_VERSION, SessionId, TenantId};
use tasuki_protocol::manifest::{Abilities, Binding, Manifest, ManifestRefused, VerifiedManifest};
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::rights::{Capability, Mode, Operate, Rights, SeeScreen};
use tasuki_protocol::terms::{AddressDisclosure, Approval, FileRules, Requirement};

const DAY: u64 = 24 * 3600;
const NOW: u64 = 1_800_000_000;

fn server() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn public(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

fn manifest(mode: Mode) -> Manifest {
    Manifest {
        v: PROTOCOL_VERSION,
        tenant: TenantId([3; 8]),
        session: SessionId([5; 16]),
        operator: "olivia".to_owned(),
        operator_name: "オペレータ 花子".to_owned(),
        operator_key: DeviceKey([10; 32]),
        agent_key: DeviceKey([11; 32]),
        challenge: Challenge([12; 32]),
        mode,
        capabilities: mode.ceiling(),
        files: FileRules::of(mode.ceiling(), Approval::Ask),
        application_selection: Requirement::Optional,
        recording: Requirement::Off,
        address_disclosure: AddressDisclosure::Public,
        issued_at: NOW,
        start_within: 600,
        length: 3600,
        policy_version: 1,
        reason: None,
        certificate: Blob(dsse::sign(&certificate(), &lock())),
    }
}

fn lock() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn certificate() -> Certificate {
    Certificate {
        v: PROTOCOL_VERSION,
        tenant: TenantId([3; 8]),
        operator: "olivia".to_owned(),
        display_name: "オペレータ 花子".to_owned(),
        device: DeviceKey([10; 32]),
        modes: Mode::ALL.to_vec(),
        rights: Rights::of(&Capability::ALL),
        not_before: NOW - 3600,
        not_after: NOW + DAY,
    }
}

fn authorities() -> Authorities {
    Authorities {
        tenant: TenantId([3; 8]),
        manifest_keys: vec![public(&server())],
        lock_keys: vec![public(&lock())],
        revoked: Vec::new(),
        unix: NOW,
    }
}

/// What becomes of a manifest whose certificate was altered before the lock key signed it.
fn certified(alter: impl FnOnce(&mut Certificate)) -> Option<ManifestRefused> {
    let mut altered = certificate();
    alter(&mut altered);
    refused(|m| m.certificate = Blob(dsse::sign(&altered, &lock())))
}

fn binding() -> Binding {
    let honest = manifest(Mode::Control);
    Binding {
        tenant: honest.tenant,
        session: honest.session,
        operator_key: honest.operator_key,
        agent_key: honest.agent_key,
        challenge: honest.challenge,
    }
}

const UNABLE: Abilities = Abilities { application_selection: false, recording: false };

fn verify(envelope: &[u8], now: Instant) -> Result<VerifiedManifest, ManifestRefused> {
    VerifiedManifest::verify(envelope, &authorities(), &binding(), UNABLE, now)
}

fn refused(alter: impl FnOnce(&mut Manifest)) -> Option<ManifestRefused> {
    let mut document = manifest(Mode::Control);
    alter(&mut document);
    verify(&dsse::sign(&document, &server()), Instant::now()).err()
}

#[test]
fn t11_no_manifest_with_one_bit_changed_is_accepted() {
    let envelope = dsse::sign(&manifest(Mode::Control), &server());
    let now = Instant::now();
    assert!(verify(&envelope, now).is_ok());
    for bit in 0..envelope.len() * 8 {
        let mut changed = envelope.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, now).is_err(), "bit {bit}");
    }
}

#[test]
fn t12_times_out_of_bounds_are_refused_and_rights_end_on_the_receivers_clock() {
    assert_eq!(refused(|m| m.start_within = 0), Some(ManifestRefused::Times));
    assert_eq!(refused(|m| m.start_within = 15 * 60 + 1), Some(ManifestRefused::Times));
    assert_eq!(refused(|m| m.length = 0), Some(ManifestRefused::Times));
    assert_eq!(refused(|m| m.length = 8 * 3600 + 1), Some(ManifestRefused::Times));
    assert_eq!(refused(|m| m.length = u64::MAX), Some(ManifestRefused::Times));
    // F12: the server's wall clock decides nothing.
    assert_eq!(refused(|m| m.issued_at = 0), None);
    let now = Instant::now();
    let verified = verify(&dsse::sign(&manifest(Mode::Control), &server()), now).unwrap();
    assert_eq!(verified.start_by(), now + Duration::from_secs(600));
    assert_eq!(verified.ends(), now + Duration::from_secs(3600));
}

#[test]
fn t13_a_manifest_of_another_session_is_no_manifest() {
    let other: [fn(&mut Manifest); 6] = [
        |m| m.tenant = TenantId([9; 8]),
        |m| m.session = SessionId([9; 16]),
        |m| m.operator_key = DeviceKey([9; 32]),
        |m| m.agent_key = DeviceKey([9; 32]),
        |m| m.challenge = Challenge([9; 32]),
        |m| std::mem::swap(&mut m.operator_key, &mut m.agent_key),
    ];
    for alter in other {
        assert_eq!(refused(alter), Some(ManifestRefused::Binding));
    }
    assert_eq!(refused(|m| m.v += 1), Some(ManifestRefused::Version));
}

#[test]
fn t14_only_a_trusted_key_signs_manifests() {
    let stranger = SigningKey::from_bytes(&[66; 32]);
    let envelope = dsse::sign(&manifest(Mode::Control), &stranger);
    let unknown = Some(ManifestRefused::Document(DocumentRefused::UnknownKey));
    assert_eq!(verify(&envelope, Instant::now()).err(), unknown);
    // A stranger's signature under the trusted key's name.
    let text = String::from_utf8(envelope).unwrap();
    let named = text.replace(&public(&stranger).to_string(), &public(&server()).to_string());
    let forged = Some(ManifestRefused::Document(DocumentRefused::Forged));
    assert_eq!(verify(named.as_bytes(), Instant::now()).err(), forged);
}

#[test]
fn t15_what_is_not_strict_json_of_this_very_type_is_refused() {
    let honest = serde_json::to_string(&manifest(Mode::Control)).unwrap();
    let open = |text: &str| dsse::strict_json::<Manifest>(text.as_bytes());
    assert!(open(&honest).is_ok());
    let unknown = honest.replacen('{', "{\"extra\":1,", 1);
    // T33: nor one that would hide the bar.
    let quiet = honest.replacen('{', "{\"banner\":false,", 1);
    let twice = honest.replacen('{', "{\"v\":1,", 1);
    let trailing = format!("{honest} {{}}");
    let array = format!("[{honest}]");
    let capability = honest.replace("see_screen", "see_everything");
    let repeated = honest.replace("\"see_screen\"", "\"see_screen\",\"see_screen\"");
    let sixth_mode = honest.replace("\"control\"", "\"haunt\"");
    let spaced = format!(" {honest}");
    for bad in [unknown, quiet, twice, trailing, array, capability, repeated, sixth_mode, spaced] {
        assert_eq!(open(&bad).err(), Some(DocumentRefused::Malformed), "{bad}");
    }
    let as_consent = Consent {
        transcript: Digest([0; 32]),
        manifest: Digest([0; 32]),
        shown: Digest([0; 32]),
        answer: Answer::Accepted,
        granted: Rights::NONE,
    };
    let other_type = Some(ManifestRefused::Document(DocumentRefused::OtherType));
    assert_eq!(verify(&dsse::sign(&as_consent, &server()), Instant::now()).err(), other_type);
    let large = refused(|m| m.operator = "x".repeat(17 * 1024));
    assert!(matches!(large, Some(ManifestRefused::Document(DocumentRefused::TooLarge))), "{large:?}");
}

#[test]
fn s1_a_sixth_mode_does_not_exist() {
    assert_eq!(Mode::ALL.len(), 5);
    for name in ["haunt", "Control", "", "manage "] {
        assert!(name.parse::<Mode>().is_err(), "{name}");
    }
}

#[test]
fn t16_a_manifest_wider_than_its_mode_is_refused_whole() {
    for mode in Mode::ALL {
        for capability in Capability::ALL {
            let mut document = manifest(mode);
            document.capabilities = Rights::of(&[capability]);
            document.files = FileRules::of(document.capabilities, Approval::Allow);
            let taken = verify(&dsse::sign(&document, &server()), Instant::now());
            let fits = mode.ceiling().has(capability);
            assert_eq!(taken.is_ok(), fits, "{mode} {capability:?}");
        }
    }
}

#[test]
fn t16_a_manifest_whose_file_rules_and_rights_disagree_is_refused_whole() {
    let never = FileRules::default();
    assert_eq!(refused(|m| m.files = never), Some(ManifestRefused::TooWide));
    assert_eq!(
        refused(|m| m.capabilities = m.capabilities.without(Capability::SendFiles)),
        Some(ManifestRefused::TooWide)
    );
}

#[test]
fn t8_a_reason_that_deceives_is_refused() {
    for reason in ["", " late", "a\u{202E}b", &"x".repeat(121)] {
        assert_eq!(refused(|m| m.reason = Some(reason.to_owned())), Some(ManifestRefused::Name));
    }
}

#[test]
fn t16_what_this_computer_takes_away_is_gone_from_the_manifest_and_stays_gone() {
    let take = |text: &str, mode: Mode| {
        let maximum = LocalMaximum::default().and(serde_json::from_str(text).unwrap()).unwrap();
        let envelope = dsse::sign(&manifest(mode), &server());
        verify(&envelope, Instant::now()).and_then(|verified| verified.under(&maximum, UNABLE))
    };
    let narrowed = take(r#"{"send_files":"never","operate":false}"#, Mode::Control).unwrap();
    assert!(!narrowed.manifest().capabilities.has(Capability::Operate));
    assert_eq!(narrowed.manifest().files, FileRules { fetch: Approval::Ask, send: Approval::Never });
    let refused = |text: &str| take(text, Mode::Control).unwrap_err();
    assert_eq!(refused(r#"{"modes":["view"]}"#), ManifestRefused::Local);
    assert_eq!(refused(r#"{"application_selection":"required"}"#), ManifestRefused::Demand);
}

#[test]
fn t8_names_that_deceive_are_refused() {
    let names = [
        "",
        " olivia",
        "a\u{202E}b",
        "a\u{200B}b",
        "a\nb",
        "a\u{0}b",
        "\u{3164}",
        "\u{43e}livia",
        "オリ\u{3b2}ア",
        "Zoe\u{308}",
        "a\u{316}\u{317}\u{318}\u{319}\u{31c}",
    ];
    for name in names {
        assert_eq!(
            refused(|m| m.operator_name = name.to_owned()),
            Some(ManifestRefused::Name),
            "{name:?}"
        );
    }
    let long = "あ".repeat(41);
    assert_eq!(refused(|m| m.operator_name = long), Some(ManifestRefused::Name));
    let name = "あ".repeat(40);
    let mut long = certificate();
    long.display_name.clone_from(&name);
    let taken = refused(|m| {
        m.operator_name = name;
        m.certificate = Blob(dsse::sign(&long, &lock()));
    });
    assert_eq!(taken, None);
}

#[test]
fn s42_s67_t31_an_agent_that_cannot_keep_to_an_application_refuses_the_demand_and_no_more() {
    use Requirement::{Off, Optional, Required};
    for demand in [Off, Optional, Required] {
        let expected = (demand == Required).then_some(ManifestRefused::Demand);
        assert_eq!(refused(|m| m.application_selection = demand), expected, "{demand:?}");
        assert_eq!(refused(|m| m.recording = demand), expected, "{demand:?}");
    }
}

#[test]
fn rights_are_the_least_of_mode_manifest_machine_and_click_and_none_without_an_acceptance() {
    let now = Instant::now();
    let envelope = dsse::sign(&manifest(Mode::Control), &server());
    let verified = verify(&envelope, now).unwrap();
    let all = Rights::of(&Capability::ALL);
    let consent = |answer, granted| Consent {
        transcript: Digest([0; 32]),
        manifest: verified.digest(),
        shown: Digest([0; 32]),
        answer,
        granted,
    };
    let yes = consent(Answer::Accepted, all);
    assert_eq!(
        verified.effective(all, &yes, &Standing::of(&yes), now).rights(),
        Mode::Control.ceiling()
    );
    let local = Rights::of(&[Capability::SeeScreen]);
    assert!(verified.effective(local, &yes, &Standing::of(&yes), now).permit::<Operate>().is_none());
    assert!(verified.effective(local, &yes, &Standing::of(&yes), now).permit::<SeeScreen>().is_some());
    let clicked = consent(Answer::Accepted, Rights::of(&[Capability::SeeScreen]));
    assert!(
        verified.effective(all, &clicked, &Standing::of(&clicked), now).permit::<Operate>().is_none()
    );
    for answer in [Answer::Refused, Answer::Silent] {
        let no = consent(answer, all);
        assert_eq!(verified.effective(all, &no, &Standing::of(&yes), now).rights(), Rights::NONE);
    }
    let over = now + Duration::from_secs(3600);
    assert_eq!(verified.effective(all, &yes, &Standing::of(&yes), over).rights(), Rights::NONE, "T12");
    let foreign = Consent { manifest: Digest([9; 32]), ..yes };
    assert_eq!(verified.effective(all, &foreign, &Standing::of(&foreign), now).rights(), Rights::NONE);
}
