//! The receipt: the same at both ends and signed by both where both are there, by
//! one where not, and by nobody who did not see it so (S97, S99, T10).

use std::time::Duration;

use tasuki_peer::core::io::{DesktopCommand, HumanAct, Input, Output, Reply, SessionEvent};
use tasuki_peer::shell::profile::Profile;
use tasuki_peer::shell::receipt;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::{
    Asked, Either, EndReason, EndToEnd, HostToViewer, SessionMessage, ViewerToHost,
};
use tasuki_protocol::receipt::{CheckedReceipt, Ender, Receipt, ReceiptRefused};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::CloseReason;
use tasuki_signaling::core::rooms::Input as Rooms;
use tasuki_tests::hostile::puppet::{Puppet, events};
use tasuki_tests::stack::assert_aes_256;
use tasuki_tests::world::World;

fn kept(world: &mut World, role: Role) -> CheckedReceipt {
    let envelope = world.end(role).receipt.clone().expect("a receipt is kept");
    CheckedReceipt::open(&envelope).expect("it holds")
}

fn both_over(world: &mut World) -> bool {
    [Role::Operator, Role::Agent]
        .into_iter()
        .all(|role| world.end(role).peer.as_ref().is_none_or(|peer| peer.is_over()))
}

/// The rights of Operate are asked for and allowed on the way, in the modes that have them.
fn eventful(mode: Mode) -> World {
    let mut world = World::session(mode);
    let viewer = mode.viewer();
    world.input(viewer, Input::Human(HumanAct::TookScreenshot));
    if mode.ceiling().has(Capability::Operate) {
        let rights = Rights::of(&[Capability::Operate]);
        world.input(mode.host(), Input::Human(HumanAct::TakeAway(rights)));
        world.run(Duration::from_millis(500));
        world.input(viewer, Input::Human(HumanAct::AskRights { rights, seconds: 60 }));
        world.run(Duration::from_secs(2));
        assert!(world.host().asked.is_some(), "{mode}: the person is asked");
        let answer =
            HumanAct::Answer { what: Asked::MoreRights, reply: Reply::Yes, shown: Digest([9; 32]) };
        world.input(mode.host(), Input::Human(answer));
    }
    world.run(Duration::from_secs(3));
    world
}

#[test]
fn s97_s99_both_ends_keep_one_receipt_signed_by_both_whoever_ends_it_in_every_mode() {
    for mode in Mode::ALL {
        for (role, reason) in
            [(Role::Operator, EndReason::OperatorEnded), (Role::Agent, EndReason::UserEnded)]
        {
            let mut world = eventful(mode);
            world.input(role, Input::Human(HumanAct::End(reason)));
            assert!(world.run_until(Duration::from_secs(5), both_over), "{mode}: both are over");
            let (own, others) = (kept(&mut world, Role::Operator), kept(&mut world, Role::Agent));
            assert_eq!(own.receipt, others.receipt, "{mode}");
            for receipt in [&own, &others] {
                assert_eq!(receipt.signed_by.len(), 2, "{mode}: both names");
            }
            let Receipt { ended_by, screenshots, paths, software, began_at, .. } = &own.receipt;
            let ender = if role == Role::Operator { Ender::Operator } else { Ender::Agent };
            assert_eq!((own.receipt.reason, *ended_by), (reason, ender), "{mode}");
            assert_eq!(screenshots.len(), 1, "{mode}");
            assert!(!paths.is_empty(), "{mode}");
            for path in paths {
                assert!(!path.ciphers.is_empty(), "{mode}");
                path.ciphers.iter().for_each(|cipher| assert_aes_256(cipher).unwrap());
            }
            assert_eq!((software.operator.as_str(), software.agent.as_str()), ("operator", "agent"));
            assert!(*began_at >= 1_800_000_000, "{mode}");
            assert_eq!(own.manifest.mode, mode);
            assert!(own.consent.granted.is_within(mode.ceiling()), "{mode}");
            if mode.ceiling().has(Capability::Operate) {
                let told: Vec<Change> = own.changes.iter().map(|change| change.change).collect();
                assert_eq!(told, [Change::TakenAway, Change::Granted], "{mode}");
            }
        }
    }
}

#[test]
fn r1_the_receipt_lists_the_addresses_that_passed_between_the_ends() {
    let mut world = World::session(Mode::Control);
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(world.run_until(Duration::from_secs(5), both_over));
    let listed = kept(&mut world, Role::Agent).receipt.addresses;
    for role in [Role::Operator, Role::Agent] {
        assert!(
            listed.iter().any(|a| a.of == role && a.address.starts_with("198.51.100.")),
            "{listed:?}"
        );
    }
}

#[test]
fn s97_an_end_that_is_alone_signs_alone_and_says_so() {
    let mut world = World::session(Mode::Control);
    world.kill(Role::Operator);
    world.run(Duration::from_secs(1));
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(world.run_until(Duration::from_secs(5), both_over));
    let receipt = kept(&mut world, Role::Agent);
    assert_eq!(receipt.signed_by, [Role::Agent]);
    assert_eq!(receipt.receipt.software.operator, "", "it did not say");
}

#[test]
fn f9_when_the_connection_is_lost_each_end_keeps_its_own() {
    let mut world = World::session(Mode::Control);
    world.kill(Role::Agent);
    assert!(world.run_until(Duration::from_secs(90), |w| w.operator.receipt.is_some()));
    let receipt = kept(&mut world, Role::Operator);
    assert_eq!(receipt.signed_by, [Role::Operator]);
    assert_eq!(
        (receipt.receipt.reason, receipt.receipt.ended_by),
        (EndReason::ConnectionLost, Ender::Nobody)
    );
}

/// T10: for the organisation the server alone speaks.
#[test]
fn t10_an_end_that_claims_to_be_taken_back_by_the_organisation_is_not_believed() {
    let claim = EndReason::Withdrawn;
    for on_its_path in [true, false] {
        let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
        if on_its_path {
            puppet.say(SessionMessage::Either(Either::End(claim)));
        } else {
            puppet.say_sealed(&EndToEnd::End(claim));
        }
        let ended = puppet.events().into_iter().find_map(|event| {
            let SessionEvent::Ended { reason, .. } = event else { return None };
            Some(reason)
        });
        assert_eq!(ended, Some(EndReason::ProgramEnded), "on its path: {on_its_path}");
    }
}

fn said_end(puppet: &Puppet) -> Option<EndReason> {
    puppet.heard().into_iter().find_map(|said| {
        let SessionMessage::Either(Either::End(reason)) = said else { return None };
        Some(reason)
    })
}

/// T17: an end that the server closed stops at once, leaves it to the server to say so to the other end, and says it
/// itself where that does not come about, also if its person goes before.
#[test]
fn t17_what_the_server_ended_is_told_by_the_server_first_and_by_the_other_end_where_it_cannot() {
    for role in [Role::Operator, Role::Agent] {
        let close = || {
            let mut puppet = Puppet::accepted(role, Mode::Control, Mode::Control.ceiling());
            puppet.closed(CloseReason::Withdrawn);
            let ended = |e: &SessionEvent| matches!(e, SessionEvent::Ended { .. });
            assert!(puppet.events().iter().any(ended), "{role:?}: here it is over at once");
            puppet
        };
        let mut puppet = close();
        for _ in 0..9 {
            puppet.wait(Duration::from_millis(100));
            assert_eq!(said_end(&puppet), None, "{role:?}");
        }
        puppet.wait(Duration::from_millis(200));
        assert_eq!(said_end(&puppet), Some(EndReason::Withdrawn), "{role:?}");

        let mut puppet = close();
        puppet.turn(Input::Human(HumanAct::End(EndReason::ProgramEnded)));
        assert_eq!(said_end(&puppet), Some(EndReason::Withdrawn), "{role:?}: it goes now");
        assert!(puppet.peer.is_over());
    }
    // The host has heard it from the server, too: the receipt is asked for without waiting.
    let mut puppet = Puppet::accepted(Role::Operator, Mode::Control, Mode::Control.ceiling());
    puppet.closed(CloseReason::Withdrawn);
    let awaited = |puppet: &Puppet| {
        let is_it = |said: &SessionMessage| {
            matches!(said, SessionMessage::ViewerToHost(ViewerToHost::ReceiptAwaited { .. }))
        };
        puppet.heard().iter().any(is_it)
    };
    assert!(!awaited(&puppet), "who still shows is asked for no receipt");
    puppet.say(SessionMessage::Either(Either::End(EndReason::Withdrawn)));
    assert!(awaited(&puppet));
}

/// S97, T17: what the server ends has a receipt of both, which says so, in every mode.
#[test]
fn s97_t17_a_session_that_the_organisation_ends_has_one_receipt_signed_by_both() {
    for mode in Mode::ALL {
        let mut world = eventful(mode);
        let session = world.server.sessions(world.now)[0].session;
        world.decree(Rooms::Ended { session });
        assert!(world.run_until(Duration::from_secs(5), both_over), "{mode}: both are over");
        let (own, others) = (kept(&mut world, Role::Operator), kept(&mut world, Role::Agent));
        assert_eq!(own.receipt, others.receipt, "{mode}");
        assert_eq!((own.signed_by.len(), others.signed_by.len()), (2, 2), "{mode}: both names");
        let Receipt { reason, ended_by, .. } = own.receipt;
        assert_eq!((reason, ended_by), (EndReason::Withdrawn, Ender::Server), "{mode}");
    }
}

/// S31: nothing but signatures passes after the end.
#[test]
fn s31_while_the_receipt_is_signed_no_act_of_the_viewer_has_an_effect() {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    let outputs = puppet.turn(Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(matches!(outputs.first(), Some(Output::Desktop(DesktopCommand::Stop))));
    assert!(!puppet.peer.is_over(), "it waits for the other's name");
    let text = ViewerToHost::Input(InputEvent::Text("x".to_owned()));
    for act in [text, ViewerToHost::ScreenshotTaken, ViewerToHost::NeedKeyFrame] {
        let outputs = puppet.say(SessionMessage::ViewerToHost(act));
        assert!(
            !outputs.iter().any(|o| matches!(o, Output::Desktop(_) | Output::Tell(_))),
            "{outputs:?}"
        );
    }
    for _ in 0..20 {
        puppet.wait(Duration::from_millis(100));
    }
    assert!(puppet.peer.is_over(), "not for long");
}

fn receipt_of(outputs: &[Output]) -> Option<CheckedReceipt> {
    outputs.iter().find_map(|output| {
        let Output::Keep(envelope) = output else { return None };
        Some(CheckedReceipt::open(&envelope.0).expect("it holds"))
    })
}

fn offer_of(puppet: &Puppet) -> Blob {
    let offered = puppet.heard().into_iter().find_map(|said| {
        let SessionMessage::HostToViewer(HostToViewer::ReceiptOffered { envelope }) = said else {
            return None;
        };
        Some(envelope)
    });
    offered.expect("a receipt is offered")
}

fn ended_host() -> Puppet {
    let mut puppet = Puppet::accepted(Role::Agent, Mode::Control, Mode::Control.ceiling());
    puppet.turn(Input::Human(HumanAct::End(EndReason::UserEnded)));
    let awaited = ViewerToHost::ReceiptAwaited { software: "evil \u{202e}<script>".to_owned() };
    puppet.say(SessionMessage::ViewerToHost(awaited));
    puppet.wait(Duration::from_millis(50));
    puppet
}

#[test]
fn t10_a_host_keeps_its_own_word_when_the_viewer_signs_something_else() {
    let honest = offer_of(&ended_host());
    let (document, _) = dsse::open_cosigned::<Receipt>(&honest.0).expect("signed");
    assert!(!document.software.operator.contains('\u{202e}'), "T66: {document:?}");
    let key = tasuki_tests::hostile::operator_key();
    let mut other = document.clone();
    other.screenshots.push(1);
    let forged = dsse::sign(&other, &key);
    let stranger = tasuki_tests::hostile::key(99);
    for (name, envelope) in [
        ("its own document", forged),
        ("a stranger's name", dsse::cosign::<Receipt>(&honest.0, &stranger).expect("it signs")),
        ("only the host's name", honest.0.clone()),
        ("no document", vec![1, 2, 3]),
    ] {
        let mut puppet = ended_host();
        let signed = ViewerToHost::ReceiptSigned { envelope: Blob(envelope) };
        let outputs = puppet.say(SessionMessage::ViewerToHost(signed));
        let kept = receipt_of(&outputs).expect("it keeps one");
        assert_eq!((kept.signed_by, &kept.receipt), (vec![Role::Agent], &document), "{name}");
        assert!(puppet.peer.is_over());
    }
    let mut puppet = ended_host();
    let envelope = Blob(dsse::cosign::<Receipt>(&honest.0, &key).expect("it signs"));
    let outputs = puppet.say(SessionMessage::ViewerToHost(ViewerToHost::ReceiptSigned { envelope }));
    assert_eq!(receipt_of(&outputs).expect("kept").signed_by, [Role::Agent, Role::Operator]);
}

#[test]
fn t10_a_viewer_signs_only_what_it_saw_itself() {
    type Lie = fn(&mut Receipt);
    let lies: [(&str, Lie); 11] = [
        ("a picture that nobody kept", |r| r.screenshots.push(1)),
        ("another reason", |r| r.reason = EndReason::OperatorEnded),
        ("another ender", |r| r.ended_by = Ender::Operator),
        ("another organisation", |r| r.organisation = "Other".to_owned()),
        ("another pairing", |r| r.transcript = Digest([1; 32])),
        ("another consent", |r| r.consent = Blob(vec![])),
        ("another version", |r| r.v = 2),
        ("an hour more", |r| r.lasted_s += 3600),
        ("a month ago", |r| r.began_at -= 30 * 86400),
        ("a month ahead", |r| r.began_at += 30 * 86400),
        ("another program", |r| r.software.operator = "operator 9".to_owned()),
    ];
    for (name, lie) in lies {
        let (mut puppet, key) = ended_viewer();
        let mut receipt = puppet.receipt(Mode::Control);
        lie(&mut receipt);
        let envelope = Blob(dsse::sign(&receipt, &key));
        let outputs =
            puppet.say(SessionMessage::HostToViewer(HostToViewer::ReceiptOffered { envelope }));
        let kept = receipt_of(&outputs).expect("it keeps its own");
        assert_eq!(kept.signed_by, [Role::Operator], "{name}");
    }
    let (mut puppet, key) = ended_viewer();
    let envelope = Blob(dsse::sign(&puppet.receipt(Mode::Control), &key));
    puppet.say(SessionMessage::HostToViewer(HostToViewer::ReceiptOffered { envelope }));
    for _ in 0..20 {
        puppet.wait(Duration::from_millis(100));
    }
    assert_eq!(receipt_of(&puppet.log).expect("kept").signed_by, [Role::Agent, Role::Operator]);
}

fn ended_viewer() -> (Puppet, ed25519_dalek::SigningKey) {
    let mut puppet = Puppet::accepted(Role::Operator, Mode::Control, Mode::Control.ceiling());
    let key = puppet.own_key();
    let outputs = puppet.say(SessionMessage::Either(Either::End(EndReason::UserEnded)));
    assert!(events(&outputs).iter().any(|e| matches!(e, SessionEvent::Ended { .. })));
    (puppet, key)
}

/// S97: the page that people keep says what was signed, and nothing else.
#[test]
fn s97_t11_a_kept_page_holds_and_is_refused_with_any_byte_changed() {
    let mut world = eventful(Mode::Control);
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(world.run_until(Duration::from_secs(5), both_over));
    let envelope = world.end(Role::Agent).receipt.clone().expect("kept");
    let folder = tempfile::tempdir().expect("a folder");
    let file = receipt::keep(&Profile::at(folder.path()), &envelope).expect("it is written");
    let checked = receipt::verify(&file).expect("it holds");
    assert_eq!(checked, CheckedReceipt::open(&envelope).expect("it holds"));
    let page = std::fs::read(&file).expect("it is there");
    for word in ["Example Help Desk", "控え", "Receipt", "AES"] {
        assert!(String::from_utf8_lossy(&page).contains(word), "{word}");
    }
    for place in (0..page.len()).step_by(3).chain([page.len() - 1]) {
        let mut changed = page.clone();
        changed[place] ^= 1;
        std::fs::write(&file, &changed).expect("it is written");
        assert!(receipt::verify(&file).is_err(), "byte {place}");
    }
    std::fs::write(&file, [&page[..], b"x"].concat()).expect("it is written");
    assert!(receipt::verify(&file).is_err(), "a byte more");
}

/// A full disk, or a folder that is another's: where it should lie, and why it does not.
#[test]
fn s97_a_receipt_that_cannot_be_written_is_told_in_both_languages_and_leaves_no_half() {
    let mut world = eventful(Mode::View);
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(world.run_until(Duration::from_secs(5), both_over));
    let envelope = world.end(Role::Agent).receipt.clone().expect("kept");
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("receipts");
    std::fs::write(&place, "no folder").expect("it is written");
    let fault = receipt::keep(&Profile::at(folder.path()), &envelope).expect_err("no room for it");
    let place = place.display().to_string();
    let (en, ja) = (fault.sentence(Lang::En), fault.sentence(Lang::Ja));
    assert!(en.contains(&place) && en.contains("could not be kept"), "{en}");
    assert!(ja.contains(&place) && ja.contains("保存できませんでした"), "{ja}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1);
}

#[test]
fn t11_no_receipt_with_a_changed_byte_holds() {
    let mut world = eventful(Mode::Share);
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert!(world.run_until(Duration::from_secs(5), both_over));
    let envelope = world.end(Role::Agent).receipt.clone().expect("kept");
    for place in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[place] ^= 1;
        assert!(CheckedReceipt::open(&changed).is_err(), "byte {place}");
    }
    // Parts of another session, well signed by those who were in this one.
    let key = tasuki_tests::hostile::agent_key();
    let puppet = Puppet::accepted(Role::Operator, Mode::Control, Mode::Control.ceiling());
    let mut receipt = puppet.receipt(Mode::Control);
    receipt.transcript = Digest([1; 32]);
    assert_eq!(CheckedReceipt::open(&dsse::sign(&receipt, &key)), Err(ReceiptRefused::Parts));
    let stranger = tasuki_tests::hostile::key(99);
    let honest = puppet.receipt(Mode::Control);
    assert!(CheckedReceipt::open(&dsse::sign(&honest, &key)).is_ok());
    assert_eq!(CheckedReceipt::open(&dsse::sign(&honest, &stranger)), Err(ReceiptRefused::Stranger));
}
