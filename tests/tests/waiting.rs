//! What an operator's program that waits hears of its server, before anybody asks for a number.

use std::time::Duration;

use tasuki_peer::core::io::SessionEvent;
use tasuki_peer::programs::surface;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::notices::Notice;
use tasuki_peer::shell::settings::{Flags, Settings};
use tasuki_peer::shell::standing::{Word, watch};
use tasuki_protocol::rights::Mode;
use tasuki_tests::stack::House;
use tokio::sync::mpsc;

/// With patience for the pauses between two questions.
const SOON: Duration = Duration::from_secs(60);

async fn next(words: &mut mpsc::Receiver<Word>) -> Word {
    let word = tokio::time::timeout(SOON, words.recv()).await;
    word.expect("something is told").expect("it goes on")
}

/// A number that is given up: the server signs its ledger with the end of a session at once.
async fn come_and_go(settings: &Settings) {
    let (mut front, run) = surface::begin(Mode::View, None, settings).await.expect("a number");
    while let Some(notice) = front.notices.recv().await {
        if matches!(notice, Notice::Event(SessionEvent::Number { .. })) {
            break;
        }
    }
    drop(front);
    run.await.expect("it ends");
}

/// T67: as the session would that he cannot begin.
#[test]
fn t67_whoever_waits_hears_that_the_ledger_went_back_before_a_number_is_asked_for() {
    let mut house = House::set_up().expect("a house");
    house.sign_in_administrator().expect("signed in");
    let backup = house.folder().join("yesterday.backup");
    house.keep("backup", &backup).expect("made");
    house.sign_in().expect("signed in, and recorded");
    let flags =
        Flags { profile: Some(house.profile()), tenant: Some(house.bundle()), ..Flags::default() };
    let settings = Settings::gather(flags).expect("they hold");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let hear = || {
        let (tell, words) = mpsc::channel(8);
        let settings = settings.clone();
        (runtime.spawn(async move { watch(&settings, tell).await }), words)
    };
    let stands = |word: &Word| matches!(word, Word::Stands { .. });

    runtime.block_on(come_and_go(&settings));
    let (waits, mut words) = hear();
    let first = runtime.block_on(next(&mut words));
    assert!(stands(&first), "{first:?}");
    waits.abort();
    house.restore(&backup).expect("restored");
    house.sign_in().expect("signed in again");

    let (waits, mut words) = hear();
    let told = runtime.block_on(next(&mut words));
    let refused = runtime.block_on(surface::begin(Mode::View, None, &settings)).err();
    assert!(matches!(refused, Some(Fault::LedgerOlder { .. })), "{refused:?}");
    assert_eq!(Some(told), refused.map(Word::WentBack));
    waits.abort();
}
