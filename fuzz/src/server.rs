//! What reaches a server or an administrator's tool as text that somebody wrote: a policy, limits, a proxy's list, settings, a file of
//! rules, a list of breached passwords.

use std::io::Cursor;
use std::net::IpAddr;
use std::path::Path;

use tasuki_admin::policy_file;
use tasuki_admin::policy_file_fault::PolicyFileFault;
use tasuki_protocol::{
    admin::Limits,
    dsse,
    ids::TenantId,
    policy::{
        Policy, RuleBook,
        decide::{ServerLimits, Subject},
    },
    rights::{Capability, Mode, Rights},
    terms::AddressDisclosure,
};
use tasuki_signaling::core::admission::{Admission, client_address, network};
use tasuki_signaling::shell::{config::Configured, rules};

/// An account's limits, asked for times and places from one end to the other.
pub(super) fn limits(bytes: &[u8]) {
    let Ok(limits) = dsse::strict_json::<Limits>(bytes) else { return };
    let Ok(admission) = Admission::try_from(&limits) else { return };
    for unix in [i64::MIN, -1, 0, 1_774_746_000, 1_792_890_000, 253_402_300_799, i64::MAX] {
        let left = admission.seconds_left(unix);
        assert!(left.is_none() == limits.hours.is_none() || left.is_none());
        for place in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "::"] {
            let place: IpAddr = place.parse().expect("an address");
            let is_in = admission.check(place, &limits.macs, unix).is_ok();
            assert!(!is_in || left != Some(0));
        }
    }
}

/// `X-Forwarded-For`, by a proxy's hand and by a stranger's.
pub(super) fn forwarded_for(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|net| network(net).expect("a network"));
    for peer in ["192.0.2.1", "::ffff:192.0.2.1", "::1"] {
        let peer: IpAddr = peer.parse().expect("an address");
        assert_eq!(client_address(peer, Some(&text), &proxies), peer.to_canonical());
    }
    let proxy: IpAddr = "10.0.0.1".parse().expect("an address");
    let client = client_address(proxy, Some(&text), &proxies);
    assert_eq!(client, client.to_canonical());
}

/// Settings, one `key = value` a line, whoever says them.
pub(super) fn server_settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let said = text.lines().filter_map(|line| line.split_once('='));
    let said: Vec<(String, String)> =
        said.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect();
    // Each alone too, since what is behind a wrong one is not looked at.
    let alone = said.iter().map(std::slice::from_ref).chain([said.as_slice()]);
    for said in alone {
        if let Ok(configured) = Configured::gather(Path::new("nowhere"), [], said) {
            assert!(configured.effective().count() > 20);
        }
    }
}

/// Signed or not, and what decides by it.
pub(super) fn policy(bytes: &[u8]) {
    super::document::<Policy>(bytes);
    let Ok(rules) = dsse::strict_json::<RuleBook>(bytes) else { return };
    let policy = Policy { v: 1, tenant: TenantId([0; 8]), version: 1, issued_at: 0, rules };
    let _ = policy.check(policy.tenant);
    let server = ServerLimits { address_disclosure: AddressDisclosure::Public, length_s: 8 * 3600 };
    for mode in Mode::ALL {
        let subject = Subject {
            operator: "a",
            groups: &["b".to_owned()],
            modes: &Mode::ALL,
            certified: Rights::of(&Capability::ALL),
        };
        if let Ok(grant) = policy.decide(&subject, mode, server, 1_793_613_600).outcome {
            assert!(grant.rights.is_within(mode.ceiling()) && grant.length_s <= server.length_s);
        }
    }
}

/// A file of rules, and the place of what is wrong in it.
pub(super) fn policy_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match policy_file::understood(text) {
        Ok(rules) => drop(rules),
        Err(PolicyFileFault::TooLarge) => unreachable!("its size was not looked at"),
        Err(
            PolicyFileFault::Bare { line, .. }
            | PolicyFileFault::BareSection { line, .. }
            | PolicyFileFault::Line { line, .. },
        ) => {
            assert!(line <= text.matches('\n').count() + 1);
        }
    }
}

/// A list that need not be in any order, nor have lines.
pub(super) fn breached_list(bytes: &[u8]) {
    for hash in
        ["0018A45C4D1DEF81644B54AB7F969B88D65E4A2F", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", ""]
    {
        let list = (Cursor::new(bytes), bytes.len() as u64);
        let found = rules::is_in_list(list.0, list.1, hash).expect("memory can be read");
        let there = String::from_utf8_lossy(bytes).to_ascii_uppercase().contains(hash);
        assert!(!found || there);
    }
}
