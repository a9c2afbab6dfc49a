//! From a screen to a viewer's picture: what it costs, how good it is, and what it survives.

mod desktop;

use std::time::Duration;

use desktop::{Desktop, until};
use tasuki_media::blocks::{Area, ChangedBlocks};
use tasuki_media::fake::{FakeDesk, FakeScreen, Size};
use tasuki_media::i420::I420;
use tasuki_media::screen::Pixels;
use tasuki_media::video::{Demand, EncodedFrame, KeyFrame, Picture, Source, Step, WithCursor};
use tasuki_media::vp8::{Bitrate, CodecError, Coding, Decoder, Encoder, FrameKind, inspect};
use tasuki_media::x11::X11Screen;
use tasuki_protocol::screen::{CursorPosition, CursorShape, MonitorId};

const FULL_HD: Size = Size { width: 1920, height: 1080 };
const DEMAND: Demand = Demand { bitrate: Bitrate(8_000_000), key_frame: KeyFrame::WhenNeeded };
const NOW: Demand = Demand { bitrate: Bitrate(8_000_000), key_frame: KeyFrame::Now };
const TICK: Duration = Duration::from_millis(400);

fn source(sizes: &[Size]) -> (Source, FakeDesk) {
    let (screen, desk) = FakeScreen::new(sizes);
    (Source::new(Box::new(screen)), desk)
}

fn frame(source: &mut Source, demand: Demand) -> EncodedFrame {
    let mut found = None;
    until("a frame comes", || {
        found = source.next(demand, TICK).expect("a step").frame;
        found.is_some()
    });
    found.expect("a frame")
}

/// Black and white lines, as fine as text: what a codec blurs first.
fn paint_text(desk: &FakeDesk, size: Size) {
    let whole = Area { left: 0, top: 0, right: size.width.into(), bottom: size.height.into() };
    desk.paint(MonitorId(0), whole, [255, 255, 255]);
    for line in (0..usize::from(size.height)).step_by(14) {
        for letter in (0..usize::from(size.width)).step_by(9) {
            let wide = 1 + (letter * 7 + line * 3) % 6;
            let area = Area { left: letter, top: line, right: letter + wide, bottom: line + 2 + wide };
            desk.paint(MonitorId(0), area, [20, 20, 20]);
        }
    }
}

/// Peak signal to noise of the viewer's picture, over the three colours, in dB.
fn psnr(rgba: &[u8], bgra: &[u8]) -> f64 {
    let mut squares = 0.0;
    for (seen, drawn) in rgba.chunks_exact(4).zip(bgra.chunks_exact(4)) {
        for (a, b) in [(seen[0], drawn[2]), (seen[1], drawn[1]), (seen[2], drawn[0])] {
            squares += f64::from(a.abs_diff(b)).powi(2);
        }
    }
    let mean = squares / (rgba.len() as f64 / 4.0 * 3.0);
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// The pixels a fake desk shows, by a second screen of the same painting.
fn drawn(size: Size, paint: impl Fn(&FakeDesk)) -> Vec<u8> {
    use tasuki_media::screen::Screen;
    let (mut screen, desk) = FakeScreen::new(&[size]);
    paint(&desk);
    let grab = screen.grab(Duration::ZERO).expect("a grab");
    grab.picture.expect("a picture").bgra.to_vec()
}

#[test]
fn a_picture_survives_the_way_and_text_gets_sharp_once_it_is_still() {
    let size = Size { width: 800, height: 600 };
    let truth = drawn(size, |desk| paint_text(desk, size));
    let (mut source, desk) = source(&[size]);
    paint_text(&desk, size);
    let mut picture = Picture::new().expect("a decoder");
    let key = frame(&mut source, DEMAND);
    assert_eq!((key.kind, key.number, key.width, key.height), (FrameKind::Key, 0, 800, 600));
    picture.show(&key.bytes).expect("a key frame");
    let first = psnr(picture.rgba(), &truth);
    assert!(first > 18.0, "the first picture has {first:.1} dB");
    let mut quiet = 0;
    until("the picture is sharp and nothing more is sent", || {
        match source.next(DEMAND, TICK).expect("a step").frame {
            Some(frame) => {
                assert_eq!(frame.kind, FrameKind::Delta);
                picture.show(&frame.bytes).expect("a refinement");
                quiet = 0;
            }
            None => quiet += 1,
        }
        quiet == 3
    });
    let last = psnr(picture.rgba(), &truth);
    assert!(last > 38.0, "still text has {last:.1} dB, the first picture had {first:.1}");
}

#[test]
fn a_still_screen_sends_nothing_and_a_small_change_costs_little() {
    let (mut source, desk) = source(&[FULL_HD]);
    let mut picture = Picture::new().expect("a decoder");
    picture.show(&frame(&mut source, DEMAND).bytes).expect("a key frame");
    until("it rests", || source.next(DEMAND, TICK).expect("a step").is_empty());
    let area = Area { left: 640, top: 320, right: 650, bottom: 334 };
    desk.paint(MonitorId(0), area, [255, 0, 0]);
    let small = frame(&mut source, DEMAND);
    assert_eq!((small.kind, small.changed), (FrameKind::Delta, 1));
    assert!(small.bytes.len() < 1500, "{} bytes for one letter", small.bytes.len());
    let changed = picture.show(&small.bytes).expect("a frame");
    assert!(changed.contains(40, 20));
    assert!(changed.count() <= 9, "{} blocks of the viewer changed", changed.count());
}

#[test]
fn a_viewer_that_asks_gets_a_key_frame_at_once_and_the_size_forces_one() {
    let (mut source, desk) = source(&[FULL_HD]);
    assert_eq!(frame(&mut source, DEMAND).kind, FrameKind::Key);
    until("it rests", || source.next(DEMAND, TICK).expect("a step").is_empty());
    let asked = frame(&mut source, NOW);
    assert_eq!(asked.kind, FrameKind::Key);
    assert_eq!(Decoder::new().expect("a decoder").decode(&asked.bytes).map(|p| p.width), Ok(1920));
    desk.rearrange(&[Size { width: 333, height: 111 }]);
    let mut told = Step::default();
    until("a frame of the new size", || {
        let step = source.next(DEMAND, TICK).expect("a step");
        told.layout = told.layout.take().or(step.layout);
        told.frame = step.frame.filter(|frame| frame.width == 333);
        told.frame.is_some()
    });
    let resized = told.frame.expect("a frame");
    assert_eq!((resized.kind, resized.width, resized.height), (FrameKind::Key, 333, 111));
    assert_eq!(told.layout.and_then(|l| l.shown_monitor().map(|m| m.width)), Some(333));
    let mut picture = Picture::new().expect("a decoder");
    picture.show(&resized.bytes).expect("an odd size");
    assert_eq!(picture.rgba().len(), 333 * 111 * 4);
}

#[test]
fn a_late_consumer_gets_one_frame_with_the_sum_of_the_changes() {
    let (mut source, desk) = source(&[FULL_HD]);
    let mut picture = Picture::new().expect("a decoder");
    picture.show(&frame(&mut source, DEMAND).bytes).expect("a key frame");
    until("it rests", || source.next(DEMAND, TICK).expect("a step").is_empty());
    for column in 0..50 {
        let left = column * 32;
        desk.paint(MonitorId(0), Area { left, top: 0, right: left + 16, bottom: 16 }, [0, 0, 255]);
    }
    assert_eq!(frame(&mut source, DEMAND).changed, 50);
    assert!(source.next(DEMAND, Duration::ZERO).expect("a step").frame.is_none());
}

#[test]
fn the_senders_preview_is_the_viewers_picture_bit_for_bit() {
    let (width, height) = (322, 202);
    let mut encoder = Encoder::new(width, height, Bitrate(2_000_000)).expect("an encoder");
    let mut decoder = Decoder::new().expect("a decoder");
    let mut picture = I420::new(width, height);
    for number in 0..20u8 {
        let bgra: Vec<u8> = (0..usize::from(width) * usize::from(height) * 4)
            .map(|i| (i / 7 * usize::from(number)) as u8)
            .collect();
        let changed = ChangedBlocks::all(width, height);
        let stride = usize::from(width) * 4;
        picture.update(&Pixels { bgra: &bgra, stride, width, height, changed: &changed });
        let coding = if number == 0 { Coding::Key } else { Coding::Delta(&changed) };
        let packet = encoder.encode(&picture, coding).expect("a packet");
        let seen = decoder.decode(&packet.bytes).expect("a picture");
        let known = encoder.preview().expect("a preview");
        for line in 0..usize::from(height) {
            let row = |view: &tasuki_media::i420::I420View<'_>| {
                view.y[line * view.y_stride..][..usize::from(width)].to_vec()
            };
            assert_eq!(row(&seen), row(&known), "frame {number}, line {line}");
        }
    }
}

/// T68a: junk is refused, and the decoder lives on.
#[test]
fn junk_is_refused_and_a_key_frame_heals() {
    let (mut source, desk) = source(&[Size { width: 320, height: 240 }]);
    let key = frame(&mut source, DEMAND).bytes;
    desk.tick();
    let delta = frame(&mut source, DEMAND).bytes;
    let mut decoder = Decoder::new().expect("a decoder");
    assert_eq!(decoder.decode(&delta).map(|p| p.width), Err(CodecError::NoKeyFrame));
    assert_eq!(decoder.decode(&[]).map(|p| p.width), Err(CodecError::NotVp8));
    let mut seed = 1u32;
    for round in 0..600usize {
        let mut junk = if round % 2 == 0 { key.clone() } else { delta.clone() };
        for _ in 0..1 + round % 40 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize / 7 % junk.len();
            junk[at] ^= (seed >> 9) as u8;
        }
        junk.truncate(1 + seed as usize / 3 % junk.len());
        let _ =
            decoder.decode(&junk).map(|picture| assert!(picture.y.len() >= usize::from(picture.width)));
    }
    assert_eq!(decoder.decode(&key).map(|p| (p.width, p.height)), Ok((320, 240)));
    assert!(decoder.decode(&delta).is_ok());
}

/// T68a: the cap holds before a byte is decoded.
#[test]
fn a_picture_beyond_the_cap_is_refused() {
    let header = |width: u16, height: u16| {
        let ([w0, w1], [h0, h1]) = (width.to_le_bytes(), height.to_le_bytes());
        [0x10, 0, 0, 0x9D, 0x01, 0x2A, w0, w1, h0, h1]
    };
    assert_eq!(inspect(&header(7680, 4320)), Ok(FrameKind::Key));
    assert_eq!(inspect(&header(7681, 100)), Err(CodecError::BadSize));
    assert_eq!(inspect(&header(100, 4321)), Err(CodecError::BadSize));
    assert_eq!(inspect(&header(0, 100)), Err(CodecError::BadSize));
    let mut decoder = Decoder::new().expect("a decoder");
    let giant = decoder.decode(&header(16383, 16383)).map(|p| p.width);
    assert_eq!(giant, Err(CodecError::BadSize));
    assert_eq!(Encoder::new(7681, 100, Bitrate(1)).map(|_| ()), Err(CodecError::BadSize));
}

#[test]
fn a_saved_picture_is_the_frame_with_the_cursor_if_wanted() {
    let size = Size { width: 100, height: 60 };
    let (mut source, desk) = source(&[size]);
    let whole = Area { left: 0, top: 0, right: 100, bottom: 60 };
    desk.paint(MonitorId(0), whole, [0, 0, 200]);
    let mut picture = Picture::new().expect("a decoder");
    picture.show(&frame(&mut source, DEMAND).bytes).expect("a key frame");
    picture.set_cursor_shape(CursorShape {
        width: 1,
        height: 1,
        hot_x: 0,
        hot_y: 0,
        rgba: vec![255, 255, 255, 255],
    });
    picture.set_cursor_position(CursorPosition(Some((50, 30))));
    let read = |png: Vec<u8>| {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        let mut rgba = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut rgba).expect("pixels");
        rgba
    };
    let plain = read(picture.png(WithCursor::Hidden).expect("saved"));
    assert_eq!(plain, picture.rgba());
    let pointed = read(picture.png(WithCursor::Shown).expect("saved"));
    let at = (30 * 100 + 50) * 4;
    assert_eq!(pointed[at..at + 3], [255, 255, 255]);
    assert_ne!(plain[at..at + 3], [255, 255, 255]);
}

#[test]
fn an_idle_real_desktop_sends_no_frame_and_a_real_change_reaches_the_viewer() {
    let desktop = Desktop::start("1920x1080x24");
    let client = desktop::Client::connect(&desktop.display);
    let window = client.window(0, 0, 1920, 1080);
    let screen = X11Screen::open(Some(&desktop.display)).expect("a screen");
    let mut source = Source::new(Box::new(screen));
    let mut picture = Picture::new().expect("a decoder");
    picture.show(&frame(&mut source, DEMAND).bytes).expect("a key frame");
    until("it rests", || source.next(DEMAND, TICK).expect("a step").is_empty());
    for _ in 0..5 {
        assert!(source.next(DEMAND, TICK).expect("a step").is_empty());
    }
    client.fill(window, desktop::rectangle(700, 500, 200, 100), 0x00_C0_40);
    picture.show(&frame(&mut source, DEMAND).bytes).expect("a frame");
    let at = (550 * 1920 + 800) * 4;
    let seen = &picture.rgba()[at..at + 3];
    let near = seen.iter().zip([0x00u8, 0xC0, 0x40]).all(|(a, b)| a.abs_diff(b) < 12);
    assert!(near, "the viewer sees {seen:?}");
}
