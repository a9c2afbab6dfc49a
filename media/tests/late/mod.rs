//! What a window that is busy hears of late: what a hand did counts, and what a program did is not taken for it (T2).

use super::*;

/// Longer than a press stays fresh.
const LATE: Duration = Duration::from_millis(1700);

/// A window that is busy hears of a press long after it was made.
#[test]
fn t2_her_press_counts_though_the_window_hears_of_it_late_and_not_once_it_had_come_round() {
    let mut scene = Scene::start();
    for (rounds, by) in [(0, Doer::Hand), (1, Doer::Hand), (2, Doer::Nobody)] {
        scene.settles();
        scene.points();
        scene.desk.press(ALLOW);
        std::thread::sleep(LATE);
        // The first one only notes it.
        (0..=rounds).for_each(|_| scene.witness.catch_up().unwrap());
        let judged = scene.witness.ask(Deed::Click).unwrap();
        assert_eq!(judged.by, by, "{rounds}");
        assert!(judged.ago >= A_MOMENT, "{judged:?}");
    }
}

/// By the time that a busy window hears of it she has clicked elsewhere.
#[test]
fn t2_a_programs_click_that_the_window_hears_of_late_is_not_taken_for_a_later_one_of_hers() {
    let mut scene = Scene::start();
    scene.settles();
    scene.program.injects(MOTION_NOTIFY_EVENT, 0);
    scene.program.injects(BUTTON_PRESS_EVENT, 1);
    scene.program.injects(BUTTON_RELEASE_EVENT, 1);
    std::thread::sleep(A_MOMENT);
    scene.desk.click((ALLOW.0 + 100, ALLOW.1 - 50));
    scene.witness.catch_up().unwrap();
    assert_eq!(scene.asked(), Ok(Doer::Nobody));
    scene.a_hand_is_known();
}
