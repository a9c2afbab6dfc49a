//! A clock for lockouts and tokens that no step of the wall clock moves: it counts the
//! time since the machine was started, from an anchor that the database keeps. F12.
//!
//! Within one boot it is exact also across restarts of the server. After a reboot it
//! goes on from the wall clock, but never back behind what it said before.

/// Where the counting began: at `up` seconds after boot `boot` it was `steady`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The kernel's name for this boot; empty where there is none.
    pub boot: String,
    /// Seconds since the boot, time spent suspended included.
    pub up: i64,
    /// Unix seconds as this clock has them.
    pub steady: i64,
}

impl Anchor {
    /// The anchor of a run that starts now: the stored one, moved to this moment.
    pub fn of_run(stored: Option<Self>, boot: String, up: i64, wall: i64) -> Self {
        let steady = match stored {
            Some(stored) if stored.boot == boot && !boot.is_empty() && up >= stored.up => stored.at(up),
            Some(stored) => wall.max(stored.steady),
            None => wall,
        };
        Self { boot, up, steady }
    }

    /// The same clock, counting from `up` seconds after the boot.
    #[must_use]
    pub fn moved_to(&self, up: i64) -> Self {
        Self { boot: self.boot.clone(), up: up.max(self.up), steady: self.at(up) }
    }

    /// What the clock says at `up` seconds after the boot.
    pub fn at(&self, up: i64) -> i64 {
        self.steady.saturating_add(up.saturating_sub(self.up).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn anchor(boot: &str, up: i64, steady: i64) -> Anchor {
        Anchor { boot: boot.to_owned(), up, steady }
    }

    #[test]
    fn f12_a_step_of_the_wall_clock_moves_nothing_within_a_run_or_a_boot() {
        let first = Anchor::of_run(None, "a".to_owned(), 100, 1_000_000);
        assert_eq!(first.at(160), 1_000_060);
        for wall in [1_000_060 - HOUR, 1_000_060, 1_000_060 + HOUR] {
            let again = Anchor::of_run(Some(first.clone()), "a".to_owned(), 160, wall);
            assert_eq!(again.at(161), 1_000_061, "{wall}");
        }
    }

    #[test]
    fn f12_after_a_reboot_it_never_goes_back() {
        let before = anchor("a", 500, 1_000_000);
        let slow = Anchor::of_run(Some(before.clone()), "b".to_owned(), 5, 1_000_000 - HOUR);
        assert_eq!(slow.at(6), 1_000_001);
        let right = Anchor::of_run(Some(before), "b".to_owned(), 5, 1_000_000 + HOUR);
        assert_eq!(right.at(6), 1_000_001 + HOUR);
    }

    /// What a run says last is what the next boot goes on from, whatever the wall clock says by then.
    #[test]
    fn f12_a_reboot_with_a_clock_of_yesterday_takes_back_nothing_of_what_a_run_has_counted() {
        let run = Anchor::of_run(None, "a".to_owned(), 100, 1_000_000);
        let kept = run.moved_to(100 + 9 * HOUR);
        assert_eq!(kept.at(100 + 9 * HOUR + 3), run.at(100 + 9 * HOUR + 3));
        let next = Anchor::of_run(Some(kept), "b".to_owned(), 4, 1_000_000 - 24 * HOUR);
        assert_eq!(next.at(4), 1_000_000 + 9 * HOUR);
    }

    #[test]
    fn without_a_name_for_the_boot_it_trusts_the_wall_clock_only_forwards() {
        let before = anchor("", 500, 1_000_000);
        assert_eq!(Anchor::of_run(Some(before.clone()), String::new(), 600, 10).steady, 1_000_000);
        assert_eq!(Anchor::of_run(Some(before), String::new(), 600, 2_000_000).steady, 2_000_000);
    }
}
