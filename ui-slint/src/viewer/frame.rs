//! Where the remote picture lies in the window, and which of its pixels a hand points at.
//!
//! Pure: sizes in, places out, all in physical pixels of this screen. Knows no toolkit.

use tasuki_media::blocks::Area;
use tasuki_media::tiling::Extent;

/// How the picture is sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// All of it is seen. Enlarged only where that is at least a quarter: less would
    /// blur letters and win nothing.
    #[default]
    Fit,
    /// A pixel is a pixel; what does not fit is reached by moving the picture.
    OneToOne,
}

/// The least enlargement that is worth its blur.
const WORTH_ENLARGING: f64 = 1.25;

/// So near to an edge of the view a hand has the picture move.
const NEAR: i32 = 24;
/// Pixels at a time for each that the hand is nearer than that.
const PULL: i32 = 2;

/// A place in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub x: i32,
    pub y: i32,
}

/// The picture in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    pub source: Extent,
    pub target: Extent,
    /// Of the picture's top left corner, in the window.
    pub corner: Place,
    view: Extent,
}

impl Frame {
    /// `moved` is how far the picture was moved from its centre, at 1:1.
    pub fn lay(source: Extent, view: Extent, zoom: Zoom, moved: Place) -> Self {
        let target = match zoom {
            Zoom::OneToOne => source,
            Zoom::Fit => fit(source, view),
        };
        let corner = Place {
            x: along(target.width, view.width, moved.x),
            y: along(target.height, view.height, moved.y),
        };
        Self { source, target, corner, view }
    }

    /// The pixel of the source under `place`; the nearest one where it is outside.
    /// `None` without a picture.
    pub fn pixel(&self, place: Place) -> Option<(u16, u16)> {
        if self.source.is_empty() || self.target.is_empty() {
            return None;
        }
        let axis = |at: i32, corner: i32, target: u16, source: u16| {
            let inside = (at - corner).clamp(0, i32::from(target) - 1);
            let pixel = (f64::from(inside) + 0.5) * f64::from(source) / f64::from(target);
            (pixel as u16).min(source - 1)
        };
        Some((
            axis(place.x, self.corner.x, self.target.width, self.source.width),
            axis(place.y, self.corner.y, self.target.height, self.source.height),
        ))
    }

    /// Whether `place` is on the picture, and not beside it.
    pub fn holds(&self, place: Place) -> bool {
        let within =
            |at: i32, corner: i32, length: u16| (corner..corner + i32::from(length)).contains(&at);
        within(place.x, self.corner.x, self.target.width)
            && within(place.y, self.corner.y, self.target.height)
    }

    /// Where a pixel of the source is seen.
    pub fn seen(&self, (x, y): (u16, u16)) -> Place {
        let axis = |pixel: u16, corner: i32, target: u16, source: u16| {
            corner + (f64::from(pixel) * f64::from(target) / f64::from(source.max(1))).round() as i32
        };
        Place {
            x: axis(x, self.corner.x, self.target.width, self.source.width),
            y: axis(y, self.corner.y, self.target.height, self.source.height),
        }
    }

    /// The part of the picture that its window shows, where so much at each edge of the view is for something else.
    pub fn seen_part(&self, edge: u16) -> Option<Area> {
        let axis = |corner: i32, target: u16, view: u16| {
            let edge = i32::from(edge);
            let first = (edge - corner).max(0);
            let end = (i32::from(view) - edge - corner).min(target.into());
            (first < end).then_some((first as usize, end as usize))
        };
        let (left, right) = axis(self.corner.x, self.target.width, self.view.width)?;
        let (top, bottom) = axis(self.corner.y, self.target.height, self.view.height)?;
        Some(Area { left, top, right, bottom })
    }

    /// How far the picture moves at a time under a hand that stands at `place` and whose buttons are the host's: what
    /// lies beyond an edge of the view comes in as long as the hand is near that edge, the faster the nearer.
    pub fn pull(&self, place: Place) -> Place {
        let axis = |at: i32, corner: i32, target: u16, view: u16| {
            let (view, near) = (i32::from(view), NEAR.min(i32::from(view) / 4));
            let before = (near - at).clamp(0, near);
            let after = (at - (view - 1 - near)).clamp(0, near);
            let beyond = (corner + i32::from(target) - view).max(0);
            (before * PULL).min((-corner).max(0)) - (after * PULL).min(beyond)
        };
        Place {
            x: axis(place.x, self.corner.x, self.target.width, self.view.width),
            y: axis(place.y, self.corner.y, self.target.height, self.view.height),
        }
    }

    /// How far the picture may be moved from its centre, each way.
    pub fn slack(&self) -> Place {
        let axis = |target: u16, view: u16| i32::from(target.saturating_sub(view).div_ceil(2));
        Place {
            x: axis(self.target.width, self.view.width),
            y: axis(self.target.height, self.view.height),
        }
    }
}

fn fit(source: Extent, view: Extent) -> Extent {
    if source.is_empty() || view.is_empty() {
        return Extent::default();
    }
    let ratio = |view: u16, source: u16| f64::from(view) / f64::from(source);
    let scale = ratio(view.width, source.width).min(ratio(view.height, source.height));
    if (1.0..WORTH_ENLARGING).contains(&scale) {
        return source;
    }
    let side = |source: u16, view: u16| ((f64::from(source) * scale).round() as u16).clamp(1, view);
    Extent { width: side(source.width, view.width), height: side(source.height, view.height) }
}

/// Centred where it fits; otherwise moved no further than its own edge.
fn along(target: u16, view: u16, moved: i32) -> i32 {
    let room = i32::from(view) - i32::from(target);
    let centre = room.div_euclid(2);
    if room >= 0 { centre } else { (centre + moved).clamp(room, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Extent = Extent { width: 1920, height: 1080 };

    fn view(width: u16, height: u16) -> Extent {
        Extent { width, height }
    }

    #[test]
    fn a_picture_is_shrunk_to_fit_and_keeps_its_shape_in_the_middle() {
        let frame = Frame::lay(HD, view(960, 800), Zoom::Fit, Place::default());
        assert_eq!(frame.target, view(960, 540));
        assert_eq!(frame.corner, Place { x: 0, y: 130 });
    }

    #[test]
    fn a_picture_is_enlarged_only_where_it_is_worth_the_blur() {
        let small = view(1280, 800);
        assert_eq!(Frame::lay(small, view(1300, 900), Zoom::Fit, Place::default()).target, small);
        let large = Frame::lay(small, view(2560, 1600), Zoom::Fit, Place::default());
        assert_eq!(large.target, view(2560, 1600));
    }

    #[test]
    fn at_one_to_one_a_large_picture_is_moved_no_further_than_its_edge() {
        let far = Place { x: 9000, y: -9000 };
        let frame = Frame::lay(HD, view(1000, 600), Zoom::OneToOne, far);
        assert_eq!(frame.corner, Place { x: 0, y: 600 - 1080 });
        assert_eq!(frame.slack(), Place { x: 460, y: 240 });
        let fits = Frame::lay(view(400, 300), view(1000, 600), Zoom::OneToOne, far);
        assert_eq!(fits.corner, Place { x: 300, y: 150 });
    }

    #[test]
    fn s100_at_one_to_one_a_hand_that_operates_reaches_every_pixel_and_nothing_moves_far_from_the_edge()
    {
        let size = view(1195, 675);
        let mut moved = Place::default();
        let mut lead = |place: Place| {
            for _ in 0..100 {
                let frame = Frame::lay(HD, size, Zoom::OneToOne, moved);
                let (pull, slack) = (frame.pull(place), frame.slack());
                if pull == Place::default() {
                    return frame.pixel(place);
                }
                moved.x = (moved.x + pull.x).clamp(-slack.x, slack.x);
                moved.y = (moved.y + pull.y).clamp(-slack.y, slack.y);
            }
            panic!("it moves without an end");
        };
        let at = |x, y| Place { x, y };
        assert_eq!(lead(at(0, 0)), Some((0, 0)));
        assert_eq!(lead(at(24, 650)), Some((24, 650)), "far from an edge everything stays");
        assert_eq!(lead(at(1194, 674)), Some((1919, 1079)));
        assert_eq!(lead(at(0, 674)), Some((0, 1079)));
        assert_eq!(lead(at(-900, 900)), Some((0, 1079)), "a held button leads beyond the view");
        for zoom in [Zoom::Fit, Zoom::OneToOne] {
            let fits = Frame::lay(view(400, 300), size, zoom, at(0, 0));
            assert_eq!(fits.pull(at(0, 0)), at(0, 0), "{zoom:?}: nothing lies beyond");
        }
        let shrunk = Frame::lay(HD, size, Zoom::Fit, at(0, 0));
        assert_eq!(shrunk.pull(at(1194, 674)), at(0, 0));
    }

    #[test]
    fn what_is_seen_of_a_picture_ends_with_it_with_its_view_and_before_the_views_edge() {
        let area = |left, top, right, bottom| Some(Area { left, top, right, bottom });
        let part = |size, zoom, moved: (i32, i32), edge| {
            Frame::lay(HD, size, zoom, Place { x: moved.0, y: moved.1 }).seen_part(edge)
        };
        assert_eq!(part(view(960, 800), Zoom::Fit, (0, 0), 0), area(0, 0, 960, 540));
        assert_eq!(
            part(view(960, 800), Zoom::Fit, (0, 0), 2),
            area(2, 0, 958, 540),
            "far from its other edges"
        );
        assert_eq!(part(view(1000, 600), Zoom::OneToOne, (9000, 0), 3), area(3, 243, 997, 837));
        assert_eq!(part(view(3, 3), Zoom::OneToOne, (0, 0), 2), None);
        assert_eq!(Frame::default().seen_part(0), None);
    }

    #[test]
    fn every_pixel_seen_leads_back_to_itself() {
        for (zoom, window) in [(Zoom::OneToOne, view(700, 500)), (Zoom::Fit, view(3840, 2160))] {
            let frame = Frame::lay(HD, window, zoom, Place::default());
            for pixel in [(0, 0), (1, 1), (960, 540), (1919, 1079), (17, 1000)] {
                assert_eq!(frame.pixel(frame.seen(pixel)), Some(pixel), "{zoom:?}");
            }
        }
    }

    #[test]
    fn beside_the_picture_the_nearest_pixel_counts_and_without_one_none() {
        let frame = Frame::lay(HD, view(960, 800), Zoom::Fit, Place::default());
        assert_eq!(frame.pixel(Place { x: -5, y: 0 }), Some((1, 1)));
        assert!(!frame.holds(Place { x: 10, y: 129 }) && frame.holds(Place { x: 10, y: 130 }));
        assert_eq!(Frame::default().pixel(Place::default()), None);
    }
}
