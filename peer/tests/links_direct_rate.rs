//! What a direct link makes of the line's width: it finds it, follows it, and neither
//! fills a queue nor takes chance losses for one.
#![allow(clippy::unwrap_used, reason = "a test's helper may")]

mod links;

use std::time::{Duration, Instant};

use links::{AGENT, OPERATOR, Weather, World, frame};
use tasuki_peer::core::path::{PathCommand, PathEvent};
use tasuki_protocol::leg::FrameKind;

const SECOND: Duration = Duration::from_secs(1);
const FRAME_TIME: Duration = Duration::from_millis(33);
/// What a host asks of its encoder at most.
const WANTED: u64 = 14_000_000;

/// A host that shows a film: thirty frames a second, as large as the link says that it carries.
struct Film {
    world: World,
    number: u32,
    next: Instant,
    /// When each frame was sent.
    sent: Vec<Instant>,
    estimate: u64,
    looked_at: usize,
    rooms: usize,
    used: usize,
    /// A key frame is owed.
    key: FrameKind,
    /// Of each frame that arrived.
    delays: Vec<Duration>,
    arrived: usize,
}

impl Film {
    fn over(weather: Weather) -> Self {
        let mut world = World::new(weather);
        assert!(world.run_until(10 * SECOND, |w| w.is_up(OPERATOR) && w.is_up(AGENT)));
        let next = world.now;
        Self {
            world,
            number: 0,
            next,
            sent: Vec::new(),
            estimate: 3_000_000,
            looked_at: 0,
            rooms: 0,
            used: 0,
            key: FrameKind::Key,
            delays: Vec::new(),
            arrived: 0,
        }
    }

    fn play(&mut self, span: Duration) {
        let until = self.world.now + span;
        while self.world.now < until {
            if self.rooms > self.used && self.world.now >= self.next {
                self.send();
            }
            self.world.step_until(self.next.max(self.world.now + Duration::from_millis(1)));
            self.look();
        }
    }

    fn send(&mut self) {
        self.used = self.rooms;
        self.next = self.world.now + FRAME_TIME;
        let bytes = self.estimate.min(WANTED) / 8 / 30;
        let kind = std::mem::replace(&mut self.key, FrameKind::Delta);
        self.world.command(AGENT, PathCommand::SendVideo(frame(self.number, kind, bytes as usize)));
        self.sent.push(self.world.now);
        self.number += 1;
    }

    fn look(&mut self) {
        for event in &self.world.events[AGENT][self.looked_at..] {
            if let PathEvent::Capacity(bits) = event {
                self.estimate = *bits;
            }
            self.rooms += usize::from(*event == PathEvent::VideoRoom);
            if *event == PathEvent::KeyFrameWanted {
                self.key = FrameKind::Key;
            }
        }
        self.looked_at = self.world.events[AGENT].len();
        let frames = self.world.frames(OPERATOR);
        for frame in &frames[self.arrived..] {
            self.delays.push(self.world.now - self.sent[frame.header.number as usize]);
        }
        self.arrived = frames.len();
    }

    /// That all but one in twenty frames of late took at most.
    fn usual_delay(&mut self) -> Duration {
        self.delays.sort();
        self.delays[self.delays.len() * 95 / 100]
    }
}

fn line(megabits: f64, lost_of_1000: u32) -> Weather {
    let bits_per_second = Some((megabits * 1e6) as u64);
    Weather { bits_per_second, lost_of_1000, ..Weather::fair() }
}

#[test]
fn on_a_clean_fast_line_the_estimate_reaches_what_a_film_wants_within_three_seconds() {
    let mut film = Film::over(line(100.0, 0));
    film.play(3 * SECOND);
    assert!(film.estimate >= WANTED, "{}", film.estimate);
    let (before, delays) = (film.arrived, film.delays.len());
    film.play(5 * SECOND);
    film.delays.drain(..delays);
    assert!(film.arrived - before >= 5 * 29, "{} frames in five seconds", film.arrived - before);
    assert!(film.usual_delay() < Duration::from_millis(40), "{:?}", film.usual_delay());
}

#[test]
fn on_a_slow_line_the_estimate_settles_below_its_width_and_no_queue_stays() {
    let mut film = Film::over(line(2.0, 0));
    film.play(5 * SECOND);
    film.delays.clear();
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..40 {
        film.play(SECOND);
        (least, most) = (least.min(film.estimate), most.max(film.estimate));
    }
    eprintln!("{least}..{most}, {:?}", film.usual_delay());
    assert!(least > 1_200_000 && most < 2_400_000, "{least}..{most}");
    assert!(film.usual_delay() < Duration::from_millis(150), "{:?}", film.usual_delay());
}

#[test]
fn losses_by_chance_do_not_keep_the_estimate_down_and_heavy_ones_do() {
    let mut film = Film::over(line(50.0, 20));
    film.play(10 * SECOND);
    assert!(film.estimate >= WANTED, "two in a hundred lost: {}", film.estimate);
    let mut film = Film::over(line(50.0, 200));
    let mut most = 0;
    for _ in 0..20 {
        film.play(SECOND);
        most = most.max(film.estimate);
    }
    // It begins at 3 Mbit/s, and may take a step or two before the first loss is told.
    assert!(most <= 4_500_000, "one in five lost: {most}");
    assert!(film.arrived > 0);
}

#[test]
fn a_line_that_becomes_narrow_and_wide_again_is_followed_both_ways() {
    let mut film = Film::over(line(30.0, 0));
    film.play(5 * SECOND);
    assert!(film.estimate >= WANTED, "{}", film.estimate);
    film.world.weather.bits_per_second = Some(3_000_000);
    film.play(3 * SECOND);
    assert!(film.estimate < 3_200_000, "{}", film.estimate);
    film.play(5 * SECOND);
    assert!(film.estimate > 1_800_000, "{}", film.estimate);
    film.world.weather.bits_per_second = Some(30_000_000);
    film.play(12 * SECOND);
    assert!(film.estimate >= WANTED, "{}", film.estimate);
}

#[test]
fn while_nothing_comes_back_hardly_anything_is_sent_and_afterwards_all_goes_on() {
    let mut film = Film::over(line(100.0, 0));
    film.play(3 * SECOND);
    film.world.weather.lost_of_1000 = 1000;
    film.play(SECOND);
    let sent = film.number;
    film.play(3 * SECOND);
    assert!(film.number - sent < 45, "{} frames into nothing", film.number - sent);
    film.world.weather.lost_of_1000 = 0;
    film.play(3 * SECOND);
    let arrived = film.arrived;
    film.play(2 * SECOND);
    assert!(film.arrived - arrived >= 2 * 29, "{} frames afterwards", film.arrived - arrived);
    assert_eq!((film.world.end_of(OPERATOR), film.world.end_of(AGENT)), (None, None));
}

#[test]
fn a_key_strokes_frame_leaves_at_once_and_a_whole_screens_at_the_rate() {
    let mut world = World::new(Weather::fair());
    let room = |w: &World| w.is_up(OPERATOR) && w.count(AGENT, |e| *e == PathEvent::VideoRoom) > 0;
    assert!(world.run_until(10 * SECOND, room));
    let mut takes = |number: u32, bytes: usize| {
        let begun = world.now;
        world.command(AGENT, PathCommand::SendVideo(frame(number, FrameKind::Key, bytes)));
        assert!(world.run_until(10 * SECOND, |w| w.frames(OPERATOR).len() == number as usize + 1));
        let took = world.now - begun;
        world.run_until(SECOND, |_| false);
        took
    };
    assert_eq!(takes(0, 15_000), Weather::fair().delay, "no datagram waits");
    // 240 kB at one and a half times 3 Mbit/s, less the first burst.
    let took = takes(1, 240_000).as_millis();
    assert!((330..=480).contains(&took), "{took} ms");
}
