//! Policies of every kind, drawn at random, and what computers limit themselves to.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tasuki_protocol::policy::local::LocalMaximum;
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::policy::{RuleBook, Rules};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::{AddressDisclosure, Approval, Requirement};

fn switch() -> impl Strategy<Value = Option<bool>> {
    option::of(any::<bool>())
}

fn approval() -> impl Strategy<Value = Option<Approval>> {
    option::of(select(vec![Approval::Never, Approval::Ask, Approval::Allow]))
}

fn requirement() -> impl Strategy<Value = Option<Requirement>> {
    option::of(select(vec![Requirement::Off, Requirement::Optional, Requirement::Required]))
}

fn rules() -> impl Strategy<Value = Rules> {
    use AddressDisclosure as D;
    let disclosure = option::of(select(vec![D::RelayOnly, D::Public, D::All]));
    let modes = option::weighted(0.4, subsequence(Mode::ALL.to_vec(), 1..=5));
    let hours = ["daily 00:00-12:00", "daily 12:00-24:00", "mon-fri 08:00-20:00 Asia/Tokyo"];
    let windows = subsequence(hours.map(|text| text.parse().unwrap()).to_vec(), 1..=3);
    let base = option::weighted(0.2, select(Preset::ALL.to_vec()));
    let more = (base, modes, option::weighted(0.2, windows), option::of(1u16..=480), disclosure);
    let demands = (requirement(), requirement(), requirement());
    (vec(switch(), 9), (approval(), approval()), demands, more).prop_map(
        |(switches, (fetch_files, send_files), demands, more)| Rules {
            base: more.0,
            modes: more.1,
            see_screen: switches[0],
            operate: switches[1],
            choose_screen: switches[2],
            fetch_files,
            send_files,
            read_clipboard: switches[3],
            write_clipboard: switches[4],
            screenshot: switches[5],
            chat: switches[6],
            point: switches[7],
            reconnect: switches[8],
            recording: demands.0,
            application_selection: demands.1,
            address_disclosure: more.4,
            hours: more.2,
            max_minutes: more.3,
            reason: demands.2,
        },
    )
}

pub(crate) fn rule_book() -> impl Strategy<Value = RuleBook> {
    let section = || option::weighted(0.7, rules());
    (rules(), section(), section(), section()).prop_map(|(default, group, other, own)| {
        let mut book = RuleBook { default, ..RuleBook::default() };
        for (name, rules) in [("desk", group), ("elsewhere", other)] {
            book.group.0.extend(rules.map(|rules| (name.to_owned(), rules)));
        }
        book.operator.0.extend(own.map(|rules| ("op1".to_owned(), rules)));
        book
    })
}

/// A computer's own maximum, of what it may decide for itself; mostly it has none.
pub(crate) fn maximum() -> impl Strategy<Value = LocalMaximum> {
    option::weighted(0.3, rules()).prop_map(|own| {
        let own = own.map(|rules| Rules {
            hours: None,
            address_disclosure: None,
            max_minutes: None,
            reason: None,
            recording: rules.recording.filter(|recording| *recording != Requirement::Required),
            ..rules
        });
        own.map_or_else(LocalMaximum::default, |rules| LocalMaximum::default().and(rules).unwrap())
    })
}
