//! What an operator's window that waits for him hears of his account: nobody presses anything.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tasuki_tests::{
    desktop::{Desktop, Reader, Size, role},
    stack::{House, OperatorWindow, Way},
};

use super::{OPERATOR, beside_others, entering};

const HOME: &str = "Choose what you need";
const OUT: &str = "You are signed out: ";
/// T17: what is taken away ends within seconds; on a machine that many share, some more.
const SOON: Duration = Duration::from_secs(20);

/// T17, T55: a suspension, hours that are over and a device that is revoked. S63: the hours are told as such, with when they
/// begin.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn t17_t55_s63_a_window_that_waits_tells_by_itself_that_nobody_is_signed_in_any_more() {
    let _turn = beside_others();
    let house = House::set_up().unwrap();
    let operator = Desktop::start(Size::new(OPERATOR.0, OPERATOR.1)).unwrap();
    let his = Reader::start().unwrap();
    let window = OperatorWindow::open_read(&house, &operator, Way::Auto, (&his, &[])).unwrap();
    let says = |words: &str| his.wait_for(role::LABEL, words).unwrap().name;
    let [_, password, _] = house.secrets();
    let password = password.to_owned();
    let sign_in = || {
        his.focus(role::PASSWORD, "Password").unwrap();
        window.key("ctrl+a").unwrap();
        entering::enter(&window, &password);
    };
    let falls = |act: &[&str]| {
        says(HOME);
        house.administrate(&[&["operator"], act].concat()).unwrap();
        let began = Instant::now();
        says(OUT);
        assert!(began.elapsed() < SOON, "{act:?}: {:?}", began.elapsed());
    };

    falls(&["disable", entering::NAME]);
    house.administrate(&["operator", "enable", entering::NAME]).unwrap();
    sign_in();

    says(HOME);
    house.administrate(&["operator", "limit", entering::NAME, "--hours", &in_six_hours()]).unwrap();
    let began = Instant::now();
    says("Your account may not be used at this hour. It may again from ");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    sign_in();
    says("What you typed is right, but your account may not be used at this hour. It may again from ");
    house.administrate(&["operator", "limit", entering::NAME, "--none"]).unwrap();
    sees_only_what_he_may(&house, &his, &sign_in);

    house.administrate(&["device", "revoke", entering::NAME, "--yes"]).unwrap();
    says(OUT);
}

/// S66: once his administrator leaves him two modes.
fn sees_only_what_he_may(house: &House, his: &Reader, sign_in: &dyn Fn()) {
    house.administrate(&["operator", "change", entering::NAME, "--modes", "view,show"]).unwrap();
    sign_in();
    his.wait_for(role::LABEL, HOME).unwrap();
    let cards = his.offers(role::RADIO_BUTTON);
    let wanted = [
        ("Manage", false),
        ("Control", false),
        ("View", true),
        ("Share my screen", false),
        ("Show my screen", true),
    ];
    assert_eq!(cards.iter().map(|(name, may)| (name.as_str(), *may)).collect::<Vec<_>>(), wanted);
}

/// An hour of the day that is far from now, in both directions.
fn in_six_hours() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let hour = |later: u64| (now / 3600 + later) % 24;
    // The whole week, in the clock of the world.
    format!("mon-sun {:02}:00-{:02}:00 UTC", hour(6), hour(7))
}
